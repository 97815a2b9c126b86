/* test_ecdsa.c - strict and lax encodings, low s, verification. */
#include "crypto/ecdsa.h"
#include "crypto/hash.h"
#include "crypto/key.h"
#include "support/hex_bytes.h"
#include "support/unit.h"

#define R32                                                                                        \
    "11111111111111111111111111111111"                                                             \
    "11111111111111111111111111111111"
#define S32                                                                                        \
    "22222222222222222222222222222222"                                                             \
    "22222222222222222222222222222222"
#define Z32                                                                                        \
    "00000000000000000000000000000000"                                                             \
    "00000000000000000000000000000000"
#define N "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
/* Half the order, and one more. */
#define HALF  "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0"
#define HALF1 "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1"

/* clang-format off */
/* Whole signatures with a hash type byte at the end, as BIP66 has them. */
static const struct { const char *sig; bool want; const char *why; } strict[] = {
    {"30440220" R32 "0220" S32 "01",         true,  "usual"},
    {"3006020101020101" "01",                true,  "shortest: 9 bytes"},
    {"300602010102010101",                   true,  "any hash type"},
    {"3005020101020001",                     false, "8 bytes"},
    {"3006020100020100" "01",                true,  "a zero is one zero byte"},
    {"3006020180020101" "01",                false, "r negative"},
    {"3006020101020180" "01",                false, "s negative"},
    {"300702020001020101" "01",              false, "r padded without need"},
    {"300702010102020001" "01",              false, "s padded without need"},
    {"300702020080020101" "01",              true,  "r padded with need"},
    {"300702010102020080" "01",              true,  "s padded with need"},
    {"3006020001020101" "01",                false, "r of length zero"},
    {"30050201010200" "0101",                false, "s of length zero"},
    {"3106020101020101" "01",                false, "not a sequence"},
    {"3006030101020101" "01",                false, "r not an integer"},
    {"3006020101030101" "01",                false, "s not an integer"},
    {"3005020101020101" "01",                false, "sequence shorter than its content"},
    {"3007020101020101" "01",                false, "sequence longer than its content"},
    {"300702010102010100" "01",              false, "bytes after s, counted"},
    {"30060201010201010001",                 false, "bytes after s, not counted"},
    {"3006020101020201" "01",                false, "s runs into the hash type"},
    {"3006020501020101" "01",                false, "r runs over s"},
    {"300602ff01020101" "01",                false, "r runs far out"},
    {"30810602010102010101",                 false, "long form of a length"},
    {"3046022100" N "022100" N "01",         true,  "longest usual; range is not encoding"},
    {"3047022100" N "02220000" N "01",       false, "73 bytes but padded"},
    {"3048022200ff" N "022100" N "01",       false, "74 bytes"},
    {"",                                     false, "nothing"},
};

/* Signatures without hash type byte; compact is NULL where there is no way to read them. */
static const struct { const char *sig, *compact, *why; } lax[] = {
    {"30440220" R32 "0220" S32,                 R32 S32, "strict"},
    {"30440220" R32 "0220" S32 "ffff",          R32 S32, "bytes after it"},
    {"30000220" R32 "0220" S32,                 R32 S32, "the sequence's length is not looked at"},
    {"30ff" /* 127 bytes of length */,          NULL,    "length of a length beyond the end"},
    {"3080" "0220" R32 "0220" S32,              R32 S32, "a long length of no bytes"},
    {"3082ffff" "0220" R32 "0220" S32,          R32 S32, "long form, wrong"},
    {"3044028120" R32 "02820020" S32,           R32 S32, "integers' lengths in long form"},
    {"304402850000000020" R32 "0220" S32,       R32 S32, "long form with zeros in front"},
    {"30440284" "01000020" R32 "0220" S32,      NULL,    "a length of four bytes"},
    {"30440283" "010020" R32 "0220" S32,        NULL,    "longer than what is left"},
    {"3044022300" "0000" R32 "0220" S32,        R32 S32, "r padded"},
    {"3044022100" R32 "02220000" S32,           R32 S32, "s padded"},
    {"3044022101" R32 "0220" S32,               Z32 Z32, "r of 33 bytes"},
    {"30440220" R32 "022101" S32,               Z32 Z32, "s of 33 bytes"},
    {"30440220" N "0220" S32,                   Z32 Z32, "r is the group's order"},
    {"30440220" R32 "0220" N,                   Z32 Z32, "s is the group's order"},
    {"30440220" "f" "1111111111111111111111111111111" "11111111111111111111111111111111"
     "0220" S32,
     "f" "1111111111111111111111111111111" "11111111111111111111111111111111" S32,
                                                         "negative counts as positive"},
    {"3006" "0200" "0200",                      Z32 Z32, "empty integers are zero"},
    {"3006" "0280" "0200",                      Z32 Z32, "empty integers in long form"},
    {"3006020101020101",
     "0000000000000000000000000000000000000000000000000000000000000001"
     "0000000000000000000000000000000000000000000000000000000000000001", "short"},
    {"",                                        NULL,    "nothing"},
    {"30",                                      NULL,    "ends after the tag"},
    {"3006",                                    NULL,    "ends after the length"},
    {"300602",                                  NULL,    "ends in r"},
    {"30060201",                                NULL,    "ends in r"},
    {"3006020101",                              NULL,    "no s"},
    {"300602010102",                            NULL,    "ends in s"},
    {"30060201010201",                          NULL,    "ends in s"},
    {"3106020101020101",                        NULL,    "not a sequence"},
    {"3006030101020101",                        NULL,    "r not an integer"},
    {"3006020101030101",                        NULL,    "s not an integer"},
};
/* clang-format on */

