/* block_fetch.h - blocks from all peers at once, the most urgent from the fastest.
 *
 * Layer: p2p. A window of missing blocks ahead of the tip is shared out by each peer's measured
 * rate: the next blocks go to who will have delivered them first, blocks further on to slower ones.
 * What is late is asked of a second peer as well. Slowness is no fault: nobody is dropped for it
 * while he delivers anything. Hazards 49, 59, 61. Design: p2p.md section 3 */
#ifndef P2P_BLOCK_FETCH_H
#define P2P_BLOCK_FETCH_H

#include "chain/header_tree.h"
#include "p2p/score.h"
#include "util/hash_map.h"
#include "util/reader.h"

struct p2p;
struct peer;

#define BLOCK_FETCH_AHEAD_BLOCKS 1024        /* asked for, or delivered and not yet connected; */
#define BLOCK_FETCH_AHEAD_BYTES  (64u << 20) /* the same in bytes; more waits, ... */
#define BLOCK_FETCH_NEAR         16          /* ... but for so many next ones of each branch */
#define BLOCK_FETCH_LOST_MAX     64          /* damaged blocks wanted again; more are forgotten */
#define BLOCK_FETCH_PEER_MAX     64          /* asked of one peer at a time */
#define BLOCK_FETCH_PEER_START   16          /* while its rate is unknown */
#define BLOCK_FETCH_STALL_US     INT64_C(600000) /* silence of a peer that owes the next block */
#define BLOCK_FETCH_STALL_MAX_US INT64_C(64000000)
#define BLOCK_FETCH_GIVE_UP_US   INT64_C(60000000) /* nothing at all: dropped if others are there */

/* One block that is on its way to us. */
struct block_request {
    struct block_request *next, *prev; /* of all, in no order */
    const struct block_node *node;
    uint64_t peer[2]; /* ids of who was asked, 0: nobody */
    int64_t asked_us[2];
    unsigned n_asked;       /* times that it was asked for */
    bool is_delivered;      /* the chain has it and has not answered yet */
    bool is_wanted_by_user; /* getblockfrompeer: whatever its work */
};

struct peer_fetch {
    size_t n_in_flight;
    bool is_stalled;  /* owes us blocks and is silent: gets no new requests */
    bool is_on_trial; /* was silent, spoke again: gets one block until it delivers */
    int64_t stalled_at_us;
    int64_t heard_us;         /* when bytes of a block last came: nothing else pays what it owes */
    int64_t stall_us;         /* how long it may be silent; grows if it was only slow */
    int64_t busy_since_us;    /* first request since it last had none, or last delivery */
    int64_t last_delivery_us; /* 0: never */
};

struct block_fetch {
    struct hash_map by_node;
    struct block_request *requests;
    size_t n_requests;
    size_t n_delivered;
    size_t delivered_bytes; /* handed to the chain, which has not answered */
    const struct block_node *lost[BLOCK_FETCH_LOST_MAX];
    size_t n_lost;
    double block_bytes; /* average size of late, for estimates */
    bool wants_run;
};

/* Begin; end, when the chain has answered for all that was given to it; a peer is gone. */
void block_fetch_init(struct p2p *p2p);
void block_fetch_deinit(struct p2p *p2p);
void block_fetch_peer_gone(struct p2p *p2p, struct peer *peer);

/* Something changed (headers, a block, a peer): look for what to ask, soon. */
void block_fetch_wake(struct p2p *p2p);
/* A stored block was found damaged: it is wanted again, wherever the tip is. */
void block_fetch_lost(struct p2p *p2p, const struct block_node *node);
/* Ask this peer for a block, whatever the plan says. False if it is on its way already. */
bool block_fetch_force(struct p2p *p2p, struct peer *peer, const struct block_node *node);
/* The peer does not have it. */
void block_fetch_not_found(struct p2p *p2p, struct peer *peer, const struct block_hash *hash);
/* The heights in flight from a peer, ascending; returns how many (at most max). */
size_t block_fetch_heights(const struct p2p *p2p, const struct peer *peer, int32_t *out,
                           size_t max);
/* Is it asked for, or being checked? */
bool block_fetch_is_pending(const struct p2p *p2p, const struct block_node *node);

/* Returns: when it wants to be called again, INT64_MAX: never. */
int64_t block_fetch_tick(struct p2p *p2p, int64_t now_us);

/* The handler of "block". */
enum fault block_fetch_on_block(struct p2p *p2p, struct peer *peer, struct reader *r);

#endif
