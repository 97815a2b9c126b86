/* test_rpc_coins.c - unspent outputs and their statistics. */
#include "rpc/methods.h"
#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/hex.h"

#define UNKNOWN_ID "1111111111111111111111111111111111111111111111111111111111111111"

static const char *first_txid(struct rpc_rig *rig, const struct built_block *block)
{
    return hex_encode_reversed(rig->id, span_of(block->block.txids[0].b, 32));
}

TEST(an_unspent_output_is_shown)
{
    struct rpc_rig rig;
    char want[512], tip[HEX_ID_BYTES];
    const struct built_block *blocks[3];
    rpc_rig_init(&rig, NULL, NULL);
    builder_blocks(&rig.builder, rig.builder.genesis, 3, blocks);
    rpc_rig_grow(&rig, blocks[2]);
    snprintf(want, sizeof want,
             "{\"bestblock\":\"%s\",\"confirmations\":2,\"value\":50.00000000,"
             "\"scriptPubKey\":{\"asm\":\"1\",\"desc\":\"raw(51)#8lvh9jxk\",\"hex\":\"51\","
             "\"type\":\"nonstandard\"},\"coinbase\":true}",
             hex_encode_reversed(tip, span_of(blocks[2]->block.hash.b, 32)));
    assert_string_equal(rpc_rig_callf(&rig, "gettxout", "[\"%s\",0]", first_txid(&rig, blocks[1])),
                        want);
    assert_string_equal(rpc_rig_callf(&rig, "gettxout", "[\"%s\",0,false]", rig.id), want);
    rpc_rig_deinit(&rig);
}

TEST(anything_else_is_null)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    const struct built_block *block = builder_block(&rig.builder, rig.builder.genesis, NULL);
    rpc_rig_grow(&rig, block);
    assert_call(&rig, "gettxout", "[\"" UNKNOWN_ID "\",0]", "null");
    assert_string_equal(rpc_rig_callf(&rig, "gettxout", "[\"%s\",99]", first_txid(&rig, block)),
                        "null");
    assert_string_equal(rpc_rig_callf(&rig, "gettxout", "[\"%s\",4294967295]", rig.id), "null");
    assert_string_equal(rpc_rig_callf(&rig, "gettxout", "[\"%s\",4294967296]", rig.id),
                        "-1: JSON integer out of range");
    assert_string_equal(rpc_rig_callf(&rig, "gettxout", "[\"%s\",-1]", rig.id),
                        "-1: JSON integer out of range");
    assert_call(&rig, "gettxout", "[\"33\",0]", "-8: txid must be of length 64 (not 2, for '33')");
    rpc_rig_deinit(&rig);
}

TEST(statistics_have_the_digest_that_was_asked_for)
{
    struct rpc_rig rig;
    char want[256];
    rpc_rig_init(&rig, NULL, NULL);
    const struct built_block *tip = builder_blocks(&rig.builder, rig.builder.genesis, 5, NULL);
    rpc_rig_grow(&rig, tip);
    const char *got = rpc_rig_call(&rig, "gettxoutsetinfo", "[]");
    snprintf(want, sizeof want,
             "{\"height\":5,\"bestblock\":\"%s\",\"txouts\":", rpc_rig_id(&rig, tip));
    assert_starts(got, want);
    assert_holds(got, "\"bogosize\":");
    assert_holds(got, "\"hash_serialized_3\":\"");
    assert_holds(got, ",\"total_amount\":250.00000000,\"transactions\":5,\"disk_size\":");
    assert_null(strstr(got, "muhash"));
    got = rpc_rig_call(&rig, "gettxoutsetinfo", "[\"muhash\"]");
    assert_holds(got, ",\"muhash\":\"");
    assert_null(strstr(got, "hash_serialized"));
    got = rpc_rig_call(&rig, "gettxoutsetinfo", "[\"none\"]");
    assert_null(strstr(got, "muhash"));
    assert_null(strstr(got, "hash_serialized"));
    rpc_rig_deinit(&rig);
}

TEST(other_statistics_are_refused)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    assert_call(&rig, "gettxoutsetinfo", "[\"md5\"]", "-8: 'md5' is not a valid hash_type");
    assert_call(&rig, "gettxoutsetinfo", "[\"muhash\",1]",
                "-8: Querying specific block heights requires coinstatsindex");
    rpc_rig_deinit(&rig);
}

