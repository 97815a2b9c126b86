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
