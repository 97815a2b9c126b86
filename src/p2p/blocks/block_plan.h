/* block_plan.h - which peer to ask for which block: a pure function of rates and places.
 *
 * Layer: p2p. Pure. Blocks are needed in order, at the pace at which all peers together deliver.
 * Each is best asked of the peer that will have delivered it first; a slow peer gets only blocks
 * so far ahead that it will have them in time. */
#ifndef P2P_BLOCKS_BLOCK_PLAN_H
#define P2P_BLOCKS_BLOCK_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#define PLAN_RATE_UNKNOWN 500000.0 /* bytes per second, of a peer not measured yet */
#define PLAN_RTT_UNKNOWN  0.2
#define PLAN_AHEAD_S                                                                               \
    1.0                  /* a peer is kept busy so long beyond its round trip: what it owes is     \
                          * what another one has to make up for if it stops */
#define PLAN_SLACK_S 0.5 /* being so late is no harm */

struct plan_peer {
    double rate_bytes_s; /* 0: unknown */
    double rtt_s;        /* negative: unknown */
    size_t n_in_flight, limit;
    void *who;
    bool is_done; /* nothing more for it in this plan */
};

struct plan_item {
    size_t position; /* missing blocks before it */
    void *what;
    bool is_taken;
};

struct plan {
    struct plan_peer *peers;
    size_t n_peers;
    struct plan_item *items; /* by position */
    size_t n_items;
    size_t first; /* no item before it is free */
    double block_bytes;
    bool (*can_serve)(void *ctx, void *who, void *what);
    void *ctx;
};

/* Blocks in flight that keep a peer of that rate busy, 1 .. max; start if the rate is unknown. */
size_t plan_limit(double rate_bytes_s, double rtt_s, double block_bytes, size_t start, size_t max);

/* Seconds until the peer has delivered all that it owes, and one more. */
double plan_eta_s(const struct plan_peer *peer, double block_bytes);

/* The next request: an item and the peer to ask. It is marked as taken and counted as in flight.
 * Returns: false if nothing more can be asked now */
bool plan_next(struct plan *plan, struct plan_peer **peer, struct plan_item **item);

#endif
