/* snapshot_chunks.c - see snapshot_chunks.h. Spec: RFC 6962, Merkle Hash Trees */
#include "chain/coins/snapshot_chunks.h"

#include <string.h>

#include "util/alloc.h"

#define LEAF_PREFIX 0
#define NODE_PREFIX 1

_Static_assert(SNAPSHOT_CHUNKS_MAX <= UINT32_C(1) << SNAPSHOT_BRANCH_MAX, "the branch is longer");

/* -- Offers ------------------------------------------------------------------------------------ */

void snapshot_offer_encode(struct writer *w, const struct snapshot_offer *offer)
{
    ASSERT(offer->n_bytes > SNAPSHOT_HEADER_BYTES && offer->n_bytes <= SNAPSHOT_BYTES_MAX);
    write_bytes(w, offer->base.b, sizeof offer->base.b);
    write_u64(w, offer->n_bytes);
    write_bytes(w, offer->root, sizeof offer->root);
}

bool snapshot_offer_decode(struct reader *r, struct snapshot_offer *offer)
{
    ASSERT(offer);
    *offer = (struct snapshot_offer){0};
    read_bytes(r, offer->base.b, sizeof offer->base.b);
    offer->n_bytes = read_u64(r);
    read_bytes(r, offer->root, sizeof offer->root);
    return !r->failed && offer->n_bytes > SNAPSHOT_HEADER_BYTES &&
           offer->n_bytes <= SNAPSHOT_BYTES_MAX;
}

bool snapshot_offer_equal(const struct snapshot_offer *a, const struct snapshot_offer *b)
{
    ASSERT(a && b);
    return block_hash_equal(&a->base, &b->base) && a->n_bytes == b->n_bytes &&
           memcmp(a->root, b->root, sizeof a->root) == 0;
}

/* -- The shape --------------------------------------------------------------------------------- */

uint32_t snapshot_chunk_count(uint64_t n_bytes)
{
    ASSERT(n_bytes > 0 && n_bytes <= SNAPSHOT_BYTES_MAX);
    return (uint32_t)((n_bytes + SNAPSHOT_CHUNK_BYTES - 1) / SNAPSHOT_CHUNK_BYTES);
}

size_t snapshot_chunk_len(uint64_t n_bytes, uint32_t index)
{
    ASSERT(index < snapshot_chunk_count(n_bytes));
    return (size_t)MIN_OF(n_bytes - (uint64_t)index * SNAPSHOT_CHUNK_BYTES, SNAPSHOT_CHUNK_BYTES);
}

/* A node without a neighbour is its own parent. */
static bool has_sibling(uint32_t index, uint32_t level_n)
{
    return (index ^ 1) < level_n;
}

size_t snapshot_branch_len(uint64_t n_bytes, uint32_t index)
{
    uint32_t n = snapshot_chunk_count(n_bytes);
    size_t len = 0;
    ASSERT(index < n);
    for (; n > 1; n = (n + 1) / 2, index /= 2)
        len += has_sibling(index, n);
    ASSERT(len <= SNAPSHOT_BRANCH_MAX);
    return len;
}

/* -- Hashes ------------------------------------------------------------------------------------ */

static void hash_with(uint8_t prefix, struct span a, struct span b, uint8_t out[32])
{
    struct sha256 h;
    sha256_init(&h);
    sha256_update(&h, &prefix, 1);
    sha256_update(&h, a.p, a.len);
    sha256_update(&h, b.p, b.len);
    sha256_final(&h, out);
}

void snapshot_leaf(struct span chunk, uint8_t out[32])
{
    ASSERT(chunk.len > 0 && chunk.len <= SNAPSHOT_CHUNK_BYTES);
    hash_with(LEAF_PREFIX, chunk, span_of(NULL, 0), out);
}

static void hash_node(const uint8_t left[32], const uint8_t right[32], uint8_t out[32])
{
    hash_with(NODE_PREFIX, span_of(left, 32), span_of(right, 32), out);
}

bool snapshot_chunk_is_of(const struct snapshot_offer *offer, uint32_t index, struct span branch,
                          struct span chunk)
{
    uint8_t hash[32];
    uint32_t n = snapshot_chunk_count(offer->n_bytes);
    ASSERT(index < n);
    if (chunk.len != snapshot_chunk_len(offer->n_bytes, index) ||
        branch.len != 32 * snapshot_branch_len(offer->n_bytes, index))
        return false;
    const uint8_t *beside = branch.p;
    for (snapshot_leaf(chunk, hash); n > 1; n = (n + 1) / 2, index /= 2) {
        if (!has_sibling(index, n))
            continue;
        hash_node(index & 1 ? beside : hash, index & 1 ? hash : beside, hash);
        beside += 32;
    }
    return memcmp(hash, offer->root, sizeof hash) == 0;
}

/* -- The tree ---------------------------------------------------------------------------------- */

void snapshot_tree_init(struct snapshot_tree *tree, uint64_t n_bytes)
{
    size_t n_nodes = 1;
    for (uint32_t n = snapshot_chunk_count(n_bytes); n > 1; n = (n + 1) / 2)
        n_nodes += n;
    *tree = (struct snapshot_tree){.n_bytes = n_bytes};
    tree->nodes = xcalloc(n_nodes, sizeof tree->nodes[0]);
}

void snapshot_tree_deinit(struct snapshot_tree *tree)
{
    ASSERT(tree);
    xfree(tree->nodes);
    tree->nodes = NULL;
}

void snapshot_tree_set(struct snapshot_tree *tree, uint32_t index, struct span chunk)
{
    ASSERT(tree->nodes && chunk.len == snapshot_chunk_len(tree->n_bytes, index));
    snapshot_leaf(chunk, tree->nodes[index]);
}

void snapshot_tree_root(struct snapshot_tree *tree, uint8_t root[32])
{
    ASSERT(tree->nodes);
    uint8_t(*level)[32] = tree->nodes;
    for (uint32_t n = snapshot_chunk_count(tree->n_bytes); n > 1; n = (n + 1) / 2) {
        uint8_t(*above)[32] = level + n;
        for (uint32_t i = 0; i < n; i += 2) {
            if (has_sibling(i, n))
                hash_node(level[i], level[i + 1], above[i / 2]);
            else
                memcpy(above[i / 2], level[i], 32);
        }
        level = above;
    }
    memcpy(root, level[0], 32);
}

void snapshot_tree_branch(const struct snapshot_tree *tree, uint32_t index, struct writer *w)
{
    uint32_t n = snapshot_chunk_count(tree->n_bytes);
    ASSERT(tree->nodes && index < n);
    uint8_t(*level)[32] = tree->nodes;
    for (; n > 1; n = (n + 1) / 2, index /= 2) {
        if (has_sibling(index, n))
            write_bytes(w, level[index ^ 1], 32);
        level += n;
    }
}
