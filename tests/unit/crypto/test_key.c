/* test_key.c - secret keys and signing. */
#include "crypto/ecdsa.h"
#include "crypto/hash.h"
#include "crypto/key.h"
#include "crypto/schnorr.h"
#include "support/hex_bytes.h"
#include "support/unit.h"

#define ORDER "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"

static int open_context(void **state)
{
    static const uint8_t seed[32] = {7};
    *state = ec_context_new(seed);
    return 0;
}

static int close_context(void **state)
{
    ec_context_free(*state);
    return 0;
}

FIXTURE(open_context, close_context)

TEST(valid_keys_are_one_to_the_order_minus_one, struct ec_context *context)
{
    uint8_t key[32] = {0};
    struct ec_pubkey pubkey;
    assert_false(seckey_is_valid(key));
    assert_false(seckey_pubkey(context, key, &pubkey));
    key[31] = 1;
    assert_true(seckey_is_valid(key));
    hex_bytes_exactly(ORDER, key, 32);
    assert_false(seckey_is_valid(key));
    assert_false(seckey_pubkey(context, key, &pubkey));
    key[31]--;
    assert_true(seckey_is_valid(key));
    assert_true(seckey_pubkey(context, key, &pubkey));
}

TEST(the_public_key_of_one_is_the_generator, struct ec_context *context)
{
    uint8_t key[32] = {[31] = 1}, out[65];
    struct ec_pubkey pubkey;
    assert_true(seckey_pubkey(context, key, &pubkey));
    ec_pubkey_serialize(&pubkey, true, out);
    assert_hex(out, 33, "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798");
}

/* clang-format off */
/* Known from Core's key tests: keys, and what they make of the double hash of one message. */
static const struct { const char *key, *sig; } deterministic[] = {
    {"12b004fff7f4b69ef8650e767f18f11ede158148b425660723b9f9a66e61f747",
     "304402205dbbddda71772d95ce91cd2d14b592cfbc1dd0aabd6a394b6c2d377bbe59d31d"
     "022014ddda21494a4e221f0824f0b8b924c43fa43c0ad57dccdaa11f81a6bd4582f6"},
    {"b524c28b61c9b2c49b2c7dd4c2d75887abb78768c054bd7c01af4029f6c0d117",
     "3044022052d8a32079c11e79db95af63bb9600c5b04f21a9ca33dc129c2bfa8ac9dc1cd5"
     "022061d8ae5e0f6c1a16bde3719c64c2fd70e404b6428ab9a69566962e8771b5944d"},
};
/* clang-format on */

TEST(ecdsa_signatures_are_deterministic, struct ec_context *context)
{
    uint8_t key[32], hash[32], sig[ECDSA_SIG_MAX];
    sha256d(span_of_string("Very deterministic message"), hash);
    for (size_t i = 0; i < COUNT_OF(deterministic); i++) {
        hex_bytes_exactly(deterministic[i].key, key, 32);
        size_t len = ecdsa_sign(context, key, hash, sig);
        assert_hex(sig, len, deterministic[i].sig);
    }
}

TEST(ecdsa_signatures_are_small_strict_and_valid, struct ec_context *context)
{
    uint8_t key[32] = {[31] = 5}, hash[32], sig[ECDSA_SIG_MAX + 1];
    struct ec_pubkey pubkey;
    assert_true(seckey_pubkey(context, key, &pubkey));
    for (uint8_t i = 0; i < 100; i++) {
        sha256(span_of(&i, 1), hash);
        size_t len = ecdsa_sign(context, key, hash, sig);
        assert_true(len > 0 && len <= 70);
        assert_true(ecdsa_verify_lax(span_of(sig, len), hash, &pubkey));
        assert_true(ecdsa_is_low_s(span_of(sig, len)));
        assert_true(sig[3] <= 32); /* r needs no byte for its sign */
        sig[len] = 1;
        assert_true(ecdsa_is_strict_der(span_of(sig, len + 1)));
        hash[0] ^= 1;
        assert_false(ecdsa_verify_lax(span_of(sig, len), hash, &pubkey));
    }
}

TEST(an_invalid_key_signs_nothing, struct ec_context *context)
{
    uint8_t zero[32] = {0}, sig[ECDSA_SIG_MAX];
    assert_int_equal(ecdsa_sign(context, zero, zero, sig), 0);
    assert_false(schnorr_sign(context, zero, span_of(zero, 32), NULL, sig));
    assert_false(seckey_taproot_tweak(context, zero, zero, sig));
}

