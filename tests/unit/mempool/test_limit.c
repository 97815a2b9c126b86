/* test_limit.c - the mempool's size, its floor, expiry. */
#include "support/build.h"
#include "support/mempool_rig.h"
#include "support/unit.h"
#include "util/alloc.h"

#define HALF_DAY_S (12 * 60 * 60)

static struct mempool_rig *rig_of_bytes(size_t max_bytes)
{
    struct mempool_options options = mempool_default_options();
    options.max_bytes = max_bytes;
    return mempool_rig_new(13, 200, &options);
}

/* Fill until something had to go. */
static int64_t raise_floor(struct mempool_rig *rig)
{
    for (int32_t i = 1; i < 100 && mempool_min_feerate_sat_per_kvb(rig->pool) == 100; i++) {
        struct tx tx = mempool_rig_pay(rig, i, 10, 500000 + i);
        mempool_rig_add(rig, &tx);
    }
    return mempool_min_feerate_sat_per_kvb(rig->pool);
}

/* hazards row 81: a flood takes no more than the limit, the best stay, and a floor rises. */
TEST(the_worst_give_way)
{
    enum { N = 60, LIMIT = 60000 };
    struct mempool_rig *rig = rig_of_bytes(LIMIT);
    struct tx tx[N];
    size_t n_full = 0, n_below = 0;
    for (int32_t i = 0; i < N; i++) {
        tx[i] = mempool_rig_pay(rig, i + 1, 10, 2000 + 1000 * (int64_t)((i * 37) % N));
        struct mempool_rig_answer answer = mempool_rig_answer(rig, &tx[i], 0, 0);
        enum reject code = answer.verdict.code;
        n_full += code == REJECT_MEMPOOL_FULL;
        n_below += code == REJECT_MEMPOOL_MIN_FEE;
        assert_true(code == REJECT_NONE || code == REJECT_MEMPOOL_FULL ||
                    code == REJECT_MEMPOOL_MIN_FEE);
        if (code == REJECT_MEMPOOL_FULL)
            assert_memory_equal(answer.txid.b, tx[i].txid.b, 32);
    }
    assert_true(rig->max_bytes_seen <= LIMIT);
    assert_true(n_below > 0);
    assert_true(mempool_count(rig->pool) > 10 && mempool_count(rig->pool) < N);
    /* Whatever is here pays no less than whatever is not. */
    int64_t least_in = INT64_MAX, most_out = 0;
    for (int32_t i = 0; i < N; i++) {
        int64_t fee_sat = 2000 + 1000 * (int64_t)((i * 37) % N);
        if (mempool_rig_has(rig, &tx[i]))
            least_in = fee_sat < least_in ? fee_sat : least_in;
        else
            most_out = fee_sat > most_out ? fee_sat : most_out;
    }
    assert_true(least_in > most_out);
    int64_t floor = mempool_min_feerate_sat_per_kvb(rig->pool);
    assert_true(floor > most_out * 1000 / 600 && floor > 100);
    mempool_rig_free(rig);
}

/* A poor parent that a child pays for stays; poor others go first. Clusters go by chunks. */
TEST(chunks_are_evicted_whole)
{
    struct mempool_rig *rig = rig_of_bytes(20000);
    struct tx parent = mempool_rig_pay(rig, 1, 2, 300),
              child = mempool_rig_pay_on(rig, &parent, 0, 1, 90000);
    struct tx cheap = mempool_rig_pay_on(rig, &parent, 1, 1, 250);
    assert_reject(mempool_rig_add(rig, &parent), REJECT_NONE);
    assert_reject(mempool_rig_add(rig, &child), REJECT_NONE);
    assert_reject(mempool_rig_add(rig, &cheap), REJECT_NONE);
    for (int32_t i = 2; i < 40; i++) {
        struct tx tx = mempool_rig_pay(rig, i, 1, 2000 + 100 * i);
        enum reject code = mempool_rig_add(rig, &tx);
        assert_true(code == REJECT_NONE || code == REJECT_MEMPOOL_MIN_FEE);
    }
    assert_true(mempool_rig_has(rig, &parent) && mempool_rig_has(rig, &child));
    assert_false(mempool_rig_has(rig, &cheap));
    assert_int_equal(mempool_rig_count(rig, MEMPOOL_REMOVED_SIZELIMIT, &cheap), 1);
    mempool_rig_free(rig);
}

