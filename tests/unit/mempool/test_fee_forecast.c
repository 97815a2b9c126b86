/* test_fee_forecast.c - what comes, what chance a rate has, and which rate is chosen for it. */
#include "mempool/fee_forecast.h"

#include <math.h>

#include "sim/sim_random.h"
#include "support/unit.h"

#define ROOM 1000.0 /* weight units of a block, for short numbers */

static void assert_near(double got, double want, double most)
{
    if (fabs(got - want) > most)
        print_error("%f is not %f\n", got, want);
    assert_true(fabs(got - want) <= most);
}

/* -- Chances ----------------------------------------------------------------------------------- */

TEST(who_has_nothing_ahead_is_in_the_next_block)
{
    assert_near(fee_forecast_chance(0, 0, 1), 1, 0);
    assert_near(fee_forecast_chance(0.99, 0, 1), 1, 0);
    assert_near(fee_forecast_chance(1, 0, 1), 0, 0);
    assert_near(fee_forecast_chance(11.5, 0, 12), 1, 0);
    /* One block, before half a mean interval: 1 - 1/sqrt(e). */
    assert_near(fee_forecast_chance(0.5, 1, 1), 1 - exp(-0.5), 1e-12);
    /* Two: the first before 1/2, or the second before 3/2. */
    assert_near(fee_forecast_chance(0.5, 1, 2), 1 - exp(-0.5) + exp(-0.5) * (1 - exp(-1) * 2),
                1e-12);
    assert_near(fee_forecast_chance(0, 1e9, 12), 0, 1e-6);
    assert_near(fee_forecast_chance(0, 1e-9, 12), 1, 1e-12);
}

/* The same by trying it. */
static double tried_chance(double ahead, double inflow, uint32_t target, struct sim_random *random)
{
    int n = 40000, met = 0;
    for (int i = 0; i < n; i++) {
        double time = 0;
        for (uint32_t k = 1; k <= target; k++) {
            time -= log(((double)(sim_random_u64(random) >> 11) + 0.5) / 9007199254740992.0);
            if (ahead + inflow * time <= k) {
                met++;
                break;
            }
        }
    }
    return (double)met / n;
}

TEST(chances_are_what_trials_give)
{
    static const struct {
        double ahead, inflow;
        uint32_t target;
    } rows[] = {{0, 0.5, 1},   {0, 1, 6},   {0.3, 0.9, 6}, {3, 0.6, 6},
                {5.5, 0.2, 6}, {2, 1.5, 6}, {11, 0.1, 12}, {6, 0.8, 12}};
    struct sim_random random = {11};
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_near(fee_forecast_chance(rows[i].ahead, rows[i].inflow, rows[i].target),
                    tried_chance(rows[i].ahead, rows[i].inflow, rows[i].target, &random), 0.012);
}

TEST(less_ahead_and_more_blocks_are_never_worse)
{
    for (double ahead = 0; ahead < 13; ahead += 0.37)
        for (double inflow = 0; inflow < 3; inflow += 0.11)
            for (uint32_t target = 1; target < FEE_FORECAST_TARGET_MAX; target++) {
                double chance = fee_forecast_chance(ahead, inflow, target);
                assert_true(chance >= 0 && chance <= 1);
                assert_true(fee_forecast_chance(ahead, inflow, target + 1) >= chance - 1e-9);
                assert_true(fee_forecast_chance(ahead + 0.1, inflow, target) <= chance + 1e-9);
                assert_true(fee_forecast_chance(ahead, inflow + 0.1, target) <= chance + 1e-9);
            }
}

/* -- What comes -------------------------------------------------------------------------------- */

static int64_t ask(const struct fee_flow *flow, const double *waiting_wu, double now_s,
                   uint32_t target, bool conservative)
{
    const struct fee_forecast_question question = {.flow = flow,
                                                   .waiting_wu = waiting_wu,
                                                   .now_s = now_s,
                                                   .room_wu = ROOM,
                                                   .target = target,
                                                   .conservative = conservative};
    return fee_forecast_ask(&question);
}

/* So much of a rate, for each mean interval of blocks, all evening long. */
static void flow_of(struct fee_flow *flow, double rate, double wu)
{
    for (double s = flow->faded_s; s < 5 * 3600; s += 10)
        fee_flow_add(flow, s, rate, wu / 60);
}

