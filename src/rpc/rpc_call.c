/* rpc_call.c - how a handler ends its call: with an error, later, or by a job off the loop. */
#include <stdarg.h>
#include <stdio.h>

#include "crypto/key.h"
#include "rpc/rpc_internal.h"
#include "util/alloc.h"

enum { MESSAGE_MAX_BYTES = 65536 }; /* of an error: some quote an argument, which may have 30 MB */

static void set_error(struct rpc_call *call, enum rpc_code code, const char *format, va_list args)
{
    ASSERT(code != 0 && !call->entry_done);
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    ASSERT(len >= 0);
    size_t size = (size_t)len < MESSAGE_MAX_BYTES ? (size_t)len + 1 : MESSAGE_MAX_BYTES;
    xfree(call->error_message);
    call->error_message = xmalloc(size);
    vsnprintf(call->error_message, size, format, args);
    call->error_code = code;
}

enum rpc_progress rpc_fail(struct rpc_call *call, enum rpc_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_error(call, code, format, args);
    va_end(args);
    return RPC_DONE;
}

bool rpc_refuse(struct rpc_call *call, enum rpc_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_error(call, code, format, args);
    va_end(args);
    return false;
}

void rpc_finish(struct rpc_call *call)
{
    ASSERT(!call->entry_done);
    call->entry_done = true;
    /* Within its handler: the loop over the batch's entries goes on by itself, without recursion.
     */
    if (!call->is_running)
        call->rpc->entry_ended(call);
}

void rpc_call_timer(struct rpc_call *call, int64_t delay_ms, env_timer_fn *fn)
{
    ASSERT(delay_ms >= 0 && fn);
    ASSERT(call);
    const struct env *env = call->rpc->node->env;
    if (call->timer)
        env_timer_cancel(env, call->timer);
    call->timer = env_timer_start(env, delay_ms * 1000, fn, call);
}

static void on_job_done(struct env_job *job)
{
    ASSERT(job->done == on_job_done);
    struct rpc_call *call = rpc_job_call(job);
    if (job->cancelled)
        rpc_fail(call, RPC_INTERNAL_ERROR, "Shutting down");
    /* In each case: it gives back what the job worked on (hazard 36). */
    if (call->job_end)
        call->job_end(call);
    if (job->cancelled || !call->job_next || call->job_next(call) == RPC_DONE)
        rpc_finish(call);
}

void rpc_run_job(struct rpc_call *call, void (*run)(struct env_job *job),
                 void (*end)(struct rpc_call *call))
{
    ASSERT(run && !call->entry_done);
    ASSERT(call);
    call->job_end = end;
    call->job_next = NULL;
    const struct env *env = call->rpc->node->env;
    call->job = (struct env_job){.run = run, .done = on_job_done};
    env_job_submit(env, ENV_POOL_COMPUTE, ENV_PRIORITY_NORMAL, &call->job);
}

void rpc_run_step(struct rpc_call *call, void (*run)(struct env_job *job),
                  void (*end)(struct rpc_call *call),
                  enum rpc_progress (*next)(struct rpc_call *call))
{
    ASSERT(next);
    ASSERT(call);
    rpc_run_job(call, run, end);
    call->job_next = next;
}

enum rpc_progress rpc_run_if_long(struct rpc_call *call, void (*run)(struct env_job *job),
                                  void (*end)(struct rpc_call *call),
                                  enum rpc_progress (*next)(struct rpc_call *call))
{
    ASSERT(call && run);
    if (call->is_long) {
        rpc_run_job(call, run, end);
        call->job_next = next;
        return RPC_PENDING;
    }
    run(&call->job);
    if (end)
        end(call);
    return next ? next(call) : RPC_DONE;
}

struct rpc_call *rpc_job_call(struct env_job *job)
{
    return CONTAINER_OF(job, struct rpc_call, job);
}

const char *rpc_warmup(const struct rpc *rpc)
{
    const struct rpc_node *node = rpc->node;
    ASSERT(node);
    const char *status = node->warmup_status ? node->warmup_status(node->ctx) : "";
    if (node->chain && !*status)
        return NULL;
    return *status ? status : "Loading block index\xe2\x80\xa6";
}

struct ec_context *rpc_ec_context(struct rpc *rpc)
{
    ASSERT(rpc);
    if (!rpc->ec) {
        uint8_t seed[32];
        env_random(rpc->node->env, seed, sizeof seed);
        rpc->ec = ec_context_new(seed);
    }
    return rpc->ec;
}
