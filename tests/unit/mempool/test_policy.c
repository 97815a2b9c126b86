/* test_policy.c - which transactions are standard: both sides of every limit. */
#include "consensus/opcodes.h"
#include "mempool/policy.h"
#include "support/build.h"
#include "support/unit.h"

struct fixture {
    struct arena arena;
    struct policy policy;
};

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof *f);
    arena_init(&f->arena, 1 << 16);
    f->policy = (struct policy){
        .dust_sat_per_kvb = 3000, .permit_bare_multisig = true, .max_datacarrier_bytes = 100000};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_deinit(&f->arena);
    test_free(f);
    return 0;
}

FIXTURE(setup, teardown)

/* head, then n times fill. */
static struct span script_of(struct fixture *f, const char *head, size_t head_len, size_t n,
                             uint8_t fill)
{
    uint8_t *p = arena_alloc(&f->arena, head_len + n);
    memcpy(p, head, head_len);
    memset(p + head_len, fill, n);
    return span_of(p, head_len + n);
}

#define SCRIPT(f, head, n, fill) script_of(f, head, sizeof(head) - 1, n, fill)

static struct span p2pkh(struct fixture *f)
{
    struct span script = SCRIPT(f, "\x76\xa9\x14", 22, 7);
    uint8_t *p = (uint8_t *)script.p;
    p[23] = OP_EQUALVERIFY;
    p[24] = OP_CHECKSIG;
    return script;
}

static struct span p2sh(struct fixture *f)
{
    struct span script = SCRIPT(f, "\xa9\x14", 21, 7);
    ((uint8_t *)script.p)[22] = OP_EQUAL;
    return script;
}

/* OP_m and n keys, OP_n OP_CHECKMULTISIG */
static struct span multisig(struct fixture *f, int m, int n)
{
    uint8_t *p = arena_calloc(&f->arena, 1, 3 + 34 * (size_t)n);
    size_t at = 0;
    p[at++] = opcode_of_small_int(m);
    for (int i = 0; i < n; i++, at += 34) {
        p[at] = 33;
        p[at + 1] = 2;
    }
    p[at++] = opcode_of_small_int(n);
    p[at++] = OP_CHECKMULTISIG;
    return span_of(p, at);
}

/* A standard transaction to change: n_in inputs without scriptSig, one P2PKH output. */
static struct tx base(struct fixture *f, uint32_t n_in)
{
    struct tx tx = build_tx(&f->arena, 1, n_in, 1);
    tx.out[0] = (struct tx_out){.value_sat = 100000, .script_pubkey = p2pkh(f)};
    return tx;
}

static enum reject check(struct fixture *f, struct tx *tx)
{
    tx_finish(tx, &f->arena);
    return policy_check_tx(&f->policy, tx);
}

#define assert_reject(got, want) assert_string_equal(reject_string(got), reject_string(want))

TEST(versions_one_to_three_are_standard, struct fixture *f)
{
    static const struct {
        uint32_t version;
        enum reject want;
    } cases[] = {{0, REJECT_TX_VERSION},
                 {1, REJECT_NONE},
                 {2, REJECT_NONE},
                 {3, REJECT_NONE},
                 {4, REJECT_TX_VERSION},
                 {0x7fffffff, REJECT_TX_VERSION},
                 {0x80000001, REJECT_TX_VERSION},
                 {0xffffffff, REJECT_TX_VERSION}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct tx tx = base(f, 1);
        tx.version = cases[i].version;
        assert_reject(check(f, &tx), cases[i].want);
    }
}

TEST(weight_is_bounded, struct fixture *f)
{
    struct tx tx = base(f, 1);
    tx_finish(&tx, &f->arena);
    /* A null-data script, 4 WU a byte; its length takes 5 bytes instead of 1. */
    size_t script = (POLICY_TX_WEIGHT_MAX_WU - tx_weight_wu(&tx)) / 4 + 25 - 4;
    for (size_t more = 0; more < 2; more++) {
        tx.out[0].script_pubkey = SCRIPT(f, "\x6a", script - 1 + more, OP_0);
        f->policy.max_datacarrier_bytes = 200000;
        assert_reject(check(f, &tx), more ? REJECT_TX_SIZE : REJECT_NONE);
        assert_in_range(tx_weight_wu(&tx), POLICY_TX_WEIGHT_MAX_WU - 3 + 4 * more,
                        POLICY_TX_WEIGHT_MAX_WU + 4 * more);
    }
}

