/* close.c - the end of the chain: no more work, what is under way ends, one last flush. */
#include <errno.h>

#include "chain/chain_internal.h"

static void finish_close(struct chain *chain, int error)
{
    void (*done)(void *, int) = chain->close_done;
    void *arg = chain->close_arg;
    ASSERT(chain->core.closing && chain->core.ops_pending == 0);
    chain->close_done = NULL;
    chain->core.is_open = false;
    if (chain->close_timer)
        env_timer_cancel(chain->core.env, chain->close_timer);
    chain->close_timer = 0;
    core_stop_turns(&chain->core);
    /* done may free the chain: nothing of it may be called after that. */
    if (done)
        done(arg, error);
}

static void finish_now(void *arg)
{
    struct chain *chain = arg;
    chain->close_timer = 0;
    finish_close(chain, chain->close_error);
}

/* Not from within the flush or whatever else has ended last, which is not through yet: done may
 * free the chain. */
static void last_flush_done(void *arg, int error)
{
    struct chain *chain = arg;
    ASSERT(chain->close_timer == 0);
    chain->close_error = error;
    chain->close_timer = env_timer_start(chain->core.env, 0, finish_now, chain);
}

void close_step(struct chain *chain)
{
    ASSERT(chain->core.closing);
    if (!chain->close_done || chain->close_flushing || chain->core.ops_pending > 0 ||
        chain_parts_are_busy(chain))
        return;
    chain->close_flushing = true;
    if (chain->core.faulted)
        last_flush_done(chain, -EIO);
    else
        chain_flush(chain, last_flush_done, chain);
}

void chain_close(struct chain *chain, void (*done)(void *arg, int error), void *arg)
{
    ASSERT(!chain->core.closing);
    chain->core.closing = true;
    atomic_store(&chain->core.stops_jobs, true);
    chain_parts_cancel(chain);
    /* Only now: letting go of the last flight or waiter must not end the chain amid this call. */
    chain->close_done = done;
    chain->close_arg = arg;
    if (!chain->core.is_open) {
        finish_close(chain, 0);
        return;
    }
    /* In a turn to come, so that done is never called from within this call. */
    core_wake_soon(&chain->core);
}
