/* lent.c - see lent.h. */
#include "p2p/serve/lent.h"

#include "p2p/core/permissions.h"
#include "p2p/core/turn.h"
#include "p2p/peer/peer.h"
#include "p2p/peer/send.h"

static void count_from_now(struct p2p *p2p, struct peer *peer)
{
    peer->serve.lent.since_us = p2p_now_us(p2p);
    peer->serve.lent.at = peer->bytes_sent - peer_queued_bytes(p2p, peer);
}

void lent_add(struct p2p *p2p, struct peer *peer, size_t len)
{
    ASSERT(len > 0);
    struct peer_lent *lent = &peer->serve.lent;
    if (peer_queued_bytes(p2p, peer) == 0 || lent->bytes == 0) {
        lent->bytes = lent->max = 0;
        count_from_now(p2p, peer);
    }
    lent->bytes += len;
    lent->max = MAX_OF(lent->max, len);
}

size_t lent_held(const struct p2p *p2p, const struct peer *peer)
{
    const struct peer_lent *lent = &peer->serve.lent;
    size_t queued = lent->bytes > 0 ? peer_queued_bytes(p2p, peer) : 0;
    if (queued == 0)
        return lent->reading_bytes;
    /* Of the first one in the queue a part may be gone; all of it is held. */
    size_t held = queued + lent->max;
    return lent->reading_bytes + MIN_OF(held, lent->bytes);
}

bool lent_is_slow(struct p2p *p2p, struct peer *peer, int64_t now_us)
{
    const struct peer_lent *lent = &peer->serve.lent;
    int64_t age_us = now_us - lent->since_us;
    if (lent->bytes == 0 || age_us < LENT_SLOW_US || lent_held(p2p, peer) == 0)
        return false;
    uint64_t taken = peer->bytes_sent - peer_queued_bytes(p2p, peer) - lent->at;
    bool is_slow = taken < (uint64_t)(age_us / 1000000) * LENT_RATE_MIN;
    if (!is_slow)
        count_from_now(p2p, peer);
    return is_slow && !(peer->permissions & PERMISSION_NOBAN);
}
