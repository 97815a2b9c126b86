/* test_rpc_template.c - templates for miners, long polling, proposals. */
#include "pool_fixture.h"
#include "rpc/methods.h"
#include "support/build.h"
#include "support/net_fake.h"
#include "util/alloc.h"

#define SEGWIT "[{\"rules\":[\"segwit\"]}]"

static int setup(void **state)
{
    *state = fixture_new(3, NULL);
    return 0;
}

FIXTURE(setup, teardown)

static struct tx send(struct fixture *f, const struct builder_coin *coin, int64_t fee_sat)
{
    char hex[1000];
    struct tx tx = builder_spend(&f->rig.builder, coin, 1, 1, fee_sat, BUILDER_WSH_TRUE);
    hex_encode(hex, tx.raw);
    assert_starts(rpc_rig_callf(&f->rig, "sendrawtransaction", "[\"%s\"]", hex), "\"");
    return tx;
}

TEST(the_rules_have_to_be_known, struct fixture *f)
{
    static const char *const params[] = {"[{}]", "[{\"rules\":[]}]", "[{\"rules\":[\"csv\"]}]"};
    for (size_t i = 0; i < COUNT_OF(params); i++)
        assert_call(&f->rig, "getblocktemplate", params[i],
                    "-8: getblocktemplate must be called with the segwit rule set (call with "
                    "{\"rules\": [\"segwit\"]})");
    /* What is no list names no rule; what is in a list is text. */
    assert_starts(rpc_rig_call(&f->rig, "getblocktemplate", "[{\"rules\":\"segwit\"}]"), "-8: ");
    assert_call(&f->rig, "getblocktemplate", "[{\"rules\":[\"segwit\",1]}]",
                "-3: JSON value of type number is not of expected type string");
    assert_call(&f->rig, "getblocktemplate", "[{\"mode\":\"x\",\"rules\":[\"segwit\"]}]",
                "-8: Invalid mode");
    assert_call(&f->rig, "getblocktemplate", "[{\"mode\":1,\"rules\":[\"segwit\"]}]",
                "-8: Invalid mode");
}

TEST(a_template_has_cores_fields, struct fixture *f)
{
    char want[600];
    const char *got = rpc_rig_call(&f->rig, "getblocktemplate", SEGWIT);
    snprintf(want, sizeof want,
             "{\"capabilities\":[\"proposal\"],\"version\":536870912,\"rules\":[\"csv\","
             "\"!segwit\",\"taproot\"],\"vbavailable\":{},\"vbrequired\":0,"
             "\"previousblockhash\":\"%s\",\"transactions\":[],\"coinbaseaux\":{},"
             "\"coinbasevalue\":5000000000,\"longpollid\":\"%s0\",\"target\":\"7fffff0000",
             rpc_rig_id(&f->rig, f->tip), rpc_rig_id(&f->rig, f->tip));
    assert_starts(got, want);
    assert_holds(got, ",\"mutable\":[\"time\",\"transactions\",\"prevblock\"],"
                      "\"noncerange\":\"00000000ffffffff\",\"sigoplimit\":80000,"
                      "\"sizelimit\":4000000,\"weightlimit\":4000000,\"curtime\":");
    /* The commitment to nothing but the coinbase is well known. */
    assert_holds(got, ",\"bits\":\"207fffff\",\"height\":104,\"default_witness_commitment\":"
                      "\"6a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8c"
                      "f9\"}");
}

TEST(transactions_are_listed_with_what_they_need, struct fixture *f)
{
    char want[2000], data[1000], txid[65], hash[65];
    struct tx parent = send(f, &f->coin[0], 1000);
    struct builder_coin coin = builder_coin_of(&parent, 0, BUILDER_WSH_TRUE);
    struct tx child = send(f, &coin, 60000);
    const char *got = rpc_rig_call(&f->rig, "getblocktemplate", SEGWIT);
    const struct tx *txs[] = {&parent, &child};
    for (size_t i = 0; i < 2; i++) {
        hex_encode(data, txs[i]->raw);
        hex_encode_reversed(txid, span_of(txs[i]->txid.b, 32));
        hex_encode_reversed(hash, span_of(txs[i]->wtxid.b, 32));
        snprintf(want, sizeof want,
                 "{\"data\":\"%s\",\"txid\":\"%s\",\"hash\":\"%s\",\"depends\":[%s],\"fee\":%d,"
                 "\"sigops\":0,\"weight\":%u}",
                 data, txid, hash, i == 0 ? "" : "1", i == 0 ? 1000 : 60000, tx_weight_wu(txs[i]));
        assert_holds(got, want);
    }
    assert_holds(got, "\"coinbasevalue\":5000061000,");
    got = rpc_rig_call(&f->rig, "getmininginfo", "[]");
    snprintf(want, sizeof want, "\"currentblockweight\":%u,\"currentblocktx\":2,",
             8000 + tx_weight_wu(&parent) + tx_weight_wu(&child));
    assert_holds(got, want);
    assert_holds(got, "\"pooledtx\":2,\"blockmintxfee\":0.00000001,");
}

