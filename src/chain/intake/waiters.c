/* waiters.c - see waiters.h. */
#include "chain/intake/waiters.h"

#include <errno.h>

#include "chain/disk/block_file.h"
#include "util/alloc.h"
#include "util/planted.h"

static void call(struct waiter *waiter)
{
    if (waiter->block_done)
        waiter->block_done(waiter->arg, &waiter->result);
    if (waiter->order_done)
        waiter->order_done(waiter->arg, &waiter->result.verdict);
    xfree(waiter);
}

/* Call a list of waiters, which is empty then; they may make new ones meanwhile. */
static void call_all(struct list *list)
{
    struct list all = *list;
    struct waiter *waiter;
    *list = (struct list){0};
    while ((waiter = LIST_POP(struct waiter, &all, link)))
        call(waiter);
}

/* The same, with a failure. */
static void fail_all_of(struct list *list)
{
    LIST_EACH (struct waiter, waiter, list, link)
        waiter->result.verdict = (struct verdict){.code = REJECT_FAULT};
    call_all(list);
}

/* Not a flush: blocks alone, which later starts find in their files without index or coins. */
static void run_sync(struct env_job *job)
{
    struct waiters *waiters = CONTAINER_OF(job, struct waiters, sync_job);
    waiters->sync_error = block_files_sync(waiters->core->files);
}

static void serve_durable(struct waiters *waiters);

static void sync_done(struct env_job *job)
{
    struct waiters *waiters = CONTAINER_OF(job, struct waiters, sync_job);
    waiters->sync_running = false;
    int error = job->cancelled ? -ECANCELED : waiters->sync_error;
    if (error)
        core_fault(waiters->core, error, "syncing block files");
    (error ? fail_all_of : call_all)(&waiters->syncing);
    serve_durable(waiters);
    core_ended(waiters->core);
}

/* All who wait for durability when a sync starts are served by that one. Not while a write is under
 * way, which the sync might miss: its end comes by here again. */
static void start_sync(struct waiters *waiters)
{
    if (waiters->sync_running || writes_pending(waiters->writes) > 0)
        return;
    waiters->sync_running = true;
    waiters->syncing = waiters->sync_waiters;
    waiters->sync_waiters = (struct list){0};
    waiters->sync_job = (struct env_job){.run = run_sync, .done = sync_done};
    env_job_submit(waiters->core->env, ENV_POOL_BLOCKING, ENV_PRIORITY_HIGH, &waiters->sync_job);
}

/* If no write is pending, those who wait for durability can be served. */
static void serve_durable(struct waiters *waiters)
{
    /* After a failed write a sync would tell that bytes are safe which are not there. */
    if (waiters->sync_waiters.count > 0 && waiters->core->faulted)
        fail_all_of(&waiters->sync_waiters);
    else if (waiters->sync_waiters.count > 0)
        start_sync(waiters);
}

/* Decided: answered now, or when it is on disk if that was asked for. After a fault nothing becomes
 * durable any more, and who asked for it must not hear that all is well. */
static void release(struct waiters *waiters, struct waiter *waiter)
{
    if (PLANTED(waiters->core->env, ANSWER_BEFORE_SYNC))
        waiter->durable = false;
    if (waiter->durable && waiters->core->faulted)
        waiter->result.verdict = (struct verdict){.code = REJECT_FAULT};
    if (!waiter->durable || waiters->core->faulted) {
        call(waiter);
        return;
    }
    list_add_first(&waiters->sync_waiters, &waiter->link);
    start_sync(waiters);
}

void waiters_sync(struct waiters *waiters, chain_order_fn *done, void *arg)
{
    struct waiter *waiter = xcalloc(1, sizeof *waiter);
    ASSERT(done);
    *waiter = (struct waiter){.durable = true, .order_done = done, .arg = arg};
    release(waiters, waiter);
}

void waiters_add(struct waiters *waiters, struct waiter *waiter)
{
    ASSERT(!waiter->block_done != !waiter->order_done);
    list_add(&waiters->list, &waiter->link);
}

/* It filled a gap below blocks that were here: the chain is on its way to the last of them. */
static bool is_on_its_way(const struct waiters *waiters, const struct waiter *waiter)
{
    const struct block_node *goal = waiter->goal;
    if (!goal || active_chain_contains(waiters->active, goal))
        return false;
    const struct block_node *target = best_chain_target(waiters->best);
    return target->height >= goal->height && block_node_ancestor(target, goal->height) == goal;
}

/* At rest nothing changes any more by itself: a block that is not in the chain then is on a side
 * branch, for as long as nobody brings another. */
static bool is_decided(const struct waiters *waiters, const struct waiter *waiter, bool at_rest)
{
    return at_rest || (waiter->node && active_chain_contains(waiters->active, waiter->node) &&
                       !is_on_its_way(waiters, waiter));
}

/* Answer those whose block is decided; all if at rest. */
static void answer_decided(struct waiters *waiters)
{
    bool at_rest = pipeline_is_at_rest(waiters->pipeline);
    struct list ready = {0};
    struct waiter *next;
    LIST_EACH_REMOVING (struct waiter, waiter, &waiters->list, link) {
        if (!is_decided(waiters, waiter, at_rest))
            continue;
        list_remove(&waiters->list, &waiter->link);
        /* One that a snapshot vouches for is in the chain before it is verified. */
        waiter->result.is_connected = waiter->node &&
                                      active_chain_contains(waiters->active, waiter->node) &&
                                      block_node_was_connected(waiter->node);
        list_add(&ready, &waiter->link);
    }
    while ((next = LIST_POP(struct waiter, &ready, link)))
        release(waiters, next);
}

void waiters_block_failed(struct waiters *waiters, const struct block_node *node,
                          const struct verdict *verdict)
{
    struct list ready = {0};
    ASSERT(verdict->code != REJECT_NONE);
    LIST_EACH_REMOVING (struct waiter, waiter, &waiters->list, link) {
        bool is_below = waiter->node && block_node_ancestor(waiter->node, node->height) == node;
        if (!is_below)
            continue;
        list_remove(&waiters->list, &waiter->link);
        list_add_first(&ready, &waiter->link);
        waiter->result.verdict =
            waiter->node == node ? *verdict : (struct verdict){.code = REJECT_PREV_INVALID};
    }
    call_all(&ready);
}

void waiters_refuse_orders(struct waiters *waiters, const struct verdict *verdict)
{
    ASSERT(verdict->code != REJECT_NONE);
    LIST_EACH (struct waiter, waiter, &waiters->list, link)
        if (waiter->order_done)
            waiter->result.verdict = *verdict;
}

void waiters_await_rest(struct waiters *waiters, chain_order_fn *done, void *arg)
{
    struct waiter *waiter = xcalloc(1, sizeof *waiter);
    ASSERT(done);
    waiter->order_done = done;
    waiter->arg = arg;
    waiters_add(waiters, waiter);
    core_wake_soon(waiters->core);
}

static void step_waiters(void *part)
{
    struct waiters *waiters = part;
    if (waiters->list.count > 0 && core_is_working(waiters->core))
        answer_decided(waiters);
    serve_durable(waiters);
}

static bool is_syncing(const void *part)
{
    return ((const struct waiters *)part)->sync_running;
}

static void fail_all(void *part)
{
    struct waiters *waiters = part;
    fail_all_of(&waiters->list);
    fail_all_of(&waiters->sync_waiters);
}

const struct chain_part waiters_part = {
    .step = step_waiters, .is_busy = is_syncing, .cancel = fail_all};
