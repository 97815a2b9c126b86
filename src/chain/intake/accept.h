/* accept.h - headers and blocks coming in: parsed and checked by a job, placed, stored.
 *
 * Layer: chain. Loop thread only. */
#ifndef CHAIN_INTAKE_ACCEPT_H
#define CHAIN_INTAKE_ACCEPT_H

#include "chain/intake/waiters.h"

struct accept;

/* Borrows the parts below for its life. It never connects anything: what it stores becomes a
 * candidate, and the pipeline finds that by itself. */
struct intake {
    struct chain_core *core;
    struct header_tree *tree;
    const struct active_chain *active;
    struct best_chain *best;
    struct kept_blocks *kept;
    struct writes *writes;
    struct lost *lost;
    struct waiters *waiters;
    struct u256 min_chain_work;
    bool headers_moved; /* the best header has, and nobody was told */
    struct list checking; /* struct accept, oldest first: being checked, or behind such a one */
    struct list held;     /* the same: blocks that wait for room to be written */
};

/* Take a header, and tell of a new best one.
 *
 * Returns:  its node, new or known; NULL with the verdict if it is refused */
const struct block_node *intake_header(struct intake *intake, const struct block_header *header,
                                       struct verdict *verdict);
/* Take a block, as chain_accept_block().
 *
 * In:    flags  of enum chain_accept_flags
 * Out:   done(arg, result)  once
 * Owns:  block_take, from xmalloc */
void intake_block(struct intake *intake, uint8_t *block_take, size_t len, int flags,
                  chain_block_fn *done, void *arg);
/* The same for bytes that others hold, too: takes over one hold of block_take, not decoded yet. */
void intake_block_shared(struct intake *intake, struct block_ref *block_take, int flags,
                         chain_block_fn *done, void *arg);
/* The same for a block from a file of ours.
 *
 * In:  pos  where its bytes are if that is in the block files already, else NULL */
void intake_imported_block(struct intake *intake, const struct file_pos *pos, uint8_t *block_take,
                           size_t len, chain_block_fn *done, void *arg);

/* Stores what waited for room. */
extern const struct chain_part intake_part;

#endif
