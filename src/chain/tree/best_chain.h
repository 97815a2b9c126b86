/* best_chain.h - which complete chain has the most work, and what is known to be invalid.
 *
 * Layer: chain. Candidates are the nodes whose blocks are stored back to genesis, that are not
 * known to be invalid and that are not behind the committed tip (or what is valid of it). The last
 * one in order is the target. Loop thread only. */
#ifndef CHAIN_TREE_BEST_CHAIN_H
#define CHAIN_TREE_BEST_CHAIN_H

#include "chain/core/chain_core.h"
#include "chain/tree/active_chain.h"
#include "util/sorted_map.h"

struct best_chain {
    const struct chain_core *core;
    struct header_tree *tree;
    const struct active_chain *active;
    struct sorted_map candidates;         /* of struct block_node, worse before better */
    int64_t next_sequence;                /* grows; loaded blocks are before it, by their place */
    int64_t precious_sequence;            /* falls below all others: preciousblock */
    struct block_node *precious_tip_base; /* tip when the last precious block was named */
};

/* No candidates. Borrows the rest. */
void best_chain_init(struct best_chain *best, const struct chain_core *core,
                     struct header_tree *tree, const struct active_chain *active);
/* Free the set. */
void best_chain_deinit(struct best_chain *best);
/* At a start, when the tip is known. The tip has won: it wins again, and over whatever comes from
 * now on. Of others that are alike the one stored first does. Then the set is filled. */
void best_chain_load(struct best_chain *best);

/* The node's block is now stored: sets chain_tx of it and of waiting descendants, which may
 * become candidates.
 *
 * In:  was_in_files  it was found in the block files, not taken in just now */
void best_chain_block_stored(struct best_chain *best, struct block_node *node, uint32_t n_tx,
                             bool was_in_files);
/* The best complete chain's tip that is not known to be invalid. Never NULL. */
struct block_node *best_chain_target(const struct best_chain *best);
/* Is the committed tip the target? */
bool best_chain_is_reached(const struct best_chain *best);
/* Mark a block invalid, with its descendants. Not the first block. Of one that is only assumed that
 * is noted alone: the snapshot is put aside, and without it the block is met again. */
void best_chain_mark_failed(struct best_chain *best, struct block_node *node);
/* Give a block, its ancestors and its descendants another chance; other branches not. */
void best_chain_clear_failed(struct best_chain *best, struct block_node *node);
/* Prefer the block among those of like work, if it has no less than the tip, until the chain has
 * grown. Core: preciousblock */
void best_chain_prefer(struct best_chain *best, struct block_node *node);
/* Forget candidates that the tip has passed; after the tip moved. */
void best_chain_tip_moved(struct best_chain *best);
/* Fill the candidates from the tree: at start and after invalidations. */
void best_chain_rebuild(struct best_chain *best);
/* The stored data of a block beside the committed chain turned out to be gone or damaged: as if it
 * had never been stored. */
void best_chain_data_lost(struct best_chain *best, struct block_node *node);
/* Assert that the candidates are what they must be.
 *
 * In:  at_rest  the tip is the target, and nothing is on its way */
void best_chain_check(const struct best_chain *best, bool at_rest);

#endif
