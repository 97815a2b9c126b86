/* mempool.c - the mempool as an object: making, asking, keeping its size. */
#include "mempool/mempool_internal.h"
#include "util/alloc.h"

#define ROLLING_HALFLIFE_S (12 * 60 * 60)
#define ROLLING_UPDATE_S   10

struct mempool_options mempool_default_options(void)
{
    return (struct mempool_options){
        .max_bytes = 300 * (size_t)1000 * 1000,
        .expiry_s = INT64_C(336) * 60 * 60,
        .min_relay_sat_per_kvb = 100,
        .incremental_sat_per_kvb = 100,
        .dust_sat_per_kvb = 3000,
        .require_standard = true,
        .permit_bare_multisig = true,
        .max_datacarrier_bytes = 100000,
    };
}

const char *mempool_reason_name(enum mempool_reason reason)
{
    /* clang-format off */
    static const char *const names[MEMPOOL_REASON_COUNT] = {
        [MEMPOOL_ADDED] = "added",
        [MEMPOOL_REMOVED_BLOCK] = "block",
        [MEMPOOL_REMOVED_CONFLICT] = "conflict",
        [MEMPOOL_REMOVED_REORG] = "reorg",
        [MEMPOOL_REMOVED_EXPIRY] = "expiry",
        [MEMPOOL_REMOVED_SIZELIMIT] = "sizelimit",
        [MEMPOOL_REMOVED_REPLACED] = "replaced",
        [MEMPOOL_SENT_AGAIN] = "sent-again",
    };
    /* clang-format on */
    ASSERT((unsigned)reason < MEMPOOL_REASON_COUNT);
    return names[reason];
}

struct mempool *mempool_new(const struct env *env, const struct log *log, struct chain *chain,
                            const struct mempool_options *options,
                            const struct mempool_events *events)
{
    struct mempool *mempool = xcalloc(1, sizeof *mempool);
    mempool->env = env;
    mempool->log = log;
    mempool->chain = chain;
    mempool->options = *options;
    if (events)
        mempool->events = *events;
    mempool->policy = (struct policy){
        .dust_sat_per_kvb = options->dust_sat_per_kvb,
        .permit_bare_multisig = options->permit_bare_multisig,
        .max_datacarrier_bytes = options->max_datacarrier_bytes,
    };
    env_random(env, &mempool->key, sizeof mempool->key);
    scratch_pool_init(&mempool->scratch);
    hash_map_init(&mempool->by_txid);
    hash_map_init(&mempool->by_wtxid);
    hash_map_init(&mempool->spent);
    hash_map_init(&mempool->deltas);
    hash_map_init(&mempool->checks);
    pool_clusters_init(&mempool->clusters);
    return mempool;
}

static void free_entries(struct mempool *mempool)
{
    mempool->events.changed = NULL; /* nobody is told of the end */
    while (mempool->newest)         /* children before parents */
        pool_remove(mempool, mempool->newest, MEMPOOL_REMOVED_SIZELIMIT);
    pool_clusters_settle(mempool);
}

void mempool_free(struct mempool *mempool)
{
    if (!mempool)
        return;
    ASSERT(mempool->n_checks == 0 && mempool->n_loads == 0 && !mempool->waiters);
    pool_putbacks_deinit(mempool);
    free_entries(mempool);
    pool_clusters_deinit(&mempool->clusters);
    size_t at = 0;
    for (void *delta; (delta = hash_map_next(&mempool->deltas, &at));)
        xfree(delta);
    scratch_pool_deinit(&mempool->scratch);
    hash_map_deinit(&mempool->by_txid);
    hash_map_deinit(&mempool->by_wtxid);
    hash_map_deinit(&mempool->spent);
    hash_map_deinit(&mempool->deltas);
    hash_map_deinit(&mempool->checks);
    xfree(mempool->slots);
    xfree(mempool->free_slots);
    xfree(mempool);
}

static bool is_idle(const struct mempool *mempool)
{
    return mempool->n_checks == 0 && mempool->n_loads == 0;
}

static void on_close_timer(void *arg)
{
    struct mempool *mempool = arg;
    mempool->close_timer = 0;
    if (!is_idle(mempool) || !mempool->close_done)
        return;
    void (*done)(void *) = mempool->close_done;
    mempool->close_done = NULL; /* once */
    done(mempool->close_arg);   /* which may free the mempool */
}

