/* txindex.h - where a transaction is (-txindex): optional, follows the committed tip.
 *
 * Layer: chain. Loop thread only. */
#ifndef CHAIN_ASK_TXINDEX_H
#define CHAIN_ASK_TXINDEX_H

#include "chain/ask/index_follower.h"
#include "chain/ask/tx_cache.h"

struct txindex {
    struct index_follower follower;  /* first */
    const struct block_node *placed; /* rows up to here, at most follower.at, tell the place */
    const struct block_node *marked_placed; /* what 'P' says */
    struct tx_cache lately;
};

/* What tells this index from others. */
extern const struct index_kind txindex_kind;

/* A transaction of the active chain; see chain_find_tx() for the errors.
 *
 * Out:  done(arg, error, found)  once; within this call if the index is off or being closed */
void txindex_find(struct txindex *index, const struct txid *txid, chain_tx_fn *done, void *arg);

/* One that was looked up lately and is in the active chain still. False: it has to be looked up.
 *
 * Out:  found  its tx borrows arena, and the index until the next call */
bool txindex_find_known(struct txindex *index, const struct txid *txid, struct arena *arena,
                        struct chain_tx *found);

/* Make what it has beside its follower, which is initialised before. */
void txindex_init(struct txindex *index);
/* Free that. The follower is closed. */
void txindex_deinit(struct txindex *index);

#endif
