/* deltas.h - what our user adds to the fees of transactions: mempool_prioritise().
 *
 * Layer: mempool, internal. Deltas are kept by id, whether the transaction is here or not, until it
 * is mined or they add up to 0, and over a restart in mempool.dat. Nobody but the user makes them,
 * so they have no limit. */
#ifndef MEMPOOL_DELTAS_H
#define MEMPOOL_DELTAS_H

#include "mempool/entries.h"

/* Forget all of them. */
void pool_deltas_deinit(struct mempool *mempool);

#endif
