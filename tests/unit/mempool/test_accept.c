/* test_accept.c - transactions on their way in, alone and many at once. */
#include "consensus/opcodes.h"
#include "mempool/mempool_internal.h"
#include "mempool/policy.h"
#include "support/build.h"
#include "support/mempool_rig.h"
#include "support/unit.h"

#define FEE_SAT 10000

static int setup(void **state)
{
    *state = mempool_rig_new(7, 110, NULL);
    return 0;
}

FIXTURE(setup, mempool_rig_teardown)

TEST(good_transactions_get_in, struct mempool_rig *rig)
{
    struct tx tx = mempool_rig_pay(rig, 1, 1, FEE_SAT);
    struct mempool_rig_answer answer = mempool_rig_answer(rig, &tx, 0, 0);
    assert_reject(answer.verdict.code, REJECT_NONE);
    assert_true(answer.is_in);
    assert_int_equal(answer.fee_sat, FEE_SAT);
    assert_int_equal(answer.vbytes, (tx_weight_wu(&tx) + 3) / 4);
    const struct mempool_entry *entry = mempool_find(rig->pool, &tx.txid);
    assert_non_null(entry);
    assert_int_equal(entry->fee_sat, FEE_SAT);
    assert_int_equal(entry->weight_wu, tx_weight_wu(&tx));
    assert_int_equal(entry->height, 110);
    assert_int_equal(entry->sequence, 1);
    assert_false(entry->is_unbroadcast);
    assert_int_equal(mempool_rig_count(rig, MEMPOOL_ADDED, &tx), 1);
    assert_int_equal(mempool_count(rig->pool), 1);
    assert_int_equal(mempool_total_fee_sat(rig->pool), FEE_SAT);
}

TEST(bytes_that_are_no_transaction_are_refused, struct mempool_rig *rig)
{
    struct tx tx = mempool_rig_pay(rig, 1, 1, FEE_SAT), cut = tx;
    cut.raw.len--;
    assert_reject(mempool_rig_add(rig, &cut), REJECT_MALFORMED);
    cut.raw.len = 0;
    assert_reject(mempool_rig_add(rig, &cut), REJECT_MALFORMED);
    uint8_t longer[200] = {0};
    memcpy(longer, tx.raw.p, tx.raw.len);
    cut.raw = span_of(longer, tx.raw.len + 1);
    assert_reject(mempool_rig_add(rig, &cut), REJECT_MALFORMED);
}

/* hazards row 2: an input twice, whether the coin is in the chain or in the mempool. */
TEST(rules_of_transactions_hold, struct mempool_rig *rig)
{
    struct builder_coin coin = mempool_rig_coin(rig, 1);
    struct builder_coin twice[2] = {coin, coin};
    struct tx tx = mempool_rig_spend(rig, twice, 2, 1, FEE_SAT);
    assert_reject(mempool_rig_add(rig, &tx), REJECT_INPUTS_DUPLICATE);
    struct tx parent = mempool_rig_spend(rig, &coin, 1, 1, FEE_SAT);
    assert_reject(mempool_rig_add(rig, &parent), REJECT_NONE);
    twice[0] = twice[1] = mempool_rig_output(&parent, 0);
    tx = mempool_rig_spend(rig, twice, 2, 1, FEE_SAT);
    assert_reject(mempool_rig_add(rig, &tx), REJECT_INPUTS_DUPLICATE);
    /* The same with the coin flushed from memory to the store. */
    mempool_rig_mine(rig, &parent, 1);
    assert_int_equal(rig_flush(&rig->chain), 0);
    assert_reject(mempool_rig_add(rig, &tx), REJECT_INPUTS_DUPLICATE);
    assert_reject(mempool_rig_add(rig, &rig->tip->block.tx[0]), REJECT_COINBASE);
    tx = mempool_rig_spend(rig, &coin, 1, 1, 0);
    tx.out[0].value_sat = MAX_MONEY_SAT + 1;
    tx_finish(&tx, &rig->builder.arena);
    assert_reject(mempool_rig_add(rig, &tx), REJECT_VOUT_TOO_LARGE);
    tx = mempool_rig_pay(rig, 2, 1, -1); /* takes more than it has */
    assert_reject(mempool_rig_add(rig, &tx), REJECT_IN_BELOW_OUT);
}

