/* flush.c - makes what is committed durable, in the order of the crash rule: bytes of blocks and
 * undo data, then the index, then the coins. Also the end of the chain.
 *
 * A flush first waits for the writes that were submitted before it; meanwhile no block is
 * committed, so that index and coins are of one tip. While the frozen coins are written, commits
 * go on. */
#include <errno.h>

#include "chain/chain_internal.h"
#include "util/alloc.h"
#include "util/planted.h"

static void start_flush(struct chain *chain);

static struct flush *flush_of(struct env_job *job)
{
    return (struct flush *)((char *)job - offsetof(struct flush, job));
}

bool flush_holds_commits(const struct chain *chain)
{
    enum flush_stage stage = chain->flush.stage;
    if (stage == FLUSH_WAITING || stage == FLUSH_SYNCING)
        return true;
    /* Memory is bounded: with two full generations there is no room for another block. */
    return stage == FLUSH_COINS && coins_is_full(chain->coins);
}

static void end_flush(struct chain *chain, int error)
{
    struct flush *flush = &chain->flush;
    struct flush_waiter *list = flush->running;
    flush->running = NULL;
    flush->stage = FLUSH_IDLE;
    if (flush->index_batch)
        env_batch_free(chain->env, flush->index_batch);
    flush->index_batch = NULL;
    flush->last_us = env_now_us(chain->env);
    if (error)
        chain_fault_of_coins(chain, error, "flushing");
    else
        flush->completed++;
    while (list) {
        struct flush_waiter *next = list->next;
        list->done(list->arg, error);
        xfree(list);
        list = next;
    }
    /* A waiter may have begun the next flush: its end comes by here again. */
    if (!error && flush->stage == FLUSH_IDLE) {
        prune_if_due(chain);
        txindex_wake(chain);
        spenderindex_wake(chain);
    }
    flush_resume(chain);
}

void flush_resume(struct chain *chain)
{
    if (chain->flush.stage != FLUSH_IDLE)
        return;
    if (chain->flush.wanted)
        start_flush(chain);
    pipeline_wake(chain);
    close_continue(chain);
}

static void coins_done(void *arg, int error)
{
    end_flush(arg, error);
}

static void run_sync(struct env_job *job)
{
    struct flush *flush = flush_of(job);
    bool is_late = PLANTED(flush->chain->env, ROWS_BEFORE_BYTES);
    flush->error = is_late ? 0 : block_files_sync(flush->chain->files);
    if (flush->error)
        return;
    flush->error = index_db_write(flush->chain->index, flush->index_batch);
    flush->index_batch = NULL;
    if (is_late && !flush->error)
        flush->error = block_files_sync(flush->chain->files);
}

static void sync_done(struct env_job *job)
{
    struct flush *flush = flush_of(job);
    struct chain *chain = flush->chain;
    int error = job->cancelled ? -ECANCELED : flush->error;
    if (error || chain->faulted) {
        end_flush(chain, error ? error : -EIO);
        return;
    }
    flush->stage = FLUSH_COINS;
    flush->tip = chain_tip_node(chain);
    chain->marks &= ~flush->ends_marks;
    chain->marks_over &= ~flush->ends_marks;
    coins_flush_start(chain->coins, &flush->tip->hash, coins_done, chain);
    pipeline_wake(chain);
}

void flush_writes_drained(struct chain *chain)
{
    struct flush *flush = &chain->flush;
    waiters_writes_drained(chain);
    if (flush->stage != FLUSH_WAITING || chain->writes_pending[chain->write_epoch ^ 1] > 0)
        return;
    if (chain->faulted) {
        end_flush(chain, -EIO);
        return;
    }
    flush->stage = FLUSH_SYNCING;
    flush->job = (struct env_job){.run = run_sync, .done = sync_done};
    env_job_submit(chain->env, ENV_POOL_BLOCKING, ENV_PRIORITY_HIGH, &flush->job);
}

/* Everything that a mark stands for is in this batch or was written before. */
static void end_marks(struct chain *chain)
{
    struct flush *flush = &chain->flush;
    flush->ends_marks = chain->marks & chain->marks_over;
    if (flush->ends_marks & CHAIN_MARK_REINDEX)
        index_db_batch_clear_flag(chain->index, flush->index_batch, INDEX_FLAG_REINDEXING);
    if (flush->ends_marks & CHAIN_MARK_REPLAY)
        index_db_batch_clear_replay(chain->index, flush->index_batch);
}

static void start_flush(struct chain *chain)
{
    struct flush *flush = &chain->flush;
    ASSERT(flush->stage == FLUSH_IDLE && chain->writes_pending[chain->write_epoch ^ 1] == 0);
    flush->chain = chain;
    flush->running = flush->wanted;
    flush->wanted = NULL;
    /* The index of this moment: what it names is written or being written, in this epoch. */
    flush->index_batch = index_db_batch(chain->index, &chain->tree, chain->files);
    end_marks(chain);
    chain->write_epoch ^= 1;
    flush->stage = FLUSH_WAITING;
    flush_writes_drained(chain);
}

