/* test_script_witness.c - segwit v0, taproot and tapscript, through script_verify().
 *
 * hazards: row 15 (huge witnesses), row 24 (separators in tapscript), row 27 (limits, budget,
 * OP_SUCCESS, annex, unknown leaves). */
#include "consensus/script_witness.h"
#include "support/script_keys.h"
#include "support/script_names.h"
#include "support/script_vm.h"
#include "support/unit.h"
#include "util/alloc.h"

#define FLAGS      (SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS | SCRIPT_VERIFY_TAPROOT)
#define HUGE_ITEM  3900000
#define MANY_ITEMS 500003

struct fixture {
    struct asm_spend spend;
    struct script_scratch *scratch;
    struct script_keys keys;
};

static void fixture_init(struct fixture *f)
{
    asm_spend_init(&f->spend);
    f->scratch = script_scratch_new();
    script_keys_init(&f->keys);
}

static void fixture_deinit(struct fixture *f)
{
    asm_spend_deinit(&f->spend);
    script_scratch_free(f->scratch);
    script_keys_deinit(&f->keys);
}

static void restart(struct fixture *f)
{
    asm_spend_deinit(&f->spend);
    asm_spend_init(&f->spend);
}

static enum script_error verify(struct fixture *f, uint32_t flags)
{
    asm_spend_build(&f->spend, 5000);
    return asm_spend_verify(&f->spend, flags, f->scratch);
}

static void check(struct fixture *f, uint32_t flags, enum script_error want, const char *what)
{
    enum script_error error = verify(f, flags);
    if (error != want)
        fail_msg("%s: %s, wanted %s", what, script_error_name(error), script_error_name(want));
}

static void add_empty_items(struct fixture *f, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        asm_witness(&f->spend, NULL, 0);
}

/* ---- segwit v0 ---- */

/* An output to the hash of a script, and the script as last item. */
static void pay_to_v0_script(struct fixture *f, struct span script)
{
    uint8_t hash[32];
    sha256(script, hash);
    asm_script(&f->spend.script_pubkey, "0");
    asm_push(&f->spend.script_pubkey, hash, 32);
    asm_witness(&f->spend, script.p, script.len);
}

static void check_v0_script(struct fixture *f, const char *text, uint32_t n_empty,
                            enum script_error want)
{
    restart(f);
    struct buffer script;
    buffer_init(&script);
    asm_script(&script, text);
    add_empty_items(f, n_empty);
    pay_to_v0_script(f, buffer_span(&script));
    check(f, FLAGS, want, text);
    buffer_deinit(&script);
}

TEST(a_v0_script_must_leave_one_true_item)
{
    struct fixture f;
    fixture_init(&f);
    check_v0_script(&f, "1", 0, SCRIPT_OK);
    check_v0_script(&f, "0", 0, SCRIPT_ERR_EVAL_FALSE);
    check_v0_script(&f, "1", 1, SCRIPT_ERR_CLEANSTACK);
    check_v0_script(&f, "", 0, SCRIPT_ERR_CLEANSTACK);
    check_v0_script(&f, "", 1, SCRIPT_ERR_EVAL_FALSE);
    check_v0_script(&f, "DROP 1", 1, SCRIPT_OK);
    check_v0_script(&f, "CHECKSIGADD", 3, SCRIPT_ERR_BAD_OPCODE);
    check_v0_script(&f, "0x50", 0, SCRIPT_ERR_BAD_OPCODE); /* no OP_SUCCESS here */
    fixture_deinit(&f);
}