/* Before segwit a block's limits are a fourth, and nobody has to know of it. */
TEST(an_old_template_counts_as_it_was_counted_then, struct fixture *f)
{
    f->rig.chain.network.buried_height[BURIED_SEGWIT] = 1000;
    const char *got = rpc_rig_call(&f->rig, "getblocktemplate", SEGWIT);
    assert_holds(got, "\"rules\":[\"csv\",\"taproot\"]");
    assert_holds(got, "\"sigoplimit\":20000,\"sizelimit\":1000000,\"curtime\":");
    assert_null(strstr(got, "weightlimit"));
    assert_null(strstr(got, "default_witness_commitment"));
}

/* Who asks all the time makes no work: for five seconds the template is the same, but its time. */
TEST(a_template_is_told_again_for_a_few_seconds, struct fixture *f)
{
    char want[100];
    f->rig.mock_time_s = 1800000000;
    assert_holds(rpc_rig_call(&f->rig, "getblocktemplate", SEGWIT), "\"transactions\":[],");
    send(f, &f->coin[0], 5000);
    for (int later_s = 0; later_s <= 6; later_s++) {
        f->rig.mock_time_s = 1800000000 + later_s;
        const char *got = rpc_rig_call(&f->rig, "getblocktemplate", SEGWIT);
        assert_int_equal(strstr(got, "\"transactions\":[],") != NULL, later_s <= 5);
        snprintf(want, sizeof want, "\"curtime\":%d,", 1800000000 + later_s);
        assert_holds(got, want);
    }
    assert_holds(rpc_rig_call(&f->rig, "getmininginfo", "[]"), "\"currentblocktx\":1,");
    /* A new tip is told at once. */
    rpc_rig_grow(&f->rig, builder_block(&f->rig.builder, f->tip, NULL));
    send(f, &f->coin[1], 5000);
    assert_holds(rpc_rig_call(&f->rig, "getblocktemplate", SEGWIT), "\"height\":105,");
    assert_holds(rpc_rig_call(&f->rig, "getmininginfo", "[]"), "\"currentblocktx\":2,");
}

/* A template that a priority was set for since may be another: who polls hears of it. */
TEST(a_priority_is_a_change, struct fixture *f)
{
    char txid[65], id[65], want[200];
    struct tx tx = send(f, &f->coin[0], 5000);
    hex_encode_reversed(txid, span_of(tx.txid.b, 32));
    snprintf(id, sizeof id, "%s", rpc_rig_id(&f->rig, f->tip));
    for (int n = 1; n <= 3; n++) {
        snprintf(want, sizeof want, "\"longpollid\":\"%s%d\"", id, n);
        assert_holds(rpc_rig_call(&f->rig, "getblocktemplate", SEGWIT), want);
        assert_holds(rpc_rig_call(&f->rig, "getblocktemplate", SEGWIT), want);
        rpc_rig_callf(&f->rig, "prioritisetransaction", "[\"%s\",0,10]", txid);
        rpc_rig_run_for(&f->rig, 6000000);
    }
    /* Of what is not here nothing follows. */
    rpc_rig_callf(&f->rig, "prioritisetransaction", "[\"%s\",0,10]", id);
    snprintf(want, sizeof want, "\"longpollid\":\"%s4\"", id);
    assert_holds(rpc_rig_call(&f->rig, "getblocktemplate", SEGWIT), want);
}

static const struct built_block *recent_block(struct fixture *f)
{
    const struct env *env = sim_env_get(f->rig.chain.sim);
    struct builder_spec spec = {.time = (uint32_t)env_unix_s(env)};
    return builder_block(&f->rig.builder, f->tip, &spec);
}

/* Nobody is to mine for money on what the network may have left behind. */
TEST(where_blocks_are_worth_money_peers_and_their_chain_come_first, struct fixture *f)
{
    struct network earnest = f->rig.chain.network;
    struct net_fake fake;
    earnest.is_test_chain = false;
    f->rig.node.network = &earnest;
    assert_starts(rpc_rig_call(&f->rig, "getblocktemplate", SEGWIT), "-31: ");
    net_fake_init(&fake);
    f->rig.node.net = &fake.view;
    fake.info.n_in = fake.info.n_out = 0;
    assert_call(&f->rig, "getblocktemplate", SEGWIT, "-9: Cairn is not connected!");
    fake.info.n_in = 1;
    assert_call(&f->rig, "getblocktemplate", SEGWIT,
                "-10: Cairn is in initial sync and waiting for blocks...");
    /* A proposal may be judged at any time. */
    assert_call(&f->rig, "getblocktemplate", "[{\"mode\":\"proposal\"}]",
                "-3: Missing data String key for proposal");
    rpc_rig_grow(&f->rig, recent_block(f));
    assert_starts(rpc_rig_call(&f->rig, "getblocktemplate", SEGWIT), "{");
}

