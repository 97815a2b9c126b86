/* coin_dump.h - the coins of the committed tip, or of a block below it, written to a file.
 *
 * Layer: chain. Loop thread only. The chain goes on meanwhile and is not touched: a set of before
 * is worked out beside it, doc/decisions/0271-the-coins-of-before.md */
#ifndef CHAIN_ASK_COIN_DUMP_H
#define CHAIN_ASK_COIN_DUMP_H

#include "chain/ask/block_read.h"
#include "chain/upkeep/flush.h"

/* At most one at a time. */
struct coin_dumps {
    struct chain_core *core;
    struct flush *flush;
    struct block_reads *reads;
    bool is_running;
};

/* Flush, then write; see chain_dump_coins(). */
NODISCARD int coin_dump_start(struct coin_dumps *dumps, const char *path,
                              const struct block_node *target, coin_dump_fn *done, void *arg);

#endif
