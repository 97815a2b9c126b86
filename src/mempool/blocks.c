/* blocks.c - the mempool follows the chain.
 *
 * What a block holds leaves, with all that conflicts. When a block is taken back, its transactions
 * wait to be checked again, and so does every entry that spends a coin which is gone now, or is no
 * longer final: so the entries are valid on the tip at any time, also in the middle of a
 * reorganisation. They are put back when the chain is as good as before, or has been quiet for a
 * while: a deep reorganisation shows its way down, where much is not valid yet. */
#include "mempool/blocks.h"

#include <stdlib.h>

#include "mempool/accept.h"
#include "mempool/cluster.h"
#include "mempool/deltas.h"
#include "mempool/graph.h"
#include "mempool/limit.h"
#include "mempool/mempool_internal.h"
#include "util/alloc.h"
#include "util/array.h"

#define UNDER_WAY_MAX 64
/* After this long a tip with less work than before is taken as it is. */
#define QUIET_US 1000000
/* Sort key of what was in the mempool: behind all blocks. */
#define MAJOR_POOL UINT64_MAX

/* -- What waits -------------------------------------------------------------------------------- */

/* The bytes are copied: the block or entry that they lie in goes. */
static void putback_push(struct mempool *mempool, const struct tx *tx,
                         const struct pool_putback *like)
{
    struct pool_putbacks *putbacks = &mempool->putbacks;
    ASSERT(tx->raw.p && tx->raw.len > 0 && putbacks->first <= putbacks->n);
    struct pool_putback *putback = ARRAY_ADD(putbacks);
    *putback = *like;
    putback->txid = tx->txid;
    putback->raw = xmemdup(tx->raw.p, tx->raw.len);
    putback->len = tx->raw.len;
    if (!putback->was_here)
        putbacks->block_bytes += putback->len;
    putbacks->is_sorted = false;
}

static int compare_putbacks(const void *a, const void *b)
{
    const struct pool_putback *x = a, *y = b;
    if (x->major != y->major)
        return x->major < y->major ? -1 : 1;
    return x->minor < y->minor ? -1 : x->minor > y->minor;
}

static int compare_pointers(const void *a, const void *b)
{
    return compare_putbacks(*(const void *const *)a, *(const void *const *)b);
}

size_t pool_putbacks_list(const struct mempool *mempool, const struct pool_putback ***out)
{
    const struct pool_putbacks *putbacks = &mempool->putbacks;
    size_t n = putbacks->n - putbacks->first;
    *out = xcalloc(n ? n : 1, sizeof **out);
    for (size_t i = 0; i < n; i++)
        (*out)[i] = &putbacks->at[putbacks->first + i];
    qsort(*out, n, sizeof **out, compare_pointers);
    return n;
}

static void putback_drop(struct pool_putbacks *putbacks, struct pool_putback *putback)
{
    ASSERT(putback->was_here || putbacks->block_bytes >= putback->len);
    if (!putback->was_here)
        putbacks->block_bytes -= putback->len;
    xfree(putback->raw);
}

/* Bring what waits into the order in which parents come first; of blocks keep only as much as the
 * limit allows, the lowest first, since the others build on it. */
static void sort_and_trim(struct mempool *mempool)
{
    struct pool_putbacks *putbacks = &mempool->putbacks;
    size_t n = 0, bytes = 0;
    if (putbacks->is_sorted)
        return;
    if (putbacks->n > putbacks->first)
        qsort(putbacks->at + putbacks->first, putbacks->n - putbacks->first, sizeof *putbacks->at,
              compare_putbacks);
    for (size_t i = putbacks->first; i < putbacks->n; i++) {
        struct pool_putback *putback = &putbacks->at[i];
        bytes += putback->was_here ? 0 : putback->len;
        if (!putback->was_here && bytes > MEMPOOL_REORG_BYTES_MAX)
            putback_drop(putbacks, putback);
        else
            putbacks->at[n++] = *putback;
    }
    putbacks->first = 0;
    putbacks->n = n;
    ASSERT(putbacks->block_bytes <= MEMPOOL_REORG_BYTES_MAX);
    putbacks->is_sorted = true;
}

static void stop_quiet_timer(struct mempool *mempool)
{
    if (mempool->putbacks.quiet_timer)
        env_timer_cancel(mempool->env, mempool->putbacks.quiet_timer);
    mempool->putbacks.quiet_timer = 0;
}

