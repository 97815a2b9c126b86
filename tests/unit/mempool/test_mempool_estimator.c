/* test_mempool_estimator.c - what the next block asks, and whether our mempool can tell. */
#include "mempool/mempool_estimator.h"
#include "sim/sim_random.h"
#include "support/mempool_rig.h"
#include "support/unit.h"
#include "util/alloc.h"

/* -- The next block ---------------------------------------------------------------------------- */

static struct next_block next_of(const struct feerate *chunk, size_t n)
{
    struct next_block next = {.room_wu = 4000};
    for (size_t i = 0; i < n; i++)
        next_block_take(&next, chunk[i]);
    return next;
}

TEST(who_takes_half_of_the_room_and_three_quarters_of_it)
{
    static const struct feerate chunks[] = {
        {8000, 1999}, /* not half of it */
        {2000, 1000}, /* past half, one short of three quarters */
        {1, 4},
        {1, 997},
    };
    struct next_block next = next_of(chunks, 1);
    assert_int_equal(next.half_sat_per_kvb, 0);
    next = next_of(chunks, 2);
    assert_int_equal(next.half_sat_per_kvb, 8000);
    assert_int_equal(next.three_quarters_sat_per_kvb, 0);
    next = next_of(chunks, 3);
    assert_int_equal(next.three_quarters_sat_per_kvb, 1000);
    next = next_of(chunks, 4);
    assert_int_equal(next.half_sat_per_kvb, 8000);
    assert_int_equal(next.three_quarters_sat_per_kvb, 1000);
    assert_int_equal(next.taken_wu, 4000);
}

TEST(one_chunk_may_be_all_of_it)
{
    static const struct feerate whole = {9000, 3999}, free_of_charge = {-5, 4000};
    struct next_block next = next_of(&whole, 1);
    assert_int_equal(next.half_sat_per_kvb, 9000); /* 1,000 virtual bytes */
    assert_int_equal(next.three_quarters_sat_per_kvb, 9000);
    next = next_of(&free_of_charge, 1);
    assert_int_equal(next.half_sat_per_kvb, 0);
}

/* -- The last blocks --------------------------------------------------------------------------- */

static int setup(void **state)
{
    *state = mempool_rig_new(3, 130, NULL);
    return 0;
}

FIXTURE(setup, mempool_rig_teardown)

static struct block_hash hash(int32_t height, uint8_t branch)
{
    struct block_hash hash = {.b = {[31] = branch}};
    memcpy(hash.b, &height, sizeof height);
    return hash;
}

/* A block of 1,000 weight units. */
static void add(struct mempool_estimator *estimator, int32_t height, uint8_t branch,
                uint8_t prev_branch, uint64_t ours_wu)
{
    struct mined_block block = {
        .hash = hash(height, branch), .height = height, .txs_wu = 1000, .ours_wu = ours_wu};
    struct block_hash prev = hash(height - 1, prev_branch);
    mempool_estimator_block(estimator, &block, &prev);
}

