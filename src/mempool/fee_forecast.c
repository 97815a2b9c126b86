/* fee_forecast.c - see fee_forecast.h. */
#include "mempool/fee_forecast.h"

#include <math.h>

#include "util/assert.h"

/* Who wants to be sure takes a chance of one in twenty, as Core's conservative estimates do. */
#define SURE_CHANCE 0.95
/* Who does not takes the rate that is most likely right: enough, and no more than twice enough. The
 * second counts less: who pays too much is mined all the same. */
#define DEAR_WEIGHT 0.7
#define FAIR_CHANCE 0.5 /* no rate with less of one, whatever it would save */
/* Buckets below that have half the rate or a little more: 1.05 ^ 14 = 1.98. */
#define HALF_BUCKETS 14

/* -- What comes -------------------------------------------------------------------------------- */

void fee_flow_init(struct fee_flow *flow, double now_s, double spacing_s)
{
    ASSERT(flow && spacing_s > 0);
    *flow = (struct fee_flow){.began_s = now_s, .faded_s = now_s, .spacing_s = spacing_s};
    fee_buckets_init(&flow->buckets);
}

static double faded(double from_s, double to_s)
{
    return exp(-fmax(to_s - from_s, 0) / FEE_FLOW_KEEP_S);
}

/* Fades all at most once a minute: in between what comes is added as if it came then. */
static void fade(struct fee_flow *flow, double now_s)
{
    if (now_s - flow->faded_s < 60)
        return;
    double factor = faded(flow->faded_s, now_s);
    for (int i = 0; i < FEE_BUCKETS; i++)
        flow->wu[i] *= factor;
    flow->faded_s = now_s;
}

void fee_flow_add(struct fee_flow *flow, double now_s, double rate, double wu)
{
    ASSERT(wu >= 0 && rate <= FEE_ENDLESS_RATE);
    fade(flow, now_s);
    flow->wu[fee_buckets_find(&flow->buckets, rate)] += wu;
}

void fee_flow_take(struct fee_flow *flow, double now_s, double came_s, double rate, double wu)
{
    ASSERT(wu >= 0 && rate <= FEE_ENDLESS_RATE);
    if (came_s < flow->began_s)
        return;
    fade(flow, now_s);
    double *left = &flow->wu[fee_buckets_find(&flow->buckets, rate)];
    *left = fmax(*left - wu * faded(came_s, now_s), 0);
}

bool fee_flow_is_known(const struct fee_flow *flow, double now_s)
{
    return now_s - flow->began_s >= FEE_FLOW_LEAST_S;
}

/* What one weight unit of a bucket means in weight units for the time of one block. */
static double per_block(const struct fee_flow *flow, double now_s)
{
    double seen_s = FEE_FLOW_KEEP_S * (1 - faded(flow->began_s, now_s));
    return flow->spacing_s / seen_s * faded(flow->faded_s, now_s);
}

/* -- Chances ----------------------------------------------------------------------------------- */

/* Time goes on: of the chances of each number of blocks so far, below n. */
static void pass(double *chance, uint32_t n, double intervals)
{
    double one[FEE_FORECAST_TARGET_MAX];
    one[0] = exp(-intervals);
    for (uint32_t i = 1; i < n; i++)
        one[i] = one[i - 1] * intervals / i;
    for (uint32_t to = n; to-- > 0;) {
        double sum = 0;
        for (uint32_t from = 0; from <= to; from++)
            sum += chance[from] * one[to - from];
        chance[to] = sum;
    }
}

/* Block k takes it if all that is ahead by then has room in k blocks: if it comes before the time
 * at which ahead + inflow reaches k. So it fails if at each of these times fewer than k have come,
 * and the chance of that is kept by the number that have. */
double fee_forecast_chance(double ahead_blocks, double inflow_blocks, uint32_t target)
{
    ASSERT(ahead_blocks >= 0 && inflow_blocks >= 0);
    ASSERT(target > 0 && target <= FEE_FORECAST_TARGET_MAX);
    double chance[FEE_FORECAST_TARGET_MAX] = {1}, at = 0, failed = 0;
    if (ahead_blocks >= target)
        return 0;
    if (inflow_blocks <= 0)
        return 1;
    for (uint32_t k = 1; k <= target; k++) {
        double until = (k - ahead_blocks) / inflow_blocks;
        if (until <= 0)
            continue;
        pass(chance, k, until - at);
        at = until;
    }
    for (uint32_t n = 0; n < target; n++)
        failed += chance[n];
    return fmax(1 - failed, 0);
}

/* -- What to pay ------------------------------------------------------------------------------- */

/* Rate i is just above all of bucket i - 1; rate 0 is the least that is let in. */
#define RATES (FEE_BUCKETS + 1)

static void find_chances(const struct fee_forecast_question *question, double *chance)
{
    double scale = per_block(question->flow, question->now_s), ahead_wu = 0, inflow_wu = 0;
    for (int i = RATES; i-- > 0;) {
        if (i < FEE_BUCKETS) {
            ahead_wu += question->waiting_wu[i];
            inflow_wu += question->flow->wu[i] * scale;
        }
        /* What is 0 stays so below. */
        chance[i] = i + 1 < RATES && chance[i + 1] <= 0
                        ? 0
                        : fee_forecast_chance(ahead_wu / question->room_wu,
                                              inflow_wu / question->room_wu, question->target);
    }
}

static int choose_sure(const double *chance)
{
    int rate = 0;
    while (rate < RATES && chance[rate] < SURE_CHANCE)
        rate++;
    return rate;
}

static int choose_fair(const double *chance)
{
    int best = RATES;
    double best_value = -1;
    for (int i = 0; i < RATES; i++) {
        double half = i >= HALF_BUCKETS ? chance[i - HALF_BUCKETS] : 0;
        double value = chance[i] - DEAR_WEIGHT * half;
        if (chance[i] >= FAIR_CHANCE && value > best_value) {
            best_value = value;
            best = i;
        }
    }
    return best;
}

int64_t fee_forecast_ask(const struct fee_forecast_question *question)
{
    double chance[RATES];
    ASSERT(question->room_wu > 0 && fee_flow_is_known(question->flow, question->now_s));
    find_chances(question, chance);
    int rate = question->conservative ? choose_sure(chance) : choose_fair(chance);
    /* The last bucket has no end to be above of. */
    if (rate >= FEE_BUCKETS)
        return -1;
    return rate == 0 ? 0 : (int64_t)question->flow->buckets.top[rate - 1] + 1;
}
