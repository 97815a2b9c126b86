/* sim_fees.c - a month of estimates in virtual time: was what they say enough, was it too much?
 *
 * Usage: sim_fees [--blocks=1000] [--room=100000] [--seed=1] [--warmup=288] [--trace]
 *
 * The load is tests/support/fee_market.h, which says what it is and why. At random times somebody
 * asks each estimator what to pay to be in one of the next six blocks. Six blocks later it is known
 * what would have been the least, and so whether the answer was enough, and by how much too much.
 * Fails unless what estimatesmartfee would say, economical, is enough in 85% of the time, over
 * twice the least in at most 10%, and half as often as the lower of the two estimates that Core has
 * (doc/decisions/0190). A whole month of real size: --blocks=4464 --room=1000000. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mempool/fee_estimator.h"
#include "mempool/fee_forecast.h"
#include "mempool/mempool_estimator.h"
#include "sim/sim_env.h"
#include "support/fee_market.h"
#include "util/alloc.h"
#include "util/array.h"

#define TARGET 6

enum kind {
    BLOCKS_ECONOMICAL,
    BLOCKS_CONSERVATIVE,
    NEXT_ECONOMICAL, /* of the mempool, what the next block asks: as Core has it */
    NEXT_CONSERVATIVE,
    FORECAST_ECONOMICAL,
    FORECAST_CONSERVATIVE,
    CORE_ECONOMICAL, /* the lower of blocks and next */
    CORE_CONSERVATIVE,
    BOTH_ECONOMICAL, /* the forecast, up to blocks, conservative: what estimatesmartfee says */
    BOTH_CONSERVATIVE,
    KINDS,
};

static const char *const kind_name[KINDS] = {
    "blocks, economical",      "blocks, conservative", "next block, economical",
    "next block, conserv.",    "forecast, economical", "forecast, conservative",
    "as in Core, economical",  "as in Core, conserv.", "estimatesmartfee, econ.",
    "estimatesmartfee, cons.",
};

struct question {
    int32_t height;
    double now_s;
    double answer[KINDS]; /* sat for 1,000 virtual bytes; 0: none */
};

struct score {
    uint64_t asked, met, over_twice;
    ARRAY(double) ratios;
};

struct run {
    struct market *market;
    struct fee_estimator *estimator;
    struct fee_flow flow;
    int32_t height, warmup;
    bool traces;
    double full[TARGET]; /* of the last blocks, by height modulo */
    ARRAY(struct question) open;
    struct score score[KINDS];
};

static struct txid id_of(const struct market_tx *tx)
{
    struct txid txid = {0};
    memcpy(txid.b, &tx->id, sizeof tx->id);
    return txid;
}

static void on_came(void *ctx, const struct market_tx *tx)
{
    struct run *run = ctx;
    struct txid txid = id_of(tx);
    const struct fee_tx fee_tx = {
        .txid = &txid, .fee_sat = tx->fee_sat, .vbytes = tx->vbytes, .height = run->height};
    fee_estimator_entered(run->estimator, &fee_tx);
    fee_flow_add(&run->flow, market_now_s(run->market), (double)tx->fee_sat * 1000 / tx->vbytes,
                 4.0 * tx->vbytes);
}

static void on_left(void *ctx, const struct market_tx *tx)
{
    struct run *run = ctx;
    struct txid txid = id_of(tx);
    fee_estimator_left(run->estimator, &txid);
}

static void on_mined(void *ctx, const struct market_tx *tx)
{
    struct run *run = ctx;
    struct txid txid = id_of(tx);
    fee_estimator_mined(run->estimator, &txid);
}

/* -- Asking ---------------------------------------------------------------------------------- */

static struct next_block next_of(const struct market *market)
{
    struct next_block next = {.room_wu = 4 * (uint64_t)market_room_vbytes(market)};
    int64_t fees_sat;
    uint64_t vbytes;
    for (size_t at = 0; market_next(market, &at, &fees_sat, &vbytes);) {
        struct feerate chunk = {fees_sat, (int64_t)(4 * vbytes)};
        next_block_take(&next, chunk);
        if (next.taken_wu >= next.room_wu)
            break;
    }
    return next;
}

