/* test_limit.c - the mempool's size, its floor, expiry. */
#include "mempool/limit.h"

#include "mempool/cluster.h"
#include "mempool/graph.h"
#include "mempool/mempool_internal.h"
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

/* hazards row 66: who pushes others out, and is pushed out, pays more each time round: what a
 * mempool holds at last pays the relay's rate for all that ever came beyond its first filling. */
TEST(a_full_mempool_is_not_sent_round_for_nothing)
{
    enum { LIMIT = 40000, ROUNDS = 1200 };
    struct mempool_rig *rig = rig_of_bytes(LIMIT);
    int64_t taken_vb = 0, most_vb = 0;
    size_t n_refused = 0;
    for (int i = 0; i < ROUNDS; i++) {
        int32_t height = 1 + i % 99;
        struct tx tx = mempool_rig_pay(rig, height, 10, 0);
        int64_t vbytes = (tx_weight_wu(&tx) + 3) / 4;
        int64_t rate = mempool_min_feerate_sat_per_kvb(rig->pool);
        tx =
            mempool_rig_pay(rig, height, 10, (rate * vbytes + 999) / 1000); /* the least there is */
        enum reject code = mempool_rig_add(rig, &tx);
        n_refused += code != REJECT_NONE;
        taken_vb += code == REJECT_NONE || code == REJECT_MEMPOOL_FULL ? vbytes : 0;
        most_vb = MAX_OF(most_vb, (int64_t)mempool_vbytes(rig->pool) + vbytes);
        rig->n_events = 0;
        assert_true(mempool_min_feerate_sat_per_kvb(rig->pool) * most_vb >=
                    100 * (taken_vb - most_vb));
    }
    assert_true(taken_vb > 5 * most_vb && n_refused < ROUNDS);
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

/* -- Floods ------------------------------------------------------------------------------------ */

enum flood_kind { SINGLES, CHAINS, WIDE, JOINS, FLOOD_KINDS };
enum { FLOOD_FANS = 8, FAN = 600, FLOOD_BYTES = 2 << 20, CHAIN = 6 };

struct flood {
    struct mempool_rig *rig;
    struct builder_coin coins[FLOOD_FANS * FAN];
    size_t n_coins, n_sent, n_in, n_over;
};

static void flood_answered(void *arg, const struct mempool_result *result)
{
    struct flood *flood = arg;
    flood->n_in += result->verdict.code == REJECT_NONE;
    flood->n_over += mempool_memory_bytes(flood->rig->pool) > FLOOD_BYTES;
}

/* At the lowest fee that is relayed at all. */
static struct tx cheapest(struct mempool_rig *rig, const struct builder_coin *coins, uint32_t n,
                          uint32_t n_out)
{
    struct tx tx = mempool_rig_spend(rig, coins, n, n_out, 0);
    return mempool_rig_spend(rig, coins, n, n_out, (tx_weight_wu(&tx) + 39) / 40);
}

static struct tx flood_with(struct flood *flood, struct tx tx)
{
    mempool_accept(flood->rig->pool, tx.raw, 0, 0, flood_answered, flood);
    flood->n_sent++;
    while (mempool_pending(flood->rig->pool) > 300)
        assert_true(sim_env_step(flood->rig->chain.sim));
    return tx;
}

static void send_flood(struct flood *flood, enum flood_kind kind)
{
    struct mempool_rig *rig = flood->rig;
    for (size_t i = 0; i + 1 < flood->n_coins; i++) {
        const struct builder_coin *coin = &flood->coins[i];
        if (kind == JOINS) {
            flood_with(flood, cheapest(rig, coin, 2, 2));
            i++;
            continue;
        }
        struct tx tx = flood_with(flood, cheapest(rig, coin, 1, kind == WIDE ? 12 : 1));
        for (int k = 1; kind == CHAINS && k < CHAIN; k++) {
            struct builder_coin next = mempool_rig_output(&tx, 0);
            tx = flood_with(flood, cheapest(rig, &next, 1, 1));
            i++;
        }
    }
    while (mempool_pending(rig->pool) > 0)
        assert_true(sim_env_step(rig->chain.sim));
}

static void start_flood(struct flood *flood)
{
    struct mempool_rig *rig = flood->rig = rig_of_bytes(FLOOD_BYTES);
    rig->keeps_no_events = true;
    for (int32_t i = 0; i < FLOOD_FANS; i++) {
        struct tx fan = mempool_rig_pay(rig, i + 1, FAN, 100000);
        mempool_rig_mine(rig, &fan, 1);
        for (uint32_t k = 0; k < FAN; k++)
            flood->coins[flood->n_coins++] = mempool_rig_output(&fan, k);
    }
}

/* What others hold for the entries takes its share of the room. */
TEST(what_is_held_beside_counts)
{
    struct mempool_rig *rig = rig_of_bytes(FLOOD_BYTES);
    struct tx tx = mempool_rig_pay(rig, 1, 1, 10000), next = mempool_rig_pay(rig, 2, 1, 10000);
    mempool_set_bytes_beside(rig->pool, FLOOD_BYTES / 2);
    assert_reject(mempool_rig_add(rig, &tx), REJECT_NONE);
    assert_true(mempool_memory_bytes(rig->pool) > FLOOD_BYTES / 2);
    mempool_set_bytes_beside(rig->pool, FLOOD_BYTES);
    assert_reject(mempool_rig_add(rig, &next), REJECT_MEMPOOL_FULL);
    mempool_rig_free(rig);
}

static size_t heap_bytes(void)
{
    return alloc_stats().used_bytes;
}

/* Hazard 81 and fault F14: however many cheap transactions come, the mempool keeps its size, and
 * what it says that it takes is what the heap has given it. */
TEST(a_flood_takes_what_is_counted)
{
    static const char *const names[] = {"singles", "chains", "wide", "joins"};
    struct flood *flood = test_calloc(1, sizeof *flood);
    for (enum flood_kind kind = SINGLES; kind < FLOOD_KINDS; kind++) {
        *flood = (struct flood){0};
        start_flood(flood);
        struct mempool *pool = flood->rig->pool;
        send_flood(flood, kind);
        mempool_verify(pool);
        assert_true(flood->n_in > 500 && flood->n_in < flood->n_sent);
        assert_int_equal(flood->n_over, 0);
        assert_true(mempool_min_feerate_sat_per_kvb(pool) > 100);
        size_t counted = mempool_memory_bytes(pool), n = mempool_count(pool), full = heap_bytes();
        assert_in_range(counted, FLOOD_BYTES * 9 / 10, FLOOD_BYTES);
        /* What comes back when all goes is what it had. */
        while (pool->oldest)
            pool_remove_tree(pool, pool->oldest, MEMPOOL_REMOVED_SIZELIMIT);
        pool_clusters_settle(pool);
        assert_int_equal(mempool_memory_bytes(pool), 0);
        size_t held = full - heap_bytes();
        printf("%s: %zu entries, counted %zu, held %zu: %zu each\n", names[kind], n, counted, held,
               held / n);
        if (full != 0 && held != 0) /* a sanitizer's allocator is not counted */
            assert_in_range(held, counted * 95 / 100, counted * 105 / 100);
        mempool_rig_free(flood->rig);
    }
    test_free(flood);
}