TEST(script_sigs_are_short_pushes, struct fixture *f)
{
    struct tx tx = base(f, 2);
    tx.in[1].script_sig = SCRIPT(f, "", 1650, OP_0);
    assert_reject(check(f, &tx), REJECT_NONE);
    tx.in[1].script_sig = SCRIPT(f, "", 1651, OP_0);
    assert_reject(check(f, &tx), REJECT_SCRIPTSIG_SIZE);
    tx.in[1].script_sig = SCRIPT(f, "", 1, OP_16);
    assert_reject(check(f, &tx), REJECT_NONE);
    tx.in[1].script_sig = SCRIPT(f, "", 1, OP_NOP);
    assert_reject(check(f, &tx), REJECT_SCRIPTSIG_NOT_PUSHONLY);
    tx.in[1].script_sig = SCRIPT(f, "", 1, 5); /* cut short */
    assert_reject(check(f, &tx), REJECT_SCRIPTSIG_NOT_PUSHONLY);
}

TEST(outputs_have_known_forms, struct fixture *f)
{
    const struct {
        struct span script;
        enum reject want;
    } cases[] = {
        {p2pkh(f), REJECT_NONE},
        {p2sh(f), REJECT_NONE},
        {SCRIPT(f, "\x00\x14", 20, 1), REJECT_NONE},
        {SCRIPT(f, "\x00\x20", 32, 1), REJECT_NONE},
        {SCRIPT(f, "\x51\x20", 32, 1), REJECT_NONE},
        {SCRIPT(f, "\x51\x02\x4e\x73", 0, 0), REJECT_NONE}, /* pay to anchor */
        {SCRIPT(f, "\x60\x28", 40, 1), REJECT_NONE},        /* a version of the future */
        {SCRIPT(f, "\x60\x29", 41, 1), REJECT_SCRIPTPUBKEY},
        {SCRIPT(f, "\x51", 0, 0), REJECT_SCRIPTPUBKEY},
        {SCRIPT(f, "", 0, 0), REJECT_SCRIPTPUBKEY},
        {multisig(f, 1, 1), REJECT_NONE},
        {multisig(f, 3, 3), REJECT_NONE},
        {multisig(f, 1, 4), REJECT_SCRIPTPUBKEY},
        {multisig(f, 0, 1), REJECT_SCRIPTPUBKEY},
        {multisig(f, 3, 2), REJECT_SCRIPTPUBKEY},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct tx tx = base(f, 1);
        tx.out[0].script_pubkey = cases[i].script;
        assert_reject(check(f, &tx), cases[i].want);
    }
    f->policy.permit_bare_multisig = false;
    struct tx tx = base(f, 1);
    tx.out[0].script_pubkey = multisig(f, 1, 1);
    assert_reject(check(f, &tx), REJECT_BARE_MULTISIG);
}

TEST(data_outputs_share_one_budget, struct fixture *f)
{
    f->policy.max_datacarrier_bytes = 83;
    struct tx tx = build_tx(&f->arena, 1, 1, 2);
    tx.out[0] = (struct tx_out){.script_pubkey = SCRIPT(f, "\x6a", 39, OP_0)};
    tx.out[1] = (struct tx_out){.script_pubkey = SCRIPT(f, "\x6a", 42, OP_0)};
    assert_reject(check(f, &tx), REJECT_NONE);
    tx.out[1] = (struct tx_out){.script_pubkey = SCRIPT(f, "\x6a", 43, OP_0)};
    assert_reject(check(f, &tx), REJECT_DATACARRIER);
    f->policy.max_datacarrier_bytes = 0;
    tx.out[1] = (struct tx_out){.value_sat = 100000, .script_pubkey = p2pkh(f)};
    assert_reject(check(f, &tx), REJECT_DATACARRIER);
}

