/* test_script_verify.c - every row of Core's script_tests.json: result, flags added and taken away,
 * fast paths against the interpreter.
 *
 * hazards: rows 8, 18, 24, 25, 27 by the vectors. */
#include <jansson.h>

#include "consensus/script_internal.h"
#include "consensus/script_witness.h"
#include "support/script_asm.h"
#include "support/script_keys.h"
#include "support/script_names.h"
#include "support/unit.h"
#include "support/vectors.h"
#include "util/alloc.h"
#include "util/hex.h"

/* BIP341's point without a known secret key: the internal key of the vectors' taproot outputs. */
static const char nums_key[] = "50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0";

struct taproot_leaf {
    uint8_t control[TAPROOT_CONTROL_BASE];
    uint8_t output[32];
};

/* A tree of one leaf. */
static void taproot_of(struct taproot_leaf *leaf, struct span script)
{
    uint8_t hash[32], tweak[32];
    int parity;
    assert_true(hex_decode(leaf->control + 1, 32, nums_key, 64));
    taproot_leaf_hash(TAPROOT_LEAF_TAPSCRIPT, script, hash);
    taproot_tweak(leaf->control + 1, hash, tweak);
    assert_true(xonly_tweak_add(leaf->output, &parity, leaf->control + 1, tweak));
    leaf->control[0] = (uint8_t)(TAPROOT_LEAF_TAPSCRIPT | parity);
}

static void add_witness_item(struct asm_spend *spend, const char *text, struct taproot_leaf *leaf)
{
    struct buffer item;
    buffer_init(&item);
    if (strncmp(text, "#SCRIPT#", 8) == 0) {
        asm_script(&item, text + 8);
        taproot_of(leaf, buffer_span(&item));
    } else if (strcmp(text, "#CONTROLBLOCK#") == 0) {
        buffer_append(&item, leaf->control, sizeof leaf->control);
    } else {
        size_t len = strlen(text) / 2;
        assert_true(hex_decode(buffer_reserve(&item, len), len, text, strlen(text)));
        item.len += len;
    }
    asm_witness(spend, item.p, item.len);
    buffer_deinit(&item);
}

static void add_script_pubkey(struct asm_spend *spend, const char *text,
                              const struct taproot_leaf *leaf)
{
    const char *mark = strstr(text, "#TAPROOTOUTPUT#");
    if (mark) {
        char *head = xasprintf("%.*s", (int)(mark - text), text);
        asm_script(&spend->script_pubkey, head);
        buffer_append(&spend->script_pubkey, leaf->output, 32);
        xfree(head);
    } else {
        asm_script(&spend->script_pubkey, text);
    }
}

struct row {
    struct asm_spend spend;
    uint32_t flags;
    const char *want;
    char *text; /* for messages */
};

/* Rows of one string are comments. */
static bool row_read(struct row *row, json_t *json)
{
    if (json_array_size(json) < 4)
        return false;
    struct taproot_leaf leaf = {{0}, {0}};
    int64_t value_sat = 0;
    size_t at = 0;
    asm_spend_init(&row->spend);
    json_t *witness = json_array_get(json, 0);
    if (json_is_array(witness)) {
        size_t n = json_array_size(witness) - 1;
        for (size_t i = 0; i < n; i++)
            add_witness_item(&row->spend, json_string_value(json_array_get(witness, i)), &leaf);
        value_sat = (int64_t)(json_number_value(json_array_get(witness, n)) * 1e8 + 0.5);
        at++;
    }
    asm_script(&row->spend.script_sig, json_string_value(json_array_get(json, at)));
    add_script_pubkey(&row->spend, json_string_value(json_array_get(json, at + 1)), &leaf);
    row->flags = asm_flags(json_string_value(json_array_get(json, at + 2)));
    row->want = json_string_value(json_array_get(json, at + 3));
    row->text = json_dumps(json, JSON_COMPACT);
    asm_spend_build(&row->spend, value_sat);
    return true;
}

static void row_free(struct row *row)
{
    asm_spend_deinit(&row->spend);
    free(row->text);
}