/* -- By the index ------------------------------------------------------------------------------ */

static const struct chain_options with_index = {.coin_stats_index = true};

TEST(the_index_tells_of_any_block_what_it_did)
{
    struct rpc_rig rig;
    char want[1024];
    rpc_rig_init(&rig, &with_index, NULL);
    const struct built_block *tip = builder_blocks(&rig.builder, rig.builder.genesis, 5, NULL);
    rpc_rig_grow(&rig, tip);
    snprintf(want, sizeof want, "{\"height\":2,\"bestblock\":\"%s\",\"txouts\":2,\"bogosize\":",
             rpc_rig_id(&rig, built_ancestor(tip, 2)));
    const char *got = rpc_rig_call(&rig, "gettxoutsetinfo", "[\"none\",2]");
    assert_starts(got, want);
    assert_holds(got, ",\"total_amount\":100.00000000,\"total_unspendable_amount\":50.00000000,"
                      "\"block_info\":{\"prevout_spent\":0.00000000,\"coinbase\":50.00000000,"
                      "\"new_outputs_ex_coinbase\":0.00000000,\"unspendable\":0.00000000,"
                      "\"unspendables\":{\"genesis_block\":0.00000000,\"bip30\":0.00000000,"
                      "\"scripts\":0.00000000,\"unclaimed_rewards\":0.00000000}}}");
    assert_null(strstr(got, "disk_size"));
    assert_null(strstr(got, "muhash"));
    got = rpc_rig_call(&rig, "gettxoutsetinfo", "[\"none\",0]");
    assert_holds(got,
                 "\"unspendable\":50.00000000,\"unspendables\":{\"genesis_block\":50.00000000,");
    /* Of the tip without being asked for a block, but not if it is not wanted. */
    assert_holds(rpc_rig_call(&rig, "gettxoutsetinfo", "[\"muhash\"]"), "\"block_info\":");
    assert_null(
        strstr(rpc_rig_call(&rig, "gettxoutsetinfo", "[\"muhash\",null,false]"), "block_info"));
    assert_null(strstr(rpc_rig_call(&rig, "gettxoutsetinfo", "[]"), "block_info"));
    got = rpc_rig_callf(&rig, "gettxoutsetinfo", "[\"muhash\",\"%s\"]", rpc_rig_id(&rig, tip));
    assert_starts(got, "{\"height\":5,");
    assert_holds(rpc_rig_call(&rig, "getindexinfo", "[]"),
                 "{\"coinstatsindex\":{\"synced\":true,\"best_block_height\":5}}");
    rpc_rig_deinit(&rig);
}

TEST(the_index_is_not_asked_for_what_it_has_not)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, &with_index, NULL);
    const struct built_block *tip = builder_blocks(&rig.builder, rig.builder.genesis, 5, NULL);
    rpc_rig_grow(&rig, tip);
    assert_call(&rig, "gettxoutsetinfo", "[\"hash_serialized_3\",1]",
                "-8: hash_serialized_3 hash type cannot be queried for a specific block");
    assert_call(&rig, "gettxoutsetinfo", "[\"muhash\",1,false]",
                "-8: Cannot set use_index to false when querying for a specific block");
    assert_call(&rig, "gettxoutsetinfo", "[\"muhash\",-1]",
                "-8: Target block height -1 is negative");
    assert_call(&rig, "gettxoutsetinfo", "[\"muhash\",6]",
                "-8: Target block height 6 after current tip 5");
    assert_call(&rig, "gettxoutsetinfo",
                "[\"muhash\",\"00000000000000000000000000000000000000000000000000000000000000aa\"]",
                "-5: Block not found");
    const struct built_block *side = builder_block(&rig.builder, tip->prev, NULL);
    (void)rig_accept(&rig.chain, side);
    assert_starts(
        rpc_rig_callf(&rig, "gettxoutsetinfo", "[\"muhash\",\"%s\"]", rpc_rig_id(&rig, side)),
        "-32603: Unable to read UTXO set");
    rpc_rig_deinit(&rig);
}
