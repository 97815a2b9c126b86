/* test_select.c - what a block is filled with, and in which order; what goes when there is no room.
 */
#include "mempool/limit.h"
#include "mempool/mempool_internal.h"
#include "sim/sim_random.h"
#include "support/build.h"
#include "support/mempool_rig.h"
#include "support/unit.h"
#include "util/alloc.h"

static const struct mempool_selection whole_block = {.max_weight_wu = BLOCK_WEIGHT_MAX_WU,
                                                     .max_sigops_cost = BLOCK_SIGOPS_COST_MAX};

static int setup(void **state)
{
    *state = mempool_rig_new(3, 130, NULL);
    return 0;
}

FIXTURE(setup, mempool_rig_teardown)

/* Exactly these, in this order. */
static void assert_selected(const struct mempool_rig *rig,
                            const struct mempool_selection *selection, const struct tx *const *want,
                            size_t n_want)
{
    size_t n;
    int64_t fees_sat, sum_sat = 0;
    const struct mempool_entry **list =
        mempool_select_for_block(rig->pool, selection, &n, &fees_sat);
    assert_int_equal(n, n_want);
    for (size_t i = 0; i < n; i++) {
        assert_memory_equal(list[i]->tx.txid.b, want[i]->txid.b, 32);
        sum_sat += list[i]->fee_sat;
    }
    assert_int_equal(fees_sat, sum_sat);
    xfree(list);
}

TEST(nothing_is_selected_from_nothing, const struct mempool_rig *rig)
{
    assert_selected(rig, &whole_block, NULL, 0);
}

TEST(best_rates_come_first, struct mempool_rig *rig)
{
    struct tx tx[3] = {mempool_rig_pay(rig, 1, 1, 2000), mempool_rig_pay(rig, 2, 1, 3000),
                       mempool_rig_pay(rig, 3, 1, 1000)};
    for (size_t i = 0; i < 3; i++)
        assert_reject(mempool_rig_add(rig, &tx[i]), REJECT_NONE);
    const struct tx *want[] = {&tx[1], &tx[0], &tx[2]};
    assert_selected(rig, &whole_block, want, 3);
    /* Of equals the one with the lower id. */
    mempool_prioritise(rig->pool, &tx[2].txid, 1000);
    bool is_first = memcmp(tx[0].txid.b, tx[2].txid.b, 32) < 0;
    const struct tx *equal[] = {&tx[1], is_first ? &tx[0] : &tx[2], is_first ? &tx[2] : &tx[0]};
    assert_selected(rig, &whole_block, equal, 3);
    mempool_prioritise(rig->pool, &tx[2].txid, 1);
    const struct tx *other[] = {&tx[1], &tx[2], &tx[0]};
    assert_selected(rig, &whole_block, other, 3);
}

TEST(parents_come_with_the_children_that_pay, struct mempool_rig *rig)
{
    struct tx poor = mempool_rig_pay(rig, 1, 1, 100),
              rich = mempool_rig_pay_on(rig, &poor, 0, 1, 90000);
    struct tx middle = mempool_rig_pay(rig, 2, 1, 5000);
    const struct tx *all[] = {&poor, &middle, &rich};
    for (size_t i = 0; i < 3; i++)
        assert_reject(mempool_rig_add(rig, all[i]), REJECT_NONE);
    const struct tx *want[] = {&poor, &rich, &middle};
    assert_selected(rig, &whole_block, want, 3);
}

