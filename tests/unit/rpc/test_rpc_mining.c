/* test_rpc_mining.c - blocks handed in and blocks of our own. */
#include "rpc/methods.h"
#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/hex.h"

/* OP_TRUE behind its hash, on regtest. */
#define ADDRESS "bcrt1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqseac85"

static const char *submit(struct rpc_rig *rig, struct span raw)
{
    char *params = xmalloc(2 * raw.len + 8);
    memcpy(params, "[\"", 2);
    hex_encode(params + 2, raw);
    strcat(params, "\"]");
    const char *got = rpc_rig_call(rig, "submitblock", params);
    xfree(params);
    return got;
}

TEST(a_good_block_is_taken_once)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    const struct built_block *a = builder_block(&rig.builder, rig.builder.genesis, NULL);
    const struct built_block *b = builder_block(&rig.builder, rig.builder.genesis, NULL);
    assert_string_equal(submit(&rig, a->block.raw), "null");
    assert_string_equal(submit(&rig, a->block.raw), "\"duplicate\"");
    assert_string_equal(submit(&rig, b->block.raw), "\"inconclusive\"");
    assert_string_equal(submit(&rig, b->block.raw), "\"duplicate\"");
    assert_call(&rig, "getblockcount", "[]", "1");
    rpc_rig_deinit(&rig);
}

TEST(a_bad_block_is_refused_with_its_reason)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    struct builder_spec greedy = {.extra_sat = 1};
    const struct built_block *much = builder_block(&rig.builder, rig.builder.genesis, &greedy);
    assert_string_equal(submit(&rig, much->block.raw), "\"bad-cb-amount\"");
    assert_string_equal(submit(&rig, much->block.raw), "\"duplicate-invalid\"");
    const struct built_block *orphan = builder_blocks(&rig.builder, rig.builder.genesis, 2, NULL);
    assert_string_equal(submit(&rig, orphan->block.raw), "\"prev-blk-not-found\"");
    struct span raw = orphan->prev->block.raw;
    uint8_t *bad = xmemdup(raw.p, raw.len);
    bad[raw.len - 1] ^= 1; /* the lock time of the coinbase */
    assert_string_equal(submit(&rig, span_of(bad, raw.len)), "\"bad-txnmrklroot\"");
    assert_string_equal(submit(&rig, span_of(bad, raw.len - 1)), "-22: Block decode failed");
    xfree(bad);
    assert_call(&rig, "submitblock", "[\"\"]", "-22: Block decode failed");
    assert_call(&rig, "submitblock", "[\"0\"]", "-22: Block decode failed");
    assert_call(&rig, "submitblock", "[\"zz\"]", "-22: Block decode failed");
    rpc_rig_deinit(&rig);
}

/* Old mining software leaves the coinbase's witness out. */
TEST(a_missing_coinbase_witness_is_put_in)
{
    struct rpc_rig rig;
    struct arena arena;
    struct block block;
    rpc_rig_init(&rig, NULL, NULL);
    arena_init(&arena, 4096);
    rpc_rig_call(&rig, "generatetoaddress", "[101,\"" ADDRESS "\"]");
    const char *got = rpc_rig_call(&rig, "generateblock", "[\"" ADDRESS "\",[],false]");
    const char *hex = strstr(got, "\"hex\":\"") + 7;
    size_t len = strcspn(hex, "\"") / 2;
    uint8_t *raw = xmalloc(len);
    assert_true(hex_decode(raw, len, hex, 2 * len));
    assert_true(block_decode(span_of(raw, len), &arena, &block));
    assert_true(block.tx[0].has_witness);
    uint8_t *bare = xmalloc(len);
    struct writer w = writer_to_buffer(bare, len);
    block_encode(&w, &block, false);
    assert_true(w.len < len);
    assert_string_equal(submit(&rig, span_of(bare, w.len)), "null");
    assert_call(&rig, "getblockcount", "[]", "102");
    xfree(raw);
    xfree(bare);
    arena_deinit(&arena);
    rpc_rig_deinit(&rig);
}

