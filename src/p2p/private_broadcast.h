/* private_broadcast.h - our own transactions, given to strangers by connections that nobody can
 * tell are ours: -privatebroadcast.
 *
 * Layer: p2p, internal. A transaction that our user sends does not enter the mempool and is not
 * told to our peers. A few connections are opened for it, through Tor, I2P or Tor's exits only,
 * each of which says nothing of us, gives it to one peer and ends; until the network has given it
 * back to us, and with it to the mempool as anybody's. Spec: Core ThreadPrivateBroadcast(),
 * ReattemptPrivateBroadcast() */
#ifndef P2P_PRIVATE_BROADCAST_H
#define P2P_PRIVATE_BROADCAST_H

#include "p2p/core/private_queue.h"
#include "p2p/peer/score.h"
#include "util/reader.h"

struct p2p;
struct peer;
struct mempool_event;

#define PRIVATE_PEERS_PER_TX    3                  /* that each is given to at first. Core */
#define PRIVATE_CONNECTIONS_MAX 64                 /* at a time. Core */
#define PRIVATE_ATTEMPT_US      INT64_C(100000)    /* between two attempts. Core */
#define PRIVATE_NOBODY_US       INT64_C(500000)    /* to the next look for an address. Core */
#define PRIVATE_NO_NETWORK_US   INT64_C(5000000)   /* to the next look for a network. Core */
#define PRIVATE_RECHECK_US      INT64_C(120000000) /* from one look at what is stale to the next */
#define PRIVATE_RECHECK_MORE_US 60000000           /* and up to so much more. Core */

struct private_broadcast {
    struct private_queue queue;
    size_t n_to_open; /* connections that shall be opened */
    int64_t next_us, next_recheck_us;
    size_t recheck_at; /* in the queue; what comes before it was looked at this time */
    bool is_rechecking, is_checking;
    bool has_tor; /* an onion service was reached: -onion is Tor, whose exits hide us too */
};

/* Begin with an empty queue. */
void private_broadcast_init(struct p2p *p2p);
void private_broadcast_deinit(struct p2p *p2p);

/* A private connection's stream is the peer's now. */
void private_broadcast_connected(struct p2p *p2p);
/* Its handshake is done. */
void private_broadcast_greeted(struct p2p *p2p, struct peer *peer);
/* It says something: a getdata or a pong. */
enum fault private_broadcast_message(struct p2p *p2p, struct peer *peer, const char *name,
                                     struct reader *r);
/* Any peer of ours is ready. */
void private_broadcast_peer_ready(struct p2p *p2p, struct peer *peer);
/* Any peer is gone. */
void private_broadcast_peer_gone(struct p2p *p2p, struct peer *peer);
/* Something has entered the mempool. */
void private_broadcast_heard(struct p2p *p2p, const struct mempool_event *event);
/* Returns: when it wants to be called again, INT64_MAX: never. */
int64_t private_broadcast_tick(struct p2p *p2p, int64_t now_us);

#endif
