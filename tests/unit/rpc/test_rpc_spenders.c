/* test_rpc_spenders.c - gettxspendingprevout: in the mempool, in the chain, and neither. */
#include "pool_fixture.h"
#include "rpc/methods.h"
#include "util/alloc.h"

#define UNKNOWN "00000000000000000000000000000000000000000000000000000000000000aa"

/* A parent that spends the first coinbase, and a child: neither is anywhere yet. */
static struct fixture *set_up(bool with_index)
{
    const struct chain_options options = {.spender_index = with_index};
    struct fixture *f = fixture_new(1, &options);
    make_family(f);
    hex_encode_reversed(f->id, span_of(f->coin[0].outpoint.txid.b, 32));
    return f;
}

static void tear_down(struct fixture *f)
{
    void *state = f;
    teardown(&state);
}

TEST(the_mempool_is_looked_at_first)
{
    struct fixture *f = set_up(false);
    char want[600];
    add(f, &f->parent, 0);
    add(f, &f->child, 0);
    snprintf(want, sizeof want,
             "[{\"txid\":\"%s\",\"vout\":0,\"spendingtxid\":\"%s\"},{\"txid\":\"%s\",\"vout\":0,"
             "\"spendingtxid\":\"%s\"},{\"txid\":\"%s\",\"vout\":1}]",
             f->id, f->parent_id, f->parent_id, f->child_id, f->parent_id);
    assert_string_equal(rpc_rig_callf(&f->rig, "gettxspendingprevout",
                                      "[[{\"txid\":\"%s\",\"vout\":0},{\"txid\":\"%s\",\"vout\":0},"
                                      "{\"txid\":\"%s\",\"vout\":1}]]",
                                      f->id, f->parent_id, f->parent_id),
                        want);
    char *hex = xmalloc(2 * f->child.raw.len + 1);
    hex_encode(hex, f->child.raw);
    char *with_tx = xasprintf("[{\"txid\":\"%s\",\"vout\":0,\"spendingtxid\":\"%s\","
                              "\"spendingtx\":\"%s\"}]",
                              f->parent_id, f->child_id, hex);
    assert_string_equal(rpc_rig_callf(&f->rig, "gettxspendingprevout",
                                      "{\"outputs\":[{\"txid\":\"%s\",\"vout\":0}],"
                                      "\"return_spending_tx\":true}",
                                      f->parent_id),
                        with_tx);
    xfree(with_tx);
    xfree(hex);
    tear_down(f);
}

TEST(without_the_index_the_chain_is_not_known)
{
    struct fixture *f = set_up(false);
    char want[200];
    snprintf(want, sizeof want, "[{\"txid\":\"%s\",\"vout\":0}]", f->id);
    assert_string_equal(
        rpc_rig_callf(&f->rig, "gettxspendingprevout", "[[{\"txid\":\"%s\",\"vout\":0}]]", f->id),
        want);
    assert_string_equal(rpc_rig_callf(&f->rig, "gettxspendingprevout",
                                      "[[{\"txid\":\"%s\",\"vout\":0}],{\"mempool_only\":false}]",
                                      f->id),
                        "-1: Mempool lacks a relevant spend, and txospenderindex is unavailable.");
    /* Unless there is nothing that the chain would have to be asked for. */
    add(f, &f->parent, 0);
    assert_starts(rpc_rig_callf(&f->rig, "gettxspendingprevout",
                                "[[{\"txid\":\"%s\",\"vout\":0}],{\"mempool_only\":false}]", f->id),
                  "[{\"txid\":");
    tear_down(f);
}

TEST(the_index_tells_the_block)
{
    struct fixture *f = set_up(true);
    char want[600];
    struct builder_spec spec = {.tx = &f->parent, .n_tx = 1};
    const struct built_block *block = builder_block(&f->rig.builder, f->tip, &spec);
    rpc_rig_grow(&f->rig, block);
    add(f, &f->child, 0);
    /* The chain's, the mempool's, nobody's: in the order of the question. */
    snprintf(want, sizeof want,
             "[{\"txid\":\"%s\",\"vout\":0,\"spendingtxid\":\"%s\",\"blockhash\":\"%s\"},"
             "{\"txid\":\"%s\",\"vout\":0,\"spendingtxid\":\"%s\"},{\"txid\":\"%s\",\"vout\":1}]",
             f->id, f->parent_id, rpc_rig_id(&f->rig, block), f->parent_id, f->child_id,
             f->parent_id);
    assert_string_equal(rpc_rig_callf(&f->rig, "gettxspendingprevout",
                                      "[[{\"txid\":\"%s\",\"vout\":0},{\"txid\":\"%s\",\"vout\":0},"
                                      "{\"txid\":\"%s\",\"vout\":1}]]",
                                      f->id, f->parent_id, f->parent_id),
                        want);
    snprintf(want, sizeof want, "[{\"txid\":\"%s\",\"vout\":0}]", f->id);
    assert_string_equal(rpc_rig_callf(&f->rig, "gettxspendingprevout",
                                      "{\"outputs\":[{\"txid\":\"%s\",\"vout\":0}],"
                                      "\"mempool_only\":true}",
                                      f->id),
                        want);
    assert_call(&f->rig, "getindexinfo", "[]",
                "{\"txospenderindex\":{\"synced\":true,\"best_block_height\":102}}");
    tear_down(f);
}

TEST(outputs_are_checked)
{
    struct fixture *f = set_up(false);
    static const struct {
        const char *params, *want;
    } cases[] = {
        {"[[]]", "-8: Invalid parameter, outputs are missing"},
        {"[[1]]", "-3: JSON value of type number is not of expected type object"},
        {"[[{\"txid\":\"" UNKNOWN "\"}]]", "-3: Missing vout"},
        {"[[{\"vout\":1}]]", "-3: Missing txid"},
        {"[[{\"txid\":42,\"vout\":0}]]",
         "-3: JSON value of type number for field txid is not of expected type string"},
        {"[[{\"txid\":\"" UNKNOWN "\",\"vout\":null}]]",
         "-3: JSON value of type null for field vout is not of expected type number"},
        {"[[{\"txid\":\"" UNKNOWN "\",\"vout\":-1}]]",
         "-8: Invalid parameter, vout cannot be negative"},
        {"[[{\"txid\":\"" UNKNOWN "\",\"vout\":2147483648}]]", "-1: JSON integer out of range"},
        {"[[{\"txid\":\"" UNKNOWN "\",\"vout\":1,\"x\":1}]]", "-3: Unexpected key x"},
        {"[[{\"txid\":\"aa\",\"vout\":1}]]", "-8: txid must be of length 64 (not 2, for 'aa')"},
        {"[[{\"txid\":\"" UNKNOWN "\",\"vout\":1}],{\"x\":1}]", "-3: Unexpected key x"},
        {"{\"outputs\":[],\"mempool_only\":true,\"mempool_only\":true}",
         "-8: Parameter mempool_only specified multiple times"},
        {"{\"outputs\":[],\"mempool_only\":true,\"options\":{}}",
         "-8: Parameter options conflicts with parameter mempool_only"},
        {"[[{\"txid\":\"" UNKNOWN "\",\"vout\":2147483647}]]",
         "[{\"txid\":\"" UNKNOWN "\",\"vout\":2147483647}]"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_call(&f->rig, "gettxspendingprevout", cases[i].params, cases[i].want);
    tear_down(f);
}
