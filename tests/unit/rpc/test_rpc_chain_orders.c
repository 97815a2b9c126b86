/* test_rpc_chain_orders.c - orders to the chain, and what they refuse. */
#include "rpc/methods.h"
#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/hex.h"

#define UNKNOWN_ID "1111111111111111111111111111111111111111111111111111111111111111"

TEST(orders_move_the_tip)
{
    struct rpc_rig rig;
    const struct built_block *a[3], *b[2];
    rpc_rig_init(&rig, NULL, NULL);
    builder_blocks(&rig.builder, rig.builder.genesis, 3, a);
    builder_blocks(&rig.builder, rig.builder.genesis, 2, b);
    rpc_rig_grow(&rig, a[2]);
    rpc_rig_grow(&rig, b[1]);
    assert_string_equal(rpc_rig_callf(&rig, "invalidateblock", "[\"%s\"]", rpc_rig_id(&rig, a[1])),
                        "null");
    assert_true(rig_is_at(&rig.chain, b[1]));
    assert_string_equal(rpc_rig_callf(&rig, "reconsiderblock", "[\"%s\"]", rpc_rig_id(&rig, a[2])),
                        "null");
    assert_true(rig_is_at(&rig.chain, a[2]));
    rpc_rig_callf(&rig, "invalidateblock", "[\"%s\"]", rpc_rig_id(&rig, a[2]));
    assert_string_equal(rpc_rig_callf(&rig, "preciousblock", "[\"%s\"]", rpc_rig_id(&rig, b[1])),
                        "null");
    assert_true(rig_is_at(&rig.chain, b[1]));
    rpc_rig_deinit(&rig);
}

TEST(orders_about_unknown_blocks_are_errors)
{
    static const char *const methods[] = {"invalidateblock", "reconsiderblock", "preciousblock"};
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        assert_call(&rig, methods[i], "[\"" UNKNOWN_ID "\"]", "-5: Block not found");
        assert_call(&rig, methods[i], "[\"11\"]",
                    "-8: blockhash must be of length 64 (not 2, for '11')");
    }
    rpc_rig_deinit(&rig);
}

TEST(the_chain_is_verified_at_every_level)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    rpc_rig_grow(&rig, builder_blocks(&rig.builder, rig.builder.genesis, 8, NULL));
    for (int level = -1; level <= 5; level++)
        assert_string_equal(rpc_rig_callf(&rig, "verifychain", "[%d,0]", level), "true");
    assert_call(&rig, "verifychain", "[]", "true");
    assert_call(&rig, "verifychain", "[3,100]", "true");
    rpc_rig_deinit(&rig);
}

TEST(pruning_has_its_conditions)
{
    struct chain_options options = {.prune = true};
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    assert_call(&rig, "pruneblockchain", "[1]",
                "-1: Cannot prune blocks because node is not in prune mode.");
    rpc_rig_deinit(&rig);
    rpc_rig_init(&rig, &options, NULL);
    assert_call(&rig, "pruneblockchain", "[-1]", "-8: Negative block height.");
    assert_call(&rig, "pruneblockchain", "[0]", "-1: Blockchain is too short for pruning.");
    assert_call(&rig, "pruneblockchain", "[2000000000]",
                "-8: Could not find block with at least the specified timestamp.");
    rpc_rig_deinit(&rig);
}

TEST(a_long_chain_can_be_pruned)
{
    struct chain_options options = {.prune = true};
    struct rpc_rig rig;
    rpc_rig_init(&rig, &options, NULL);
    int32_t height = (int32_t)rig.builder.network.prune_after_height + 1;
    const struct built_block *tip =
        builder_blocks(&rig.builder, rig.builder.genesis, (size_t)height, NULL);
    rpc_rig_grow(&rig, tip);
    assert_string_equal(rpc_rig_callf(&rig, "pruneblockchain", "[%d]", height + 1),
                        "-8: Blockchain is shorter than the attempted prune height.");
    /* All blocks share one file, which holds the last 288: nothing can go. */
    assert_string_equal(rpc_rig_callf(&rig, "pruneblockchain", "[%d]", height), "-1");
    assert_string_equal(rpc_rig_callf(&rig, "pruneblockchain", "[%u]", tip->block.header.time),
                        "-1");
    rpc_rig_deinit(&rig);
}