void chain_flush(struct chain *chain, void (*done)(void *arg, int error), void *arg)
{
    if (!chain->is_open || chain->faulted) {
        done(arg, -EIO);
        return;
    }
    struct flush_waiter *waiter = xcalloc(1, sizeof *waiter);
    waiter->done = done;
    waiter->arg = arg;
    waiter->next = chain->flush.wanted;
    chain->flush.wanted = waiter;
    if (chain->flush.stage == FLUSH_IDLE)
        start_flush(chain);
}

void flush_if_due(struct chain *chain)
{
    struct flush *flush = &chain->flush;
    if (flush->stage != FLUSH_IDLE || !chain->is_open || chain->closing || chain->faulted)
        return;
    bool has_news = chain->tree.dirty || flush->tip != chain_tip_node(chain);
    int64_t interval_us =
        chain->left_initial_download ? FLUSH_INTERVAL_US : FLUSH_INTERVAL_SYNCING_US;
    int64_t now_us = env_now_us(chain->env);
    bool ends_marks = chain->marks & chain->marks_over; /* or the next start does it all again */
    if (coins_is_full(chain->coins) || prune_wants_flush(chain) || ends_marks ||
        (has_news && now_us - flush->last_us >= interval_us))
        start_flush(chain);
}

static void flush_timer(void *arg)
{
    struct chain *chain = arg;
    import_retry_early(chain);
    flush_if_due(chain);
    chain->flush.timer = env_timer_start(chain->env, FLUSH_INTERVAL_US / 4, flush_timer, chain);
}

void flush_start_timer(struct chain *chain)
{
    chain->flush.last_us = env_now_us(chain->env);
    flush_timer(chain);
}

/* -- Closing --------------------------------------------------------------------------------------
 */

static void finish_close(struct chain *chain, int error)
{
    void (*done)(void *, int) = chain->close_done;
    void *arg = chain->close_arg;
    const struct env *env = chain->env;
    uint64_t *const timers[] = {&chain->close_timer, &chain->advance_timer, &chain->flush.timer};
    chain->close_done = NULL;
    chain->is_open = false;
    /* done may free the chain: nothing of it may be called after that. */
    for (size_t i = 0; i < COUNT_OF(timers); i++) {
        if (*timers[i])
            env_timer_cancel(env, *timers[i]);
        *timers[i] = 0;
    }
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
    if (chain->close_timer)
        env_timer_cancel(chain->env, chain->close_timer);
    chain->close_error = error;
    chain->close_timer = env_timer_start(chain->env, 0, finish_now, chain);
}

static bool is_drained(const struct chain *chain)
{
    return chain->ops_pending == 0 && chain->flights.n == 0 && chain->flights_dropped == 0 &&
           chain->writes_pending[0] + chain->writes_pending[1] == 0 && !chain->sync_running &&
           chain->flush.stage == FLUSH_IDLE && !chain->close_flushing && !txindex_is_busy(chain) &&
           !spenderindex_is_busy(chain);
}

void close_continue(struct chain *chain)
{
    if (!chain->closing || !chain->close_done || !is_drained(chain))
        return;
    chain->close_flushing = true;
    import_end_cancelled(chain);
    if (chain->faulted)
        last_flush_done(chain, -EIO);
    else
        chain_flush(chain, last_flush_done, chain);
}

static void close_now(void *arg)
{
    struct chain *chain = arg;
    chain->close_timer = 0;
    close_continue(chain);
}

void chain_close(struct chain *chain, void (*done)(void *arg, int error), void *arg)
{
    ASSERT(!chain->closing);
    chain->closing = true;
    atomic_store(&chain->stops_jobs, true);
    const struct env *env = chain->env;
    if (chain->flush.timer)
        env_timer_cancel(env, chain->flush.timer);
    if (chain->advance_timer)
        env_timer_cancel(env, chain->advance_timer);
    chain->advance_timer = chain->flush.timer = 0;
    import_cancel_all(chain);
    block_reads_cancel_all(chain);
    txindex_cancel_all(chain);
    spenderindex_cancel_all(chain);
    pipeline_drop_all(chain);
    waiters_fail_all(chain);
    /* Only now: letting go of the last flight or waiter must not end the chain amid this call. */
    chain->close_done = done;
    chain->close_arg = arg;
    if (!chain->is_open) {
        finish_close(chain, 0);
        return;
    }
    /* From a timer, so that done is never called from within this call. */
    chain->close_timer = env_timer_start(env, 0, close_now, chain);
}
