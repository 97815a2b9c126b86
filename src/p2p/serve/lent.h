/* lent.h - bytes of blocks that are in memory because one peer has asked for them.
 *
 * Layer: p2p, internal. What is kept for everybody anyway, the newest blocks and the one that was
 * told last, does not count; what is made of them for one peer does. All peers together hold at
 * most so much that more is read; then who takes nothing gives way to those who wait. Hazard 51 */
#ifndef P2P_SERVE_LENT_H
#define P2P_SERVE_LENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct p2p;
struct peer;

/* Of who holds some, whoever has taken fewer bytes a second than that since it holds them, and for
 * so long, may be disconnected. */
#define LENT_RATE_MIN 10000
#define LENT_SLOW_US  INT64_C(5000000)

/* Embedded in struct peer_serve; zeros hold nothing. */
struct peer_lent {
    size_t reading_bytes; /* being read for it, or read and not sent yet */
    size_t bytes;         /* sent to it since its queue was empty, ... */
    size_t max;           /* ... the largest part of them, ... */
    int64_t since_us;     /* ... that is since then, ... */
    uint64_t at;          /* ... when it had taken so many bytes of all kinds */
};

/* The peer is about to be sent so many bytes that were made or read for it alone. */
void lent_add(struct p2p *p2p, struct peer *peer, size_t len);
/* What is held because of this peer. */
size_t lent_held(const struct p2p *p2p, const struct peer *peer);
/* It has taken next to nothing for a while, and need not be borne with. What it took before does
 * not count for ever: each time that it is found quick enough its time begins anew. */
bool lent_is_slow(struct p2p *p2p, struct peer *peer, int64_t now_us);

#endif