TEST(what_comes_is_known_after_half_an_hour)
{
    struct fee_flow flow;
    fee_flow_init(&flow, 1000, 600);
    assert_false(fee_flow_is_known(&flow, 1000 + FEE_FLOW_LEAST_S - 1));
    assert_true(fee_flow_is_known(&flow, 1000 + FEE_FLOW_LEAST_S));
}

TEST(who_pays_more_than_what_fills_blocks_is_in_them)
{
    static const double nothing[FEE_BUCKETS];
    struct fee_flow flow;
    fee_flow_init(&flow, 0, 600);
    double now_s = 5 * 3600;
    assert_int_equal(ask(&flow, nothing, now_s, 6, true), 0);
    flow_of(&flow, 5000, 0.3 * ROOM);
    assert_int_equal(ask(&flow, nothing, now_s, 6, true), 0);
    fee_flow_init(&flow, 0, 600);
    flow_of(&flow, 5000, 3 * ROOM);
    int64_t rate = ask(&flow, nothing, now_s, 6, true);
    assert_in_range(rate, 5001, 5251);
    assert_int_equal(ask(&flow, nothing, now_s, 6, false), rate);
    /* It fades: ten hours later next to nothing comes. */
    assert_int_equal(ask(&flow, nothing, now_s + 36000, 6, true), 0);
}

TEST(what_is_replaced_has_not_come)
{
    static const double nothing[FEE_BUCKETS];
    struct fee_flow flow;
    fee_flow_init(&flow, 0, 600);
    fee_flow_add(&flow, 3000, 5000, 100 * ROOM);
    assert_true(ask(&flow, nothing, 4000, 6, true) > 5000);
    fee_flow_take(&flow, 4000, -1, 5000, 100 * ROOM); /* before the beginning: was not counted */
    assert_true(ask(&flow, nothing, 4000, 6, true) > 5000);
    fee_flow_take(&flow, 4000, 3000, 5000, 100 * ROOM);
    assert_int_equal(ask(&flow, nothing, 4000, 6, true), 0);
    fee_flow_take(&flow, 4000, 3000, 5000, 100 * ROOM);
    assert_int_equal(ask(&flow, nothing, 4000, 6, true), 0);
}

/* -- Which rate is chosen ---------------------------------------------------------------------- */

TEST(what_waits_is_passed_by_who_pays_more)
{
    double waiting[FEE_BUCKETS] = {0};
    struct fee_flow flow;
    fee_flow_init(&flow, 0, 600);
    for (double rate = 1000; rate < 30000; rate *= 1.1)
        waiting[fee_buckets_find(&flow.buckets, rate)] += ROOM / 4;
    int64_t last = INT64_MAX;
    for (uint32_t target = 1; target <= FEE_FORECAST_TARGET_MAX; target++) {
        int64_t rate = ask(&flow, waiting, 3600, target, true);
        assert_true(rate >= 0 && rate <= last);
        assert_true(ask(&flow, waiting, 3600, target, false) >= 0);
        last = rate;
    }
    assert_int_equal(last, 0); /* in twelve blocks all of it has gone */
    assert_in_range(ask(&flow, waiting, 3600, 1, true), 20000, 30000);
}

/* Where nobody knows whether the price halves, who may be wrong does not pay four times as much. */
TEST(who_may_be_wrong_pays_no_more_than_twice_what_may_do)
{
    double waiting[FEE_BUCKETS] = {0};
    struct fee_flow flow;
    fee_flow_init(&flow, 0, 600);
    for (double rate = 100; rate < 1e6; rate *= 1.05)
        flow_of(&flow, rate, 0.0125 * ROOM);
    int64_t sure = ask(&flow, waiting, 5 * 3600, 6, true);
    int64_t fair = ask(&flow, waiting, 5 * 3600, 6, false);
    assert_true(fair >= 0 && sure >= 0 && fair <= sure);
}

TEST(where_no_rate_helps_none_is_told)
{
    double waiting[FEE_BUCKETS] = {0};
    struct fee_flow flow;
    fee_flow_init(&flow, 0, 600);
    waiting[FEE_BUCKETS - 1] = 100 * ROOM;
    assert_int_equal(ask(&flow, waiting, 3600, 6, true), -1);
    assert_int_equal(ask(&flow, waiting, 3600, 6, false), -1);
    waiting[FEE_BUCKETS - 1] = 0;
    waiting[FEE_BUCKETS - 2] = 100 * ROOM;
    assert_in_range(ask(&flow, waiting, 3600, 6, false), 9000000, 10000001);
}
