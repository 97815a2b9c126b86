/* compact_peers.h - who speaks of compact blocks, and who is to tell us of new blocks by them.
 *
 * Layer: p2p, internal. Up to three peers that gave us the newest blocks first tell us of the next
 * ones unasked, one of them at least a peer that we chose, if any of those ever was first: an
 * attacker who is quick must not be all that we hear. Hazard 60. Spec: BIP-152, Implementation
 * Notes; Core MaybeSetPeerAsAnnouncingHeaderAndIDs() */
#ifndef P2P_BLOCKS_COMPACT_PEERS_H
#define P2P_BLOCKS_COMPACT_PEERS_H

#include "p2p/peer/score.h"
#include "util/reader.h"

struct p2p;
struct peer;

#define COMPACT_PEERS_HIGH_MAX 3

struct compact_peers {
    uint64_t high[COMPACT_PEERS_HIGH_MAX]; /* ids, who was first longest ago in front */
    size_t n_high;
};

/* A peer is ready: tell it that we know compact blocks. */
void compact_peers_greet(struct p2p *p2p, struct peer *peer);
/* A peer is gone. */
void compact_peers_gone(struct p2p *p2p, const struct peer *peer);
/* It gave us a new tip before anybody else did. */
void compact_peers_was_first(struct p2p *p2p, struct peer *peer);
/* We have asked it to tell us of new blocks by short ids. */
bool compact_peers_is_high(const struct p2p *p2p, const struct peer *peer);

/* The handler of "sendcmpct". */
enum fault compact_peers_on_sendcmpct(struct p2p *p2p, struct peer *peer, struct reader *r);

#endif