/* The thresholds at 3,000 sat/kvB that wallets know by heart. */
TEST(dust_thresholds_are_cores, struct fixture *f)
{
    const struct {
        struct span script;
        int64_t want_sat;
    } cases[] = {
        {p2pkh(f), 546},
        {p2sh(f), 540},
        {SCRIPT(f, "\x00\x14", 20, 1), 294},
        {SCRIPT(f, "\x00\x20", 32, 1), 330},
        {SCRIPT(f, "\x51\x20", 32, 1), 330},
        {SCRIPT(f, "\x51\x02\x4e\x73", 0, 0), 240},
        {SCRIPT(f, "\x6a", 20, OP_0), 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct tx_out out = {.script_pubkey = cases[i].script};
        assert_int_equal(policy_dust_threshold_sat(&out, 3000), cases[i].want_sat);
    }
    struct tx_out out = {.script_pubkey = p2pkh(f)};
    assert_int_equal(policy_dust_threshold_sat(&out, 0), 0);
    assert_int_equal(policy_dust_threshold_sat(&out, 1), 1); /* rounded up */
}

TEST(one_dust_output_may_be_ephemeral, struct fixture *f)
{
    struct tx tx = build_tx(&f->arena, 1, 1, 3);
    for (uint32_t i = 0; i < 3; i++)
        tx.out[i] = (struct tx_out){.value_sat = 546, .script_pubkey = p2pkh(f)};
    assert_reject(check(f, &tx), REJECT_NONE);
    assert_int_equal(policy_count_dust(&tx, 3000), 0);
    tx.out[1].value_sat = 545;
    assert_reject(check(f, &tx), REJECT_NONE);
    tx.out[2].value_sat = 0;
    assert_reject(check(f, &tx), REJECT_DUST);
    assert_int_equal(policy_count_dust(&tx, 3000), 2);
}

/* -- Inputs ------------------------------------------------------------------------------------ */

static void assert_inputs(struct fixture *f, struct tx *tx, const struct tx_out *spent,
                          const char *want)
{
    struct verdict verdict = {0};
    tx_finish(tx, &f->arena);
    assert_int_equal(policy_check_inputs(tx, spent, &verdict), want == NULL);
    if (want) {
        assert_int_equal(verdict.code, REJECT_NONSTANDARD_INPUTS);
        assert_string_equal(verdict.detail, want);
    }
}

TEST(spent_outputs_have_known_forms, struct fixture *f)
{
    struct tx tx = base(f, 2);
    struct tx_out spent[2] = {{.script_pubkey = p2pkh(f)}, {.script_pubkey = p2pkh(f)}};
    assert_inputs(f, &tx, spent, NULL);
    spent[1].script_pubkey = SCRIPT(f, "\x51", 0, 0);
    assert_inputs(f, &tx, spent, "input 1 script unknown");
    spent[1].script_pubkey = SCRIPT(f, "\x52\x20", 32, 0);
    assert_inputs(f, &tx, spent, "input 1 witness program is undefined");
    spent[1].script_pubkey = SCRIPT(f, "\x51\x20", 32, 0);
    assert_inputs(f, &tx, spent, NULL);
}

TEST(redeem_scripts_have_few_sigops, struct fixture *f)
{
    struct tx tx = base(f, 1);
    struct tx_out spent = {.script_pubkey = p2sh(f)};
    assert_inputs(f, &tx, &spent, "input 0 P2SH redeemscript missing");
    tx.in[0].script_sig = SCRIPT(f, "\x0f", 15, OP_CHECKSIG);
    assert_inputs(f, &tx, &spent, NULL);
    tx.in[0].script_sig = SCRIPT(f, "\x10", 16, OP_CHECKSIG);
    assert_inputs(f, &tx, &spent, "p2sh redeemscript sigops exceed limit (input 0: 16 > 15)");
    tx.in[0].script_sig = SCRIPT(f, "\x50", 0, 0); /* OP_RESERVED counts as a push, but fails */
    assert_inputs(f, &tx, &spent, "p2sh scriptsig malformed (input 0)");
    tx.in[0].script_sig = SCRIPT(f, "\x51", 0, 0);
    assert_inputs(f, &tx, &spent, NULL);
}

TEST(legacy_sigops_of_all_inputs_are_bounded, struct fixture *f)
{
    enum { N = 167 }; /* 15 each: 2505 */
    struct tx tx = base(f, N);
    struct tx_out spent[N];
    for (uint32_t i = 0; i < N; i++) {
        spent[i] = (struct tx_out){.script_pubkey = p2sh(f)};
        tx.in[i].script_sig = SCRIPT(f, "\x0f", 15, OP_CHECKSIG);
    }
    assert_inputs(f, &tx, spent, "non-witness sigops exceed bip54 limit");
    tx.in[N - 1].script_sig = SCRIPT(f, "\x0a", 10, OP_CHECKSIG); /* 2500 */
    assert_inputs(f, &tx, spent, NULL);
    tx.in[N - 1].script_sig = SCRIPT(f, "\x0b", 11, OP_CHECKSIG);
    assert_inputs(f, &tx, spent, "non-witness sigops exceed bip54 limit");
    /* What an output that is spent holds counts as well. */
    tx.in[N - 1].script_sig = span_of(NULL, 0);
    spent[N - 1].script_pubkey = multisig(f, 1, 3);
    assert_inputs(f, &tx, spent, NULL);
}

/* -- Witnesses --------------------------------------------------------------------------------- */

static bool witness_is_standard(struct fixture *f, struct span script, const struct span *items,
                                size_t n)
{
    struct tx tx = base(f, 1);
    struct tx_out spent = {.script_pubkey = script};
    if (script.p[0] == OP_HASH160) { /* P2SH of P2WSH */
        tx.in[0].script_sig = SCRIPT(f, "\x22\x00\x20", 32, 3);
    }
    tx.in[0].witness = build_witness(&f->arena, items, n);
    tx_finish(&tx, &f->arena);
    return policy_witness_is_standard(&tx, &spent);
}

TEST(only_witness_programs_have_witnesses, struct fixture *f)
{
    struct span item = SCRIPT(f, "", 10, OP_1);
    assert_false(witness_is_standard(f, p2pkh(f), &item, 1));
    assert_false(witness_is_standard(f, SCRIPT(f, "\x51\x02\x4e\x73", 0, 0), &item, 1));
    assert_true(witness_is_standard(f, SCRIPT(f, "\x00\x14", 20, 1), &item, 1));
    assert_true(witness_is_standard(f, p2sh(f), &item, 1));
    struct tx tx = base(f, 1);
    struct tx_out spent = {.script_pubkey = p2pkh(f)};
    tx_finish(&tx, &f->arena);
    assert_true(policy_witness_is_standard(&tx, &spent));
    /* P2SH whose redeem script is no witness program */
    spent.script_pubkey = p2sh(f);
    tx.in[0].script_sig = SCRIPT(f, "\x51", 0, 0);
    tx.in[0].witness = build_witness(&f->arena, &item, 1);
    assert_false(policy_witness_is_standard(&tx, &spent));
}

TEST(p2wsh_stacks_are_bounded, struct fixture *f)
{
    struct span script = SCRIPT(f, "\x00\x20", 32, 1);
    struct span items[102];
    for (size_t i = 0; i < COUNT_OF(items); i++)
        items[i] = SCRIPT(f, "", 80, 1);
    items[100] = SCRIPT(f, "", 3600, OP_NOP);
    assert_true(witness_is_standard(f, script, items, 101));
    assert_true(witness_is_standard(f, p2sh(f), items, 101));
    items[100] = SCRIPT(f, "", 3601, OP_NOP);
    assert_false(witness_is_standard(f, script, items, 101));
    items[100] = items[0];
    assert_false(witness_is_standard(f, script, items, 102));
    assert_true(witness_is_standard(f, script, items, 2));
    items[0] = SCRIPT(f, "", 81, 1);
    assert_false(witness_is_standard(f, script, items, 2));
    assert_false(witness_is_standard(f, p2sh(f), items, 2));
    assert_true(witness_is_standard(f, script, items, 1)); /* now it is the script */
}

TEST(taproot_stacks_have_no_annex_and_short_items, struct fixture *f)
{
    struct span script = SCRIPT(f, "\x51\x20", 32, 1);
    struct span items[3] = {SCRIPT(f, "", 80, 1), SCRIPT(f, "", 5000, OP_NOP),
                            SCRIPT(f, "\xc0", 32, 1)};
    assert_true(witness_is_standard(f, script, items, 3));
    items[0] = SCRIPT(f, "", 81, 1);
    assert_false(witness_is_standard(f, script, items, 3));
    items[2] = SCRIPT(f, "\xc3", 32, 1); /* another leaf version: nothing is known of its items */
    assert_true(witness_is_standard(f, script, items, 3));
    items[2] = SCRIPT(f, "\x50", 32, 1); /* an annex */
    assert_false(witness_is_standard(f, script, items, 3));
    items[2] = span_of("", 0);
    assert_false(witness_is_standard(f, script, items, 3));
    assert_true(witness_is_standard(f, script, items, 1)); /* key path */
}

TEST(missing_witnesses_are_recognised, struct fixture *f)
{
    struct tx tx = base(f, 2);
    struct tx_out spent[2] = {{.script_pubkey = p2pkh(f)}, {.script_pubkey = p2pkh(f)}};
    assert_false(policy_spends_witness_program(&tx, spent));
    spent[1].script_pubkey = SCRIPT(f, "\x51\x02\x4e\x73", 0, 0);
    assert_false(policy_spends_witness_program(&tx, spent));
    spent[1].script_pubkey = SCRIPT(f, "\x51\x20", 32, 1);
    assert_true(policy_spends_witness_program(&tx, spent));
    spent[1].script_pubkey = p2sh(f);
    assert_false(policy_spends_witness_program(&tx, spent));
    tx.in[1].script_sig = SCRIPT(f, "\x16\x00\x14", 20, 3);
    assert_true(policy_spends_witness_program(&tx, spent));
}

/* -- Which rule is named ----------------------------------------------------------------------- */

/* Each breaks one rule of a transaction by itself and no other. */
static void break_version(struct fixture *f, struct tx *tx)
{
    (void)f;
    tx->version = 4;
}

static void break_weight(struct fixture *f, struct tx *tx)
{
    tx->in[0].witness = SCRIPT(f, "\x01\xfe\xa0\x86\x01\x00", 400000, 0);
    tx->has_witness = true;
}

static void break_script_sig_size(struct fixture *f, struct tx *tx)
{
    tx->in[0].script_sig = SCRIPT(f, "", 1651, OP_0);
}

static void break_pushes(struct fixture *f, struct tx *tx)
{
    tx->in[1].script_sig = SCRIPT(f, "", 1, OP_NOP);
}

static void break_form(struct fixture *f, struct tx *tx)
{
    tx->out[0].script_pubkey = SCRIPT(f, "\x51", 1, 0);
}

static void break_data(struct fixture *f, struct tx *tx)
{
    f->policy.max_datacarrier_bytes = 3;
    tx->out[1].script_pubkey = SCRIPT(f, "\x6a\x02", 2, 0);
}

static void break_multisig(struct fixture *f, struct tx *tx)
{
    f->policy.permit_bare_multisig = false;
    tx->out[2].script_pubkey = multisig(f, 1, 2);
}

static void break_dust(struct fixture *f, struct tx *tx)
{
    (void)f;
    tx->out[3].value_sat = tx->out[4].value_sat = 1;
}

/* Wallets see it: of two rules broken the first in Core's order is named. Outputs are looked at one
 * after the other, all rules but dust. */
TEST(of_two_broken_rules_the_first_is_named, struct fixture *f)
{
    static const struct {
        void (*break_it)(struct fixture *f, struct tx *tx);
        enum reject want;
    } rules[] = {{break_version, REJECT_TX_VERSION},
                 {break_weight, REJECT_TX_SIZE},
                 {break_script_sig_size, REJECT_SCRIPTSIG_SIZE},
                 {break_pushes, REJECT_SCRIPTSIG_NOT_PUSHONLY},
                 {break_form, REJECT_SCRIPTPUBKEY},
                 {break_data, REJECT_DATACARRIER},
                 {break_multisig, REJECT_BARE_MULTISIG},
                 {break_dust, REJECT_DUST}};
    const struct policy policy = f->policy;
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        for (size_t k = i; k < COUNT_OF(rules); k++) {
            struct tx tx = build_tx(&f->arena, 1, 2, 5);
            for (uint32_t out = 0; out < tx.n_out; out++)
                tx.out[out] = (struct tx_out){.value_sat = 100000, .script_pubkey = p2pkh(f)};
            f->policy = policy;
            assert_reject(check(f, &tx), REJECT_NONE);
            rules[k].break_it(f, &tx);
            rules[i].break_it(f, &tx);
            assert_reject(check(f, &tx), rules[i].want);
        }
    }
    /* By output, not by rule. */
    struct tx tx = base(f, 1);
    struct tx_out outs[2] = {{.value_sat = 0, .script_pubkey = SCRIPT(f, "\x6a\x02", 2, 0)},
                             {.value_sat = 100000, .script_pubkey = SCRIPT(f, "\x51", 1, 0)}};
    tx.out = outs;
    tx.n_out = 2;
    f->policy.max_datacarrier_bytes = 3;
    assert_reject(check(f, &tx), REJECT_DATACARRIER);
}

