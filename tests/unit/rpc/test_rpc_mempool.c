/* test_rpc_mempool.c - methods that look into the mempool. */
#include "pool_fixture.h"
#include "rpc/methods.h"
#include "util/alloc.h"

#define UNKNOWN "00000000000000000000000000000000000000000000000000000000000000aa"

static int setup(void **state)
{
    struct fixture *f = fixture_new(1, NULL);
    make_family(f);
    *state = f;
    return 0;
}

FIXTURE(setup, teardown)

TEST(an_empty_mempool_is_described, struct fixture *f)
{
    assert_call(&f->rig, "getrawmempool", "[]", "[]");
    assert_call(&f->rig, "getrawmempool", "[true]", "{}");
    assert_call(&f->rig, "getrawmempool", "[false,true]", "{\"txids\":[],\"mempool_sequence\":1}");
    assert_call(&f->rig, "getrawmempool", "[true,true]",
                "-8: Verbose results cannot contain mempool sequence values.");
    assert_call(&f->rig, "getmempoolinfo", "[]",
                "{\"loaded\":true,\"size\":0,\"bytes\":0,\"usage\":0,\"total_fee\":0.00000000,"
                "\"maxmempool\":300000000,\"mempoolminfee\":0.00000100,"
                "\"minrelaytxfee\":0.00000100,\"incrementalrelayfee\":0.00000100,"
                "\"unbroadcastcount\":0,\"fullrbf\":true,\"permitbaremultisig\":true,"
                "\"maxdatacarriersize\":100000,\"limitclustercount\":64,"
                "\"limitclustersize\":101000,\"optimal\":true}");
}

TEST(entries_are_listed, struct fixture *f)
{
    char want[300];
    add(f, &f->parent, 0);
    add(f, &f->child, MEMPOOL_LOCAL);
    snprintf(want, sizeof want, "[\"%s\",\"%s\"]", f->parent_id, f->child_id);
    assert_call(&f->rig, "getrawmempool", "[]", want);
    snprintf(want, sizeof want, "{\"txids\":[\"%s\",\"%s\"],\"mempool_sequence\":3}", f->parent_id,
             f->child_id);
    assert_call(&f->rig, "getrawmempool", "[false,true]", want);
    const char *got = rpc_rig_call(&f->rig, "getmempoolinfo", "[]");
    assert_holds(got, "\"size\":2,");
    assert_holds(got, "\"total_fee\":0.00051000,");
    assert_holds(got, "\"unbroadcastcount\":1,");
    got = rpc_rig_call(&f->rig, "getrawmempool", "[true]");
    snprintf(want, sizeof want, "\"%s\":{\"vsize_adjusted\":", f->child_id);
    assert_holds(got, want);
}

/* That of the next event. Core counts every entry that comes or goes, whatever the reason, also
 * into a block, which no client is told of one by one; what is sent again changes nothing. */
TEST(the_sequence_counts_all_that_comes_and_goes, struct fixture *f)
{
    static const char params[] = "[false,true]";
    assert_holds(rpc_rig_call(&f->rig, "getrawmempool", params), "\"mempool_sequence\":1}");
    add(f, &f->parent, 0);
    add(f, &f->child, 0);
    assert_holds(rpc_rig_call(&f->rig, "getrawmempool", params), "\"mempool_sequence\":3}");
    add(f, &f->child, MEMPOOL_LOCAL);
    assert_holds(rpc_rig_call(&f->rig, "getrawmempool", params), "\"mempool_sequence\":3}");
    /* One leaves into a block, one because of it. */
    struct builder_coin coin = builder_coin_of(&f->parent, 0, BUILDER_WSH_TRUE);
    struct tx txs[2] = {f->parent};
    txs[1] = builder_spend(&f->rig.builder, &coin, 1, 2, 70000, BUILDER_WSH_TRUE);
    struct builder_spec spec = {.tx = txs, .n_tx = 2};
    rpc_rig_grow(&f->rig, builder_block(&f->rig.builder, f->tip, &spec));
    assert_call(&f->rig, "getrawmempool", params, "{\"txids\":[],\"mempool_sequence\":5}");
}

