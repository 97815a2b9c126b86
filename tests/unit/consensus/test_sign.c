/* test_sign.c - every standard output is signed, in one step or several, and what is missing is
 * named in Core's words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "consensus/script_internal.h"
#include "consensus/script_witness.h"
#include "consensus/sign.h"
#include "support/script_asm.h"

#define KEYS 3

/* Keys 1 to 3, compressed, and key 1 uncompressed. */
struct fixture {
    struct ec_context *ec;
    struct sign_key keys[KEYS], long_key;
    struct script_scratch *scratch;
    struct arena arena;
};

static int set_up(void **state)
{
    struct fixture *f = test_calloc(1, sizeof *f);
    static const uint8_t seed[32] = {1};
    f->ec = ec_context_new(seed);
    for (uint8_t i = 0; i < KEYS; i++) {
        uint8_t secret[32] = {0};
        secret[31] = (uint8_t)(i + 1);
        assert_true(sign_key_init(&f->keys[i], f->ec, secret, true));
        if (i == 0)
            assert_true(sign_key_init(&f->long_key, f->ec, secret, false));
    }
    f->scratch = script_scratch_new();
    arena_init(&f->arena, 1 << 14);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    ec_context_free(f->ec);
    script_scratch_free(f->scratch);
    arena_deinit(&f->arena);
    test_free(f);
    return 0;
}

static struct span key_span(const struct sign_key *key)
{
    return span_of(key->pubkey, key->pubkey_len);
}

/* A script in the arena: text, a push, text. */
static struct span concat(struct fixture *f, const char *before, struct span push,
                          const char *after)
{
    struct buffer b;
    buffer_init(&b);
    asm_script(&b, before);
    asm_push(&b, push.p, push.len);
    asm_script(&b, after);
    uint8_t *copy = arena_alloc(&f->arena, b.len);
    memcpy(copy, b.p, b.len);
    struct span s = span_of(copy, b.len);
    buffer_deinit(&b);
    return s;
}

static struct span p2pk(struct fixture *f, const struct sign_key *key)
{
    return concat(f, "", key_span(key), "CHECKSIG");
}

static struct span p2pkh(struct fixture *f, const struct sign_key *key)
{
    uint8_t hash[20];
    hash160(key_span(key), hash);
    return concat(f, "DUP HASH160", span_of(hash, 20), "EQUALVERIFY CHECKSIG");
}

static struct span p2sh(struct fixture *f, struct span script)
{
    uint8_t hash[20];
    hash160(script, hash);
    return concat(f, "HASH160", span_of(hash, 20), "EQUAL");
}

static struct span p2wpkh(struct fixture *f, const struct sign_key *key)
{
    uint8_t hash[20];
    hash160(key_span(key), hash);
    return concat(f, "0", span_of(hash, 20), "");
}

static struct span p2wsh(struct fixture *f, struct span script)
{
    uint8_t hash[32];
    sha256(script, hash);
    return concat(f, "0", span_of(hash, 32), "");
}

static struct span multisig_2_of_3(struct fixture *f)
{
    struct buffer b;
    buffer_init(&b);
    asm_script(&b, "2");
    for (int i = 0; i < KEYS; i++)
        asm_push(&b, f->keys[i].pubkey, 33);
    asm_script(&b, "3 CHECKMULTISIG");
    uint8_t *copy = arena_alloc(&f->arena, b.len);
    memcpy(copy, b.p, b.len);
    struct span s = span_of(copy, b.len);
    buffer_deinit(&b);
    return s;
}

static struct span p2tr(struct fixture *f, const struct sign_key *key, bool tweaked)
{
    struct ec_pubkey pubkey;
    uint8_t x[32], tweak[32];
    assert_true(ec_pubkey_parse(&pubkey, key_span(key)));
    xonly_from_pubkey(x, NULL, &pubkey);
    if (tweaked) {
        taproot_tweak(x, NULL, tweak);
        assert_true(xonly_tweak_add(x, NULL, x, tweak));
    }
    return concat(f, "1", span_of(x, 32), "");
}

/* A transaction of one input that spends an output with this script, and one output. */
struct spend {
    struct tx tx;
    struct tx_in in;
    struct tx_out spent, out;
    struct tx_sighash sighash;
};

