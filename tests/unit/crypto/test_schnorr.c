/* test_schnorr.c - the vectors of BIP340, verifying and signing. */
#include "crypto/key.h"
#include "crypto/schnorr.h"
#include "support/csv.h"
#include "support/hex_bytes.h"
#include "support/unit.h"
#include "support/vectors.h"
#include "util/alloc.h"

enum column { INDEX, SECRET, PUBLIC, AUX, MESSAGE, SIGNATURE, RESULT };

static void check_row(const struct ec_context *context, char *fields[CSV_FIELDS_MAX])
{
    uint8_t key[32], public[32], aux[32], message[256], sig[64], made[64];
    size_t message_len = hex_bytes(fields[MESSAGE], message, sizeof message);
    hex_bytes_exactly(fields[SIGNATURE], sig, 64);
    hex_bytes_exactly(fields[PUBLIC], public, 32);
    bool want = strcmp(fields[RESULT], "TRUE") == 0;
    if (schnorr_verify(sig, span_of(message, message_len), public) != want)
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
    assert_true(schnorr_verify(sig, span_of(message, 32), public));
    for (size_t i = 0; i < 64; i++) {
        sig[i] ^= 0x40;
        assert_false(schnorr_verify(sig, span_of(message, 32), public));
        sig[i] ^= 0x40;
    }
    assert_false(schnorr_verify(sig, span_of(message, 31), public));
    assert_false(schnorr_verify(sig, span_of(NULL, 0), public));
    public[31] ^= 1;
    assert_false(schnorr_verify(sig, span_of(message, 32), public));
}

/* All rows of BIP340 again, by keys parsed before, of either parity. */
TEST(a_parsed_key_gives_the_same_answers)
{
    char *text = vectors_read("bips/0340/test-vectors.csv", NULL);
    if (!text)
        skip();
    int rows = 0;
    char *fields[CSV_FIELDS_MAX], *at = csv_row(text, fields);
    while ((at = csv_row(at, fields)) != NULL) {
        uint8_t key[33], sig[64], message[256];
        hex_bytes_exactly(fields[PUBLIC], key + 1, 32);
        hex_bytes_exactly(fields[SIGNATURE], sig, 64);
        size_t len = hex_bytes(fields[MESSAGE], message, sizeof message);
        bool want = schnorr_verify(sig, span_of(message, len), key + 1);
        for (key[0] = 2; key[0] <= 3; key[0]++) {
            struct ec_pubkey pubkey;
            bool have = ec_pubkey_parse(&pubkey, span_of(key, 33)) &&
                        schnorr_verify_parsed(sig, span_of(message, len), &pubkey);
            assert_int_equal(have, want);
        }
        rows++;
    }
    assert_true(rows >= 19);
    xfree(text);
}
