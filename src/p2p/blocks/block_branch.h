/* block_branch.h - which chains of blocks are worth having, and which of their blocks come next.
 *
 * Layer: p2p. Pure: looks at the tree of headers alone. A header whose block is withheld must not
 * stop another chain, so each that peers have told of is followed, as long as it has no less work
 * than the tip. What counts is which blocks are stored, not where the tip is: a fork far below the
 * tip is fetched to its end though the tip does not move before that. */
#ifndef P2P_BLOCKS_BLOCK_BRANCH_H
#define P2P_BLOCKS_BLOCK_BRANCH_H

#include "chain/tree/header_tree.h"

#define BLOCK_BRANCHES_MAX   16   /* chains followed at a time */
#define BLOCK_BRANCH_WINDOW  1024 /* blocks of the first one that may be asked for */
#define BLOCK_BRANCH_SIDE    128  /* and of each other one, at least */
#define BLOCK_BRANCH_ALL_MAX (BLOCK_BRANCH_WINDOW + BLOCK_BRANCHES_MAX * BLOCK_BRANCH_SIDE)

/* The blocks from .. to (heights) below goal: they were never here, or above one that was not. */
struct block_branch {
    const struct block_node *goal;
    int32_t from, to;
    int32_t first; /* the first that is missing below goal; less than from if shared */
};

/* What a peer has told of. */
struct block_known {
    const struct block_node *best; /* not NULL */
    bool is_outbound;
};

/* The first block on the way to node that was not stored with all before it; NULL if none. */
const struct block_node *block_branch_missing(const struct block_node *node);

/* Choose branches: what outbound peers know comes first, then what has most work.
 * tip: the active chain's; min_work: a chain with less is not wanted; out: BLOCK_BRANCHES_MAX.
 * Returns: how many. No block is in two of them. */
size_t block_branches(const struct block_node *tip, struct u256 min_work,
                      const struct block_known *known, size_t n_known, struct block_branch *out);

#endif
