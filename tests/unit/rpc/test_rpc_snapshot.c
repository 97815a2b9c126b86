/* test_rpc_snapshot.c - dumptxoutset: what it tells, and what it refuses. */
#include "rpc/methods.h"
#include "support/rpc_rig.h"
#include "support/unit.h"

static void start(struct rpc_rig *rig)
{
    rpc_rig_init(rig, NULL, NULL);
    rig->node.data_dir = "regtest";
    rpc_rig_grow(rig, builder_blocks(&rig->builder, rig->builder.genesis, 5, NULL));
}

TEST(a_file_is_told_of_as_core_does)
{
    struct rpc_rig rig;
    start(&rig);
    const char *got = rpc_rig_call(&rig, "dumptxoutset", "[\"coins\",\"latest\"]");
    assert_starts(got, "{\"coins_written\":5,\"base_hash\":\"");
    assert_holds(got, "\",\"base_height\":5,\"path\":\"regtest/coins\",\"txoutset_hash\":\"");
    assert_holds(got, "\",\"nchaintx\":6}");
    /* As of a block below, named by its height or its hash. */
    assert_starts(rpc_rig_call(&rig, "dumptxoutset", "{\"path\":\"two\",\"rollback\":2}"),
                  "{\"coins_written\":2,");
    const struct block_node *third = chain_at(rig.chain.chain, 3);
    char hex[65];
    for (int i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", third->hash.b[31 - i]);
    assert_starts(
        rpc_rig_callf(&rig, "dumptxoutset", "[\"three\",\"rollback\",{\"rollback\":\"%s\"}]", hex),
        "{\"coins_written\":3,");
    rpc_rig_deinit(&rig);
}

TEST(what_cannot_be_is_refused_in_cores_words)
{
    struct rpc_rig rig;
    start(&rig);
    static const struct {
        const char *params, *want;
    } rows[] = {
        {"[\"a\"]", "-8: Invalid snapshot type \"\" specified. Please specify \"rollback\" or "
                    "\"latest\""},
        {"[\"a\",\"bogus\"]", "-8: Invalid snapshot type \"bogus\" specified. Please specify "
                              "\"rollback\" or \"latest\""},
        {"[\"a\",\"latest\",{\"rollback\":1}]",
         "-8: Invalid snapshot type \"latest\" specified with rollback option"},
        {"[\"a\",\"rollback\"]", "-8: Target block height 299 after current tip 5"},
        {"[\"a\",\"\",{\"rollback\":-1}]", "-8: Target block height -1 is negative"},
        {"[\"a\",\"\",{\"rollback\":6}]", "-8: Target block height 6 after current tip 5"},
        {"[\"no/where\",\"latest\"]",
         "-8: Couldn't open file regtest/no/where.incomplete for writing."},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_call(&rig, "dumptxoutset", rows[i].params, rows[i].want);
    assert_starts(rpc_rig_call(&rig, "dumptxoutset", "[\"a\",\"latest\"]"), "{");
    assert_call(&rig, "dumptxoutset", "[\"a\",\"latest\"]",
                "-8: regtest/a already exists. If you are sure this is what you want, move it out "
                "of the way first");
    const struct built_block *side = builder_block(&rig.builder, rig.builder.genesis, NULL);
    (void)rig_accept(&rig.chain, side);
    assert_string_equal(rpc_rig_callf(&rig, "dumptxoutset", "[\"b\",\"\",{\"rollback\":\"%s\"}]",
                                      rpc_rig_id(&rig, side)),
                        "-1: Could not roll back to requested height.");
    rpc_rig_deinit(&rig);
}
