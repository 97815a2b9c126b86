/* pool_walk.c - see pool_walk.h */
#include "rpc/pool_walk.h"

/* Outputs for a turn: some 100 us. An input is 16 of them: its coin is looked for, maybe in the
 * store. */
enum { WORK_PER_TURN = 1000, WORK_PER_INPUT = 16 };

void pool_walk_begin(struct pool_walk *walk, const struct mempool *mempool)
{
    uint64_t at = 0;
    ASSERT(walk && mempool);
    walk->waiting.n = walk->at = 0;
    walk->last = 0;
    ARRAY_RESERVE(&walk->waiting, mempool_count(mempool));
    for (const struct mempool_entry *e; (e = mempool_next(mempool, &at)); walk->last = e->sequence)
        *ARRAY_ADD(&walk->waiting) = e->tx.txid;
}

void pool_walk_deinit(struct pool_walk *walk)
{
    ARRAY_FREE(&walk->waiting);
}

const struct mempool_entry *pool_walk_next(struct pool_walk *walk, const struct mempool *mempool,
                                           size_t *work)
{
    ASSERT(work && walk->at <= walk->waiting.n);
    while (walk->at < walk->waiting.n && *work < WORK_PER_TURN) {
        const struct mempool_entry *entry =
            pool_walk_known(walk, mempool_find(mempool, &walk->waiting.at[walk->at++]));
        ++*work;
        if (!entry)
            continue;
        *work += (size_t)entry->tx.n_out + (size_t)entry->tx.n_in * WORK_PER_INPUT;
        return entry;
    }
    return NULL;
}

bool pool_walk_is_over(const struct pool_walk *walk)
{
    return walk->at == walk->waiting.n;
}

const struct mempool_entry *pool_walk_known(const struct pool_walk *walk,
                                            const struct mempool_entry *entry)
{
    return entry && entry->sequence <= walk->last ? entry : NULL;
}
