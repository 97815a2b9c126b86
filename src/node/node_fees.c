/* node_fees.c - see node_fees.h. */
#include "node/node_fees.h"

#include <errno.h>
#include <string.h>

#include "util/alloc.h"
#include "util/log.h"
#include "util/read_file.h"
#include "util/replace_file.h"

#define DIR_NAME    "fees"
#define FILE_NAME   "block_policy_estimates.dat"
#define LEGACY_NAME "fee_estimates.dat" /* as Core called it up to v30 */

struct node_fees {
    const struct env *env;
    const struct log *log;
    const struct chain *chain;
    struct fee_estimator *estimator;
    char *dir, *path, *legacy_path;
    uint64_t timer;
    bool is_stopping;

    bool is_writing, must_write_again;
    struct env_job job;
    struct buffer bytes; /* the job's while it runs */
    int error;
    void (*done)(void *arg); /* NULL: nobody waits */
    void *arg;
};

/* -- Reading the file ----------------------------------------------------------------------- */

/* A file in the old place is moved; beside one in the new place it is of no use any more. */
static void move_legacy(const struct node_fees *fees)
{
    const struct env *env = fees->env;
    if (env_modified_s(env, fees->legacy_path) < 0)
        return;
    int error;
    if (env_modified_s(env, fees->path) >= 0) {
        error = env_remove(env, fees->legacy_path);
    } else {
        error = env_make_dir(env, fees->dir);
        if (!error)
            error = env_rename(env, fees->legacy_path, fees->path);
        if (!error)
            error = env_sync_dir(env, fees->dir);
    }
    if (error)
        log_warning(fees->log, "%s cannot be moved to %s: %s", fees->legacy_path, fees->path,
                    strerror(-error));
}

/* What was known long ago may be far from what holds now. */
static bool is_too_old(const struct node_fees *fees, const struct node_fees_options *options)
{
    int64_t age_s = env_unix_s(options->clock) - env_modified_s(fees->env, fees->path);
    if (options->accepts_stale || age_s <= FEE_FILE_AGE_MAX_S)
        return false;
    log_printf(fees->log, LOG_ALWAYS,
               "%s is not read: it was written %lld hours ago, and estimates older than %d hours "
               "are taken only with -acceptstalefeeestimates",
               fees->path, (long long)(age_s / 3600), FEE_FILE_AGE_MAX_S / 3600);
    return true;
}

static void load(struct node_fees *fees, const struct node_fees_options *options)
{
    struct buffer bytes;
    move_legacy(fees);
    if (env_modified_s(fees->env, fees->path) == -ENOENT || is_too_old(fees, options))
        return;
    buffer_init(&bytes);
    int error = read_file(fees->env, fees->path, FEE_FILE_MAX_BYTES, &bytes);
    if (error)
        log_warning(fees->log, "%s cannot be read: %s", fees->path, strerror(-error));
    else if (!fee_estimator_decode(fees->estimator, buffer_span(&bytes)))
        log_warning(fees->log, "%s is damaged or of another version: fee estimates begin anew",
                    fees->path);
    buffer_deinit(&bytes);
}

/* -- Writing it ----------------------------------------------------------------------------- */

static void run_write(struct env_job *job)
{
    struct node_fees *fees = CONTAINER_OF(job, struct node_fees, job);
    ASSERT(fees->is_writing);
    fees->error = env_make_dir(fees->env, fees->dir);
    if (!fees->error)
        fees->error = replace_file(fees->env, fees->path, buffer_span(&fees->bytes));
}

static void write_file(struct node_fees *fees);

static void on_written(struct env_job *job)
{
    struct node_fees *fees = CONTAINER_OF(job, struct node_fees, job);
    ASSERT(fees->is_writing);
    fees->is_writing = false;
    int error = job->cancelled ? -ECANCELED : fees->error;
    if (error)
        log_warning(fees->log, "%s cannot be written: %s", fees->path, strerror(-error));
    else
        log_printf(fees->log, LOG_ALWAYS, "Flushed fee estimates to %s.", fees->path);
    if (fees->must_write_again)
        write_file(fees);
    else if (fees->done)
        fees->done(fees->arg);
}

