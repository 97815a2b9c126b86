/* coins_flush.c - writing a frozen table to the store, in key order, so that a crash can be
 * repaired.
 *
 * LevelDB takes sorted batches five times as fast as one unsorted one and leaves smaller files.
 * Coins are dealt into buckets by the first bits of their txid, and each bucket is sorted by
 * itself, so that sorting needs 4 bytes a coin. If all changes fit in one batch it is written
 * together with the tip, atomically; else a synced marker says that the store is a mixture. */
#include "chain/coins/coins_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/endian.h"
#include "util/planted.h"

enum { BUCKET_MEAN = 64, BUCKET_BITS_MAX = 16, BATCH_ENTRY_OVERHEAD_BYTES = 16 };

/* Dirty slots by bucket. */
struct order {
    const struct coins_table *table;
    unsigned bits;
    uint32_t *slots;
    uint32_t *start; /* of each bucket in slots; one more for the end */
};

static uint32_t bucket_of(const struct order *order, const struct coins_slot *slot)
{
    return (uint32_t)load_be16(slot->outpoint.txid.b) >> (16 - order->bits);
}

static bool is_dirty(const struct coins_slot *slot)
{
    return coins_slot_is_used(slot) && (coins_slot_flags(slot) & COINS_DIRTY);
}

/* A counting sort by bucket: one walk of the slots counts, the second one places. */
static struct order order_of(const struct coins_table *table)
{
    struct order order = {.table = table};
    while (order.bits < BUCKET_BITS_MAX && table->n_dirty >> order.bits > BUCKET_MEAN)
        order.bits++;
    uint32_t n = UINT32_C(1) << order.bits;
    order.start = xcalloc(n + 1u, sizeof *order.start);
    order.slots = xmalloc((table->n_dirty ? table->n_dirty : 1) * sizeof *order.slots);
    for (uint32_t i = 0; i < table->n_slots; i++) {
        const struct coins_slot *slot = coins_table_slot(table, i);
        if (is_dirty(slot))
            order.start[bucket_of(&order, slot) + 1]++;
    }
    for (uint32_t b = 0; b < n; b++)
        order.start[b + 1] += order.start[b];
    ASSERT(order.start[n] == table->n_dirty);
    /* Placing moves each start to its bucket's end, which is where the next one starts. */
    for (uint32_t i = 0; i < table->n_slots; i++) {
        const struct coins_slot *slot = coins_table_slot(table, i);
        if (is_dirty(slot))
            order.slots[order.start[bucket_of(&order, slot)]++] = i;
    }
    memmove(order.start + 1, order.start, n * sizeof *order.start);
    order.start[0] = 0;
    return order;
}

static void order_free(struct order *order)
{
    xfree(order->slots);
    xfree(order->start);
}

struct sort_item {
    uint64_t prefix; /* first bytes of the txid, so that most comparisons stay in this array */
    const struct coins_slot *slot;
};

static int compare_items(const void *a, const void *b)
{
    const struct sort_item *x = a, *y = b;
    if (x->prefix != y->prefix)
        return x->prefix < y->prefix ? -1 : 1;
    int order = memcmp(x->slot->outpoint.txid.b, y->slot->outpoint.txid.b, 32);
    if (order)
        return order;
    return (x->slot->outpoint.vout > y->slot->outpoint.vout) -
           (x->slot->outpoint.vout < y->slot->outpoint.vout);
}

/* -- writing ------------------------------------------------------------------------------ */

/* What a flush writes with, on its thread. */
struct flush_writer {
    const struct coins_flush *flush;
    struct env_batch *batch;       /* owned; filled up to batch_max, then written and cleared */
    struct buffer value;           /* of the row being made; kept for its memory */
    size_t batch_bytes, batch_max; /* about, with what the store adds to each row */
    bool marked;                   /* the marker is in the store */
};

/* What the store must have: a coin, or nothing, whether it has had one or not. */
static void put_slot(struct flush_writer *w, const struct coins_slot *slot)
{
    const struct env *env = w->flush->coins->env;
    uint8_t key[COINS_KEY_BYTES];
    coins_store_key(&slot->outpoint, key);
    w->batch_bytes += sizeof key + BATCH_ENTRY_OVERHEAD_BYTES;
    if (coins_slot_flags(slot) & COINS_TOMB) {
        env_batch_delete(env, w->batch, span_of(key, sizeof key));
        return;
    }
    uint8_t script[COIN_SCRIPT_EXPANDED_MAX];
    struct coin coin = coins_slot_coin(slot, script);
    w->value.len = 0;
    struct writer value = writer_to_growing(&w->value);
    coin_encode(&value, &coin);
    env_batch_put(env, w->batch, span_of(key, sizeof key), buffer_span(&w->value));
    w->batch_bytes += w->value.len;
}

/* Synced by itself, before the first batch: from the moment that any part of the new state can be
 * in the store, a start must be able to tell that it is a mixture, and of what. */
static int write_marker(struct flush_writer *w)
{
    const struct env *env = w->flush->coins->env;
    uint8_t tips[64];
    memcpy(tips, w->flush->old_tip.b, 32);
    memcpy(tips + 32, w->flush->new_tip.b, 32);
    struct env_batch *batch = env_batch_new(env);
    env_batch_put(env, batch, span_of("M", 1), span_of(tips, sizeof tips));
    int error = env_kv_write(env, w->flush->coins->kv, batch, true);
    env_batch_free(env, batch);
    w->marked = error == 0;
    return error;
}

