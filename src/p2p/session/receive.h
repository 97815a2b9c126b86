/* receive.h - bytes of one peer become messages that are handled, as fast as all others allow.
 *
 * Layer: p2p, internal. A peer has so much of each turn of the loop. What nobody will look at is
 * thrown away as it comes; what is large and nobody asked for is taken from few peers at a time. A
 * peer is never kept from being read because of what another one does. */
#ifndef P2P_SESSION_RECEIVE_H
#define P2P_SESSION_RECEIVE_H

#include "util/span.h"

struct p2p;
struct peer;

/* A message of an inbound peer that is longer than that, and that we did not ask for, ... */
#define RECEIVE_LARGE_BYTES 40000
/* ... is kept of so many peers at a time; another one takes the place of the slowest, or is thrown
 * away if each of them is quicker ... */
#define RECEIVE_LARGE_MAX 4
/* ... or has had less than that. */
#define RECEIVE_LARGE_US INT64_C(1000000)

/* Bytes have come. */
void receive_bytes(struct p2p *p2p, struct peer *peer, struct span bytes);
/* Something that held them back is over. */
void receive_resume(struct p2p *p2p, struct peer *peer);
/* A new turn begins, with all that the peer may have of one. */
void receive_turn(struct p2p *p2p, struct peer *peer);
/* One for all, if there is somebody whose bytes or requests wait: who has been paused. As long as
 * there is none, what each has had of its turn counts on; then it waits itself, for a moment.
 *
 * Returns:  when it wants to be called again, INT64_MAX: nobody waits */
int64_t receive_tick(struct p2p *p2p, int64_t now_us);
/* The peer is gone: its place is free. */
void receive_peer_gone(struct p2p *p2p, struct peer *peer);

#endif
