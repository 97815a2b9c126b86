/* orders.c - see orders.h. */
#include "chain/intake/orders.h"

#include "util/alloc.h"
#include "util/planted.h"

/* -- Orders -------------------------------------------------------------------------------------
 */

/* An order that outlives a crash: it is answered when what it changed is on disk. */
struct kept_order {
    struct flush *flush;
    chain_order_fn *done;
    void *arg;
};

static void end_kept_order(struct kept_order *order, const struct verdict *verdict)
{
    chain_order_fn *done = order->done;
    void *arg = order->arg;
    xfree(order);
    done(arg, verdict);
}

static void order_is_kept(void *arg, int error)
{
    struct verdict verdict = {.code = error ? REJECT_FAULT : REJECT_NONE};
    end_kept_order(arg, &verdict);
}

/* At rest. An order that was refused on the way has changed nothing that would have to be kept. */
static void keep_order(void *arg, const struct verdict *verdict)
{
    struct kept_order *order = arg;
    if (verdict->code == REJECT_NONE)
        flush_order(order->flush, order_is_kept, order);
    else
        end_kept_order(order, verdict);
}

/* Answer when the chain has come to rest and all of it has been written. */
static void answer_when_kept(struct orders *orders, chain_order_fn *done, void *arg)
{
    struct kept_order *order = xmalloc(sizeof *order);
    *order = (struct kept_order){.flush = orders->flush, .done = done, .arg = arg};
    waiters_await_rest(orders->waiters, keep_order, order);
}

/* The node that an order names; or NULL, and the order is answered. */
static struct block_node *find_or_answer(struct orders *orders, const struct block_hash *hash,
                                         chain_order_fn *done, void *arg)
{
    struct block_node *node = header_tree_find(orders->tree, hash);
    bool is_open = core_is_working(orders->core);
    if (node && is_open)
        return node;
    struct verdict verdict = {.code = is_open ? REJECT_PREV_NOT_FOUND : REJECT_FAULT};
    done(arg, &verdict);
    return NULL;
}

/* A block between the tip and node, that included, whose bytes or undo data are gone, or one that
 * only a snapshot vouches for, whose coins would follow; NULL: all are there. */
static const struct block_node *find_gone(const struct orders *orders,
                                          const struct block_node *node)
{
    const struct block_node *base = orders->tree->assumed;
    if (!active_chain_contains(orders->active, node))
        return NULL;
    for (const struct block_node *at = active_chain_tip(orders->active); at != node->prev;
         at = at->prev)
        if ((!block_node_has_data(at) && !kept_blocks_find(orders->kept, at)) ||
            block_node_lost_undo(at) || at == base)
            return at;
    return NULL;
}

void orders_invalidate(struct orders *orders, const struct block_hash *hash, chain_order_fn *done,
                       void *arg)
{
    ASSERT(done);
    struct block_node *node = find_or_answer(orders, hash, done, arg);
    if (!node)
        return;
    const struct block_node *gone = find_gone(orders, node);
    if (gone) {
        struct verdict verdict = {.code = REJECT_NONE};
        (void)verdict_set(&verdict, REJECT_BLOCK_UNAVAILABLE,
                          "the block at height %d is %s, so the chain cannot go back below it",
                          gone->height,
                          block_node_lost_any(gone)  ? "damaged or missing, or its undo data"
                          : orders->core->any_pruned ? "pruned"
                                                     : "missing");
        done(arg, &verdict);
        return;
    }
    /* Without the first block there is no chain: the order changes nothing. */
    if (node->height > 0) {
        /* A block that is only tried out is on the tip, which stays until it has landed. */
        pipeline_drop_steps(orders->pipeline);
        best_chain_mark_failed(orders->best, node);
        best_chain_rebuild(orders->best);
    }
    if (PLANTED(orders->core->env, INVALID_NOT_WRITTEN))
        waiters_await_rest(orders->waiters, done, arg);
    else
        answer_when_kept(orders, done, arg);
}

bool orders_give_up(struct orders *orders, const struct verdict *verdict)
{
    struct block_node *at = active_chain_tip(orders->active);
    ASSERT(verdict->code != REJECT_NONE);
    if (!block_node_has_failed(at))
        return false; /* the tip is being left for a better one, not by order */
    while (block_node_has_failed(at->prev))
        at = at->prev;
    pipeline_drop_steps(orders->pipeline);
    best_chain_clear_failed(orders->best, at);
    waiters_refuse_orders(orders->waiters, verdict);
    return true;
}

void orders_reconsider(struct orders *orders, const struct block_hash *hash, chain_order_fn *done,
                       void *arg)
{
    ASSERT(done);
    struct block_node *node = find_or_answer(orders, hash, done, arg);
    if (!node)
        return;
    best_chain_clear_failed(orders->best, node);
    if (PLANTED(orders->core->env, RECONSIDER_NOT_WRITTEN))
        waiters_await_rest(orders->waiters, done, arg);
    else
        answer_when_kept(orders, done, arg);
}

/* Which of two blocks with like work is preferred is not kept over a restart. Core: preciousblock
 */
void orders_prefer(struct orders *orders, const struct block_hash *hash, chain_order_fn *done,
                   void *arg)
{
    ASSERT(done);
    struct block_node *node = find_or_answer(orders, hash, done, arg);
    if (!node)
        return;
    best_chain_prefer(orders->best, node);
    waiters_await_rest(orders->waiters, done, arg);
}
