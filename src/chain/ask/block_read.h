/* block_read.h - stored blocks read back for those who ask, off the loop.
 *
 * Layer: chain. Loop thread only. */
#ifndef CHAIN_ASK_BLOCK_READ_H
#define CHAIN_ASK_BLOCK_READ_H

#include "chain/disk/writes.h"
#include "chain/tree/lost.h"

struct block_read;

struct block_reads {
    struct chain_core *core;
    struct header_tree *tree;
    const struct kept_blocks *kept;
    const struct writes *writes;
    struct lost *lost;
    struct block_read *waiting; /* for undo data being written, oldest first */
    struct hash_map by_id;
    uint64_t last_id;
};

/* Nothing is read.
 *
 * In:  with  the parts that it needs, borrowed for its life */
void block_reads_init(struct block_reads *reads, const struct block_reads *with);
/* No read may be under way. */
void block_reads_deinit(struct block_reads *reads);

/* Read a stored block, and what it spent if want_undo.
 *
 * Out:      done(arg, read)  once; within this call if the block is not stored
 * Returns:  an id for block_read_cancel(), or 0 if done has been called */
uint64_t block_read(struct block_reads *reads, const struct block_node *node, bool want_undo,
                    chain_read_fn *done, void *arg);
/* What a block spent, alone: read->block is NULL where it had to be read. Otherwise the same. */
uint64_t block_read_undo(struct block_reads *reads, const struct block_node *node,
                         chain_read_fn *done, void *arg);
/* A block for a peer, which can wait; is_raw: only its bytes, undecoded. Otherwise the same. */
uint64_t block_read_for_peer(struct block_reads *reads, const struct block_node *node, bool is_raw,
                             chain_read_fn *done, void *arg);
/* Nobody wants it any more: done is not called. An id that is over does nothing. */
void block_read_cancel(struct block_reads *reads, uint64_t id);

/* Starts reads that waited for undo data to be written. */
extern const struct chain_part block_reads_part;

#endif
