/* block_stall.c - see block_stall.h. */
#include "p2p/blocks/block_stall.h"

#include "p2p/core/turn.h"
#include "p2p/peer/peer.h"
#include "p2p/peer/peers.h"

#define US_PER_S INT64_C(1000000)

void block_stall_init(struct block_stall *stall)
{
    *stall = (struct block_stall){.timeout_s = BLOCK_STALL_START_S};
}

/* It could be had from another one. */
static bool has_other(const struct p2p *p2p, const struct peer *who, const struct block_node *node)
{
    for (const struct peer *peer = p2p_first_peer(p2p); peer; peer = peer->next)
        if (peer != who && peer_can_serve(peer, node))
            return true;
    return false;
}

/* It has said nothing of what it owes for as long as it may; slowness alone is no fault. */
static bool is_silent(const struct p2p *p2p, const struct peer *peer, int64_t limit_us,
                      int64_t now_us)
{
    int64_t last_us = MAX_OF(peer->fetch.heard_us, peer->fetch.busy_since_us);
    return now_us - last_us > limit_us && block_late_is_asked(p2p, peer);
}

/* Who has owed the block longest: those whose place others have, in the order in which they lost
 * it, then who has a place. Nodes that the user named stay. */
static struct peer *find_staller(struct p2p *p2p, const struct block_node *node, int64_t limit_us,
                                 int64_t now_us)
{
    const struct block_request *request = block_request_find(p2p_fetch_of(p2p), node);
    if (!request || request->is_delivered)
        return NULL;
    uint64_t ids[BLOCK_REQUEST_TRIED_MAX + BLOCK_REQUEST_SLOTS];
    size_t n = 0;
    for (size_t i = 0; i < request->n_tried; i++)
        ids[n++] = request->tried[i];
    int early = request->asked_us[1] < request->asked_us[0];
    for (int i = 0; i < BLOCK_REQUEST_SLOTS; i++)
        ids[n++] = request->peer[i ^ early];
    for (size_t i = 0; i < n; i++) {
        struct peer *peer = ids[i] ? p2p_find_peer(p2p, ids[i]) : NULL;
        if (peer && peer->state == PEER_READY && peer->class != PEER_MANUAL &&
            is_silent(p2p, peer, limit_us, now_us) && has_other(p2p, peer, node))
            return peer;
    }
    return NULL;
}

/* Longer next time: it may be our own line that is slow. */
static void let_go(struct p2p *p2p, struct peer *peer)
{
    struct block_stall *stall = &p2p_fetch_of(p2p)->stall;
    log_printf(p2p_log_of(p2p), LOG_NET, "Peer is stalling block download, disconnecting peer=%llu",
               peer_shown(peer->id));
    stall->timeout_s = MIN_OF(stall->timeout_s * 2, BLOCK_STALL_MAX_S);
    log_printf(p2p_log_of(p2p), LOG_NET, "Increased stalling timeout temporarily to %lld seconds",
               (long long)stall->timeout_s);
    peer_drop(p2p, peer, "keeps the window from moving");
}

void block_stall_look(struct p2p *p2p, const struct block_node *first, int64_t now_us)
{
    struct block_stall *stall = &p2p_fetch_of(p2p)->stall;
    ASSERT(stall->timeout_s >= BLOCK_STALL_START_S && stall->timeout_s <= BLOCK_STALL_MAX_S);
    bool is_new = first && first != stall->first;
    if (is_new)
        stall->since_us = now_us;
    stall->first = first;
    if (!first)
        return;
    int64_t limit_us = stall->timeout_s * US_PER_S;
    struct peer *staller = find_staller(p2p, first, is_new ? -1 : limit_us, now_us);
    if (is_new && staller)
        log_printf(p2p_log_of(p2p), LOG_NET, "Stall started peer=%llu", peer_shown(staller->id));
    if (now_us - stall->since_us > limit_us && staller) {
        let_go(p2p, staller);
        stall->since_us = now_us;
    }
}

void block_stall_connected(struct p2p *p2p)
{
    struct block_stall *stall = &p2p_fetch_of(p2p)->stall;
    if (stall->timeout_s == BLOCK_STALL_START_S)
        return;
    stall->timeout_s = MAX_OF(stall->timeout_s * 85 / 100, BLOCK_STALL_START_S);
    log_printf(p2p_log_of(p2p), LOG_NET, "Decreased stalling timeout to %lld seconds",
               (long long)stall->timeout_s);
}
