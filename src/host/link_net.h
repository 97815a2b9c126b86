/* link_net.h - the nodes of a laboratory, and the packets between them.
 *
 * Layer: host. */
#ifndef HOST_LINK_NET_H
#define HOST_LINK_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "host/link_device.h"
#include "host/link_pairs.h"
#include "host/link_queue.h"

/* Packets, by what became of them. */
struct link_counts {
    uint64_t passed, passed_bytes;
    uint64_t lost; /* by lot */
    uint64_t cut;  /* by a partition, or for a node that is not there */
    uint64_t full; /* before a narrow link, or for want of memory here */
};

struct link_net {
    int epoll; /* where devices are waited for, each with its node's number */
    uint32_t n_nodes;
    struct link_device *devices; /* LINK_NODES_MAX of them; tun < 0: no such node */
    struct link_pairs *pairs;
    struct link_queue queue;
    struct link_counts counts;
};

/* A net without nodes. In: epoll, borrowed */
void link_net_init(struct link_net *net, uint64_t seed, int epoll);
void link_net_deinit(struct link_net *net); /* its namespaces live on while processes are in them */

/* Is there such a node? */
bool link_net_has(const struct link_net *net, uint32_t node);

/* Make a node, which is not there yet. Returns: false with *error set (xfree it) */
NODISCARD bool link_net_add(struct link_net *net, uint32_t node, char **error);
/* Take a node away, which is there. */
void link_net_remove(struct link_net *net, uint32_t node);

/* Take what a node has sent, up to a bound, on its way. */
void link_net_read(struct link_net *net, uint32_t node, int64_t now_us);

/* Hand over what has arrived. Returns: when the next packet does, -1 if none is on its way */
int64_t link_net_deliver(struct link_net *net, int64_t now_us);

/* A packet from a node: what becomes of it. For link_net_read(). */
void link_net_carry(struct link_net *net, uint32_t from, struct span packet, int64_t now_us);

#endif
