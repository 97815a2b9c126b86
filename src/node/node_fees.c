/* node_fees.c - see node_fees.h. */
#include "node/node_fees.h"

#include <errno.h>
#include <string.h>

#include "util/alloc.h"
#include "util/array.h"
#include "util/log.h"
#include "util/read_file.h"
#include "util/replace_file.h"

#define DIR_NAME     "fees"
#define FILE_NAME    "block_policy_estimates.dat"
#define MEMPOOL_NAME "mempool_policy_estimator.dat"
#define LEGACY_NAME  "fee_estimates.dat" /* of FILE_NAME, as Core called it up to v30 */

/* One of the two files. */
struct fees_file {
    char *path;
    int error;
};

struct fees_waiter {
    void (*done)(void *arg);
    void *arg;
};

struct node_fees {
    const struct env *env;
    const struct log *log;
    const struct chain *chain;
    struct fee_estimator *estimator;
    struct mempool_estimator *by_mempool;
    uint64_t ours_wu; /* of what has left the mempool for the block to be told of */
    char *dir, *legacy_path;
    struct fees_file file, mempool_file;
    uint64_t timer;
    bool is_stopping;

    bool is_writing, must_write_again;
    struct env_job job;
    /* What is written; the job's while it runs. */
    struct fee_estimator *snapshot;
    struct buffer mempool_bytes;
    ARRAY(struct fees_waiter) waiters; /* for the writing to end */
};

/* -- Reading the file ----------------------------------------------------------------------- */

/* A file in the old place is moved; beside one in the new place it is of no use any more. */
static void move_legacy(const struct node_fees *fees)
{
    const struct env *env = fees->env;
    if (env_modified_s(env, fees->legacy_path) < 0)
        return;
    int error;
    if (env_modified_s(env, fees->file.path) >= 0) {
        error = env_remove(env, fees->legacy_path);
    } else {
        error = env_make_dir(env, fees->dir);
        if (!error)
            error = env_rename(env, fees->legacy_path, fees->file.path);
        if (!error)
            error = env_sync_dir(env, fees->dir);
    }
    if (error)
        log_warning(fees->log, "%s cannot be moved to %s: %s", fees->legacy_path, fees->file.path,
                    strerror(-error));
}

/* What was known long ago may be far from what holds now. */
static bool is_too_old(const struct node_fees *fees, const struct node_fees_options *options)
{
    int64_t modified_s = env_modified_s(fees->env, fees->file.path);
    int64_t age_s = env_unix_s(options->clock) - modified_s;
    if (options->accepts_stale || modified_s < 0 || age_s <= FEE_FILE_AGE_MAX_S)
        return false;
    log_printf(fees->log, LOG_ALWAYS,
               "Fee estimation file %s too old (age=%lld > %d hours): it is taken only with "
               "-acceptstalefeeestimates",
               fees->file.path, (long long)(age_s / 3600), FEE_FILE_AGE_MAX_S / 3600);
    return true;
}

/* False if there is none, or it cannot be read, which is told. bytes is as new then. */
static bool read_bytes_of(const struct node_fees *fees, const char *path, int64_t max_bytes,
                          struct buffer *bytes)
{
    if (env_modified_s(fees->env, path) == -ENOENT)
        return false;
    int error = read_file(fees->env, path, max_bytes, bytes);
    if (error)
        log_warning(fees->log, "%s cannot be read: %s", path, strerror(-error));
    return !error;
}

static void load(struct node_fees *fees, const struct node_fees_options *options)
{
    struct buffer bytes;
    buffer_init(&bytes);
    move_legacy(fees);
    if (!is_too_old(fees, options) &&
        read_bytes_of(fees, fees->file.path, FEE_FILE_MAX_BYTES, &bytes) &&
        !fee_estimator_decode(fees->estimator, buffer_span(&bytes)))
        log_warning(fees->log, "%s is damaged or of another version: fee estimates begin anew",
                    fees->file.path);
    bytes.len = 0;
    /* Its age is no matter: the next block tells whether it belongs to the tip. */
    if (read_bytes_of(fees, fees->mempool_file.path, MEMPOOL_ESTIMATOR_FILE_MAX_BYTES, &bytes) &&
        !mempool_estimator_decode(fees->by_mempool, buffer_span(&bytes)))
        log_warning(fees->log, "%s is damaged or of another version: blocks are compared anew",
                    fees->mempool_file.path);
    buffer_deinit(&bytes);
}

