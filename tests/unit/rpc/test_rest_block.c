/* test_rest_block.c - REST about whole blocks, parts of them, and what they spent. */
#include "rpc/rest.h"

#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/hex.h"

#define UNKNOWN_ID "1111111111111111111111111111111111111111111111111111111111111111"

static const struct rpc_auth_options with_rest = {.user = "u", .password = "p", .rest = true};

/* A chain of 102 blocks; the last holds a transaction that spends the first coinbase. */
static const struct built_block *grow(struct rpc_rig *rig)
{
    struct chain_builder *builder = &rig->builder;
    const struct built_block *blocks[101];
    builder_blocks(builder, builder->genesis, 101, blocks);
    struct builder_coin coin = builder_coinbase_coin(blocks[0]);
    struct tx tx = builder_spend(builder, &coin, 1, 2, 1000, BUILDER_WSH_TRUE);
    struct builder_spec spec = {.tx = &tx, .n_tx = 1, .extra_sat = 1000};
    const struct built_block *last = builder_block(builder, blocks[100], &spec);
    rpc_rig_grow(rig, last);
    return last;
}

TEST(blocks_are_those_of_getblock)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, &with_rest);
    const char *id = rpc_rig_id(&rig, grow(&rig));
    static const struct {
        const char *path;
        int verbosity;
    } cases[] = {{"block", 3}, {"block/notxdetails", 1}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *want =
            xasprintf("200 application/json: %s",
                      rpc_rig_callf(&rig, "getblock", "[\"%s\",%d]", id, cases[i].verbosity));
        assert_string_equal(rpc_rig_get(&rig, "/rest/%s/%s.json", cases[i].path, id), want);
        xfree(want);
    }
    rpc_rig_deinit(&rig);
}

TEST(parts_lie_within_the_block)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, &with_rest);
    struct span raw = grow(&rig)->block.raw;
    const char *id = rpc_rig_id(&rig, rig.builder.genesis);
    raw = rig.builder.genesis->block.raw;
    char *hex = xmalloc(2 * raw.len + 1);
    hex_encode(hex, raw);
    char *want = xasprintf("200 text/plain: %s", hex);
    assert_string_equal(rpc_rig_get(&rig, "/rest/block/%s.hex", id), want);
    assert_string_equal(rpc_rig_get(&rig, "/rest/blockpart/%s.hex?offset=0&size=%zu", id, raw.len),
                        want);
    xfree(want);
    want = xasprintf("200 text/plain: %.6s", hex + 2 * (raw.len - 3));
    assert_string_equal(
        rpc_rig_get(&rig, "/rest/blockpart/%s.hex?offset=%zu&size=3", id, raw.len - 3), want);
    xfree(want);
    xfree(hex);
    static const char *const bad[] = {"0/0", "0/286", "285/1", "18446744073709551615/2"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        unsigned long long offset, size;
        assert_int_equal(sscanf(bad[i], "%llu/%llu", &offset, &size), 2);
        want = xasprintf("400 text/plain: Bad block part offset/size %s for %s", bad[i], id);
        assert_string_equal(
            rpc_rig_get(&rig, "/rest/blockpart/%s.bin?offset=%llu&size=%llu", id, offset, size),
            want);
        xfree(want);
    }
    assert_string_equal(rpc_rig_get(&rig, "/rest/blockpart/%s.bin?size=1", id),
                        "400 text/plain: Block part offset missing or invalid");
    assert_string_equal(rpc_rig_get(&rig, "/rest/blockpart/%s.bin?offset=1&size=-1", id),
                        "400 text/plain: Block part size missing or invalid");
    assert_string_equal(rpc_rig_get(&rig, "/rest/blockpart/%s.json?offset=1&size=1", id),
                        "400 text/plain: JSON output is not supported for this request type");
    rpc_rig_deinit(&rig);
}

TEST(spent_outputs_come_by_transaction)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, &with_rest);
    const char *id = rpc_rig_id(&rig, grow(&rig));
    /* Two transactions; nothing of the first; one output of 50 coins to OP_1. */
    assert_string_equal(rpc_rig_get(&rig, "/rest/spenttxouts/%s.hex", id),
                        "200 text/plain: 02000100f2052a010000000151");
    assert_string_equal(
        rpc_rig_get(&rig, "/rest/spenttxouts/%s.json", id),
        "200 application/json: [[],[{\"value\":50.00000000,\"scriptPubKey\":{\"asm\":\"1\","
        "\"desc\":\"raw(51)#8lvh9jxk\",\"hex\":\"51\",\"type\":\"nonstandard\"}}]]");
    id = rpc_rig_id(&rig, rig.builder.genesis);
    assert_string_equal(rpc_rig_get(&rig, "/rest/spenttxouts/%s.hex", id), "200 text/plain: 0100");
    assert_string_equal(rpc_rig_get(&rig, "/rest/spenttxouts/%s.json", id),
                        "200 application/json: [[]]");
    assert_starts(rpc_rig_get(&rig, "/rest/spenttxouts/1/%s.json", id),
                  "400 text/plain: Invalid URI format.");
    rpc_rig_deinit(&rig);
}

TEST(blocks_that_are_not_here_are_not_found)
{
    struct rpc_rig rig;
    struct verdict verdict;
    rpc_rig_init(&rig, NULL, &with_rest);
    const struct built_block *block = builder_block(&rig.builder, rig.builder.genesis, NULL);
    assert_non_null(chain_accept_header(rig.chain.chain, &block->block.header, &verdict));
    assert_string_equal(rpc_rig_get(&rig, "/rest/block/" UNKNOWN_ID ".json"),
                        "404 text/plain: " UNKNOWN_ID " not found");
    assert_string_equal(rpc_rig_get(&rig, "/rest/block/xy.bin"),
                        "400 text/plain: Invalid hash: xy");
    const char *id = rpc_rig_id(&rig, block);
    char *want = xasprintf("404 text/plain: %s not available (not fully downloaded)", id);
    assert_string_equal(rpc_rig_get(&rig, "/rest/block/%s.bin", id), want);
    xfree(want);
    want = xasprintf("404 text/plain: %s undo not available", id);
    assert_string_equal(rpc_rig_get(&rig, "/rest/spenttxouts/%s.bin", id), want);
    xfree(want);
    rpc_rig_deinit(&rig);
}
