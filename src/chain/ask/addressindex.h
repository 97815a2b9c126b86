/* addressindex.h - which transactions pay a script or spend what was paid to it (-addressindex):
 * optional, follows the committed tip.
 *
 * Layer: chain. Loop thread only, but for what says otherwise. Nothing of blocks is read to answer,
 * so it goes on telling of blocks that are pruned. */
#ifndef CHAIN_ASK_ADDRESSINDEX_H
#define CHAIN_ASK_ADDRESSINDEX_H

#include "chain/ask/address_history.h"
#include "chain/ask/index_follower.h"

#define ADDRESSINDEX_SECRET_BYTES 16

struct addressindex {
    struct index_follower follower; /* first */
    /* The store's own, so that nobody can aim at keys of its rows, or at marks. */
    uint8_t secret[ADDRESSINDEX_SECRET_BYTES];
    struct siphash_key mark_key;
};

/* What tells this index from others. */
extern const struct index_kind addressindex_kind;

/* All about some scripts; see chain_find_addresses().
 *
 * In:   hashes  n of them, ADDRESS_SCRIPTS_MAX at most; copied
 * Out:  done    once; within this call if the index cannot answer */
void addressindex_find(struct addressindex *index, const struct script_hash *hashes, size_t n,
                       chain_addresses_fn *done, void *arg);

#endif