void pool_putbacks_deinit(struct mempool *mempool)
{
    struct pool_putbacks *putbacks = &mempool->putbacks;
    stop_quiet_timer(mempool);
    for (size_t i = putbacks->first; i < putbacks->n; i++)
        putback_drop(putbacks, &putbacks->at[i]);
    ASSERT(putbacks->block_bytes == 0);
    xfree(putbacks->at);
    *putbacks = (struct pool_putbacks){.under_way = putbacks->under_way};
}

void pool_putbacks_pump(struct mempool *mempool)
{
    struct pool_putbacks *putbacks = &mempool->putbacks;
    if (mempool->closing || !putbacks->is_sorted)
        return;
    while (putbacks->first < putbacks->n && putbacks->under_way < UNDER_WAY_MAX) {
        struct pool_putback *next = &putbacks->at[putbacks->first++];
        if (!next->was_here)
            putbacks->block_bytes -= next->len;
        pool_accept_putback(mempool, next);
    }
    if (putbacks->first == putbacks->n && putbacks->n > 0)
        pool_putbacks_deinit(mempool);
}

bool pool_is_settled(const struct mempool *mempool)
{
    const struct pool_putbacks *putbacks = &mempool->putbacks;
    return putbacks->first == putbacks->n && putbacks->under_way == 0;
}

void pool_waiters_call(struct mempool *mempool)
{
    if (!pool_is_settled(mempool))
        return;
    struct list list = mempool->waiters;
    struct pool_waiter *waiter;
    mempool->waiters = (struct list){0}; /* they may ask again */
    while ((waiter = LIST_POP(struct pool_waiter, &list, link))) {
        waiter->done(waiter->arg);
        xfree(waiter);
    }
}

/* -- Blocks ------------------------------------------------------------------------------------ */

/* A block spends an output: nothing else can. */
static void remove_conflicts(struct mempool *mempool, const struct tx *tx)
{
    for (uint32_t i = 0; i < tx->n_in; i++) {
        struct pool_entry *entry = pool_spender(mempool, &tx->in[i].prevout);
        if (!entry)
            continue;
        pool_remove_tree(mempool, entry, MEMPOOL_REMOVED_CONFLICT);
        pool_clusters_settle(mempool);
    }
}

static void forget_delta(struct mempool *mempool, const struct txid *txid)
{
    int64_t delta_sat = mempool_delta_sat(mempool, txid);
    if (delta_sat != 0)
        mempool_prioritise(mempool, txid, -delta_sat);
}

/* It is in a block. Its children stay: what they spend is a confirmed coin now. */
static void remove_mined(struct mempool *mempool, struct pool_entry *entry, int32_t height)
{
    ASSERT(entry->pub.n_parents == 0); /* a block has parents before their children */
    /* What its children spend is a coin of this height now. */
    for (uint32_t i = 0; i < entry->pub.n_children; i++) {
        struct pool_entry *child = mempool->slots.at[entry->pub.children[i]];
        child->coin_height_max = MAX_OF(child->coin_height_max, height);
    }
    pool_remove(mempool, entry, MEMPOOL_REMOVED_BLOCK);
}

void mempool_block_connected(struct mempool *mempool, const struct block_node *node,
                             struct block_ref *block)
{
    ASSERT(node && block->block.n_tx > 0);
    const struct block *b = &block->block;
    mempool->epoch++;
    mempool->block_since_bump = true;
    mempool->rolling_update_s = pool_now_s(mempool);
    if (mempool->count == 0 && mempool->deltas.count == 0)
        return;
    struct pool_entry **entries = xmalloc(b->n_tx * sizeof(struct pool_entry *));
    pool_find_all(mempool, b->tx, b->n_tx, entries);
    for (uint32_t i = 0; i < b->n_tx; i++) {
        pool_remove_prefetch(mempool, entries, b->n_tx, i);
        if (entries[i])
            remove_mined(mempool, entries[i], node->height);
    }
    pool_clusters_settle(mempool);
    for (uint32_t i = 0; i < b->n_tx; i++) {
        if (!entries[i]) /* else nobody but itself has spent what it spends */
            remove_conflicts(mempool, &b->tx[i]);
        forget_delta(mempool, &b->tx[i].txid);
    }
    xfree(entries);
}

