/* limit.h - the mempool keeps its size, and leaves a floor behind.
 *
 * Layer: mempool, internal. Asked after each addition and each new tip. What goes is a whole chunk
 * at a time, with all that spends from it, so that what stays can be mined. */
#ifndef MEMPOOL_LIMIT_H
#define MEMPOOL_LIMIT_H

#include "mempool/entries.h"

/* The floor that a full mempool has left, now; 0 if there is none. Halves with time.
 *
 * Units:    satoshi for 1,000 virtual bytes
 * Spec:     Core GetMinFee() */
int64_t pool_rolling_feerate(struct mempool *mempool);
/* Drop what is too old, then the worst chunks until the rest fits. */
void pool_limit(struct mempool *mempool);

#endif
