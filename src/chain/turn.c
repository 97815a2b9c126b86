/* turn.c - the turns of the parts, and the end of the chain, when no part is busy any more. */
#include <errno.h>

#include "chain/chain_parts.h"

/* -- The turn ------------------------------------------------------------------------------------
 */

/* The tip has moved, and the chain rests for now: tell the node. */
static void announce_tip(void *part)
{
    struct chain *chain = part;
    if (!core_is_working(&chain->core))
        return;
    chain_update_initial_download(chain);
    if (pipeline_take_moved(&chain->pipeline) && chain->core.events.tip_changed)
        chain->core.events.tip_changed(chain->core.events.ctx, chain_tip(chain));
}

static const struct chain_part tip_part = {.step = announce_tip};

/* chain_check() if the options want it, in at most a tenth of the time. */
static void check_now_and_then(void *part)
{
    struct chain *chain = part;
    const struct env *env = chain->core.env;
    if (!chain->core.options.check_invariants || !core_is_working(&chain->core))
        return;
    int64_t start_us = env_now_us(env);
    if (start_us < chain->next_check_us)
        return;
    chain_check(chain);
    int64_t end_us = env_now_us(env);
    chain->next_check_us = end_us + 9 * (end_us - start_us);
}

static const struct chain_part check_part = {.step = check_now_and_then};

/* clang-format off */
/* In the order of a turn: blocks come in and become the tip, the tip is told, those who follow it
 * go on, it is made durable, and then there is room for more. */
static const struct row {
    const struct chain_part *part;
    size_t offset; /* of what the part works on, in struct chain */
} rows[] = {
    {&writes_part, offsetof(struct chain, writes)},
    {&intake_part, offsetof(struct chain, intake)},
    {&past_check_part, offsetof(struct chain, past)},
    {&pipeline_part, offsetof(struct chain, pipeline)},
    {&tip_part, 0},
    {&pipeline_part, offsetof(struct chain, past.pipeline)},
    {&index_follower_part, offsetof(struct chain, txindex)},
    {&index_follower_part, offsetof(struct chain, spenderindex)},
    {&index_follower_part, offsetof(struct chain, filterindex)},
    {&index_follower_part, offsetof(struct chain, coinstatsindex)},
    {&index_follower_part, offsetof(struct chain, addressindex)},
    {&waiters_part, offsetof(struct chain, waiters)},
    {&undo_repair_part, offsetof(struct chain, undo_repair)},
    {&prune_part, offsetof(struct chain, prune)},
    {&rewind_part, offsetof(struct chain, rewind)},
    {&flush_part, offsetof(struct chain, flush)},
    {&snapshot_load_part, offsetof(struct chain, snapshot_load)},
    {&block_reads_part, offsetof(struct chain, reads)},
    {&import_part, offsetof(struct chain, importer)},
    {&check_part, 0},
};
/* clang-format on */

static void *part_of(const struct chain *chain, const struct row *row)
{
    return (char *)chain + row->offset;
}

static bool parts_are_busy(const struct chain *chain)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (rows[i].part->is_busy && rows[i].part->is_busy(part_of(chain, &rows[i])))
            return true;
    return false;
}

static void cancel_parts(struct chain *chain)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (rows[i].part->cancel)
            rows[i].part->cancel(part_of(chain, &rows[i]));
}

/* -- The end ----------------------------------------------------------------------------------- */

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

/* Then the coins of blocks that are checked in the background. */
static void flushed_last(void *arg, int error)
{
    struct chain *chain = arg;
    if (error)
        last_flush_done(chain, error);
    else
        past_check_store_last(&chain->past, last_flush_done, chain);
}

/* At the end of each turn: when nobody is busy, one more flush, so that the next start has nothing
 * to replay. After a fault there is none: what we know may not be what is on the disk. */
static void close_if_drained(struct chain *chain)
{
    ASSERT(chain->core.closing);
    if (!chain->close_done || chain->close_flushing || chain->core.ops_pending > 0 ||
        parts_are_busy(chain))
        return;
    chain->close_flushing = true;
    if (chain->core.faulted)
        last_flush_done(chain, -EIO);
    else
        flush_order_last(&chain->flush, flushed_last, chain);
}

void chain_turn(void *arg)
{
    struct chain *chain = arg;
    for (size_t i = 0; i < COUNT_OF(rows) && chain->core.is_open; i++)
        if (rows[i].part->step)
            rows[i].part->step(part_of(chain, &rows[i]));
    if (chain->core.closing)
        close_if_drained(chain);
}

void chain_close(struct chain *chain, void (*done)(void *arg, int error), void *arg)
{
    ASSERT(!chain->core.closing);
    chain->core.closing = true;
    atomic_store(&chain->core.stops_jobs, true);
    cancel_parts(chain);
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
