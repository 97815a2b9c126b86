/* orders.c - what the operator orders, and who waits for a block's fate. */
#include <errno.h>

#include "chain/chain_internal.h"
#include "util/alloc.h"
#include "util/planted.h"

/* -- Waiters ------------------------------------------------------------------------------------
 */

static void call(struct waiter *waiter)
{
    if (waiter->block_done)
        waiter->block_done(waiter->arg, &waiter->result);
    if (waiter->order_done)
        waiter->order_done(waiter->arg, &waiter->result.verdict);
    xfree(waiter);
}

/* Call a list of waiters; they may make new ones meanwhile. */
static void call_all(struct waiter *list)
{
    while (list) {
        struct waiter *next = list->next;
        call(list);
        list = next;
    }
}

static void run_sync(struct env_job *job)
{
    struct chain *chain = (struct chain *)((char *)job - offsetof(struct chain, sync_job));
    chain->sync_error = block_files_sync(chain->core.files);
}

static void fail_list(struct waiter **list)
{
    struct waiter *all = *list;
    *list = NULL;
    for (struct waiter *at = all; at; at = at->next)
        at->result.verdict = (struct verdict){.code = REJECT_FAULT};
    call_all(all);
}

static void serve_durable(struct chain *chain);

static void sync_done(struct env_job *job)
{
    struct chain *chain = (struct chain *)((char *)job - offsetof(struct chain, sync_job));
    chain->sync_running = false;
    int error = job->cancelled ? -ECANCELED : chain->sync_error;
    struct waiter *list = chain->syncing;
    chain->syncing = NULL;
    if (error) {
        for (struct waiter *at = list; at; at = at->next)
            at->result.verdict = (struct verdict){.code = REJECT_FAULT};
        core_fault(&chain->core, error, "syncing block files");
    }
    call_all(list);
    serve_durable(chain);
    core_ended(&chain->core);
}

/* All who wait for durability when a sync starts are served by that one. */
static void start_sync(struct chain *chain)
{
    if (chain->sync_running || chain->writes_pending[0] + chain->writes_pending[1] > 0)
        return;
    chain->sync_running = true;
    chain->syncing = chain->sync_waiters;
    chain->sync_waiters = NULL;
    chain->sync_job = (struct env_job){.run = run_sync, .done = sync_done};
    env_job_submit(chain->core.env, ENV_POOL_BLOCKING, ENV_PRIORITY_HIGH, &chain->sync_job);
}

/* If no write is pending, those who wait for durability can be served. */
static void serve_durable(struct chain *chain)
{
    /* After a failed write a sync would tell that bytes are safe which are not there. */
    if (chain->sync_waiters && chain->core.faulted)
        fail_list(&chain->sync_waiters);
    else if (chain->sync_waiters)
        start_sync(chain);
}

static void release(struct chain *chain, struct waiter *waiter)
{
    if (PLANTED(chain->core.env, ANSWER_BEFORE_SYNC))
        waiter->durable = false;
    if (waiter->durable && chain->core.faulted)
        waiter->result.verdict = (struct verdict){.code = REJECT_FAULT};
    if (!waiter->durable || chain->core.faulted) {
        waiter->next = NULL;
        call(waiter);
        return;
    }
    waiter->next = chain->sync_waiters;
    chain->sync_waiters = waiter;
    start_sync(chain);
}

void chain_sync_blocks(struct chain *chain, chain_order_fn *done, void *arg)
{
    struct waiter *waiter = xcalloc(1, sizeof *waiter);
    *waiter = (struct waiter){.durable = true, .order_done = done, .arg = arg};
    release(chain, waiter);
}

void waiters_add(struct chain *chain, struct waiter *waiter)
{
    struct waiter **at = &chain->waiters;
    while (*at)
        at = &(*at)->next;
    waiter->next = NULL;
    *at = waiter;
}

static bool is_decided(const struct chain *chain, const struct waiter *waiter, bool at_rest)
{
    return at_rest || (waiter->node && chain_contains(chain, waiter->node));
}

