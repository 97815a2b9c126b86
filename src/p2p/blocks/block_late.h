/* block_late.h - who owes blocks and does not deliver: given up, made up for by others, let go.
 *
 * Layer: p2p, internal. Progress is bytes of a block that was asked for, or a whole one: talk of
 * other things and single bytes are silence, and so is a pause that the peer brings about by not
 * reading what it asked for. Slowness alone is no fault: who is slow is asked for less, and goes
 * only if it fails again and again where others deliver. Hazards 59, 61 */
#ifndef P2P_BLOCKS_BLOCK_LATE_H
#define P2P_BLOCKS_BLOCK_LATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct p2p;
struct peer;

#define BLOCK_LATE_PROGRESS_BYTES 6000            /* of an asked block: less is silence */
#define BLOCK_LATE_STALL_US       INT64_C(600000) /* silence of a peer that owes blocks; ... */
#define BLOCK_LATE_STALL_MAX_US   INT64_C(64000000)
/* ... a third of it and its round trip, if another one that has the block owes nothing. */
#define BLOCK_LATE_IDLE_PART   3
#define BLOCK_LATE_IDLE_MAX_US INT64_C(1000000) /* of that third */
/* A block next to the tip is asked of a second peer after that, outbound first, ... */
#define BLOCK_LATE_NEAR_US INT64_C(200000)
/* ... and the next block of a chain in initial download after that. */
#define BLOCK_LATE_FAR_US INT64_C(2000000)
#define BLOCK_LATE_NEAR   8 /* blocks above the tip that are next to it, if no header is further */
/* Silent peers are asked again so late, twice as late each time; after so many times in a row
 * without a block they are dropped if others could have delivered. */
#define BLOCK_LATE_BACKOFF_US INT64_C(1000000)
#define BLOCK_LATE_STALLS_MAX 5
#define BLOCK_LATE_GIVE_UP_US INT64_C(60000000) /* the same for one that says nothing at all */
#define BLOCK_LATE_FORGET_US  INT64_C(10000000) /* nobody is left: all may be asked again */
#define BLOCK_LATE_CREDIT_MAX 64
#define BLOCK_LATE_CHECK_US   INT64_C(100000) /* looked at so often while blocks are owed */

struct peer_fetch {
    unsigned n_undecided; /* blocks of it that the chain looks at */
    size_t unasked_bytes; /* of those that nobody asked for */
    size_t n_in_flight;
    bool is_stalled;   /* owes us blocks and is silent: gets no new requests */
    bool is_on_trial;  /* was silent, spoke again: gets one block until it delivers */
    unsigned n_stalls; /* in a row, without a block */
    size_t n_late;     /* blocks that it was asked for, and that others delivered meanwhile */
    int64_t stalled_at_us;
    int64_t heard_us;         /* when it last made progress: nothing else pays what it owes */
    int64_t stall_us;         /* how long it may be silent; grows if it was only slow */
    int64_t busy_since_us;    /* first request since it last had none, or last delivery */
    int64_t last_delivery_us; /* 0: never */
    /* The message "block" that is being read. */
    bool is_known, is_asked; /* its header is here; it was asked for */
    uint32_t counted;        /* bytes of it that were progress */
};

/* It was asked for a block that it has not delivered. */
bool block_late_is_asked(const struct p2p *p2p, const struct peer *peer);
/* The same of its "cmpctblock" or "blocktxn". */
void block_late_heard_compact(struct p2p *p2p, struct peer *peer);
/* Bytes of the peer's message "block" have come, or its end. */
void block_late_heard(struct p2p *p2p, struct peer *peer);
/* A block that it was asked for is here: it pays its debts. */
void block_late_delivered(struct peer *peer, int64_t now_us);
/* Look who has stopped answering; who is given up gives its places to others. */
void block_late_check(struct p2p *p2p, int64_t now_us);
/* Ask second peers for the blocks that come next and are late. */
void block_late_hedge(struct p2p *p2p, int64_t now_us);

#endif
