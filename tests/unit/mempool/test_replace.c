/* test_replace.c - who may take the place of what spends the same coins. */
#include "mempool/replace.h"

#include "sim/sim_random.h"
#include "support/mempool_rig.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/hex.h"

#define FEE_SAT 10000

static int setup(void **state)
{
    *state = mempool_rig_new(7, 260, NULL);
    return 0;
}

FIXTURE(setup, mempool_rig_teardown)

static void add(struct mempool_rig *rig, const struct tx *tx)
{
    assert_reject(mempool_rig_add(rig, tx), REJECT_NONE);
}

static void assert_refused(struct mempool_rig *rig, const struct tx *tx, enum reject code,
                           const char *detail)
{
    size_t n_events = rig->n_events;
    struct mempool_rig_answer answer = mempool_rig_answer(rig, tx, 0, 0);
    assert_reject(answer.verdict.code, code);
    if (!strstr(answer.verdict.detail, detail))
        fail_msg("%s", answer.verdict.detail);
    assert_int_equal(rig->n_events, n_events); /* nothing has changed */
}

/* Each satoshi counts: all that goes is paid for, and the bytes of who comes. */
TEST(it_pays_for_all_that_goes_and_for_itself, struct mempool_rig *rig)
{
    struct tx parent = mempool_rig_pay(rig, 1, 2, FEE_SAT);
    struct tx child = mempool_rig_pay_on(rig, &parent, 0, 1, 3 * FEE_SAT);
    add(rig, &parent);
    add(rig, &child);
    struct tx tx = mempool_rig_pay(rig, 1, 1, 4 * FEE_SAT - 1);
    uint32_t vbytes = (tx_weight_wu(&tx) + 3) / 4;
    int64_t relay_sat = (vbytes + 9) / 10; /* 100 satoshi for 1,000 bytes, rounded up */
    assert_refused(rig, &tx, REJECT_INSUFFICIENT_FEE,
                   ", less fees than conflicting txs; 0.00039999 < 0.0004");
    tx = mempool_rig_pay(rig, 1, 1, 4 * FEE_SAT + relay_sat - 1);
    assert_refused(rig, &tx, REJECT_INSUFFICIENT_FEE, ", not enough additional fees to relay; ");
    tx = mempool_rig_pay(rig, 1, 1, 4 * FEE_SAT + relay_sat);
    struct mempool_rig_answer answer = mempool_rig_answer(rig, &tx, MEMPOOL_TEST_ONLY, 0);
    assert_reject(answer.verdict.code, REJECT_NONE);
    assert_true(mempool_rig_has(rig, &parent) && mempool_rig_has(rig, &child));
    add(rig, &tx);
    assert_int_equal(mempool_count(rig->pool), 1);
    assert_int_equal(mempool_rig_count(rig, MEMPOOL_REMOVED_REPLACED, &parent), 1);
    assert_int_equal(mempool_rig_count(rig, MEMPOOL_REMOVED_REPLACED, &child), 1);
    assert_int_equal(mempool_total_fee_sat(rig->pool), 4 * FEE_SAT + relay_sat);
}

/* A delta of the user counts on both sides. */
TEST(deltas_count, struct mempool_rig *rig)
{
    struct tx tx = mempool_rig_pay(rig, 1, 1, FEE_SAT),
              more = mempool_rig_pay(rig, 1, 1, 2 * FEE_SAT);
    add(rig, &tx);
    mempool_prioritise(rig->pool, &tx.txid, 5 * FEE_SAT);
    assert_refused(rig, &more, REJECT_INSUFFICIENT_FEE, "less fees than conflicting txs");
    mempool_prioritise(rig->pool, &more.txid, 5 * FEE_SAT);
    add(rig, &more);
}

/* It pays more, but so large that miners with little room would earn less. */
TEST(the_diagram_must_not_sink, struct mempool_rig *rig)
{
    struct tx tx = mempool_rig_pay(rig, 1, 1, FEE_SAT);
    add(rig, &tx);
    struct tx large = mempool_rig_pay(rig, 1, 100, FEE_SAT + 2000);
    assert_refused(rig, &large, REJECT_REPLACEMENT_FAILED,
                   "insufficient feerate: does not improve feerate diagram");
    large = mempool_rig_pay(rig, 1, 100, 100 * FEE_SAT);
    add(rig, &large);
}