static double forecast(const struct run *run, bool conservative)
{
    double waiting_wu[FEE_BUCKETS] = {0};
    int64_t fees_sat;
    uint64_t vbytes;
    for (size_t at = 0; market_next(run->market, &at, &fees_sat, &vbytes);) {
        double rate = (double)fees_sat * 1000 / (double)vbytes;
        waiting_wu[fee_buckets_find(&run->flow.buckets, rate)] += 4 * (double)vbytes;
    }
    const struct fee_forecast_question question = {
        .flow = &run->flow,
        .waiting_wu = waiting_wu,
        .now_s = market_now_s(run->market),
        .room_wu = 4.0 * market_room_vbytes(run->market),
        .target = TARGET,
        .conservative = conservative,
    };
    int64_t sat_per_kvb = fee_forecast_ask(&question);
    return sat_per_kvb < 0 ? INFINITY : (double)sat_per_kvb;
}

static void on_asked(void *ctx)
{
    struct run *run = ctx;
    if (run->height < run->warmup)
        return;
    struct question question = {.height = run->height, .now_s = market_now_s(run->market)};
    struct next_block next = next_of(run->market);
    double *answer = question.answer;
    for (int i = 0; i < 2; i++) {
        answer[BLOCKS_ECONOMICAL + i] =
            (double)fee_estimator_smart(run->estimator, TARGET, i == 1).sat_per_kvb;
        answer[NEXT_ECONOMICAL + i] =
            (double)(i == 1 ? next.half_sat_per_kvb : next.three_quarters_sat_per_kvb);
        answer[CORE_ECONOMICAL + i] =
            fmin(answer[BLOCKS_ECONOMICAL + i], answer[NEXT_ECONOMICAL + i]);
        answer[FORECAST_ECONOMICAL + i] = forecast(run, i == 1);
    }
    for (int i = 0; i < 2; i++)
        answer[BOTH_ECONOMICAL + i] =
            fmin(answer[BLOCKS_CONSERVATIVE], answer[FORECAST_ECONOMICAL + i]);
    double least = fmax(market_min_sat_per_kvb(run->market), MARKET_FLOOR_SAT_PER_KVB);
    for (int i = 0; i < KINDS; i++)
        answer[i] = fmax(answer[i], least);
    *ARRAY_ADD(&run->open) = question;
}

static void judge(struct run *run, const struct question *question, double full)
{
    double least = fmax(full, MARKET_FLOOR_SAT_PER_KVB);
    for (int i = 0; i < KINDS; i++) {
        struct score *score = &run->score[i];
        double ratio = question->answer[i] / least;
        score->asked++;
        score->met += question->answer[i] > full;
        score->over_twice += ratio > 2;
        *ARRAY_ADD(&score->ratios) = ratio;
    }
    if (run->traces)
        printf("%.2f %d %.0f %.0f %.0f\n", question->now_s / 86400, question->height, least,
               question->answer[BLOCKS_ECONOMICAL], question->answer[BOTH_ECONOMICAL]);
}

static void on_block(void *ctx, int32_t height, double full)
{
    struct run *run = ctx;
    fee_estimator_block(run->estimator, height);
    run->height = height;
    run->full[height % TARGET] = full;
    double least = full;
    for (int i = 0; i < TARGET; i++)
        least = fmin(least, run->full[i]);
    size_t n = 0;
    for (size_t i = 0; i < run->open.n; i++) {
        const struct question question = run->open.at[i];
        if (question.height + TARGET == height)
            judge(run, &question, least);
        else
            run->open.at[n++] = question;
    }
    run->open.n = n;
}

/* -- Telling --------------------------------------------------------------------------------- */