TEST(a_v0_program_has_20_or_32_bytes)
{
    struct fixture f;
    fixture_init(&f);
    uint8_t program[41];
    memset(program, 7, sizeof program);
    for (size_t len = 1; len <= 41; len++) {
        restart(&f);
        asm_script(&f.spend.script_pubkey, "0");
        asm_push(&f.spend.script_pubkey, program, len);
        bool is_program = len >= 2 && len <= 40;
        enum script_error want = !is_program ? SCRIPT_OK
                                 : len == 20 ? SCRIPT_ERR_WITNESS_PROGRAM_MISMATCH
                                 : len == 32 ? SCRIPT_ERR_WITNESS_PROGRAM_WITNESS_EMPTY
                                             : SCRIPT_ERR_WITNESS_PROGRAM_WRONG_LENGTH;
        check(&f, FLAGS, want, "without witness");
        check(&f, SCRIPT_VERIFY_P2SH, SCRIPT_OK, "before segwit");
        add_empty_items(&f, 1);
        want = !is_program              ? SCRIPT_ERR_WITNESS_UNEXPECTED
               : len == 20 || len == 32 ? SCRIPT_ERR_WITNESS_PROGRAM_MISMATCH
                                        : SCRIPT_ERR_WITNESS_PROGRAM_WRONG_LENGTH;
        check(&f, FLAGS, want, "with one item");
    }
    fixture_deinit(&f);
}

/* The program runs as a script first, and what it pushes last must be true. */
TEST(a_program_of_zeros_is_false)
{
    struct fixture f;
    fixture_init(&f);
    uint8_t program[32] = {0};
    static const char *const versions[] = {"0", "1", "16"};
    for (size_t v = 0; v < COUNT_OF(versions); v++) {
        for (size_t len = 2; len <= 32; len += 3) {
            for (int negative = 0; negative < 2; negative++) {
                restart(&f);
                program[len - 1] = negative ? 0x80 : 0;
                asm_script(&f.spend.script_pubkey, versions[v]);
                asm_push(&f.spend.script_pubkey, program, len);
                check(&f, FLAGS, SCRIPT_ERR_EVAL_FALSE, versions[v]);
                program[len - 1] = 0;
            }
        }
    }
    fixture_deinit(&f);
}

/* hazards: rows 15, 21. The stack is not limited before the first opcode, but after it. 43 items
 * go to OP_CHECKMULTISIG and one comes back. */
TEST(a_v0_stack_is_limited_after_the_first_opcode)
{
    struct fixture f;
    fixture_init(&f);
    static const uint32_t below[] = {0,    956,  957,  998,  999,       1000,
                                     1056, 1057, 1058, 5000, MANY_ITEMS};
    const uint8_t twenty = 20, script = OP_CHECKMULTISIG;
    for (size_t i = 0; i < COUNT_OF(below); i++) {
        restart(&f);
        add_empty_items(&f, below[i]);
        add_empty_items(&f, 21); /* the dummy and the signatures */
        asm_witness(&f.spend, &twenty, 1);
        add_empty_items(&f, 20);
        asm_witness(&f.spend, &twenty, 1);
        pay_to_v0_script(&f, span_of(&script, 1));
        enum script_error want = below[i] == 0     ? SCRIPT_ERR_EVAL_FALSE
                                 : below[i] <= 999 ? SCRIPT_ERR_CLEANSTACK
                                                   : SCRIPT_ERR_STACK_SIZE;
        check(&f, FLAGS, want, "multisig on many items");
    }
    fixture_deinit(&f);
}

/* hazards: row 15. Half a million items take no memory, and every first opcode gives the error
 * that it gives with all of them on the stack. */
