/* test_script_sig.c - removing signatures from scripts, encodings, single signature checks.
 *
 * hazards: row 13 (CVE-2024-38365), row 17 (Schnorr s not below the order), row 28 (lax DER). */
#include "support/hex_bytes.h"
#include "support/script_keys.h"
#include "support/script_names.h"
#include "support/script_vm.h"
#include "support/unit.h"

#define BASE SCRIPT_VERSION_BASE
#define V0   SCRIPT_VERSION_V0

/* clang-format off */
/* Scripts and data in hexadecimal digits; what is left and how many pushes were removed. */
static const struct { const char *script, *data, *left; size_t found; } removals[] = {
    {"",             "aabb", "",         0},
    {"02aabb",       "aabb", "",         1},
    {"02aabb02aabb", "aabb", "",         2},
    {"5102aabb52",   "aabb", "5152",     1},
    {"5102aabb02aabb5202aabb", "aabb", "5152", 3},
    {"02aabc",       "aabb", "02aabc",   0},
    {"4c02aabb",     "aabb", "4c02aabb", 0}, /* another encoding of the same push stays */
    {"0302aabb",     "aabb", "0302aabb", 0}, /* inside a push: no opcode boundary */
    {"0402aabb02aabb", "aabb", "0402aabb02aabb", 0}, /* 4-byte push, then bb */
    {"0302aabb02aabb", "aabb", "0302aabb", 1},
    {"0002aabb00",   "",     "02aabb",   2}, /* the empty string is OP_0 */
    {"020000",       "",     "020000",   0},
    {"51",           "51",   "51",       0},
    {"0151",         "51",   "",         1}, /* never the number opcode */
    {"02aabb05aa",   "aabb", "05aa",     1}, /* a cut push ends the search, and stays */
    {"05aa02aabb",   "aabb", "05aa02aabb", 0},
    {"0202020202",   "0202", "0202",     1}, /* first match, then on from behind it */
    {"020202020202", "0202", "",         2},
};
/* clang-format on */

TEST(only_whole_pushes_are_removed)
{
    struct buffer owned;
    buffer_init(&owned);
    for (size_t i = 0; i < COUNT_OF(removals); i++) {
        uint8_t script[40], data[40], left[40];
        struct span s = span_of(script, hex_bytes(removals[i].script, script, sizeof script));
        struct span d = span_of(data, hex_bytes(removals[i].data, data, sizeof data));
        struct span want = span_of(left, hex_bytes(removals[i].left, left, sizeof left));
        size_t found = script_find_and_delete(&s, d, &owned);
        if (found != removals[i].found || !span_equal(s, want))
            fail_msg("row %zu: %s", i, removals[i].script);
        /* Once more, now that the script lies in the buffer: nothing is left to find, unless
         * removing made new pushes of what was around. */
        if (found > 0)
            (void)script_find_and_delete(&s, d, &owned);
    }
    buffer_deinit(&owned);
}

/* One removal after another works on what the first one left. */
TEST(removals_follow_each_other)
{
    static const uint8_t script[] = {0x01, 0xaa, 0x51, 0x01, 0xbb, 0x01, 0xaa, 0x52};
    struct buffer owned;
    buffer_init(&owned);
    struct span s = span_of(script, sizeof script);
    assert_int_equal(script_find_and_delete(&s, span_of("\xaa", 1), &owned), 2);
    assert_int_equal(script_find_and_delete(&s, span_of("\xcc", 1), &owned), 0);
    assert_int_equal(script_find_and_delete(&s, span_of("\xbb", 1), &owned), 1);
    assert_true(span_equal(s, span_of("\x51\x52", 2)));
    buffer_deinit(&owned);
}

TEST(long_data_is_found_by_its_own_prefix)
{
    static const size_t lengths[] = {75, 76, 255, 256, 520};
    struct buffer script, owned;
    buffer_init(&script), buffer_init(&owned);
    uint8_t data[520];
    memset(data, 0x5a, sizeof data);
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        script.len = 0;
        asm_script(&script, "NOP");
        asm_push(&script, data, lengths[i]);
        asm_script(&script, "CHECKSIG");
        struct span s = buffer_span(&script);
        assert_int_equal(script_find_and_delete(&s, span_of(data, lengths[i]), &owned), 1);
        assert_true(span_equal(s, span_of("\x61\xac", 2)));
    }
    buffer_deinit(&script), buffer_deinit(&owned);
}

/* The order of the group, and that number less another. */
static const char order_hex[] = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

