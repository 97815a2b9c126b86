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
    struct waiters *waiters = CONTAINER_OF(job, struct waiters, sync_job);
    waiters->sync_error = block_files_sync(waiters->core->files);
}

static void fail_list(struct waiter **list)
{
    struct waiter *all = *list;
    *list = NULL;
    for (struct waiter *at = all; at; at = at->next)
        at->result.verdict = (struct verdict){.code = REJECT_FAULT};
    call_all(all);
}

static void serve_durable(struct waiters *waiters);

static void sync_done(struct env_job *job)
{
    struct waiters *waiters = CONTAINER_OF(job, struct waiters, sync_job);
    waiters->sync_running = false;
    int error = job->cancelled ? -ECANCELED : waiters->sync_error;
    struct waiter *list = waiters->syncing;
    waiters->syncing = NULL;
    if (error) {
        for (struct waiter *at = list; at; at = at->next)
            at->result.verdict = (struct verdict){.code = REJECT_FAULT};
        core_fault(waiters->core, error, "syncing block files");
    }
    call_all(list);
    serve_durable(waiters);
    core_ended(waiters->core);
}

/* All who wait for durability when a sync starts are served by that one. */
static void start_sync(struct waiters *waiters)
{
    if (waiters->sync_running || writes_pending(waiters->writes) > 0)
        return;
    waiters->sync_running = true;
    waiters->syncing = waiters->sync_waiters;
    waiters->sync_waiters = NULL;
    waiters->sync_job = (struct env_job){.run = run_sync, .done = sync_done};
    env_job_submit(waiters->core->env, ENV_POOL_BLOCKING, ENV_PRIORITY_HIGH, &waiters->sync_job);
}

/* If no write is pending, those who wait for durability can be served. */
static void serve_durable(struct waiters *waiters)
{
    /* After a failed write a sync would tell that bytes are safe which are not there. */
    if (waiters->sync_waiters && waiters->core->faulted)
        fail_list(&waiters->sync_waiters);
    else if (waiters->sync_waiters)
        start_sync(waiters);
}

static void release(struct waiters *waiters, struct waiter *waiter)
{
    if (PLANTED(waiters->core->env, ANSWER_BEFORE_SYNC))
        waiter->durable = false;
    if (waiter->durable && waiters->core->faulted)
        waiter->result.verdict = (struct verdict){.code = REJECT_FAULT};
    if (!waiter->durable || waiters->core->faulted) {
        waiter->next = NULL;
        call(waiter);
        return;
    }
    waiter->next = waiters->sync_waiters;
    waiters->sync_waiters = waiter;
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
    struct waiter **at = &waiters->list;
    ASSERT(!waiter->block_done != !waiter->order_done);
    while (*at)
        at = &(*at)->next;
    waiter->next = NULL;
    *at = waiter;
}

static bool is_decided(const struct waiters *waiters, const struct waiter *waiter, bool at_rest)
{
    return at_rest || (waiter->node && active_chain_contains(waiters->active, waiter->node));
}

/* Answer those whose block is decided; all if at rest. */
static void answer_decided(struct waiters *waiters)
{
    bool at_rest = pipeline_is_at_rest(waiters->pipeline);
    struct waiter **at = &waiters->list, *ready = NULL, **ready_end = &ready;
    while (*at) {
        struct waiter *waiter = *at;
        if (!is_decided(waiters, waiter, at_rest)) {
            at = &waiter->next;
            continue;
        }
        *at = waiter->next;
        waiter->next = NULL;
        waiter->result.is_connected =
            waiter->node && active_chain_contains(waiters->active, waiter->node);
        *ready_end = waiter;
        ready_end = &waiter->next;
    }
    while (ready) {
        struct waiter *next = ready->next;
        release(waiters, ready);
        ready = next;
    }
}

void waiters_block_failed(struct waiters *waiters, const struct block_node *node,
                          const struct verdict *verdict)
{
    struct waiter **at = &waiters->list, *ready = NULL;
    ASSERT(verdict->code != REJECT_NONE);
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

void waiters_refuse_orders(struct waiters *waiters, const struct verdict *verdict)
{
    ASSERT(verdict->code != REJECT_NONE);
    for (struct waiter *waiter = waiters->list; waiter; waiter = waiter->next)
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
    if (waiters->list && core_is_working(waiters->core))
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
    fail_list(&waiters->list);
    fail_list(&waiters->sync_waiters);
}

const struct chain_part waiters_part = {
    .step = step_waiters, .is_busy = is_syncing, .cancel = fail_all};
