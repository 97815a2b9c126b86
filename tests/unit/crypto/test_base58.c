/* test_base58.c - the shared vectors, limits of length, checksums. */
#include <jansson.h>

#include "crypto/base58.h"
#include "support/hex_bytes.h"
#include "support/unit.h"
#include "support/vectors.h"
#include "util/alloc.h"

TEST(every_row_of_the_vector_file_holds)
{
    size_t len;
    char *text = vectors_read("core/base58_encode_decode.json", &len);
    if (!text)
        skip();
    json_t *rows = json_loadb(text, len, 0, NULL), *row;
    assert_non_null(rows);
    size_t i;
    assert_true(json_array_size(rows) >= 10);
    json_array_foreach(rows, i, row)
    {
        const char *want = json_string_value(json_array_get(row, 1));
        uint8_t in[BASE58_LEN_MAX], back[BASE58_LEN_MAX];
        char out[BASE58_SIZE(BASE58_LEN_MAX)];
        size_t n = hex_bytes(json_string_value(json_array_get(row, 0)), in, sizeof in), got;
        base58_encode(span_of(in, n), out);
        assert_string_equal(out, want);
        assert_true(base58_decode(want, n, back, &got));
        assert_int_equal(got, n);
        if (n)
            assert_memory_equal(back, in, n);
        if (n)
            assert_false(base58_decode(want, n - 1, back, &got));
    }
    json_decref(rows);
    xfree(text);
}

/* clang-format off */
static const struct { const char *text; const char *bytes; } texts[] = {
    {"",           ""},
    {"1",          "00"},
    {"11",         "0000"},
    {"2g",         "61"},
    {"Good",       "2f0f60"},
    {" Good",      "2f0f60"},
    {"\t\n\v\f\r Good \t", "2f0f60"},
    {"Go od",      NULL},
    {"0",          NULL},
    {"O",          NULL},
    {"I",          NULL},
    {"l",          NULL},
    {"bad0IOl",    NULL},
    {"goodbad0",   NULL},
    {"good@bad",   NULL},
    {"good\x80",   NULL},
};
/* clang-format on */

TEST(only_the_alphabet_and_outer_blanks_decode)
{
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        uint8_t out[100];
        size_t len = 99;
        bool ok = base58_decode(texts[i].text, sizeof out, out, &len);
        if (ok != (texts[i].bytes != NULL))
            fail_msg("'%s'", texts[i].text);
        if (ok)
            assert_hex(out, len, texts[i].bytes);
    }
}

TEST(the_largest_input_round_trips)
{
    for (int fill = 0; fill <= 255; fill += 51) {
        uint8_t in[BASE58_LEN_MAX], back[BASE58_LEN_MAX];
        char text[BASE58_SIZE(BASE58_LEN_MAX)];
        size_t len;
        memset(in, fill, sizeof in);
        base58_encode(span_of(in, sizeof in), text);
        assert_true(strlen(text) < sizeof text);
        assert_true(base58_decode(text, sizeof back, back, &len));
        assert_int_equal(len, sizeof in);
        assert_memory_equal(in, back, sizeof in);
    }
}

TEST(zeros_count_against_the_limit)
{
    uint8_t out[4];
    size_t len;
    assert_true(base58_decode("1111", 4, out, &len));
    assert_false(base58_decode("11111", 4, out, &len));
    assert_true(base58_decode("1112", 4, out, &len));
    assert_false(base58_decode("11112", 4, out, &len));
    assert_true(base58_decode("115R", 4, out, &len)); /* 00 00 01 00 */
    assert_int_equal(len, 4);
    assert_false(base58_decode("1115R", 4, out, &len));
    assert_true(base58_decode("", 0, out, &len));
    assert_false(base58_decode("1", 0, out, &len));
}

TEST(checksums_are_checked)
{
    /* The address of the first block's reward. */
    static const char text[] = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa";
    uint8_t out[21], in[21];
    size_t len;
    assert_true(base58check_decode(text, 21, out, &len));
    assert_hex(out, len, "0062e907b15cbf27d5425399ebf6f0fb50ebb88f18");
    assert_false(base58check_decode(text, 20, out, &len));
    char again[BASE58_SIZE(25)], wrong[] = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb";
    memcpy(in, out, 21);
    base58check_encode(span_of(in, 21), again);
    assert_string_equal(again, text);
    assert_false(base58check_decode(wrong, 21, out, &len));
    assert_false(base58check_decode("", 21, out, &len));
    assert_false(base58check_decode("111", 21, out, &len));  /* shorter than a checksum */
    assert_true(base58check_decode("3QJmnh", 0, out, &len)); /* the checksum of nothing */
    assert_int_equal(len, 0);
}
