/* dev_snapshots.h - chain, mempool and clock as they were, by name, over kills: -dev.
 *
 * Layer: node. Each is two files below dev_snapshots/: what the mempool had, in the form of
 * mempool.dat, then what makes it count: the moment of the chain and the clock. Loop thread only.
 * doc/decisions/0316-what-a-rewind-forgets.md */
#ifndef NODE_DEV_SNAPSHOTS_H
#define NODE_DEV_SNAPSHOTS_H

#include "mempool/mempool.h"
#include "node/node_env.h"
#include "rpc/rpc.h"

#define DEV_SNAPSHOTS_MAX    100
#define DEV_SNAPSHOT_TXS_MAX 20000 /* of the mempool; with more none is made */

struct dev_snapshots;

/* Make it. In: log, node_env, data_dir borrowed for its life; txs_max  DEV_SNAPSHOT_TXS_MAX but for
 * tests; keep_clock  the clock was set, and is to be had again after a kill. Owns: the caller */
NODISCARD struct dev_snapshots *dev_snapshots_new(const struct log *log, struct node_env *node_env,
                                                  const char *data_dir, size_t txs_max,
                                                  void (*keep_clock)(void *ctx), void *ctx);
/* Free it. NULL is allowed. */
void dev_snapshots_free(struct dev_snapshots *snapshots);
/* Chain and mempool are open, and what was made before is read. Borrows both. */
void dev_snapshots_open(struct dev_snapshots *snapshots, struct chain *chain,
                        struct mempool *mempool);

/* As struct rpc_dev has them; ctx is the snapshots. */
void dev_snapshots_make(void *ctx, const char *name, rpc_dev_fn *done, void *arg);
/* Go back to one. */
void dev_snapshots_revert(void *ctx, const char *name, rpc_dev_fn *done, void *arg);
/* Forget one. */
void dev_snapshots_drop(void *ctx, const char *name, rpc_dev_fn *done, void *arg);
/* The index-th; NULL past the last. */
const struct rpc_dev_snapshot *dev_snapshots_at(void *ctx, size_t index);

#endif
