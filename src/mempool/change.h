/* change.h - what clusters would be if some entries went and some transactions came.
 *
 * Layer: mempool, internal. Nothing is changed: replace.c and package.c ask here before they do.
 * A change is good for as long as the entries stay as they are. */
#ifndef MEMPOOL_CHANGE_H
#define MEMPOOL_CHANGE_H

#include "mempool/entries.h"
#include "util/array.h"

/* One that would come. */
struct pool_newcomer {
    struct feerate rate;               /* modified fee by adjusted weight */
    struct pool_entry *const *parents; /* borrowed: entries that it spends from ... */
    uint32_t n_parents;
    uint32_t before; /* ... and newcomers, bits of their numbers; all lower than its own */
};

/* A cluster that would not stay as it is. */
struct pool_touched {
    uint32_t cluster;
    uint64_t gone; /* bits over its order: who goes; of an entry that goes all descendants go */
};

struct pool_change {
    const struct mempool *mempool;
    struct pool_newcomer newcomers[MEMPOOL_PACKAGE_COUNT_MAX];
    uint32_t n_newcomers;
    ARRAY(struct pool_touched) touched;
    int64_t gone_fee_sat; /* modified fees of all that goes */
};

/* Make a change of nothing. Owns: the caller, pool_change_deinit() */
void pool_change_init(struct pool_change *change, const struct mempool *mempool);
/* Free what it has allocated. */
void pool_change_deinit(struct pool_change *change);

/* An entry goes, and all that spends from it. */
void pool_change_remove(struct pool_change *change, const struct pool_entry *entry);
/* Would this entry go? */
bool pool_change_removes(const struct pool_change *change, const struct pool_entry *entry);
/* One comes. A parent that goes is none to it: who needs what he replaces is refused for that only
 * when all else has been looked at. At most MEMPOOL_PACKAGE_COUNT_MAX come. */
void pool_change_add(struct pool_change *change, const struct pool_newcomer *newcomer);

/* Would the clusters of the newcomers be within the limits? Core: CheckMemPoolPolicyLimits() */
bool pool_change_fits(const struct pool_change *change);
/* Would miners earn no less for any size of block, and more for some? Only for one that fits.
 * Core: ImprovesFeerateDiagram() */
bool pool_change_improves(const struct pool_change *change);

#endif