TEST(half_a_million_items_fail_as_they_must)
{
    struct fixture f;
    fixture_init(&f);
    check_v0_script(&f, "", MANY_ITEMS, SCRIPT_ERR_CLEANSTACK);
    check_v0_script(&f, "1", MANY_ITEMS, SCRIPT_ERR_STACK_SIZE);
    check_v0_script(&f, "2DROP", MANY_ITEMS, SCRIPT_ERR_STACK_SIZE);
    check_v0_script(&f, "DEPTH", MANY_ITEMS, SCRIPT_ERR_STACK_SIZE);
    check_v0_script(&f, "RETURN", MANY_ITEMS, SCRIPT_ERR_OP_RETURN);
    check_v0_script(&f, "VERIFY", MANY_ITEMS, SCRIPT_ERR_VERIFY);
    check_v0_script(&f, "FROMALTSTACK", MANY_ITEMS, SCRIPT_ERR_INVALID_ALTSTACK_OPERATION);
    check_v0_script(&f, "IF RETURN ENDIF", MANY_ITEMS, SCRIPT_ERR_STACK_SIZE);

    static const struct {
        uint32_t index;
        const char *opcode;
        enum script_error want;
    } deep[] = {
        {1000, "PICK", SCRIPT_ERR_STACK_SIZE},
        {1000, "ROLL", SCRIPT_ERR_STACK_SIZE},
        {4000, "PICK", SCRIPT_ERR_STACK_SIZE},
        {4000, "ROLL", SCRIPT_ERR_STACK_SIZE},
        {4999, "PICK", SCRIPT_ERR_STACK_SIZE},
        {4999, "ROLL", SCRIPT_ERR_STACK_SIZE},
        {5000, "PICK", SCRIPT_ERR_INVALID_STACK_OPERATION},
        {5000, "ROLL", SCRIPT_ERR_INVALID_STACK_OPERATION},
    };
    for (size_t i = 0; i < COUNT_OF(deep); i++) {
        restart(&f);
        struct buffer script;
        buffer_init(&script);
        asm_script(&script, deep[i].opcode);
        add_empty_items(&f, 5000);
        uint8_t number[SCRIPT_NUM_ENCODED_MAX];
        asm_witness(&f.spend, number, script_num_encode(deep[i].index, number));
        pay_to_v0_script(&f, buffer_span(&script));
        check(&f, FLAGS, deep[i].want, deep[i].opcode);
        buffer_deinit(&script);
    }
    fixture_deinit(&f);
}

TEST(v0_items_have_520_bytes_and_scripts_10000)
{
    struct fixture f;
    fixture_init(&f);
    uint8_t *bytes = xcalloc(1, HUGE_ITEM);
    static const uint8_t drop[] = {OP_DROP, OP_1};
    static const struct {
        size_t len;
        enum script_error want;
    } items[] = {{520, SCRIPT_OK}, {521, SCRIPT_ERR_PUSH_SIZE}, {HUGE_ITEM, SCRIPT_ERR_PUSH_SIZE}};
    for (size_t i = 0; i < COUNT_OF(items); i++) {
        restart(&f);
        asm_witness(&f.spend, bytes, items[i].len);
        pay_to_v0_script(&f, span_of(drop, sizeof drop));
        check(&f, FLAGS, items[i].want, "item");
    }
    /* The script is no stack item. Nothing but OP_0: the stack fills up after 1000 of them. */
    static const struct {
        size_t len;
        enum script_error want;
    } scripts[] = {{10000, SCRIPT_ERR_STACK_SIZE},
                   {10001, SCRIPT_ERR_SCRIPT_SIZE},
                   {HUGE_ITEM, SCRIPT_ERR_SCRIPT_SIZE}};
    for (size_t i = 0; i < COUNT_OF(scripts); i++) {
        restart(&f);
        pay_to_v0_script(&f, span_of(bytes, scripts[i].len));
        check(&f, FLAGS, scripts[i].want, "script");
    }
    xfree(bytes);
    fixture_deinit(&f);
}

/* ---- taproot ---- */

/* What is spent by the script path. */
struct leaf {
    uint8_t version;
    struct span script;
    uint32_t n_nodes; /* of the path; all zeros */
    int size_change;  /* of the control block, after it was made */
    bool wrong_parity;
};

/* An output whose tree holds the leaf, then script and control block as last items. */
static void pay_to_leaf(struct fixture *f, const struct leaf *leaf)
{
    static const uint8_t zero[32] = {0};
    uint8_t node[32], tweak[32], output[32];
    size_t len = TAPROOT_CONTROL_BASE + TAPROOT_CONTROL_NODE * leaf->n_nodes;
    uint8_t *control = xcalloc(1, len + 64);
    int parity;
    memcpy(control + 1, f->keys.pubkey[0] + 1, 32);
    taproot_leaf_hash(leaf->version, leaf->script, node);
    for (uint32_t i = 0; i < leaf->n_nodes; i++)
        taproot_branch_hash(node, zero, node);
    taproot_tweak(control + 1, node, tweak);
    assert_true(xonly_tweak_add(output, &parity, control + 1, tweak));
    control[0] = (uint8_t)(leaf->version | (parity ^ (int)leaf->wrong_parity));
    asm_script(&f->spend.script_pubkey, "1");
    asm_push(&f->spend.script_pubkey, output, 32);
    asm_witness(&f->spend, leaf->script.p, leaf->script.len);
    asm_witness(&f->spend, control, (size_t)((int)len + leaf->size_change));
    xfree(control);
}