static size_t count(const struct mempool_estimator *estimator, int32_t height, uint8_t branch)
{
    size_t n;
    struct block_hash tip = hash(height, branch);
    const struct mined_block *blocks = mempool_estimator_blocks(estimator, &tip, &n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(blocks[i].height, height + 1 - (int32_t)(n - i));
    return n;
}

static enum mempool_estimate_status status(struct mempool_estimator *estimator,
                                           const struct mempool_rig *rig, int32_t height)
{
    struct block_hash tip = hash(height, 0);
    const struct mempool_question question = {.tip = &tip, .target = 2};
    return mempool_estimator_ask(estimator, rig->pool, &question).status;
}

static struct mempool_estimator *new_estimator(const struct mempool_rig *rig)
{
    return mempool_estimator_new(sim_env_get(rig->chain.sim), 600);
}

TEST(six_blocks_have_to_be_known, struct mempool_rig *rig)
{
    struct mempool_estimator *estimator = new_estimator(rig);
    assert_int_equal(status(estimator, rig, 0), MEMPOOL_ESTIMATE_FEW_BLOCKS);
    for (int32_t height = 1; height <= 5; height++)
        add(estimator, height, 0, 0, 1000);
    assert_int_equal(status(estimator, rig, 5), MEMPOOL_ESTIMATE_FEW_BLOCKS);
    add(estimator, 6, 0, 0, 1000);
    assert_int_equal(status(estimator, rig, 6), MEMPOOL_ESTIMATE_GOOD);
    assert_int_equal(status(estimator, rig, 7), MEMPOOL_ESTIMATE_FEW_BLOCKS); /* another tip */
    add(estimator, 7, 0, 0, 1000);
    assert_int_equal(count(estimator, 7, 0), MEMPOOL_ESTIMATOR_BLOCKS);
    mempool_estimator_free(estimator);
}

TEST(three_quarters_of_their_weight_have_to_be_ours, struct mempool_rig *rig)
{
    struct mempool_estimator *estimator = new_estimator(rig);
    for (int32_t height = 1; height <= 6; height++)
        add(estimator, height, 0, 0, height <= 3 ? 1000 : 500);
    assert_int_equal(status(estimator, rig, 6), MEMPOOL_ESTIMATE_GOOD);
    add(estimator, 7, 0, 0, 999);
    assert_int_equal(status(estimator, rig, 7), MEMPOOL_ESTIMATE_UNRELIABLE);
    /* Empty ones say nothing against it. */
    for (int32_t height = 8; height <= 13; height++) {
        struct mined_block block = {.hash = hash(height, 0), .height = height};
        struct block_hash prev = hash(height - 1, 0);
        mempool_estimator_block(estimator, &block, &prev);
    }
    assert_int_equal(status(estimator, rig, 13), MEMPOOL_ESTIMATE_GOOD);
    mempool_estimator_free(estimator);
}

TEST(a_reorganisation_drops_what_was_taken_back, struct mempool_rig *rig)
{
    struct mempool_estimator *estimator = new_estimator(rig);
    for (int32_t height = 1; height <= 6; height++)
        add(estimator, height, 0, 0, 1000);
    /* Taken back, and nothing in their place yet. */
    assert_int_equal(count(estimator, 4, 0), 4);
    add(estimator, 5, 1, 0, 1000);
    assert_int_equal(count(estimator, 5, 1), 5);
    assert_int_equal(count(estimator, 6, 0), 0);
    /* On a block that was not told of. */
    add(estimator, 9, 0, 0, 1000);
    assert_int_equal(count(estimator, 9, 0), 1);
    mempool_estimator_free(estimator);
}

static struct mempool_estimate ask(struct mempool_estimator *estimator,
                                   const struct mempool_rig *rig, int32_t target, bool conservative)
{
    struct block_hash tip = hash(7, 0);
    const struct mempool_question question = {
        .tip = &tip, .target = target, .conservative = conservative};
    struct mempool_estimate estimate = mempool_estimator_ask(estimator, rig->pool, &question);
    assert_int_equal(estimate.status, MEMPOOL_ESTIMATE_GOOD);
    return estimate;
}

/* One whose mempool has held all of the last blocks. */
static struct mempool_estimator *new_healthy(const struct mempool_rig *rig)
{
    struct mempool_estimator *estimator = new_estimator(rig);
    for (int32_t height = 2; height <= 7; height++)
        add(estimator, height, 0, 0, 1000);
    return estimator;
}

TEST(what_the_mempool_holds_is_the_rate, struct mempool_rig *rig)
{
    struct mempool_estimator *estimator = new_healthy(rig);
    /* A chunk of two, of a mempool that is far from a block. */
    struct tx poor = mempool_rig_pay(rig, 1, 1, 100),
              rich = mempool_rig_pay_on(rig, &poor, 0, 1, 90000);
    assert_reject(mempool_rig_add(rig, &poor), REJECT_NONE);
    assert_reject(mempool_rig_add(rig, &rich), REJECT_NONE);
    assert_int_equal(ask(estimator, rig, 1, true).sat_per_kvb, 0);
    /* Nine of 100,000 virtual bytes fill nine tenths of a block; it is not looked at at once. */
    for (int32_t i = 0; i < 9; i++) {
        struct tx tx = mempool_rig_pay(rig, 2 + i, 2320, 1000000 + 100000 * i);
        assert_reject(mempool_rig_add(rig, &tx), REJECT_NONE);
    }
    assert_int_equal(ask(estimator, rig, 2, true).sat_per_kvb, 0);
    sim_env_run_for(rig->chain.sim, MEMPOOL_ESTIMATOR_FRESH_US);
    struct mempool_estimate half = ask(estimator, rig, 1, true),
                            most = ask(estimator, rig, 2, false);
    assert_in_range(half.sat_per_kvb, 13000, 14200); /* of the fifth */
    assert_in_range(most.sat_per_kvb, 10000, 11200); /* of the eighth */
    assert_int_equal(half.blocks, MEMPOOL_ESTIMATOR_TARGET);
    mempool_estimator_free(estimator);
}

TEST(more_blocks_are_forecast, struct mempool_rig *rig)
{
    struct mempool_estimator *estimator = new_healthy(rig);
    for (int32_t i = 0; i < 9; i++) {
        struct tx tx = mempool_rig_pay(rig, 2 + i, 2320, 1000000 + 100000 * i);
        assert_reject(mempool_rig_add(rig, &tx), REJECT_NONE);
        mempool_estimator_came(estimator, mempool_next(rig->pool, &(uint64_t){0}));
    }
    /* Nothing is known of what comes: as for the next block. */
    struct mempool_estimate early = ask(estimator, rig, 6, false);
    assert_int_equal(early.blocks, MEMPOOL_ESTIMATOR_TARGET);
    assert_in_range(early.sat_per_kvb, 10000, 11200);
    sim_env_run_for(rig->chain.sim, (int64_t)FEE_FLOW_LEAST_S * 1000000);
    /* Nine tenths of a block wait, and half a block comes in an hour: six blocks take all. */
    struct mempool_estimate later = ask(estimator, rig, 6, false);
    assert_int_equal(later.blocks, 6);
    assert_int_equal(later.sat_per_kvb, 0);
    assert_int_equal(ask(estimator, rig, 1008, true).blocks, FEE_FORECAST_TARGET_MAX);
    /* Of two nothing has changed. */
    assert_int_equal(ask(estimator, rig, 2, false).sat_per_kvb, early.sat_per_kvb);
    mempool_estimator_free(estimator);
}

/* A hundred times what there is: from now on whoever pays less has no chance. */
TEST(what_is_replaced_or_came_long_ago_does_not_come, struct mempool_rig *rig)
{
    struct mempool_estimator *estimator = new_healthy(rig);
    struct mempool_entry entry = {.fee_sat = 10000, .vbytes = 1000, .adjusted_wu = 400000000};
    sim_env_run_for(rig->chain.sim, (int64_t)FEE_FLOW_LEAST_S * 1000000);
    entry.time_s = env_unix_s(sim_env_get(rig->chain.sim)) - 61;
    mempool_estimator_came(estimator, &entry);
    assert_int_equal(ask(estimator, rig, 6, true).sat_per_kvb, 0);
    entry.time_s += 61;
    mempool_estimator_came(estimator, &entry);
    assert_in_range(ask(estimator, rig, 6, true).sat_per_kvb, 10001, 10600);
    mempool_estimator_replaced(estimator, &entry);
    assert_int_equal(ask(estimator, rig, 6, true).sat_per_kvb, 0);
    mempool_estimator_free(estimator);
}

/* -- The file ---------------------------------------------------------------------------------- */

TEST(a_file_brings_the_blocks_back, struct mempool_rig *rig)
{
    for (int32_t n = 0; n <= 8; n++) {
        struct buffer bytes, again;
        buffer_init(&bytes);
        buffer_init(&again);
        struct mempool_estimator *estimator = new_estimator(rig), *copy = new_estimator(rig);
        for (int32_t height = 1; height <= n; height++)
            add(estimator, height, 0, 0, 900);
        mempool_estimator_encode(estimator, &bytes);
        assert_true(bytes.len <= MEMPOOL_ESTIMATOR_FILE_MAX_BYTES);
        assert_true(mempool_estimator_decode(copy, buffer_span(&bytes)));
        assert_int_equal(count(copy, n, 0), count(estimator, n, 0));
        mempool_estimator_encode(copy, &again);
        assert_int_equal(again.len, bytes.len);
        assert_memory_equal(again.p, bytes.p, bytes.len);
        mempool_estimator_free(copy);
        mempool_estimator_free(estimator);
        buffer_deinit(&again);
        buffer_deinit(&bytes);
    }
}

/* Hazard 79: whatever a disk makes of it. */
TEST(damaged_files_are_refused, struct mempool_rig *rig)
{
    struct buffer bytes;
    struct sim_random random = {77};
    buffer_init(&bytes);
    struct mempool_estimator *estimator = new_estimator(rig), *copy = new_estimator(rig);
    for (int32_t height = 1; height <= 6; height++)
        add(estimator, height, 0, 0, 900);
    mempool_estimator_encode(estimator, &bytes);
    for (size_t len = 0; len < bytes.len; len++)
        assert_false(mempool_estimator_decode(copy, span_of(bytes.p, len)));
    for (size_t bit = 0; bit < 8 * bytes.len; bit++) {
        bytes.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(mempool_estimator_decode(copy, buffer_span(&bytes)));
        bytes.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (int i = 0; i < 10000; i++) {
        uint8_t junk[400];
        size_t len = sim_random_below(&random, sizeof junk + 1);
        for (size_t at = 0; at < len; at++)
            junk[at] = (uint8_t)sim_random_u64(&random);
        assert_false(mempool_estimator_decode(copy, span_of(junk, len)));
    }
    assert_true(mempool_estimator_decode(copy, buffer_span(&bytes)));
    mempool_estimator_free(copy);
    mempool_estimator_free(estimator);
    buffer_deinit(&bytes);
}
