/* txindex.h - where a transaction is (-txindex): optional, follows the committed tip.
 *
 * Layer: chain. Loop thread only. */
#ifndef CHAIN_ASK_TXINDEX_H
#define CHAIN_ASK_TXINDEX_H

#include "chain/ask/index_follower.h"

struct txindex {
    struct index_follower follower;  /* first */
    const struct block_node *placed; /* rows up to here, at most follower.at, tell the place */
    const struct block_node *marked_placed; /* what 'P' says */
};

/* What tells this index from others. */
extern const struct index_kind txindex_kind;

/* A transaction of the active chain; see chain_find_tx() for the errors.
 *
 * Out:  done(arg, error, found)  once; within this call if the index is off or being closed */
void txindex_find(struct txindex *index, const struct txid *txid, chain_tx_fn *done, void *arg);

#endif
