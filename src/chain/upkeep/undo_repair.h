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
/* From a loss until it is looked into. A file that was moved away or a disk that was unmounted is
 * met block by block: what one moment lost is one round, and who asks twice is told the same. */
#define UNDO_REPAIR_DELAY_US 1000000

struct undo_repair {
    struct chain_core *core;
    struct lost *lost;
    struct undo_writes *undo_writes;
    struct repair_round *round; /* NULL: not at work */
    uint64_t changes_seen;      /* lost->n_changes, when it began last */
    uint64_t timer;             /* until the next round; 0: none is set */
    bool is_due;                /* it has run out */
};

/* Is it at work, or about to be? If not, what is lost still cannot be made anew now. */
bool undo_repair_is_busy(const struct undo_repair *owner);

/* Begins a moment after something is lost, or a block that may have been missing is there. Ends by
 * itself, also when the chain is being closed. */
extern const struct chain_part undo_repair_part;

#endif
