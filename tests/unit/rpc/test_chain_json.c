/* test_chain_json.c - the parts that answers about the chain share. */
#include "rpc/chain_json.h"
#include "support/rpc_rig.h"
#include "support/unit.h"

TEST(difficulty_is_relative_to_the_easiest)
{
    /* clang-format off */
    static const struct { uint32_t bits; const char *want; } cases[] = {
        {0x1d00ffff, "1"},
        {0x207fffff, "4.656542373906925e-10"},
        {0x1b0404cb, "16307.42093852398"}, /* the example of the developers' wiki */
        {0x1c00ffff, "256"},
        {0x1e00ffff, "0.00390625"},
        {0x1d000000, "0"},
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[64];
        snprintf(text, sizeof text, "%.16g", chain_json_difficulty(cases[i].bits));
        assert_string_equal(text, cases[i].want);
    }
}

TEST(targets_and_work_are_64_digits)
{
    struct buffer text;
    buffer_init(&text);
    struct json_out out = json_out_to(&text);
    json_open_object(&out);
    chain_json_put_target(&out, 0x1d00ffff);
    chain_json_put_work(&out, u256_of(0x1234));
    json_close_object(&out);
    static const char want[] =
        "{\"bits\":\"1d00ffff\",\"target\":"
        "\"00000000ffff0000000000000000000000000000000000000000000000000000\",\"difficulty\":1,"
        "\"chainwork\":\"0000000000000000000000000000000000000000000000000000000000001234\"}";
    assert_true(span_equal(buffer_span(&text), span_of_string(want)));
    buffer_deinit(&text);
}

TEST(verdicts_are_worded_as_core_does)
{
    /* clang-format off */
    static const struct { struct verdict verdict; const char *whole; } cases[] = {
        {{.code = REJECT_HIGH_HASH, .detail = "proof of work failed"},
         "high-hash, proof of work failed"},
        {{.code = REJECT_HIGH_HASH}, "high-hash"},
        {{.code = REJECT_BAD_VERSION, .version = 1, .detail = "rejected nVersion=0x00000001 block"},
         "bad-version(0x00000001), rejected nVersion=0x00000001 block"},
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[256];
        assert_string_equal(chain_json_verdict(&cases[i].verdict, text, sizeof text),
                            cases[i].whole);
    }
    char tiny[5];
    assert_string_equal(chain_json_verdict(&cases[0].verdict, tiny, sizeof tiny), "high");
}

TEST(confirmations_count_from_the_tip)
{
    struct rpc_rig rig;
    const struct built_block *a[3], *b[1];
    rpc_rig_init(&rig, NULL, NULL);
    const struct chain *chain = rig.chain.chain;
    builder_blocks(&rig.builder, rig.builder.genesis, 3, a);
    builder_blocks(&rig.builder, rig.builder.genesis, 1, b);
    rpc_rig_grow(&rig, a[2]);
    rpc_rig_grow(&rig, b[0]);
    for (int i = 0; i < 3; i++)
        assert_int_equal(chain_json_confirmations(chain, chain_find(chain, &a[i]->block.hash)),
                         3 - i);
    assert_int_equal(chain_json_confirmations(chain, chain_find(chain, &b[0]->block.hash)), -1);
    rpc_rig_deinit(&rig);
}
