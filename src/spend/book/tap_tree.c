/* tap_tree.c - the tree of scripts behind a taproot output. */
#include "spend/book/tap_tree.h"

#include <string.h>

#include "crypto/hash.h"
#include "crypto/pubkey.h"
#include "util/assert.h"

/* A subtree whose sibling is still to come: leaves first to end - 1. */
struct branch {
    bool is_there;
    size_t first;
    uint8_t hash[32];
};

bool tap_tree_is_whole(const struct tap_tree *tree)
{
    ASSERT(tree);
    bool waits[TAP_DEPTH_MAX + 1] = {false};
    for (size_t i = 0; i < tree->n; i++) {
        size_t depth = tree->leaves[i].depth;
        if (depth > TAP_DEPTH_MAX || waits[0])
            return false;
        /* A leaf cannot stand above a left branch that still lacks its right one. */
        for (size_t below = depth + 1; below <= TAP_DEPTH_MAX; below++) {
            if (waits[below])
                return false;
        }
        for (; depth > 0 && waits[depth]; depth--)
            waits[depth] = false;
        waits[depth] = true;
    }
    return waits[0];
}

void tap_leaf_hash(struct span script, uint8_t version, uint8_t out[32])
{
    ASSERT(out);
    struct sha256 h;
    tagged_hash_init(&h, HASH_TAG_TAP_LEAF);
    struct writer w = writer_to_sha256(&h);
    write_u8(&w, version);
    write_var_span(&w, script);
    sha256_final(&h, out);
}

/* The lower hash first, so that a path needs no word on sides. */
static void hash_branch(const uint8_t a[32], const uint8_t b[32], uint8_t out[32])
{
    struct sha256 h;
    bool in_order = memcmp(a, b, 32) < 0;
    tagged_hash_init(&h, HASH_TAG_TAP_BRANCH);
    sha256_update(&h, in_order ? a : b, 32);
    sha256_update(&h, in_order ? b : a, 32);
    sha256_final(&h, out);
}

/* Leaves first to end - 1 get a hash more on their way to the root. */
static void extend_paths(uint8_t **paths, size_t *lens, size_t first, size_t end,
                         const uint8_t hash[32])
{
    for (size_t i = first; paths && i < end; i++) {
        memcpy(paths[i] + lens[i], hash, 32);
        lens[i] += 32;
    }
}

void tap_tree_root(const struct tap_tree *tree, struct arena *arena, uint8_t root[32],
                   uint8_t **paths)
{
    ASSERT(tap_tree_is_whole(tree));
    struct branch branches[TAP_DEPTH_MAX + 1] = {0};
    size_t *lens = arena_calloc(arena, tree->n, sizeof *lens);
    for (size_t i = 0; i < tree->n; i++) {
        const struct tap_leaf *leaf = &tree->leaves[i];
        size_t depth = leaf->depth;
        struct branch own = {.is_there = true, .first = i};
        tap_leaf_hash(leaf->script, leaf->version, own.hash);
        for (; depth > 0 && branches[depth].is_there; depth--) {
            struct branch *left = &branches[depth];
            extend_paths(paths, lens, left->first, own.first, own.hash);
            extend_paths(paths, lens, own.first, i + 1, left->hash);
            hash_branch(left->hash, own.hash, own.hash);
            own.first = left->first;
            left->is_there = false;
        }
        branches[depth] = own;
    }
    ASSERT(branches[0].is_there);
    memcpy(root, branches[0].hash, 32);
}

void tap_tweak(const uint8_t internal[32], const uint8_t *root, uint8_t out[32])
{
    ASSERT(internal && out);
    struct sha256 h;
    tagged_hash_init(&h, HASH_TAG_TAP_TWEAK);
    sha256_update(&h, internal, 32);
    if (root)
        sha256_update(&h, root, 32);
    sha256_final(&h, out);
}

bool tap_output(const uint8_t internal[32], const uint8_t *root, uint8_t out[32], int *parity)
{
    ASSERT(internal && out);
    uint8_t tweak[32];
    tap_tweak(internal, root, tweak);
    return xonly_tweak_add(out, parity, internal, tweak);
}

struct span tap_control(struct arena *arena, const uint8_t internal[32], int parity,
                        uint8_t version, struct span path)
{
    ASSERT(path.len % 32 == 0);
    uint8_t *p = arena_alloc(arena, TAP_CONTROL_BASE + path.len);
    p[0] = (uint8_t)(version | (parity & 1));
    memcpy(p + 1, internal, 32);
    if (path.len > 0)
        memcpy(p + TAP_CONTROL_BASE, path.p, path.len);
    return span_of(p, TAP_CONTROL_BASE + path.len);
}
