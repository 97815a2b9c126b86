/* test_bech32.c - the examples of BIP173 and BIP350, and locating errors. */
#include "crypto/bech32.h"
#include "support/hex_bytes.h"
#include "support/unit.h"

/* clang-format off */
static const struct { enum bech32_encoding encoding; const char *text; } valid[] = {
    {BECH32_V0, "A12UEL5L"},
    {BECH32_V0, "a12uel5l"},
    {BECH32_V0,
     "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs"},
    {BECH32_V0, "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw"},
    {BECH32_V0,
     "11qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqc8247j"},
    {BECH32_V0, "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w"},
    {BECH32_V0, "?1ezyfcl"},
    {BECH32_M, "A1LQFN3A"},
    {BECH32_M, "a1lqfn3a"},
    {BECH32_M,
     "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6"},
    {BECH32_M, "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx"},
    {BECH32_M,
     "11llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllludsr8"},
    {BECH32_M, "split1checkupstagehandshakeupstreamerranterredcaperredlc445v"},
    {BECH32_M, "?1v759aa"},
};

static const char *const invalid[] = {
    " 1nwldj5", "\x7f" "1axkwrx", "\x80" "1eym55h",
    "an84characterslonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1569pvx",
    "pzry9x0s0muk", "1pzry9x0s0muk", "x1b4n0q5v", "li1dgmt3", "de1lg7wt\xff", "A1G7SGD8", "10a06t8",
    "1qzzfhee", "a12UEL5L", "A12uEL5L",
    " 1xj0phk", "\x7f" "1g6xzxy", "\x80" "1vctc34",
    "an84characterslonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11d6pts4",
    "qyrz8wqd2c9m", "1qyrz8wqd2c9m", "y1b0jsk6g", "lt1igcx5c0", "in1muywd", "mm1crxm3i",
    "au1s5cgom", "M1VUXWEZ", "16plkw9", "1p2gdwpf",
};

static const struct { const char *text, *message; size_t n; int at[3]; } located[] = {
    {"bcrt1q049edschfnwystcqnsvyfpj23mpsg3jcedq9xv", "Invalid Bech32 checksum", 1, {9}},
    {"bcrt1qax9suht3qv95sw33xavx8crpxduefdrsvgsklu", "Invalid Bech32 checksum", 2, {22, 43}},
    {"BCRT1QPLMTZKC2XHARPPZDLNPAQL78RSHJ68U32RAH7R", "Invalid Bech32 checksum", 1, {38}},
    {"bcrtq049ldschfnwystcqnsvyfpj23mpsg3jcedq9xv",  "Missing separator", 0, {0}},
    {"bcrt1q04oldschfnwystcqnsvyfpj23mpsg3jcedq9xv", "Invalid Base 32 character", 1, {8}},
    {"bcrt1qdg3myrgvzw7ml8q0ejxhlkyxn7vl9r56yzkfgvzclrf4hkpx9yfqhpsuks",
     "Invalid Bech32 checksum", 2, {19, 30}},
    {"bcrt1ptmp74ayg7p24uslctssvjm06q5phz4yrxucgnv", "Invalid Bech32 checksum", 1, {5}},
    {"bcrt1qtmp74ayg7p24uslctssvjm06q5phz4yrxucgnv", "", 0, {0}},
    {"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",   "Invalid Bech32 checksum", 1, {41}},
    {"tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sL5k7",
     "Invalid character or mixed case", 1, {58}},
    {"BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3t4",   "Invalid character or mixed case", 1, {40}},
    {"1qqqqqqq",                                     "Invalid separator position", 1, {0}},
    {"ab1qqqqq",                                     "Invalid separator position", 1, {2}},
    {"a1lqfn3q",                                     "Invalid Bech32m checksum", 1, {7}},
    {"a b c1qqqqqqq",                                "Invalid character or mixed case", 2, {1, 3}},
};
/* clang-format on */

/* The checksum as the specification has it, bit by bit. BIP-173, Checksum design */
static uint32_t slow_step(uint32_t c, uint32_t value)
{
    static const uint32_t generators[5] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                           0x2a1462b3};
    uint32_t top = c >> 25;
    c = (c & 0x1ffffff) << 5 ^ value;
    for (int i = 0; i < 5; i++)
        c ^= top >> i & 1 ? generators[i] : 0;
    return c;
}