/* Coins that memory does not know are read from the store; then they are there. */
TEST(scripts_that_fail_are_named, struct mempool_rig *rig)
{
    char reason[VERDICT_REASON_BYTES];
    struct tx tx = mempool_rig_pay(rig, 1, 1, FEE_SAT);
    struct span wrong = builder_script_bytes(BUILDER_FALSE);
    tx.in[0].witness = build_witness(&rig->builder.arena, &wrong, 1);
    tx_finish(&tx, &rig->builder.arena);
    struct mempool_rig_answer answer = mempool_rig_answer(rig, &tx, 0, 0);
    assert_reject(answer.verdict.code, REJECT_TX_SCRIPT_FAILED);
    assert_int_equal(reject_class(answer.verdict.code), REJECT_CLASS_POLICY);
    assert_string_equal(verdict_reason(&answer.verdict, reason),
                        "mempool-script-verify-flag-failed (Witness program hash mismatch)");
    assert_memory_equal(answer.verdict.detail, "input 0 of ", 11);
    /* Without the witness: the id is that of the valid transaction. */
    tx.in[0].witness = span_of(NULL, 0);
    tx_finish(&tx, &rig->builder.arena);
    answer = mempool_rig_answer(rig, &tx, 0, 0);
    assert_reject(answer.verdict.code, REJECT_TX_SCRIPT_STRIPPED);
    assert_int_equal(reject_class(answer.verdict.code), REJECT_CLASS_MUTATED);
    assert_string_equal(verdict_reason(&answer.verdict, reason),
                        "mempool-script-verify-flag-failed (Witness program was passed an empty "
                        "witness)");
}

/* Many inputs are many jobs; the first that fails is the one named. */
TEST(scripts_run_in_slices, struct mempool_rig *rig)
{
    struct builder_coin coin = mempool_rig_coin(rig, 1), coins[200];
    struct tx fan = mempool_rig_spend(rig, &coin, 1, 200, FEE_SAT);
    assert_reject(mempool_rig_add(rig, &fan), REJECT_NONE);
    for (uint32_t i = 0; i < 200; i++)
        coins[i] = mempool_rig_output(&fan, i);
    struct tx tx = mempool_rig_spend(rig, coins, 200, 1, FEE_SAT), good = tx;
    struct span wrong = builder_script_bytes(BUILDER_FALSE);
    struct tx_in in[200];
    memcpy(in, tx.in, sizeof in);
    tx.in = in;
    tx.in[150].witness = build_witness(&rig->builder.arena, &wrong, 1);
    tx_finish(&tx, &rig->builder.arena);
    struct mempool_rig_answer answer = mempool_rig_answer(rig, &tx, 0, 0);
    assert_reject(answer.verdict.code, REJECT_TX_SCRIPT_FAILED);
    assert_memory_equal(answer.verdict.detail, "input 150 of ", 13);
    assert_reject(mempool_rig_add(rig, &good), REJECT_NONE);
}

/* hazards row 81: nothing is free. */
TEST(fees_have_a_ceiling_if_wanted, struct mempool_rig *rig)
{
    struct tx tx = mempool_rig_pay(rig, 1, 1, FEE_SAT);
    struct mempool_rig_answer answer = mempool_rig_answer(rig, &tx, 0, FEE_SAT - 1);
    assert_reject(answer.verdict.code, REJECT_MAX_FEE_EXCEEDED);
    assert_int_equal(answer.fee_sat, FEE_SAT);
    assert_false(mempool_rig_has(rig, &tx));
    answer = mempool_rig_answer(rig, &tx, 0, FEE_SAT);
    assert_reject(answer.verdict.code, REJECT_NONE);
}

/* -- The order of reasons ---------------------------------------------------------------------- */

/* One transaction that breaks every rule, and rule after rule is kept: what is named is the first
 * that is still broken, in the order of Core. */
enum fault {
    FAULT_VERSION,
    FAULT_NOT_FINAL,
    FAULT_UNKNOWN_INPUT,
    FAULT_LOCKED_INPUT,
    FAULT_YOUNG_INPUT,
    FAULT_ODD_INPUT,
    FAULT_LONG_WITNESS,
    FAULT_DUST_WITH_FEE,
    FAULT_SIGOPS,
    FAULT_NO_FEE,
    FAULT_TRUC_PARENT,
    FAULT_LOW_REPLACEMENT,
    FAULT_FULL_CLUSTER,
    FAULT_NEEDS_REPLACED,
    FAULT_MAX_RATE,
    FAULT_DUST_LEFT,
    FAULT_SCRIPT,
    FAULT_COUNT,
};