/* What pays better comes first, whenever it came, and after what it spends. */
TEST(lists_are_in_the_order_of_mining, struct fixture *f)
{
    char want[300], at[70];
    struct builder_coin coin = builder_coin_of(&f->parent, 1, BUILDER_WSH_TRUE);
    struct tx better = builder_spend(&f->rig.builder, &coin, 1, 1, 90000, BUILDER_WSH_TRUE);
    struct builder_spec spec = {.tx = &f->parent, .n_tx = 1};
    rpc_rig_grow(&f->rig, builder_block(&f->rig.builder, f->tip, &spec));
    add(f, &f->child, 0);
    add(f, &better, 0);
    char better_id[65];
    hex_encode_reversed(better_id, span_of(better.txid.b, 32));
    snprintf(want, sizeof want, "[\"%s\",\"%s\"]", better_id, f->child_id);
    assert_call(&f->rig, "getrawmempool", "[]", want);
    snprintf(at, sizeof at, "{\"%s\":", better_id);
    assert_starts(rpc_rig_call(&f->rig, "getrawmempool", "[true]"), at);
    mempool_prioritise(f->rig.mempool, &f->child.txid, 900000);
    snprintf(want, sizeof want, "[\"%s\",\"%s\"]", f->child_id, better_id);
    assert_call(&f->rig, "getrawmempool", "[]", want);
}

/* A long list takes several turns; it is whole all the same. */
TEST(long_lists_are_written_slice_by_slice, struct fixture *f)
{
    enum { FAN = 60, FANS = 12 };
    struct builder_coin coin = builder_coin_of(&f->parent, 1, BUILDER_WSH_TRUE);
    struct tx root = builder_spend(&f->rig.builder, &coin, 1, FANS, 90000, BUILDER_WSH_TRUE);
    struct tx txs[2] = {f->parent, root};
    struct builder_spec spec = {.tx = txs, .n_tx = 2};
    rpc_rig_grow(&f->rig, builder_block(&f->rig.builder, f->tip, &spec));
    for (uint32_t i = 0; i < FANS; i++) {
        coin = builder_coin_of(&root, i, BUILDER_WSH_TRUE);
        struct tx fan = builder_spend(&f->rig.builder, &coin, 1, FAN, 90000, BUILDER_WSH_TRUE);
        add(f, &fan, 0);
        for (uint32_t k = 0; k < FAN; k++) {
            coin = builder_coin_of(&fan, k, BUILDER_WSH_TRUE);
            struct tx tx = builder_spend(&f->rig.builder, &coin, 1, 1, 5000, BUILDER_WSH_TRUE);
            add(f, &tx, 0);
        }
    }
    const char *got = rpc_rig_call(&f->rig, "getrawmempool", "[true]");
    size_t n = 0;
    for (const char *at = got; (at = strstr(at, "\"wtxid\"")); at++)
        n++;
    assert_int_equal(n, FANS * (FAN + 1));
    assert_int_equal(got[strlen(got) - 1], '}');
}

TEST(an_entry_tells_sizes_fees_and_relatives, struct fixture *f)
{
    char want[1000], wtxid[65];
    add(f, &f->parent, 0);
    add(f, &f->child, MEMPOOL_LOCAL);
    uint32_t parent_vb = (tx_weight_wu(&f->parent) + 3) / 4;
    uint32_t child_vb = (tx_weight_wu(&f->child) + 3) / 4;
    int64_t time_s = mempool_find(f->rig.mempool, &f->child.txid)->time_s;
    hex_encode_reversed(wtxid, span_of(f->child.wtxid.b, 32));
    snprintf(want, sizeof want,
             "{\"vsize_adjusted\":%u,\"vsize\":%u,\"vsize_bip141\":%u,\"weight\":%u,\"time\":%lld,"
             "\"height\":101,\"descendantcount\":1,"
             "\"descendantsize\":%u,\"ancestorcount\":2,\"ancestorsize\":%u,\"wtxid\":\"%s\","
             "\"chunkweight\":%u,\"fees\":{\"base\":0.00050000,\"modified\":0.00050000,"
             "\"ancestor\":0.00051000,\"descendant\":0.00050000,\"chunk\":0.00051000},"
             "\"depends\":[\"%s\"],\"spentby\":[],\"bip125-replaceable\":false,"
             "\"unbroadcast\":true}",
             child_vb, child_vb, child_vb, tx_weight_wu(&f->child), (long long)time_s, child_vb,
             parent_vb + child_vb, wtxid, tx_weight_wu(&f->parent) + tx_weight_wu(&f->child),
             f->parent_id);
    assert_string_equal(rpc_rig_callf(&f->rig, "getmempoolentry", "[\"%s\"]", f->child_id), want);
    const char *got = rpc_rig_callf(&f->rig, "getmempoolentry", "[\"%s\"]", f->parent_id);
    snprintf(want, sizeof want, "\"depends\":[],\"spentby\":[\"%s\"]", f->child_id);
    assert_holds(got, want);
    assert_holds(got, "\"descendantcount\":2,");
    assert_holds(got, "\"ancestorcount\":1,");
}