/* -- Long polling ------------------------------------------------------------------------- */

static void start_long_poll(struct fixture *f, const char *id, struct rpc_rig_answer *answer)
{
    char *body = xasprintf("{\"method\":\"getblocktemplate\",\"params\":[{\"rules\":[\"segwit\"],"
                           "\"longpollid\":\"%s\"}],\"id\":1}",
                           id);
    rpc_rig_post(&f->rig, body, answer);
    xfree(body);
}

TEST(long_polls_end_with_a_new_tip, struct fixture *f)
{
    char id[100];
    struct rpc_rig_answer answer;
    snprintf(id, sizeof id, "%s0", rpc_rig_id(&f->rig, f->tip));
    start_long_poll(f, id, &answer);
    rpc_rig_run_for(&f->rig, 50000000);
    assert_false(answer.is_done);
    rpc_rig_grow(&f->rig, builder_block(&f->rig.builder, f->tip, NULL));
    rpc_rig_wait(&f->rig, &answer);
    assert_holds(answer.body, "\"height\":105");
    rpc_rig_forget(&answer);
    /* What is old already is answered at once. */
    start_long_poll(f, id, &answer);
    assert_true(answer.is_done);
    rpc_rig_forget(&answer);
}

TEST(long_polls_end_with_new_transactions_after_a_while, struct fixture *f)
{
    char id[100];
    struct rpc_rig_answer answer;
    snprintf(id, sizeof id, "%s0", rpc_rig_id(&f->rig, f->tip));
    start_long_poll(f, id, &answer);
    rpc_rig_run_for(&f->rig, 61000000);
    assert_false(answer.is_done);
    send(f, &f->coin[0], 5000);
    rpc_rig_run_for(&f->rig, 10000000);
    assert_true(answer.is_done);
    assert_holds(answer.body, "\"depends\":[]");
    rpc_rig_forget(&answer);
}

TEST(long_polls_end_when_the_node_does, struct fixture *f)
{
    struct rpc_rig_answer answer;
    char id[65];
    snprintf(id, sizeof id, "%s", rpc_rig_id(&f->rig, f->tip));
    start_long_poll(f, id, &answer);
    assert_false(answer.is_done);
    rpc_interrupt(f->rig.rpc);
    rpc_rig_wait(&f->rig, &answer);
    assert_holds(answer.body, "\"code\":-9,\"message\":\"Shutting down\"");
    rpc_rig_forget(&answer);
}

TEST(a_long_poll_names_what_it_has_seen, struct fixture *f)
{
    struct rpc_rig_answer answer;
    assert_call(&f->rig, "getblocktemplate", "[{\"rules\":[\"segwit\"],\"longpollid\":\"abc\"}]",
                "-8: longpollid must be of length 64 (not 3, for 'abc')");
    assert_call(&f->rig, "getblocktemplate",
                "[{\"rules\":[\"segwit\"],\"longpollid\":\"zz00000000000000000000000000000000"
                "0000000000000000000000000000007\"}]",
                "-8: longpollid must be hexadecimal string (not 'zz00000000000000000000000000000000"
                "000000000000000000000000000000')");
    /* No tip of ours: answered at once. */
    start_long_poll(f, "00000000000000000000000000000000000000000000000000000000000000000",
                    &answer);
    assert_true(answer.is_done);
    rpc_rig_forget(&answer);
    /* What is no text waits for the next change. */
    rpc_rig_post(&f->rig,
                 "{\"method\":\"getblocktemplate\",\"params\":[{\"rules\":[\"segwit\"],"
                 "\"longpollid\":true}],\"id\":1}",
                 &answer);
    rpc_rig_run_for(&f->rig, 61000000);
    assert_false(answer.is_done);
    send(f, &f->coin[0], 5000);
    rpc_rig_run_for(&f->rig, 10000000);
    assert_true(answer.is_done);
    rpc_rig_forget(&answer);
}

/* -- Proposals ---------------------------------------------------------------------------- */

static const char *propose(struct fixture *f, struct span raw)
{
    char *hex = xmalloc(2 * raw.len + 1);
    hex_encode(hex, raw);
    const char *got = rpc_rig_callf(&f->rig, "getblocktemplate",
                                    "[{\"mode\":\"proposal\",\"data\":\"%s\"}]", hex);
    xfree(hex);
    return got;
}