/* -- Sizes and rates --------------------------------------------------------------------------- */

TEST(signature_operations_count_as_bytes)
{
    struct policy policy = {.bytes_per_sigop = POLICY_BYTES_PER_SIGOP};
    assert_int_equal(policy_vbytes(&policy, 400, 0), 100);
    assert_int_equal(policy_vbytes(&policy, 401, 0), 101);
    assert_int_equal(policy_vbytes(&policy, 400, 20), 100);
    assert_int_equal(policy_vbytes(&policy, 400, 21), 105);
    assert_int_equal(policy_adjusted_wu(&policy, 400, 21), 420);
    policy.bytes_per_sigop = 0;
    assert_int_equal(policy_vbytes(&policy, 400, 16000), 100);
    policy.bytes_per_sigop = UINT32_MAX; /* does not wrap */
    assert_int_equal(policy_adjusted_wu(&policy, 400, 16000), INT32_MAX);
    assert_int_equal(policy_vbytes(&policy, 400, 16000), INT32_MAX / 4 + 1);
    assert_int_equal(policy_vbytes(&policy, 400, 0), 100);
}

TEST(fees_are_rounded_up)
{
    assert_int_equal(feerate_fee_sat(100, 110), 11);
    assert_int_equal(feerate_fee_sat(100, 111), 12);
    assert_int_equal(feerate_fee_sat(1, 1), 1);
    assert_int_equal(feerate_fee_sat(0, 1000), 0);
    assert_int_equal(feerate_fee_sat(MAX_MONEY_SAT, 2000), 2 * MAX_MONEY_SAT);
}

TEST(rates_compare_exactly)
{
    const struct {
        struct feerate a, b;
        int want;
    } cases[] = {
        {{1, 2}, {2, 4}, 0},
        {{1, 3}, {1, 2}, -1},
        {{-1, 3}, {-1, 2}, 1},
        {{-1, 2}, {0, 9}, -1},
        {{MAX_MONEY_SAT, 404000}, {MAX_MONEY_SAT - 1, 404000}, 1},
        {{INT64_MAX, 403999}, {INT64_MAX, 404000}, 1},
        {{INT64_MIN, 1}, {INT64_MIN, 2}, -1},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(feerate_compare(cases[i].a, cases[i].b), cases[i].want);
        assert_int_equal(feerate_compare(cases[i].b, cases[i].a), -cases[i].want);
    }
}
