/* seed_node.h - -seednode: nodes that are asked for addresses, one after the other, while we have
 * too few peers.
 *
 * Layer: p2p. Each is connected to once, and let go when it has answered. Spec: Core
 * ThreadOpenConnections() */
#ifndef P2P_CONNECT_SEED_NODE_H
#define P2P_CONNECT_SEED_NODE_H

#include <stddef.h>
#include <stdint.h>

struct p2p;

#define SEED_NODE_WAIT_US   INT64_C(10000000) /* for the book's addresses, and the seed before */
#define SEED_NODE_PEERS_MIN 2                 /* with so many full peers nobody is asked */

struct seed_node {
    const char **left; /* not asked yet */
    size_t n_left;
    int64_t next_us;
};

/* Begin, in an order that nobody can foresee. With -connect they are left alone. */
void seed_node_init(struct p2p *p2p);
/* Returns: when it wants to be called again, INT64_MAX: never. */
int64_t seed_node_tick(struct p2p *p2p, int64_t now_us);

#endif
