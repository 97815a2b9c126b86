/* test_siphash.c - the authors' examples and the shared vector file. */
#include <jansson.h>

#include "crypto/siphash.h"
#include "support/hex_bytes.h"
#include "support/unit.h"
#include "support/vectors.h"
#include "util/alloc.h"

static const struct siphash_key counting_key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

/* clang-format off */
/* Input bytes 0, 1, 2, ... under the counting key; length 15 is the example of the paper. */
static const struct { size_t len; uint64_t want; } cases[] = {
    {0,  0x726fdb47dd0e0e31},
    {1,  0x74f839c593dc67fd},
    {7,  0xab0200f58b01d137},
    {8,  0x93f5f5799a932462},
    {9,  0x9e0082df0ba9e4b0},
    {15, 0xa129ca6149be45e5},
    {63, 0x958a324ceb064572},
};
/* clang-format on */

TEST(counting_bytes_hash_as_published)
{
    uint8_t in[64];
    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (uint8_t)i;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(siphash24(counting_key, span_of(in, cases[i].len)), cases[i].want);
}

/* Length 32 of the authors' list, vectors_sip64 of their reference. */
TEST(an_id_alone_hashes_as_any_32_bytes)
{
    uint8_t id[32];
    for (size_t i = 0; i < sizeof id; i++)
        id[i] = (uint8_t)i;
    assert_int_equal(siphash24_id(counting_key, id), 0x7127512f72f27cce);
    for (unsigned i = 0; i < 64; i++) {
        struct siphash_key key = {.k0 = UINT64_C(0x9e3779b97f4a7c15) * i, .k1 = ~(uint64_t)i};
        id[i % 32] ^= (uint8_t)(i + 1);
        assert_int_equal(siphash24_id(key, id), siphash24(key, span_of(id, 32)));
    }
}

/* Worked out with another implementation of SipHash-1-3 over the 36 bytes. */
TEST(an_id_hashes_as_siphash13_of_its_36_bytes)
{
    uint8_t id[32];
    for (size_t i = 0; i < sizeof id; i++)
        id[i] = (uint8_t)i;
    assert_int_equal(siphash13_id(counting_key, id, 0x23222120), 0x2cf508d3ada26206);
    assert_int_not_equal(siphash13_id(counting_key, id, 0x23222121), 0x2cf508d3ada26206);
}

static uint64_t number(const json_t *hex)
{
    return strtoull(json_string_value(hex), NULL, 16);
}

TEST(every_row_of_the_vector_file_holds)
{
    size_t len;
    char *text = vectors_read("core/siphash.json", &len);
    if (!text)
        skip();
    json_t *rows = json_loadb(text, len, 0, NULL), *row, *piece;
    assert_non_null(rows);
    size_t i, j, used_rows = 0;
    json_array_foreach(rows, i, row)
    {
        const json_t *key = json_object_get(row, "key");
        struct siphash_key k = {number(json_array_get(key, 0)), number(json_array_get(key, 1))};
        uint8_t in[512];
        size_t used = 0;
        json_array_foreach(json_object_get(row, "input"), j, piece)
        {
            used += hex_bytes(json_string_value(piece), in + used, sizeof in - used);
        }
        const json_t *want = json_object_get(json_object_get(row, "expected"), "siphash24");
        assert_non_null(want);
        assert_int_equal(siphash24(k, span_of(in, used)), number(want));
        used_rows++;
    }
    assert_true(used_rows >= 10);
    json_decref(rows);
    xfree(text);
}