static void spend_init(struct fixture *f, struct spend *s, struct span script_pubkey)
{
    *s = (struct spend){.in.sequence = SEQUENCE_FINAL,
                        .spent = {.value_sat = 60000, .script_pubkey = script_pubkey},
                        .out.value_sat = 50000};
    s->in.prevout.txid.b[0] = 5;
    s->tx = (struct tx){.version = 2, .in = &s->in, .n_in = 1, .out = &s->out, .n_out = 1};
    tx_finish(&s->tx, &f->arena);
    tx_sighash_init_all(&s->sighash, &s->tx, &s->spent);
}

static const char *sign(struct fixture *f, struct spend *s, const struct sign_key *keys,
                        size_t n_keys, const struct span *scripts, size_t n_scripts, uint8_t type)
{
    const struct sign_provider provider = {
        .ec = f->ec, .keys = keys, .n_keys = n_keys, .scripts = scripts, .n_scripts = n_scripts};
    const struct sign_request request = {.tx = &s->tx,
                                         .spent = &s->spent,
                                         .all_spent_known = true,
                                         .sighash = &s->sighash,
                                         .hash_type = type};
    return sign_input(&provider, &request, 0, f->scratch, &f->arena);
}

static enum script_error verify(struct fixture *f, const struct spend *s)
{
    const struct script_check check = {
        .tx = &s->tx, .flags = SCRIPT_VERIFY_STANDARD, .spent = &s->spent, .sighash = &s->sighash};
    return asm_verify_both(&check, f->scratch);
}

static const uint8_t hash_types[] = {0, 1, 2, 3, 0x81, 0x82, 0x83};

static void every_standard_output_is_signed_with_every_hash_type(void **state)
{
    struct fixture *f = *state;
    struct span multisig = multisig_2_of_3(f), pubkey = p2pk(f, &f->keys[0]);
    struct span keyhash = p2pkh(f, &f->keys[1]), witness = p2wpkh(f, &f->keys[2]);
    struct span in_p2wsh = p2wsh(f, multisig);
    const struct span scripts[] = {multisig, pubkey, keyhash, witness, in_p2wsh};
    const struct span outputs[] = {
        pubkey,
        keyhash,
        multisig,
        witness,
        in_p2wsh,
        p2wsh(f, pubkey),
        p2wsh(f, keyhash),
        p2sh(f, pubkey),
        p2sh(f, keyhash),
        p2sh(f, multisig),
        p2sh(f, witness),
        p2sh(f, in_p2wsh),
        p2tr(f, &f->keys[0], false),
        p2tr(f, &f->keys[0], true),
        p2tr(f, &f->keys[1], true),
        p2tr(f, &f->keys[2], true),
    };
    for (size_t i = 0; i < COUNT_OF(outputs); i++) {
        for (size_t t = 0; t < COUNT_OF(hash_types); t++) {
            struct spend s;
            spend_init(f, &s, outputs[i]);
            assert_null(sign(f, &s, f->keys, KEYS, scripts, COUNT_OF(scripts), hash_types[t]));
            assert_int_equal(verify(f, &s), SCRIPT_OK);

            /* Once more: nothing is left to do, and nothing changes. */
            struct span before = s.in.script_sig, witness_before = s.in.witness;
            assert_null(sign(f, &s, NULL, 0, NULL, 0, hash_types[t]));
            assert_true(span_equal(before, s.in.script_sig));
            assert_true(span_equal(witness_before, s.in.witness));
        }
    }
}

static void uncompressed_keys_sign_legacy_outputs_only(void **state)
{
    struct fixture *f = *state;
    struct span script = p2pkh(f, &f->long_key);
    struct spend s;
    spend_init(f, &s, script);
    assert_null(sign(f, &s, &f->long_key, 1, NULL, 0, 0));
    assert_int_equal(verify(f, &s), SCRIPT_OK);
    spend_init(f, &s, p2pk(f, &f->long_key));
    assert_null(sign(f, &s, &f->long_key, 1, NULL, 0, 0));
    spend_init(f, &s, p2wsh(f, script));
    assert_non_null(sign(f, &s, &f->long_key, 1, &script, 1, 0));
    spend_init(f, &s, p2wpkh(f, &f->long_key));
    assert_non_null(sign(f, &s, &f->long_key, 1, NULL, 0, 0));
}

