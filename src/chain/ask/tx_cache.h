/* tx_cache.h - transactions that were looked up lately.
 *
 * Layer: chain. Loop thread only. A look-up in the index takes two threads and three reads, which
 * cost twenty times what the answer does; and who looks at a transaction, or at a block's, mostly
 * does so again soon. The one that was not asked for the longest goes first. */
#ifndef CHAIN_ASK_TX_CACHE_H
#define CHAIN_ASK_TX_CACHE_H

#include "chain/tree/header_tree.h"
#include "consensus/tx.h"
#include "crypto/siphash.h"
#include "util/hash_map.h"
#include "util/list.h"

#define TX_CACHE_BYTES_MAX ((size_t)4 << 20)  /* of all that is kept */
#define TX_CACHED_RAW_MAX  ((size_t)16 << 10) /* longer ones are not */

/* One transaction. Its bytes alone: to decode them again, its ids known, takes less time than a
 * missed look-up of another one that its arrays would leave no room for. */
struct tx_cached {
    struct list_link link;
    struct tx_ids ids;
    struct block_hash
        block;      /* its own then: whether it is one of the chain still, who asks looks */
    int32_t height; /* of that block */
    uint32_t first_spent;
    uint32_t raw_len;
    uint8_t raw[];
};

struct tx_cache {
    struct hash_map by_id;
    struct list by_use; /* who was asked for last comes first */
    size_t bytes;
    struct siphash_key key;
};

/* Make an empty one, which owns no memory yet. key: a secret one, since strangers choose ids. */
void tx_cache_init(struct tx_cache *cache, struct siphash_key key);
void tx_cache_deinit(struct tx_cache *cache); /* it is empty then */

/* Keep a transaction instead of what is kept of that id; or nothing if it is long.
 *
 * In:    node  its block's */
void tx_cache_add(struct tx_cache *cache, const struct tx *tx, const struct block_node *node,
                  uint32_t first_spent);

/* Returns: what is kept, until the next call that changes the cache; or NULL */
const struct tx_cached *tx_cache_find(struct tx_cache *cache, const struct txid *txid);

#endif
