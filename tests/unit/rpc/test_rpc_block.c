/* test_rpc_block.c - getblock at every verbosity. */
#include "rpc/methods.h"
#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/hex.h"

#define UNKNOWN_ID "1111111111111111111111111111111111111111111111111111111111111111"

/* A chain of 102 blocks; the last holds a transaction that spends the first coinbase. */
static const struct built_block *grow(struct rpc_rig *rig, struct tx *tx)
{
    struct chain_builder *builder = &rig->builder;
    const struct built_block *blocks[101];
    builder_blocks(builder, builder->genesis, 101, blocks);
    struct builder_coin coin = builder_coinbase_coin(blocks[0]);
    *tx = builder_spend(builder, &coin, 1, 2, 1000, BUILDER_WSH_TRUE);
    struct builder_spec spec = {.tx = tx, .n_tx = 1, .extra_sat = 1000};
    const struct built_block *last = builder_block(builder, blocks[100], &spec);
    rpc_rig_grow(rig, last);
    return last;
}

TEST(raw_blocks_are_hex)
{
    struct rpc_rig rig;
    struct tx tx;
    rpc_rig_init(&rig, NULL, NULL);
    const struct built_block *last = grow(&rig, &tx);
    char *want = xmalloc(2 * last->block.raw.len + 3);
    want[0] = '"';
    hex_encode(want + 1, last->block.raw);
    strcat(want, "\"");
    const char *id = rpc_rig_id(&rig, last);
    assert_string_equal(rpc_rig_callf(&rig, "getblock", "[\"%s\",0]", id), want);
    assert_string_equal(rpc_rig_callf(&rig, "getblock", "[\"%s\",false]", id), want);
    assert_string_equal(rpc_rig_callf(&rig, "getblock", "[\"%s\",-1]", id), want);
    xfree(want);
    rpc_rig_deinit(&rig);
}

TEST(verbosity_1_lists_ids)
{
    struct rpc_rig rig;
    struct tx tx;
    char txid[HEX_ID_BYTES], want[512];
    rpc_rig_init(&rig, NULL, NULL);
    const struct built_block *last = grow(&rig, &tx);
    const struct block *block = &last->block;
    const char *got = rpc_rig_callf(&rig, "getblock", "[\"%s\"]", rpc_rig_id(&rig, last));
    snprintf(want, sizeof want, "{\"hash\":\"%s\",\"confirmations\":1,\"height\":102,", rig.id);
    assert_starts(got, want);
    snprintf(want, sizeof want,
             ",\"strippedsize\":%u,\"size\":%zu,\"weight\":%u,\"coinbase_tx\":{\"version\":",
             block->base_bytes, block->raw.len, block_weight_wu(block));
    assert_holds(got, want);
    snprintf(want, sizeof want, "\",\"%s\"]}", hex_encode_reversed(txid, span_of(tx.txid.b, 32)));
    assert_holds(got, want);
    char *one = xstrdup(got);
    assert_string_equal(rpc_rig_callf(&rig, "getblock", "[\"%s\",1]", rig.id), one);
    assert_string_equal(rpc_rig_callf(&rig, "getblock", "[\"%s\",true]", rig.id), one);
    xfree(one);
    rpc_rig_deinit(&rig);
}

TEST(verbosity_2_has_fees_and_3_has_prevouts)
{
    struct rpc_rig rig;
    struct tx tx;
    rpc_rig_init(&rig, NULL, NULL);
    const struct built_block *last = grow(&rig, &tx);
    const char *got = rpc_rig_callf(&rig, "getblock", "[\"%s\",2]", rpc_rig_id(&rig, last));
    assert_holds(got, "\"fee\":0.00001000,\"hex\":\"");
    assert_null(strstr(got, "\"prevout\""));
    assert_non_null(strstr(strstr(got, "\"tx\":[{\"txid\":"), "\"vin\":[{\"coinbase\":\""));
    got = rpc_rig_callf(&rig, "getblock", "[\"%s\",3]", rig.id);
    assert_holds(got, "\"prevout\":{\"generated\":true,\"height\":1,\"value\":50.00000000,"
                      "\"scriptPubKey\":{\"asm\":\"1\",\"desc\":\"raw(51)#8lvh9jxk\","
                      "\"hex\":\"51\",\"type\":\"nonstandard\"}},\"sequence\":");
    assert_holds(got, "\"fee\":0.00001000");
    /* Any larger number means the same. */
    char *three = xstrdup(got);
    assert_string_equal(rpc_rig_callf(&rig, "getblock", "[\"%s\",4]", rig.id), three);
    xfree(three);
    rpc_rig_deinit(&rig);
}

TEST(genesis_is_a_block_like_any_other)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    const char *got =
        rpc_rig_callf(&rig, "getblock", "[\"%s\",3]", rpc_rig_id(&rig, rig.builder.genesis));
    assert_holds(got,
                 "\"coinbase_tx\":{\"version\":1,\"locktime\":0,\"sequence\":4294967295,"
                 "\"coinbase\":\"04ffff001d0104455468652054696d65732030332f4a616e2f32303039"
                 "204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420"
                 "666f722062616e6b73\"},\"tx\":[{");
    assert_holds(got, "\"type\":\"pubkey\"");
    assert_holds(got, "\"desc\":\"pk(04678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f"
                      "61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5f)#");
    assert_null(strstr(got, "\"fee\""));
    rpc_rig_deinit(&rig);
}

TEST(unknown_and_missing_blocks_are_errors)
{
    struct rpc_rig rig;
    struct verdict verdict;
    rpc_rig_init(&rig, NULL, NULL);
    const struct built_block *block = builder_block(&rig.builder, rig.builder.genesis, NULL);
    assert_non_null(chain_accept_header(rig.chain.chain, &block->block.header, &verdict));
    assert_call(&rig, "getblock", "[\"" UNKNOWN_ID "\"]", "-5: Block not found");
    assert_call(&rig, "getblock", "[\"xyz\"]",
                "-8: blockhash must be of length 64 (not 3, for 'xyz')");
    assert_string_equal(rpc_rig_callf(&rig, "getblock", "[\"%s\"]", rpc_rig_id(&rig, block)),
                        "-1: Block not available (not fully downloaded)");
    assert_string_equal(rpc_rig_callf(&rig, "getblock", "[\"%s\",\"1\"]", rig.id),
                        "-3: JSON value of type string is not of expected type number");
    assert_string_equal(rpc_rig_callf(&rig, "getblock", "[\"%s\",1.5]", rig.id),
                        "-1: JSON integer out of range");
    rpc_rig_deinit(&rig);
}