static void check_leaf(struct fixture *f, const char *text, struct leaf leaf, uint32_t n_empty,
                       uint32_t flags, enum script_error want)
{
    restart(f);
    struct buffer script;
    buffer_init(&script);
    asm_script(&script, text);
    leaf.script = buffer_span(&script);
    add_empty_items(f, n_empty);
    pay_to_leaf(f, &leaf);
    check(f, flags, want, text);
    buffer_deinit(&script);
}

static const struct leaf tapscript = {.version = TAPROOT_LEAF_TAPSCRIPT};

TEST(a_tapscript_must_leave_one_true_item)
{
    struct fixture f;
    fixture_init(&f);
    check_leaf(&f, "1", tapscript, 0, FLAGS, SCRIPT_OK);
    check_leaf(&f, "0", tapscript, 0, FLAGS, SCRIPT_ERR_EVAL_FALSE);
    check_leaf(&f, "0", tapscript, 0, FLAGS & ~(uint32_t)SCRIPT_VERIFY_TAPROOT, SCRIPT_OK);
    check_leaf(&f, "1", tapscript, 1, FLAGS, SCRIPT_ERR_CLEANSTACK);
    check_leaf(&f, "", tapscript, 0, FLAGS, SCRIPT_ERR_CLEANSTACK);
    check_leaf(&f, "CHECKMULTISIG", tapscript, 3, FLAGS, SCRIPT_ERR_TAPSCRIPT_CHECKMULTISIG);
    check_leaf(&f, "DEPTH 7 EQUALVERIFY 1", tapscript, 998, FLAGS, SCRIPT_ERR_EQUALVERIFY);
    check_leaf(&f, "2DROP 1", tapscript, 1000, FLAGS, SCRIPT_ERR_CLEANSTACK);
    check_leaf(&f, "2DROP 1", tapscript, 1001, FLAGS, SCRIPT_ERR_STACK_SIZE);
    check_leaf(&f, "2DROP 1", tapscript, MANY_ITEMS, FLAGS, SCRIPT_ERR_STACK_SIZE);
    fixture_deinit(&f);
}

TEST(success_opcodes_come_before_everything)
{
    struct fixture f;
    fixture_init(&f);
    const uint32_t discourage = FLAGS | SCRIPT_VERIFY_DISCOURAGE_OP_SUCCESS;
    check_leaf(&f, "0x50", tapscript, 0, FLAGS, SCRIPT_OK);
    check_leaf(&f, "RETURN 0xfe", tapscript, 0, FLAGS, SCRIPT_OK);
    check_leaf(&f, "RETURN 0xff", tapscript, 0, FLAGS, SCRIPT_ERR_OP_RETURN);
    check_leaf(&f, "0 IF 0x7e ENDIF 0", tapscript, 0, FLAGS, SCRIPT_OK);
    check_leaf(&f, "0xbb 0x4b", tapscript, 0, FLAGS, SCRIPT_OK); /* cut short behind it */
    check_leaf(&f, "0x4b 0xbb", tapscript, 0, FLAGS, SCRIPT_ERR_BAD_OPCODE);
    check_leaf(&f, "0x01 0xbb DROP 0", tapscript, 0, FLAGS, SCRIPT_ERR_EVAL_FALSE); /* data */
    check_leaf(&f, "0xbb", tapscript, MANY_ITEMS, FLAGS, SCRIPT_OK);
    check_leaf(&f, "0xbb", tapscript, 0, discourage, SCRIPT_ERR_DISCOURAGE_OP_SUCCESS);
    check_leaf(&f, "0x4b 0xbb", tapscript, 0, discourage, SCRIPT_ERR_BAD_OPCODE);

    /* A stack item of any length, too */
    restart(&f);
    uint8_t *bytes = xcalloc(1, HUGE_ITEM);
    struct leaf leaf = tapscript;
    leaf.script = span_of("\xbb", 1);
    asm_witness(&f.spend, bytes, HUGE_ITEM);
    pay_to_leaf(&f, &leaf);
    check(&f, FLAGS, SCRIPT_OK, "3.9 MB item");
    restart(&f);
    leaf.script = span_of("\x75\x51", 2);
    asm_witness(&f.spend, bytes, 521);
    pay_to_leaf(&f, &leaf);
    check(&f, FLAGS, SCRIPT_ERR_PUSH_SIZE, "item of 521 bytes");
    xfree(bytes);
    fixture_deinit(&f);
}

