/* mempool.c - the mempool as an object: making, asking, keeping its size. */
#include "mempool/mempool.h"

#include "mempool/blocks.h"
#include "mempool/cluster.h"
#include "mempool/deltas.h"
#include "mempool/graph.h"
#include "mempool/mempool_internal.h"
#include "util/alloc.h"

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
        .bytes_per_sigop = POLICY_BYTES_PER_SIGOP,
        .cluster_count_max = MEMPOOL_CLUSTER_COUNT_MAX,
        .cluster_vbytes_max = MEMPOOL_CLUSTER_VBYTES_MAX,
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

/* A check has ended, so there is room for the next that waits to be put back; when none is left,
 * who waits for that is told, and closing may go on. accept.c must not know those above it, hence
 * the pointer. */
static void check_ended(struct mempool *mempool)
{
    pool_putbacks_pump(mempool);
    pool_waiters_call(mempool);
    pool_close_continue(mempool);
}

struct mempool *mempool_new(const struct env *env, const struct log *log, struct chain *chain,
                            const struct mempool_options *options,
                            const struct mempool_events *events)
{
    ASSERT(env && chain && options);
    ASSERT(options->cluster_count_max <= MEMPOOL_CLUSTER_COUNT_MAX);
    struct mempool *mempool = xcalloc(1, sizeof *mempool);
    mempool->env = env;
    mempool->check_ended = check_ended;
    mempool->log = log;
    mempool->chain = chain;
    mempool->options = *options;
    if (mempool->options.cluster_count_max == 0)
        mempool->options.cluster_count_max = MEMPOOL_CLUSTER_COUNT_MAX;
    if (mempool->options.cluster_vbytes_max == 0)
        mempool->options.cluster_vbytes_max = MEMPOOL_CLUSTER_VBYTES_MAX;
    if (events)
        mempool->events = *events;
    mempool->policy = (struct policy){
        .dust_sat_per_kvb = options->dust_sat_per_kvb,
        .permit_bare_multisig = options->permit_bare_multisig,
        .max_datacarrier_bytes = options->max_datacarrier_bytes,
        .bytes_per_sigop = options->bytes_per_sigop,
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
    ASSERT(mempool->under_way.count == 0 && mempool->n_loads == 0 && pool_packages(mempool) == 0 &&
           mempool->waiters.count == 0);
    pool_putbacks_deinit(mempool);
    free_entries(mempool);
    pool_clusters_deinit(&mempool->clusters);
    pool_deltas_deinit(mempool);
    scratch_pool_deinit(&mempool->scratch);
    hash_map_deinit(&mempool->by_txid);
    hash_map_deinit(&mempool->by_wtxid);
    hash_map_deinit(&mempool->spent);
    hash_map_deinit(&mempool->checks);
    ARRAY_FREE(&mempool->slots);
    ARRAY_FREE(&mempool->free_slots);
    xfree(mempool);
}

static bool is_idle(const struct mempool *mempool)
{
    return mempool->under_way.count == 0 && mempool->n_loads == 0 && pool_packages(mempool) == 0;
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
    return pool_memory_bytes(mempool);
}

void mempool_set_bytes_beside(struct mempool *mempool, size_t bytes)
{
    ASSERT(mempool);
    mempool->bytes_beside = bytes;
}

int64_t mempool_total_fee_sat(const struct mempool *mempool)
{
    return mempool->total_fee_sat;
}

uint64_t mempool_updates(const struct mempool *mempool)
{
    return mempool->sequence + mempool->n_prioritised;
}

uint64_t mempool_sequence(const struct mempool *mempool)
{
    return mempool->sequence;
}

const struct mempool_options *mempool_options_of(const struct mempool *mempool)
{
    return &mempool->options;
}

size_t mempool_unbroadcast_count(const struct mempool *mempool)
{
    return mempool->n_unbroadcast;
}

struct feerate mempool_chunk(const struct mempool *mempool, const struct mempool_entry *entry)
{
    const struct pool_entry *own = pool_entry_of(entry);
    const struct pool_cluster *cluster = pool_cluster_of(mempool, own);
    uint32_t i = 0;
    ASSERT(!cluster->is_dirty && own->cluster_at < cluster->n);
    while (cluster->chunks[i].end <= own->cluster_at)
        i++;
    return cluster->chunks[i].rate;
}

const struct linear_chunk *mempool_cluster_chunks(const struct mempool *mempool,
                                                  const struct mempool_entry *entry, uint32_t *n)
{
    const struct pool_cluster *cluster = pool_cluster_of(mempool, pool_entry_of(entry));
    ASSERT(!cluster->is_dirty);
    *n = cluster->n_chunks;
    return cluster->chunks;
}

const struct mempool_entry *mempool_cluster_at(const struct mempool *mempool,
                                               const struct mempool_entry *entry, uint32_t place)
{
    const struct pool_cluster *cluster = pool_cluster_of(mempool, pool_entry_of(entry));
    ASSERT(place < cluster->n);
    return &cluster->order[place]->pub;
}

bool mempool_is_optimal(const struct mempool *mempool)
{
    return mempool->clusters.n_best == mempool->clusters.best.items.n;
}

void mempool_mark_broadcast(struct mempool *mempool, const struct txid *txid)
{
    struct pool_entry *entry = pool_find(mempool, txid);
    if (!entry || !entry->pub.is_unbroadcast)
        return;
    ASSERT(mempool->n_unbroadcast > 0);
    entry->pub.is_unbroadcast = false;
    mempool->n_unbroadcast--;
}

void mempool_verify(const struct mempool *mempool)
{
    pool_graph_verify(mempool);
    for (const struct pool_entry *entry = mempool->oldest; entry; entry = entry->newer)
        ASSERT(entry->pub.modified_fee_sat - entry->pub.fee_sat ==
               mempool_delta_sat(mempool, &entry->pub.tx.txid));
}
