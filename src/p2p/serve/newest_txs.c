/* newest_txs.c - see newest_txs.h. */
#include "p2p/serve/newest_txs.h"

void newest_txs_init(struct newest_txs *newest, struct siphash_key key)
{
    *newest = (struct newest_txs){.key = key};
    hash_map_init(&newest->by_id);
}

void newest_txs_deinit(struct newest_txs *newest)
{
    hash_map_deinit(&newest->by_id);
    block_ref_drop(newest->block);
    newest->block = NULL;
}

/* The two kinds of id have hashes of their own: without witness they are the same bytes. */
static uint64_t hash_of(const struct newest_txs *newest, const uint8_t id[32], bool is_wtxid)
{
    return siphash13_id(newest->key, id, is_wtxid);
}

static bool has_txid(const void *value, const void *key)
{
    return memcmp(((const struct tx *)value)->txid.b, key, 32) == 0;
}

static bool has_wtxid(const void *value, const void *key)
{
    return memcmp(((const struct tx *)value)->wtxid.b, key, 32) == 0;
}

/* Held before the old one is let go of: it may be the same block, with one holder. */
static void take(struct newest_txs *newest, struct block_ref *block)
{
    ASSERT(block->block.n_tx > 0);
    struct block_ref *held = block_ref_hold(block);
    newest_txs_deinit(newest);
    hash_map_init(&newest->by_id);
    newest->block = held;
    for (uint32_t i = 0; i < held->block.n_tx; i++) {
        struct tx *tx = &held->block.tx[i];
        hash_map_insert(&newest->by_id, hash_of(newest, tx->txid.b, false), tx);
        hash_map_insert(&newest->by_id, hash_of(newest, tx->wtxid.b, true), tx);
    }
    ASSERT(newest->by_id.count == 2 * (size_t)held->block.n_tx);
}

void newest_txs_connected(struct newest_txs *newest, struct block_ref *block)
{
    if (!newest->is_taken_back)
        take(newest, block);
}

void newest_txs_disconnected(struct newest_txs *newest, struct block_ref *block)
{
    take(newest, block);
    newest->is_taken_back = true;
}

void newest_txs_settled(struct newest_txs *newest)
{
    newest->is_taken_back = false;
}

const struct tx *newest_txs_find(const struct newest_txs *newest, const uint8_t id[32],
                                 bool is_wtxid)
{
    ASSERT(id);
    return hash_map_find(&newest->by_id, hash_of(newest, id, is_wtxid),
                         is_wtxid ? has_wtxid : has_txid, id);
}
