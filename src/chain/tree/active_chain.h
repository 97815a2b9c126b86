/* active_chain.h - the blocks of the committed chain by height; the last one is the tip.
 *
 * Layer: chain. Loop thread only. */
#ifndef CHAIN_TREE_ACTIVE_CHAIN_H
#define CHAIN_TREE_ACTIVE_CHAIN_H

#include "chain/tree/header_tree.h"

/* at[h] is the block at height h: n is the tip's height and 1. Set at a start, then moved by each
 * commit of the pipeline. */
struct active_chain {
    struct block_node **at;
    size_t n, capacity;
};

/* Free what it holds: it is empty then, as one of zeros is. */
void active_chain_deinit(struct active_chain *active);
/* The tip has moved, up or down: bring the array by height in line. */
void active_chain_set_tip(struct active_chain *active, struct block_node *tip);
/* The last block; NULL before the chain is opened. */
struct block_node *active_chain_tip(const struct active_chain *active);
/* The block at height; NULL above the tip or below 0. */
struct block_node *active_chain_at(const struct active_chain *active, int32_t height);
/* Is the node a block of this chain? */
bool active_chain_contains(const struct active_chain *active, const struct block_node *node);
/* Assert what must hold: each block on its parent, connected once or assumed. Costly. */
void active_chain_check(const struct active_chain *active, const struct header_tree *tree);

#endif
