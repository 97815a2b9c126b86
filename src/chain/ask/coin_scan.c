/* coin_scan.c - every coin of the committed tip shown to somebody, off the loop.
 *
 * As for the statistics, the coins are flushed and a snapshot of the store is taken in the same
 * turn, so all coins are of one tip whatever is committed meanwhile. */
#include "chain/ask/coin_scan.h"

#include <errno.h>

#include "chain/coins/coins.h"
#include "chain/tree/lost.h"
#include "util/alloc.h"

/* Waits for its flush, then is a job, then is gone. */
struct scan_job {
    struct env_job job; /* first */
    struct flush *flush;
    struct coins *coins;          /* of the snapshot: the chain may go on with others */
    struct env_cursor *cursor;    /* the snapshot; NULL before it is taken and after the scan */
    const struct block_node *tip; /* whose coins it has */
    chain_coin_fn *visit;         /* on the job's thread */
    void (*done)(void *arg, int error, const struct block_node *tip);
    void *arg;
    int error;
};

static bool visit_one(void *arg, const struct outpoint *outpoint, const struct coin *coin)
{
    struct scan_job *scan = arg;
    if (atomic_load_explicit(&scan->flush->core->stops_jobs, memory_order_relaxed)) {
        scan->error = -ECANCELED;
        return false;
    }
    return scan->visit(scan->arg, outpoint, coin);
}

static void run(struct env_job *job)
{
    struct scan_job *scan = (struct scan_job *)job;
    int error = coins_scan_snapshot(scan->coins, scan->cursor, visit_one, scan);
    scan->cursor = NULL;
    if (error)
        scan->error = error;
}

/* The asker first: after a fault all that is still to be answered is only cancelled. */
static void end(struct scan_job *scan, int error)
{
    struct flush *flush = scan->flush;
    if (scan->cursor)
        coins_snapshot_close(scan->coins, scan->cursor);
    scan->done(scan->arg, error, error ? NULL : scan->tip);
    if (error == -EUCLEAN)
        lost_coins(flush->core, error, "going through the coins");
    xfree(scan);
    core_end(flush->core);
}

static void job_done(struct env_job *job)
{
    struct scan_job *scan = (struct scan_job *)job;
    end(scan, job->cancelled ? -ECANCELED : scan->error);
}

static void flushed(void *arg, int error)
{
    struct scan_job *scan = arg;
    struct flush *flush = scan->flush;
    if (error || flush->core->closing) {
        end(scan, error ? error : -ECANCELED);
        return;
    }
    scan->tip = flush->tip;
    scan->coins = flush->core->coins;
    scan->cursor = coins_snapshot(scan->coins);
    scan->job = (struct env_job){.run = run, .done = job_done};
    env_job_submit(flush->core->env, ENV_POOL_BLOCKING, ENV_PRIORITY_LOW, &scan->job);
}

void coin_scan(struct flush *flush, chain_coin_fn *visit,
               void (*done)(void *arg, int error, const struct block_node *tip), void *arg)
{
    struct scan_job *scan = xcalloc(1, sizeof *scan);
    ASSERT(visit && done);
    *scan = (struct scan_job){.flush = flush, .visit = visit, .done = done, .arg = arg};
    core_begin(flush->core);
    flush_order(flush, flushed, scan);
}