TEST(control_blocks_have_33_bytes_and_up_to_128_nodes)
{
    struct fixture f;
    fixture_init(&f);
    static const struct {
        uint32_t n_nodes;
        int change;
        enum script_error want;
    } rows[] = {
        {0, 0, SCRIPT_OK},
        {0, -1, SCRIPT_ERR_TAPROOT_WRONG_CONTROL_SIZE},
        {0, -33, SCRIPT_ERR_TAPROOT_WRONG_CONTROL_SIZE},
        {0, 1, SCRIPT_ERR_TAPROOT_WRONG_CONTROL_SIZE},
        {0, 31, SCRIPT_ERR_TAPROOT_WRONG_CONTROL_SIZE},
        {0, 32, SCRIPT_ERR_WITNESS_PROGRAM_MISMATCH},
        {1, 0, SCRIPT_OK},
        {1, -32, SCRIPT_ERR_WITNESS_PROGRAM_MISMATCH},
        {128, 0, SCRIPT_OK},
        {128, 1, SCRIPT_ERR_TAPROOT_WRONG_CONTROL_SIZE},
        {129, 0, SCRIPT_ERR_TAPROOT_WRONG_CONTROL_SIZE},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct leaf leaf = tapscript;
        leaf.n_nodes = rows[i].n_nodes;
        leaf.size_change = rows[i].change;
        check_leaf(&f, "1", leaf, 0, FLAGS, rows[i].want);
    }
    struct leaf leaf = tapscript;
    leaf.wrong_parity = true;
    check_leaf(&f, "1", leaf, 0, FLAGS, SCRIPT_ERR_WITNESS_PROGRAM_MISMATCH);
    fixture_deinit(&f);
}

TEST(unknown_leaf_versions_are_for_anyone)
{
    struct fixture f;
    fixture_init(&f);
    for (int version = 0; version < 256; version += 2) {
        struct leaf leaf = {.version = (uint8_t)version};
        bool known = version == TAPROOT_LEAF_TAPSCRIPT;
        /* 0x50 as first byte of the last item would be an annex, which is why BIP341 skips it */
        if (version == TAPROOT_ANNEX_TAG)
            continue;
        check_leaf(&f, "RETURN 0x4b", leaf, MANY_ITEMS / 100, FLAGS,
                   known ? SCRIPT_ERR_BAD_OPCODE : SCRIPT_OK);
        check_leaf(&f, "1", leaf, 0, FLAGS | SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION,
                   known ? SCRIPT_OK : SCRIPT_ERR_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION);
    }
    fixture_deinit(&f);
}

/* hazards: row 27. 50, and one for each byte of the witness; 50 off for each signature that is not
 * empty, by keys of unknown type too. */
TEST(signatures_are_paid_for_by_witness_bytes)
{
    struct fixture f;
    fixture_init(&f);
    struct buffer script;
    buffer_init(&script);
    asm_script(&script, "DROP");
    const size_t n_sigs = 10;
    for (size_t i = 0; i < n_sigs; i++)
        asm_script(&script, "1 1 CHECKSIGVERIFY 0 1 CHECKSIG DROP");
    asm_script(&script, "1");
    struct leaf leaf = tapscript;
    leaf.script = buffer_span(&script);
    uint8_t padding[520] = {0};
    bool failed = false, passed = false;
    for (size_t len = 200; len < 400; len++) {
        restart(&f);
        asm_witness(&f.spend, padding, len);
        pay_to_leaf(&f, &leaf);
        enum script_error error = verify(&f, FLAGS);
        bool enough = 50 * n_sigs <= 50 + f.spend.in.witness.len;
        assert_int_equal(error, enough ? SCRIPT_OK : SCRIPT_ERR_TAPSCRIPT_VALIDATION_WEIGHT);
        failed |= !enough;
        passed |= enough;
    }
    assert_true(failed && passed);
    buffer_deinit(&script);
    fixture_deinit(&f);
}

