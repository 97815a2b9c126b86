/* test_fee_stats.c - one horizon: buckets, counting, forgetting, the lowest rate that is enough. */
#include "mempool/fee_stats.h"
#include "support/unit.h"
#include "util/buffer.h"

#define ENDLESS (FEE_BUCKETS - 1)

static const struct fee_horizon short_horizon = {"short", 12, 1, 0.962};
static const struct fee_horizon medium_horizon = {"medium", 24, 2, 0.9952};

struct rig {
    struct fee_buckets buckets;
    struct fee_stats stats;
};

static int set_up_with(struct rig *rig, const struct fee_horizon *horizon)
{
    fee_buckets_init(&rig->buckets);
    fee_stats_init(&rig->stats, horizon, &rig->buckets);
    return 0;
}

static int set_up(void **state)
{
    *state = xcalloc(1, sizeof(struct rig));
    return set_up_with(*state, &short_horizon);
}

static int set_up_medium(void **state)
{
    *state = xcalloc(1, sizeof(struct rig));
    return set_up_with(*state, &medium_horizon);
}

static int tear_down(void **state)
{
    struct rig *rig = *state;
    fee_stats_deinit(&rig->stats);
    xfree(rig);
    return 0;
}

FIXTURE(set_up, tear_down)

static void mined(struct rig *rig, int n, uint32_t waited, double rate)
{
    for (int i = 0; i < n; i++)
        fee_stats_mined(&rig->stats, waited, fee_buckets_find(&rig->buckets, rate), rate);
}

static struct fee_answer ask(struct rig *rig, uint32_t target, double sufficient, double threshold,
                             int32_t tip)
{
    const struct fee_question question = {target, sufficient, threshold, tip};
    return fee_stats_ask(&rig->stats, &question);
}

static void assert_near(double got, double want)
{
    assert_true(got > want - 1e-6 && got < want + 1e-6);
}

TEST(rates_fall_into_buckets_of_five_percent)
{
    struct fee_buckets buckets;
    fee_buckets_init(&buckets);
    assert_int_equal(fee_buckets_find(&buckets, 0), 0);
    assert_int_equal(fee_buckets_find(&buckets, 100), 0);
    assert_int_equal(fee_buckets_find(&buckets, 101), 1);
    assert_int_equal(fee_buckets_find(&buckets, 105), 1);
    assert_int_equal(fee_buckets_find(&buckets, 106), 2);
    for (uint32_t i = 1; i + 1 < FEE_BUCKETS; i++)
        assert_near(buckets.top[i] / buckets.top[i - 1], 1.05);
    /* 100 * 1.05^235 is the last below ten million. */
    assert_int_equal(fee_buckets_find(&buckets, buckets.top[235]), 235);
    assert_int_equal(fee_buckets_find(&buckets, 1e7), ENDLESS);
    assert_int_equal(fee_buckets_find(&buckets, 2.1e15), ENDLESS);
}

TEST(only_what_has_been_seen_takes_a_place, struct rig *rig)
{
    uint32_t bucket = fee_buckets_find(&rig->buckets, 5000);
    fee_stats_enter(&rig->stats, 100, bucket);
    for (uint32_t i = 0; i < fee_stats_blocks(&rig->stats); i++)
        assert_true((rig->stats.waiting[i] != NULL) == (i == 100 % fee_stats_blocks(&rig->stats)));
    const struct fee_leave leave = {.entered = 100, .tip = 101, .bucket = bucket, .is_mined = true};
    fee_stats_leave(&rig->stats, &leave);
    fee_stats_mined(&rig->stats, 1, bucket, 5000);
    for (uint32_t i = 0; i < FEE_BUCKETS; i++)
        assert_true((rig->stats.averages[i] != NULL) == (i == bucket));
    for (uint32_t i = 0; i < fee_stats_blocks(&rig->stats); i++)
        fee_stats_next_block(&rig->stats, 101 + (int32_t)i);
    for (uint32_t i = 0; i < fee_stats_blocks(&rig->stats); i++)
        assert_null(rig->stats.waiting[i]);
}

TEST(nothing_seen_is_nothing_known, struct rig *rig)
{
    struct fee_answer answer = ask(rig, 1, 0.5, 0.85, 100);
    assert_true(answer.rate < 0 && answer.pass.start < 0);
    assert_near(answer.fail.start, 0);
    assert_true(answer.fail.end >= FEE_ENDLESS_RATE);
    assert_near(answer.fail.confirmed, 0);
}

TEST(a_few_are_not_enough, struct rig *rig)
{
    /* Half a transaction a block, over the 1 / (1 - 0.962) blocks remembered, is 13.2. */
    mined(rig, 13, 1, 1000);
    assert_true(ask(rig, 1, 0.5, 0.85, 100).rate < 0);
    mined(rig, 1, 1, 1000);
    struct fee_answer answer = ask(rig, 1, 0.5, 0.85, 100);
    assert_near(answer.rate, 1000);
    assert_true(answer.pass.start < 1000 && answer.pass.end >= 1000);
    assert_near(answer.pass.within_target, 14);
    assert_near(answer.pass.confirmed, 14);
    /* Below is nobody. */
    assert_near(answer.fail.start, 0);
    assert_near(answer.fail.confirmed, 0);
}

TEST(the_past_fades, struct rig *rig)
{
    mined(rig, 14, 1, 1000);
    fee_stats_next_block(&rig->stats, 101); /* 13.468 of 13.158 */
    struct fee_answer answer = ask(rig, 1, 0.5, 0.85, 101);
    assert_near(answer.rate, 1000);
    assert_near(answer.pass.confirmed, 13.468);
    fee_stats_next_block(&rig->stats, 102); /* 12.956 */
    assert_true(ask(rig, 1, 0.5, 0.85, 102).rate < 0);
}

