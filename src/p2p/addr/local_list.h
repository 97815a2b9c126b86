/* local_list.h - addresses of ours that others are told, and who says that they are ours.
 *
 * Layer: p2p. Pure. A host is in it once, at the port that the best of its sources names, for as
 * long as there is one: what the user names does not go with the service that had it too. Spec:
 * Core mapLocalHost, AddLocal() */
#ifndef P2P_ADDR_LOCAL_LIST_H
#define P2P_ADDR_LOCAL_LIST_H

#include "p2p/core/net_address.h"

#define LOCAL_LIST_MAX  32 /* hosts */
#define LOCAL_SCORE_MAX 4

/* The later the better. */
enum local_source {
    LOCAL_INTERFACE, /* of this machine */
    LOCAL_BIND,      /* that we listen on */
    LOCAL_MAPPED,    /* the gateway's, for us */
    LOCAL_SERVICE,   /* of ours in a hidden network */
    LOCAL_MANUAL,    /* -externalip */
    LOCAL_SOURCE_COUNT,
};

struct local_address {
    struct net_address at;
    unsigned sources; /* a bit 1 << enum local_source for each */
    uint16_t ports[LOCAL_SOURCE_COUNT];
};

struct local_list {
    struct local_address at[LOCAL_LIST_MAX];
    size_t n;
};

/* A source names an address, or names it with another port.
 *
 * Returns:  false if there are too many hosts */
bool local_list_add(struct local_list *list, enum local_source source,
                    const struct net_address *address);
/* It names it no more. */
void local_list_remove(struct local_list *list, enum local_source source,
                       const struct net_address *address);
/* It is one of them, at that port. */
bool local_list_has(const struct local_list *list, const struct net_address *address);
/* How good it is. Spec: Core LOCAL_IF and the others */
int local_score(const struct local_address *local);

#endif
