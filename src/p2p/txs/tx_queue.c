/* tx_queue.c - see tx_queue.h. */
#include "p2p/txs/tx_queue.h"

#include "util/alloc.h"
#include "util/assert.h"

void tx_queue_peer_init(struct tx_queue_peer *peer, uint64_t id)
{
    ASSERT(id != 0);
    *peer = (struct tx_queue_peer){.id = id};
}

/* A peer is in the queue's list only while it has something waiting: looking for whose turn it is
 * costs nothing for the silent. */
static struct tx_queue_item *take_first(struct tx_queue *queue, struct tx_queue_peer *peer)
{
    struct tx_queue_item *item = LIST_POP(struct tx_queue_item, &peer->items, link);
    ASSERT(item && peer->bytes >= item->len && queue->bytes >= item->len);
    peer->bytes -= item->len;
    queue->bytes -= item->len;
    if (peer->items.count == 0)
        list_remove(&queue->peers, &peer->link);
    return item;
}

static void free_item(struct tx_queue_item *item)
{
    xfree(item->raw);
    xfree(item);
}

void tx_queue_peer_deinit(struct tx_queue *queue, struct tx_queue_peer *peer)
{
    while (peer->items.count > 0)
        free_item(take_first(queue, peer));
    ASSERT(peer->bytes == 0);
}

void tx_queue_add(struct tx_queue *queue, struct tx_queue_peer *peer, const struct tx *tx)
{
    ASSERT(peer->items.count < TX_QUEUE_PEER_MAX);
    struct tx_queue_item *item = xcalloc(1, sizeof *item);
    item->raw = xmemdup(tx->raw.p, tx->raw.len);
    item->len = tx->raw.len;
    item->txid = tx->txid;
    item->wtxid = tx->wtxid;
    item->peer = peer->id;
    if (peer->items.count == 0)
        list_add_first(&queue->peers, &peer->link);
    list_add(&peer->items, &item->link);
    peer->bytes += item->len;
    queue->bytes += item->len;
}

bool tx_queue_is_full(const struct tx_queue *queue, const struct tx_queue_peer *peer)
{
    size_t n = peer->items.count;
    /* Even where all together are full each peer may have one waiting: nobody is shut out by what
     * others have sent. */
    if (n + peer->n_checking >= TX_QUEUE_PEER_MAX || peer->bytes >= TX_QUEUE_PEER_BYTES)
        return true;
    return n > 0 && queue->bytes >= TX_QUEUE_BYTES_MAX;
}

/* -- Turns --------------------------------------------------------------------------------------
 */

static double left_of(double vb, const struct tx_queue_peer *peer, int64_t now_us)
{
    double left = vb - (double)(now_us - peer->at_us) / 1e6 * TX_QUEUE_FORGIVE_VB_S;
    return left > 0 ? left : 0;
}

unsigned tx_queue_level(const struct tx_queue_peer *peer, int64_t now_us)
{
    return (unsigned)(left_of(peer->wasted_vb, peer, now_us) / TX_QUEUE_DOUBT_VB);
}

struct tx_queue_item *tx_queue_take(struct tx_queue *queue, int64_t now_us)
{
    struct tx_queue_peer *best = NULL;
    unsigned best_level = 0;
    if (queue->n_checking >= TX_QUEUE_CHECKS_MAX)
        return NULL;
    LIST_EACH (struct tx_queue_peer, peer, &queue->peers, link) {
        unsigned level = tx_queue_level(peer, now_us);
        bool is_better = best && level == best_level && peer->turn < best->turn;
        if (!best || level < best_level || is_better) {
            best = peer;
            best_level = level;
        }
    }
    if (!best || (best_level > 0 && queue->n_doubtful >= TX_QUEUE_DOUBTFUL_MAX))
        return NULL;
    /* One that is larger than all of the room is judged alone. */
    if (queue->n_checking > 0 &&
        queue->checking_bytes + LIST_FIRST(struct tx_queue_item, &best->items, link)->len >
            TX_QUEUE_CHECKS_BYTES_MAX)
        return NULL;
    struct tx_queue_item *item = take_first(queue, best);
    item->is_doubtful = best_level > 0;
    best->turn = ++queue->turn;
    best->n_checking++;
    queue->n_checking++;
    queue->n_doubtful += item->is_doubtful;
    queue->checking_bytes += item->len;
    return item;
}

void tx_queue_done(struct tx_queue *queue, struct tx_queue_peer *peer,
                   struct tx_queue_item *item_take)
{
    ASSERT(queue->n_checking > 0 && queue->checking_bytes >= item_take->len);
    queue->n_checking--;
    queue->n_doubtful -= item_take->is_doubtful;
    queue->checking_bytes -= item_take->len;
    if (peer) {
        ASSERT(peer->id == item_take->peer && peer->n_checking > 0);
        peer->n_checking--;
    }
    free_item(item_take);
}

bool tx_queue_charge(struct tx_queue_peer *peer, double cost_vb, bool is_blamed, int64_t now_us)
{
    ASSERT(cost_vb >= 0);
    peer->wasted_vb = left_of(peer->wasted_vb, peer, now_us) + cost_vb;
    peer->blamed_vb = left_of(peer->blamed_vb, peer, now_us) + (is_blamed ? cost_vb : 0);
    peer->at_us = now_us;
    peer->wasted_vb = MIN_OF(peer->wasted_vb, TX_QUEUE_WASTED_MAX_VB);
    return peer->blamed_vb > TX_QUEUE_BLAME_MAX_VB;
}
