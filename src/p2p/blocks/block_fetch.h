/* block_fetch.h - blocks from all peers at once, the most urgent from the fastest.
 *
 * Layer: p2p. A window of missing blocks ahead of the tip is shared out by each peer's measured
 * rate: the next blocks go to who will have delivered them first, blocks further on to slower ones.
 * What is late is asked of others: block_late.h. Hazards 49, 59, 61. Design: p2p.md section 3 */
#ifndef P2P_BLOCKS_BLOCK_FETCH_H
#define P2P_BLOCKS_BLOCK_FETCH_H

#include "chain/disk/block_ref.h"
#include "p2p/blocks/block_late.h"
#include "p2p/blocks/block_request.h"
#include "p2p/blocks/block_stall.h"
#include "p2p/peer/score.h"
#include "util/hash_map.h"
#include "util/list.h"
#include "util/reader.h"

struct p2p;
struct peer;

#define BLOCK_FETCH_AHEAD_BLOCKS 1024        /* asked for, or delivered and not yet connected; */
#define BLOCK_FETCH_AHEAD_BYTES  (64u << 20) /* the same in bytes; more waits, ... */
#define BLOCK_FETCH_NEAR         16          /* ... but for so many next ones of each branch */
#define BLOCK_FETCH_LOST_MAX     64          /* damaged blocks asked for at once; more wait */
#define BLOCK_FETCH_PAST_MAX     64 /* the same of blocks below a snapshot's */
#define BLOCK_FETCH_PEER_MAX     64          /* asked of one peer at a time, by plan */
#define BLOCK_FETCH_PEER_START   16          /* while its rate is unknown */
/* Of one peer, unasked and not yet decided by the chain: above that it is not read. Two blocks of
 * the largest size; each counts for so much more, which it takes beside its bytes. */
#define BLOCK_FETCH_UNASKED_BYTES (8u << 20)
#define BLOCK_FETCH_UNASKED_EACH  1024u
#define BLOCK_FETCH_CURRENT       20 /* spacings of blocks: a tip that is no older is new */

struct block_fetch {
    struct hash_map by_node;
    struct list requests; /* of struct block_request */
    size_t n_delivered;
    size_t delivered_bytes; /* handed to the chain, which has not answered */
    double block_bytes;     /* average size of late, for estimates */
    uint64_t n_sized;       /* blocks that it is made of */
    struct block_stall stall;
    bool wants_run;
    uint64_t n_answers; /* of header_sync, at the last run */
};

/* Begin. */
void block_fetch_init(struct p2p *p2p);
/* End, when the chain has answered for all that was given to it. */
void block_fetch_deinit(struct p2p *p2p);
/* A peer is gone: others may be asked for what it owed. */
void block_fetch_peer_gone(struct p2p *p2p, struct peer *peer);

/* Our tip is so new that a new block is fetched as soon as it is told of. Core CanDirectFetch() */
bool block_fetch_is_current(const struct p2p *p2p);
/* Something changed (headers, a block, a peer): look for what to ask, soon. */
void block_fetch_wake(struct p2p *p2p);
/* Ask this peer for a block, whatever the plan says. False if it is on its way already. */
bool block_fetch_force(struct p2p *p2p, struct peer *peer, const struct block_node *node);
/* Send the requests for n blocks, which the peer owes already: at most BLOCK_REQUEST_BATCH. One
 * that most of is here by chance is asked for as a compact one. */
void block_fetch_send(struct p2p *p2p, struct peer *peer, const struct block_node *const *nodes,
                      size_t n);
/* The block is connected, maybe by another way: nobody owes it any more. */
void block_fetch_connected(struct p2p *p2p, const struct block_node *node);
/* The peer does not have it. */
void block_fetch_not_found(struct p2p *p2p, struct peer *peer, const struct block_hash *hash);
/* The heights in flight from a peer, ascending; returns how many (at most max). */
size_t block_fetch_heights(const struct p2p *p2p, const struct peer *peer, int32_t *out,
                           size_t max);

/* The peer has delivered a block, put together from what it sent and what was here: that it was
 * asked for, or may bring unasked. Whatever is wrong with it is not held against the peer.
 *
 * In:       block_take  not decoded yet; one hold of it is taken over
 *           message_bytes  that the peer needed for it */
void block_fetch_deliver(struct p2p *p2p, struct peer *peer, const struct block_node *node,
                         struct block_ref *block_take, size_t message_bytes);
/* Returns: when it wants to be called again, INT64_MAX: never. */
int64_t block_fetch_tick(struct p2p *p2p, int64_t now_us);

/* So many unasked blocks of this peer wait for the chain that no more of its bytes are taken. */
bool block_fetch_is_full(const struct peer *peer);
/* The handler of "block". */
enum fault block_fetch_on_block(struct p2p *p2p, struct peer *peer, struct reader *r);

#endif