static void order_minus(const uint8_t b[32], uint8_t out[32])
{
    uint8_t order[32];
    int borrow = 0;
    hex_bytes_exactly(order_hex, order, 32);
    for (int i = 31; i >= 0; i--) {
        int digit = order[i] - b[i] - borrow;
        borrow = digit < 0;
        out[i] = (uint8_t)(digit + 256 * borrow);
    }
}

/* The signature r = s = 1, type ALL: good for any digest z under the key R - zG, where R is the
 * point with x = 1. */
static const uint8_t one_one_all[] = {0x30, 6, 2, 1, 1, 2, 1, 1, SIGHASH_ALL};

static void key_of_one_one(const uint8_t digest[32], uint8_t encoded[65])
{
    uint8_t r[33] = {2}, minus_z[32];
    struct ec_pubkey pubkey;
    r[32] = 1;
    assert_true(ec_pubkey_parse(&pubkey, span_of(r, sizeof r)));
    order_minus(digest, minus_z);
    assert_true(ec_pubkey_tweak_add(&pubkey, minus_z));
    assert_int_equal(ec_pubkey_serialize(&pubkey, true, encoded), 33);
}

/* Run a scriptPubKey on that signature and a key recovered for some script code. */
static enum script_error run_one_one(struct script_vm *vm, struct span script,
                                     struct span script_code, uint32_t flags)
{
    struct sighash_cache cache;
    uint8_t digest[32], key[65];
    sighash_cache_init(&cache);
    sighash_legacy(&cache, &vm->spend.tx, 0, script_code, SIGHASH_ALL, digest);
    sighash_cache_deinit(&cache);
    key_of_one_one(digest, key);
    struct buffer stack;
    buffer_init(&stack);
    asm_push(&stack, one_one_all, sizeof one_one_all);
    asm_push(&stack, key, 33);
    enum script_error error = script_vm_run_bytes(vm, BASE, flags, buffer_span(&stack), script);
    buffer_deinit(&stack);
    return error;
}

/* hazards: row 13. The published case: the script pushes ten bytes that contain the serialized push
 * of the signature. It is no push of the signature, so it is signed; a node that removed it
 * split from the others. */
TEST(data_that_contains_a_signature_stays_in_the_script)
{
    struct script_vm vm;
    struct buffer script, same;
    script_vm_init(&vm);
    buffer_init(&script), buffer_init(&same);
    asm_script(&script, "CHECKSIGVERIFY 0x0a 0x09300602010102010101");
    const struct span verify = span_of("\xad", 1);
    assert_int_equal(run_one_one(&vm, buffer_span(&script), buffer_span(&script), 0), SCRIPT_OK);
    assert_int_equal(run_one_one(&vm, buffer_span(&script), verify, 0), SCRIPT_ERR_CHECKSIGVERIFY);
    assert_int_equal(run_one_one(&vm, buffer_span(&script), buffer_span(&script),
                                 SCRIPT_VERIFY_CONST_SCRIPTCODE),
                     SCRIPT_OK);

    /* A push of the signature itself is removed, and policy can refuse that. */
    asm_script(&same, "CHECKSIGVERIFY 0x09 0x300602010102010101");
    assert_int_equal(run_one_one(&vm, buffer_span(&same), verify, 0), SCRIPT_OK);
    assert_int_equal(run_one_one(&vm, buffer_span(&same), buffer_span(&same), 0),
                     SCRIPT_ERR_CHECKSIGVERIFY);
    assert_int_equal(run_one_one(&vm, buffer_span(&same), verify, SCRIPT_VERIFY_CONST_SCRIPTCODE),
                     SCRIPT_ERR_SIG_FINDANDDELETE);
    buffer_deinit(&script), buffer_deinit(&same);
    script_vm_deinit(&vm);
}

/* ---- encodings ---- */

struct encoding {
    const char *sig, *pubkey;
    uint32_t flags;
    enum script_version version;
    enum script_error want;
};

#define KEY02 "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define KEY04                                                                                      \
    "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"                           \
    "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
#define KEY06                                                                                      \
    "0679be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"                           \
    "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
#define SIG_OK "30060201010201"
/* s is half the order, rounded down, and one more */
#define SIG_LOW  "302502010102207fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a001"
#define SIG_HIGH "302502010102207fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a101"

