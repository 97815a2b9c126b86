/* best_chain.c - see best_chain.h.
 *
 * Its sequence is part of a node's order, so a node leaves the set before that changes. */
#include "chain/tree/best_chain.h"

#define LIVE_SEQUENCE_FIRST (INT64_C(1) << 60) /* above that of any place in the files */

/* Worse before better. */
static int best_chain_compare(const void *a, const void *b)
{
    if (a == b)
        return 0;
    return block_node_is_better(a, b) ? 1 : -1;
}

void best_chain_init(struct best_chain *best, const struct chain_core *core,
                     struct header_tree *tree, const struct active_chain *active)
{
    ASSERT(core && tree && active);
    *best = (struct best_chain){.core = core, .tree = tree, .active = active};
    sorted_map_init(&best->candidates, best_chain_compare);
}

void best_chain_deinit(struct best_chain *best)
{
    sorted_map_deinit(&best->candidates);
}

/* The tip; while a tip that has failed is being left, its last ancestor that has not. */
static struct block_node *valid_tip(const struct best_chain *best)
{
    struct block_node *node = active_chain_tip(best->active);
    while (block_node_has_failed(node))
        node = node->prev;
    return node;
}

/* Is what is only assumed, if anything is, below it? Nobody could go back there. */
static bool is_in_reach(const struct best_chain *best, const struct block_node *node)
{
    const struct block_node *base = best->tree->assumed;
    return !base || block_node_ancestor(node, base->height) == base;
}

/* Is the node a candidate? Nodes behind the tip are left out, so that the set stays as small as the
 * number of branches that matter; and what does not have a block that is only assumed, for nobody
 * could go back below it. */
static bool is_candidate(const struct best_chain *best, const struct block_node *node,
                         const struct block_node *tip)
{
    if (node == tip)
        return node->chain_tx > 0;
    return block_node_is_better(node, tip) && node->chain_tx > 0 && !block_node_has_failed(node) &&
           is_in_reach(best, node);
}

static void consider(struct best_chain *best, struct block_node *node, const struct block_node *tip)
{
    if (is_candidate(best, node, tip))
        (void)sorted_map_insert(&best->candidates, node);
}

/* The files are filled in order, so a block's place says who was first, whatever order they are
 * read in. 0 is left to the chain of the tip, 1 to blocks whose bytes are gone. */
static int64_t place_sequence(const struct block_node *node)
{
    if (!block_node_has_data(node))
        return 1;
    return 2 + ((int64_t)node->data.file << 32 | (int64_t)node->data.offset);
}

/* [block 10] Complete back to the first block: a candidate. */
void best_chain_block_stored(struct best_chain *best, struct block_node *node, uint32_t n_tx,
                             bool was_in_files)
{
    ASSERT(n_tx > 0);
    node->n_tx = n_tx;
    node->status |= BLOCK_HAVE_DATA;
    header_tree_mark_dirty(best->tree, node);
    if (node->chain_tx > 0)
        return; /* it was here before: damaged or pruned meanwhile, and fetched again */
    if (node->prev && node->prev->chain_tx == 0)
        return; /* a block below is missing: the one that fills the gap comes back here */
    const struct block_node *tip = valid_tip(best);
    struct block_node *at = node;
    while (at) {
        /* One that has its count already is the base of a snapshot: what is on it is known. */
        bool is_complete = at->chain_tx == 0 && (block_node_has_data(at) || at->n_tx > 0);
        if (is_complete) {
            at->chain_tx = header_tree_chain_tx(best->tree, at);
            at->sequence = was_in_files ? place_sequence(at) : ++best->next_sequence;
            consider(best, at, tip);
            at = block_node_next_descendant(node, at);
        } else {
            at = block_node_after_subtree(node, at);
        }
    }
}

struct block_node *best_chain_target(const struct best_chain *best)
{
    struct block_node *target = sorted_map_last(&best->candidates);
    ASSERT(target);
    return target;
}

bool best_chain_is_reached(const struct best_chain *best)
{
    return sorted_map_last(&best->candidates) == active_chain_tip(best->active);
}

void best_chain_mark_failed(struct best_chain *best, struct block_node *node)
{
    ASSERT(node->height > 0);
    struct header_tree *tree = best->tree;
    struct block_node *tip = active_chain_tip(best->active);
    if (header_tree_assumes(tree, node)) {
        tree->assumed_fails = true; /* all that is on it goes with the snapshot */
        return;
    }
    for (struct block_node *at = node; at; at = block_node_next_descendant(node, at)) {
        (void)sorted_map_remove(&best->candidates, at);
        at->status |= at == node ? BLOCK_FAILED : BLOCK_FAILED_CHILD;
        header_tree_note_failed(tree, at);
        header_tree_mark_dirty(tree, at);
    }
    /* A scan of the whole tree is too dear to be had for each invalid block: another branch of
     * headers takes over when its next header comes. */
    if (block_node_has_failed(tree->best_header))
        tree->best_header =
            u256_compare(node->prev->chain_work, tip->chain_work) > 0 ? node->prev : tip;
    if (block_node_has_failed(tip) || best->candidates.count == 0)
        best_chain_rebuild(best);
}

