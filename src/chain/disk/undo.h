/* undo.h - what a block spent, so that it can be disconnected.
 *
 * Layer: chain. Encoded by a job of the block's flight, stored by undo_writes.c; read to take the
 * block back, to tell fees, and to repair coins after a crash. The order is that of the inputs, so
 * it means something only together with its block: the record names no outpoint. */
#ifndef CHAIN_DISK_UNDO_H
#define CHAIN_DISK_UNDO_H

#include "chain/coins/coin.h"
#include "consensus/block.h"

/* The coins that a block spent, in the order of its inputs, coinbase left out. */
struct undo {
    struct coin *spent;
    size_t n_spent;
};

/* CompactSize n_spent, then each coin compressed. */
void undo_encode(struct writer *w, const struct undo *undo);

/* Decode into arena. False if malformed or not exactly the number of inputs that block has. */
NODISCARD bool undo_decode(struct span raw, const struct block *block, struct arena *arena,
                           struct undo *undo);

/* Decode into arena only the n_spent coins after the first `first`, those of one transaction.
 * False if malformed up to there or not so long. What comes after them is not looked at. */
NODISCARD bool undo_decode_part(struct span raw, size_t first, size_t n_spent, struct arena *arena,
                                struct undo *undo);

#endif