/* -- Writing it ----------------------------------------------------------------------------- */

static void run_write(struct env_job *job)
{
    struct node_fees *fees = CONTAINER_OF(job, struct node_fees, job);
    ASSERT(fees->is_writing);
    int error = env_make_dir(fees->env, fees->dir);
    fees->file.error = fees->mempool_file.error = error;
    if (error)
        return;
    /* The file takes 300 kB, and what is known of quiet days next to nothing. */
    struct buffer bytes;
    buffer_init(&bytes);
    fee_estimator_encode(fees->snapshot, &bytes);
    fees->file.error = replace_file(fees->env, fees->file.path, buffer_span(&bytes));
    buffer_deinit(&bytes);
    fees->mempool_file.error =
        replace_file(fees->env, fees->mempool_file.path, buffer_span(&fees->mempool_bytes));
}

static void write_file(struct node_fees *fees);

static bool is_written(const struct node_fees *fees, const struct fees_file *file)
{
    if (file->error)
        log_warning(fees->log, "%s cannot be written: %s", file->path, strerror(-file->error));
    return !file->error;
}

static void on_written(struct env_job *job)
{
    struct node_fees *fees = CONTAINER_OF(job, struct node_fees, job);
    ASSERT(fees->is_writing);
    fees->is_writing = false;
    fee_estimator_free(fees->snapshot);
    fees->snapshot = NULL;
    buffer_deinit(&fees->mempool_bytes);
    if (job->cancelled)
        fees->file.error = fees->mempool_file.error = -ECANCELED;
    /* These words are what Core's users look for in the log. */
    if (is_written(fees, &fees->file))
        log_printf(fees->log, LOG_ALWAYS, "Flushed fee estimates to %s.", fees->file.path);
    if (is_written(fees, &fees->mempool_file))
        log_printf(fees->log, LOG_ALWAYS, "mempool_policy: mined-block stats flushed to %s.",
                   fees->mempool_file.path);
    if (fees->must_write_again) {
        write_file(fees);
        return;
    }
    /* Whoever is told may begin to wait again. */
    struct fees_waiter *waiters = fees->waiters.at;
    size_t n = fees->waiters.n;
    fees->waiters.at = NULL;
    fees->waiters.n = fees->waiters.capacity = 0;
    for (size_t i = 0; i < n; i++)
        waiters[i].done(waiters[i].arg);
    xfree(waiters);
}

static void write_file(struct node_fees *fees)
{
    /* One write at a time. */
    fees->must_write_again = fees->is_writing;
    if (fees->is_writing)
        return;
    fees->is_writing = true;
    fees->snapshot = fee_estimator_snapshot(fees->estimator);
    mempool_estimator_encode(fees->by_mempool, &fees->mempool_bytes);
    fees->job = (struct env_job){.run = run_write, .done = on_written};
    env_job_submit(fees->env, ENV_POOL_BLOCKING, ENV_PRIORITY_NORMAL, &fees->job);
}

static void on_hour(void *arg)
{
    struct node_fees *fees = arg;
    fees->timer = env_timer_start(fees->env, FEE_FILE_EVERY_US, on_hour, fees);
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
    fees->by_mempool = mempool_estimator_new(env, chain_network(chain)->pow_target_spacing_s);
    fees->dir = xasprintf("%s/" DIR_NAME, options->data_dir);
    fees->file.path = xasprintf("%s/" FILE_NAME, fees->dir);
    fees->mempool_file.path = xasprintf("%s/" MEMPOOL_NAME, fees->dir);
    fees->legacy_path = xasprintf("%s/" LEGACY_NAME, options->data_dir);
    buffer_init(&fees->mempool_bytes);
    load(fees, options);
    fees->timer = env_timer_start(env, FEE_FILE_EVERY_US, on_hour, fees);
    return fees;
}