static int compare_doubles(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static double percentile(const struct score *score, double share)
{
    return score->ratios.at[(size_t)(share * (double)(score->ratios.n - 1))];
}

static void tell(struct run *run)
{
    printf("%-24s %7s %7s %7s %9s %7s %7s %7s\n", "estimate for 6 blocks", "met", "1st", "median",
           "9th tenth", "99%", "most", "over 2");
    for (int i = 0; i < KINDS; i++) {
        struct score *score = &run->score[i];
        qsort(score->ratios.at, score->ratios.n, sizeof(double), compare_doubles);
        printf("%-24s %6.2f%% %7.2f %7.2f %9.2f %7.2f %7.2f %6.2f%%\n", kind_name[i],
               100 * (double)score->met / (double)score->asked, percentile(score, 0.1),
               percentile(score, 0.5), percentile(score, 0.9), percentile(score, 0.99),
               percentile(score, 1), 100 * (double)score->over_twice / (double)score->asked);
    }
}

/* Of the time, what may be asked of the economical answer. */
#define MET_LEAST       0.85
#define OVER_TWICE_MOST 0.10

static bool check(const struct run *run)
{
    const struct score *ours = &run->score[BOTH_ECONOMICAL], *core = &run->score[CORE_ECONOMICAL];
    double asked = (double)ours->asked;
    bool is_met = (double)ours->met >= MET_LEAST * asked;
    bool is_fair = (double)ours->over_twice <= OVER_TWICE_MOST * asked &&
                   2 * ours->over_twice < core->over_twice;
    if (!is_met)
        printf("FAILED: it is met in less than %.0f%%\n", 100 * MET_LEAST);
    if (!is_fair)
        printf(
            "FAILED: it is over twice the least in more than %.0f%%, or in more than half as many "
            "as the lower of blocks and next block\n",
            100 * OVER_TWICE_MOST);
    return is_met && is_fair;
}

static void free_run(struct run *run)
{
    market_free(run->market);
    fee_estimator_free(run->estimator);
    ARRAY_FREE(&run->open);
    for (int i = 0; i < KINDS; i++)
        ARRAY_FREE(&run->score[i].ratios);
}

static bool run_market(struct run *run, int32_t blocks, uint32_t room_vbytes, uint64_t seed)
{
    struct sim_env *sim = sim_env_new(seed);
    const struct market_events events = {.ctx = run,
                                         .came = on_came,
                                         .left = on_left,
                                         .mined = on_mined,
                                         .block = on_block,
                                         .asked = on_asked};
    run->estimator = fee_estimator_new(sim_env_get(sim));
    fee_flow_init(&run->flow, 0, 600);
    run->market = market_new(seed, room_vbytes, &events);
    market_run(run->market, blocks);
    printf("%d blocks, %.1f days, %.0f blocks wanted, %d with room left\n", blocks,
           market_now_s(run->market) / 86400, market_blocks_wanted(run->market),
           market_blocks_with_room(run->market));
    tell(run);
    bool is_good = check(run);
    free_run(run);
    sim_env_free(sim);
    return is_good;
}

int main(int argc, char **argv)
{
    int32_t blocks = 1000;
    uint32_t room = 100000;
    uint64_t seed = 1;
    struct run run = {.warmup = 288};
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--blocks=", 9) == 0) {
            blocks = atoi(argv[i] + 9);
        } else if (strncmp(argv[i], "--room=", 7) == 0) {
            room = (uint32_t)atoi(argv[i] + 7);
        } else if (strncmp(argv[i], "--warmup=", 9) == 0) {
            run.warmup = atoi(argv[i] + 9);
        } else if (strncmp(argv[i], "--seed=", 7) == 0) {
            seed = strtoull(argv[i] + 7, NULL, 10);
        } else if (strcmp(argv[i], "--trace") == 0) {
            run.traces = true;
        } else {
            fprintf(stderr, "unknown option: %s\n", argv[i]);
            return 2;
        }
    }
    if (blocks <= run.warmup + TARGET) {
        fprintf(stderr, "too few blocks to ask in\n");
        return 2;
    }
    return run_market(&run, blocks, room, seed) ? 0 : 1;
}