TEST(room_is_respected, struct mempool_rig *rig)
{
    struct tx large = mempool_rig_pay(rig, 1, 100, 900000),
              small = mempool_rig_pay(rig, 2, 1, 1000);
    struct tx child = mempool_rig_pay_on(rig, &large, 0, 1, 100);
    const struct tx *all[] = {&large, &small, &child};
    for (size_t i = 0; i < 3; i++)
        assert_reject(mempool_rig_add(rig, all[i]), REJECT_NONE);
    assert_selected(rig, &whole_block, all, 3);
    struct mempool_selection selection = whole_block;
    selection.max_weight_wu = tx_weight_wu(&large) + tx_weight_wu(&small);
    assert_selected(rig, &selection, all, 2);
    selection.max_weight_wu--;
    assert_selected(rig, &selection, all, 1);
    /* What does not fit is passed over, and its child with it. */
    selection.max_weight_wu = tx_weight_wu(&large) - 1;
    const struct tx *want[] = {&small};
    assert_selected(rig, &selection, want, 1);
    selection.max_weight_wu = 0;
    assert_selected(rig, &selection, NULL, 0);
}

TEST(signature_operations_are_counted, struct mempool_rig *rig)
{
    struct builder_coin coin = mempool_rig_coin(rig, 1);
    static const uint8_t p2pkh[25] = {0x76, 0xa9, 20, [23] = 0x88, [24] = 0xac};
    struct tx tx = mempool_rig_spend(rig, &coin, 1, 10, 5000);
    for (uint32_t i = 0; i < 10; i++)
        tx.out[i].script_pubkey = span_of(p2pkh, sizeof p2pkh);
    tx_finish(&tx, &rig->builder.arena);
    assert_reject(mempool_rig_add(rig, &tx), REJECT_NONE);
    assert_int_equal(mempool_find(rig->pool, &tx.txid)->sigops_cost, 40);
    struct mempool_selection selection = whole_block;
    const struct tx *want[] = {&tx};
    selection.max_sigops_cost = 40;
    assert_selected(rig, &selection, want, 1);
    selection.max_sigops_cost = 39;
    assert_selected(rig, &selection, NULL, 0);
}

TEST(poor_chunks_are_left_out_if_wanted, struct mempool_rig *rig)
{
    struct tx tx = mempool_rig_pay(rig, 1, 1, 0);
    uint32_t weight_wu = tx_weight_wu(&tx);
    /* 4 sat per virtual byte, the last of which is not full: for its weight alone it pays more. */
    assert_int_not_equal(weight_wu % 4, 0);
    tx = mempool_rig_pay(rig, 1, 1, (weight_wu + 3) / 4 * 4);
    assert_reject(mempool_rig_add(rig, &tx), REJECT_NONE);
    struct mempool_selection selection = whole_block;
    const struct tx *want[] = {&tx};
    selection.min_sat_per_kvb = 4000;
    assert_selected(rig, &selection, want, 1);
    selection.min_sat_per_kvb = 4001;
    assert_selected(rig, &selection, NULL, 0);
}

/* A large mempool: every selection is in a valid order, and rates of chunks fall. */
TEST(large_selections_are_in_order, struct mempool_rig *rig)
{
    enum { FAN = 40, COINS = 20 };
    for (int32_t c = 0; c < COINS; c++) {
        struct tx root = mempool_rig_pay(rig, c + 1, FAN, 5000 + 977 * c);
        assert_reject(mempool_rig_add(rig, &root), REJECT_NONE);
        for (uint32_t i = 0; i < FAN; i++) {
            struct tx leaf = mempool_rig_pay_on(
                rig, &root, i, 1, 200 + (int64_t)(((uint32_t)c * 7919 + i * 104729) % 9973));
            assert_reject(mempool_rig_add(rig, &leaf), REJECT_NONE);
        }
    }
    size_t n;
    int64_t fees_sat;
    const struct mempool_entry **list =
        mempool_select_for_block(rig->pool, &whole_block, &n, &fees_sat);
    assert_int_equal(n, COINS * (FAN + 1));
    assert_int_equal(fees_sat, mempool_total_fee_sat(rig->pool));
    struct feerate last = {INT64_MAX, 1};
    for (size_t i = 0; i < n; i++) {
        struct feerate rate = mempool_chunk(rig->pool, list[i]);
        assert_true(feerate_compare(rate, last) <= 0);
        last = rate;
        for (uint32_t k = 0; k < list[i]->n_parents; k++) {
            size_t at = 0;
            while (list[at] != mempool_at(rig->pool, list[i]->parents[k]))
                at++;
            assert_true(at < i);
        }
    }
    xfree(list);
}

