/* connect.h - whom to connect to, whom to let in, whom to let go.
 *
 * Layer: p2p. Outbound peers are chosen by us at random, at most one of a network group, so that
 * filling our slots takes an attacker many networks. When the inbound slots are full, peers that
 * an attacker would find hard to imitate keep theirs. Spec: Core ThreadOpenConnections(),
 * SelectNodeToEvict() */
#ifndef P2P_CONNECT_CONNECT_H
#define P2P_CONNECT_CONNECT_H

#include "p2p/addr/address_book.h"

struct p2p;
struct peer;

#define CONNECT_INTERVAL_US INT64_C(500000)    /* between attempts at random addresses */
#define CONNECT_FEELER_US   INT64_C(120000000) /* mean time between feelers */
#define CONNECT_EXTRA_US    INT64_C(300000000) /* between extra peers for blocks only. Core */
#define CONNECT_ANCHORS_MAX 2

struct connect {
    int64_t next_outbound_us, next_feeler_us, next_extra_us;
    struct net_peer_address anchors[CONNECT_ANCHORS_MAX]; /* to be tried first */
    size_t n_anchors;
};

/* Begin: who was an anchor before the last stop is called first. */
void connect_init(struct p2p *p2p);

/* A stream has come in: may it stay? May drop another peer to make room. */
bool connect_admit(struct p2p *p2p, const struct net_address *address, unsigned permissions);
/* An inbound peer wants transactions: may it stay? May drop another one that does: transactions
 * cost more than blocks, and some places are kept for who wants blocks only. Core:
 * -inboundrelaypercent */
bool connect_admit_relaying(struct p2p *p2p, struct peer *peer);
/* A peer has completed its handshake: the book learns of it. */
void connect_peer_ready(struct p2p *p2p, struct peer *peer);
/* A peer is gone: it was there until now, and who named it may try again. */
void connect_peer_gone(struct p2p *p2p, struct peer *peer);

/* Before a stop: write the book and the anchors. */
void connect_save(struct p2p *p2p);

/* Returns: when it wants to be called again, INT64_MAX: never. */
int64_t connect_tick(struct p2p *p2p, int64_t now_us);

#endif