TEST(headers_can_be_handed_in)
{
    struct rpc_rig rig;
    char hex[2 * BLOCK_HEADER_BYTES + 1];
    const struct built_block *blocks[2];
    rpc_rig_init(&rig, NULL, NULL);
    builder_blocks(&rig.builder, rig.builder.genesis, 2, blocks);
    hex_encode(hex, span_of(blocks[1]->block.raw.p, BLOCK_HEADER_BYTES));
    const char *got = rpc_rig_callf(&rig, "submitheader", "[\"%s\"]", hex);
    assert_starts(got, "-25: Must submit previous header (");
    assert_holds(got, rpc_rig_id(&rig, blocks[0]));
    assert_holds(got, ") first");
    hex_encode(hex, span_of(blocks[0]->block.raw.p, BLOCK_HEADER_BYTES));
    assert_string_equal(rpc_rig_callf(&rig, "submitheader", "[\"%s\"]", hex), "null");
    assert_string_equal(rpc_rig_callf(&rig, "submitheader", "[\"%s00\"]", hex), "null");
    assert_holds(rpc_rig_call(&rig, "getblockchaininfo", "[]"), "\"blocks\":0,\"headers\":1,");
    hex[159] = 0;
    assert_string_equal(rpc_rig_callf(&rig, "submitheader", "[\"%s\"]", hex),
                        "-22: Block header decode failed");
    hex[158] = 0;
    assert_string_equal(rpc_rig_callf(&rig, "submitheader", "[\"%s\"]", hex),
                        "-22: Block header decode failed");
    assert_call(&rig, "submitheader", "[\"xx\"]", "-22: Block header decode failed");
    rpc_rig_deinit(&rig);
}

TEST(a_bad_header_is_refused_with_its_reason)
{
    struct rpc_rig rig;
    uint8_t raw[BLOCK_HEADER_BYTES];
    char hex[2 * BLOCK_HEADER_BYTES + 1];
    rpc_rig_init(&rig, NULL, NULL);
    const struct built_block *block = builder_block(&rig.builder, rig.builder.genesis, NULL);
    memcpy(raw, block->block.raw.p, sizeof raw);
    memset(raw + 68, 0, 4); /* a time long gone */
    do                      /* until the work is right again: every second nonce is */
        raw[76]++;
    while (!strstr(rpc_rig_callf(&rig, "submitheader", "[\"%s\"]",
                                 hex_encode(hex, span_of(raw, sizeof raw))),
                   "time-too-old") &&
           raw[76] != block->block.raw.p[76]);
    assert_string_equal(rpc_rig_callf(&rig, "submitheader", "[\"%s\"]", hex), "-25: time-too-old");
    rpc_rig_deinit(&rig);
}

TEST(blocks_are_mined_to_an_address)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    const char *got = rpc_rig_call(&rig, "generatetoaddress", "[3,\"" ADDRESS "\"]");
    assert_int_equal(strlen(got), 1 + 3 * 67);
    char last[65];
    memcpy(last, got + 1 + 2 * 67 + 1, 64);
    last[64] = 0;
    assert_holds(rpc_rig_call(&rig, "getbestblockhash", "[]"), last);
    assert_holds(rpc_rig_callf(&rig, "getblock", "[\"%s\",2]", last),
                 "\"address\":\"" ADDRESS "\"");
    assert_call(&rig, "generatetoaddress", "[0,\"" ADDRESS "\"]", "[]");
    assert_call(&rig, "generatetoaddress", "[-1,\"" ADDRESS "\"]", "[]");
    assert_call(&rig, "generatetoaddress", "[1,\"" ADDRESS "\",0]", "[]");
    assert_call(&rig, "generatetoaddress", "[1,\"nonsense\"]", "-5: Error: Invalid address");
    assert_call(&rig, "generatetoaddress", "[1,\"" ADDRESS "\",2147483648]",
                "-1: JSON integer out of range");
    assert_call(&rig, "getblockcount", "[]", "3");
    rpc_rig_deinit(&rig);
}

TEST(blocks_are_mined_to_a_descriptor)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    assert_int_equal(strlen(rpc_rig_call(&rig, "generatetodescriptor", "[2,\"raw(51)\"]")),
                     1 + 2 * 67);
    assert_holds(rpc_rig_call(&rig, "generatetodescriptor", "[2,\"raw(zz)\"]"), "-5: ");
    assert_call(&rig, "getblockcount", "[]", "2");
    rpc_rig_deinit(&rig);
}