/* Answer those whose block is decided; all if at rest. */
static void answer_decided(struct chain *chain)
{
    bool at_rest = pipeline_is_at_rest(chain);
    struct waiter **at = &chain->waiters, *ready = NULL, **ready_end = &ready;
    while (*at) {
        struct waiter *waiter = *at;
        if (!is_decided(chain, waiter, at_rest)) {
            at = &waiter->next;
            continue;
        }
        *at = waiter->next;
        waiter->next = NULL;
        waiter->result.is_connected = waiter->node && chain_contains(chain, waiter->node);
        *ready_end = waiter;
        ready_end = &waiter->next;
    }
    while (ready) {
        struct waiter *next = ready->next;
        release(chain, ready);
        ready = next;
    }
}

void waiters_block_failed(struct chain *chain, const struct block_node *node,
                          const struct verdict *verdict)
{
    struct waiter **at = &chain->waiters, *ready = NULL;
    while (*at) {
        struct waiter *waiter = *at;
        bool is_below = waiter->node && block_node_ancestor(waiter->node, node->height) == node;
        if (!is_below) {
            at = &waiter->next;
            continue;
        }
        *at = waiter->next;
        waiter->next = ready;
        ready = waiter;
        waiter->result.verdict =
            waiter->node == node ? *verdict : (struct verdict){.code = REJECT_PREV_INVALID};
    }
    call_all(ready);
}

static void step_waiters(void *part)
{
    struct chain *chain = part;
    if (chain->waiters && core_is_working(&chain->core))
        answer_decided(chain);
    serve_durable(chain);
}

static bool is_syncing(const void *part)
{
    return ((const struct chain *)part)->sync_running;
}

static void fail_all(void *part)
{
    struct chain *chain = part;
    fail_list(&chain->waiters);
    fail_list(&chain->sync_waiters);
}

const struct chain_part waiters_part = {
    .name = "waiters", .step = step_waiters, .is_busy = is_syncing, .cancel = fail_all};

/* -- Orders -------------------------------------------------------------------------------------
 */

/* Answer when the chain has come to rest. */
static void answer_at_rest(struct chain *chain, chain_order_fn *done, void *arg)
{
    struct waiter *waiter = xcalloc(1, sizeof *waiter);
    waiter->order_done = done;
    waiter->arg = arg;
    waiters_add(chain, waiter);
    core_wake_soon(&chain->core);
}

