/* test_pubkey.c - which encodings are keys, and tweaking. */
#include "crypto/pubkey.h"
#include "support/hex_bytes.h"
#include "support/unit.h"

#define GX "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define GY "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
/* The y of the generator's negation. */
#define GN "b7c52588d95c3b9aa25b0403f1eef75702e84bb7597aabe663b82f6f04ef2777"
#define P  "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f"
/* Twice the generator. */
#define G2X "c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"

/* clang-format off */
static const struct { const char *in; bool want; const char *why; } encodings[] = {
    {"02" GX,      true,  "even"},
    {"03" GX,      true,  "odd"},
    {"04" GX GY,   true,  "uncompressed"},
    {"04" GX GN,   true,  "uncompressed, odd"},
    {"06" GX GY,   true,  "hybrid, even"},
    {"07" GX GN,   true,  "hybrid, odd"},
    {"07" GX GY,   false, "hybrid of the wrong parity"},
    {"06" GX GN,   false, "hybrid of the wrong parity"},
    {"04" GX GX,   false, "off the curve"},
    {"05" GX GY,   false, "unknown first byte"},
    {"00",         false, "infinity"},
    {"",           false, "nothing"},
    {"02" GX GY,   false, "first byte of the other length"},
    {"04" GX,      false, "first byte of the other length"},
    {"02" P,       false, "x not below p"},
    {"02" "0000000000000000000000000000000000000000000000000000000000000005",
                   false, "x of no point"},
    {"02" GX "00", false, "one byte too many"},
};
/* clang-format on */

TEST(only_the_known_encodings_parse)
{
    for (size_t i = 0; i < COUNT_OF(encodings); i++) {
        uint8_t in[66];
        size_t len = hex_bytes(encodings[i].in, in, sizeof in);
        struct ec_pubkey key;
        if (ec_pubkey_parse(&key, span_of(in, len)) != encodings[i].want)
            fail_msg("%s: %s", encodings[i].in, encodings[i].why);
    }
}

static struct ec_pubkey parsed(const char *digits)
{
    uint8_t in[65];
    struct ec_pubkey key;
    assert_true(ec_pubkey_parse(&key, span_of(in, hex_bytes(digits, in, sizeof in))));
    return key;
}

TEST(both_forms_serialize)
{
    uint8_t out[65];
    struct ec_pubkey key = parsed("06" GX GY);
    assert_int_equal(ec_pubkey_serialize(&key, true, out), 33);
    assert_hex(out, 33, "02" GX);
    assert_int_equal(ec_pubkey_serialize(&key, false, out), 65);
    assert_hex(out, 65, "04" GX GY);
    key = parsed("03" GX);
    ec_pubkey_serialize(&key, false, out);
    assert_hex(out, 65, "04" GX GN);
}

TEST(x_and_parity_come_apart)
{
    uint8_t x[32];
    int parity = -1;
    struct ec_pubkey key = parsed("03" GX);
    xonly_from_pubkey(x, &parity, &key);
    assert_hex(x, 32, GX);
    assert_int_equal(parity, 1);
    key = parsed("02" GX);
    xonly_from_pubkey(x, &parity, &key);
    assert_hex(x, 32, GX);
    assert_int_equal(parity, 0);
    assert_true(xonly_is_valid(x));
    hex_bytes_exactly(P, x, 32);
    assert_false(xonly_is_valid(x));
    memset(x, 0, 32);
    assert_false(xonly_is_valid(x));
}

TEST(adding_one_to_the_generator_doubles_it)
{
    static const uint8_t one[32] = {[31] = 1};
    uint8_t x[32], out[32];
    int parity = -1;
    struct ec_pubkey key = parsed("02" GX);
    assert_true(ec_pubkey_tweak_add(&key, one));
    xonly_from_pubkey(x, NULL, &key);
    assert_hex(x, 32, G2X);

    hex_bytes_exactly(GX, x, 32);
    assert_true(xonly_tweak_add(out, &parity, x, one));
    assert_hex(out, 32, G2X);
    assert_int_equal(parity, 0);
    assert_true(xonly_tweak_add_check(out, 0, x, one));
    assert_false(xonly_tweak_add_check(out, 1, x, one));
    out[0] ^= 1;
    assert_false(xonly_tweak_add_check(out, 0, x, one));
}

TEST(tweaks_have_limits)
{
    uint8_t x[32], out[32], tweak[32];
    hex_bytes_exactly(GX, x, 32);
    /* The group's order: one too large. */
    hex_bytes_exactly("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", tweak,
                      32);
    assert_false(xonly_tweak_add(out, NULL, x, tweak));
    assert_false(xonly_tweak_add_check(x, 0, x, tweak));
    struct ec_pubkey key = parsed("02" GX);
    assert_false(ec_pubkey_tweak_add(&key, tweak));
    /* Minus one: the sum is the point at infinity. */
    tweak[31]--;
    key = parsed("02" GX);
    assert_false(ec_pubkey_tweak_add(&key, tweak));
    assert_false(xonly_tweak_add(out, NULL, x, tweak));
    /* Minus two: the generator's negation. */
    tweak[31]--;
    assert_true(xonly_tweak_add(out, NULL, x, tweak));
    assert_memory_equal(out, x, 32);
    /* An internal key that is no point. */
    memset(x, 0, 32);
    tweak[0] = 0;
    assert_false(xonly_tweak_add(out, NULL, x, tweak));
    assert_false(xonly_tweak_add_check(out, 0, x, tweak));
}
