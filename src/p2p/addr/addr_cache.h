/* addr_cache.h - answers to getaddr that are given to many, by where they came in.
 *
 * Layer: p2p. The same answer for everybody on one network who came in by the same address and port
 * of ours, for a day: two answers tell no more than one about whom we are connected to, and who
 * asks at two addresses of ours cannot tell by them that they are one node's. */
#ifndef P2P_ADDR_ADDR_CACHE_H
#define P2P_ADDR_ADDR_CACHE_H

#include "p2p/core/net_address.h"

/* Beyond it, who comes in by further addresses of ours shares one answer: he may learn that these
 * are one node's, but never more of the book. */
#define ADDR_CACHES_MAX 64

struct addr_cache {
    uint8_t network;          /* the peers' */
    struct net_address local; /* where they came in */
    struct net_peer_address *list;
    size_t n;
    int64_t until_us;
};

struct addr_caches {
    struct addr_cache caches[ADDR_CACHES_MAX];
    size_t n;
};

/* The answer for peers of that network that came in at local. If it is not there, or its time is
 * over, its list is NULL: the caller fills it in, with until_us. Lists are freed with xfree(). */
struct addr_cache *addr_caches_get(struct addr_caches *caches, uint8_t network,
                                   const struct net_address *local, int64_t now_us);
/* Free all answers; it is empty then. A zeroed struct is an empty one. */
void addr_caches_clear(struct addr_caches *caches);

#endif
