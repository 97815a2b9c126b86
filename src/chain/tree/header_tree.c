/* header_tree.c - nodes in an arena, found by hash, with jump pointers for ancestors.
 *
 * The jump pointers are those of Myers' random-access lists ("An applicative random-access stack",
 * 1983): a node jumps where its parent's second jump ends if the parent's two jumps are equally
 * long, else to its parent. One pointer a node, O(1) to make, O(log n) to any ancestor, and where
 * a jump ends depends on the height alone. */
#include "chain/tree/header_tree.h"

#include <string.h>

#include "consensus/pow.h"
#include "util/array.h"

enum { TREE_ARENA_CHUNK_BYTES = 16 << 10, MTP_BLOCKS = 11 };

void header_tree_init(struct header_tree *tree, struct siphash_key key)
{
    *tree = (struct header_tree){.key = key};
    hash_map_init(&tree->by_hash);
    arena_init(&tree->arena, TREE_ARENA_CHUNK_BYTES);
}

void header_tree_deinit(struct header_tree *tree)
{
    hash_map_deinit(&tree->by_hash);
    arena_deinit(&tree->arena);
    *tree = (struct header_tree){0};
}

static bool has_hash(const void *value, const void *key)
{
    return block_hash_equal(&((const struct block_node *)value)->hash, key);
}

struct block_node *header_tree_find(const struct header_tree *tree, const struct block_hash *hash)
{
    return hash_map_find(&tree->by_hash, siphash13_id(tree->key, hash->b, 0), has_hash, hash);
}

/* The work of a child of prev. Most blocks have their parent's target, whose work is known from the
 * sums: a subtraction instead of a long division. */
static struct u256 work_of(const struct block_node *prev, uint32_t bits)
{
    if (prev && prev->prev && prev->bits == bits)
        return u256_sub(prev->chain_work, prev->prev->chain_work);
    return pow_block_work(bits);
}

/* Where the node's jump ends; the first block's ends at itself. */
static struct block_node *jump(struct block_node *node)
{
    return node->skip ? node->skip : node;
}

static struct block_node *skip_for_child_of(struct block_node *prev)
{
    struct block_node *first = jump(prev), *second = jump(first);
    bool equally_long = prev->height - first->height == first->height - second->height;
    return equally_long ? second : prev;
}

struct block_node *header_tree_add(struct header_tree *tree, const struct block_header *header,
                                   const struct block_hash *hash)
{
    struct block_node *prev = NULL;
    if (tree->genesis) {
        /* Headers mostly come in order: then the parent was added just before. */
        bool in_order = tree->dirty && block_hash_equal(&tree->dirty->hash, &header->prev);
        prev = in_order ? tree->dirty : header_tree_find(tree, &header->prev);
        ASSERT(prev);
        VERIFY(!header_tree_find(tree, hash));
    }
    struct block_node *node = arena_calloc(&tree->arena, 1, sizeof *node);
    node->hash = *hash;
    node->prev = prev;
    memcpy(node->merkle_root, header->merkle_root, sizeof node->merkle_root);
    node->version = header->version;
    node->time = node->time_max = header->time;
    node->bits = header->bits;
    node->nonce = header->nonce;
    node->chain_work = work_of(prev, header->bits);
    node->data.file = node->undo.file = -1;
    if (prev) {
        node->height = prev->height + 1;
        node->skip = skip_for_child_of(prev);
        node->chain_work = u256_add(node->chain_work, prev->chain_work);
        node->time_max = MAX_OF(node->time_max, prev->time_max);
        if (prev->status & BLOCK_FAILED_MASK)
            node->status = BLOCK_FAILED_CHILD | (prev->status & BLOCK_DROPPED);
        node->next_sibling = prev->first_child;
        prev->first_child = node;
    } else {
        tree->genesis = node;
    }
    hash_map_insert(&tree->by_hash, siphash13_id(tree->key, hash->b, 0), node);
    tree->count++;
    /* The first seen stays the best among equals. */
    if (!(node->status & BLOCK_FAILED_MASK) &&
        (!tree->best_header || u256_compare(node->chain_work, tree->best_header->chain_work) > 0))
        tree->best_header = node;
    if (node->status & BLOCK_FAILED_MASK)
        header_tree_note_failed(tree, node);
    header_tree_mark_dirty(tree, node);
    return node;
}

void header_tree_note_failed(struct header_tree *tree, struct block_node *node)
{
    if (node->status & BLOCK_DROPPED) /* by order, and for nothing that is wrong with it */
        return;
    if (!tree->best_failed || u256_compare(node->chain_work, tree->best_failed->chain_work) > 0)
        tree->best_failed = node;
}

void header_tree_mark_dirty(struct header_tree *tree, struct block_node *node)
{
    if (node->is_dirty || node->is_gone)
        return;
    node->is_dirty = true;
    node->dirty_next = tree->dirty;
    tree->dirty = node;
}

/* Out of its parent's list of children. */
static void unlink_from_parent(struct block_node *node)
{
    struct block_node **at = &node->prev->first_child;
    while (*at != node)
        at = &(*at)->next_sibling;
    *at = node->next_sibling;
    node->next_sibling = NULL;
}

static void forget_dirty(struct header_tree *tree)
{
    struct block_node **at = &tree->dirty;
    while (*at) {
        struct block_node *node = *at;
        if (node->is_gone) {
            *at = node->dirty_next;
            node->dirty_next = NULL;
            node->is_dirty = false;
        } else {
            at = &node->dirty_next;
        }
    }
}