/* What replaces a cheap one, but drags down with it what was good, is refused: it would be mined
 * only with a parent that pays too little. */
TEST(a_poor_parent_holds_it_back, struct mempool_rig *rig)
{
    struct tx poor = mempool_rig_pay(rig, 1, 60, 2000), good = mempool_rig_pay(rig, 2, 1, FEE_SAT);
    add(rig, &poor);
    add(rig, &good);
    struct builder_coin coins[2] = {mempool_rig_output(&poor, 0), mempool_rig_coin(rig, 2)};
    struct tx tx = mempool_rig_spend(rig, coins, 2, 1, FEE_SAT + 500);
    assert_refused(rig, &tx, REJECT_REPLACEMENT_FAILED, "does not improve");
    tx = mempool_rig_spend(rig, coins, 2, 1, 40 * FEE_SAT);
    add(rig, &tx);
    assert_false(mempool_rig_has(rig, &good));
}

TEST(it_must_not_need_what_it_replaces, struct mempool_rig *rig)
{
    struct tx parent = mempool_rig_pay(rig, 1, 2, FEE_SAT);
    struct tx child = mempool_rig_pay_on(rig, &parent, 0, 2, FEE_SAT);
    add(rig, &parent);
    add(rig, &child);
    struct builder_coin coins[2] = {mempool_rig_coin(rig, 1), mempool_rig_output(&child, 1)};
    struct tx tx = mempool_rig_spend(rig, coins, 2, 1, 90 * FEE_SAT);
    assert_refused(rig, &tx, REJECT_SPENDS_CONFLICTING, " spends conflicting transaction ");
    coins[0] = mempool_rig_output(&parent, 0); /* its parent's sibling, so to say: child itself */
    tx = mempool_rig_spend(rig, coins, 2, 1, 90 * FEE_SAT);
    assert_refused(rig, &tx, REJECT_SPENDS_CONFLICTING, " spends conflicting transaction ");
    /* That is looked at last: before it comes whether what goes is paid for, ... */
    tx = mempool_rig_spend(rig, coins, 2, 1, FEE_SAT - 1);
    assert_refused(rig, &tx, REJECT_INSUFFICIENT_FEE, "less fees than conflicting txs");
    tx = mempool_rig_spend(rig, coins, 2, 700, 2 * FEE_SAT); /* ... and at what rate */
    assert_refused(rig, &tx, REJECT_REPLACEMENT_FAILED, "does not improve feerate diagram");
    /* Only the parent is needed: then child goes. */
    coins[1] = mempool_rig_output(&parent, 1);
    tx = mempool_rig_spend(rig, coins, 2, 1, 90 * FEE_SAT);
    add(rig, &tx);
    assert_true(mempool_rig_has(rig, &parent) && !mempool_rig_has(rig, &child));
}

/* Of several the first by id is named: an order that does not hang on who came first. */
TEST(the_first_that_is_needed_is_named, struct mempool_rig *rig)
{
    enum { N = 6 };
    struct tx tx[N];
    struct builder_coin coins[2 * N];
    const struct tx *first = &tx[0];
    char text[HEX_ID_BYTES];
    for (int i = 0; i < N; i++) {
        tx[i] = mempool_rig_pay(rig, i + 1, 1, FEE_SAT);
        add(rig, &tx[i]);
        coins[i] = mempool_rig_coin(rig, i + 1);
        coins[N + i] = mempool_rig_output(&tx[i], 0);
        first = memcmp(tx[i].txid.b, first->txid.b, 32) < 0 ? &tx[i] : first;
    }
    struct tx all = mempool_rig_spend(rig, coins, 2 * N, 1, 90 * FEE_SAT);
    hex_encode_reversed(text, span_of(first->txid.b, 32));
    assert_refused(rig, &all, REJECT_SPENDS_CONFLICTING, text);
}

