/* deployments.h - remembered states of BIP9 deployments.
 *
 * Layer: chain. States hold for a whole period of blocks; they are remembered by the node that
 * ends the period before. Loop thread only. */
#ifndef CHAIN_TREE_DEPLOYMENTS_H
#define CHAIN_TREE_DEPLOYMENTS_H

#include "chain/tree/header_tree.h"
#include "consensus/versionbits.h"

struct deployments {
    struct hash_map states; /* by node and deployment */
};

/* Make an empty memory; free it. */
void deployments_init(struct deployments *deployments);
/* Free what it remembers. */
void deployments_deinit(struct deployments *deployments);

/* The state of a deployment for the block after prev. */
enum bip9_state deployments_state(struct deployments *deployments, const struct network *network,
                                  const struct block_node *prev, enum bip9_deployment deployment);

/* The cache that consensus/versionbits.h asks and fills; borrows deployments. */
struct versionbits_cache deployments_cache(struct deployments *deployments);

#endif
