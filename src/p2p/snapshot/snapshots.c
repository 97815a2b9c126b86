/* snapshots.c - see snapshots.h. */
#include "p2p/snapshot/snapshots.h"

#include "p2p/peer/peer.h"
#include "util/alloc.h"

struct peer_snapshot *snapshots_of_peer(struct peer *peer)
{
    ASSERT(peer->state != PEER_GONE);
    if (!peer->snapshot) {
        peer->snapshot = xcalloc(1, sizeof *peer->snapshot);
        peer->snapshot->window = 1;
    }
    return peer->snapshot;
}

void snapshots_peer_gone(struct p2p *p2p, struct peer *peer)
{
    (void)p2p;
    ASSERT(peer->state == PEER_GONE);
    xfree(peer->snapshot);
    peer->snapshot = NULL;
}

/* What was told first holds: nobody changes his file within a connection. */
bool snapshots_agree(struct p2p *p2p, struct peer *peer, struct span data)
{
    struct snapshot_offer offer;
    struct reader r = reader_of(data);
    (void)p2p;
    if (!snapshot_offer_decode(&r, &offer) || !reader_finish(&r))
        return false;
    struct peer_snapshot *of_peer = snapshots_of_peer(peer);
    if (!of_peer->has_offer)
        of_peer->offer = offer;
    of_peer->has_offer = true;
    return true;
}
