/* check.c - asserts what must hold of the tree, the candidates and the committed chain whenever
 * the loop is not inside the chain. For tests and -checkblockindex. */
#include "chain/chain_internal.h"
#include "consensus/pow.h"

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
    uint64_t below = node->prev ? node->prev->chain_tx : 0;
    bool is_complete = node->n_tx > 0 && (!node->prev || below > 0);
    ASSERT(node->chain_tx == (is_complete ? below + node->n_tx : 0));
}

static size_t check_tree(const struct header_tree *tree)
{
    size_t n = 0, n_dirty = 0;
    for (struct block_node *at = tree->genesis; at;
         at = block_node_next_descendant(tree->genesis, at)) {
        check_place(at);
        check_data(at);
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
    return n;
}

static void check_active(const struct chain *chain)
{
    const struct active_chain *active = &chain->active;
    ASSERT(active->n > 0 && active->at[0] == chain->tree.genesis);
    for (size_t i = 1; i < active->n; i++) {
        const struct block_node *node = active->at[i];
        ASSERT(node->prev == active->at[i - 1]);
        ASSERT(node->n_tx > 0 && (node->status & BLOCK_VALID_SCRIPTS));
    }
}

/* The candidates are all nodes, and only those, that the tip could move to. While the tip goes down
 * a long way, what it has passed is left out: the old tip and the target stand for it. */
static void check_candidates(const struct chain *chain)
{
    const struct block_node *tip = chain_tip_node(chain);
    while (tip->status & BLOCK_FAILED_MASK)
        tip = tip->prev;
    const struct sorted_map *candidates = &chain->candidates;
    ASSERT(candidates->count > 0);
    for (size_t i = 0; i < candidates->count; i++) {
        const struct block_node *node = sorted_map_at(candidates, i);
        ASSERT(node->chain_tx > 0 && !(node->status & BLOCK_FAILED_MASK));
        ASSERT(node == tip || block_node_is_better(node, tip));
        ASSERT(i == 0 || block_node_is_better(node, sorted_map_at(candidates, i - 1)));
    }
    if (!pipeline_is_at_rest(chain))
        return;
    for (struct block_node *at = chain->tree.genesis; at;
         at = block_node_next_descendant(chain->tree.genesis, at)) {
        bool is_ahead = at == tip || block_node_is_better(at, tip);
        bool is_due = is_ahead && at->chain_tx > 0 && !(at->status & BLOCK_FAILED_MASK);
        ASSERT(is_due == (sorted_map_find(candidates, at) != NULL));
    }
}

static void check_flights(const struct chain *chain)
{
    size_t n = 0;
    for (const struct flight *at = chain->flights.oldest; at; at = at->next) {
        ASSERT(!at->is_dropped && (!at->next || at->next->prev == at));
        n++;
    }
    ASSERT(n == chain->flights.n);
    ASSERT(n > 0 || chain->overlay.count == 0);
}

void chain_check(const struct chain *chain)
{
    size_t n = check_tree(&chain->tree);
    ASSERT(chain->active.n <= n);
    check_active(chain);
    check_candidates(chain);
    check_flights(chain);
}

/* chain_check() if the options want it, in at most a tenth of the time. */
static void step(void *part)
{
    struct chain *chain = part;
    const struct env *env = chain->core.env;
    int64_t start_us = env_now_us(env);
    if (!chain->core.options.check_invariants || start_us < chain->next_check_us)
        return;
    chain_check(chain);
    int64_t end_us = env_now_us(env);
    chain->next_check_us = end_us + 9 * (end_us - start_us);
}

const struct chain_part check_part = {.name = "check", .step = step};