/* Is an entry surely valid in the block after tip? */
static bool is_still_valid(const struct mempool *mempool, const struct pool_entry *entry,
                           const struct block_node *tip)
{
    int32_t height = tip->height + 1;
    int64_t mtp_s = block_node_mtp(tip);
    int32_t maturity = chain_network(mempool->chain)->coinbase_maturity;
    if (entry->coin_height_max > tip->height)
        return false; /* the coin is gone, or it is one of the mempool's again */
    if (entry->coinbase_height_max >= 0 && height - entry->coinbase_height_max < maturity)
        return false;
    return tx_is_final(&entry->pub.tx, height, mtp_s) &&
           sequence_locks_open(entry->locks, height, mtp_s);
}

/* With all that spends from it: without their parent they would be nobody's children. */
static void put_aside_tree(struct mempool *mempool, struct pool_entry *entry)
{
    const struct pool_cluster *cluster = pool_cluster_of(mempool, entry);
    for (uint64_t bits = pool_descendant_bits(mempool, entry); bits; bits &= bits - 1) {
        const struct mempool_entry *pub = &cluster->order[__builtin_ctzll(bits)]->pub;
        struct pool_putback like = {.major = MAJOR_POOL,
                                    .minor = pub->sequence,
                                    .time_s = pub->time_s,
                                    .was_here = true,
                                    .is_unbroadcast = pub->is_unbroadcast};
        putback_push(mempool, &pub->tx, &like);
    }
    pool_remove_tree(mempool, entry, MEMPOOL_REMOVED_REORG);
    pool_clusters_settle(mempool);
}

void mempool_block_disconnected(struct mempool *mempool, const struct block_node *node,
                                struct block_ref *block)
{
    ASSERT(node->prev); /* the first block of all stays */
    mempool->epoch++;
    if (u256_compare(node->chain_work, mempool->putbacks.work_before) > 0)
        mempool->putbacks.work_before = node->chain_work;
    struct pool_putback like = {.major = (uint64_t)node->height, .time_s = pool_now_s(mempool)};
    for (uint32_t i = 1; i < block->block.n_tx; i++) {
        like.minor = i;
        putback_push(mempool, &block->block.tx[i], &like);
    }
    /* Newest first: what spends from an entry is looked at before it. */
    for (struct pool_entry *entry = mempool->newest, *older; entry; entry = older) {
        older = entry->older;
        if (!is_still_valid(mempool, entry, node->prev))
            put_aside_tree(mempool, entry);
    }
    if (mempool->putbacks.block_bytes > 2 * MEMPOOL_REORG_BYTES_MAX)
        sort_and_trim(mempool);
    mempool->putbacks.is_sorted = false; /* nothing is put back until the tip rests */
    if (mempool->closing)
        pool_putbacks_deinit(mempool); /* nor ever: nobody shall wait for it */
}

static void put_back(struct mempool *mempool)
{
    sort_and_trim(mempool);
    pool_putbacks_pump(mempool);
}

static void quiet_timer(void *arg)
{
    struct mempool *mempool = arg;
    mempool->putbacks.quiet_timer = 0;
    put_back(mempool);
}

void mempool_tip_changed(struct mempool *mempool, const struct block_node *tip)
{
    struct pool_putbacks *putbacks = &mempool->putbacks;
    mempool->epoch++;
    if (mempool->closing)
        return;
    stop_quiet_timer(mempool);
    if (mempool->waiters.count > 0 || u256_compare(tip->chain_work, putbacks->work_before) >= 0)
        put_back(mempool);
    else if (putbacks->first < putbacks->n)
        putbacks->quiet_timer = env_timer_start(mempool->env, QUIET_US, quiet_timer, mempool);
    pool_limit(mempool);
}

void mempool_empty(struct mempool *mempool)
{
    ASSERT(!mempool->closing);
    pool_putbacks_deinit(mempool);
    while (mempool->newest)
        pool_remove_tree(mempool, mempool->newest, MEMPOOL_REMOVED_REORG);
    pool_clusters_settle(mempool);
    pool_deltas_deinit(mempool);
    hash_map_init(&mempool->deltas);
    mempool->epoch++;
    ASSERT(mempool->count == 0);
    pool_waiters_call(mempool);
}

void mempool_settle(struct mempool *mempool, void (*done)(void *arg), void *arg)
{
    ASSERT(done);
    if (pool_is_settled(mempool)) {
        done(arg);
        return;
    }
    struct pool_waiter *waiter = xmalloc(sizeof *waiter);
    *waiter = (struct pool_waiter){.done = done, .arg = arg};
    list_add(&mempool->waiters, &waiter->link);
    if (mempool->closing)
        return; /* what is under way ends with a refusal */
    stop_quiet_timer(mempool);
    put_back(mempool);
}