TEST(strict_encoding_is_that_of_bip66)
{
    for (size_t i = 0; i < COUNT_OF(strict); i++) {
        uint8_t sig[128];
        size_t len = hex_bytes(strict[i].sig, sig, sizeof sig);
        if (ecdsa_is_strict_der(span_of(sig, len)) != strict[i].want)
            fail_msg("%s: %s", strict[i].sig, strict[i].why);
    }
}

TEST(lax_encoding_reads_what_openssl_did)
{
    for (size_t i = 0; i < COUNT_OF(lax); i++) {
        uint8_t sig[256], compact[64], want[64];
        size_t len = hex_bytes(lax[i].sig, sig, sizeof sig);
        bool parsed = ecdsa_parse_lax(span_of(sig, len), compact);
        if (parsed != (lax[i].compact != NULL))
            fail_msg("%s: %s", lax[i].sig, lax[i].why);
        if (!parsed)
            continue;
        hex_bytes_exactly(lax[i].compact, want, 64);
        if (memcmp(compact, want, 64) != 0)
            fail_msg("%s: wrong numbers: %s", lax[i].sig, lax[i].why);
    }
}

static bool low(const char *digits)
{
    uint8_t sig[128];
    return ecdsa_is_low_s(span_of(sig, hex_bytes(digits, sig, sizeof sig)));
}

TEST(s_is_low_up_to_half_the_order)
{
    assert_true(low("30440220" R32 "0220" HALF));
    assert_false(low("30440220" R32 "0220" HALF1));
    assert_true(low("3006020101020101"));
    assert_true(low("30440220" R32 "0220" N)); /* reads as zero */
    assert_false(low("3006020101"));
}

/* order - s, big-endian */
static void negate(uint8_t s[32])
{
    uint8_t n[32];
    int borrow = 0;
    hex_bytes_exactly(N, n, 32);
    for (int i = 31; i >= 0; i--) {
        int d = n[i] - s[i] - borrow;
        borrow = d < 0;
        s[i] = (uint8_t)(d & 0xff);
    }
}

TEST(consensus_takes_both_halves_of_s)
{
    static const uint8_t seed[32] = {1};
    struct ec_context *context = ec_context_new(seed);
    uint8_t key[32] = {[0] = 3}, hash[32], der[72], compact[64], high[73] = {0x30, 69, 0x02, 32};
    struct ec_pubkey pubkey;
    sha256(span_of_string("message"), hash);
    assert_true(seckey_pubkey(context, key, &pubkey));
    size_t len = ecdsa_sign(context, key, hash, der);
    assert_true(ecdsa_parse_lax(span_of(der, len), compact));
    assert_true(ecdsa_verify_lax(span_of(der, len), hash, &pubkey));

    negate(compact + 32);
    memcpy(high + 4, compact, 32);
    high[36] = 0x02;
    high[37] = 33;
    memcpy(high + 39, compact + 32, 32);
    assert_false(ecdsa_is_low_s(span_of(high, 71)));
    assert_true(ecdsa_verify_lax(span_of(high, 71), hash, &pubkey));
    /* The same without the zero that keeps s positive, and with rubbish behind. */
    high[37] = 32;
    memmove(high + 38, high + 39, 32);
    assert_true(ecdsa_verify_lax(span_of(high, 73), hash, &pubkey));
    high[10] ^= 1;
    assert_false(ecdsa_verify_lax(span_of(high, 73), hash, &pubkey));
    assert_false(ecdsa_verify_lax(span_of(NULL, 0), hash, &pubkey));
    ec_context_free(context);
}

TEST(zero_never_verifies)
{
    uint8_t hash[32] = {0}, g[33], sig[8];
    struct ec_pubkey pubkey;
    hex_bytes_exactly("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798", g, 33);
    assert_true(ec_pubkey_parse(&pubkey, span_of(g, 33)));
    hex_bytes_exactly("3006020100020100", sig, 8);
    assert_false(ecdsa_verify_lax(span_of(sig, 8), hash, &pubkey));
}
