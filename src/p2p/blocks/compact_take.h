/* compact_take.h - blocks that come as short ids: put together, completed by what is asked for.
 *
 * Layer: p2p. One block of each peer waits for an answer at a time, up to three peers try the same
 * block at once, and the last of these places is for a peer that we chose: who announces a block
 * and then withholds what is missing delays nobody (hazard 60, CVE-2024-52922). Whoever makes a
 * block of it first is thanked; short ids that collide are nobody's fault. Spec: BIP-152,
 * cmpctblock; BIP-152, blocktxn */
#ifndef P2P_BLOCKS_COMPACT_TAKE_H
#define P2P_BLOCKS_COMPACT_TAKE_H

#include "p2p/core/compact_fill.h"
#include "p2p/peer/score.h"

struct p2p;
struct peer;
struct block_node;

#define COMPACT_TAKE_PARALLEL_MAX    3  /* peers that are asked for one block. Core */
#define COMPACT_TAKE_AHEAD_MAX       2  /* above the tip: further ones are fetched whole */
#define COMPACT_TAKE_UNCONNECTED_MAX 64 /* blocks here above the tip that may be counted to it */

/* What a peer was asked to complete; from xmalloc. */
struct compact_pending {
    const struct block_node *node;
    struct compact_fill fill;
    bool has_failed; /* it was completed to something else: the whole block was asked for */
};

/* A peer is gone, and with it what it was asked for. */
void compact_take_peer_gone(struct p2p *p2p, struct peer *peer);
/* The block is here, or will never be wanted: nobody need complete it. */
void compact_take_forget(struct p2p *p2p, const struct block_node *node);

/* A message about a compact block was asked for, as far as can be told. */
bool compact_take_is_asked(const struct p2p *p2p, const struct peer *peer);
/* The handler of "cmpctblock". */
enum fault compact_take_on_cmpctblock(struct p2p *p2p, struct peer *peer, struct reader *r);
/* The handler of "blocktxn". */
enum fault compact_take_on_blocktxn(struct p2p *p2p, struct peer *peer, struct reader *r);

#endif