static const enum reject reasons[FAULT_COUNT + 1] = {
    [FAULT_VERSION] = REJECT_TX_VERSION,
    [FAULT_NOT_FINAL] = REJECT_NON_FINAL,
    [FAULT_UNKNOWN_INPUT] = REJECT_INPUTS_UNKNOWN,
    [FAULT_LOCKED_INPUT] = REJECT_NON_BIP68_FINAL,
    [FAULT_YOUNG_INPUT] = REJECT_PREMATURE_SPEND_YET,
    [FAULT_ODD_INPUT] = REJECT_NONSTANDARD_INPUTS,
    [FAULT_LONG_WITNESS] = REJECT_WITNESS_NONSTANDARD,
    [FAULT_DUST_WITH_FEE] = REJECT_DUST,
    [FAULT_SIGOPS] = REJECT_TX_SIGOPS,
    [FAULT_NO_FEE] = REJECT_MIN_RELAY_FEE,
    [FAULT_TRUC_PARENT] = REJECT_TRUC_VIOLATION,
    [FAULT_LOW_REPLACEMENT] = REJECT_INSUFFICIENT_FEE,
    [FAULT_FULL_CLUSTER] = REJECT_CLUSTER_TOO_LARGE,
    [FAULT_NEEDS_REPLACED] = REJECT_SPENDS_CONFLICTING,
    [FAULT_MAX_RATE] = REJECT_MAX_FEERATE_EXCEEDED,
    [FAULT_DUST_LEFT] = REJECT_EPHEMERAL_SPENDS,
    [FAULT_SCRIPT] = REJECT_TX_SCRIPT_FAILED,
    [FAULT_COUNT] = REJECT_NONE,
};

#define COSTLY_OUTPUTS (POLICY_TX_SIGOPS_COST_MAX / 80 + 1) /* of one bare multisig each */

/* What stands ready to be spent. */
struct faulty_coins {
    struct builder_coin good, odd, of_full, of_rival, of_dusty;
    struct builder_coin rivals; /* the coin that the rival spends */
};

static struct faulty_coins prepare_faults(struct mempool_rig *rig)
{
    struct faulty_coins coins = {.good = mempool_rig_coin(rig, 1),
                                 .rivals = mempool_rig_coin(rig, 2)};
    struct builder_coin coin = mempool_rig_coin(rig, 3);
    struct tx tx = builder_spend(&rig->builder, &coin, 1, 1, FEE_SAT, BUILDER_TRUE);
    mempool_rig_mine(rig, &tx, 1);
    coins.odd = builder_coin_of(&tx, 0, BUILDER_TRUE);
    tx = mempool_rig_spend(rig, &coins.rivals, 1, 2, COIN_SAT);
    assert_reject(mempool_rig_add(rig, &tx), REJECT_NONE);
    coins.of_rival = mempool_rig_output(&tx, 0);
    tx = mempool_rig_pay(rig, 4, 2, 0);
    tx.out[0].value_sat += tx.out[1].value_sat - 100;
    tx.out[1].value_sat = 100;
    tx_finish(&tx, &rig->builder.arena);
    assert_reject(mempool_rig_answer(rig, &tx, MEMPOOL_BYPASS_FEE, 0).verdict.code, REJECT_NONE);
    coins.of_dusty = mempool_rig_output(&tx, 0);
    tx = mempool_rig_pay(rig, 5, 1, FEE_SAT);
    for (int i = 0; i < MEMPOOL_CLUSTER_COUNT_MAX; i++) {
        assert_reject(mempool_rig_add(rig, &tx), REJECT_NONE);
        coins.of_full = mempool_rig_output(&tx, 0);
        tx = mempool_rig_pay_on(rig, &tx, 0, 1, FEE_SAT);
    }
    return coins;
}

static uint32_t choose_inputs(struct mempool_rig *rig, const struct faulty_coins *coins,
                              enum fault first, struct builder_coin *in)
{
    uint32_t n = 0;
    in[n++] = coins->good;
    if (first <= FAULT_UNKNOWN_INPUT) {
        in[n] = mempool_rig_coin(rig, 6);
        in[n++].outpoint.vout = 7;
    }
    if (first <= FAULT_YOUNG_INPUT)
        in[n++] = mempool_rig_coin(rig, 100);
    if (first <= FAULT_ODD_INPUT)
        in[n++] = coins->odd;
    in[n++] = coins->rivals; /* at last it pays for that */
    if (first <= FAULT_FULL_CLUSTER)
        in[n++] = coins->of_full;
    if (first <= FAULT_NEEDS_REPLACED)
        in[n++] = coins->of_rival;
    if (first <= FAULT_DUST_LEFT)
        in[n++] = coins->of_dusty;
    return n;
}