TEST(deltas_show_in_modified_fees, struct fixture *f)
{
    add(f, &f->parent, 0);
    mempool_prioritise(f->rig.mempool, &f->parent.txid, 23);
    const char *got = rpc_rig_callf(&f->rig, "getmempoolentry", "[\"%s\"]", f->parent_id);
    assert_holds(got, "\"base\":0.00001000,\"modified\":0.00001023,");
}

TEST(relatives_are_listed, struct fixture *f)
{
    char want[200];
    add(f, &f->parent, 0);
    add(f, &f->child, 0);
    snprintf(want, sizeof want, "[\"%s\"]", f->parent_id);
    assert_string_equal(rpc_rig_callf(&f->rig, "getmempoolancestors", "[\"%s\"]", f->child_id),
                        want);
    snprintf(want, sizeof want, "[\"%s\"]", f->child_id);
    assert_string_equal(rpc_rig_callf(&f->rig, "getmempooldescendants", "[\"%s\"]", f->parent_id),
                        want);
    assert_string_equal(rpc_rig_callf(&f->rig, "getmempoolancestors", "[\"%s\"]", f->parent_id),
                        "[]");
    const char *got =
        rpc_rig_callf(&f->rig, "getmempooldescendants", "[\"%s\",true]", f->parent_id);
    snprintf(want, sizeof want, "{\"%s\":{\"vsize_adjusted\":", f->child_id);
    assert_starts(got, want);
}

TEST(outputs_and_transactions_that_wait_can_be_asked_for, struct fixture *f)
{
    char hex[1000], want[1100];
    const char *got = rpc_rig_callf(&f->rig, "gettxout", "[\"%s\",0]", f->parent_id);
    assert_string_equal(got, "null");
    add(f, &f->parent, 0);
    got = rpc_rig_callf(&f->rig, "gettxout", "[\"%s\",0]", f->parent_id);
    assert_holds(got, "\"confirmations\":0,\"value\":24.99999500,");
    assert_holds(got, "\"coinbase\":false}");
    got = rpc_rig_callf(&f->rig, "gettxout", "[\"%s\",2]", f->parent_id);
    assert_string_equal(got, "null");
    got = rpc_rig_callf(&f->rig, "gettxout", "[\"%s\",0,false]", f->parent_id);
    assert_string_equal(got, "null");
    add(f, &f->child, 0);
    got = rpc_rig_callf(&f->rig, "gettxout", "[\"%s\",0]", f->parent_id);
    assert_string_equal(got, "null");
    hex_encode(hex, f->child.raw);
    snprintf(want, sizeof want, "\"%s\"", hex);
    got = rpc_rig_callf(&f->rig, "getrawtransaction", "[\"%s\"]", f->child_id);
    assert_string_equal(got, want);
    got = rpc_rig_callf(&f->rig, "getrawtransaction", "[\"%s\",1]", f->child_id);
    snprintf(want, sizeof want, "{\"txid\":\"%s\"", f->child_id);
    assert_starts(got, want);
    snprintf(want, sizeof want, "\"hex\":\"%s\",\"vsize_adjusted\":%u}", hex, tx_vbytes(&f->child));
    assert_holds(got, want); /* no block, no confirmations */
}

TEST(unknown_transactions_are_refused, struct fixture *f)
{
    static const char *const methods[] = {"getmempoolentry", "getmempoolancestors",
                                          "getmempooldescendants"};
    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        assert_call(&f->rig, methods[i], "[\"" UNKNOWN "\"]", "-5: Transaction not in mempool");
        assert_starts(rpc_rig_call(&f->rig, methods[i], "[\"00\"]"), "-8: txid must be of length");
    }
}

TEST(without_a_mempool_nothing_is_known)
{
    static const char *const calls[][2] = {
        {"getrawmempool", "[]"},
        {"getmempoolinfo", "[]"},
        {"getmempoolentry", "[\"" UNKNOWN "\"]"},
        {"sendrawtransaction", "[\"00\"]"},
        {"testmempoolaccept", "[[\"00\"]]"},
        {"getblocktemplate", "[{\"rules\":[\"segwit\"]}]"},
        {"prioritisetransaction", "[\"" UNKNOWN "\",0,1]"},
        {"getprioritisedtransactions", "[]"},
    };
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    for (size_t i = 0; i < COUNT_OF(calls); i++)
        assert_call(&rig, calls[i][0], calls[i][1], "-33: Mempool disabled or instance not found");
    rpc_rig_deinit(&rig);
}
