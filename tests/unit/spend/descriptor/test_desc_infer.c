/* test_desc_infer.c - what is inferred from scripts. */
#include "spend/descriptor/desc_infer.h"
#include "support/unit.h"
#include "util/arena.h"
#include "util/hex.h"

#define KEY_G  "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define KEY_2G "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"
#define KEY_3G "02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9"
#define KEY_G_LONG                                                                                 \
    "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798483ada7726a3c4655da4fbfc0e" \
    "1108a8fd17b448a68554199c47d08ffb10d4b8"
#define X_G "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"

struct fixture {
    struct arena arena;
    struct buffer buffer;
    uint8_t script[512];
};

static struct span from_hex(struct fixture *f, const char *hex)
{
    size_t len = strlen(hex) / 2;
    assert_true(hex_decode(f->script, len, hex, strlen(hex)));
    return span_of(f->script, len);
}

TEST(scripts_are_described_by_what_they_show)
{
    /* clang-format off */
    static const struct { const char *script, *want; } cases[] = {
        {"21" KEY_G "ac",             "pk(" KEY_G ")"},
        {"41" KEY_G_LONG "ac",        "pk(" KEY_G_LONG ")"},
        {"5121" KEY_G "21" KEY_2G "52ae", "multi(1," KEY_G "," KEY_2G ")"},
        {"5120" X_G,                  "rawtr(" X_G ")"},
        /* x = 0 is on no point: only an address */
        {"51200000000000000000000000000000000000000000000000000000000000000000",
         "addr(bcrt1pqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqm3usuw)"},
        {"51024e73",                  "addr(bcrt1pfeesnyr2tx)"}, /* pay to anchor */
        {"6a",                        "raw(6a)"},
        {"",                          "raw()"},
        {"51",                        "raw(51)"},
        {"6a0411223344",              "raw(6a0411223344)"},
        {"0014751e76e8199196d454941c45d1b3a323f1433bd6",
         "addr(bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080)"},
    };
    /* clang-format on */
    struct fixture f;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        buffer_init(&f.buffer);
        buffer_append_string(&f.buffer, ">");
        desc_infer(&f.buffer, network_get(NETWORK_REGTEST), from_hex(&f, cases[i].script), NULL);
        char checksum[DESC_CHECKSUM_CHARS + 1];
        size_t want = strlen(cases[i].want);
        if (f.buffer.len != want + 10 || memcmp(f.buffer.p + 1, cases[i].want, want) != 0)
            fail_msg("%.*s instead of %s", (int)f.buffer.len, (char *)f.buffer.p, cases[i].want);
        assert_true(desc_checksum(span_of(f.buffer.p + 1, want), checksum));
        assert_int_equal(f.buffer.p[1 + want], '#');
        assert_memory_equal(f.buffer.p + 2 + want, checksum, 8);
        buffer_deinit(&f.buffer);
    }
}

TEST(a_known_witness_script_is_shown)
{
    struct fixture f;
    static const char inner_hex[] = "5121" KEY_G "51ae";
    uint8_t inner_bytes[37];
    uint8_t program[34] = {0, 32, 1};
    assert_true(hex_decode(inner_bytes, sizeof inner_bytes, inner_hex, strlen(inner_hex)));
    struct span inner = span_of(inner_bytes, sizeof inner_bytes);
    buffer_init(&f.buffer);
    desc_infer(&f.buffer, network_get(NETWORK_MAIN), span_of(program, 34), &inner);
    static const char want[] = "wsh(multi(1," KEY_G "))#";
    assert_memory_equal(f.buffer.p, want, strlen(want));
    f.buffer.len = 0;
    inner = span_of("\x51", 1);
    desc_infer(&f.buffer, network_get(NETWORK_MAIN), span_of(program, 34), &inner);
    assert_memory_equal(f.buffer.p, "addr(bc1q", 9);
    buffer_deinit(&f.buffer);
}