/* The text of values, character by character. */
static void slow_encode(enum bech32_encoding encoding, const char *prefix, const uint8_t *values,
                        size_t n, char text[BECH32_CHARS_MAX + 1])
{
    static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    uint32_t c = 1;
    for (const char *p = prefix; *p; p++)
        c = slow_step(c, (uint8_t)*p >> 5);
    c = slow_step(c, 0);
    for (const char *p = prefix; *p; p++)
        c = slow_step(c, *p & 31);
    char *at = text + snprintf(text, BECH32_CHARS_MAX + 1, "%s1", prefix);
    for (size_t i = 0; i < n; i++) {
        c = slow_step(c, values[i]);
        *at++ = alphabet[values[i]];
    }
    for (int i = 0; i < BECH32_CHECKSUM_CHARS; i++)
        c = slow_step(c, 0);
    c ^= encoding == BECH32_M ? 0x2bc830a3 : 1;
    for (int i = 0; i < BECH32_CHECKSUM_CHARS; i++)
        *at++ = alphabet[c >> (25 - 5 * i) & 31];
    *at = '\0';
}

/* Bytes as values of five bits, bit by bit. Returns: how many. */
static size_t slow_split(struct span bytes, uint8_t *values)
{
    size_t n = (8 * bytes.len + 4) / 5;
    memset(values, 0, n);
    for (size_t bit = 0; bit < 8 * bytes.len; bit++)
        values[bit / 5] |= (uint8_t)((bytes.p[bit / 8] >> (7 - bit % 8) & 1) << (4 - bit % 5));
    return n;
}

TEST(addresses_of_each_length_are_those_that_are_worked_out_bit_by_bit)
{
    static const char *const prefixes[] = {"x", "bc", "abc", "bcrt", "abcde", "abcdefghijklmnopqr"};
    uint8_t program[40], values[1 + 64];
    char text[BECH32_CHARS_MAX + 1], want[BECH32_CHARS_MAX + 1];
    for (size_t len = 2; len <= sizeof program; len++) {
        for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
            for (size_t j = 0; j < len; j++)
                program[j] = (uint8_t)(j * j * 7 + j * 57 + len + i);
            values[0] = (uint8_t)((len + i) % 17);
            size_t n = 1 + slow_split(span_of(program, len), values + 1);
            slow_encode(values[0] ? BECH32_M : BECH32_V0, prefixes[i], values, n, want);
            size_t got = bech32_segwit_encode(prefixes[i], values[0], span_of(program, len), text);
            assert_string_equal(text, want);
            assert_int_equal(got, strlen(want));
        }
    }
}

TEST(valid_texts_decode_and_encode_again)
{
    for (size_t i = 0; i < COUNT_OF(valid); i++) {
        struct bech32 got;
        char lower[BECH32_CHARS_MAX + 1], again[BECH32_CHARS_MAX + 1];
        if (bech32_decode(valid[i].text, &got) != valid[i].encoding)
            fail_msg("%s", valid[i].text);
        slow_encode(got.encoding, got.prefix, got.values, got.n_values, again);
        size_t len = strlen(valid[i].text);
        for (size_t j = 0; j <= len; j++) {
            char c = valid[i].text[j];
            lower[j] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
        }
        assert_string_equal(again, lower);
        struct bech32_errors errors;
        bech32_locate_errors(valid[i].text, &errors);
        assert_string_equal(errors.message, "");
        assert_int_equal(errors.n, 0);
    }
}

TEST(invalid_texts_are_refused)
{
    for (size_t i = 0; i < COUNT_OF(invalid); i++) {
        struct bech32 got;
        struct bech32_errors errors;
        if (bech32_decode(invalid[i], &got) != BECH32_INVALID)
            fail_msg("%s", invalid[i]);
        bech32_locate_errors(invalid[i], &errors);
        if (!*errors.message)
            fail_msg("%s", invalid[i]);
    }
}

TEST(errors_are_located)
{
    for (size_t i = 0; i < COUNT_OF(located); i++) {
        struct bech32_errors errors;
        bech32_locate_errors(located[i].text, &errors);
        assert_string_equal(errors.message, located[i].message);
        assert_int_equal(errors.n, located[i].n);
        for (size_t j = 0; j < errors.n; j++)
            assert_int_equal(bech32_error_at(&errors, j), located[i].at[j]);
    }
}

