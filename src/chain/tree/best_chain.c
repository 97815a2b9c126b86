/* best_chain.c - which complete chain has the most work, and what is known to be invalid.
 *
 * Candidates are the nodes whose blocks are stored back to genesis, that are not known to be
 * invalid and that are not behind the committed tip (or what is valid of it). The last one in order
 * is the target. Its sequence is part of a node's order, so a node leaves the set before that
 * changes. */
#include "chain/chain_internal.h"

/* Worse before better. */
static int best_chain_compare(const void *a, const void *b)
{
    if (a == b)
        return 0;
    return block_node_is_better(a, b) ? 1 : -1;
}

void best_chain_init(struct chain *chain)
{
    sorted_map_init(&chain->candidates, best_chain_compare);
}

/* The tip; while a tip that has failed is being left, its last ancestor that has not. */
static struct block_node *valid_tip(const struct chain *chain)
{
    struct block_node *node = chain_tip_node(chain);
    while (node->status & BLOCK_FAILED_MASK)
        node = node->prev;
    return node;
}

static void consider(struct chain *chain, struct block_node *node, const struct block_node *tip)
{
    bool is_ahead = node == tip || block_node_is_better(node, tip);
    if (is_ahead && node->chain_tx > 0 && !(node->status & BLOCK_FAILED_MASK))
        (void)sorted_map_insert(&chain->candidates, node);
}

/* The files are filled in order, so a block's place says who was first, whatever order they are
 * read in. 0 is left to the chain of the tip, 1 to blocks whose bytes are gone. */
int64_t best_chain_place_sequence(const struct block_node *node)
{
    if (!(node->status & BLOCK_HAVE_DATA))
        return 1;
    return 2 + ((int64_t)node->data.file << 32 | (int64_t)node->data.offset);
}

void best_chain_block_stored(struct chain *chain, struct block_node *node, uint32_t n_tx,
                             bool was_in_files)
{
    node->n_tx = n_tx;
    node->status |= BLOCK_HAVE_DATA;
    lost_block_found(chain, node);
    header_tree_mark_dirty(&chain->tree, node);
    if (node->chain_tx > 0)
        return; /* it was here before: damaged or pruned meanwhile, and fetched again */
    if (node->prev && node->prev->chain_tx == 0)
        return; /* a block below is missing: the one that fills the gap comes back here */
    const struct block_node *tip = valid_tip(chain);
    struct block_node *at = node;
    while (at) {
        bool is_complete = (at->status & BLOCK_HAVE_DATA) || at->n_tx > 0;
        if (is_complete) {
            at->chain_tx = (at->prev ? at->prev->chain_tx : 0) + at->n_tx;
            at->sequence = was_in_files ? best_chain_place_sequence(at) : ++chain->next_sequence;
            consider(chain, at, tip);
            at = block_node_next_descendant(node, at);
        } else {
            at = block_node_after_subtree(node, at);
        }
    }
}

struct block_node *best_chain_target(struct chain *chain)
{
    struct block_node *best = sorted_map_last(&chain->candidates);
    ASSERT(best);
    return best;
}

void best_chain_mark_failed(struct chain *chain, struct block_node *node)
{
    struct header_tree *tree = &chain->tree;
    struct block_node *tip = chain_tip_node(chain);
    for (struct block_node *at = node; at; at = block_node_next_descendant(node, at)) {
        (void)sorted_map_remove(&chain->candidates, at);
        at->status |= at == node ? BLOCK_FAILED : BLOCK_FAILED_CHILD;
        header_tree_mark_dirty(tree, at);
    }
    /* A scan of the whole tree is too dear to be had for each invalid block: another branch of
     * headers takes over when its next header comes. */
    if (tree->best_header->status & BLOCK_FAILED_MASK)
        tree->best_header =
            u256_compare(node->prev->chain_work, tip->chain_work) > 0 ? node->prev : tip;
    if ((tip->status & BLOCK_FAILED_MASK) || chain->candidates.count == 0)
        best_chain_rebuild(chain);
}

void best_chain_tip_moved(struct chain *chain)
{
    struct block_node *tip = valid_tip(chain);
    (void)sorted_map_insert(&chain->candidates, tip);
    for (;;) {
        struct block_node *worst = sorted_map_first(&chain->candidates);
        if (worst == tip || !block_node_is_better(tip, worst))
            break;
        (void)sorted_map_remove(&chain->candidates, worst);
    }
}

/* What is in the index may be from before a gap below the node was filled. */
static uint64_t derive_chain_tx(const struct block_node *node)
{
    bool is_complete = node->n_tx > 0 && (!node->prev || node->prev->chain_tx > 0);
    return is_complete ? (node->prev ? node->prev->chain_tx : 0) + node->n_tx : 0;
}

void best_chain_rebuild(struct chain *chain)
{
    struct header_tree *tree = &chain->tree;
    const struct block_node *tip = valid_tip(chain);
    struct block_node *best_header = tree->genesis;
    sorted_map_deinit(&chain->candidates);
    best_chain_init(chain);
    for (struct block_node *at = tree->genesis; at;
         at = block_node_next_descendant(tree->genesis, at)) {
        at->chain_tx = derive_chain_tx(at);
        if (at->status & BLOCK_FAILED_MASK)
            continue;
        if (u256_compare(at->chain_work, best_header->chain_work) > 0)
            best_header = at;
        consider(chain, at, tip);
    }
    tree->best_header = best_header;
    ASSERT(chain->candidates.count > 0);
}

void best_chain_data_lost(struct chain *chain, struct block_node *node)
{
    node->status &= ~(uint32_t)(BLOCK_HAVE_DATA | BLOCK_HAVE_UNDO);
    lost_undo_found(chain, node); /* none is wanted before it is connected */
    node->n_tx = 0;
    node->data.file = -1;
    node->undo.file = -1;
    header_tree_mark_dirty(&chain->tree, node);
    if (!chain->core.is_open && chain->candidates.count == 0)
        return; /* amid the start: the tree is gone through at its end */
    for (struct block_node *at = node; at; at = block_node_next_descendant(node, at)) {
        (void)sorted_map_remove(&chain->candidates, at);
        at->chain_tx = 0;
    }
    best_chain_rebuild(chain);
}
