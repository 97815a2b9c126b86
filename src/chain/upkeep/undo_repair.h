/* undo_repair.h - undo data that is damaged or missing, made anew from the blocks.
 *
 * Layer: chain. What a block spent was created by blocks before it: these are gone through from the
 * block down, off the loop and last among all reads, until every coin is found. A pruned node may
 * lack one of them, and what is lost stays so. Loop thread only. */
#ifndef CHAIN_UPKEEP_UNDO_REPAIR_H
#define CHAIN_UPKEEP_UNDO_REPAIR_H

#include "chain/tree/undo_writes.h"

/* Coins looked for in one go down the chain; what is lost beyond that takes another. */
#define UNDO_REPAIR_COINS_MAX 200000

struct undo_repair {
    struct chain_core *core;
    struct lost *lost;
    struct undo_writes *undo_writes;
    struct repair_round *round; /* NULL: not at work */
    uint64_t changes_seen;      /* lost->n_changes, when it began last */
};

/* Is it at work, or about to be? If not, what is lost still cannot be made anew now. */
bool undo_repair_is_busy(const struct undo_repair *owner);

/* Begins when something is lost, or a block that may have been missing is there. Ends by itself,
 * also when the chain is being closed. */
extern const struct chain_part undo_repair_part;

#endif
