/* test_hmac.c - the examples of RFC 4231 and RFC 5869. */
#include "crypto/hmac.h"
#include "support/hex_bytes.h"
#include "support/unit.h"
#include "util/assert.h"

#define X10(s) s s s s s s s s s s
#define AA131  X10(X10("aa")) X10("aa") X10("aa") X10("aa") "aa"

/* clang-format off */
static const struct { const char *key, *message, *sha256, *sha512; } cases[] = {
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
     "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
     "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"},
    {"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
     "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
     "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
    /* a key longer than a block */
    {AA131, "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d"
            "2048617368204b6579204669727374",
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
     "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
     "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"},
};

static const struct { const char *secret, *salt, *info, *key, *out; } derivations[] = {
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
     "f0f1f2f3f4f5f6f7f8f9",
     "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
     "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
     "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
     "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
};
/* clang-format on */

static struct span bytes(const char *digits, uint8_t *buf, size_t size)
{
    return span_of(buf, hex_bytes(digits, buf, size));
}

TEST(tags_are_those_of_rfc4231)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t key[200], message[200], out[64];
        struct span k = bytes(cases[i].key, key, sizeof key);
        struct span m = bytes(cases[i].message, message, sizeof message);
        hmac_sha256(k, m, out);
        assert_hex(out, 32, cases[i].sha256);
        hmac_sha512(k, m, out);
        assert_hex(out, 64, cases[i].sha512);
    }
}

TEST(keys_derive_as_in_rfc5869)
{
    for (size_t i = 0; i < COUNT_OF(derivations); i++) {
        uint8_t secret[64], salt[64], info[64], key[32], out[42];
        hkdf_sha256_extract(bytes(derivations[i].salt, salt, sizeof salt),
                            bytes(derivations[i].secret, secret, sizeof secret), key);
        assert_hex(key, 32, derivations[i].key);
        hkdf_sha256_expand(key, bytes(derivations[i].info, info, sizeof info), out, sizeof out);
        assert_hex(out, sizeof out, derivations[i].out);
        /* Shorter output is a prefix of longer output. */
        uint8_t prefix[42] = {0};
        hkdf_sha256_expand(key, bytes(derivations[i].info, info, sizeof info), prefix, 32);
        assert_memory_equal(out, prefix, 32);
        assert_int_equal(prefix[32], 0);
    }
}

TEST(output_has_a_limit)
{
    static uint8_t key[32];
    uint8_t out[255 * 32 + 1];
    hkdf_sha256_expand(key, span_of(NULL, 0), out, 255 * 32);
    expect_assert_failure(hkdf_sha256_expand(key, span_of(NULL, 0), out, 255 * 32 + 1));
}
