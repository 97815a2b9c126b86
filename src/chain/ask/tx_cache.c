/* tx_cache.c - see tx_cache.h. */
#include "chain/ask/tx_cache.h"

#include <string.h>

#include "util/alloc.h"
#include "util/assert.h"

static bool has_id(const void *value, const void *key)
{
    const struct tx_cached *cached = value;
    return txid_equal(&cached->ids.txid, key);
}

static uint64_t hash_of(const struct tx_cache *cache, const struct txid *txid)
{
    return siphash13_id(cache->key, txid->b, 0);
}

/* What it takes, with its slot in the table, which may be half empty. */
static size_t cost_of(const struct tx_cached *cached)
{
    return alloc_footprint_bytes(sizeof *cached + cached->raw_len) +
           2 * sizeof(struct hash_map_slot);
}

static void drop(struct tx_cache *cache, struct tx_cached *cached)
{
    ASSERT(cached && cache->bytes >= cost_of(cached));
    const struct txid *txid = &cached->ids.txid;
    cache->bytes -= cost_of(cached);
    list_remove(&cache->by_use, &cached->link);
    const void *removed = hash_map_remove(&cache->by_id, hash_of(cache, txid), has_id, txid);
    ASSERT(removed == cached);
    xfree(cached);
}

/* Let the one go that was not asked for the longest. */
static void drop_last(struct tx_cache *cache)
{
    drop(cache, LIST_LAST(struct tx_cached, &cache->by_use, link));
}

void tx_cache_init(struct tx_cache *cache, struct siphash_key key)
{
    ASSERT(cache);
    *cache = (struct tx_cache){.key = key};
    hash_map_init(&cache->by_id);
}

void tx_cache_deinit(struct tx_cache *cache)
{
    ASSERT(cache);
    while (cache->by_use.count > 0)
        drop_last(cache);
    ASSERT(cache->bytes == 0);
    hash_map_deinit(&cache->by_id);
}

void tx_cache_add(struct tx_cache *cache, const struct tx *tx, const struct block_node *node,
                  uint32_t first_spent)
{
    ASSERT(cache && tx->raw.len > 0 && node);
    uint64_t hash = hash_of(cache, &tx->txid);
    struct tx_cached *before = hash_map_find(&cache->by_id, hash, has_id, &tx->txid);
    if (before) /* it was in another block */
        drop(cache, before);
    if (tx->raw.len > TX_CACHED_RAW_MAX)
        return;
    struct tx_cached *cached = xmalloc(sizeof *cached + tx->raw.len);
    *cached = (struct tx_cached){.ids = {.txid = tx->txid, .wtxid = tx->wtxid},
                                 .block = node->hash,
                                 .height = node->height,
                                 .first_spent = first_spent,
                                 .raw_len = (uint32_t)tx->raw.len};
    memcpy(cached->raw, tx->raw.p, tx->raw.len);
    hash_map_insert(&cache->by_id, hash, cached);
    list_add_first(&cache->by_use, &cached->link);
    cache->bytes += cost_of(cached);
    while (cache->bytes > TX_CACHE_BYTES_MAX)
        drop_last(cache);
}

const struct tx_cached *tx_cache_find(struct tx_cache *cache, const struct txid *txid)
{
    ASSERT(cache && txid);
    struct tx_cached *cached = hash_map_find(&cache->by_id, hash_of(cache, txid), has_id, txid);
    if (cached) {
        list_remove(&cache->by_use, &cached->link);
        list_add_first(&cache->by_use, &cached->link);
    }
    return cached;
}
