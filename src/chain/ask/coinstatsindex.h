/* coinstatsindex.h - figures and MuHash of all coins as of each block (-coinstatsindex): optional,
 * follows the committed tip.
 *
 * Layer: chain. Loop thread only, but for what says otherwise. Rows stay when their block leaves
 * the chain: they are found by its hash. Spec: Core CoinStatsIndex; what gettxoutsetinfo tells of
 * a block. */
#ifndef CHAIN_ASK_COINSTATSINDEX_H
#define CHAIN_ASK_COINSTATSINDEX_H

#include "chain/ask/index_follower.h"

struct coinstatsindex {
    struct index_follower follower; /* first */
};

/* What tells this index from others. */
extern const struct index_kind coinstatsindex_kind;

/* The figures as of a block; see chain_find_coin_stats().
 *
 * Out:  done  once; within this call if the index cannot answer */
void coinstatsindex_find(struct coinstatsindex *index, const struct block_node *node,
                         coin_stats_fn *done, void *arg);

#endif
