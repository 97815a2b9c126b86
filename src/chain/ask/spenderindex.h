/* spenderindex.h - which transaction of the chain spends an output (-txospenderindex): optional,
 * follows the committed tip.
 *
 * Layer: chain. Loop thread only. */
#ifndef CHAIN_ASK_SPENDERINDEX_H
#define CHAIN_ASK_SPENDERINDEX_H

#include "chain/ask/index_follower.h"
#include "crypto/siphash.h"

struct spenderindex {
    struct index_follower follower; /* first */
    struct siphash_key secret;      /* of the rows' hashes: the store's, from its first start on */
};

/* What tells this index from others. */
extern const struct index_kind spenderindex_kind;

/* Who spends an output; see chain_find_spender() for the errors.
 *
 * Out:  done(arg, error, spender)  once; within this call if the index cannot answer */
void spenderindex_find(struct spenderindex *index, const struct outpoint *outpoint,
                       chain_spender_fn *done, void *arg);

#endif
