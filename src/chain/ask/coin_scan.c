/* coin_scan.c - every coin of the committed tip shown to somebody, off the loop.
 *
 * As for the statistics, the coins are flushed and a snapshot of the store is taken in the same
 * turn, so all coins are of one tip whatever is committed meanwhile. */
#include <errno.h>

#include "chain/chain_internal.h"
#include "util/alloc.h"

struct scan_job {
    struct env_job job;
    struct chain *chain;
    struct env_cursor *cursor;
    const struct block_node *tip;
    chain_coin_fn *visit;
    void (*done)(void *arg, int error, const struct block_node *tip);
    void *arg;
    int error;
};

static bool visit_one(void *arg, const struct outpoint *outpoint, const struct coin *coin)
{
    struct scan_job *scan = arg;
    if (atomic_load_explicit(&scan->chain->core.stops_jobs, memory_order_relaxed)) {
        scan->error = -ECANCELED;
        return false;
    }
    return scan->visit(scan->arg, outpoint, coin);
}

static void run(struct env_job *job)
{
    struct scan_job *scan = (struct scan_job *)job;
    int error = coins_scan_snapshot(scan->chain->core.coins, scan->cursor, visit_one, scan);
    scan->cursor = NULL;
    if (error)
        scan->error = error;
}

static void end(struct scan_job *scan, int error)
{
    struct chain *chain = scan->chain;
    if (scan->cursor)
        coins_snapshot_close(chain->core.coins, scan->cursor);
    scan->done(scan->arg, error, error ? NULL : scan->tip);
    if (error == -EUCLEAN)
        chain_fault_of_coins(chain, error, "going through the coins");
    xfree(scan);
    core_end(&chain->core);
}

static void job_done(struct env_job *job)
{
    struct scan_job *scan = (struct scan_job *)job;
    end(scan, job->cancelled ? -ECANCELED : scan->error);
}

static void flushed(void *arg, int error)
{
    struct scan_job *scan = arg;
    struct chain *chain = scan->chain;
    if (error || chain->core.closing) {
        end(scan, error ? error : -ECANCELED);
        return;
    }
    scan->tip = chain->flush.tip;
    scan->cursor = coins_snapshot(chain->core.coins);
    scan->job = (struct env_job){.run = run, .done = job_done};
    env_job_submit(chain->core.env, ENV_POOL_BLOCKING, ENV_PRIORITY_LOW, &scan->job);
}

void chain_scan_coins(struct chain *chain, chain_coin_fn *visit,
                      void (*done)(void *arg, int error, const struct block_node *tip), void *arg)
{
    struct scan_job *scan = xcalloc(1, sizeof *scan);
    *scan = (struct scan_job){.chain = chain, .visit = visit, .done = done, .arg = arg};
    core_begin(&chain->core);
    chain_flush(chain, flushed, scan);
}