TEST(too_long_a_text_is_wrong_from_90_on)
{
    char text[109];
    memset(text, 'q', sizeof text - 1);
    text[1] = '1';
    struct bech32_errors errors;
    text[108] = '\0';
    bech32_locate_errors(text, &errors);
    assert_string_equal(errors.message, "Bech32 string too long");
    assert_int_equal(errors.n, 18);
    assert_int_equal(bech32_error_at(&errors, 0), 90);
    assert_int_equal(bech32_error_at(&errors, 17), 107);
    text[90] = '\0';
    bech32_locate_errors(text, &errors);
    assert_string_not_equal(errors.message, "Bech32 string too long");
}

/* Any two wrong characters of any address are found. */
TEST(every_pair_of_errors_is_found)
{
    static const char good[] = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
    size_t len = strlen(good);
    for (size_t a = 3; a < len; a++) {
        size_t b = 3 + (a * 7 + 5) % (len - 3);
        char text[64];
        memcpy(text, good, len + 1);
        text[a] = text[a] == 'q' ? 'l' : 'q';
        if (b != a)
            text[b] = text[b] == 'p' ? 'z' : 'p';
        struct bech32_errors errors;
        bech32_locate_errors(text, &errors);
        assert_string_equal(errors.message, "Invalid Bech32 checksum");
        assert_int_equal(errors.n, a == b ? 1 : 2);
        assert_int_equal(errors.at[0], a < b ? a : b);
        if (a != b)
            assert_int_equal(errors.at[1], a < b ? b : a);
    }
}

TEST(bits_regroup_with_zero_padding_only)
{
    uint8_t out[8];
    size_t len;
    assert_true(bech32_values_to_bytes((uint8_t[]){31, 28}, 2, out, &len));
    assert_hex(out, len, "ff");
    assert_false(bech32_values_to_bytes((uint8_t[]){31, 29}, 2, out, &len));  /* padding not 0 */
    assert_false(bech32_values_to_bytes((uint8_t[]){0}, 1, out, &len));       /* five bits */
    assert_false(bech32_values_to_bytes((uint8_t[]){0, 0, 0}, 3, out, &len)); /* seven bits */
    assert_true(bech32_values_to_bytes((uint8_t[]){0, 0, 0, 0}, 4, out, &len));
    assert_int_equal(len, 2);
    assert_true(bech32_values_to_bytes(NULL, 0, out, &len));
    assert_int_equal(len, 0);

    uint8_t bytes[40], values[64], back[40];
    for (size_t n = 0; n <= sizeof bytes; n++) {
        for (size_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)(i * 89 + n);
        size_t count = slow_split(span_of(bytes, n), values);
        assert_true(bech32_values_to_bytes(values, count, back, &len));
        assert_int_equal(len, n);
        if (n)
            assert_memory_equal(back, bytes, n);
    }
}

TEST(segwit_addresses_are_those_of_the_bips)
{
    uint8_t program[40];
    char text[BECH32_CHARS_MAX + 1];
    hex_bytes_exactly("751e76e8199196d454941c45d1b3a323f1433bd6", program, 20);
    assert_true(bech32_segwit_encode("bc", 0, span_of(program, 20), text));
    assert_string_equal(text, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4");
    assert_true(bech32_segwit_encode("bc", 16, span_of(program, 2), text));
    assert_string_equal(text, "bc1sw50qgdz25j");
    hex_bytes_exactly("000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433", program,
                      32);
    assert_true(bech32_segwit_encode("tb", 1, span_of(program, 32), text));
    assert_string_equal(text, "tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c");
    expect_assert_failure((void)!bech32_segwit_encode("tb", 17, span_of(program, 32), text));
    expect_assert_failure((void)!bech32_segwit_encode("tb", 1, span_of(program, 1), text));
}

TEST(an_encoding_past_90_characters_is_refused)
{
    uint8_t program[40] = {0};
    char text[BECH32_CHARS_MAX + 1];
    assert_int_equal(bech32_segwit_encode("abcdefghijklmnopqr", 1, span_of(program, 40), text), 90);
    assert_int_equal(bech32_segwit_encode("abcdefghijklmnopqrs", 1, span_of(program, 40), text), 0);
    assert_string_equal(text, "");
}