void best_chain_tip_moved(struct best_chain *best)
{
    struct block_node *tip = valid_tip(best);
    (void)sorted_map_insert(&best->candidates, tip);
    for (;;) {
        struct block_node *worst = sorted_map_first(&best->candidates);
        if (worst == tip || !block_node_is_better(tip, worst))
            break;
        (void)sorted_map_remove(&best->candidates, worst);
    }
}

void best_chain_rebuild(struct best_chain *best)
{
    struct header_tree *tree = best->tree;
    const struct block_node *tip = valid_tip(best);
    struct block_node *best_header = tree->genesis;
    tree->best_failed = NULL;
    sorted_map_deinit(&best->candidates);
    sorted_map_init(&best->candidates, best_chain_compare);
    for (struct block_node *at = tree->genesis; at;
         at = block_node_next_descendant(tree->genesis, at)) {
        /* What is in the index may be from before a gap below the node was filled. */
        at->chain_tx = header_tree_chain_tx(tree, at);
        if (block_node_has_failed(at)) {
            header_tree_note_failed(tree, at);
            continue;
        }
        if (u256_compare(at->chain_work, best_header->chain_work) > 0)
            best_header = at;
        consider(best, at, tip);
    }
    tree->best_header = best_header;
    ASSERT(best->candidates.count > 0);
}

void best_chain_data_lost(struct best_chain *best, struct block_node *node)
{
    node->status &= ~(uint32_t)(BLOCK_HAVE_DATA | BLOCK_HAVE_UNDO);
    node->n_tx = 0;
    node->data.file = -1;
    node->undo.file = -1;
    header_tree_mark_dirty(best->tree, node);
    if (!best->core->is_open && best->candidates.count == 0)
        return; /* amid the start: the tree is gone through at its end */
    for (struct block_node *at = node; at; at = block_node_next_descendant(node, at)) {
        (void)sorted_map_remove(&best->candidates, at);
        at->chain_tx = 0;
    }
    best_chain_rebuild(best);
}

void best_chain_load(struct best_chain *best)
{
    struct block_node *node;
    size_t at = 0;
    ASSERT(active_chain_tip(best->active) && !best->core->is_open);
    while ((node = hash_map_next(&best->tree->by_hash, &at)))
        node->sequence = active_chain_contains(best->active, node) ? 0 : place_sequence(node);
    best->next_sequence = LIVE_SEQUENCE_FIRST;
    best_chain_rebuild(best);
}

static void clear_one(struct best_chain *best, struct block_node *node)
{
    if (!block_node_has_failed(node))
        return;
    node->status &= ~(uint32_t)BLOCK_FAILED_MASK;
    header_tree_mark_dirty(best->tree, node);
}

void best_chain_clear_failed(struct best_chain *best, struct block_node *node)
{
    ASSERT(node);
    for (struct block_node *at = node; at; at = at->prev)
        clear_one(best, at);
    for (struct block_node *at = node; at; at = block_node_next_descendant(node, at))
        clear_one(best, at);
    best_chain_rebuild(best);
}

void best_chain_prefer(struct best_chain *best, struct block_node *node)
{
    struct block_node *tip = active_chain_tip(best->active);
    ASSERT(node && best->core->is_open);
    if (u256_compare(node->chain_work, tip->chain_work) < 0 || node->chain_tx == 0 ||
        block_node_has_failed(node) || !is_in_reach(best, node))
        return;
    /* A later order beats an earlier one while the chain has not grown in between. */
    if (!best->precious_tip_base ||
        u256_compare(tip->chain_work, best->precious_tip_base->chain_work) > 0)
        best->precious_sequence = 0;
    best->precious_tip_base = tip;
    /* The sequence is part of the order of candidates: out before it changes. Hazard 34 */
    (void)sorted_map_remove(&best->candidates, node);
    node->sequence = --best->precious_sequence;
    (void)sorted_map_insert(&best->candidates, node);
    /* The tip itself may have been named: then what was preferred to it is behind it now. */
    best_chain_tip_moved(best);
}

/* While the tip goes down a long way, what it has passed is left out: the old tip and the target
 * stand for it. */
void best_chain_check(const struct best_chain *best, bool at_rest)
{
    const struct block_node *tip = valid_tip(best);
    const struct sorted_map *candidates = &best->candidates;
    ASSERT(candidates->count > 0);
    for (size_t i = 0; i < candidates->count; i++) {
        const struct block_node *node = sorted_map_at(candidates, i);
        ASSERT(node->chain_tx > 0 && !block_node_has_failed(node));
        ASSERT(node == tip || block_node_is_better(node, tip));
        ASSERT(i == 0 || block_node_is_better(node, sorted_map_at(candidates, i - 1)));
    }
    if (!at_rest)
        return;
    for (struct block_node *at = best->tree->genesis; at;
         at = block_node_next_descendant(best->tree->genesis, at)) {
        ASSERT(is_candidate(best, at, tip) == (sorted_map_find(candidates, at) != NULL));
    }
}
