/* scratch_pool.h - script scratches lent to jobs.
 *
 * Layer: chain. A job does not know its thread, so it borrows a scratch for its run. Lock-free:
 * a slot is taken by exchanging it with NULL. */
#ifndef CHAIN_CORE_SCRATCH_POOL_H
#define CHAIN_CORE_SCRATCH_POOL_H

#include <stdatomic.h>

#include "consensus/script_verify.h"

#define SCRATCH_POOL_SLOTS 64

struct scratch_pool {
    _Atomic(struct script_scratch *) slots[SCRATCH_POOL_SLOTS];
};

/* Make an empty pool. */
void scratch_pool_init(struct scratch_pool *pool);
/* Frees all scratches; every one must have been given back. */
void scratch_pool_deinit(struct scratch_pool *pool);
/* Borrow one, made if none is free. Any thread. */
NODISCARD struct script_scratch *scratch_pool_take(struct scratch_pool *pool);
/* Give it back; freed if the pool is full. Any thread. */
void scratch_pool_give(struct scratch_pool *pool, struct script_scratch *scratch);

#endif