/* Outputs behind the first, which gives what they have. */
static void add_outputs(struct mempool_rig *rig, struct tx *tx, enum fault first)
{
    static const uint8_t multisig[37] = {OP_1, 33, 2, [35] = OP_1, OP_CHECKMULTISIG};
    uint32_t n = first <= FAULT_SIGOPS ? COSTLY_OUTPUTS : 0;
    n += first <= FAULT_DUST_WITH_FEE;
    struct tx_out *out = arena_alloc(&rig->builder.arena, (n + 1) * sizeof *out);
    out[0] = tx->out[0];
    for (uint32_t i = 1; i <= n; i++) {
        out[i] = (struct tx_out){1000, span_of(multisig, sizeof multisig)};
        if (i == n && first <= FAULT_DUST_WITH_FEE)
            out[i] = (struct tx_out){100, out[0].script_pubkey};
        out[0].value_sat -= out[i].value_sat;
    }
    tx->out = out;
    tx->n_out = n + 1;
}

/* All faults from the first on. */
static struct tx make_faulty(struct mempool_rig *rig, const struct faulty_coins *coins,
                             enum fault first)
{
    struct builder_coin in[8];
    struct span items[2] = {span_of("0123456789", 10), builder_script_bytes(BUILDER_TRUE)};
    struct span wrong = builder_script_bytes(BUILDER_FALSE);
    uint32_t n = choose_inputs(rig, coins, first, in);
    int64_t fee_sat = first <= FAULT_NO_FEE            ? 1
                      : first <= FAULT_LOW_REPLACEMENT ? COIN_SAT - 1
                                                       : 10 * COIN_SAT;
    struct tx tx = mempool_rig_spend(rig, in, n, 1, fee_sat);
    uint8_t *item = arena_calloc(&rig->builder.arena, 1, 81);
    tx.version = first <= FAULT_VERSION ? 4 : first <= FAULT_TRUC_PARENT ? 3 : 2;
    tx.lock_time = first <= FAULT_NOT_FINAL ? 500 : 0;
    tx.in[0].sequence = first <= FAULT_LOCKED_INPUT ? 200 : 0;
    if (first <= FAULT_LONG_WITNESS)
        items[0] = span_of(item, 81);
    if (first <= FAULT_LONG_WITNESS)
        tx.in[0].witness = build_witness(&rig->builder.arena, items, 2);
    else if (first <= FAULT_SCRIPT)
        tx.in[0].witness = build_witness(&rig->builder.arena, &wrong, 1);
    add_outputs(rig, &tx, first);
    tx_finish(&tx, &rig->builder.arena);
    return tx;
}

TEST(which_of_several_faults_is_named_goes_by_core, struct mempool_rig *rig)
{
    struct faulty_coins coins = prepare_faults(rig);
    for (enum fault first = 0; first <= FAULT_COUNT; first++) {
        struct tx tx = make_faulty(rig, &coins, first);
        struct mempool_package request = {.txs = &tx, .n = 1};
        if (first <= FAULT_MAX_RATE)
            request.max_rate = (struct feerate){1, 1000};
        struct mempool_rig_package_answer answer = mempool_rig_request_package(rig, &request);
        assert_reject(answer.tx[0].verdict.code, reasons[first]);
    }
}

TEST(a_test_changes_nothing, struct mempool_rig *rig)
{
    struct tx tx = mempool_rig_pay(rig, 1, 1, FEE_SAT);
    struct mempool_rig_answer answer =
        mempool_rig_answer(rig, &tx, MEMPOOL_TEST_ONLY | MEMPOOL_LOCAL, 0);
    assert_reject(answer.verdict.code, REJECT_NONE);
    assert_false(answer.is_in);
    assert_int_equal(answer.fee_sat, FEE_SAT);
    assert_true(answer.vbytes > 0);
    assert_int_equal(mempool_count(rig->pool), 0);
    assert_int_equal(rig->n_events, 0);
}

