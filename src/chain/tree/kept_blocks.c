/* kept_blocks.c - see kept_blocks.h. */
#include "chain/tree/kept_blocks.h"

#include <string.h>

#include "util/alloc.h"

void kept_blocks_init(struct kept_blocks *kept, size_t max_bytes)
{
    *kept = (struct kept_blocks){.max_bytes = max_bytes};
    hash_map_init(&kept->by_node);
}

void kept_blocks_deinit(struct kept_blocks *kept)
{
    size_t at = 0;
    struct kept_block *block;
    while ((block = hash_map_next(&kept->by_node, &at))) {
        block_ref_drop(block->ref);
        xfree(block);
    }
    hash_map_deinit(&kept->by_node);
}

/* By the block's hash, which is work that nobody does twice. Not by the node's address: the order
 * of the map, which kept_blocks_trim() goes by, shall be the same in each run. */
static uint64_t hash_node(const struct block_node *node)
{
    uint64_t x;
    memcpy(&x, node->hash.b, sizeof x);
    x = (x ^ x >> 33) * UINT64_C(0xff51afd7ed558ccd);
    return x ^ x >> 33;
}

static bool is_for_node(const void *value, const void *key)
{
    return ((const struct kept_block *)value)->node == key;
}

static struct kept_block *find(const struct kept_blocks *kept, const struct block_node *node)
{
    return hash_map_find(&kept->by_node, hash_node(node), is_for_node, node);
}

static size_t block_bytes(const struct kept_block *block)
{
    return block->ref->raw_len + block->ref->arena.total_bytes;
}

static void let_go(struct kept_blocks *kept, struct kept_block *block)
{
    kept->bytes -= block_bytes(block);
    (void)hash_map_remove(&kept->by_node, hash_node(block->node), is_for_node, block->node);
    block_ref_drop(block->ref);
    xfree(block);
}

void kept_blocks_add(struct kept_blocks *kept, const struct block_node *node, struct block_ref *ref)
{
    ASSERT(!find(kept, node));
    struct kept_block *block = xmalloc(sizeof *block);
    *block = (struct kept_block){
        .node = node, .ref = block_ref_hold(ref), .is_writing = true, .is_wanted = true};
    hash_map_insert(&kept->by_node, hash_node(node), block);
    kept->bytes += block_bytes(block);
}

struct block_ref *kept_blocks_find(const struct kept_blocks *kept, const struct block_node *node)
{
    const struct kept_block *block = find(kept, node);
    return block ? block->ref : NULL;
}

void kept_blocks_written(struct kept_blocks *kept, const struct block_node *node)
{
    struct kept_block *block = find(kept, node);
    ASSERT(block && block->is_writing);
    block->is_writing = false;
    if (!block->is_wanted || kept_blocks_is_full(kept))
        let_go(kept, block);
}

void kept_blocks_release(struct kept_blocks *kept, const struct block_node *node)
{
    struct kept_block *block = find(kept, node);
    if (!block)
        return;
    block->is_wanted = false;
    if (!block->is_writing)
        let_go(kept, block);
}

void kept_blocks_trim(struct kept_blocks *kept)
{
    while (kept->bytes > kept->max_bytes / 4) {
        struct kept_block *block;
        size_t at = 0;
        do
            block = hash_map_next(&kept->by_node, &at);
        while (block && block->is_writing);
        if (!block)
            return;
        let_go(kept, block);
    }
}

bool kept_blocks_is_full(const struct kept_blocks *kept)
{
    return kept->bytes > kept->max_bytes;
}
