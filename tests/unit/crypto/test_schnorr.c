/* test_schnorr.c - the vectors of BIP340, verifying and signing. */
#include "crypto/key.h"
#include "crypto/schnorr.h"
#include "support/csv.h"
#include "support/hex_bytes.h"
#include "support/unit.h"
#include "support/vectors.h"
#include "util/alloc.h"

/* By the key with this x, of either parity, which must not matter. */
static bool verify(const uint8_t sig[64], struct span message, const uint8_t x[32])
{
    uint8_t key[33] = {2};
    struct ec_pubkey even, odd;
    memcpy(key + 1, x, 32);
    if (!ec_pubkey_parse(&even, span_of(key, 33)))
        return false;
    key[0] = 3;
    assert_true(ec_pubkey_parse(&odd, span_of(key, 33)));
    bool is_right = schnorr_verify(sig, message, &even);
    assert_int_equal(schnorr_verify(sig, message, &odd), is_right);
    return is_right;
}

enum column { INDEX, SECRET, PUBLIC, AUX, MESSAGE, SIGNATURE, RESULT };

static void check_row(const struct ec_context *context, char *fields[CSV_FIELDS_MAX])
{
    uint8_t key[32], public[32], aux[32], message[256], sig[64], made[64];
    size_t message_len = hex_bytes(fields[MESSAGE], message, sizeof message);
    hex_bytes_exactly(fields[SIGNATURE], sig, 64);
    hex_bytes_exactly(fields[PUBLIC], public, 32);
    bool want = strcmp(fields[RESULT], "TRUE") == 0;
    if (verify(sig, span_of(message, message_len), public) != want)
        fail_msg("row %s verifies wrongly", fields[INDEX]);
    if (!*fields[SECRET])
        return;

    hex_bytes_exactly(fields[SECRET], key, 32);
    hex_bytes_exactly(fields[AUX], aux, 32);
    assert_true(schnorr_sign(context, key, span_of(message, message_len), aux, made));
    assert_memory_equal(made, sig, 64);
    struct ec_pubkey pubkey;
    uint8_t x[32];
    assert_true(seckey_pubkey(context, key, &pubkey));
    xonly_from_pubkey(x, NULL, &pubkey);
    assert_memory_equal(x, public, 32);
}

TEST(every_row_of_bip340_holds)
{
    char *text = vectors_read("bips/0340/test-vectors.csv", NULL);
    if (!text)
        skip();
    static const uint8_t seed[32] = {1};
    struct ec_context *context = ec_context_new(seed);
    int rows = 0;
    char *fields[CSV_FIELDS_MAX], *at = csv_row(text, fields); /* the titles */
    while ((at = csv_row(at, fields)) != NULL) {
        check_row(context, fields);
        rows++;
    }
    assert_true(rows >= 19);
    ec_context_free(context);
    xfree(text);
}

/* Row 0 of BIP340 kept here too: something is tested without the file. */
TEST(a_changed_bit_anywhere_is_refused)
{
    uint8_t sig[64], public[32], message[32] = {0};
    hex_bytes_exactly("e907831f80848d1069a5371b402410364bdf1c5f8307b0084c55f1ce2dca8215"
                      "25f66a4a85ea8b71e482a74f382d2ce5ebeee8fdb2172f477df4900d310536c0",
                      sig, 64);
    hex_bytes_exactly("f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9", public,
                      32);
    assert_true(verify(sig, span_of(message, 32), public));
    for (size_t i = 0; i < 64; i++) {
        sig[i] ^= 0x40;
        assert_false(verify(sig, span_of(message, 32), public));
        sig[i] ^= 0x40;
    }
    assert_false(verify(sig, span_of(message, 31), public));
    assert_false(verify(sig, span_of(NULL, 0), public));
    public[31] ^= 1;
    assert_false(verify(sig, span_of(message, 32), public));
}
