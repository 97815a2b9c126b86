/* pool_walk.h - what waits in the mempool at one moment, looked at in turns of the loop.
 *
 * Layer: rpc. What comes later is not told, what goes meanwhile is left out: an answer that mixed
 * two moments would count money twice, or not at all. */
#ifndef RPC_POOL_WALK_H
#define RPC_POOL_WALK_H

#include "mempool/mempool.h"
#include "util/array.h"

struct pool_walk {
    ARRAY(struct txid) waiting; /* when it began, in the order in which they came */
    size_t at;                  /* the next of those */
    uint64_t last;              /* the sequence of the youngest */
};

/* Begin, or begin again. */
void pool_walk_begin(struct pool_walk *walk, const struct mempool *mempool);
void pool_walk_deinit(struct pool_walk *walk);

/* The next one that is still there. *work is 0 at the beginning of a turn.
 *
 * Returns:  NULL when there is none, or enough for a turn has been looked at: its outputs, and its
 *           inputs, whose coins may have to be read */
const struct mempool_entry *pool_walk_next(struct pool_walk *walk, const struct mempool *mempool,
                                           size_t *work);
bool pool_walk_is_over(const struct pool_walk *walk);
/* The entry, NULL allowed, if it waited when the walk began; else NULL. */
const struct mempool_entry *pool_walk_known(const struct pool_walk *walk,
                                            const struct mempool_entry *entry);

#endif