/* Sign what sighash_v1() makes of the spend. */
static void sign_v1(struct fixture *f, struct sighash_v1_input in, uint8_t sig[64])
{
    uint8_t hash[32];
    asm_spend_build(&f->spend, 5000);
    in.tx = &f->spend.tx;
    in.spent = &f->spend.credit_out;
    assert_true(sighash_v1(&in, SIGHASH_DEFAULT, hash));
    assert_true(schnorr_sign(f->keys.ec, f->keys.secret[0], span_of(hash, 32), NULL, sig));
}

/* hazards: row 24. Signatures sign the number of the last separator executed, pushes counted. */
TEST(tapscript_signatures_sign_the_position_of_the_separator)
{
    struct fixture f;
    fixture_init(&f);
    static const struct {
        const char *before;
        uint32_t position;
    } rows[] = {
        {"", CODESEP_NONE},
        {"CODESEPARATOR", 0},
        {"NOP CODESEPARATOR", 1},
        {"5 DROP 'abc' DROP CODESEPARATOR NOP", 4},
        {"CODESEPARATOR NOP CODESEPARATOR", 2},
        {"0 IF CODESEPARATOR ENDIF", CODESEP_NONE},
        {"0 IF NOP ELSE CODESEPARATOR ENDIF", 4},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (uint32_t wrong = 0; wrong < 2; wrong++) {
            restart(&f);
            struct buffer script;
            buffer_init(&script);
            asm_script(&script, rows[i].before);
            asm_push(&script, f.keys.pubkey[0] + 1, 32);
            asm_script(&script, "CHECKSIG");
            struct leaf leaf = tapscript;
            leaf.script = buffer_span(&script);
            struct sighash_v1_input in = {.is_script_path = true,
                                          .codesep_pos = rows[i].position + wrong};
            taproot_leaf_hash(leaf.version, leaf.script, in.leaf_hash);
            uint8_t sig[64];
            pay_to_leaf(&f, &leaf); /* for the output's script; the witness is made again */
            sign_v1(&f, in, sig);
            f.spend.script_pubkey.len = f.spend.witness.len = 0;
            f.spend.n_witness = 0;
            asm_witness(&f.spend, sig, sizeof sig);
            pay_to_leaf(&f, &leaf);
            check(&f, FLAGS, wrong ? SCRIPT_ERR_SCHNORR_SIG : SCRIPT_OK, rows[i].before);
            buffer_deinit(&script);
        }
    }
    fixture_deinit(&f);
}

/* ---- key path and annex ---- */

static void pay_to_key(struct fixture *f)
{
    restart(f);
    asm_script(&f->spend.script_pubkey, "1");
    asm_push(&f->spend.script_pubkey, f->keys.pubkey[0] + 1, 32);
}

static void check_annex(struct fixture *f, const uint8_t *annex, size_t len)
{
    struct sighash_v1_input in = {.has_annex = true};
    struct sha256 h;
    sha256_init(&h);
    struct writer w = writer_to_sha256(&h);
    write_var_span(&w, span_of(annex, len));
    sha256_final(&h, in.annex_hash);
    for (int signs_annex = 0; signs_annex < 2; signs_annex++) {
        for (int has_annex = 0; has_annex < 2; has_annex++) {
            uint8_t sig[64];
            pay_to_key(f);
            in.has_annex = signs_annex;
            sign_v1(f, in, sig);
            asm_witness(&f->spend, sig, sizeof sig);
            if (has_annex)
                asm_witness(&f->spend, annex, len);
            check(f, FLAGS, signs_annex == has_annex ? SCRIPT_OK : SCRIPT_ERR_SCHNORR_SIG, "annex");
        }
    }
}

