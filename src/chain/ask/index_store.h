/* index_store.h - the stores of the indexes that can be made again from the blocks.
 *
 * Layer: chain. Damage in one is no reason to stop: it is emptied, loudly, and filled anew. */
#ifndef CHAIN_ASK_INDEX_STORE_H
#define CHAIN_ASK_INDEX_STORE_H

#include "chain/core/chain_core.h"
#include "chain/core/store_format.h"

/* As often as an index is made anew in one run: more than that is a disk that fails. */
#define INDEX_REBUILDS_MAX 3

struct index_store {
    const char *dir;     /* below indexes/, where Core has the like */
    const char *old_dir; /* where an older version had it, and it stays if it is there; or NULL */
    struct store_format format;
    int bloom_bits;
};

/* Open the store, creating it if needed; a damaged one is emptied first, with a warning, unless
 * damage is to be kept, and so is one of ours if wipe. A store of another program or a newer
 * version stays as it is.
 *
 * Returns:  0, or a negative errno with *error set (xfree it) */
NODISCARD int index_store_open(struct chain_core *core, const struct index_store *store, bool wipe,
                               struct env_kv **out, char **error);

/* The store is damaged, and nobody uses it now: close it, and open it empty. *n_rebuilt counts.
 * On failure the chain is at fault and *kv NULL. */
NODISCARD bool index_store_rebuild(struct chain_core *core, const struct index_store *store,
                                   int *n_rebuilt, struct env_kv **kv);

#endif