/* hazards row 12: the cost of signature operations is bounded before any script runs. */
/* A child handed in before its parent is decided waits for it, however late its own jobs are. */
TEST(children_wait_for_parents, struct mempool_rig *rig)
{
    enum { N = 20 };
    struct tx tx[N];
    struct mempool_rig_answer answer[N], bad;
    tx[0] = mempool_rig_pay(rig, 1, 1, FEE_SAT);
    for (int i = 1; i < N; i++)
        tx[i] = mempool_rig_pay_on(rig, &tx[i - 1], 0, 1, FEE_SAT);
    for (int i = 0; i < N; i++)
        mempool_rig_submit(rig, &tx[i], 0, &answer[i]);
    assert_int_equal(mempool_pending(rig->pool), N);
    mempool_rig_settle(rig);
    for (int i = 0; i < N; i++)
        assert_reject(answer[i].verdict.code, REJECT_NONE);
    assert_int_equal(mempool_count(rig->pool), N);
    /* A parent that is refused takes its children with it. */
    tx[0] = mempool_rig_pay(rig, 2, 1, 0);
    for (int i = 1; i < N; i++)
        tx[i] = mempool_rig_pay_on(rig, &tx[i - 1], 0, 1, FEE_SAT);
    mempool_rig_submit(rig, &tx[0], 0, &bad);
    for (int i = 1; i < N; i++)
        mempool_rig_submit(rig, &tx[i], 0, &answer[i]);
    mempool_rig_settle(rig);
    assert_reject(bad.verdict.code, REJECT_MIN_RELAY_FEE);
    for (int i = 1; i < N; i++)
        assert_reject(answer[i].verdict.code, REJECT_INPUTS_UNKNOWN);
}

/* A lane may be full of others. */
TEST(children_wait_for_a_parent_in_a_full_lane, struct mempool_rig *rig)
{
    enum { CHILDREN = 60, OTHERS = MEMPOOL_PENDING_MAX - CHILDREN - 1 };
    static struct mempool_rig_answer answer[MEMPOOL_PENDING_MAX];
    struct tx parent = mempool_rig_pay(rig, 1, CHILDREN, FEE_SAT), child[CHILDREN];
    struct tx other = mempool_rig_pay(rig, 2, 1, FEE_SAT);
    mempool_rig_submit(rig, &parent, 0, &answer[0]);
    for (uint32_t i = 0; i < CHILDREN; i++) {
        child[i] = mempool_rig_pay_on(rig, &parent, i, 1, FEE_SAT);
        mempool_rig_submit(rig, &child[i], 0, &answer[1 + i]);
    }
    for (int i = 0; i < OTHERS; i++)
        mempool_rig_submit(rig, &other, MEMPOOL_TEST_ONLY, &answer[1 + CHILDREN + i]);
    mempool_rig_settle(rig);
    for (int i = 0; i < MEMPOOL_PENDING_MAX; i++)
        assert_reject(answer[i].verdict.code, REJECT_NONE);
    assert_int_equal(mempool_count(rig->pool), 1 + CHILDREN);
}

/* What a reorganisation puts back waits in a row, each for the one before. */
TEST(what_is_put_back_in_a_row_comes_back_whole, struct mempool_rig *rig)
{
    enum { N = 400 };
    struct tx tx[N], fan = mempool_rig_pay(rig, 1, N, FEE_SAT);
    for (uint32_t i = 0; i < N; i++)
        tx[i] = mempool_rig_pay_on(rig, &fan, i, 1, FEE_SAT);
    mempool_rig_mine(rig, &fan, 1);
    const struct built_block *fork = rig->tip;
    mempool_rig_mine(rig, tx, N);
    (void)mempool_rig_mine_on(rig, mempool_rig_mine_on(rig, fork, NULL, 0), NULL, 0);
    mempool_rig_settle(rig);
    assert_int_equal(mempool_count(rig->pool), N);
}

/* Whichever job ends first: what comes in an order that makes sense gets in. A child whose first
 * job and read were both faster than its parent's first job used to be an orphan. */
