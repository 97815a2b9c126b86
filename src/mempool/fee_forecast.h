/* fee_forecast.h - what to pay to be in one of the next blocks, by what waits and what comes.
 *
 * Layer: mempool. Whoever pays a rate is mined with the first block that has room for all that pay
 * more, be they here or yet to come. How much comes is taken from the last hour, and blocks come at
 * random (a Poisson process of one in ten minutes): so each rate has a chance to be mined within
 * some blocks, and the rate to pay is chosen by these chances. Pure. doc/decisions/0190 */
#ifndef MEMPOOL_FEE_FORECAST_H
#define MEMPOOL_FEE_FORECAST_H

#include "mempool/fee_stats.h"

#define FEE_FORECAST_TARGET_MAX 12 /* blocks: further ahead, what comes now tells nothing */
#define FEE_FLOW_KEEP_S         3600.0
#define FEE_FLOW_LEAST_S        1800.0 /* of watching, before it tells anything */

/* -- What comes -------------------------------------------------------------------------------- */

/* Weight by feerate, fading: what came an hour ago counts 1 / e. */
struct fee_flow {
    struct fee_buckets buckets;
    double wu[FEE_BUCKETS];
    double began_s, faded_s; /* monotonic: the first moment watched; that wu is of */
    double spacing_s;        /* of blocks, in the mean */
};
/* Nothing has come. */
void fee_flow_init(struct fee_flow *flow, double now_s, double spacing_s);
/* Some weight of a rate in sat for 1,000 bytes has come. */
void fee_flow_add(struct fee_flow *flow, double now_s, double rate, double wu);
/* What came at came_s has gone without being mined: it was replaced. */
void fee_flow_take(struct fee_flow *flow, double now_s, double came_s, double rate, double wu);
/* Has it been watched long enough? */
bool fee_flow_is_known(const struct fee_flow *flow, double now_s);

/* -- What to pay ------------------------------------------------------------------------------- */

/* The chance to be in one of the next target blocks (1 .. FEE_FORECAST_TARGET_MAX) behind so much,
 * in blocks, while so much comes before it in the time that one block takes in the mean. */
double fee_forecast_chance(double ahead_blocks, double inflow_blocks, uint32_t target);

struct fee_forecast_question {
    const struct fee_flow *flow;
    const double *waiting_wu; /* FEE_BUCKETS of them: by the same buckets; at least the best target
                               * blocks of it */
    double now_s, room_wu;    /* room_wu: of a block */
    uint32_t target;          /* 1 .. FEE_FORECAST_TARGET_MAX */
    bool conservative;        /* be almost sure; else weigh too little against twice too much */
};
/* Returns: sat for 1,000 bytes, 0 if the least that is let in will do; -1 if no rate is good. */
int64_t fee_forecast_ask(const struct fee_forecast_question *question);

#endif