void pool_close_continue(struct mempool *mempool)
{
    /* From a timer, so that whoever ends last is through when the mempool is freed. */
    if (mempool->closing && mempool->close_done && is_idle(mempool) && mempool->close_timer == 0)
        mempool->close_timer = env_timer_start(mempool->env, 0, on_close_timer, mempool);
}

void mempool_close(struct mempool *mempool, void (*done)(void *arg), void *arg)
{
    ASSERT(!mempool->closing);
    mempool->closing = true;
    mempool->close_done = done;
    mempool->close_arg = arg;
    pool_putbacks_deinit(mempool);
    pool_waiters_call(mempool);
    pool_close_continue(mempool);
}

/* -- Asking ------------------------------------------------------------------------------------ */

int64_t pool_now_s(const struct mempool *mempool)
{
    return env_unix_s(mempool->env);
}

size_t mempool_count(const struct mempool *mempool)
{
    return mempool->count;
}

size_t mempool_vbytes(const struct mempool *mempool)
{
    return mempool->vbytes;
}

size_t mempool_memory_bytes(const struct mempool *mempool)
{
    return mempool->memory_bytes;
}

int64_t mempool_total_fee_sat(const struct mempool *mempool)
{
    return mempool->total_fee_sat;
}

uint64_t mempool_sequence(const struct mempool *mempool)
{
    return mempool->sequence;
}

const struct mempool_options *mempool_options_of(const struct mempool *mempool)
{
    return &mempool->options;
}

size_t mempool_pending(const struct mempool *mempool)
{
    const struct pool_putbacks *putbacks = &mempool->putbacks;
    return mempool->n_checks + putbacks->n - putbacks->first;
}

size_t mempool_unbroadcast_count(const struct mempool *mempool)
{
    return mempool->n_unbroadcast;
}

size_t mempool_cluster_count(const struct mempool *mempool, const struct mempool_entry *entry)
{
    return pool_cluster_of(mempool, pool_entry_of(entry))->n;
}

struct feerate mempool_chunk(const struct mempool *mempool, const struct mempool_entry *entry)
{
    const struct pool_entry *own = pool_entry_of(entry);
    const struct pool_cluster *cluster = pool_cluster_of(mempool, own);
    uint32_t i = 0;
    while (cluster->chunks[i].end <= own->cluster_at)
        i++;
    return cluster->chunks[i].rate;
}

void mempool_mark_broadcast(struct mempool *mempool, const struct txid *txid)
{
    struct pool_entry *entry = pool_find(mempool, txid);
    if (!entry || !entry->pub.is_unbroadcast)
        return;
    entry->pub.is_unbroadcast = false;
    mempool->n_unbroadcast--;
}

/* -- Deltas ------------------------------------------------------------------------------------ */

static bool delta_has_txid(const void *value, const void *key)
{
    return txid_equal(&((const struct mempool_delta *)value)->txid, key);
}

static struct mempool_delta *find_delta(const struct mempool *mempool, const struct txid *txid)
{
    if (mempool->deltas.count == 0)
        return NULL;
    return hash_map_find(&mempool->deltas, pool_hash_id(mempool, txid->b), delta_has_txid, txid);
}

int64_t mempool_delta_sat(const struct mempool *mempool, const struct txid *txid)
{
    const struct mempool_delta *delta = find_delta(mempool, txid);
    return delta ? delta->delta_sat : 0;
}

const struct mempool_delta *mempool_next_delta(const struct mempool *mempool, size_t *at)
{
    return hash_map_next(&mempool->deltas, at);
}

/* a + b, kept within what sums of 64 fees cannot overflow. */
static int64_t add_clamped(int64_t a, int64_t b)
{
    const int64_t limit = 50 * MAX_MONEY_SAT;
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return b > 0 ? limit : -limit;
    return sum > limit ? limit : sum < -limit ? -limit : sum;
}

void mempool_prioritise(struct mempool *mempool, const struct txid *txid, int64_t delta_sat)
{
    struct mempool_delta *delta = find_delta(mempool, txid);
    uint64_t hash = pool_hash_id(mempool, txid->b);
    if (!delta) {
        delta = xcalloc(1, sizeof *delta);
        delta->txid = *txid;
        hash_map_insert(&mempool->deltas, hash, delta);
    }
    delta->delta_sat = add_clamped(delta->delta_sat, delta_sat);
    struct pool_entry *entry = pool_find(mempool, txid);
    if (entry) {
        entry->pub.modified_fee_sat = entry->pub.fee_sat + delta->delta_sat;
        pool_cluster_touch(mempool, entry);
        pool_clusters_settle(mempool);
        mempool->epoch++;
    }
    if (delta->delta_sat == 0) {
        hash_map_remove(&mempool->deltas, hash, delta_has_txid, txid);
        xfree(delta);
    }
}