TEST(missing_randomness_counts_as_zeros, struct ec_context *context)
{
    uint8_t key[32] = {[31] = 3}, zero[32] = {0}, a[64], b[64], c[64];
    assert_true(schnorr_sign(context, key, span_of(zero, 32), zero, a));
    assert_true(schnorr_sign(context, key, span_of(zero, 32), NULL, b));
    assert_memory_equal(a, b, 64);
    assert_true(schnorr_sign(context, key, span_of(zero, 32), key, c));
    assert_memory_not_equal(a, c, 64);
}

/* Whatever the parity of the untweaked point, the tweaked key belongs to the tweaked x. */
TEST(a_taproot_key_fits_its_output, struct ec_context *context)
{
    for (uint8_t i = 1; i <= 20; i++) {
        uint8_t key[32] = {[31] = i}, tweak[32], tweaked[32], x[32], want[32], got[32];
        struct ec_pubkey pubkey;
        sha256(span_of(&i, 1), tweak);
        assert_true(seckey_pubkey(context, key, &pubkey));
        xonly_from_pubkey(x, NULL, &pubkey);
        assert_true(xonly_tweak_add(want, NULL, x, tweak));
        assert_true(seckey_taproot_tweak(context, key, tweak, tweaked));
        assert_true(seckey_pubkey(context, tweaked, &pubkey));
        xonly_from_pubkey(got, NULL, &pubkey);
        assert_memory_equal(got, want, 32);
    }
}

TEST(adding_to_a_key_adds_to_its_point, struct ec_context *context)
{
    uint8_t key[32] = {[31] = 9}, tweak[32] = {[0] = 0x80, [31] = 4}, a[65], b[65];
    struct ec_pubkey pubkey, sum;
    assert_true(seckey_pubkey(context, key, &pubkey));
    assert_true(ec_pubkey_tweak_add(&pubkey, tweak));
    assert_true(seckey_tweak_add(key, tweak));
    assert_true(seckey_pubkey(context, key, &sum));
    ec_pubkey_serialize(&pubkey, false, a);
    ec_pubkey_serialize(&sum, false, b);
    assert_memory_equal(a, b, 65);
    hex_bytes_exactly(ORDER, tweak, 32);
    assert_false(seckey_tweak_add(key, tweak));
}

TEST(a_compact_signature_names_its_key_and_its_form, struct ec_context *context)
{
    for (uint8_t i = 1; i < 40; i++) {
        uint8_t key[32] = {[31] = i}, hash[32], sig[ECDSA_COMPACT_BYTES], want[65], got[65];
        struct ec_pubkey pubkey, recovered;
        bool compressed;
        sha256(span_of(&i, 1), hash);
        assert_true(seckey_pubkey(context, key, &pubkey));
        assert_true(ecdsa_sign_compact(context, key, hash, i & 1, sig));
        assert_in_range(sig[0], i & 1 ? 31 : 27, i & 1 ? 34 : 30);
        assert_true(ecdsa_recover_compact(sig, hash, &recovered, &compressed));
        assert_int_equal(compressed, i & 1);
        ec_pubkey_serialize(&pubkey, false, want);
        ec_pubkey_serialize(&recovered, false, got);
        assert_memory_equal(got, want, 65);
        sig[33] ^= 1;
        if (ecdsa_recover_compact(sig, hash, &recovered, &compressed)) {
            ec_pubkey_serialize(&recovered, false, got);
            assert_memory_not_equal(got, want, 65);
        }
    }
}

TEST(what_is_no_compact_signature_has_no_key, struct ec_context *context)
{
    uint8_t key[32] = {0}, hash[32] = {1}, sig[ECDSA_COMPACT_BYTES] = {27};
    struct ec_pubkey pubkey;
    bool compressed;
    assert_false(ecdsa_sign_compact(context, key, hash, true, sig));
    assert_false(ecdsa_recover_compact(sig, hash, &pubkey, &compressed)); /* r, s: 0 */
    memset(sig + 1, 0xff, 64);
    assert_false(ecdsa_recover_compact(sig, hash, &pubkey, &compressed));
}
