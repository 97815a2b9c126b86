/* node_dev.h - what -dev adds to a node: keys that everybody knows, and blocks that pay them.
 *
 * Layer: node. Loop thread only. doc/decisions/0315-a-chain-to-develop-against.md */
#ifndef NODE_NODE_DEV_H
#define NODE_NODE_DEV_H

#include "chain/chain.h"
#include "mempool/mempool.h"
#include "node/node_env.h"
#include "rpc/rpc.h"
#include "spend/keys/dev_keys.h"

#define NODE_DEV_MATURITY_MAX 1000 /* beyond, nobody can spend at once on a new chain */

struct node_dev;

/* Make it, and set the clock as it was kept. In: log, keys, node_env, data_dir borrowed for its
 * life; whose clock that is, and where it is kept. Owns: the caller */
NODISCARD struct node_dev *node_dev_new(const struct log *log, const struct dev_keys *keys,
                                        struct node_env *node_env, const char *data_dir);
/* Free it. NULL is allowed. */
void node_dev_free(struct node_dev *dev);

/* What RPC may do with it; NULL for NULL. Borrowed. */
const struct rpc_dev *node_dev_view(const struct node_dev *dev);

/* Make the first blocks of a chain that has none, where that is possible: the same ones everywhere,
 * so that such nodes agree. done(arg) once, later, also if it fails, which is logged; within this
 * call if there is nothing to do. */
void node_dev_begin_chain(struct node_dev *dev, struct chain *chain, void (*done)(void *arg),
                          void *arg);
/* The mempool is there too: snapshots can be made. */
void node_dev_open(struct node_dev *dev, struct chain *chain, struct mempool *mempool);

#endif