/* More flags never make a failing script pass, fewer never make a passing one fail. */
static void check_other_flags(struct row *row, bool passes, struct script_scratch *scratch,
                              uint64_t *random)
{
    for (int i = 0; i < 16; i++) {
        *random ^= *random << 13, *random ^= *random >> 7, *random ^= *random << 17;
        uint32_t extra = (uint32_t)(*random >> 20) & ASM_FLAGS_ALL;
        uint32_t flags = passes ? row->flags & ~extra : row->flags | extra;
        if (flags != asm_flags_trim(flags))
            continue;
        enum script_error error = asm_spend_verify(&row->spend, flags, scratch);
        if ((error == SCRIPT_OK) != passes)
            fail_msg("flags %x: %s: %s", flags, script_error_name(error), row->text);
    }
}

TEST(core_script_vectors_hold)
{
    char *text = vectors_read("core/script_tests.json", NULL);
    if (!text)
        skip();
    json_t *rows = json_loads(text, 0, NULL);
    assert_non_null(rows);
    struct script_scratch *scratch = script_scratch_new();
    uint64_t random = 88172645463325252u;
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        struct row row;
        if (!row_read(&row, json_array_get(rows, i)))
            continue;
        n++;
        enum script_error error = asm_spend_verify(&row.spend, row.flags, scratch);
        if (strcmp(script_error_name(error), row.want) != 0)
            fail_msg("%s: %s", script_error_name(error), row.text);
        check_other_flags(&row, error == SCRIPT_OK, scratch, &random);
        row_free(&row);
    }
    assert_true(n >= 1200);
    script_scratch_free(scratch);
    json_decref(rows);
    xfree(text);
}

/* ---- mutations: asm_spend_verify() aborts where fast paths and interpreter differ ---- */

static uint64_t next_random(uint64_t *random)
{
    *random ^= *random << 13, *random ^= *random >> 7, *random ^= *random << 17;
    return *random;
}

static uint32_t random_flags(uint64_t *random)
{
    uint32_t flags = (uint32_t)(next_random(random) >> 20) & ASM_FLAGS_ALL;
    return asm_flags_trim(*random & 1 ? flags : flags | SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS);
}

/* Flip a bit somewhere, see that both ways agree with any flags, and flip it back. */
static size_t check_bit(struct asm_spend *spend, uint8_t *byte, struct script_scratch *scratch,
                        uint64_t *random)
{
    uint8_t bit = (uint8_t)(1 << next_random(random) % 8);
    size_t passed = 0;
    *byte ^= bit;
    for (int i = 0; i < 4; i++)
        passed += asm_spend_verify(spend, random_flags(random), scratch) == SCRIPT_OK;
    *byte ^= bit;
    return passed;
}

/* Flip bits of each script and witness item; framing stays as it is, since what does not decode
 * never gets here. Returns: how often the result was still OK */
static size_t mutate(struct asm_spend *spend, size_t rounds, struct script_scratch *scratch,
                     uint64_t *random)
{
    size_t passed = 0;
    for (size_t i = 0; i < rounds; i++) {
        struct witness_iter it = witness_iter_of(spend->in.witness);
        struct span item;
        if (spend->script_sig.len)
            passed +=
                check_bit(spend, &spend->script_sig.p[next_random(random) % spend->script_sig.len],
                          scratch, random);
        if (spend->script_pubkey.len)
            passed += check_bit(
                spend, &spend->script_pubkey.p[next_random(random) % spend->script_pubkey.len],
                scratch, random);
        while (witness_next(&it, &item)) {
            if (item.len == 0)
                continue;
            size_t at = (size_t)(item.p - spend->in.witness.p) + next_random(random) % item.len;
            passed += check_bit(spend, &spend->witness_encoded.p[at], scratch, random);
        }
    }
    return passed;
}

TEST(fast_paths_agree_on_mutated_vectors)
{
    char *text = vectors_read("core/script_tests.json", NULL);
    if (!text)
        skip();
    json_t *rows = json_loads(text, 0, NULL);
    struct script_scratch *scratch = script_scratch_new();
    uint64_t random = 88172645463325252u;
    size_t passed = 0;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        struct row row;
        if (!row_read(&row, json_array_get(rows, i)))
            continue;
        passed += mutate(&row.spend, 6, scratch, &random);
        row_free(&row);
    }
    assert_true(passed > 1000);
    script_scratch_free(scratch);
    json_decref(rows);
    xfree(text);
}

/* Outputs that have a fast path, and P2SH around P2WPKH. */
enum template { P2PKH, P2WPKH, P2SH_P2WPKH, P2TR, TEMPLATES };