TEST(a_block_with_given_transactions_is_mined)
{
    struct rpc_rig rig;
    char hex[1024];
    rpc_rig_init(&rig, NULL, NULL);
    const struct built_block *blocks[101];
    builder_blocks(&rig.builder, rig.builder.genesis, 101, blocks);
    rpc_rig_grow(&rig, blocks[100]);
    struct builder_coin coin = builder_coinbase_coin(blocks[0]);
    struct tx tx = builder_spend(&rig.builder, &coin, 1, 1, 1000, BUILDER_TRUE);
    hex_encode(hex, tx.raw);
    const char *got = rpc_rig_callf(&rig, "generateblock", "[\"raw(51)\",[\"%s\"]]", hex);
    assert_starts(got, "{\"hash\":\"");
    assert_null(strstr(got, "\"hex\""));
    assert_call(&rig, "getblockcount", "[]", "102");
    /* The same again: its input is spent. */
    assert_holds(rpc_rig_callf(&rig, "generateblock", "[\"raw(51)\",[\"%s\"]]", hex),
                 "-25: TestBlockValidity failed: bad-txns-inputs-missingorspent");
    got = rpc_rig_call(&rig, "generateblock", "[\"" ADDRESS "\",[],false]");
    assert_holds(got, "\",\"hex\":\"");
    assert_call(&rig, "getblockcount", "[]", "102");
    assert_call(&rig, "generateblock", "[\"nonsense\",[]]",
                "-5: Error: Invalid address or descriptor");
    assert_call(&rig, "generateblock", "[\"raw(51)\",[\"00\"]]",
                "-22: Transaction decode failed for 00. Make sure the tx has at least one input.");
    hex[64] = 0;
    assert_starts(rpc_rig_callf(&rig, "generateblock", "[\"raw(51)\",[\"%s\"]]", hex),
                  "-5: Transaction ");
    assert_holds(rig.result, " not in mempool.");
    rpc_rig_deinit(&rig);
}

TEST(miners_are_told_what_they_need)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    rpc_rig_grow(&rig, builder_blocks(&rig.builder, rig.builder.genesis, 130, NULL));
    const char *got = rpc_rig_call(&rig, "getmininginfo", "[]");
    assert_starts(got, "{\"blocks\":130,\"bits\":\"207fffff\",\"difficulty\":");
    /* Two hashes a block, a block a minute. */
    assert_holds(got, "\"networkhashps\":0.03333333333333333,");
    assert_holds(got, "\"chain\":\"regtest\",\"next\":{\"height\":131,\"bits\":\"207fffff\",");
    rpc_rig_deinit(&rig);
}

TEST(blocks_are_mined_to_descriptors_of_one_script)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
#define TPUB                                                                                       \
    "tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao8ESaAstxYSnhyswJ76u"  \
    "ZPStJRJCTKvosUCJZL5B"
    assert_starts(rpc_rig_call(&rig, "generateblock", "[\"wpkh(" TPUB "/0/1)\",[]]"), "{\"hash\":");
    assert_call(&rig, "generateblock", "[\"pkh(" TPUB "/0/*)\",[]]",
                "-8: Ranged descriptor not accepted. Maybe pass through deriveaddresses first?");
    assert_call(&rig, "generatetodescriptor", "[1,\"pkh(" TPUB "/<0;1>)\"]",
                "-8: Multipath descriptor not accepted");
    assert_call(&rig, "generateblock", "[\"pkh(" TPUB "/0h/0)\",[]]",
                "-5: Cannot derive script without private keys");
    assert_call(&rig, "generateblock", "[\"1234\",[]]", "-5: Error: Invalid address or descriptor");
    assert_call(&rig, "getblockcount", "[]", "1");
    rpc_rig_deinit(&rig);
}

/* Each is built on the tip as it is when its turn comes: none fails because of another. */
TEST(blocks_are_made_in_many_calls_at_once)
{
    struct rpc_rig rig;
    struct rpc_rig_answer answers[6];
    rpc_rig_init(&rig, NULL, NULL);
    for (size_t i = 0; i < COUNT_OF(answers); i++)
        rpc_rig_post(&rig, "{\"method\":\"generateblock\",\"params\":[\"raw(51)\",[]]}",
                     &answers[i]);
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        rpc_rig_wait(&rig, &answers[i]);
        assert_holds(answers[i].body, "{\"result\":{\"hash\":\"");
        rpc_rig_forget(&answers[i]);
    }
    rpc_rig_deinit(&rig);
}

TEST(generate_says_what_replaced_it)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    static const char text[] = "generate\n\nhas been replaced by the -generate cli option. "
                               "Refer to -help for more information.\n";
    char want[200];
    snprintf(want, sizeof want, "-32601: %s", text);
    assert_call(&rig, "generate", "[]", want);
    assert_call(&rig, "help", "[\"generate\"]",
                "\"generate\\n\\nhas been replaced by the -generate cli option. Refer to -help for "
                "more information.\\n\"");
    assert_null(strstr(rpc_rig_call(&rig, "help", "[]"), "generate"));
    rpc_rig_deinit(&rig);
}