/* The bug of that name: the store says that it is of the new tip before it is. */
static int plant_tip(struct flush_writer *w)
{
    const struct env *env = w->flush->coins->env;
    struct env_batch *batch = env_batch_new(env);
    coins_batch_put_tip(env, batch, &w->flush->new_tip);
    int error = env_kv_write(env, w->flush->coins->kv, batch, true);
    env_batch_free(env, batch);
    w->marked = true;
    return error;
}

/* Not synced: the last batch, which is, makes all before it durable. What a crash leaves of these
 * is a mixture that the marker names. */
static int write_full_batch(struct flush_writer *w)
{
    const struct env *env = w->flush->coins->env;
    bool is_marked = w->marked || PLANTED(env, NO_MARKER);
    int error = is_marked ? 0 : write_marker(w);
    if (!error)
        error = env_kv_write(env, w->flush->coins->kv, w->batch, false);
    env_batch_clear(env, w->batch);
    w->batch_bytes = 0;
    return error;
}

static int write_bucket(struct flush_writer *w, const struct sort_item *items, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        VERIFY(i == 0 || compare_items(&items[i - 1], &items[i]) < 0);
        put_slot(w, items[i].slot);
        int error = w->batch_bytes >= w->batch_max ? write_full_batch(w) : 0;
        if (error)
            return error;
    }
    return 0;
}

/* Bucket by bucket, each sorted in an array that is used again for the next. */
static int write_table(struct flush_writer *w, const struct coins_table *table)
{
    struct order order = order_of(table);
    struct sort_item *items = NULL;
    size_t capacity = 0;
    int error = 0;
    for (uint32_t b = 0; b < UINT32_C(1) << order.bits && !error; b++) {
        size_t n = order.start[b + 1] - order.start[b];
        items = array_reserve(items, 0, &capacity, n, sizeof *items);
        for (size_t i = 0; i < n; i++) {
            const struct coins_slot *slot =
                coins_table_slot(table, order.slots[order.start[b] + i]);
            items[i] = (struct sort_item){load_be64(slot->outpoint.txid.b), slot};
        }
        if (n > 0)
            qsort(items, n, sizeof *items, compare_items);
        error = write_bucket(w, items, n);
    }
    xfree(items);
    order_free(&order);
    return error;
}

/* On a worker thread: the frozen table does not change while it is being flushed. */
static void flush_run(struct env_job *job)
{
    struct coins_flush *flush = (struct coins_flush *)(void *)job;
    struct coins *coins = flush->coins;
    const struct env *env = coins->env;
    if (flush->error)
        return;
    struct flush_writer w = {
        .flush = flush,
        .batch = env_batch_new(env),
        .batch_max = coins->options.flush_batch_bytes,
    };
    buffer_init(&w.value);
    int error = PLANTED(env, TIP_BEFORE_COINS) ? plant_tip(&w) : 0;
    if (!error && flush->table)
        error = write_table(&w, flush->table);
    if (!error) {
        coins_batch_put_tip(env, w.batch, &flush->new_tip);
        error = env_kv_write(env, coins->kv, w.batch, true);
    }
    flush->error = error;
    buffer_deinit(&w.value);
    env_batch_free(env, w.batch);
}

static void flush_done(struct env_job *job)
{
    struct coins_flush *flush = (struct coins_flush *)(void *)job;
    struct coins *coins = flush->coins;
    int error = job->cancelled ? -ECANCELED : flush->error;
    ASSERT(coins->flushing && error <= 0);
    coins->flushing = false;
    if (error) {
        /* Never written again: after a failed sync nobody knows what is on the disk. */
        coins->failed = error;
        if (flush->table)
            coins->frozen_state = COINS_FROZEN_FAILED;
    } else {
        coins->generation++;
        coins->store_tip = flush->new_tip;
        if (flush->table) {
            /* A large one would crowd out what comes: it is only read until memory is short. */
            bool is_small = coins->frozen.bytes <= coins->options.cache_bytes / 2;
            coins->frozen_state = is_small ? COINS_FROZEN_MERGING : COINS_FROZEN_KEPT;
        }
        log_printf(coins->log, LOG_COINDB, "flushed %u changes to the coins store",
                   flush->table ? coins->frozen.n_dirty : 0);
    }
    flush->done(flush->arg, error); /* last: it may start the next flush */
}

void coins_flush_start(struct coins *coins, const struct block_hash *new_tip,
                       void (*done)(void *arg, int error), void *arg)
{
    ASSERT(new_tip && done);
    ASSERT(!coins->flushing);
    ASSERT(!coins->interrupted); /* a mixture must be repaired before anything is put on top */
    coins->flush = (struct coins_flush){
        .job = {.run = flush_run, .done = flush_done},
        .coins = coins,
        .old_tip = coins->store_tip,
        .new_tip = *new_tip,
        .error = coins->failed,
        .done = done,
        .arg = arg,
    };
    if (!coins->failed && coins->active.n_dirty > 0) {
        /* What the last flush left behind goes: there is one frozen table at a time. */
        coins_drop_frozen(coins);
        coins->frozen = coins->active;
        coins_table_init(&coins->active, coins->key);
        coins->frozen_state = COINS_FROZEN_FLUSHING;
        coins->flush.table = &coins->frozen;
    } else if (!coins->failed && coins_is_full(coins)) {
        coins_drop_clean(coins); /* else the next flush would be due at once */
    }
    coins->flushing = true;
    env_job_submit(coins->env, ENV_POOL_BLOCKING, ENV_PRIORITY_HIGH, &coins->flush.job);
}