/* 100 clusters may be touched, whatever is in them; 101 may not. */
TEST(clusters_touched_have_a_limit, struct mempool_rig *rig)
{
    struct builder_coin coins[REPLACE_CLUSTERS_MAX + 1];
    for (int32_t i = 0; i <= REPLACE_CLUSTERS_MAX; i++) {
        struct tx tx = mempool_rig_pay(rig, i + 1, 2, FEE_SAT);
        struct tx child = mempool_rig_pay_on(rig, &tx, 0, 1, FEE_SAT);
        add(rig, &tx);
        add(rig, &child);
        coins[i] = mempool_rig_coin(rig, i + 1);
    }
    struct tx tx = mempool_rig_spend(rig, coins, REPLACE_CLUSTERS_MAX + 1, 1, 500 * FEE_SAT);
    assert_refused(rig, &tx, REJECT_TOO_MANY_REPLACED,
                   "; too many conflicting clusters (101 > 100)");
    tx = mempool_rig_spend(rig, coins, REPLACE_CLUSTERS_MAX, 1, 1500 * FEE_SAT);
    add(rig, &tx);
    assert_int_equal(mempool_count(rig->pool), 3);
}

/* A full cluster has room for one that takes the place of one of its own, and for no other. */
TEST(room_is_made_by_what_goes, struct mempool_rig *rig)
{
    struct tx tx[MEMPOOL_CLUSTER_COUNT_MAX];
    tx[0] = mempool_rig_pay(rig, 1, 2, FEE_SAT);
    add(rig, &tx[0]);
    for (int i = 1; i < MEMPOOL_CLUSTER_COUNT_MAX; i++) {
        tx[i] = mempool_rig_pay_on(rig, &tx[i - 1], 0, 1, FEE_SAT);
        add(rig, &tx[i]);
    }
    struct tx other = mempool_rig_pay(rig, 2, 1, FEE_SAT);
    add(rig, &other);
    struct builder_coin coins[2] = {mempool_rig_output(&tx[0], 1), mempool_rig_coin(rig, 2)};
    struct tx more = mempool_rig_spend(rig, coins, 2, 1, 9 * FEE_SAT);
    assert_refused(rig, &more, REJECT_CLUSTER_TOO_LARGE, "");
    more = mempool_rig_pay_on(rig, &tx[MEMPOOL_CLUSTER_COUNT_MAX - 2], 0, 1, 3 * FEE_SAT);
    add(rig, &more);
    assert_int_equal(mempool_count(rig->pool), MEMPOOL_CLUSTER_COUNT_MAX + 1);
}

/* Who takes another's place and keeps n parents, each a cluster of its own. */
static struct tx rival_with_parents(struct mempool_rig *rig, const struct tx *parents, uint32_t n)
{
    struct builder_coin coins[2 * MEMPOOL_CLUSTER_COUNT_MAX];
    coins[0] = mempool_rig_coin(rig, 150);
    for (uint32_t i = 0; i < n; i++)
        coins[1 + i] = mempool_rig_output(&parents[i], 0);
    return mempool_rig_spend(rig, coins, 1 + n, 1, 200 * FEE_SAT);
}

/* Parents that stay are of its cluster: 63 and itself fill one. */
TEST(parents_that_stay_have_a_limit, struct mempool_rig *rig)
{
    enum { MANY = 2 * MEMPOOL_CLUSTER_COUNT_MAX - 1 };
    struct tx parents[MANY], rival = mempool_rig_pay(rig, 150, 1, FEE_SAT);
    add(rig, &rival);
    for (int32_t i = 0; i < MANY; i++) {
        parents[i] = mempool_rig_pay(rig, i + 1, 1, FEE_SAT);
        add(rig, &parents[i]);
    }
    struct tx many = rival_with_parents(rig, parents, MANY);
    assert_refused(rig, &many, REJECT_CLUSTER_TOO_LARGE, "");
    struct tx one_more = rival_with_parents(rig, parents, MEMPOOL_CLUSTER_COUNT_MAX);
    assert_refused(rig, &one_more, REJECT_CLUSTER_TOO_LARGE, "");
    struct tx full = rival_with_parents(rig, parents, MEMPOOL_CLUSTER_COUNT_MAX - 1);
    add(rig, &full);
    assert_false(mempool_rig_has(rig, &rival));
}

