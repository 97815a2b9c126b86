/* test_script_ops_crypto.c - opcodes that hash and check signatures.
 *
 * hazards: row 18 (too few items), row 25 (OP_CHECKMULTISIG from 0 to 20 keys), row 24. */
#include "support/script_keys.h"
#include "support/script_vm.h"
#include "support/unit.h"

#define BASE        SCRIPT_VERSION_BASE
#define V0          SCRIPT_VERSION_V0
#define TAPSCRIPT   SCRIPT_VERSION_TAPSCRIPT
#define STACK_ERROR SCRIPT_ERR_INVALID_STACK_OPERATION
#define NULLDUMMY   SCRIPT_VERIFY_NULLDUMMY

/* clang-format off */
static const struct script_vm_row hashes[] = {
    {"'abc'", "RIPEMD160", SCRIPT_OK, "0x14 0x8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"},
    {"'abc'", "SHA1", SCRIPT_OK, "0x14 0xa9993e364706816aba3e25717850c26c9cd0d89d"},
    {"'abc'", "SHA256", SCRIPT_OK,
     "0x20 0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"'abc'", "HASH160", SCRIPT_OK, "0x14 0xbb1be98c142444d7a56aa3981c3942a978e4dc33"},
    {"'abc'", "HASH256", SCRIPT_OK,
     "0x20 0x4f8b42c22dd3729b519ba6f68d2da7cc5b2d606d05daed5ad5128cc03e6c6358"},
    {"0", "SHA256", SCRIPT_OK,
     "0x20 0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"", "RIPEMD160", STACK_ERROR}, {"", "SHA1", STACK_ERROR}, {"", "SHA256", STACK_ERROR},
    {"", "HASH160", STACK_ERROR}, {"", "HASH256", STACK_ERROR},
};

/* What needs no signature to be decided. */
static const struct script_vm_row checks[] = {
    {"",     "CHECKSIG", STACK_ERROR},
    {"1",    "CHECKSIG", STACK_ERROR},
    {"0 0",  "CHECKSIG", SCRIPT_OK, "0"},
    {"0 0",  "CHECKSIGVERIFY", SCRIPT_ERR_CHECKSIGVERIFY},
    {"1",    "CHECKSIGVERIFY", STACK_ERROR},
    {"1 1",  "CHECKSIG", SCRIPT_OK, "0"},      /* neither parses: false, and no more */
    {"1 1",  "CHECKSIG", SCRIPT_ERR_SIG_DER, NULL, BASE, SCRIPT_VERIFY_DERSIG},
    {"1 1",  "CHECKSIG", SCRIPT_ERR_SIG_NULLFAIL, NULL, BASE, SCRIPT_VERIFY_NULLFAIL},
    {"0 1",  "CHECKSIG", SCRIPT_OK, "0", BASE, SCRIPT_VERIFY_NULLFAIL},
    {"0 1",  "CHECKSIG", SCRIPT_ERR_PUBKEYTYPE, NULL, BASE, SCRIPT_VERIFY_STRICTENC},
    {"0 1",  "CHECKSIG", SCRIPT_ERR_WITNESS_PUBKEYTYPE, NULL, V0,
     SCRIPT_VERIFY_WITNESS_PUBKEYTYPE},
    {"0 1",  "CHECKSIG", SCRIPT_OK, "0", BASE, SCRIPT_VERIFY_WITNESS_PUBKEYTYPE},
    {"0 0 1", "CHECKSIGADD", SCRIPT_ERR_BAD_OPCODE, NULL, BASE, 0},
    {"",      "CHECKSIGADD", SCRIPT_ERR_BAD_OPCODE, NULL, V0, 0},
    {"0 0",   "CHECKSIGADD", STACK_ERROR, NULL, TAPSCRIPT, 0},
    {"0 7 1", "CHECKSIGADD", SCRIPT_OK, "7", TAPSCRIPT, 0}, /* empty signature, unknown key */
    {"1 7 1", "CHECKSIGADD", SCRIPT_OK, "8", TAPSCRIPT, 0}, /* unknown keys always succeed */
    {"1 7 1", "CHECKSIGADD", SCRIPT_ERR_DISCOURAGE_UPGRADABLE_PUBKEYTYPE, NULL, TAPSCRIPT,
     SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_PUBKEYTYPE},
    {"0 7 0", "CHECKSIGADD", SCRIPT_ERR_TAPSCRIPT_EMPTY_PUBKEY, NULL, TAPSCRIPT, 0},
    {"0 0",   "CHECKSIG", SCRIPT_ERR_TAPSCRIPT_EMPTY_PUBKEY, NULL, TAPSCRIPT, 0},
    {"0 0x05 0x0000000001 1", "CHECKSIGADD", SCRIPT_ERR_SCRIPTNUM, NULL, TAPSCRIPT, 0},
    {"0 0x04 0x01000000 1", "CHECKSIGADD", SCRIPT_OK, "1", TAPSCRIPT, 0},
    {"0 0x04 0x01000000 1", "CHECKSIGADD", SCRIPT_ERR_SCRIPTNUM, NULL, TAPSCRIPT,
     SCRIPT_VERIFY_MINIMALDATA},
    {"0 'kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk'", "CHECKSIG", SCRIPT_OK, "0", TAPSCRIPT, 0},
    {"1 'kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk'", "CHECKSIG", SCRIPT_ERR_SCHNORR_SIG_SIZE, NULL,
     TAPSCRIPT, 0},
};

static const struct script_vm_row multisigs[] = {
    {"",          "CHECKMULTISIG", STACK_ERROR},
    {"0",         "CHECKMULTISIG", STACK_ERROR},
    {"0 0",       "CHECKMULTISIG", STACK_ERROR},               /* no dummy */
    {"0 0 0",     "CHECKMULTISIG", SCRIPT_OK, "1"},
    {"7 0 0",     "CHECKMULTISIG", SCRIPT_OK, "1"},
    {"7 0 0",     "CHECKMULTISIG", SCRIPT_ERR_SIG_NULLDUMMY, NULL, BASE, NULLDUMMY},
    {"0 0 0",     "CHECKMULTISIG", SCRIPT_OK, "1", BASE, NULLDUMMY},
    {"0 0 0",     "CHECKMULTISIGVERIFY", SCRIPT_OK, ""},
    {"0 0 1 1",   "CHECKMULTISIG", SCRIPT_OK, "1"},
    {"0 1 1 1",   "CHECKMULTISIG", STACK_ERROR},               /* the signature takes the dummy */
    {"0 0 1 1 1", "CHECKMULTISIG", SCRIPT_OK, "0"},
    {"0 0 1 1 1", "CHECKMULTISIGVERIFY", SCRIPT_ERR_CHECKMULTISIGVERIFY},
    {"0 0 1 1 1", "CHECKMULTISIG", SCRIPT_OK, "0", BASE, SCRIPT_VERIFY_NULLFAIL},
    {"0 5 1 1 1", "CHECKMULTISIG", SCRIPT_ERR_SIG_NULLFAIL, NULL, BASE, SCRIPT_VERIFY_NULLFAIL},
    {"0 5 1 1 1", "CHECKMULTISIG", SCRIPT_ERR_SIG_DER, NULL, BASE, SCRIPT_VERIFY_DERSIG},
    {"5 1 1 1",   "CHECKMULTISIG", STACK_ERROR, NULL, BASE, SCRIPT_VERIFY_DERSIG}, /* no dummy */
    {"0 0 -1",    "CHECKMULTISIG", SCRIPT_ERR_PUBKEY_COUNT},
    {"0 0 21",    "CHECKMULTISIG", SCRIPT_ERR_PUBKEY_COUNT},
    {"0 -1 0",    "CHECKMULTISIG", SCRIPT_ERR_SIG_COUNT},
    {"0 1 0",     "CHECKMULTISIG", SCRIPT_ERR_SIG_COUNT},
    {"0 0 0x05 0x0000000000", "CHECKMULTISIG", SCRIPT_ERR_SCRIPTNUM},
    {"0 0x05 0x0000000000 0", "CHECKMULTISIG", SCRIPT_ERR_SCRIPTNUM},
    {"0 0 0x01 0x00", "CHECKMULTISIG", SCRIPT_ERR_SCRIPTNUM, NULL, BASE,
     SCRIPT_VERIFY_MINIMALDATA},
    {"0 0 0",     "CHECKMULTISIG", SCRIPT_ERR_TAPSCRIPT_CHECKMULTISIG, NULL, TAPSCRIPT, 0},
    {"",          "CHECKMULTISIGVERIFY", SCRIPT_ERR_TAPSCRIPT_CHECKMULTISIG, NULL, TAPSCRIPT, 0},
};
/* clang-format on */

TEST(hashes_are_the_known_ones)
{
    assert_scripts(hashes, COUNT_OF(hashes));
}

TEST(checks_without_a_signature_are_decided_by_form)
{
    assert_scripts(checks, COUNT_OF(checks));
    assert_scripts(multisigs, COUNT_OF(multisigs));
}

/* hazards: row 25. Keys count as opcodes: 201 are allowed in all. */
TEST(keys_count_as_opcodes)
{
    struct script_vm vm;
    struct buffer script;
    script_vm_init(&vm);
    buffer_init(&script);
    for (int keys = 0; keys <= 20; keys++) {
        for (int total = 201; total <= 202; total++) {
            script.len = 0;
            for (int i = 0; i < total - 1 - keys; i++)
                asm_script(&script, "NOP");
            asm_script(&script, "0 0");
            for (int i = 0; i < keys; i++)
                asm_script(&script, "1");
            char count[32];
            (void)snprintf(count, sizeof count, "%d CHECKMULTISIG", keys);
            asm_script(&script, count);
            enum script_error error =
                script_vm_run_bytes(&vm, BASE, 0, span_of(NULL, 0), buffer_span(&script));
            assert_int_equal(error, total == 201 ? SCRIPT_OK : SCRIPT_ERR_OP_COUNT);
        }
    }
    buffer_deinit(&script);
    script_vm_deinit(&vm);
}

struct grid {
    struct script_vm vm;
    struct script_keys keys;
    uint8_t sig[SCRIPT_KEYS][ECDSA_SIG_MAX + 1]; /* over the script OP_CHECKMULTISIG alone */
    size_t sig_len[SCRIPT_KEYS];
};

/* Run OP_CHECKMULTISIG with these signers, in this order, on the first n_keys keys. */
static enum script_error run_multisig(struct grid *g, const int *signers, int n_sigs, int n_keys)
{
    struct buffer stack;
    buffer_init(&stack);
    static const uint8_t opcode = OP_CHECKMULTISIG;
    uint8_t number[SCRIPT_NUM_PUSH_MAX];
    asm_script(&stack, "0");
    for (int i = 0; i < n_sigs; i++)
        asm_push(&stack, g->sig[signers[i]], g->sig_len[signers[i]]);
    buffer_append(&stack, number, script_push_number(number, n_sigs));
    for (int i = 0; i < n_keys; i++)
        asm_push(&stack, g->keys.pubkey[i], 33);
    buffer_append(&stack, number, script_push_number(number, n_keys));
    enum script_error error =
        script_vm_run_bytes(&g->vm, BASE, 0, buffer_span(&stack), span_of(&opcode, 1));
    buffer_deinit(&stack);
    return error;
}

/* hazards: row 25. m of n for all n: signers in the order of keys pass, two exchanged fail, and so
 * does one that has no key or signs twice. */
TEST(signatures_must_be_in_the_order_of_keys)
{
    struct grid g;
    static const uint8_t opcode = OP_CHECKMULTISIG;
    script_vm_init(&g.vm);
    script_keys_init(&g.keys);
    const struct script_check check = {.tx = &g.vm.spend.tx, .spent = &g.vm.spend.credit_out};
    for (int i = 0; i < SCRIPT_KEYS; i++)
        g.sig_len[i] =
            script_keys_sign_legacy(&g.keys, i, &check, span_of(&opcode, 1), SIGHASH_ALL, g.sig[i]);
    for (int n = 1; n <= SCRIPT_KEYS; n++) {
        for (int m = 1; m <= n; m += 1 + n / 4) {
            int signers[SCRIPT_KEYS];
            for (int i = 0; i < m; i++)
                signers[i] = n - m + i; /* the last m keys: all are tried */
            assert_int_equal(run_multisig(&g, signers, m, n), SCRIPT_OK);
            assert_true(script_vm_stack_is(&g.vm, "1"));
            if (m == 1)
                continue;
            int first = signers[0];
            signers[0] = signers[1];
            assert_int_equal(run_multisig(&g, signers, m, n), SCRIPT_OK);
            assert_true(script_vm_stack_is(&g.vm, "0"));
            signers[1] = first;
            assert_int_equal(run_multisig(&g, signers, m, n), SCRIPT_OK);
            assert_true(script_vm_stack_is(&g.vm, "0"));
        }
        if (n < SCRIPT_KEYS) {
            int stranger = n;
            assert_int_equal(run_multisig(&g, &stranger, 1, n), SCRIPT_OK);
            assert_true(script_vm_stack_is(&g.vm, "0"));
        }
    }
    script_keys_deinit(&g.keys);
    script_vm_deinit(&g.vm);
}

/* hazards: row 24. Of several separators the last one that was executed counts, and those that are
 * left in the script are not signed. */
TEST(signatures_sign_from_the_last_separator_executed)
{
    struct script_vm vm;
    struct script_keys keys;
    script_vm_init(&vm);
    script_keys_init(&keys);
    const struct script_check check = {.tx = &vm.spend.tx, .spent = &vm.spend.credit_out};
    static const struct {
        const char *script, *signed_part;
    } rows[] = {
        {"NOP CHECKSIG", "NOP CHECKSIG"},
        {"NOP CODESEPARATOR CHECKSIG", "CHECKSIG"},
        {"CODESEPARATOR NOP CODESEPARATOR NOP4 CHECKSIG", "NOP4 CHECKSIG"},
        {"0 IF CODESEPARATOR ENDIF CHECKSIG", "0 IF ENDIF CHECKSIG"},
        {"CODESEPARATOR CHECKSIG CODESEPARATOR", "CHECKSIG"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buffer script, part, stack;
        buffer_init(&script), buffer_init(&part), buffer_init(&stack);
        asm_script(&script, rows[i].script);
        asm_script(&part, rows[i].signed_part);
        uint8_t sig[ECDSA_SIG_MAX + 1];
        size_t len =
            script_keys_sign_legacy(&keys, 0, &check, buffer_span(&part), SIGHASH_ALL, sig);
        asm_push(&stack, sig, len);
        asm_push(&stack, keys.pubkey[0], 33);
        assert_int_equal(
            script_vm_run_bytes(&vm, BASE, 0, buffer_span(&stack), buffer_span(&script)),
            SCRIPT_OK);
        if (!script_vm_stack_is(&vm, "1"))
            fail_msg("%s", rows[i].script);
        buffer_deinit(&script), buffer_deinit(&part), buffer_deinit(&stack);
    }
    script_keys_deinit(&keys);
    script_vm_deinit(&vm);
}