TEST(proposals_are_judged, struct fixture *f)
{
    struct builder_spec greedy = {.extra_sat = 1};
    const struct built_block *good = builder_block(&f->rig.builder, f->tip, NULL);
    const struct built_block *bad = builder_block(&f->rig.builder, f->tip, &greedy);
    const struct built_block *late = builder_block(&f->rig.builder, good, NULL);
    assert_string_equal(propose(f, good->block.raw), "null");
    assert_string_equal(propose(f, bad->block.raw), "\"bad-cb-amount\"");
    assert_string_equal(propose(f, late->block.raw), "\"inconclusive-not-best-prevblk\"");
    assert_string_equal(propose(f, f->tip->block.raw), "\"duplicate\"");
    assert_string_equal(propose(f, span_of("x", 1)), "-22: Block decode failed");
    assert_call(&f->rig, "getblocktemplate", "[{\"mode\":\"proposal\"}]",
                "-3: Missing data String key for proposal");
    assert_call(&f->rig, "getblockcount", "[]", "103");
}

/* -- Mining ------------------------------------------------------------------------------- */

TEST(generated_blocks_hold_what_waits, struct fixture *f)
{
    char txid[65];
    struct tx a = send(f, &f->coin[0], 5000), b = send(f, &f->coin[1], 5000);
    hex_encode_reversed(txid, span_of(b.txid.b, 32));
    /* One by its id only, then all that is left. */
    rpc_rig_callf(&f->rig, "generateblock", "[\"raw(51)\",[\"%s\"]]", txid);
    assert_int_equal(mempool_count(f->rig.mempool), 1);
    assert_non_null(mempool_find(f->rig.mempool, &a.txid));
    assert_starts(rpc_rig_call(&f->rig, "generatetodescriptor", "[1,\"raw(51)\"]"), "[\"");
    assert_int_equal(mempool_count(f->rig.mempool), 0);
    assert_call(&f->rig, "getblockcount", "[]", "105");
    assert_starts(rpc_rig_callf(&f->rig, "generateblock", "[\"raw(51)\",[\"%s\"]]", txid),
                  "-5: Transaction ");
}

/* CVE-2012-2459: the merkle tree of such a block is that of another one, too. */
TEST(a_transaction_cannot_be_mined_twice, struct fixture *f)
{
    char one[65], two[65];
    struct tx a = send(f, &f->coin[0], 5000), b = send(f, &f->coin[1], 5000);
    hex_encode_reversed(one, span_of(a.txid.b, 32));
    hex_encode_reversed(two, span_of(b.txid.b, 32));
    assert_string_equal(rpc_rig_callf(&f->rig, "generateblock",
                                      "[\"raw(51)\",[\"%s\",\"%s\",\"%s\"]]", one, two, two),
                        "-25: TestBlockValidity failed: bad-txns-duplicate, duplicate transaction");
    assert_call(&f->rig, "getblockcount", "[]", "103");
}

TEST(priorities_are_set_and_listed, struct fixture *f)
{
    char txid[65], want[300];
    struct tx tx = send(f, &f->coin[0], 5000);
    hex_encode_reversed(txid, span_of(tx.txid.b, 32));
    assert_string_equal(rpc_rig_callf(&f->rig, "prioritisetransaction", "[\"%s\",0,123]", txid),
                        "true");
    snprintf(want, sizeof want,
             "{\"%s\":{\"fee_delta\":123,\"in_mempool\":true,\"modified_fee\":5123}}", txid);
    assert_call(&f->rig, "getprioritisedtransactions", "[]", want);
    assert_string_equal(
        rpc_rig_callf(&f->rig, "prioritisetransaction", "[\"%s\",1,123]", txid),
        "-8: Priority is no longer supported, dummy argument to prioritisetransaction must be 0.");
    rpc_rig_callf(&f->rig, "prioritisetransaction", "[\"%s\",null,-123]", txid);
    assert_call(&f->rig, "getprioritisedtransactions", "[]", "{}");
}

TEST(the_hash_rate_is_of_the_blocks_asked_for, struct fixture *f)
{
    /* Two hashes a block, one block a minute. */
    assert_starts(rpc_rig_call(&f->rig, "getnetworkhashps", "[50]"), "0.03333333");
    assert_starts(rpc_rig_call(&f->rig, "getnetworkhashps", "[1,50]"), "0.03333333");
    assert_call(&f->rig, "getnetworkhashps", "[5,0]", "0");
    assert_call(&f->rig, "getnetworkhashps", "[0]",
                "-8: Invalid nblocks. Must be a positive number or -1.");
    assert_call(&f->rig, "getnetworkhashps", "[-2]",
                "-8: Invalid nblocks. Must be a positive number or -1.");
    assert_call(&f->rig, "getnetworkhashps", "[5,104]",
                "-8: Block does not exist at specified height");
    assert_call(&f->rig, "getnetworkhashps", "[5,-2]",
                "-8: Block does not exist at specified height");
}
