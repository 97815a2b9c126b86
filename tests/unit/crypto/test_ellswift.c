/* test_ellswift.c - the vectors of BIP324, and that both ends agree. */
#include "crypto/ellswift.h"
#include "crypto/hash.h"
#include "support/csv.h"
#include "support/hex_bytes.h"
#include "support/unit.h"
#include "support/vectors.h"
#include "util/alloc.h"

typedef void row_fn(char *fields[CSV_FIELDS_MAX]);

/* Call fn for every row after the titles; returns how many there were, 0 if there is no file. */
static int for_each_row(const char *path, row_fn *fn)
{
    char *text = vectors_read(path, NULL);
    if (!text)
        return 0;
    int rows = 0;
    char *fields[CSV_FIELDS_MAX], *at = csv_row(text, fields);
    while ((at = csv_row(at, fields)) != NULL) {
        fn(fields);
        rows++;
    }
    xfree(text);
    return rows;
}

static void check_decode(char *fields[CSV_FIELDS_MAX])
{
    uint8_t encoding[64], x[32];
    hex_bytes_exactly(fields[0], encoding, 64);
    ellswift_decode(encoding, x);
    assert_hex(x, 32, fields[1]);
}

TEST(encodings_decode_as_in_bip324)
{
    int rows = for_each_row("bips/0324/ellswift_decode_test_vectors.csv", check_decode);
    if (rows == 0)
        skip();
    assert_true(rows >= 70);
}

static void check_inverse(char *fields[CSV_FIELDS_MAX])
{
    uint8_t encoding[64], x[32], back[32];
    hex_bytes_exactly(fields[0], encoding, 32);
    hex_bytes_exactly(fields[1], x, 32);
    for (int which = 0; which < 8; which++) {
        const char *want = fields[2 + which];
        assert_int_equal(ellswift_invert(x, encoding, which, encoding + 32), *want != '\0');
        if (!*want)
            continue;
        assert_hex(encoding + 32, 32, want);
        ellswift_decode(encoding, back);
        assert_memory_equal(back, x, 32);
    }
}

TEST(inverses_are_those_of_bip324)
{
    int rows = for_each_row("bips/0324/xswiftec_inv_test_vectors.csv", check_inverse);
    if (rows == 0)
        skip();
    assert_true(rows >= 30);
}

enum { PRIV_OURS = 1, OURS, THEIRS, INITIATING, X_OURS = 9, X_THEIRS, SHARED_SECRET = 12 };

static void check_agreement(char *fields[CSV_FIELDS_MAX])
{
    uint8_t key[32], ours[64], theirs[64], x[32], secret[32];
    hex_bytes_exactly(fields[PRIV_OURS], key, 32);
    hex_bytes_exactly(fields[OURS], ours, 64);
    hex_bytes_exactly(fields[THEIRS], theirs, 64);
    ellswift_decode(ours, x);
    assert_hex(x, 32, fields[X_OURS]);
    ellswift_decode(theirs, x);
    assert_hex(x, 32, fields[X_THEIRS]);
    assert_true(ellswift_agree(key, ours, theirs, fields[INITIATING][0] == '1', secret));
    assert_hex(secret, 32, fields[SHARED_SECRET]);
}

TEST(secrets_are_those_of_bip324)
{
    int rows = for_each_row("bips/0324/packet_encoding_test_vectors.csv", check_agreement);
    if (rows == 0)
        skip();
    assert_int_equal(rows, 7);
}

TEST(both_ends_agree)
{
    static const uint8_t seed[32] = {1};
    struct ec_context *context = ec_context_new(seed);
    for (uint8_t i = 1; i <= 20; i++) {
        uint8_t key_a[32] = {[31] = i}, key_b[32] = {[30] = i}, random[32] = {i};
        uint8_t a[64], b[64], secret_a[32], secret_b[32], x[32], want[32];
        struct ec_pubkey pubkey;
        assert_true(ellswift_create(context, key_a, random, a));
        assert_true(ellswift_create(context, key_b, random, b));
        assert_true(seckey_pubkey(context, key_a, &pubkey));
        xonly_from_pubkey(want, NULL, &pubkey);
        ellswift_decode(a, x);
        assert_memory_equal(x, want, 32);
        assert_true(ellswift_agree(key_a, a, b, true, secret_a));
        assert_true(ellswift_agree(key_b, b, a, false, secret_b));
        assert_memory_equal(secret_a, secret_b, 32);
        /* Who opened the connection is part of the secret. */
        assert_true(ellswift_agree(key_b, b, a, true, secret_b));
        assert_memory_not_equal(secret_a, secret_b, 32);
        /* Other randomness, another encoding of the same key. */
        random[1]++;
        assert_true(ellswift_create(context, key_a, random, b));
        assert_memory_not_equal(a, b, 64);
    }
    uint8_t zero[32] = {0}, out[64] = {0};
    assert_false(ellswift_create(context, zero, zero, out));
    assert_false(ellswift_agree(zero, out, out, true, zero));
    ec_context_free(context);
}