TEST(an_annex_is_signed)
{
    struct fixture f;
    fixture_init(&f);
    uint8_t *annex = xcalloc(1, HUGE_ITEM);
    annex[0] = TAPROOT_ANNEX_TAG;
    check_annex(&f, annex, 1);
    check_annex(&f, annex, 253);
    check_annex(&f, annex, HUGE_ITEM);

    /* One item alone is a signature, whatever it starts with; and two make a key path only if
     * the second is an annex. */
    pay_to_key(&f);
    asm_witness(&f.spend, annex, 64);
    check(&f, FLAGS, SCRIPT_ERR_SCHNORR_SIG, "an annex as signature");
    pay_to_key(&f);
    asm_witness(&f.spend, annex, 1);
    check(&f, FLAGS, SCRIPT_ERR_SCHNORR_SIG_SIZE, "one byte");
    annex[0] = 0x51;
    asm_witness(&f.spend, annex, 1);
    check(&f, FLAGS, SCRIPT_ERR_TAPROOT_WRONG_CONTROL_SIZE, "no annex");
    pay_to_key(&f);
    check(&f, FLAGS, SCRIPT_ERR_WITNESS_PROGRAM_WITNESS_EMPTY, "no witness");
    xfree(annex);
    fixture_deinit(&f);
}

/* ---- versions without rules yet ---- */

TEST(unknown_programs_are_for_anyone)
{
    struct fixture f;
    fixture_init(&f);
    const uint32_t discourage = FLAGS | SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM;
    uint8_t program[40];
    memset(program, 9, sizeof program);
    for (uint8_t version = 1; version <= 16; version++) {
        for (size_t len = 2; len <= 40; len++) {
            if (version == 1 && len == 32)
                continue;
            restart(&f);
            uint8_t opcode = opcode_of_small_int(version);
            buffer_append(&f.spend.script_pubkey, &opcode, 1);
            asm_push(&f.spend.script_pubkey, program, len);
            add_empty_items(&f, 1);
            check(&f, FLAGS, SCRIPT_OK, "unknown program");
            check(&f, discourage, SCRIPT_ERR_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM, "policy");
        }
    }
    /* Pay to anchor is known to be for anyone. */
    restart(&f);
    asm_script(&f.spend.script_pubkey, "1 0x02 0x4e73");
    check(&f, discourage, SCRIPT_OK, "anchor");
    restart(&f);
    asm_script(&f.spend.script_pubkey, "2 0x02 0x4e73");
    check(&f, discourage, SCRIPT_ERR_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM, "version 2");
    fixture_deinit(&f);
}

/* Inside P2SH only version 0 has a meaning: taproot there is a program of unknown version. */
TEST(taproot_inside_p2sh_is_for_anyone)
{
    struct fixture f;
    fixture_init(&f);
    struct buffer redeem;
    buffer_init(&redeem);
    asm_script(&redeem, "1");
    asm_push(&redeem, f.keys.pubkey[0] + 1, 32);
    uint8_t hash[20];
    hash160(buffer_span(&redeem), hash);
    asm_script(&f.spend.script_pubkey, "HASH160");
    asm_push(&f.spend.script_pubkey, hash, 20);
    asm_script(&f.spend.script_pubkey, "EQUAL");
    asm_push(&f.spend.script_sig, redeem.p, redeem.len);
    check(&f, FLAGS, SCRIPT_OK, "taproot in P2SH");
    check(&f, FLAGS | SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM,
          SCRIPT_ERR_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM, "policy");
    /* scriptSig must be that one push, in its shortest form. */
    f.spend.script_sig.len = 0;
    asm_script(&f.spend.script_sig, "0x4c");
    asm_push(&f.spend.script_sig, redeem.p, redeem.len);
    check(&f, FLAGS, SCRIPT_ERR_WITNESS_MALLEATED_P2SH, "longer push");
    f.spend.script_sig.len = 0;
    asm_script(&f.spend.script_sig, "0");
    asm_push(&f.spend.script_sig, redeem.p, redeem.len);
    check(&f, FLAGS, SCRIPT_ERR_WITNESS_MALLEATED_P2SH, "two pushes");
    f.spend.script_sig.len = 0;
    asm_script(&f.spend.script_sig, "NOP");
    asm_push(&f.spend.script_sig, redeem.p, redeem.len);
    check(&f, FLAGS, SCRIPT_ERR_SIG_PUSHONLY, "an opcode");
    buffer_deinit(&redeem);
    fixture_deinit(&f);
}
