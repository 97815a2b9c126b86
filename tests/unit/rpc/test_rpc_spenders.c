/* test_rpc_spenders.c - gettxspendingprevout: in the mempool, in the chain, and neither. */
#include "rpc/methods.h"
#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/hex.h"

#define UNKNOWN "00000000000000000000000000000000000000000000000000000000000000aa"

struct fixture {
    struct rpc_rig rig;
    const struct built_block *tip;
    struct tx parent, child;
    char first_id[65], parent_id[65], child_id[65];
};

static void accepted(void *arg, const struct mempool_result *result)
{
    assert_int_equal(result->verdict.code, REJECT_NONE);
    *(bool *)arg = true;
}

static void add(struct rpc_rig *rig, const struct tx *tx)
{
    bool is_done = false;
    mempool_accept(rig->mempool, tx->raw, 0, 0, accepted, &is_done);
    rig_wait(&rig->chain, &is_done);
}

/* A parent that spends the first coinbase, and a child: neither is anywhere yet. */
static struct fixture *set_up(bool with_index)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    struct rpc_rig *rig = &f->rig;
    struct chain_options options = {.spender_index = with_index};
    rpc_rig_init(rig, &options, NULL);
    rpc_rig_add_mempool(rig, NULL);
    struct builder_spec spec = {.coinbase_script = BUILDER_WSH_TRUE};
    const struct built_block *first = builder_block(&rig->builder, rig->builder.genesis, &spec);
    f->tip = builder_blocks(&rig->builder, first, 100, NULL);
    rpc_rig_grow(rig, f->tip);
    struct builder_coin coin = builder_coinbase_coin(first);
    f->parent = builder_spend(&rig->builder, &coin, 1, 2, 1000, BUILDER_WSH_TRUE);
    coin = builder_coin_of(&f->parent, 0, BUILDER_WSH_TRUE);
    f->child = builder_spend(&rig->builder, &coin, 1, 1, 50000, BUILDER_WSH_TRUE);
    hex_encode_reversed(f->first_id, span_of(first->block.txids[0].b, 32));
    hex_encode_reversed(f->parent_id, span_of(f->parent.txid.b, 32));
    hex_encode_reversed(f->child_id, span_of(f->child.txid.b, 32));
    return f;
}

static void tear_down(struct fixture *f)
{
    rpc_rig_deinit(&f->rig);
    xfree(f);
}

TEST(the_mempool_is_looked_at_first)
{
    struct fixture *f = set_up(false);
    char want[600];
    add(&f->rig, &f->parent);
    add(&f->rig, &f->child);
    snprintf(want, sizeof want,
             "[{\"txid\":\"%s\",\"vout\":0,\"spendingtxid\":\"%s\"},{\"txid\":\"%s\",\"vout\":0,"
             "\"spendingtxid\":\"%s\"},{\"txid\":\"%s\",\"vout\":1}]",
             f->first_id, f->parent_id, f->parent_id, f->child_id, f->parent_id);
    assert_string_equal(rpc_rig_callf(&f->rig, "gettxspendingprevout",
                                      "[[{\"txid\":\"%s\",\"vout\":0},{\"txid\":\"%s\",\"vout\":0},"
                                      "{\"txid\":\"%s\",\"vout\":1}]]",
                                      f->first_id, f->parent_id, f->parent_id),
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
    snprintf(want, sizeof want, "[{\"txid\":\"%s\",\"vout\":0}]", f->first_id);
    assert_string_equal(rpc_rig_callf(&f->rig, "gettxspendingprevout",
                                      "[[{\"txid\":\"%s\",\"vout\":0}]]", f->first_id),
                        want);
    assert_string_equal(rpc_rig_callf(&f->rig, "gettxspendingprevout",
                                      "[[{\"txid\":\"%s\",\"vout\":0}],{\"mempool_only\":false}]",
                                      f->first_id),
                        "-1: Mempool lacks a relevant spend, and txospenderindex is unavailable.");
    /* Unless there is nothing that the chain would have to be asked for. */
    add(&f->rig, &f->parent);
    assert_starts(rpc_rig_callf(&f->rig, "gettxspendingprevout",
                                "[[{\"txid\":\"%s\",\"vout\":0}],{\"mempool_only\":false}]",
                                f->first_id),
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
    add(&f->rig, &f->child);
    /* The chain's, the mempool's, nobody's: in the order of the question. */
    snprintf(want, sizeof want,
             "[{\"txid\":\"%s\",\"vout\":0,\"spendingtxid\":\"%s\",\"blockhash\":\"%s\"},"
             "{\"txid\":\"%s\",\"vout\":0,\"spendingtxid\":\"%s\"},{\"txid\":\"%s\",\"vout\":1}]",
             f->first_id, f->parent_id, rpc_rig_id(&f->rig, block), f->parent_id, f->child_id,
             f->parent_id);
    assert_string_equal(rpc_rig_callf(&f->rig, "gettxspendingprevout",
                                      "[[{\"txid\":\"%s\",\"vout\":0},{\"txid\":\"%s\",\"vout\":0},"
                                      "{\"txid\":\"%s\",\"vout\":1}]]",
                                      f->first_id, f->parent_id, f->parent_id),
                        want);
    snprintf(want, sizeof want, "[{\"txid\":\"%s\",\"vout\":0}]", f->first_id);
    assert_string_equal(rpc_rig_callf(&f->rig, "gettxspendingprevout",
                                      "{\"outputs\":[{\"txid\":\"%s\",\"vout\":0}],"
                                      "\"mempool_only\":true}",
                                      f->first_id),
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
