/* ping.h - pings and pongs, and who has been silent for too long.
 *
 * Layer: p2p, internal. A pong says that all that came before the ping has been dealt with, also
 * what is looked at by other threads: clients rely on it. Spec: BIP-31 */
#ifndef P2P_PEER_PING_H
#define P2P_PEER_PING_H

#include "p2p/peer/score.h"
#include "util/reader.h"

struct p2p;
struct peer;

#define PEER_DIAL_US        INT64_C(10000000) /* for a stream to come up */
#define PEER_PING_US        INT64_C(120000000)
#define PEER_HELD_PINGS_MAX 8
#define PEER_HELD_PING_US   INT64_C(10000000)         /* answered then, whatever is undecided */
#define PEER_SILENCE_US     (INT64_C(1200) * 1000000) /* no byte, or no pong: gone */

/* Send a ping now, if the peer is ready. */
void peer_ping(struct p2p *p2p, struct peer *peer);
/* Something of this peer's has been decided: answer the pings that waited for it, if all has. */
void peer_decided(struct p2p *p2p, struct peer *peer);
/* Ping each when it is time; drop who is silent, or slow in the handshake.
 *
 * Returns:  when the next one has to be called again, INT64_MAX: never */
int64_t ping_tick(struct p2p *p2p, int64_t now_us);

/* The handler of "ping": answered when all that came before it is decided. */
enum fault peer_on_ping(struct p2p *p2p, struct peer *peer, struct reader *r);
/* The handler of "pong". */
enum fault peer_on_pong(struct p2p *p2p, struct peer *peer, struct reader *r);

#endif