TEST(the_threshold_is_met_or_not, struct rig *rig)
{
    mined(rig, 17, 2, 1000);
    mined(rig, 3, 3, 1000);
    assert_near(ask(rig, 2, 0.5, 0.85, 100).rate, 1000); /* 17 of 20 is 85% */
    struct fee_answer answer = ask(rig, 2, 0.5, 0.851, 100);
    assert_true(answer.rate < 0 && answer.pass.start < 0);
    assert_near(answer.fail.within_target, 17);
    assert_near(answer.fail.confirmed, 20);
    assert_near(ask(rig, 3, 0.5, 1, 100).rate, 1000);
    assert_true(ask(rig, 1, 0.5, 0.01, 100).rate < 0);
}

TEST(the_lowest_good_bucket_tells_the_rate, struct rig *rig)
{
    mined(rig, 20, 1, 5000);
    mined(rig, 20, 1, 1000);
    mined(rig, 20, 5, 300);
    struct fee_answer answer = ask(rig, 1, 0.5, 0.85, 100);
    assert_near(answer.rate, 1000);
    assert_near(answer.fail.confirmed, 20);
    assert_true(answer.fail.end < 1000 && answer.fail.start < 300);
    assert_near(ask(rig, 5, 0.5, 0.85, 100).rate, 300);
}

TEST(thin_buckets_are_looked_at_together_and_the_median_tells, struct rig *rig)
{
    mined(rig, 3, 1, 3000);
    mined(rig, 4, 1, 2000);
    mined(rig, 8, 1, 1000);
    /* 15 in all: half is 7.5, of which the lowest bucket has 8. */
    assert_near(ask(rig, 1, 0.5, 0.85, 100).rate, 1000);
    mined(rig, 2, 1, 3000);
    /* 17: half is 8.5, reached in the middle one. */
    assert_near(ask(rig, 1, 0.5, 0.85, 100).rate, 2000);
}

TEST(who_waits_longer_than_the_target_counts, struct rig *rig)
{
    uint32_t bucket = fee_buckets_find(&rig->buckets, 1000);
    mined(rig, 20, 1, 1000);
    for (int i = 0; i < 10; i++)
        fee_stats_enter(&rig->stats, 98, bucket);
    assert_near(ask(rig, 3, 0.5, 0.85, 100).rate, 1000); /* two blocks: not late yet */
    struct fee_answer answer = ask(rig, 2, 0.5, 0.85, 100);
    assert_true(answer.rate < 0);
    assert_near(answer.fail.in_mempool, 10);
    /* Beyond the horizon they are not forgotten either. */
    for (int32_t height = 99; height <= 98 + 12; height++)
        fee_stats_next_block(&rig->stats, height);
    assert_near(ask(rig, 12, 0.5, 0.85, 110).fail.in_mempool, 10);
    const struct fee_leave leave = {98, 110, bucket, true};
    for (int i = 0; i < 10; i++)
        fee_stats_leave(&rig->stats, &leave);
    assert_near(ask(rig, 12, 0.5, 0.85, 110).fail.in_mempool, 0);
}

TEST_WITH(set_up_medium, tear_down, who_left_failed_the_periods_that_had_ended, struct rig *rig)
{
    /* Periods are of two blocks: three blocks waited are one of them. */
    uint32_t bucket = fee_buckets_find(&rig->buckets, 1000);
    const struct fee_leave leave = {100, 103, bucket, false};
    fee_stats_enter(&rig->stats, 100, bucket);
    fee_stats_leave(&rig->stats, &leave);
    mined(rig, 30, 2, 1000);
    assert_near(ask(rig, 2, 0.1, 0.9, 103).pass.left_mempool, 1);
    assert_near(ask(rig, 3, 0.1, 0.9, 103).pass.left_mempool, 0);
    assert_near(ask(rig, 1, 0.1, 0.9, 103).pass.left_mempool, 1); /* in the same period as 2 */
    assert_near(ask(rig, 1, 0.1, 0.9, 103).pass.within_target, 30);
}

TEST(a_file_gives_back_what_was_written, struct rig *rig)
{
    struct rig other = {0};
    struct buffer bytes;
    buffer_init(&bytes);
    mined(rig, 20, 1, 5000);
    mined(rig, 25, 4, 1000);
    fee_stats_next_block(&rig->stats, 7);
    struct writer w = writer_to_growing(&bytes);
    fee_buckets_encode(&rig->buckets, &w);
    fee_stats_encode(&rig->stats, &w);
    /* 27 rows with their lengths, decay, scale, two counts of periods. */
    assert_int_equal(bytes.len, 27 * (1 + 8 * FEE_BUCKETS) + 8 + 4 + 2);
    set_up_with(&other, &short_horizon);
    struct reader r = reader_of(buffer_span(&bytes));
    assert_true(fee_buckets_match(&other.buckets, &r));
    assert_true(fee_stats_decode(&other.stats, &r));
    assert_true(reader_finish(&r));
    for (uint32_t target = 1; target <= 12; target++)
        assert_near(ask(&other, target, 0.5, 0.85, 7).rate, ask(rig, target, 0.5, 0.85, 7).rate);
    /* Another horizon's, and cut ones, are refused. */
    fee_stats_deinit(&other.stats);
    set_up_with(&other, &medium_horizon);
    r = reader_of(buffer_span(&bytes));
    assert_true(fee_buckets_match(&other.buckets, &r));
    assert_false(fee_stats_decode(&other.stats, &r));
    other.buckets.top[3] += 1;
    r = reader_of(buffer_span(&bytes));
    assert_false(fee_buckets_match(&other.buckets, &r));
    fee_stats_deinit(&other.stats);
    buffer_deinit(&bytes);
}
