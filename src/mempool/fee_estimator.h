/* fee_estimator.h - what a transaction should pay to be mined within some blocks, as the past
 * tells.
 *
 * Layer: mempool. Told of transactions that come and go and of blocks; looks at three horizons of
 * fee_stats.h: short (12 blocks), medium (48) and long (1008). Knows neither mempool nor chain nor
 * files. Loop thread only. */
#ifndef MEMPOOL_FEE_ESTIMATOR_H
#define MEMPOOL_FEE_ESTIMATOR_H

#include "consensus/tx.h"
#include "mempool/fee_stats.h"
#include "util/buffer.h"
#include "util/env.h"

struct fee_estimator;

enum fee_horizon_kind {
    FEE_HORIZON_SHORT,
    FEE_HORIZON_MEDIUM,
    FEE_HORIZON_LONG,
    FEE_HORIZONS,
};

#define FEE_TARGET_MAX 1008 /* blocks: the end of the long horizon, a week */

/* An estimator that has seen nothing. Draws the key of its table from env, keeps nothing of it.
 * Owns: the caller. */
struct fee_estimator *fee_estimator_new(const struct env *env);
/* NULL is allowed. */
void fee_estimator_free(struct fee_estimator *estimator);
/* Name, decay and scale of a horizon. */
const struct fee_horizon *fee_horizon_of(enum fee_horizon_kind kind);

/* -- What happens ------------------------------------------------------------------------------ */

struct fee_tx {
    const struct txid *txid; /* of none that is known */
    int64_t fee_sat;
    uint32_t vbytes;
    int32_t height; /* of the tip when it came */
};
/* A transaction has come whose fee alone decides when it is mined: it spends nothing unconfirmed,
 * and the chain is current. Forgotten unless the last block told of is the tip's. There are never
 * more than the mempool has entries. */
void fee_estimator_entered(struct fee_estimator *estimator, const struct fee_tx *tx);
/* A transaction has left unmined. Those never told of are ignored, here and below. */
void fee_estimator_left(struct fee_estimator *estimator, const struct txid *txid);
/* It is in the block that fee_estimator_block() will tell of. */
void fee_estimator_mined(struct fee_estimator *estimator, const struct txid *txid);
/* A block was connected. One no higher than another before teaches nothing. */
void fee_estimator_block(struct fee_estimator *estimator, int32_t height);
/* The node stops: all that wait leave unmined. */
void fee_estimator_leave_all(struct fee_estimator *estimator);
/* How many wait. */
size_t fee_estimator_waiting(const struct fee_estimator *estimator);
/* What is held of the heap for them. */
size_t fee_estimator_waiting_bytes(const struct fee_estimator *estimator);

/* -- What to pay ------------------------------------------------------------------------------- */

struct fee_estimate {
    int64_t sat_per_kvb; /* 0: too little is known */
    int32_t blocks;      /* the target that it is for: the one asked for, or the nearest usable */
};
/* For a target of 1 .. FEE_TARGET_MAX blocks. conservative: slower to believe that fees fell. */
struct fee_estimate fee_estimator_smart(const struct fee_estimator *estimator, int32_t target,
                                        bool conservative);
/* What one horizon says, for a target within it and a threshold of 0 .. 1. */
struct fee_answer fee_estimator_raw(const struct fee_estimator *estimator,
                                    enum fee_horizon_kind kind, int32_t target, double threshold);

/* -- The file ---------------------------------------------------------------------------------- */

/* What is remembered now: for fee_estimator_encode() alone, on any thread. Owns: the caller. */
struct fee_estimator *fee_estimator_snapshot(const struct fee_estimator *estimator);
/* What is remembered, in Core's format of version 309900 (v31), without who waits. */
void fee_estimator_encode(const struct fee_estimator *estimator, struct buffer *out);
/* Take over what was remembered; only into one that has seen nothing.
 * Returns: false if it is damaged or of another version; then the estimator is as new. */
NODISCARD bool fee_estimator_decode(struct fee_estimator *estimator, struct span bytes);

#endif
