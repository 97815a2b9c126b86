/* test_hex.c - hexadecimal text, both ways. */
#include "support/unit.h"
#include "util/hex.h"

TEST(every_byte_survives_the_round_trip)
{
    uint8_t bytes[256], back[256];
    char text[513];
    for (size_t i = 0; i < 256; i++)
        bytes[i] = (uint8_t)i;
    assert_ptr_equal(hex_encode(text, span_of(bytes, 256)), text);
    assert_int_equal(strlen(text), 512);
    assert_memory_equal(text, "000102030405060708090a0b0c0d0e0f10", 34);
    assert_string_equal(text + 508, "feff");
    assert_true(hex_decode(back, 256, text, 512));
    assert_memory_equal(back, bytes, 256);
}

/* The widths at which the code takes another way, and what stands behind the text. */
TEST(every_length_is_written_whole_and_no_further)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[70];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37 + 9);
    for (size_t len = 0; len <= sizeof bytes; len++) {
        char text[2 * sizeof bytes + 2];
        memset(text, '!', sizeof text);
        hex_encode(text, span_of(bytes, len));
        for (size_t i = 0; i < len; i++) {
            assert_int_equal(text[2 * i], digits[bytes[i] >> 4]);
            assert_int_equal(text[2 * i + 1], digits[bytes[i] & 15]);
        }
        assert_int_equal(text[2 * len], 0);
        assert_int_equal(text[2 * len + 1], '!');
    }
}

TEST(reversed_text_starts_with_the_last_byte)
{
    char text[HEX_ID_BYTES];
    uint8_t back[4];
    assert_string_equal(hex_encode_reversed(text, span_of("\x01\x02\x03\xff", 4)), "ff030201");
    assert_true(hex_decode_reversed(back, 4, "FF030201", 8));
    assert_memory_equal(back, "\x01\x02\x03\xff", 4);
}

TEST(every_length_is_reversed_as_its_bytes_are)
{
    uint8_t bytes[100], turned[sizeof bytes];
    char got[2 * sizeof bytes + 2], want[2 * sizeof bytes + 1];
    for (size_t n = 0; n <= sizeof bytes; n++) {
        for (size_t i = 0; i < n; i++)
            bytes[i] = turned[n - 1 - i] = (uint8_t)(37 * i + n);
        got[2 * n + 1] = '!';
        hex_encode_reversed(got, span_of(bytes, n));
        assert_string_equal(got, hex_encode(want, span_of(turned, n)));
        assert_int_equal(got[2 * n + 1], '!');
    }
}

TEST(nothing_is_the_empty_string)
{
    char text[1] = {'x'};
    uint8_t none[1];
    assert_string_equal(hex_encode(text, span_of(NULL, 0)), "");
    assert_true(hex_decode(none, 0, "", 0));
    assert_true(hex_is_valid("", 0));
}

/* clang-format off */
static const struct { const char *text; size_t out_len; bool valid; bool decodes; } cases[] = {
    {"00ff",  2, true,  true},
    {"aBcD",  2, true,  true},
    {"00ff",  1, true,  false},
    {"00ff",  3, true,  false},
    {"00f",   1, false, false},
    {"00f",   2, false, false},
    {"0g",    1, false, false},
    {"g0",    1, false, false},
    {"/0",    1, false, false},   /* the neighbours of the ranges of digits */
    {":0",    1, false, false},
    {"@0",    1, false, false},
    {"G0",    1, false, false},
    {"`0",    1, false, false},
    {" 0",    1, false, false},
    {"0x00",  2, false, false},
    {"\xff" "0", 1, false, false},
};
/* clang-format on */

TEST(only_whole_digits_of_the_right_number_decode)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t out[4];
        size_t len = strlen(cases[i].text);
        assert_int_equal(hex_is_valid(cases[i].text, len), cases[i].valid);
        assert_int_equal(hex_decode(out, cases[i].out_len, cases[i].text, len), cases[i].decodes);
        assert_int_equal(hex_decode_reversed(out, cases[i].out_len, cases[i].text, len),
                         cases[i].decodes);
    }
}

TEST(digits_have_values)
{
    static const char digits[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
    for (int i = 0; i < 16; i++) {
        assert_int_equal(hex_digit(digits[i]), i);
        assert_int_equal(hex_digit(upper[i]), i);
    }
    assert_int_equal(hex_digit('g'), -1);
    assert_int_equal(hex_digit('\0'), -1);
}
