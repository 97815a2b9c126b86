/* flush.c - see flush.h.
 *
 * What is committed is made durable, in the order of the crash rule: bytes of blocks and
 * undo data, then the index, then the coins.
 *
 * A flush first waits for the writes that were submitted before it; meanwhile no block is
 * committed, so that index and coins are of one tip. While the frozen coins are written, commits
 * go on. */
#include "chain/upkeep/flush.h"

#include <errno.h>

#include "chain/coins/coins.h"
#include "chain/disk/block_file.h"
#include "chain/tree/index_db.h"
#include "chain/tree/lost.h"
#include "util/alloc.h"
#include "util/planted.h"

static struct flush *flush_of(struct env_job *job)
{
    return CONTAINER_OF(job, struct flush, job);
}

struct flush_waiter {
    struct list_link link;
    flush_fn *done;
    void *arg;
};

void flush_init(struct flush *flush, struct chain_core *core, struct header_tree *tree,
                const struct active_chain *active, struct writes *writes)
{
    ASSERT(core && tree && active && writes);
    *flush = (struct flush){.core = core, .tree = tree, .active = active, .writes = writes};
}

bool flush_is_idle(const struct flush *flush)
{
    return flush->stage == FLUSH_IDLE;
}

void flush_hold(struct flush *flush)
{
    ASSERT(flush->stage == FLUSH_IDLE);
    flush->stage = FLUSH_HELD;
}

void flush_release(struct flush *flush)
{
    ASSERT(flush->stage == FLUSH_HELD);
    flush->stage = FLUSH_IDLE;
}

bool flush_holds_commits(const struct flush *flush)
{
    enum flush_stage stage = flush->stage;
    if (stage == FLUSH_WAITING || stage == FLUSH_SYNCING)
        return true;
    /* Memory is bounded: with two full generations there is no room for another block. */
    return stage == FLUSH_COINS && coins_is_full(flush->core->coins);
}

/* Idle before the waiters are told: one of them may order the next flush. */
static void end_flush(struct flush *flush, int error)
{
    ASSERT(flush->stage != FLUSH_IDLE && flush->stage != FLUSH_HELD && error <= 0);
    struct list list = flush->running;
    struct flush_waiter *waiter;
    flush->running = (struct list){0};
    flush->stage = FLUSH_IDLE;
    if (flush->index_batch)
        env_batch_free(flush->core->env, flush->index_batch);
    flush->index_batch = NULL;
    flush->last_us = env_now_us(flush->core->env);
    if (error)
        lost_coins(flush->core, error, "flushing");
    else
        flush->completed++;
    while ((waiter = LIST_POP(struct flush_waiter, &list, link))) {
        waiter->done(waiter->arg, error);
        xfree(waiter);
    }
    core_wake_soon(flush->core);
}

static void coins_done(void *arg, int error)
{
    end_flush(arg, error);
}

/* A row names a block's place, so the bytes there must be durable before it is (the crash rule). */
static void run_sync(struct env_job *job)
{
    ASSERT(flush_of(job)->stage == FLUSH_SYNCING && flush_of(job)->index_batch);
    struct flush *flush = flush_of(job);
    bool is_late = PLANTED(flush->core->env, ROWS_BEFORE_BYTES);
    flush->error = is_late ? 0 : block_files_sync(flush->core->files);
    if (flush->error)
        return;
    flush->error = index_db_write(flush->core->index, flush->index_batch);
    flush->index_batch = NULL;
    if (is_late && !flush->error)
        flush->error = block_files_sync(flush->core->files);
}

/* Bytes and index are durable. Only now the coins may say that they stand for this tip: blocks that
 * a store of coins is ahead of could not be replayed. Commits have been held since the batch was
 * made, so the tip is the one that it knows. */
static void sync_done(struct env_job *job)
{
    struct flush *flush = flush_of(job);
    int error = job->cancelled ? -ECANCELED : flush->error;
    ASSERT(flush->stage == FLUSH_SYNCING);
    if (error || flush->core->faulted) {
        end_flush(flush, error ? error : -EIO);
        return;
    }
    flush->stage = FLUSH_COINS;
    flush->tip = active_chain_tip(flush->active);
    flush->marks &= ~flush->ends_marks;
    flush->marks_over &= ~flush->ends_marks;
    coins_flush_start(flush->core->coins, &flush->tip->hash, coins_done, flush);
    core_wake_soon(flush->core);
}

