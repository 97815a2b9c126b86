/* tx_tell.c - see tx_tell.h. */
#include "p2p/txs/tx_tell.h"

#include "p2p/state.h"
#include "util/alloc.h"

bool tx_tell_is_known(const struct peer *peer, const struct mempool_entry *entry)
{
    return recent_set_has(&peer->relay.known, entry->tx.wtxid.b) ||
           recent_set_has(&peer->relay.known, entry->tx.txid.b);
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

static void queue_tx(struct p2p *p2p, struct peer *peer, const struct mempool_entry *entry,
                     int64_t now_us)
{
    ASSERT(peer->relay.queue.n <= RELAY_QUEUE_MAX);
    struct peer_relay *relay = &peer->relay;
    const struct wtxid *wtxid = &entry->tx.wtxid;
    if (relay->queue.n >= RELAY_QUEUE_MAX || tx_tell_is_known(peer, entry))
        return;
    *ARRAY_ADD(&relay->queue) = *wtxid;
    if (relay->queue.n > 1 || relay->wants_mempool)
        return;
    relay->next_us = now_us + tx_tell_wait_us(p2p, peer, now_us);
    p2p_schedule(p2p, relay->next_us);
}

void tx_tell(struct p2p *p2p, const struct mempool_entry *entry)
{
    ASSERT(p2p->mempool);
    int64_t now_us = p2p_now_us(p2p);
    for (struct peer *peer = p2p->peers; peer; peer = peer->next)
        if (peer->state == PEER_READY && peer->relay.tells_txs)
            queue_tx(p2p, peer, entry, now_us);
}
