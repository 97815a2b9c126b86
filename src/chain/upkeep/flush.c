/* flush.c - makes what is committed durable, in the order of the crash rule: bytes of blocks and
 * undo data, then the index, then the coins.
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
    return stage == FLUSH_COINS && coins_is_full(chain->core.coins);
}

static void end_flush(struct chain *chain, int error)
{
    struct flush *flush = &chain->flush;
    struct flush_waiter *list = flush->running;
    flush->running = NULL;
    flush->stage = FLUSH_IDLE;
    if (flush->index_batch)
        env_batch_free(chain->core.env, flush->index_batch);
    flush->index_batch = NULL;
    flush->last_us = env_now_us(chain->core.env);
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
    core_wake_soon(&chain->core);
}

static void coins_done(void *arg, int error)
{
    end_flush(arg, error);
}

static void run_sync(struct env_job *job)
{
    struct flush *flush = flush_of(job);
    bool is_late = PLANTED(flush->chain->core.env, ROWS_BEFORE_BYTES);
    flush->error = is_late ? 0 : block_files_sync(flush->chain->core.files);
    if (flush->error)
        return;
    flush->error = index_db_write(flush->chain->core.index, flush->index_batch);
    flush->index_batch = NULL;
    if (is_late && !flush->error)
        flush->error = block_files_sync(flush->chain->core.files);
}

static void sync_done(struct env_job *job)
{
    struct flush *flush = flush_of(job);
    struct chain *chain = flush->chain;
    int error = job->cancelled ? -ECANCELED : flush->error;
    if (error || chain->core.faulted) {
        end_flush(chain, error ? error : -EIO);
        return;
    }
    flush->stage = FLUSH_COINS;
    flush->tip = chain_tip_node(chain);
    chain->marks &= ~flush->ends_marks;
    chain->marks_over &= ~flush->ends_marks;
    coins_flush_start(chain->core.coins, &flush->tip->hash, coins_done, chain);
    core_wake_soon(&chain->core);
}

/* The writes that a flush waits for may have ended. */
static void sync_if_drained(struct chain *chain)
{
    struct flush *flush = &chain->flush;
    if (flush->stage != FLUSH_WAITING || chain->writes_pending[chain->write_epoch ^ 1] > 0)
        return;
    if (chain->core.faulted) {
        end_flush(chain, -EIO);
        return;
    }
    flush->stage = FLUSH_SYNCING;
    flush->job = (struct env_job){.run = run_sync, .done = sync_done};
    env_job_submit(chain->core.env, ENV_POOL_BLOCKING, ENV_PRIORITY_HIGH, &flush->job);
}

/* Everything that a mark stands for is in this batch or was written before. */
static void end_marks(struct chain *chain)
{
    struct flush *flush = &chain->flush;
    flush->ends_marks = chain->marks & chain->marks_over;
    if (flush->ends_marks & CHAIN_MARK_REINDEX)
        index_db_batch_clear_flag(chain->core.index, flush->index_batch, INDEX_FLAG_REINDEXING);
    if (flush->ends_marks & CHAIN_MARK_REPLAY)
        index_db_batch_clear_replay(chain->core.index, flush->index_batch);
}

static void start_flush(struct chain *chain)
{
    struct flush *flush = &chain->flush;
    ASSERT(flush->stage == FLUSH_IDLE && chain->writes_pending[chain->write_epoch ^ 1] == 0);
    flush->chain = chain;
    flush->running = flush->wanted;
    flush->wanted = NULL;
    /* The index of this moment: what it names is written or being written, in this epoch. */
    flush->index_batch = index_db_batch(chain->core.index, &chain->tree, chain->core.files);
    end_marks(chain);
    chain->write_epoch ^= 1;
    flush->stage = FLUSH_WAITING;
    sync_if_drained(chain);
}

void chain_flush(struct chain *chain, void (*done)(void *arg, int error), void *arg)
{
    if (!chain->core.is_open || chain->core.faulted) {
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

static bool is_due(const struct chain *chain)
{
    const struct flush *flush = &chain->flush;
    bool has_news = chain->tree.dirty || flush->tip != chain_tip_node(chain);
    int64_t interval_us =
        chain->core.left_initial_download ? FLUSH_INTERVAL_US : FLUSH_INTERVAL_SYNCING_US;
    int64_t now_us = env_now_us(chain->core.env);
    bool ends_marks = chain->marks & chain->marks_over; /* or the next start does it all again */
    return coins_is_full(chain->core.coins) || prune_wants_flush(chain) || ends_marks ||
           (has_news && now_us - flush->last_us >= interval_us);
}

static void step(void *part)
{
    struct chain *chain = part;
    struct flush *flush = &chain->flush;
    sync_if_drained(chain);
    if (flush->stage == FLUSH_IDLE &&
        (flush->wanted || (core_is_working(&chain->core) && is_due(chain))))
        start_flush(chain);
}

static bool is_busy(const void *part)
{
    return ((const struct chain *)part)->flush.stage != FLUSH_IDLE;
}

static void flush_timer(void *arg)
{
    struct chain *chain = arg;
    core_wake_soon(&chain->core);
    chain->flush.timer =
        env_timer_start(chain->core.env, FLUSH_INTERVAL_US / 4, flush_timer, chain);
}

void flush_start_timer(struct chain *chain)
{
    chain->flush.last_us = env_now_us(chain->core.env);
    flush_timer(chain);
}

static void stop_timer(void *part)
{
    struct chain *chain = part;
    if (chain->flush.timer)
        env_timer_cancel(chain->core.env, chain->flush.timer);
    chain->flush.timer = 0;
}

const struct chain_part flush_part = {
    .name = "flush", .step = step, .is_busy = is_busy, .cancel = stop_timer};