void node_fees_free(struct node_fees *fees)
{
    if (!fees)
        return;
    ASSERT(!fees->is_writing && fees->waiters.n == 0);
    env_timer_cancel(fees->env, fees->timer);
    fee_estimator_free(fees->estimator);
    mempool_estimator_free(fees->by_mempool);
    xfree(fees->dir);
    xfree(fees->file.path);
    xfree(fees->mempool_file.path);
    xfree(fees->legacy_path);
    xfree(fees);
}

const struct fee_estimator *node_fees_estimator(const struct node_fees *fees)
{
    return fees ? fees->estimator : NULL;
}

struct mempool_estimator *node_fees_mempool_estimator(const struct node_fees *fees)
{
    return fees ? fees->by_mempool : NULL;
}

void node_fees_stop(struct node_fees *fees, bool keep, void (*done)(void *arg), void *arg)
{
    ASSERT(done && (!fees || !fees->is_stopping));
    if (!fees) {
        done(arg);
        return;
    }
    fees->is_stopping = true;
    env_timer_cancel(fees->env, fees->timer);
    fees->timer = 0;
    fee_estimator_leave_all(fees->estimator);
    if (keep)
        write_file(fees);
    node_fees_settle(fees, done, arg);
}

void node_fees_settle(struct node_fees *fees, void (*done)(void *arg), void *arg)
{
    ASSERT(done);
    if (fees && fees->is_writing)
        *ARRAY_ADD(&fees->waiters) = (struct fees_waiter){.done = done, .arg = arg};
    else
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

/* What it learns from: its own fee alone decides when it is mined. Not so of what spends something
 * unconfirmed, or came in a package: others may pay for it. Core: processTransaction() */
static void learn(struct node_fees *fees, const struct mempool_event *event)
{
    const struct mempool_entry *entry = event->entry;
    const struct fee_tx tx = {.txid = &entry->tx.txid,
                              .fee_sat = entry->fee_sat,
                              .vbytes = entry->vbytes,
                              .height = entry->height};
    if (entry->n_parents == 0 && !event->is_of_package && is_current(fees))
        fee_estimator_entered(fees->estimator, &tx);
}

size_t node_fees_waiting_bytes(const struct node_fees *fees)
{
    return fees ? fee_estimator_waiting_bytes(fees->estimator) : 0;
}

void node_fees_mempool_changed(struct node_fees *fees, const struct mempool_event *event)
{
    const struct mempool_entry *entry = event->entry;
    if (!fees || fees->is_stopping || event->reason == MEMPOOL_SENT_AGAIN)
        return;
    if (event->reason == MEMPOOL_ADDED) {
        if (event->is_putback)
            return;
        mempool_estimator_came(fees->by_mempool, entry);
        learn(fees, event);
    } else if (event->reason == MEMPOOL_REMOVED_BLOCK) {
        fees->ours_wu += entry->weight_wu;
        fee_estimator_mined(fees->estimator, &entry->tx.txid);
    } else {
        if (event->reason == MEMPOOL_REMOVED_REPLACED)
            mempool_estimator_replaced(fees->by_mempool, entry);
        fee_estimator_left(fees->estimator, &entry->tx.txid);
    }
}

void node_fees_block_connected(struct node_fees *fees, const struct block_node *node,
                               const struct block *block)
{
    ASSERT(node->prev && block->n_tx > 0);
    if (!fees || fees->is_stopping)
        return;
    struct mined_block mined = {.hash = node->hash, .height = node->height};
    for (uint32_t i = 1; i < block->n_tx; i++)
        mined.txs_wu += tx_weight_wu(&block->tx[i]);
    /* Where we have a transaction with another witness, our copy may be larger. */
    mined.ours_wu = MIN_OF(fees->ours_wu, mined.txs_wu);
    fees->ours_wu = 0;
    mempool_estimator_block(fees->by_mempool, &mined, &node->prev->hash);
    fee_estimator_block(fees->estimator, node->height);
}
