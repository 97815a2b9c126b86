/* private_queue.c - see private_queue.h. */
#include "p2p/core/private_queue.h"

#include <string.h>

#include "util/alloc.h"
#include "util/assert.h"

static uint64_t hash_of(const struct private_queue *queue, const struct wtxid *wtxid)
{
    return siphash24(queue->key, span_of(wtxid->b, sizeof wtxid->b));
}

static bool has_wtxid(const void *value, const void *key)
{
    const struct private_tx *tx = value;
    return memcmp(tx->wtxid.b, ((const struct wtxid *)key)->b, sizeof tx->wtxid.b) == 0;
}

static void tx_free(struct private_tx *tx)
{
    ARRAY_FREE(&tx->sends);
    xfree(tx->raw);
    xfree(tx);
}

void private_queue_init(struct private_queue *queue, struct siphash_key key)
{
    *queue = (struct private_queue){.key = key};
    hash_map_init(&queue->by_wtxid);
}

void private_queue_deinit(struct private_queue *queue)
{
    for (size_t i = 0; i < queue->txs.n; i++)
        tx_free(queue->txs.at[i]);
    ARRAY_FREE(&queue->txs);
    hash_map_deinit(&queue->by_wtxid);
}

struct private_tx *private_queue_find(const struct private_queue *queue, const struct wtxid *wtxid)
{
    return hash_map_find(&queue->by_wtxid, hash_of(queue, wtxid), has_wtxid, wtxid);
}

enum private_added private_queue_add(struct private_queue *queue, const struct txid *txid,
                                     const struct wtxid *wtxid, struct span raw, int64_t now_s)
{
    ASSERT(raw.len > 0 && queue->txs.n <= PRIVATE_QUEUE_MAX);
    if (private_queue_find(queue, wtxid))
        return PRIVATE_KNOWN;
    if (queue->txs.n == PRIVATE_QUEUE_MAX)
        return PRIVATE_FULL;
    struct private_tx *tx = xcalloc(1, sizeof *tx);
    tx->txid = *txid;
    tx->wtxid = *wtxid;
    tx->raw = xmemdup(raw.p, raw.len);
    tx->raw_len = raw.len;
    tx->added_s = now_s;
    tx->picked_us = tx->confirmed_us = INT64_MIN;
    tx->order = queue->n_added++;
    *ARRAY_ADD(&queue->txs) = tx;
    hash_map_insert(&queue->by_wtxid, hash_of(queue, wtxid), tx);
    return PRIVATE_ADDED;
}

size_t private_queue_remove(struct private_queue *queue, struct private_tx *tx)
{
    size_t at = 0;
    while (at < queue->txs.n && queue->txs.at[at] != tx)
        at++;
    ASSERT(at < queue->txs.n);
    ARRAY_REMOVE(&queue->txs, at);
    (void)hash_map_remove(&queue->by_wtxid, hash_of(queue, &tx->wtxid), has_wtxid, &tx->wtxid);
    tx_free(tx);
    return at;
}

/* a before b? */
static bool is_sooner(const struct private_tx *a, const struct private_tx *b)
{
    if (a->n_picked != b->n_picked)
        return a->n_picked < b->n_picked;
    if (a->n_confirmed != b->n_confirmed)
        return a->n_confirmed < b->n_confirmed;
    if (a->picked_us != b->picked_us)
        return a->picked_us < b->picked_us;
    if (a->confirmed_us != b->confirmed_us)
        return a->confirmed_us < b->confirmed_us;
    return a->order < b->order;
}

struct private_tx *private_queue_pick(struct private_queue *queue, uint64_t peer,
                                      const char *address, int64_t now_s, int64_t now_us)
{
    struct private_tx *best = NULL;
    ASSERT(strlen(address) < PRIVATE_ADDRESS_MAX);
    for (size_t i = 0; i < queue->txs.n; i++)
        if (!best || is_sooner(queue->txs.at[i], best))
            best = queue->txs.at[i];
    if (!best)
        return NULL;
    if (best->sends.n == PRIVATE_SENDS_MAX)
        ARRAY_REMOVE(&best->sends, 0);
    struct private_send *send = ARRAY_ADD(&best->sends);
    *send = (struct private_send){.peer = peer, .sent_s = now_s};
    memcpy(send->address, address, strlen(address) + 1);
    best->n_picked++;
    best->picked_us = now_us;
    return best;
}

struct private_tx *private_queue_of_peer(const struct private_queue *queue, uint64_t peer,
                                         struct private_send **send)
{
    for (size_t i = 0; i < queue->txs.n; i++) {
        struct private_tx *tx = queue->txs.at[i];
        for (size_t k = tx->sends.n; k-- > 0;) {
            if (tx->sends.at[k].peer != peer)
                continue;
            if (send)
                *send = &tx->sends.at[k];
            return tx;
        }
    }
    return NULL;
}

void private_queue_confirm(struct private_queue *queue, uint64_t peer, int64_t now_s,
                           int64_t now_us)
{
    struct private_send *send;
    struct private_tx *tx = private_queue_of_peer(queue, peer, &send);
    if (!tx || send->received_s != 0)
        return;
    send->received_s = now_s;
    tx->n_confirmed++;
    tx->confirmed_us = now_us;
    tx->confirmed_s = now_s;
}

bool private_tx_is_stale(const struct private_tx *tx, int64_t now_s)
{
    if (tx->n_confirmed == 0)
        return now_s - tx->added_s > PRIVATE_STALE_FIRST_S;
    return now_s - tx->confirmed_s > PRIVATE_STALE_S;
}
