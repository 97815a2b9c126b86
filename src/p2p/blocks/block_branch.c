/* block_branch.c - see block_branch.h. */
#include "p2p/blocks/block_branch.h"

#include "util/assert.h"

/* The same, when all below low are known to be there. */
static const struct block_node *missing_from(const struct block_node *node, int32_t low)
{
    /* chain_tx says "stored, back to genesis": so it is not 0 up to some height, and 0 from there
     * on; but for what is assumed below a snapshot, which is far below. */
    if (node->chain_tx > 0)
        return NULL;
    int32_t high = node->height;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (block_node_ancestor(node, middle)->chain_tx > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return block_node_ancestor(node, low);
}

const struct block_node *block_branch_missing(const struct block_node *node)
{
    return missing_from(node, 0);
}

/* The last block of a known chain that may still be valid. */
static const struct block_node *without_failed(const struct block_node *node)
{
    while (block_node_has_failed(node))
        node = node->prev;
    return node;
}

static bool is_wanted(const struct block_node *goal, const struct block_node *tip,
                      struct u256 min_work)
{
    return goal->chain_tx == 0 && u256_compare(goal->chain_work, tip->chain_work) >= 0 &&
           u256_compare(goal->chain_work, min_work) >= 0;
}

static bool is_chosen(const struct block_branch *branches, size_t n, const struct block_node *goal)
{
    for (size_t i = 0; i < n; i++)
        if (branches[i].goal == goal)
            return true;
    return false;
}

/* The best that is not chosen yet; NULL if there is none. */
static const struct block_node *next_goal(const struct block_node *tip, struct u256 min_work,
                                          const struct block_known *known, size_t n_known,
                                          const struct block_branch *branches, size_t n)
{
    const struct block_node *best = NULL, *last = NULL;
    bool is_best_outbound = false, is_last_outbound = false;
    for (size_t i = 0; i < n_known; i++) {
        const struct block_node *goal = without_failed(known[i].best);
        /* In initial download nearly all have told of the same one. */
        bool is_repeated = goal == last && (is_last_outbound || !known[i].is_outbound);
        if (is_repeated || !is_wanted(goal, tip, min_work) || is_chosen(branches, n, goal))
            continue;
        last = goal;
        is_last_outbound = known[i].is_outbound;
        bool is_better = !best || (known[i].is_outbound && !is_best_outbound) ||
                         (known[i].is_outbound == is_best_outbound &&
                          u256_compare(goal->chain_work, best->chain_work) > 0);
        if (!is_better)
            continue;
        best = goal;
        is_best_outbound = known[i].is_outbound;
    }
    return best;
}

/* Where the branch leaves those before it. False if it does so only beyond what they ask for. */
static bool set_start(struct block_branch *branch, const struct block_node *tip,
                      const struct block_branch *earlier, size_t n)
{
    const struct block_node *shared = block_node_fork(branch->goal, tip);
    int32_t low = shared->chain_tx > 0 ? shared->height : 0;
    branch->first = branch->from = missing_from(branch->goal, low)->height;
    for (size_t i = 0; i < n; i++) {
        int32_t fork = block_node_fork(branch->goal, earlier[i].goal)->height;
        if (fork < branch->from)
            continue;
        if (fork > earlier[i].to)
            return false;
        branch->from = fork + 1;
    }
    return true;
}

static int32_t lesser(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

size_t block_branches(const struct block_node *tip, struct u256 min_work,
                      const struct block_known *known, size_t n_known, struct block_branch *out)
{
    ASSERT(n_known == 0 || known);
    size_t n = 0;
    int32_t used = 0;
    while (n < BLOCK_BRANCHES_MAX) {
        struct block_branch *branch = &out[n];
        branch->goal = next_goal(tip, min_work, known, n_known, out, n);
        if (!branch->goal)
            break;
        branch->to = branch->goal->height;
        if (set_start(branch, tip, out, n)) {
            int32_t room = BLOCK_BRANCH_WINDOW - used;
            room = room > BLOCK_BRANCH_SIDE ? room : BLOCK_BRANCH_SIDE;
            branch->to = lesser(branch->goal->height, branch->from + room - 1);
        } else {
            branch->from = branch->to + 1;
        }
        ASSERT(branch->from <= branch->to + 1);
        used += branch->to - branch->from + 1;
        n++;
    }
    return n;
}