void header_tree_forget(struct header_tree *tree, const struct block_nodes *roots,
                        struct block_nodes *out)
{
    size_t n_before = out->n;
    for (size_t i = 0; i < roots->n; i++) {
        struct block_node *root = roots->at[i];
        ASSERT(root->prev && !(root->prev->status & BLOCK_DROPPED));
        for (struct block_node *node = root; node; node = block_node_next_descendant(root, node)) {
            ASSERT((node->status & BLOCK_DROPPED) && !node->is_gone);
            node->is_gone = true;
            hash_map_remove(&tree->by_hash, siphash13_id(tree->key, node->hash.b, 0), has_hash,
                            &node->hash);
            *ARRAY_ADD(out) = node;
        }
        unlink_from_parent(root);
    }
    tree->count -= out->n - n_before;
    forget_dirty(tree);
}

struct block_node *block_node_ancestor(const struct block_node *node, int32_t height)
{
    if (!node || height < 0 || height > node->height)
        return NULL;
    while (node->height > height)
        node = node->skip->height >= height ? node->skip : node->prev;
    return (struct block_node *)node;
}

struct block_node *block_node_fork(const struct block_node *a, const struct block_node *b)
{
    if (a->height > b->height)
        a = block_node_ancestor(a, b->height);
    else
        b = block_node_ancestor(b, a->height);
    /* At equal heights the jumps of both end at equal heights too. */
    while (a != b) {
        bool jumps_differ = a->skip != b->skip;
        a = jumps_differ ? a->skip : a->prev;
        b = jumps_differ ? b->skip : b->prev;
        ASSERT(a && b); /* else they are of two trees */
    }
    return (struct block_node *)a;
}

int64_t block_node_mtp(const struct block_node *node)
{
    uint32_t times[MTP_BLOCKS];
    size_t n = 0;
    for (; node && n < MTP_BLOCKS; node = node->prev) {
        size_t at = n++;
        for (; at > 0 && times[at - 1] > node->time; at--)
            times[at] = times[at - 1];
        times[at] = node->time;
    }
    ASSERT(n > 0);
    return times[n / 2];
}

struct block_header block_node_header(const struct block_node *node)
{
    struct block_header header = {
        .version = node->version,
        .time = node->time,
        .bits = node->bits,
        .nonce = node->nonce,
    };
    memcpy(header.merkle_root, node->merkle_root, sizeof header.merkle_root);
    if (node->prev)
        header.prev = node->prev->hash;
    return header;
}

bool block_node_is_better(const struct block_node *a, const struct block_node *b)
{
    int order = u256_compare(a->chain_work, b->chain_work);
    if (order != 0)
        return order > 0;
    if (a->sequence != b->sequence)
        return a->sequence < b->sequence;
    return memcmp(a->hash.b, b->hash.b, sizeof a->hash.b) < 0;
}

struct block_node *block_node_after_subtree(const struct block_node *root, struct block_node *at)
{
    while (at != root && !at->next_sibling)
        at = at->prev;
    return at == root ? NULL : at->next_sibling;
}

struct block_node *block_node_next_descendant(const struct block_node *root, struct block_node *at)
{
    return at->first_child ? at->first_child : block_node_after_subtree(root, at);
}

uint64_t header_tree_chain_tx(const struct header_tree *tree, const struct block_node *node)
{
    uint64_t below = node->prev ? node->prev->chain_tx : 0;
    if (node == tree->assumed)
        return tree->assumed_chain_tx;
    return node->n_tx > 0 && (!node->prev || below > 0) ? below + node->n_tx : 0;
}

/* -- Checking ---------------------------------------------------------------------------------- */

/* A node and its parent. */
static void check_place(const struct block_node *node)
{
    const struct block_node *prev = node->prev;
    struct u256 work = pow_block_work(node->bits);
    if (!prev) {
        ASSERT(node->height == 0 && !node->skip);
        ASSERT(u256_compare(node->chain_work, work) == 0);
        return;
    }
    ASSERT(node->height == prev->height + 1);
    ASSERT(u256_compare(node->chain_work, u256_add(prev->chain_work, work)) == 0);
    ASSERT(node->time_max >= prev->time_max && node->time_max >= node->time);
    ASSERT(node->skip && node->skip->height < node->height);
    ASSERT(!(prev->status & BLOCK_FAILED_MASK) || (node->status & BLOCK_FAILED_MASK));
}

/* What is said to be stored, and what that means for the chain up to the node. */
static void check_data(const struct block_node *node)
{
    bool has_data = node->status & BLOCK_HAVE_DATA, has_undo = node->status & BLOCK_HAVE_UNDO;
    bool lost_data = node->status & BLOCK_LOST_DATA, lost_undo = node->status & BLOCK_LOST_UNDO;
    ASSERT(!(has_data && lost_data) && !(has_undo && lost_undo));
    ASSERT(lost_data || has_data == (node->data.file >= 0));
    ASSERT(lost_undo || has_undo == (node->undo.file >= 0));
    ASSERT(!has_data || node->n_tx > 0);
    ASSERT(!has_undo || node->n_tx > 0); /* its data may be damaged */
    ASSERT(!(node->status & BLOCK_VALID_SCRIPTS) || (node->status & BLOCK_VALID_TX));
}

void header_tree_check(const struct header_tree *tree)
{
    size_t n = 0, n_dirty = 0;
    for (struct block_node *at = tree->genesis; at;
         at = block_node_next_descendant(tree->genesis, at)) {
        check_place(at);
        check_data(at);
        ASSERT(at->chain_tx == header_tree_chain_tx(tree, at));
        n++;
        n_dirty += at->is_dirty;
    }
    ASSERT(n == tree->count && n == tree->by_hash.count);
    for (const struct block_node *at = tree->dirty; at; at = at->dirty_next) {
        ASSERT(at->is_dirty && n_dirty > 0);
        n_dirty--;
    }
    ASSERT(n_dirty == 0);
    ASSERT(!(tree->best_header->status & BLOCK_FAILED_MASK));
}
