/* undo_writes.h - undo data of blocks, stored off the loop.
 *
 * Layer: chain. Loop thread only. The place is given out and noted at once, the bytes come later:
 * until they have, the index must not be written, which is what the epochs of writes.h are for. */
#ifndef CHAIN_TREE_UNDO_WRITES_H
#define CHAIN_TREE_UNDO_WRITES_H

#include "chain/disk/writes.h"
#include "chain/tree/lost.h"

/* Holds nothing of its own: what is under way is counted in writes. */
struct undo_writes {
    struct chain_core *core;
    struct header_tree *tree;
    struct writes *writes;
    struct lost *lost;
};

/* Store a block's undo data, in its old place if there is one of that length. The node has it from
 * now on: who reads it waits until writes->n_undo is 0.
 *
 * In:    undo_take  encoded, len bytes from xmalloc
 * Owns:  undo_take */
void undo_write(struct undo_writes *undo, struct block_node *node, uint8_t *undo_take, size_t len);

#endif
