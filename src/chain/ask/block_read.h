/* block_read.h - stored blocks read back for those who ask, off the loop.
 *
 * Layer: chain. Loop thread only. From memory while the block is kept, else by a job; what turns
 * out to be damaged is noted as lost, so that asking for a block is also what finds that. Never
 * waits for a block that is not stored: fetching is p2p's. */
#ifndef CHAIN_ASK_BLOCK_READ_H
#define CHAIN_ASK_BLOCK_READ_H

#include "chain/disk/writes.h"
#include "chain/tree/lost.h"
#include "util/list.h"

/* Borrows the parts. A read under way is counted by the core, not here. */
struct block_reads {
    struct chain_core *core;
    struct header_tree *tree;
    const struct kept_blocks *kept;
    const struct writes *writes;
    struct lost *lost;
    struct list waiting; /* for undo data being written, oldest first */
};

/* Nothing is read.
 *
 * In:  with  the parts that it needs, borrowed for its life */
void block_reads_init(struct block_reads *reads, const struct block_reads *with);
/* No read may be under way. */
void block_reads_deinit(struct block_reads *reads);

/* Read a stored block, and what it spent if want_undo.
 *
 * Out:  done(arg, read)  once; within this call if the block is not stored */
void block_read(struct block_reads *reads, const struct block_node *node, bool want_undo,
                chain_read_fn *done, void *arg);
/* The block's bytes alone: read->block may be undecoded. Otherwise the same. */
void block_read_raw(struct block_reads *reads, const struct block_node *node,
                    chain_read_work_fn *work, chain_read_fn *done, void *arg);
/* What a block spent, alone: read->block is NULL where it had to be read. Otherwise the same. */
void block_read_undo(struct block_reads *reads, const struct block_node *node, chain_read_fn *done,
                     void *arg);
/* A block for a peer, which can wait; is_raw: only its bytes, undecoded. Otherwise the same. */
void block_read_for_peer(struct block_reads *reads, const struct block_node *node, bool is_raw,
                         chain_read_fn *done, void *arg);

/* Starts reads that waited for undo data to be written. */
extern const struct chain_part block_reads_part;

#endif