/* -- Mining and eviction ----------------------------------------------------------------------- */

/* A transaction of some of the coins, which it takes away, at one of few rates: many are equal. */
static void add_random(struct mempool_rig *rig, struct sim_random *random,
                       struct builder_coin *coins, uint32_t *n_coins)
{
    struct builder_coin spent[2];
    uint32_t n = 1 + (uint32_t)sim_random_below(random, 8) / 7, n_out = 1 + (uint32_t)(n == 1);
    int64_t rate = 1 + (int64_t)sim_random_below(random, 4);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = (uint32_t)sim_random_below(random, *n_coins);
        spent[i] = coins[at];
        coins[at] = coins[--*n_coins];
    }
    struct tx tx = mempool_rig_spend(rig, spent, n, n_out, 0);
    tx = mempool_rig_spend(rig, spent, n, n_out, rate * tx_weight_wu(&tx));
    bool is_in = mempool_rig_add(rig, &tx) == REJECT_NONE; /* else too many hang together */
    for (uint32_t i = 0; i < (is_in ? n_out : n); i++)
        coins[(*n_coins)++] = is_in ? mempool_rig_output(&tx, i) : spent[i];
}

static void fill_at_random(struct mempool_rig *rig, uint64_t seed)
{
    struct sim_random random = sim_random_of(seed, 0);
    struct builder_coin coins[400];
    uint32_t n_coins = 0;
    for (int32_t i = 0; i < 12; i++) {
        struct tx root = mempool_rig_pay(rig, i + 1, 8, 1);
        root = mempool_rig_pay(rig, i + 1, 8, 2 * tx_weight_wu(&root));
        assert_reject(mempool_rig_add(rig, &root), REJECT_NONE);
        for (uint32_t k = 0; k < 8; k++)
            coins[n_coins++] = mempool_rig_output(&root, k);
    }
    for (int i = 0; i < 200 && n_coins > 3; i++)
        add_random(rig, &random, coins, &n_coins);
}

static struct mempool_rig *new_random_rig(uint64_t seed)
{
    struct mempool_rig *rig = mempool_rig_new(seed, 120, NULL);
    fill_at_random(rig, seed);
    return rig;
}

static const uint8_t *higher(const struct txid *a, const struct txid *b)
{
    return memcmp(a->b, b->b, 32) > 0 ? a->b : b->b;
}

/* The ids of all entries in the order of mining. */
static struct txid *ids_in_order(const struct mempool_rig *rig, size_t *n)
{
    const struct mempool_entry **list = mempool_in_mining_order(rig->pool, n);
    struct txid *ids = xmalloc((*n + 1) * sizeof *ids);
    for (size_t i = 0; i < *n; i++)
        ids[i] = list[i]->tx.txid;
    xfree(list);
    return ids;
}

/* Chunk by chunk what is last now is first to go, to the last of equals. Who is last of equals
 * changes when a cluster is split: then less comes before a part of it. */
TEST(eviction_is_mining_backwards)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct mempool_rig *rig = new_random_rig(seed);
        size_t n = mempool_count(rig->pool), at = 0, n_left;
        assert_true(n > 100);
        rig->n_events = 0;
        while ((n_left = mempool_count(rig->pool)) > 0) {
            size_t n_chunks;
            struct feerate *diagram = mempool_feerate_diagram(rig->pool, &n_chunks);
            struct txid *ids = ids_in_order(rig, &n_left);
            rig->pool->options.max_bytes = mempool_memory_bytes(rig->pool) - 1;
            pool_limit(rig->pool);
            mempool_verify(rig->pool);
            assert_int_equal(rig->n_events, n - mempool_count(rig->pool));
            struct feerate gone = {-mempool_total_fee_sat(rig->pool), 0};
            for (size_t i = 0; i < n_chunks; i++)
                gone.fee_sat += diagram[i].fee_sat;
            assert_int_equal(gone.fee_sat, diagram[n_chunks - 1].fee_sat);
            xfree(diagram);
            for (; at < rig->n_events; at++)
                assert_memory_equal(rig->event[at].txid.b, ids[--n_left].b, 32);
            xfree(ids);
        }
        mempool_rig_free(rig);
    }
}