/* clang-format off */
static const struct encoding encodings[] = {
    {SIG_OK "0101", KEY02, 0x1fffff, BASE, SCRIPT_OK},
    {"",            KEY02, 0x1fffff, BASE, SCRIPT_OK},
    {"00",          KEY02, 0, BASE, SCRIPT_OK},
    {"00",          KEY02, SCRIPT_VERIFY_DERSIG, BASE, SCRIPT_ERR_SIG_DER},
    {"00",          KEY02, SCRIPT_VERIFY_STRICTENC, BASE, SCRIPT_ERR_SIG_DER},
    {"00",          KEY02, SCRIPT_VERIFY_LOW_S, BASE, SCRIPT_ERR_SIG_DER},
    {SIG_OK "0100", KEY02, SCRIPT_VERIFY_DERSIG, BASE, SCRIPT_OK},
    {SIG_OK "0100", KEY02, SCRIPT_VERIFY_STRICTENC, BASE, SCRIPT_ERR_SIG_HASHTYPE},
    {SIG_OK "0103", KEY02, SCRIPT_VERIFY_STRICTENC, BASE, SCRIPT_OK},
    {SIG_OK "0104", KEY02, SCRIPT_VERIFY_STRICTENC, BASE, SCRIPT_ERR_SIG_HASHTYPE},
    {SIG_OK "0180", KEY02, SCRIPT_VERIFY_STRICTENC, BASE, SCRIPT_ERR_SIG_HASHTYPE},
    {SIG_OK "0183", KEY02, SCRIPT_VERIFY_STRICTENC, BASE, SCRIPT_OK},
    {SIG_OK "0184", KEY02, SCRIPT_VERIFY_STRICTENC, BASE, SCRIPT_ERR_SIG_HASHTYPE},
    {SIG_LOW,       KEY02, SCRIPT_VERIFY_LOW_S, BASE, SCRIPT_OK},
    {SIG_HIGH,      KEY02, SCRIPT_VERIFY_LOW_S, BASE, SCRIPT_ERR_SIG_HIGH_S},
    {SIG_HIGH,      KEY02, SCRIPT_VERIFY_DERSIG, BASE, SCRIPT_OK},
    {"",            KEY04, SCRIPT_VERIFY_STRICTENC, BASE, SCRIPT_OK},
    {"",            KEY06, SCRIPT_VERIFY_STRICTENC, BASE, SCRIPT_ERR_PUBKEYTYPE},
    {"",            KEY06, 0, BASE, SCRIPT_OK},
    {"",            "02",  SCRIPT_VERIFY_STRICTENC, BASE, SCRIPT_ERR_PUBKEYTYPE},
    {"",            "",    SCRIPT_VERIFY_STRICTENC, BASE, SCRIPT_ERR_PUBKEYTYPE},
    {"",            KEY02, SCRIPT_VERIFY_WITNESS_PUBKEYTYPE, V0, SCRIPT_OK},
    {"",            KEY04, SCRIPT_VERIFY_WITNESS_PUBKEYTYPE, V0, SCRIPT_ERR_WITNESS_PUBKEYTYPE},
    {"",            KEY04, SCRIPT_VERIFY_WITNESS_PUBKEYTYPE, BASE, SCRIPT_OK},
    {"",            KEY04, 0, V0, SCRIPT_OK},
};
/* clang-format on */

TEST(encodings_are_checked_as_far_as_flags_demand)
{
    for (size_t i = 0; i < COUNT_OF(encodings); i++) {
        const struct encoding *row = &encodings[i];
        uint8_t sig[80], pubkey[65];
        struct span s = span_of(sig, hex_bytes(row->sig, sig, sizeof sig));
        struct span k = span_of(pubkey, hex_bytes(row->pubkey, pubkey, sizeof pubkey));
        const struct script_check check = {.flags = row->flags};
        struct script_run run = {.check = &check, .version = row->version};
        enum script_error error = script_check_encoding(&run, s, k);
        if (error != row->want)
            fail_msg("row %zu: %s", i, script_error_name(error));
    }
}

/* hazards: row 28. Before BIP66 padded numbers and long lengths were good signatures. */
TEST(lax_encodings_verify_until_bip66)
{
    struct script_vm vm;
    struct script_keys keys;
    script_vm_init(&vm);
    script_keys_init(&keys);
    const struct script_check check = {.tx = &vm.spend.tx, .spent = &vm.spend.credit_out};
    static const uint8_t script = OP_CHECKSIG;
    uint8_t sig[ECDSA_SIG_MAX + 1], lax[ECDSA_SIG_MAX + 8];
    size_t len = script_keys_sign_legacy(&keys, 0, &check, span_of(&script, 1), SIGHASH_ALL, sig);
    /* r with two more zeros, which leaves the length of the whole wrong as well */
    memcpy(lax, sig, 4);
    lax[3] = (uint8_t)(sig[3] + 2);
    lax[4] = lax[5] = 0;
    memcpy(lax + 6, sig + 4, len - 4);
    for (int strict = 0; strict < 2; strict++) {
        struct buffer stack;
        buffer_init(&stack);
        asm_push(&stack, lax, len + 2);
        asm_push(&stack, keys.pubkey[0], 33);
        enum script_error error =
            script_vm_run_bytes(&vm, BASE, strict ? (uint32_t)SCRIPT_VERIFY_DERSIG : 0,
                                buffer_span(&stack), span_of(&script, 1));
        assert_int_equal(error, strict ? SCRIPT_ERR_SIG_DER : SCRIPT_OK);
        if (!strict)
            assert_true(script_vm_stack_is(&vm, "1"));
        buffer_deinit(&stack);
    }
    script_keys_deinit(&keys);
    script_vm_deinit(&vm);
}