TEST(the_order_of_arrival_counts)
{
    enum { PAIRS = 300 };
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct mempool_rig *rig = mempool_rig_new(seed, 102, NULL);
        struct builder_coin coin = mempool_rig_coin(rig, 1);
        struct tx fan = mempool_rig_spend(rig, &coin, 1, PAIRS, 1000000);
        mempool_rig_mine(rig, &fan, 1);
        for (uint32_t i = 0; i < PAIRS; i++) {
            struct mempool_rig_answer answer[2];
            struct tx parent = mempool_rig_pay_on(rig, &fan, i, 1, FEE_SAT);
            struct tx child = mempool_rig_pay_on(rig, &parent, 0, 1, FEE_SAT);
            mempool_rig_submit(rig, &parent, 0, &answer[0]);
            mempool_rig_submit(rig, &child, 0, &answer[1]);
            mempool_rig_settle(rig);
            assert_reject(answer[0].verdict.code, REJECT_NONE);
            assert_reject(answer[1].verdict.code, REJECT_NONE);
        }
        mempool_rig_free(rig);
    }
}

TEST(one_of_two_conflicting_wins, struct mempool_rig *rig)
{
    struct tx a = mempool_rig_pay(rig, 1, 1, FEE_SAT), b = mempool_rig_pay(rig, 1, 1, 2 * FEE_SAT);
    struct mempool_rig_answer answer_a, answer_b, again;
    mempool_rig_submit(rig, &a, 0, &answer_a);
    mempool_rig_submit(rig, &b, 0, &answer_b);
    mempool_rig_submit(rig, &a, 0, &again);
    mempool_rig_settle(rig);
    /* Whichever has been checked first: the one that pays more is there in the end. */
    assert_true(answer_b.is_in && mempool_rig_has(rig, &b));
    assert_int_equal(mempool_count(rig->pool), 1);
    if (!answer_a.is_in)
        assert_reject(answer_a.verdict.code, REJECT_INSUFFICIENT_FEE);
    else
        assert_int_equal(mempool_rig_count(rig, MEMPOOL_REMOVED_REPLACED, &a), 1);
    assert_true(again.was_known || again.verdict.code == REJECT_INSUFFICIENT_FEE);
}

/* A block comes while a transaction is being checked, at every stage of that: what it spends is
 * gone at the commit, or the entry goes with the block. */
TEST(the_tip_may_move_meanwhile, struct mempool_rig *rig)
{
    size_t n_late = 0, n_removed = 0;
    for (int32_t height = 1; height <= 11; height++) {
        struct tx a = mempool_rig_pay(rig, height, 1, FEE_SAT),
                  b = mempool_rig_pay(rig, height, 1, 2 * FEE_SAT);
        struct builder_spec spec = {.tx = &b, .n_tx = 1};
        const struct built_block *block = builder_block(&rig->builder, rig->tip, &spec);
        struct mempool_rig_answer answer;
        rig_submit(&rig->chain, block);
        for (int i = 0; i < height && !rig_is_at(&rig->chain, block); i++)
            assert_true(sim_env_step(rig->chain.sim));
        mempool_rig_submit(rig, &a, 0, &answer);
        mempool_rig_settle(rig);
        assert_true(rig_is_at(&rig->chain, block));
        assert_false(mempool_rig_has(rig, &a));
        rig->tip = block;
        bool was_removed = mempool_rig_count(rig, MEMPOOL_REMOVED_CONFLICT, &a) == 1;
        assert_int_equal(was_removed, answer.verdict.code == REJECT_NONE);
        if (!was_removed)
            assert_reject(answer.verdict.code, REJECT_INPUTS_UNKNOWN);
        n_removed += was_removed;
        n_late += !was_removed;
    }
    assert_true(n_late > 0 && n_removed > 0);
}

TEST(the_number_of_checks_is_bounded, struct mempool_rig *rig)
{
    struct tx tx = mempool_rig_pay(rig, 1, 1, FEE_SAT);
    struct mempool_rig_answer *answer = test_calloc(MEMPOOL_PENDING_MAX + 1, sizeof *answer);
    for (size_t i = 0; i <= MEMPOOL_PENDING_MAX; i++)
        mempool_rig_submit(rig, &tx, 0, &answer[i]);
    mempool_rig_settle(rig);
    size_t n_in = 0, n_busy = 0;
    for (size_t i = 0; i <= MEMPOOL_PENDING_MAX; i++) {
        n_in += answer[i].verdict.code == REJECT_NONE;
        n_busy += answer[i].verdict.code == REJECT_MEMPOOL_BUSY;
    }
    assert_int_equal(n_in, 1);
    assert_int_equal(n_busy, 1);
    assert_reject(answer[MEMPOOL_PENDING_MAX].verdict.code, REJECT_MEMPOOL_BUSY);
    test_free(answer);
}