TEST(the_floor_falls_by_half)
{
    struct mempool_rig *rig = rig_of_bytes(30000);
    int64_t floor = raise_floor(rig);
    assert_true(floor > 500000);
    /* As long as no block came nothing changes. */
    mempool_rig_advance_s(rig, HALF_DAY_S);
    assert_int_equal(mempool_min_feerate_sat_per_kvb(rig->pool), floor);
    mempool_rig_mine(rig, NULL, 0);
    mempool_rig_advance_s(rig, HALF_DAY_S);
    int64_t half = mempool_min_feerate_sat_per_kvb(rig->pool);
    assert_in_range(half, floor / 2 - floor / 200, floor / 2 + floor / 200);
    mempool_rig_advance_s(rig, HALF_DAY_S / 2);
    int64_t later = mempool_min_feerate_sat_per_kvb(rig->pool);
    assert_in_range(later, half * 69 / 100, half * 72 / 100);
    /* Below half of what one more relay costs it is forgotten. */
    mempool_rig_advance_s(rig, 30 * HALF_DAY_S);
    assert_int_equal(mempool_min_feerate_sat_per_kvb(rig->pool), 100);
    mempool_rig_free(rig);
}

TEST(the_floor_falls_faster_over_an_empty_mempool)
{
    struct mempool_rig *rig = rig_of_bytes(30000);
    int64_t floor = raise_floor(rig);
    size_t n;
    int64_t fees_sat;
    struct mempool_selection selection = {.max_weight_wu = 3000000, .max_sigops_cost = 80000};
    const struct mempool_entry **list =
        mempool_select_for_block(rig->pool, &selection, &n, &fees_sat);
    struct tx *tx = arena_alloc(&rig->builder.arena, n * sizeof *tx);
    for (size_t i = 0; i < n; i++) {
        uint8_t *raw = arena_alloc(&rig->builder.arena, list[i]->tx.raw.len);
        memcpy(raw, list[i]->tx.raw.p, list[i]->tx.raw.len);
        struct reader r = reader_of(span_of(raw, list[i]->tx.raw.len));
        assert_true(tx_decode(&r, &rig->builder.arena, true, &tx[i]));
    }
    xfree(list);
    mempool_rig_mine(rig, tx, (uint32_t)n);
    assert_int_equal(mempool_count(rig->pool), 0);
    mempool_rig_advance_s(rig, HALF_DAY_S / 4);
    int64_t half = mempool_min_feerate_sat_per_kvb(rig->pool);
    assert_in_range(half, floor / 2 - floor / 200, floor / 2 + floor / 200);
    mempool_rig_free(rig);
}

TEST(what_waits_too_long_is_dropped)
{
    struct mempool_options options = mempool_default_options();
    struct mempool_rig *rig = mempool_rig_new(2, 110, &options);
    struct tx old = mempool_rig_pay(rig, 1, 1, 5000),
              child = mempool_rig_pay_on(rig, &old, 0, 1, 5000);
    struct tx young = mempool_rig_pay(rig, 2, 1, 5000), last = mempool_rig_pay(rig, 3, 1, 5000);
    assert_reject(mempool_rig_add(rig, &old), REJECT_NONE);
    mempool_rig_advance_s(rig, 600);
    assert_reject(mempool_rig_add(rig, &child), REJECT_NONE);
    assert_reject(mempool_rig_add(rig, &young), REJECT_NONE);
    mempool_rig_advance_s(rig, options.expiry_s - 600);
    mempool_rig_mine(rig, NULL, 0);
    size_t n_before = mempool_count(rig->pool);
    assert_int_equal(n_before, 3);
    mempool_rig_advance_s(rig, 10);
    assert_reject(mempool_rig_add(rig, &last), REJECT_NONE);
    assert_int_equal(mempool_rig_count(rig, MEMPOOL_REMOVED_EXPIRY, &old), 1);
    assert_int_equal(mempool_rig_count(rig, MEMPOOL_REMOVED_EXPIRY, &child), 1);
    assert_true(mempool_rig_has(rig, &young) && mempool_rig_has(rig, &last));
    mempool_rig_free(rig);
}
