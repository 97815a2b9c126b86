/* node_net.h - the mesh in the form that the RPC methods look at.
 *
 * Layer: node. p2p/ and rpc/ do not know each other: here the calls of one are handed to the
 * other, without any logic of its own. Loop thread only. */
#ifndef NODE_NODE_NET_H
#define NODE_NODE_NET_H

#include "node/node_bans.h"
#include "p2p/p2p.h"
#include "util/net_view.h"

struct node_net;

/* Make a view of a mesh for struct rpc_node.
 *
 * In:       p2p      borrowed; it must live as long as the view is in use
 *           bans     borrowed: who is banned by hand
 *           mempool  borrowed: its fee rates; NULL: none
 * Owns:     the caller, who frees it with node_net_free() */
NODISCARD struct node_net *node_net_new(struct p2p *p2p, struct node_bans *bans,
                                        const struct mempool *mempool);
/* NULL is allowed. Take the view from RPC first. */
void node_net_free(struct node_net *net);

/* What to hand to RPC; lives as long as net. */
const struct net_view *node_net_view(const struct node_net *net);

#endif
