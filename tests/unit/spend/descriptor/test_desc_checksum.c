/* test_desc_checksum.c - checksums of descriptors. */
#include "spend/descriptor/desc_checksum.h"
#include "support/unit.h"

#define KEY_G  "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define KEY_2G "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"
#define KEY_3G "02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9"

TEST(checksums_are_those_of_bip380)
{
    /* clang-format off */
    static const struct { const char *text, *want; } cases[] = {
        {"raw(deadbeef)",                "89f8spxm"}, /* BIP380 */
        {"pk(" KEY_G ")",                "gn28ywm7"}, /* Core's doc/descriptors.md */
        {"pkh(" KEY_2G ")",              "8fhd9pwu"},
        {"wpkh(" KEY_3G ")",             "8zl0zxma"},
    };
    /* clang-format on */
    char checksum[DESC_CHECKSUM_CHARS + 1];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_true(desc_checksum(span_of_string(cases[i].text), checksum));
        assert_string_equal(checksum, cases[i].want);
    }
    assert_false(desc_checksum(span_of_string("raw(\xc3\xbc)"), checksum));
    assert_false(desc_checksum(span_of("raw(\0)", 6), checksum));
}

static const char charset[] = "0123456789()[],'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~"
                              "ijklmnopqrstuvwxyzABCDEFGH`#\"\\ ";

/* A step as the specification has it, bit by bit. BIP-380, Checksum */
static uint64_t slow_step(uint64_t c, uint64_t value)
{
    static const uint64_t generators[5] = {0xf5dee51989, 0xa9fdca3312, 0x1bab10e32d, 0x3706b1677a,
                                           0x644d626ffd};
    uint64_t top = c >> 35;
    c = (c & 0x7ffffffff) << 5 ^ value;
    for (int i = 0; i < 5; i++)
        c ^= top >> i & 1 ? generators[i] : 0;
    return c;
}

static void slow_checksum(const char *text, size_t len, char out[DESC_CHECKSUM_CHARS + 1])
{
    uint64_t c = 1, class = 0;
    for (size_t i = 0; i < len; i++) {
        uint64_t place = (uint64_t)(strchr(charset, text[i]) - charset);
        c = slow_step(c, place & 31);
        class = class * 3 + (place >> 5);
        if (i % 3 == 2 || i == len - 1) {
            c = slow_step(c, class);
            class = 0;
        }
    }
    for (int i = 0; i < DESC_CHECKSUM_CHARS; i++)
        c = slow_step(c, 0);
    c ^= 1;
    for (int i = 0; i < DESC_CHECKSUM_CHARS; i++)
        out[i] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"[c >> (35 - 5 * i) & 31];
    out[DESC_CHECKSUM_CHARS] = 0;
}

TEST(texts_of_each_length_have_the_checksum_that_is_worked_out_bit_by_bit)
{
    char text[120], want[DESC_CHECKSUM_CHARS + 1], got[DESC_CHECKSUM_CHARS + 1];
    uint32_t random = 1;
    for (size_t len = 0; len <= sizeof text; len++) {
        for (size_t i = 0; i < len; i++) {
            random = random * 1664525 + 1013904223;
            text[i] = charset[(random >> 16) % (sizeof charset - 1)];
        }
        slow_checksum(text, len, want);
        assert_true(desc_checksum(span_of(text, len), got));
        assert_string_equal(got, want);
    }
}

TEST(a_strange_character_is_found_at_each_place)
{
    char text[] = "raw(dead)", checksum[DESC_CHECKSUM_CHARS + 1];
    for (size_t i = 0; i + 1 < sizeof text; i++) {
        char before = text[i];
        text[i] = '\n';
        assert_false(desc_checksum(span_of_string(text), checksum));
        text[i] = before;
    }
    assert_true(desc_checksum(span_of_string(text), checksum));
}