/* Two signers, one after the other, in either order, in each place a multisig can be. */
static void a_multisig_is_completed_by_several_signers(void **state)
{
    struct fixture *f = *state;
    struct span multisig = multisig_2_of_3(f), in_p2wsh = p2wsh(f, multisig);
    const struct span scripts[] = {multisig, in_p2wsh};
    const struct span outputs[] = {multisig, p2sh(f, multisig), in_p2wsh, p2sh(f, in_p2wsh)};
    for (size_t i = 0; i < COUNT_OF(outputs); i++) {
        for (int first = 0; first < KEYS; first++) {
            for (int second = 0; second < KEYS; second++) {
                struct spend s;
                spend_init(f, &s, outputs[i]);
                const char *error = sign(f, &s, &f->keys[first], 1, scripts, 2, 0);
                assert_string_equal(
                    error, "CHECK(MULTI)SIG failing with non-zero signature (possibly need more "
                           "signatures)");
                /* The second signer finds the scripts in the transaction. */
                error = sign(f, &s, &f->keys[second], 1, NULL, 0, SIGHASH_ALL | 0x80);
                assert_int_equal(error == NULL, first != second);
                assert_int_equal(verify(f, &s) == SCRIPT_OK, first != second);
            }
        }
    }
}

static void what_is_missing_is_named_as_core_does(void **state)
{
    struct fixture *f = *state;
    struct span multisig = multisig_2_of_3(f);
    struct spend s;

    spend_init(f, &s, p2pkh(f, &f->keys[0]));
    assert_string_equal(sign(f, &s, &f->keys[1], 1, NULL, 0, 0),
                        "Unable to sign input, invalid stack size (possibly missing key)");
    spend_init(f, &s, p2sh(f, multisig));
    assert_string_equal(sign(f, &s, f->keys, KEYS, NULL, 0, 0),
                        "Unable to sign input, invalid stack size (possibly missing key)");
    spend_init(f, &s, p2wpkh(f, &f->keys[0]));
    assert_string_equal(sign(f, &s, &f->keys[1], 1, NULL, 0, 0),
                        "Witness program hash mismatch");
    spend_init(f, &s, p2wsh(f, multisig));
    assert_string_equal(sign(f, &s, f->keys, KEYS, NULL, 0, 0),
                        "Witness program was passed an empty witness");
    spend_init(f, &s, p2wpkh(f, &f->keys[0]));
    s.spent.value_sat = MAX_MONEY_SAT;
    assert_string_equal(sign(f, &s, f->keys, 1, NULL, 0, 0), "Missing amount");
}

/* hazards: row 23. Such a signature would be a cheque for everything the key owns. */
static void single_is_not_signed_without_its_output(void **state)
{
    struct fixture *f = *state;
    struct spend s;
    spend_init(f, &s, p2pkh(f, &f->keys[0]));
    s.tx.n_out = 0;
    assert_non_null(sign(f, &s, f->keys, 1, NULL, 0, SIGHASH_SINGLE));
    assert_int_equal(s.in.script_sig.len, 0);
    assert_non_null(sign(f, &s, f->keys, 1, NULL, 0, SIGHASH_SINGLE | SIGHASH_ANYONECANPAY));
    assert_int_equal(s.in.script_sig.len, 0);
}

static void taproot_needs_all_spent_outputs(void **state)
{
    struct fixture *f = *state;
    struct spend s;
    spend_init(f, &s, p2tr(f, &f->keys[0], true));
    const struct sign_provider provider = {.ec = f->ec, .keys = f->keys, .n_keys = 1};
    struct sign_request request = {.tx = &s.tx, .spent = &s.spent, .sighash = &s.sighash};
    assert_non_null(sign_input(&provider, &request, 0, f->scratch, &f->arena));
    request.all_spent_known = true;
    assert_null(sign_input(&provider, &request, 0, f->scratch, &f->arena));
}

static void invalid_secrets_are_refused(void **state)
{
    struct fixture *f = *state;
    struct sign_key key;
    uint8_t zero[32] = {0}, high[32];
    memset(high, 0xff, sizeof high);
    assert_false(sign_key_init(&key, f->ec, zero, true));
    assert_false(sign_key_init(&key, f->ec, high, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_standard_output_is_signed_with_every_hash_type,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(uncompressed_keys_sign_legacy_outputs_only, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_multisig_is_completed_by_several_signers, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_missing_is_named_as_core_does, set_up, tear_down),
        cmocka_unit_test_setup_teardown(single_is_not_signed_without_its_output, set_up, tear_down),
        cmocka_unit_test_setup_teardown(taproot_needs_all_spent_outputs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(invalid_secrets_are_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