static void write_file(struct node_fees *fees)
{
    /* One write at a time. */
    fees->must_write_again = fees->is_writing;
    if (fees->is_writing)
        return;
    fees->is_writing = true;
    fees->bytes.len = 0;
    fee_estimator_encode(fees->estimator, &fees->bytes);
    fees->job = (struct env_job){.run = run_write, .done = on_written};
    env_job_submit(fees->env, ENV_POOL_BLOCKING, ENV_PRIORITY_NORMAL, &fees->job);
}

static void on_hour(void *arg)
{
    struct node_fees *fees = arg;
    fees->timer = env_timer_start(fees->env, FEE_FILE_EVERY_US, on_hour, fees);
    /* What a file holds that was too old to be read is better than nothing. */
    if (!fee_estimator_is_blank(fees->estimator))
        write_file(fees);
}

/* -- Life ----------------------------------------------------------------------------------- */

struct node_fees *node_fees_new(const struct env *env, const struct log *log,
                                const struct chain *chain, const struct node_fees_options *options)
{
    ASSERT(env && chain && options->data_dir && options->clock);
    struct node_fees *fees = xcalloc(1, sizeof *fees);
    fees->env = env;
    fees->log = log;
    fees->chain = chain;
    fees->estimator = fee_estimator_new(env);
    fees->dir = xasprintf("%s/" DIR_NAME, options->data_dir);
    fees->path = xasprintf("%s/" FILE_NAME, fees->dir);
    fees->legacy_path = xasprintf("%s/" LEGACY_NAME, options->data_dir);
    buffer_init(&fees->bytes);
    load(fees, options);
    fees->timer = env_timer_start(env, FEE_FILE_EVERY_US, on_hour, fees);
    return fees;
}

void node_fees_free(struct node_fees *fees)
{
    if (!fees)
        return;
    ASSERT(!fees->is_writing);
    env_timer_cancel(fees->env, fees->timer);
    fee_estimator_free(fees->estimator);
    buffer_deinit(&fees->bytes);
    xfree(fees->dir);
    xfree(fees->path);
    xfree(fees->legacy_path);
    xfree(fees);
}

const struct fee_estimator *node_fees_estimator(const struct node_fees *fees)
{
    return fees->estimator;
}

void node_fees_stop(struct node_fees *fees, bool keep, void (*done)(void *arg), void *arg)
{
    ASSERT(done && !fees->is_stopping);
    fees->is_stopping = true;
    env_timer_cancel(fees->env, fees->timer);
    fees->timer = 0;
    fee_estimator_leave_all(fees->estimator);
    fees->done = done;
    fees->arg = arg;
    if (keep && !fee_estimator_is_blank(fees->estimator))
        write_file(fees);
    if (!fees->is_writing)
        done(arg);
}

/* -- What there is to learn ----------------------------------------------------------------- */

/* A chain that lags mines nothing of what comes now, whatever it pays. */
static bool is_current(const struct node_fees *fees)
{
    const struct block_node *tip = chain_tip(fees->chain);
    return !chain_is_initial_download(fees->chain) &&
           tip->time >= env_unix_s(fees->env) - FEE_TIP_AGE_MAX_S &&
           tip->height >= chain_best_header(fees->chain)->height - 1;
}

void node_fees_mempool_changed(struct node_fees *fees, const struct mempool_event *event)
{
    const struct mempool_entry *entry = event->entry;
    if (fees->is_stopping || event->reason == MEMPOOL_SENT_AGAIN)
        return;
    if (event->reason == MEMPOOL_REMOVED_BLOCK) {
        fee_estimator_mined(fees->estimator, &entry->tx.txid);
    } else if (event->reason != MEMPOOL_ADDED) {
        fee_estimator_left(fees->estimator, &entry->tx.txid);
    } else if (entry->n_parents == 0 && !event->is_putback && is_current(fees)) {
        const struct fee_tx tx = {.txid = &entry->tx.txid,
                                  .fee_sat = entry->fee_sat,
                                  .vbytes = entry->vbytes,
                                  .height = entry->height};
        fee_estimator_entered(fees->estimator, &tx);
    }
}

void node_fees_block_connected(struct node_fees *fees, const struct block_node *block)
{
    if (!fees->is_stopping)
        fee_estimator_block(fees->estimator, block->height);
}
