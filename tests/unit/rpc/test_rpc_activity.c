/* test_rpc_activity.c - getdescriptoractivity: what it finds, in which order, and how it refuses.
 */
#include "pool_fixture.h"
#include "rpc/methods.h"
#include "util/alloc.h"

#define WSH_TRUE "raw(00204ae81572f06e1b88fd5ced7a1a000945432e83e1551e6f721ee9c00b8cc33260)"

static int setup(void **state)
{
    *state = fixture_new(2, NULL);
    return 0;
}

FIXTURE(setup, teardown)

/* A block on the tip with these transactions. */
static const struct built_block *mine(struct fixture *f, const struct tx *tx, uint32_t n)
{
    struct builder_spec spec = {.tx = tx, .n_tx = n};
    f->tip = builder_block(&f->rig.builder, f->tip, &spec);
    rpc_rig_grow(&f->rig, f->tip);
    return f->tip;
}

/* Where what begins with head goes on behind at; fails the test if that is nowhere. */
static const char *after(const char *at, const char *head)
{
    const char *found = strstr(at, head);
    if (!found)
        fail_msg("not behind here: %s\nin: %s", head, at);
    return found + strlen(head);
}

TEST(what_is_paid_and_spent_is_told_in_the_order_of_the_chain, struct fixture *f)
{
    char want[400], first[65], last[65];
    make_family(f);
    strcpy(first, rpc_rig_id(&f->rig, built_ancestor(f->tip, 1)));
    struct tx both[] = {f->parent, f->child};
    strcpy(last, rpc_rig_id(&f->rig, mine(f, both, 2)));
    /* Asked for in another order, and one of them twice. */
    const char *got =
        rpc_rig_callf(&f->rig, "getdescriptoractivity",
                      "[[\"%s\",\"%s\",\"%s\"],[\"" WSH_TRUE "\"]]", last, first, last);
    snprintf(want, sizeof want,
             "{\"activity\":[{\"type\":\"receive\",\"amount\":50.00000000,\"blockhash\":\"%s\","
             "\"height\":1,\"txid\":\"",
             first);
    assert_starts(got, want);
    const char *at = after(got, "\"vout\":0,\"output_spk\":{\"asm\":\"0 4ae8");
    at = after(at, "\"desc\":\"addr(");
    at = after(at, "\"hex\":\"0020");
    at = after(at, "\"address\":\"bcrt1");
    at = after(at, "\"type\":\"witness_v0_scripthash\"}},{\"type\":\"spend\",\"amount\":50.0");
    snprintf(want, sizeof want,
             "\"blockhash\":\"%s\",\"height\":103,\"spend_txid\":\"%s\",\"spend_vin\":0,"
             "\"prevout_txid\":\"",
             last, f->parent_id);
    at = after(at, want);
    at = after(at, "\"prevout_vout\":0,\"prevout_spk\":{\"asm\":\"0 4ae8");
    /* The parent's outputs, then the child, which spends the first of them in the same block. */
    snprintf(want, sizeof want, "\"height\":103,\"txid\":\"%s\",\"vout\":0,", f->parent_id);
    at = after(at, want);
    snprintf(want, sizeof want, "\"height\":103,\"txid\":\"%s\",\"vout\":1,", f->parent_id);
    at = after(at, want);
    snprintf(want, sizeof want,
             "\"height\":103,\"spend_txid\":\"%s\",\"spend_vin\":0,\"prevout_txid\":\"%s\","
             "\"prevout_vout\":0,",
             f->child_id, f->parent_id);
    at = after(at, want);
    snprintf(want, sizeof want, "\"height\":103,\"txid\":\"%s\",\"vout\":0,", f->child_id);
    at = after(at, want);
    at = after(at, "}}]}");
    assert_string_equal(at, "");
}

TEST(what_waits_is_told_without_a_block, struct fixture *f)
{
    char want[400];
    make_family(f);
    add(f, &f->parent, 0);
    add(f, &f->child, 0);
    const char *got =
        rpc_rig_call(&f->rig, "getdescriptoractivity", "[[],[\"" WSH_TRUE "\"],true]");
    snprintf(want, sizeof want,
             "{\"activity\":[{\"type\":\"spend\",\"amount\":50.00000000,\"spend_txid\":\"%s\",",
             f->parent_id);
    assert_starts(got, want);
    snprintf(want, sizeof want, "\"spend_txid\":\"%s\",\"spend_vin\":0,\"prevout_txid\":\"%s\",",
             f->child_id, f->parent_id);
    const char *at = after(got, want);
    snprintf(want, sizeof want, ",\"txid\":\"%s\",\"vout\":0,\"output_spk\":{", f->child_id);
    at = after(at, want);
    assert_null(strstr(got, "height"));
    assert_string_equal(
        rpc_rig_call(&f->rig, "getdescriptoractivity", "[[],[\"" WSH_TRUE "\"],false]"),
        "{\"activity\":[]}");
    assert_string_equal(rpc_rig_call(&f->rig, "getdescriptoractivity", "[[],[\"raw(6a)\"]]"),
                        "{\"activity\":[]}");
    assert_string_equal(rpc_rig_call(&f->rig, "getdescriptoractivity", "[[],[]]"),
                        "{\"activity\":[]}");
}

