/* blocks.h - what waits to be put back after a reorganisation, and who waits for that.
 *
 * Layer: mempool, internal. mempool.c goes on with it whenever a check has ended, and
 * mempool_file.c saves what waits as well. What the node calls (mempool_block_connected() and so
 * on) is in mempool.h. */
#ifndef MEMPOOL_BLOCKS_H
#define MEMPOOL_BLOCKS_H

#include "mempool/entries.h"

struct pool_putback;

/* Forget what waits to be put back. */
void pool_putbacks_deinit(struct mempool *mempool);
/* Go on with putting back, as far as there is room. */
void pool_putbacks_pump(struct mempool *mempool);
/* All that waits to be put back, in the order in which it will be.
 *
 * Returns:  how many; *out has pointers to them
 * Owns:     the caller: *out is freed with xfree() */
size_t pool_putbacks_list(const struct mempool *mempool, const struct pool_putback ***out);
/* Nothing waits to be put back, or is being put back. */
bool pool_is_settled(const struct mempool *mempool);
/* If nothing is to be put back any more: tell who waits for that. */
void pool_waiters_call(struct mempool *mempool);

#endif