/* What peers send fills the room of peers alone, and that of our user's does not take theirs. */
TEST(peers_have_a_room_of_their_own, struct mempool_rig *rig)
{
    enum { N = MEMPOOL_PEER_PENDING_MAX };
    struct tx tx = mempool_rig_pay(rig, 1, 1, FEE_SAT), user = mempool_rig_pay(rig, 2, 1, FEE_SAT);
    struct mempool_rig_answer answer[N + 1] = {{0}}, own = {0}, last = {0};
    for (size_t i = 0; i <= N; i++)
        mempool_rig_submit(rig, &tx, MEMPOOL_FROM_PEER, &answer[i]);
    mempool_rig_submit(rig, &user, MEMPOOL_LOCAL, &own);
    mempool_rig_settle(rig);
    size_t n_in = 0;
    for (size_t i = 0; i < N; i++) {
        n_in += answer[i].is_in;
        assert_string_not_equal(reject_string(answer[i].verdict.code), "mempool-busy");
    }
    assert_true(n_in >= 1);
    assert_reject(answer[N].verdict.code, REJECT_MEMPOOL_BUSY);
    assert_reject(own.verdict.code, REJECT_NONE);
    struct mempool_rig_answer *many = test_calloc(MEMPOOL_PENDING_MAX, sizeof *many);
    for (size_t i = 0; i < MEMPOOL_PENDING_MAX; i++)
        mempool_rig_submit(rig, &user, 0, &many[i]);
    struct tx other = mempool_rig_pay(rig, 3, 1, FEE_SAT);
    mempool_rig_submit(rig, &other, MEMPOOL_FROM_PEER, &last);
    mempool_rig_settle(rig);
    assert_reject(last.verdict.code, REJECT_NONE);
    assert_reject(many[MEMPOOL_PENDING_MAX - 1].verdict.code, REJECT_ALREADY_IN_MEMPOOL);
    test_free(many);
}

/* Both sides of the bound on bytes: what is not decodable counts as long as it is under way. */
TEST(the_bytes_of_peers_are_bounded, struct mempool_rig *rig)
{
    size_t half = MEMPOOL_PEER_PENDING_BYTES_MAX / 2;
    uint8_t *junk = test_calloc(1, half);
    struct tx tx = {.raw = span_of(junk, half)}, one = {.raw = span_of(junk, 1)};
    struct mempool_rig_answer answer[3] = {{0}};
    mempool_rig_submit(rig, &tx, MEMPOOL_FROM_PEER, &answer[0]);
    mempool_rig_submit(rig, &tx, MEMPOOL_FROM_PEER, &answer[1]);
    mempool_rig_submit(rig, &one, MEMPOOL_FROM_PEER, &answer[2]);
    mempool_rig_settle(rig);
    assert_reject(answer[1].verdict.code, REJECT_MALFORMED);
    assert_reject(answer[2].verdict.code, REJECT_MEMPOOL_BUSY);
    test_free(junk);
}

static void note_closed(void *arg)
{
    *(bool *)arg = true;
}

TEST(closing_answers_all)
{
    struct mempool_rig *rig = mempool_rig_new(9, 102, NULL);
    struct tx tx[3] = {mempool_rig_pay(rig, 1, 1, FEE_SAT), mempool_rig_pay(rig, 2, 1, FEE_SAT)};
    struct mempool_rig_answer answer[4];
    tx[2] = mempool_rig_pay_on(rig, &tx[0], 0, 1, FEE_SAT);
    for (int i = 0; i < 3; i++)
        mempool_rig_submit(rig, &tx[i], 0, &answer[i]);
    bool is_closed = false;
    mempool_close(rig->pool, note_closed, &is_closed);
    assert_false(is_closed);
    mempool_rig_submit(rig, &tx[0], 0, &answer[3]);
    rig_wait(&rig->chain, &is_closed);
    for (int i = 0; i < 4; i++) {
        assert_true(answer[i].is_done);
        assert_reject(answer[i].verdict.code, REJECT_FAULT);
    }
    mempool_free(rig->pool);
    struct mempool_options options = mempool_default_options();
    rig->pool = mempool_new(sim_env_get(rig->chain.sim), NULL, rig->chain.chain, &options, NULL);
    mempool_rig_free(rig);
}
