/* deltas.h - what our user adds to the fees of transactions: mempool_prioritise().
 *
 * Layer: mempool, internal. */
#ifndef MEMPOOL_DELTAS_H
#define MEMPOOL_DELTAS_H

#include "mempool/entries.h"

/* Forget all of them. */
void pool_deltas_deinit(struct mempool *mempool);

#endif