/* More than one turn looks at. */
TEST(all_that_waits_is_told, struct fixture *f)
{
    enum { N = 1100 };
    struct tx wide = spend_coin(f, f->coin[0], N, 100000);
    struct builder_coin coins[N];
    mine(f, &wide, 1);
    for (uint32_t i = 0; i < N; i++)
        coins[i] = builder_coin_of(&wide, i, BUILDER_WSH_TRUE);
    struct tx many = builder_spend(&f->rig.builder, coins, N - 1, 1, 100000, BUILDER_WSH_TRUE);
    struct tx last = spend_coin(f, coins[N - 1], 1, 10000);
    add(f, &many, 0);
    add(f, &last, 0);
    const char *at = rpc_rig_call(&f->rig, "getdescriptoractivity", "[[],[\"" WSH_TRUE "\"]]");
    size_t n = 0;
    for (; (at = strstr(at, "\"spend\"")); at++)
        n++;
    assert_int_equal(n, N);
}

TEST(a_client_that_goes_ends_its_call, struct fixture *f)
{
    char body[300];
    struct rpc_rig_answer answer;
    snprintf(body, sizeof body,
             "{\"method\":\"getdescriptoractivity\",\"params\":[[\"%s\"],[\"raw(51)\"]],\"id\":1}",
             rpc_rig_id(&f->rig, f->tip));
    uint64_t token = rpc_rig_post(&f->rig, body, &answer);
    rpc_cancel(f->rig.rpc, token);
    rpc_rig_run_for(&f->rig, 1000000);
    assert_false(answer.is_done); /* and nothing leaks, says the build with ASan */
}

/* Asks for what the script 51 did in these blocks. Returns the body, freed with xfree(). */
static char *ask_for(struct fixture *f, const char *blocks)
{
    char *body = xasprintf(
        "{\"method\":\"getdescriptoractivity\",\"params\":[[%s],[\"raw(51)\"]],\"id\":1}", blocks);
    struct rpc_rig_answer answer;
    rpc_rig_post(&f->rig, body, &answer);
    rpc_rig_wait(&f->rig, &answer);
    xfree(body);
    return answer.body;
}

TEST(an_answer_has_a_limit, struct fixture *f)
{
    enum { LIMIT = 200000, N = 90000 };
    char blocks[300] = "";
    struct tx tx[3];
    for (size_t i = 0; i < 2; i++)
        tx[i] = builder_spend(&f->rig.builder, &f->coin[i], 1, N, 0, BUILDER_TRUE);
    /* Each block has a coinbase that pays the script, and this transaction spends from it. */
    struct builder_coin coin = builder_coin_of(&tx[0], 0, BUILDER_TRUE);
    tx[2] = builder_spend(&f->rig.builder, &coin, 1, LIMIT - 2 * (N + 1) - 2, 0, BUILDER_TRUE);
    for (size_t i = 0; i < 3; i++) {
        size_t len = strlen(blocks);
        snprintf(blocks + len, sizeof blocks - len, "%s\"%s\"", i ? "," : "",
                 rpc_rig_id(&f->rig, mine(f, &tx[i], 1)));
    }
    char *body = ask_for(f, blocks);
    size_t n = 0;
    for (const char *at = body; *at; at++) /* ASan's strstr() reads all that is left, each time */
        n += *at == '"' && strncmp(at, "\"amount\"", 8) == 0;
    assert_int_equal(n, LIMIT);
    xfree(body);
    size_t len = strlen(blocks);
    snprintf(blocks + len, sizeof blocks - len, ",\"%s\"", rpc_rig_id(&f->rig, mine(f, NULL, 0)));
    body = ask_for(f, blocks);
    assert_starts(body, "{\"result\":null,\"error\":{\"code\":-8,\"message\":\"More than 200000 "
                        "events: ask for fewer blocks\"}");
    xfree(body);
}

TEST(the_question_is_checked, struct fixture *f)
{
    struct rpc_rig *rig = &f->rig;
    const struct built_block *side = builder_block(&rig->builder, f->tip->prev, NULL);
    (void)rig_accept(&rig->chain, side);
    assert_call(rig, "getdescriptoractivity",
                "[[\"00000000000000000000000000000000000000000000000000000000000000aa\"],[]]",
                "-5: Block not found");
    assert_starts(rpc_rig_call(rig, "getdescriptoractivity", "[[\"aa\"],[]]"),
                  "-8: blockhash must be of length 64");
    assert_starts(
        rpc_rig_callf(rig, "getdescriptoractivity", "[[\"%s\"],[]]", rpc_rig_id(rig, side)),
        "-8: Block is not in main chain");
    assert_call(rig, "getdescriptoractivity", "[[],[\"raw(zz)\"]]", "-5: Raw script is not hex");
    assert_starts(rpc_rig_call(rig, "getdescriptoractivity", "[]"), "-1: getdescriptoractivity");
    assert_starts(rpc_rig_call(rig, "getdescriptoractivity", "[[]]"), "-1: getdescriptoractivity");
    rig->node.mempool = NULL;
    assert_starts(rpc_rig_call(rig, "getdescriptoractivity", "[[],[]]"), "-33: Mempool disabled");
    assert_call(rig, "getdescriptoractivity", "[[],[],false]", "{\"activity\":[]}");
    rig->node.mempool = rig->mempool;
}
