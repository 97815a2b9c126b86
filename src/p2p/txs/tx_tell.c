/* tx_tell.c - see tx_tell.h. */
#include "p2p/txs/tx_tell.h"

#include "p2p/state.h"
#include "util/alloc.h"

const uint8_t *tx_tell_id(const struct peer *peer, const struct tx *tx)
{
    ASSERT(peer && tx);
    return peer->wants_wtxid ? tx->wtxid.b : tx->txid.b;
}

void tx_tell_knows(struct p2p *p2p, const struct peer *peer, const uint8_t id[32])
{
    ASSERT(peer->relay.has_place);
    known_by_add(&p2p->relay.known, peer->relay.place, id);
}

bool tx_tell_is_known(const struct p2p *p2p, const struct peer *peer, const struct tx *tx)
{
    ASSERT(peer->relay.has_place);
    return known_by_has(&p2p->relay.known, peer->relay.place, tx_tell_id(peer, tx));
}

int64_t tx_tell_wait_us(struct p2p *p2p, const struct peer *peer, int64_t now_us)
{
    ASSERT(peer->state == PEER_READY);
    if (peer->permissions & PERMISSION_NOBAN)
        return 0;
    if (peer->class != PEER_INBOUND)
        return p2p_random_wait_us(p2p, RELAY_INTERVAL_OUT_US);
    /* One timer for all who came to us: many connections of one observer see one time. */
    if (p2p->relay.next_in_us <= now_us)
        p2p->relay.next_in_us = now_us + p2p_random_wait_us(p2p, RELAY_INTERVAL_IN_US);
    return p2p->relay.next_in_us - now_us;
}

/* What is the same for all peers. */
struct news {
    const struct mempool_entry *entry;
    uint64_t hashes[2]; /* of its txid and its wtxid */
    int64_t now_us;
};

static bool is_known(const struct p2p *p2p, const struct peer *peer, const struct news *news)
{
    return known_by_has_hash(&p2p->relay.known, peer->relay.place, news->hashes[peer->wants_wtxid]);
}

static void queue_tx(struct p2p *p2p, struct peer *peer, const struct news *news)
{
    ASSERT(peer->relay.queue.n <= RELAY_QUEUE_MAX);
    struct peer_relay *relay = &peer->relay;
    if (relay->queue.n >= RELAY_QUEUE_MAX || is_known(p2p, peer, news))
        return;
    *ARRAY_ADD(&relay->queue) = news->entry->tx.wtxid;
    if (relay->queue.n > 1 || relay->wants_mempool)
        return;
    relay->next_us = news->now_us + tx_tell_wait_us(p2p, peer, news->now_us);
    p2p_schedule_part(p2p, TURN_TELL, relay->next_us);
}

void tx_tell(struct p2p *p2p, const struct mempool_entry *entry)
{
    ASSERT(p2p->mempool);
    struct news news = {.entry = entry, .now_us = p2p_now_us(p2p)};
    news.hashes[0] = known_by_hash(&p2p->relay.known, entry->tx.txid.b);
    news.hashes[1] = known_by_hash(&p2p->relay.known, entry->tx.wtxid.b);
    for (struct peer *peer = p2p->peers; peer; peer = peer->next)
        if (peer->state == PEER_READY && peer->relay.tells_txs)
            queue_tx(p2p, peer, &news);
}
