/* kept_blocks.h - decoded blocks kept in memory until they are connected and written.
 *
 * Layer: chain. A block whose write is still under way cannot be read back, so it is always kept;
 * beyond that, blocks are kept while they fit into the limit. Loop thread only. */
#ifndef CHAIN_TREE_KEPT_BLOCKS_H
#define CHAIN_TREE_KEPT_BLOCKS_H

#include "chain/disk/block_ref.h"
#include "chain/tree/header_tree.h"

struct kept_block {
    const struct block_node *node;
    struct block_ref *ref; /* held */
    bool is_writing;       /* its bytes are not on the disk yet: it cannot be let go */
    bool is_wanted;        /* not connected yet */
};

/* bytes may pass max_bytes by what is being written, which CHAIN_UNWRITTEN_MAX bounds. */
struct kept_blocks {
    struct hash_map by_node; /* of struct kept_block, owned */
    size_t bytes, max_bytes; /* with the decoded form: that is what memory holds */
};

/* Keep nothing yet, and from now on up to max_bytes. */
void kept_blocks_init(struct kept_blocks *kept, size_t max_bytes);
/* Let go of everything, also of what is being written: its job holds the block by itself. */
void kept_blocks_deinit(struct kept_blocks *kept);

/* Keep a block that is being written (holds ref). */
void kept_blocks_add(struct kept_blocks *kept, const struct block_node *node,
                     struct block_ref *ref);
/* The block, or NULL if it is not here; borrowed. */
struct block_ref *kept_blocks_find(const struct kept_blocks *kept, const struct block_node *node);
/* Its write has ended: from now on it is kept only if it fits and is wanted. */
void kept_blocks_written(struct kept_blocks *kept, const struct block_node *node);
/* It was connected, or nobody will connect it: let go as soon as it is written. */
void kept_blocks_release(struct kept_blocks *kept, const struct block_node *node);
/* The chain rests: blocks of side branches that take more than a quarter of the room are let go,
 * all but those being written. */
void kept_blocks_trim(struct kept_blocks *kept);
/* No room for more. */
bool kept_blocks_is_full(const struct kept_blocks *kept);

#endif
