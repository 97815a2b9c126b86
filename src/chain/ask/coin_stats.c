/* coin_stats.c - counts and hashes all coins of the committed tip, off the loop.
 *
 * The coins are flushed and a snapshot of the store is taken in the same turn, so the figures are
 * of one tip whatever is committed while they are worked out. */
#include "chain/ask/coin_stats.h"

#include <errno.h>

#include "chain/coins/coin_hash.h"
#include "chain/coins/coins.h"
#include "chain/tree/lost.h"
#include "crypto/hash.h"
#include "crypto/muhash.h"
#include "util/alloc.h"
#include "util/buffer.h"

/* Waits for its flush, then is a job, then is gone. */
struct stats_job {
    struct env_job job; /* first */
    struct flush *flush;
    struct coins *coins; /* of the snapshot: the chain may go on with others */
    enum coin_stats_hash hash;
    struct env_cursor *cursor; /* the snapshot; NULL before it is taken and after the scan */
    struct coin_stats stats;
    struct txid last_txid;    /* of the coin before; they come in order */
    struct sha256 serialized; /* of all coins so far, if hash asks for that ... */
    struct muhash muhash;     /* ... or this */
    struct buffer element;    /* one coin; kept for its memory */
    int error;
    coin_stats_fn *done;
    void *arg;
};

/* One hash runs over all coins in their order; MuHash takes each as a whole, in any. */
static void hash_coin(struct stats_job *stats, const struct outpoint *outpoint,
                      const struct coin *coin)
{
    struct writer w;
    switch (stats->hash) {
    case COIN_STATS_NONE:
        break;
    case COIN_STATS_SERIALIZED_3:
        w = writer_to_sha256(&stats->serialized);
        coin_hash_encode(&w, outpoint, coin);
        break;
    case COIN_STATS_MUHASH:
        stats->element.len = 0;
        w = writer_to_growing(&stats->element);
        coin_hash_encode(&w, outpoint, coin);
        muhash_insert(&stats->muhash, buffer_span(&stats->element));
        break;
    }
}

static bool visit(void *arg, const struct outpoint *outpoint, const struct coin *coin)
{
    struct stats_job *job = arg;
    struct coin_stats *stats = &job->stats;
    if (atomic_load_explicit(&job->flush->core->stops_jobs, memory_order_relaxed)) {
        job->error = -ECANCELED;
        return false;
    }
    if (stats->n_outputs == 0 || !txid_equal(&job->last_txid, &outpoint->txid))
        stats->n_tx++;
    job->last_txid = outpoint->txid;
    stats->n_outputs++;
    stats->total_sat += coin->value_sat;
    stats->bogo_size += COIN_STATS_BOGO_BYTES + coin->script_pubkey.len;
    hash_coin(job, outpoint, coin);
    return true;
}

static void run(struct env_job *env_job)
{
    struct stats_job *job = (struct stats_job *)env_job;
    struct coins *coins = job->coins;
    int error = coins_scan_snapshot(coins, job->cursor, visit, job);
    job->cursor = NULL;
    if (error)
        job->error = error;
    if (job->error)
        return;
    if (job->hash == COIN_STATS_SERIALIZED_3)
        sha256d_final(&job->serialized, job->stats.hash);
    if (job->hash == COIN_STATS_MUHASH)
        muhash_digest(&job->muhash, job->stats.hash);
    job->stats.disk_bytes = coins_store_bytes(coins);
}

static void end(struct stats_job *job, int error)
{
    struct flush *flush = job->flush;
    if (job->cursor)
        env_cursor_close(flush->core->env, job->cursor);
    job->done(job->arg, error, error ? NULL : &job->stats);
    if (error == -EUCLEAN)
        lost_coins(flush->core, error, "counting the coins");
    buffer_deinit(&job->element);
    xfree(job);
    core_end(flush->core);
}

static void job_done(struct env_job *env_job)
{
    struct stats_job *job = (struct stats_job *)env_job;
    end(job, env_job->cancelled ? -ECANCELED : job->error);
}

static void flushed(void *arg, int error)
{
    struct stats_job *job = arg;
    struct flush *flush = job->flush;
    if (error || flush->core->closing) {
        end(job, error ? error : -ECANCELED);
        return;
    }
    job->stats.tip = flush->tip;
    job->coins = flush->core->coins;
    job->cursor = coins_snapshot(job->coins);
    job->job = (struct env_job){.run = run, .done = job_done};
    env_job_submit(flush->core->env, ENV_POOL_BLOCKING, ENV_PRIORITY_LOW, &job->job);
}

void coin_stats_count(struct flush *flush, enum coin_stats_hash hash,
                      coin_stats_fn *done,
                      void *arg)
{
    struct stats_job *job = xcalloc(1, sizeof *job);
    ASSERT(done);
    job->flush = flush;
    job->hash = hash;
    job->done = done;
    job->arg = arg;
    buffer_init(&job->element);
    sha256_init(&job->serialized);
    muhash_init(&job->muhash);
    core_begin(flush->core);
    flush_order(flush, flushed, job);
}