/* What is equal goes by id, as Core tells it; who came first counts nowhere. */
TEST(equals_go_by_id)
{
    enum { N = 24 };
    struct txid first[2 * N];
    for (int turn = 0; turn < 2; turn++) {
        struct mempool_rig *rig = mempool_rig_new(5, 130, NULL);
        for (int32_t i = 0; i < N; i++) {
            int32_t height = turn == 0 ? i + 1 : N - i;
            struct tx parent = mempool_rig_pay(rig, height, 1, 1000);
            struct tx child = mempool_rig_pay_on(rig, &parent, 0, 1, height % 2 ? 1000 : 5000);
            assert_reject(mempool_rig_add(rig, &parent), REJECT_NONE);
            assert_reject(mempool_rig_add(rig, &child), REJECT_NONE);
        }
        size_t n;
        const struct mempool_entry **list = mempool_in_mining_order(rig->pool, &n);
        assert_int_equal(n, 2 * N);
        for (size_t i = 0; i < n; i++) {
            const uint8_t *id = list[i]->tx.txid.b;
            if (turn == 0)
                first[i] = list[i]->tx.txid;
            assert_memory_equal(id, first[i].b, 32);
            /* Pairs that pay for each other, by the higher id; then parents, then children. */
            if (i >= N && i % (N / 2) > 0)
                assert_true(memcmp(first[i - 1].b, id, 32) < 0);
            if (i < N && i % 2 == 1 && i > 1)
                assert_true(memcmp(higher(&first[i - 3], &first[i - 2]),
                                   higher(&first[i - 1], &first[i]), 32) < 0);
        }
        xfree(list);
        mempool_rig_free(rig);
    }
}

/* A block with room for all holds all, in the order of mining; the diagram falls. */
TEST(all_is_mined_in_one_order)
{
    struct mempool_rig *rig = new_random_rig(7);
    size_t n, n_order, n_chunks;
    int64_t fees_sat, sum_sat = 0;
    const struct mempool_entry **block =
        mempool_select_for_block(rig->pool, &whole_block, &n, &fees_sat);
    const struct mempool_entry **order = mempool_in_mining_order(rig->pool, &n_order);
    struct feerate *diagram = mempool_feerate_diagram(rig->pool, &n_chunks);
    assert_int_equal(n, n_order);
    assert_memory_equal(block, order, n * sizeof(void *));
    assert_true(n_chunks > 50 && n_chunks < n);
    size_t at = 0;
    for (size_t i = 0; i < n_chunks; i++) {
        struct feerate sum = {0, 0};
        assert_true(i == 0 || feerate_compare(diagram[i - 1], diagram[i]) >= 0);
        while (sum.size < diagram[i].size) {
            assert_int_equal(feerate_compare(mempool_chunk(rig->pool, order[at]), diagram[i]), 0);
            sum.size += order[at]->adjusted_wu;
            sum.fee_sat += order[at++]->modified_fee_sat;
        }
        assert_int_equal(sum.size, diagram[i].size);
        assert_int_equal(sum.fee_sat, diagram[i].fee_sat);
        sum_sat += sum.fee_sat;
    }
    assert_int_equal(at, n);
    assert_int_equal(sum_sat, fees_sat);
    assert_true(mempool_is_optimal(rig->pool));
    xfree(diagram);
    xfree(order);
    xfree(block);
    mempool_rig_free(rig);
}
