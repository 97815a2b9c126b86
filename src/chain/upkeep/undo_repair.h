/* undo_repair.h - undo data that is damaged or missing, made anew from the blocks.
 *
 * Layer: chain. What a block spent was created by blocks before it: these are gone through from the
 * block down, off the loop and last among all reads, until every coin is found. Loop thread only.
 */
#ifndef CHAIN_UPKEEP_UNDO_REPAIR_H
#define CHAIN_UPKEEP_UNDO_REPAIR_H

#include <stdbool.h>

struct chain;

/* Coins looked for in one go down the chain; what is lost beyond that takes another. */
#define UNDO_REPAIR_COINS_MAX 200000

/* Something is lost, or a block that may have been missing is there: begin if there is something to
 * do. Ends by itself, also when the chain is being closed. */
void undo_repair_wake(struct chain *chain);
/* Is it at work? If not, what is lost still cannot be made anew now. */
bool undo_repair_is_busy(const struct chain *chain);

#endif