/* -- Keeping its size -------------------------------------------------------------------------- */

/* 2 to the power of -x for x >= 0: halvings, then a polynomial, since the C library's would need
 * the mathematics library for this line alone. */
static double halved(double x)
{
    double result = 1;
    for (; x >= 1 && result > 0; x -= 1)
        result /= 2;
    if (x >= 1)
        return 0;
    double t = x * 0.6931471805599453; /* e^-t */
    return result * (1 - t * (1 - t / 2 * (1 - t / 3 * (1 - t / 4 * (1 - t / 5)))));
}

int64_t pool_rolling_feerate(struct mempool *mempool)
{
    if (!mempool->block_since_bump || mempool->rolling_sat_per_kvb <= 0)
        return (int64_t)(mempool->rolling_sat_per_kvb + 0.5);
    int64_t elapsed_s = pool_now_s(mempool) - mempool->rolling_update_s;
    if (elapsed_s > ROLLING_UPDATE_S) {
        double halflife_s = ROLLING_HALFLIFE_S;
        if (mempool->memory_bytes < mempool->options.max_bytes / 4)
            halflife_s /= 4;
        else if (mempool->memory_bytes < mempool->options.max_bytes / 2)
            halflife_s /= 2;
        mempool->rolling_sat_per_kvb *= halved((double)elapsed_s / halflife_s);
        mempool->rolling_update_s += elapsed_s;
        if (mempool->rolling_sat_per_kvb < (double)mempool->options.incremental_sat_per_kvb / 2) {
            mempool->rolling_sat_per_kvb = 0;
            return 0;
        }
    }
    int64_t rate = (int64_t)(mempool->rolling_sat_per_kvb + 0.5);
    int64_t least = mempool->options.incremental_sat_per_kvb;
    return rate > least ? rate : least;
}

int64_t mempool_min_feerate_sat_per_kvb(struct mempool *mempool)
{
    int64_t rolling = pool_rolling_feerate(mempool), least = mempool->options.min_relay_sat_per_kvb;
    return rolling > least ? rolling : least;
}

/* From now on nothing gets in that pays no more than what had to go. Core: trackPackageRemoved() */
static void raise_floor(struct mempool *mempool, struct feerate rate)
{
    double sat_per_kvb = (double)rate.fee_sat * 1000 * WITNESS_SCALE / (double)rate.size +
                         (double)mempool->options.incremental_sat_per_kvb;
    if (sat_per_kvb > mempool->rolling_sat_per_kvb) {
        mempool->rolling_sat_per_kvb = sat_per_kvb;
        mempool->block_since_bump = false;
    }
}

/* The last chunk of a cluster: nothing but itself spends from it. */
static void evict_worst(struct mempool *mempool)
{
    struct pool_cluster *worst = pool_clusters_worst(mempool);
    uint32_t last = worst->n_chunks - 1;
    uint32_t begin = last == 0 ? 0 : worst->chunks[last - 1].end;
    raise_floor(mempool, worst->chunks[last].rate);
    while (worst->n > begin)
        pool_remove(mempool, worst->order[worst->n - 1], MEMPOOL_REMOVED_SIZELIMIT);
    pool_clusters_settle(mempool);
}

static void expire(struct mempool *mempool)
{
    int64_t limit_s = pool_now_s(mempool) - mempool->options.expiry_s, oldest_s = INT64_MAX;
    if (mempool->count == 0 || mempool->oldest_time_s >= limit_s)
        return;
    /* Newest first: what spends from an entry is gone before it, so each one's removal takes only
     * entries that have been looked at. */
    for (struct pool_entry *entry = mempool->newest, *older; entry; entry = older) {
        older = entry->older;
        if (entry->pub.time_s < limit_s) {
            pool_remove_tree(mempool, entry, MEMPOOL_REMOVED_EXPIRY);
            pool_clusters_settle(mempool);
        }
    }
    for (const struct pool_entry *entry = mempool->oldest; entry; entry = entry->newer)
        if (entry->pub.time_s < oldest_s)
            oldest_s = entry->pub.time_s;
    mempool->oldest_time_s = oldest_s;
}

void pool_limit(struct mempool *mempool)
{
    expire(mempool);
    while (mempool->memory_bytes > mempool->options.max_bytes && mempool->count > 0)
        evict_worst(mempool);
}