/* An order that outlives a crash: it is answered when what it changed is on disk. */
struct kept_order {
    struct chain *chain;
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

static void keep_order(void *arg, const struct verdict *verdict)
{
    struct kept_order *order = arg;
    if (verdict->code == REJECT_NONE)
        chain_flush(order->chain, order_is_kept, order);
    else
        end_kept_order(order, verdict);
}

/* Answer when the chain has come to rest and all of it has been written. */
static void answer_when_kept(struct chain *chain, chain_order_fn *done, void *arg)
{
    struct kept_order *order = xmalloc(sizeof *order);
    *order = (struct kept_order){.chain = chain, .done = done, .arg = arg};
    answer_at_rest(chain, keep_order, order);
}

static struct block_node *find_or_answer(struct chain *chain, const struct block_hash *hash,
                                         chain_order_fn *done, void *arg)
{
    struct block_node *node = header_tree_find(&chain->tree, hash);
    bool is_open = core_is_working(&chain->core);
    if (node && is_open)
        return node;
    struct verdict verdict = {.code = is_open ? REJECT_PREV_NOT_FOUND : REJECT_FAULT};
    done(arg, &verdict);
    return NULL;
}

/* A block between the tip and node, that included, whose bytes or undo data are gone; NULL: all are
 * there. */
static const struct block_node *find_gone(const struct chain *chain, const struct block_node *node)
{
    if (!chain_contains(chain, node))
        return NULL;
    for (const struct block_node *at = chain_tip(chain); at != node->prev; at = at->prev)
        if ((!(at->status & BLOCK_HAVE_DATA) && !kept_blocks_find(&chain->kept, at)) ||
            (at->status & BLOCK_LOST_UNDO))
            return at;
    return NULL;
}

void chain_invalidate(struct chain *chain, const struct block_hash *hash, chain_order_fn *done,
                      void *arg)
{
    struct block_node *node = find_or_answer(chain, hash, done, arg);
    if (!node)
        return;
    const struct block_node *gone = find_gone(chain, node);
    if (gone) {
        struct verdict verdict = {.code = REJECT_NONE};
        (void)verdict_set(&verdict, REJECT_BLOCK_UNAVAILABLE,
                          "the block at height %d is %s, so the chain cannot go back below it",
                          gone->height,
                          gone->status & BLOCK_LOST_MASK ? "damaged or missing, or its undo data"
                          : chain->any_pruned            ? "pruned"
                                                         : "missing");
        done(arg, &verdict);
        return;
    }
    /* Without the first block there is no chain: the order changes nothing. */
    if (node->height > 0) {
        /* A block that is only tried out is on the tip, which stays until it has landed. */
        if (chain->flights.oldest && !chain->flights.oldest->is_test)
            pipeline_drop_all(chain);
        best_chain_mark_failed(chain, node);
        best_chain_rebuild(chain);
    }
    if (PLANTED(chain->core.env, INVALID_NOT_WRITTEN))
        answer_at_rest(chain, done, arg);
    else
        answer_when_kept(chain, done, arg);
}

/* Ancestors and descendants are given another chance, other branches are not. */
static void clear_failed(struct chain *chain, struct block_node *node)
{
    for (struct block_node *at = node; at; at = at->prev)
        if (at->status & BLOCK_FAILED_MASK) {
            at->status &= ~(uint32_t)BLOCK_FAILED_MASK;
            header_tree_mark_dirty(&chain->tree, at);
        }
    for (struct block_node *at = node; at; at = block_node_next_descendant(node, at))
        if (at->status & BLOCK_FAILED_MASK) {
            at->status &= ~(uint32_t)BLOCK_FAILED_MASK;
            header_tree_mark_dirty(&chain->tree, at);
        }
    best_chain_rebuild(chain);
}

bool orders_give_up(struct chain *chain, const struct verdict *verdict)
{
    struct block_node *at = chain_tip_node(chain);
    ASSERT(verdict->code != REJECT_NONE);
    if (!(at->status & BLOCK_FAILED_MASK))
        return false; /* the tip is being left for a better one, not by order */
    while (at->prev->status & BLOCK_FAILED_MASK)
        at = at->prev;
    pipeline_drop_all(chain);
    clear_failed(chain, at);
    for (struct waiter *waiter = chain->waiters; waiter; waiter = waiter->next)
        if (waiter->order_done)
            waiter->result.verdict = *verdict;
    return true;
}

void chain_reconsider(struct chain *chain, const struct block_hash *hash, chain_order_fn *done,
                      void *arg)
{
    struct block_node *node = find_or_answer(chain, hash, done, arg);
    if (!node)
        return;
    clear_failed(chain, node);
    if (PLANTED(chain->core.env, RECONSIDER_NOT_WRITTEN))
        answer_at_rest(chain, done, arg);
    else
        answer_when_kept(chain, done, arg);
}

/* Which of two blocks with like work is preferred is not kept over a restart. Core: preciousblock
 */
void chain_precious(struct chain *chain, const struct block_hash *hash, chain_order_fn *done,
                    void *arg)
{
    struct block_node *node = find_or_answer(chain, hash, done, arg);
    if (!node)
        return;
    struct block_node *tip = chain_tip_node(chain);
    if (u256_compare(node->chain_work, tip->chain_work) >= 0 && node->chain_tx > 0 &&
        !(node->status & BLOCK_FAILED_MASK)) {
        /* A later order beats an earlier one while the chain has not grown in between. */
        if (!chain->precious_tip_base ||
            u256_compare(tip->chain_work, chain->precious_tip_base->chain_work) > 0)
            chain->precious_sequence = 0;
        chain->precious_tip_base = tip;
        /* The sequence is part of the order of candidates: out before it changes. Hazard 34 */
        (void)sorted_map_remove(&chain->candidates, node);
        node->sequence = --chain->precious_sequence;
        (void)sorted_map_insert(&chain->candidates, node);
        /* The tip itself may have been named: then what was preferred to it is behind it now. */
        best_chain_tip_moved(chain);
    }
    answer_at_rest(chain, done, arg);
}
