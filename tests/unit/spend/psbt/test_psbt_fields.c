/* test_psbt_fields.c - what is wrong with a record, in Core's words. */
#include "spend/psbt/psbt_fields_internal.h"
#include "unit/spend/psbt/psbt_fixture.h"
#include "util/hex.h"

FIXTURE(setup, teardown)

#define K1  "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define X1  "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define BAD "050000000000000000000000000000000000000000000000000000000000000000"
#define SIG "3006020101020101"

static struct span from_hex(struct fixture *f, const char *hex)
{
    size_t len = strlen(hex) / 2;
    uint8_t *bytes = arena_alloc(&f->arena, len + 1);
    assert_true(hex_decode(bytes, len, hex, 2 * len));
    return span_of(bytes, len);
}

TEST(records_of_inputs, struct fixture *f)
{
    static const struct {
        uint64_t type;
        const char *data, *value, *want; /* NULL: nothing is wrong */
    } cases[] = {
        {PSBT_IN_PARTIAL_SIG, K1, SIG "01", NULL},
        {PSBT_IN_PARTIAL_SIG, "02", SIG "01",
         "Size of key was not the expected size for the type partial signature pubkey"},
        {PSBT_IN_PARTIAL_SIG, BAD, SIG "01", "Invalid pubkey"},
        {PSBT_IN_PARTIAL_SIG, K1, SIG "04", "Signature is not a valid encoding"},
        {PSBT_IN_PARTIAL_SIG, K1, "", "Signature is not a valid encoding"},
        {PSBT_IN_SIGHASH_TYPE, "", "01000000", NULL},
        {PSBT_IN_SIGHASH_TYPE, "", "010000", "Size of value was not the stated size"},
        {PSBT_IN_SIGHASH_TYPE, "00", "01000000", "Sighash type key is more than one byte type"},
        {PSBT_IN_BIP32_DERIVATION, K1, "0102030405000000", NULL},
        {PSBT_IN_BIP32_DERIVATION, K1, "01020304050000", "Invalid length for HD key path"},
        {PSBT_IN_WITNESS_UTXO, "",
         "0000000000000000"
         "0151",
         NULL},
        {PSBT_IN_WITNESS_UTXO, "",
         "0000000000000000"
         "0251",
         "Size of value was not the stated size"},
        {PSBT_IN_FINAL_SCRIPTWITNESS, "", "0100", NULL},
        {PSBT_IN_FINAL_SCRIPTWITNESS, "", "0200", "Size of value was not the stated size"},
        {PSBT_IN_TAP_KEY_SIG, "", "00",
         "Input Taproot key path signature is shorter than 64 bytes"},
        {PSBT_IN_TAP_LEAF_SCRIPT, "c0" X1, "51c0", NULL},
        {PSBT_IN_TAP_LEAF_SCRIPT, "c0" X1, "", "Input Taproot leaf script must be at least 1 byte"},
        {PSBT_IN_TAP_LEAF_SCRIPT, X1, "51c0", "Taproot leaf script key is not at least 34 bytes"},
        {PSBT_IN_TAP_BIP32_DERIVATION, X1, "0001020304", NULL},
        {PSBT_IN_TAP_BIP32_DERIVATION, X1, "0101020304",
         "Input Taproot BIP32 keypath has an invalid length"},
        {PSBT_IN_MUSIG2_PARTICIPANTS, K1, K1 K1, NULL},
        {PSBT_IN_MUSIG2_PUB_NONCE, K1, "",
         "Input musig2 pubnonce key is not expected size of 67 or "
         "99 bytes"},
        {PSBT_IN_PREVIOUS_TXID, "", X1, "Previous txid is not allowed in PSBTv0"},
        {PSBT_IN_SEQUENCE, "", "01000000", "Sequence is not allowed in PSBTv0"},
        {PSBT_PROPRIETARY,
         "0161"
         "02"
         "ff",
         "", NULL},
        {PSBT_PROPRIETARY, "0561", "", "Size of value was not the stated size"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct psbt_record record = {.type = cases[i].type,
                                     .data = from_hex(f, cases[i].data),
                                     .value = from_hex(f, cases[i].value)};
        const char *got = psbt_check_record(PSBT_MAP_INPUT, PSBT_VERSION_0, &record);
        if (!got != !cases[i].want || (got && strcmp(got, cases[i].want) != 0))
            fail_msg("%zu: %s, not %s", i, got ? got : "-", cases[i].want ? cases[i].want : "-");
    }
    struct psbt_record unknown = {.type = 0x77};
    assert_null(psbt_check_record(PSBT_MAP_INPUT, PSBT_VERSION_0, &unknown));
    assert_false(psbt_is_known(PSBT_MAP_INPUT, 0x77));
    assert_true(psbt_is_known(PSBT_MAP_INPUT, PSBT_PROPRIETARY));
}

TEST(keys_that_are_there_twice)
{
    assert_string_equal(psbt_duplicate_error(PSBT_MAP_INPUT, PSBT_IN_REDEEM_SCRIPT),
                        "Duplicate Key, input redeemScript already provided");
    assert_string_equal(psbt_duplicate_error(PSBT_MAP_OUTPUT, PSBT_OUT_REDEEM_SCRIPT),
                        "Duplicate Key, output redeemScript already provided");
    assert_string_equal(psbt_duplicate_error(PSBT_MAP_GLOBAL, 0x77),
                        "Duplicate Key, key for unknown value already provided");
    assert_string_equal(psbt_duplicate_error(PSBT_MAP_GLOBAL, PSBT_PROPRIETARY),
                        "Duplicate Key, proprietary key already found");
}

/* Signatures stand in the order of their keys' hashes: 751e76e8... is that of the generator, and
 * 06afd46b... that of twice it. */
TEST(signatures_stand_in_the_order_of_hashes, struct fixture *f)
{
    struct psbt_record one = {.type = PSBT_IN_PARTIAL_SIG, .data = from_hex(f, K1)};
    struct psbt_record two = {
        .type = PSBT_IN_PARTIAL_SIG,
        .data = from_hex(f, "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5")};
    assert_true(psbt_compare_records(PSBT_MAP_INPUT, &one, &two) > 0);
    struct psbt_record shorter = {.type = PSBT_IN_TAP_LEAF_SCRIPT,
                                  .data = from_hex(f, "c1" X1),
                                  .value = from_hex(f, "51c0")};
    struct psbt_record longer = {.type = PSBT_IN_TAP_LEAF_SCRIPT,
                                 .data = from_hex(f, "c0" X1 X1),
                                 .value = from_hex(f, "51c0")};
    assert_true(psbt_compare_records(PSBT_MAP_INPUT, &shorter, &longer) < 0);
    assert_true(psbt_compare_records(PSBT_MAP_INPUT, &one, &longer) < 0);
}