static void template_output(struct asm_spend *spend, const struct script_keys *keys,
                            enum template kind)
{
    uint8_t hash[20], redeem[22] = {OP_0, 20};
    hash160(span_of(keys->pubkey[0], 33), hash);
    if (kind == P2PKH) {
        asm_script(&spend->script_pubkey, "DUP HASH160");
        asm_push(&spend->script_pubkey, hash, 20);
        asm_script(&spend->script_pubkey, "EQUALVERIFY CHECKSIG");
    } else if (kind == P2WPKH) {
        asm_script(&spend->script_pubkey, "0");
        asm_push(&spend->script_pubkey, hash, 20);
    } else if (kind == P2SH_P2WPKH) {
        memcpy(redeem + 2, hash, 20);
        hash160(span_of(redeem, sizeof redeem), hash);
        asm_push(&spend->script_sig, redeem, sizeof redeem);
        asm_script(&spend->script_pubkey, "HASH160");
        asm_push(&spend->script_pubkey, hash, 20);
        asm_script(&spend->script_pubkey, "EQUAL");
    } else {
        asm_script(&spend->script_pubkey, "1");
        asm_push(&spend->script_pubkey, keys->pubkey[0] + 1, 32);
    }
}

static void template_sign(struct asm_spend *spend, const struct script_keys *keys,
                          enum template kind)
{
    asm_spend_build(spend, 9000);
    struct buffer code;
    uint8_t hash[32], sig[ECDSA_SIG_MAX + 1];
    buffer_init(&code);
    hash160(span_of(keys->pubkey[0], 33), hash);
    asm_script(&code, "DUP HASH160");
    asm_push(&code, hash, 20);
    asm_script(&code, "EQUALVERIFY CHECKSIG");
    const struct script_check check = {.tx = &spend->tx, .spent = &spend->credit_out};
    const struct sighash_v0_input v0 = {.tx = &spend->tx, .value_sat = 9000};
    const struct sighash_v1_input v1 = {.tx = &spend->tx, .spent = &spend->credit_out};
    if (kind == P2PKH) {
        size_t len = script_keys_sign_legacy(keys, 0, &check, buffer_span(&code), 1, sig);
        asm_push(&spend->script_sig, sig, len);
        asm_push(&spend->script_sig, keys->pubkey[0], 33);
    } else if (kind == P2TR) {
        assert_true(sighash_v1(&v1, SIGHASH_DEFAULT, hash));
        assert_true(schnorr_sign(keys->ec, keys->secret[0], span_of(hash, 32), NULL, sig));
        asm_witness(spend, sig, 64);
    } else {
        sighash_v0(NULL, &v0, buffer_span(&code), 1, hash);
        asm_witness(spend, sig, script_keys_sign(keys, 0, hash, 1, sig));
        asm_witness(spend, keys->pubkey[0], 33);
    }
    buffer_deinit(&code);
    asm_spend_build(spend, 9000);
}

TEST(fast_paths_agree_on_mutated_templates)
{
    struct script_scratch *scratch = script_scratch_new();
    struct script_keys keys;
    script_keys_init(&keys);
    uint64_t random = 88172645463325252u;
    for (int kind = 0; kind < TEMPLATES; kind++) {
        struct asm_spend spend;
        asm_spend_init(&spend);
        template_output(&spend, &keys, (enum template)kind);
        template_sign(&spend, &keys, (enum template)kind);
        assert_int_equal(asm_spend_verify(&spend, SCRIPT_VERIFY_STANDARD, scratch), SCRIPT_OK);
        (void)mutate(&spend, 60, scratch, &random);

        /* More and fewer items, a scriptSig that should be empty, a witness that should */
        asm_witness(&spend, "\x50", 1);
        asm_spend_build(&spend, 9000);
        (void)mutate(&spend, 10, scratch, &random);
        assert_int_not_equal(asm_spend_verify(&spend, SCRIPT_VERIFY_STANDARD, scratch), SCRIPT_OK);
        asm_script(&spend.script_sig, "1");
        asm_spend_build(&spend, 9000);
        (void)mutate(&spend, 10, scratch, &random);
        assert_int_not_equal(asm_spend_verify(&spend, SCRIPT_VERIFY_STANDARD, scratch), SCRIPT_OK);
        spend.witness.len = spend.n_witness = 0;
        asm_spend_build(&spend, 9000);
        assert_int_not_equal(asm_spend_verify(&spend, SCRIPT_VERIFY_STANDARD, scratch), SCRIPT_OK);
        asm_spend_deinit(&spend);
    }
    script_keys_deinit(&keys);
    script_scratch_free(scratch);
}