/* Replaced again and again in one run: nothing of before stays behind. */
TEST(replacements_may_be_replaced, struct mempool_rig *rig)
{
    for (int64_t i = 1; i <= 20; i++) {
        struct tx tx = mempool_rig_pay(rig, 1, 1, i * FEE_SAT);
        add(rig, &tx);
        assert_int_equal(mempool_count(rig->pool), 1);
        assert_int_equal(mempool_total_fee_sat(rig->pool), i * FEE_SAT);
    }
}

/* -- What it costs to send again and again (hazard 66) ----------------------------------------- */

enum { CYCLE_COINS = 6, CYCLE_TRIES = 30000 };

/* What is sent round, and what was ever taken, since that was relayed. */
struct cycle {
    struct mempool_rig *rig;
    struct sim_random random;
    size_t n_in, n_refused;
    int64_t relayed_vb;
};

/* What all that would go for it pays, each counted once. */
static int64_t fees_of_rivals(const struct cycle *cycle, const struct tx *tx)
{
    const struct mempool_entry *gone[CYCLE_COINS * MEMPOOL_CLUSTER_COUNT_MAX];
    size_t n = 0;
    int64_t fees_sat = 0;
    for (uint32_t i = 0; i < tx->n_in; i++) {
        const struct mempool_entry *rival = mempool_spender(cycle->rig->pool, &tx->in[i].prevout);
        size_t n_below = 0;
        const struct mempool_entry **below =
            rival ? mempool_descendants(cycle->rig->pool, rival, &n_below) : NULL;
        for (size_t k = 0; rival && k <= n_below; k++) {
            const struct mempool_entry *one = k < n_below ? below[k] : rival;
            size_t at = 0;
            while (at < n && gone[at] != one)
                at++;
            if (at < n)
                continue;
            gone[n++] = one;
            fees_sat += one->fee_sat;
        }
        xfree(below);
    }
    return fees_sat;
}

/* Some of the coins, or a child of what was taken last, at a fee next to the least that will do. */
static struct tx draw_rival(struct cycle *cycle, const struct tx *last)
{
    struct builder_coin coins[CYCLE_COINS];
    uint64_t chosen = 1 + sim_random_below(&cycle->random, (1 << CYCLE_COINS) - 1);
    uint32_t n = 0, n_out = 1 + (uint32_t)sim_random_below(&cycle->random, 3);
    for (int32_t i = 0; i < CYCLE_COINS; i++)
        if (chosen >> i & 1)
            coins[n++] = mempool_rig_coin(cycle->rig, i + 1);
    if (last->n_out > 0 && sim_random_below(&cycle->random, 3) == 0) {
        coins[0] = mempool_rig_output(last, 0); /* which pins its parent */
        n = 1;
    }
    struct tx tx = mempool_rig_spend(cycle->rig, coins, n, n_out, 0);
    int64_t relay_sat = ((tx_weight_wu(&tx) + 3) / 4 + 9) / 10;
    int64_t fee_sat = fees_of_rivals(cycle, &tx) + relay_sat - 2;
    fee_sat += (int64_t)sim_random_below(&cycle->random, 4);
    return mempool_rig_spend(cycle->rig, coins, n, n_out, fee_sat);
}

/* However somebody replaces his own, in parts, in turns and with children: all that was ever taken
 * is paid for at the relay's rate by what is there then. */
TEST(what_is_sent_again_and_again_is_paid_for, struct mempool_rig *rig)
{
    struct cycle cycle = {.rig = rig, .random = sim_random_of(66, 1)};
    struct tx last = {0};
    for (int i = 0; i < CYCLE_TRIES; i++) {
        struct tx tx = draw_rival(&cycle, &last);
        struct mempool_rig_answer answer = mempool_rig_answer(rig, &tx, 0, 0);
        rig->n_events = 0;
        cycle.n_refused += answer.verdict.code != REJECT_NONE;
        if (answer.verdict.code != REJECT_NONE)
            continue;
        last = tx;
        cycle.n_in++;
        cycle.relayed_vb += answer.vbytes;
        assert_true(mempool_total_fee_sat(rig->pool) * 10 >= cycle.relayed_vb);
        assert_true(mempool_count(rig->pool) <= CYCLE_COINS * MEMPOOL_CLUSTER_COUNT_MAX);
    }
    assert_true(cycle.n_in > CYCLE_TRIES / 10 && cycle.n_refused > CYCLE_TRIES / 10);
}
