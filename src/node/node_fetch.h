/* node_fetch.h - a set of coins from peers: fetched by the mesh, loaded by the chain.
 *
 * Layer: node. -fetchsnapshot and fetchtxoutset. The mesh fetches a file and knows nothing of what
 * is in it; the chain reads it as loadtxoutset does. What is not what it should be is fetched anew
 * from others; what the chain cannot take now stays on the disk. Loop thread only.
 * doc/decisions/0370 */
#ifndef NODE_NODE_FETCH_H
#define NODE_NODE_FETCH_H

#include "chain/chain.h"
#include "mempool/mempool.h"
#include "p2p/p2p.h"
#include "rpc/rpc.h"

#define NODE_FETCH_FILE "snapshot.part" /* in the network's directory */

struct node_fetch;

/* Make it. In: all borrowed for its life. Owns: the caller, who frees it when chain and mesh have
 * ended */
NODISCARD struct node_fetch *node_fetch_new(const struct log *log, struct chain *chain,
                                            const struct mempool *mempool, struct p2p *p2p,
                                            const char *data_dir);
/* NULL is allowed. */
void node_fetch_free(struct node_fetch *fetch);
/* For struct rpc_node; lives as long as fetch. */
const struct rpc_coins_fetch *node_fetch_view(const struct node_fetch *fetch);
/* What the option says, after the start of the mesh: nothing, where the chain is on its own way
 * already.
 *
 * In:  vouch  as in struct rpc_coins_fetch; NULL: the option is off */
void node_fetch_at_start(struct node_fetch *fetch, const struct coin_vouch *vouch);

#endif