/* ---- Schnorr ---- */

struct schnorr_case {
    struct script_vm vm;
    struct script_keys keys;
    struct script_run run;
    struct script_check check;
};

static enum script_error check_schnorr(struct schnorr_case *c, const void *sig, size_t len)
{
    return script_check_schnorr(&c->run, span_of(sig, len), c->keys.pubkey[0] + 1);
}

static void schnorr_init(struct schnorr_case *c, uint8_t sig[65], uint8_t hash_type)
{
    memset(c, 0, sizeof *c);
    script_vm_init(&c->vm);
    script_keys_init(&c->keys);
    c->check = (struct script_check){.tx = &c->vm.spend.tx, .spent = &c->vm.spend.credit_out};
    c->run = (struct script_run){.check = &c->check, .scratch = c->vm.scratch};
    const struct sighash_v1_input in = {.tx = c->check.tx, .spent = c->check.spent};
    uint8_t hash[32];
    assert_true(sighash_v1(&in, hash_type, hash));
    assert_true(schnorr_sign(c->keys.ec, c->keys.secret[0], span_of(hash, 32), NULL, sig));
    sig[64] = hash_type;
}

static void schnorr_deinit(struct schnorr_case *c)
{
    script_keys_deinit(&c->keys);
    script_vm_deinit(&c->vm);
}

TEST(schnorr_signatures_have_64_or_65_bytes)
{
    struct schnorr_case c;
    uint8_t sig[67] = {0};
    schnorr_init(&c, sig, SIGHASH_DEFAULT);
    assert_int_equal(check_schnorr(&c, sig, 64), SCRIPT_OK);
    assert_int_equal(check_schnorr(&c, sig, 65), SCRIPT_ERR_SCHNORR_SIG_HASHTYPE);
    assert_int_equal(check_schnorr(&c, sig, 63), SCRIPT_ERR_SCHNORR_SIG_SIZE);
    assert_int_equal(check_schnorr(&c, sig, 66), SCRIPT_ERR_SCHNORR_SIG_SIZE);
    assert_int_equal(check_schnorr(&c, sig, 0), SCRIPT_ERR_SCHNORR_SIG_SIZE);
    sig[64] = SIGHASH_ALL; /* ALL is another message than DEFAULT */
    assert_int_equal(check_schnorr(&c, sig, 65), SCRIPT_ERR_SCHNORR_SIG);
    sig[64] = 4;
    assert_int_equal(check_schnorr(&c, sig, 65), SCRIPT_ERR_SCHNORR_SIG_HASHTYPE);
    schnorr_deinit(&c);

    schnorr_init(&c, sig, SIGHASH_SINGLE | SIGHASH_ANYONECANPAY);
    assert_int_equal(check_schnorr(&c, sig, 65), SCRIPT_OK);
    assert_int_equal(check_schnorr(&c, sig, 64), SCRIPT_ERR_SCHNORR_SIG);
    schnorr_deinit(&c);
}

/* hazards: row 17. A library that reduces s modulo the order would take these. */
TEST(schnorr_numbers_are_below_the_order)
{
    struct schnorr_case c;
    uint8_t sig[65], good[65], order[32];
    schnorr_init(&c, good, SIGHASH_DEFAULT);
    hex_bytes_exactly(order_hex, order, 32);
    for (int i = 0; i < 3; i++) {
        memcpy(sig, good, sizeof sig);
        memcpy(sig + 32, order, 32);
        sig[63] = (uint8_t)(sig[63] + i); /* n, n + 1, then 2^256 - 1 */
        if (i == 2)
            memset(sig + 32, 0xff, 32);
        assert_int_equal(check_schnorr(&c, sig, 64), SCRIPT_ERR_SCHNORR_SIG);
    }
    memcpy(sig, good, sizeof sig);
    memset(sig, 0xff, 32); /* x of R not below the field's size */
    assert_int_equal(check_schnorr(&c, sig, 64), SCRIPT_ERR_SCHNORR_SIG);
    assert_int_equal(check_schnorr(&c, good, 64), SCRIPT_OK);
    schnorr_deinit(&c);
}