/* The writes that a flush waits for may have ended. */
static void sync_if_drained(struct flush *flush)
{
    if (flush->stage != FLUSH_WAITING || !writes_are_drained(flush->writes))
        return;
    if (flush->core->faulted) {
        end_flush(flush, -EIO);
        return;
    }
    flush->stage = FLUSH_SYNCING;
    flush->job = (struct env_job){.run = run_sync, .done = sync_done};
    env_job_submit(flush->core->env, ENV_POOL_BLOCKING, ENV_PRIORITY_HIGH, &flush->job);
}

/* Everything that a mark stands for is in this batch or was written before. */
static void end_marks(struct flush *flush)
{
    flush->ends_marks = flush->marks & flush->marks_over;
    if (flush->ends_marks & CHAIN_MARK_REINDEX)
        index_db_batch_clear_flag(flush->core->index, flush->index_batch, INDEX_FLAG_REINDEXING);
    if (flush->ends_marks & CHAIN_MARK_REPLAY)
        index_db_batch_clear_replay(flush->core->index, flush->index_batch);
}

/* [block 16] Now and then all of it becomes durable. */
void flush_begin(struct flush *flush)
{
    ASSERT(flush->stage == FLUSH_IDLE && flush->running.count == 0 && !flush->index_batch);
    flush->running = flush->wanted;
    flush->wanted = (struct list){0};
    /* The index of this moment: what it names is written or being written, in this epoch. */
    flush->index_batch = index_db_batch(flush->core->index, flush->tree, flush->core->files);
    end_marks(flush);
    writes_begin_epoch(flush->writes);
    flush->stage = FLUSH_WAITING;
    sync_if_drained(flush);
}

static void add_waiter(struct flush *flush, flush_fn *done, void *arg)
{
    struct flush_waiter *waiter = xcalloc(1, sizeof *waiter);
    waiter->done = done;
    waiter->arg = arg;
    list_add_first(&flush->wanted, &waiter->link);
    if (flush->stage == FLUSH_IDLE)
        flush_begin(flush);
}

void flush_order(struct flush *flush, flush_fn *done, void *arg)
{
    ASSERT(done);
    bool is_fit = flush->core->is_open && !flush->core->faulted;
    if (is_fit && !flush->is_last)
        add_waiter(flush, done, arg);
    else
        done(arg, is_fit ? -ECANCELED : -EIO);
}

void flush_order_last(struct flush *flush, flush_fn *done, void *arg)
{
    ASSERT(flush->core->is_open && !flush->core->faulted && !flush->is_last);
    flush->is_last = true;
    add_waiter(flush, done, arg);
}

/* A start that finds several files but an empty index takes the index for lost, and answers while
 * it is made anew. So the first row is written as soon as a second file is begun. */
static bool is_index_empty_for_long(const struct flush *flush)
{
    return flush->is_new && flush->completed == 0 && block_files_count(flush->core->files) > 1;
}

/* While catching up less often: what a crash takes is only work, and the same coins would be
 * written again and again. */
static bool is_due(const struct flush *flush)
{
    bool has_news = flush->tree->dirty || flush->tip != active_chain_tip(flush->active);
    int64_t interval_us =
        flush->core->left_initial_download ? FLUSH_INTERVAL_US : FLUSH_INTERVAL_SYNCING_US;
    int64_t now_us = env_now_us(flush->core->env);
    bool ends_marks = flush->marks & flush->marks_over; /* or the next start does it all again */
    return coins_is_full(flush->core->coins) || ends_marks || is_index_empty_for_long(flush) ||
           (has_news && now_us - flush->last_us >= interval_us);
}

static void step(void *part)
{
    struct flush *flush = part;
    sync_if_drained(flush);
    if (flush->stage == FLUSH_IDLE &&
        (flush->wanted.count > 0 || (core_is_working(flush->core) && is_due(flush))))
        flush_begin(flush);
}

static bool is_busy(const void *part)
{
    return ((const struct flush *)part)->stage != FLUSH_IDLE;
}

/* A quarter of the time between flushes, by which one can come late while nothing else happens. */
static void flush_timer(void *arg)
{
    struct flush *flush = arg;
    core_wake_soon(flush->core);
    flush->timer = env_timer_start(flush->core->env, FLUSH_INTERVAL_US / 4, flush_timer, flush);
}

void flush_start_timer(struct flush *flush)
{
    ASSERT(flush->timer == 0 && flush->tip);
    flush->last_us = env_now_us(flush->core->env);
    flush_timer(flush);
}

static void stop_timer(void *part)
{
    struct flush *flush = part;
    if (flush->timer)
        env_timer_cancel(flush->core->env, flush->timer);
    flush->timer = 0;
}

const struct chain_part flush_part = {.step = step, .is_busy = is_busy, .cancel = stop_timer};
