/* coins.c - what is known in memory: the active table over the frozen one.
 *
 * Invariants of the flags in the active table: a tombstone is dirty and never fresh; a fresh coin
 * is dirty, and neither the frozen table nor the store has that outpoint unspent; a coin that is
 * not dirty is also in the store (or will be once the flush under way has ended). */
#include "chain/coins/coins.h"

#include <errno.h>
#include <string.h>

#include "chain/coins/coins_parts.h"
#include "consensus/block.h"
#include "util/alloc.h"
#include "util/planted.h"

enum { MERGE_SLOTS_PER_TURN = 2000, FREE_STEPS_PER_TURN = 20 };

struct siphash_key coins_hash_key(const struct coins *coins)
{
    return coins->key;
}

void coins_prefetch_index(const struct coins *coins, uint64_t hash)
{
    coins_table_prefetch_index(&coins->active, hash);
    coins_table_prefetch_index(&coins->frozen, hash);
}

void coins_prefetch_slot(const struct coins *coins, uint64_t hash)
{
    coins_table_prefetch_slot(&coins->active, hash);
    coins_table_prefetch_slot(&coins->frozen, hash);
}

/* The slot that decides about an outpoint: the active table's before the frozen one's; or NULL. */
static const struct coins_slot *deciding_slot(const struct coins *coins,
                                              const struct outpoint *outpoint, uint64_t hash)
{
    uint32_t slot = coins_table_find(&coins->active, outpoint, hash);
    if (slot != COINS_SLOT_NONE)
        return coins_table_slot(&coins->active, slot);
    slot = coins_table_find(&coins->frozen, outpoint, hash);
    return slot != COINS_SLOT_NONE ? coins_table_slot(&coins->frozen, slot) : NULL;
}

enum coins_found coins_find(const struct coins *coins, const struct outpoint *outpoint,
                            uint64_t hash, struct coin *coin,
                            uint8_t script_out[COIN_SCRIPT_EXPANDED_MAX])
{
    const struct coins_slot *slot = deciding_slot(coins, outpoint, hash);
    if (!slot)
        return COINS_UNKNOWN;
    if (coins_slot_flags(slot) & COINS_TOMB)
        return COINS_SPENT;
    *coin = coins_slot_coin(slot, script_out);
    return COINS_UNSPENT;
}

/* True if the frozen table has the coin unspent. Then a coin of that name in the active table is
 * not fresh: dropped when it is spent, it would let the frozen one show through. */
static bool is_frozen_unspent(const struct coins *coins, const struct outpoint *outpoint,
                              uint64_t hash)
{
    uint32_t slot = coins_table_find(&coins->frozen, outpoint, hash);
    if (slot == COINS_SLOT_NONE)
        return false;
    return !(coins_slot_flags(coins_table_slot(&coins->frozen, slot)) & COINS_TOMB);
}

void coins_add(struct coins *coins, const struct outpoint *outpoint, uint64_t hash,
               const struct coin *coin, bool may_exist)
{
    struct coins_table *active = &coins->active;
    uint32_t number = coins_table_find(active, outpoint, hash);
    unsigned flags = COINS_DIRTY;
    if (number != COINS_SLOT_NONE) {
        /* A tombstone or an overwritten coin stands for one below, unless it was fresh itself. */
        flags |= coins_slot_flags(coins_table_slot(active, number)) & COINS_FRESH;
    } else {
        if (!may_exist && !is_frozen_unspent(coins, outpoint, hash))
            flags |= COINS_FRESH;
        number = coins_table_insert(active, outpoint, hash);
    }
    struct coins_slot *slot = coins_table_slot(active, number);
    coins_table_set_coin(active, slot, coin);
    coins_table_set_flags(active, slot, flags);
}

void coins_spend(struct coins *coins, const struct outpoint *outpoint, uint64_t hash)
{
    struct coins_table *active = &coins->active;
    uint32_t number = coins_table_find(active, outpoint, hash);
    if (number == COINS_SLOT_NONE)
        number = coins_table_insert(active, outpoint, hash); /* to hide what is below */
    struct coins_slot *slot = coins_table_slot(active, number);
    unsigned flags = coins_slot_flags(slot);
    ASSERT(!(flags & COINS_TOMB)); /* CVE-2018-17144: nothing is spent twice */
    if (flags & COINS_FRESH) {
        coins_table_erase(active, number, hash);
        return;
    }
    coins_table_clear_coin(active, slot);
    coins_table_set_flags(active, slot, COINS_DIRTY | COINS_TOMB);
}

/* -- reading from the store ------------------------------------------------------------------- */

/* What a job has read, undecoded: it must not touch the tables. */
struct read_values {
    struct buffer bytes;
    size_t end[]; /* of each outpoint's value in bytes */
};

static void read_values_free(struct coins_read *read)
{
    struct read_values *values = read->values;
    if (values)
        buffer_deinit(&values->bytes);
    xfree(values);
    read->values = NULL;
}

/* On a worker thread: touches only the store and what read owns. */
static void read_run(struct env_job *job)
{
    struct coins_read *read = (struct coins_read *)(void *)job;
    const struct env *env = read->coins->env;
    struct read_values *values = xmalloc(sizeof *values + read->n * sizeof values->end[0]);
    buffer_init(&values->bytes);
    read->values = values;
    for (size_t i = 0; i < read->n; i++) {
        uint8_t key[COINS_KEY_BYTES];
        coins_store_key(&read->outpoints[i], key);
        int error = env_kv_get(env, read->coins->kv, span_of(key, sizeof key), &values->bytes);
        read->absent[i] = error == -ENOENT;
        values->end[i] = values->bytes.len;
        if (error && error != -ENOENT) {
            read->error = error;
            return;
        }
    }
}

/* Put what was read into the active table as clean coins. Returns 0 or -EUCLEAN. */
static int take_read_values(struct coins_read *read)
{
    struct coins *coins = read->coins;
    struct read_values *values = read->values;
    struct arena arena;
    arena_init(&arena, 1024);
    struct arena_mark mark = arena_mark(&arena);
    int error = 0;
    for (size_t i = 0, begin = 0; i < read->n && !error; begin = values->end[i++]) {
        const struct outpoint *outpoint = &read->outpoints[i];
        uint64_t hash = coins_hash(coins->key, outpoint);
        if (deciding_slot(coins, outpoint, hash)) {
            read->absent[i] = false; /* memory knows better */
            continue;
        }
        if (read->absent[i])
            continue;
        struct coin coin;
        struct reader r = reader_of(span_of(values->bytes.p + begin, values->end[i] - begin));
        if (!coin_decode(&r, &arena, &coin) || !reader_finish(&r)) {
            error = -EUCLEAN;
        } else {
            uint32_t slot = coins_table_insert(&coins->active, outpoint, hash);
            coins_table_set_coin(&coins->active, coins_table_slot(&coins->active, slot), &coin);
        }
        arena_rewind(&arena, mark);
    }
    arena_deinit(&arena);
    return error;
}

/* Also the second and later attempts, which read everything again: of what was read before a flush
 * ended, nobody can tell which part is old. */
static void submit_read(struct coins_read *read)
{
    const struct env *env = read->coins->env;
    read->generation = read->coins->generation;
    read->error = 0;
    env_job_submit(env, ENV_POOL_BLOCKING, read->priority, &read->job);
}

static void read_done(struct env_job *job)
{
    struct coins_read *read = (struct coins_read *)(void *)job;
    if (job->cancelled) {
        read->error = -ECANCELED;
    } else if (!read->error && read->generation != read->coins->generation &&
               !PLANTED(read->coins->env, STALE_READ)) {
        /* A flush ended since: what was read may be older than what it wrote, and the table that
         * would tell may be gone. */
        read_values_free(read);
        submit_read(read);
        return;
    } else if (!read->error) {
        read->error = take_read_values(read);
    }
    read_values_free(read);
    read->done(read);
}

void coins_read_start(struct coins *coins, struct coins_read *read, enum env_priority priority)
{
    read->job = (struct env_job){.run = read_run, .done = read_done};
    read->coins = coins;
    read->priority = priority;
    read->values = NULL;
    submit_read(read);
}

int coins_get(struct coins *coins, const struct outpoint *outpoint, struct arena *arena,
              struct coin *coin)
{
    uint8_t script[COIN_SCRIPT_EXPANDED_MAX];
    enum coins_found found =
        coins_find(coins, outpoint, coins_hash(coins->key, outpoint), coin, script);
    if (found == COINS_SPENT)
        return 0;
    if (found == COINS_UNSPENT) {
        uint8_t *copy = arena_alloc(arena, coin->script_pubkey.len);
        if (coin->script_pubkey.len)
            memcpy(copy, coin->script_pubkey.p, coin->script_pubkey.len);
        coin->script_pubkey.p = copy;
        return 1;
    }
    uint8_t key[COINS_KEY_BYTES];
    struct buffer value;
    coins_store_key(outpoint, key);
    buffer_init(&value);
    int result = env_kv_get(coins->env, coins->kv, span_of(key, sizeof key), &value);
    if (result == 0) {
        struct reader r = reader_of(buffer_span(&value));
        result = coin_decode(&r, arena, coin) && reader_finish(&r) ? 1 : -EUCLEAN;
    } else if (result == -ENOENT) {
        result = 0;
    }
    buffer_deinit(&value);
    return result;
}

/* -- memory --------------------------------------------------------------------------------- */

bool coins_is_full(const struct coins *coins)
{
    /* A quarter is left for the table that fills while this one is being flushed. */
    size_t limit = coins->options.cache_bytes;
    /* Half of what an entry can name: a frozen table of like size may be merged back into it. */
    if (coins->active.count >= COINS_TABLE_MAX / 2)
        return true;
    if (coins->frozen_state == COINS_FROZEN_FLUSHING)
        return coins->active.bytes + coins->frozen.bytes >= limit;
    return coins->active.bytes >= limit / 4 * 3;
}

/* Give a table away to be freed piece by piece; it is empty then. */
static void drop_table(struct coins *coins, struct coins_table *table)
{
    if (table->count > 0)
        coins->times_forgotten++;
    if (table->bytes > 0) {
        struct coins_dying *dying = xmalloc(sizeof *dying);
        *dying = (struct coins_dying){.table = *table, .next = coins->dying};
        coins->dying = dying;
    }
    coins_table_init(table, coins->key);
}

void coins_drop_frozen(struct coins *coins)
{
    ASSERT(coins->frozen_state != COINS_FROZEN_FLUSHING);
    drop_table(coins, &coins->frozen);
    coins->frozen_state = COINS_FROZEN_NONE;
}

void coins_drop_clean(struct coins *coins)
{
    ASSERT(coins->active.n_dirty == 0 && coins->frozen_state != COINS_FROZEN_FLUSHING);
    drop_table(coins, &coins->active);
}

uint64_t coins_times_forgotten(const struct coins *coins)
{
    return coins->times_forgotten;
}

void coins_set_cache(struct coins *coins, size_t cache_bytes)
{
    ASSERT(cache_bytes > 0);
    coins->options.cache_bytes = cache_bytes;
}

void coins_let_go(struct coins *coins)
{
    coins_drop_frozen(coins);
    coins_drop_clean(coins);
}

/* Move a few flushed coins to the active table, as clean ones, if it does not know better. From the
 * last slot down, so that the frozen table gives back its memory as the active one takes some. */
static void merge_some(struct coins *coins)
{
    struct coins_table *frozen = &coins->frozen, *active = &coins->active;
    for (int i = 0; i < MERGE_SLOTS_PER_TURN && frozen->n_slots > 0; i++) {
        const struct coins_slot *from = coins_table_slot(frozen, frozen->n_slots - 1);
        bool is_coin = coins_slot_is_used(from) && !(coins_slot_flags(from) & COINS_TOMB);
        uint64_t hash = is_coin ? coins_hash(coins->key, &from->outpoint) : 0;
        if (is_coin && coins_table_find(active, &from->outpoint, hash) == COINS_SLOT_NONE) {
            uint8_t script[COIN_SCRIPT_EXPANDED_MAX];
            struct coin coin = coins_slot_coin(from, script);
            uint32_t slot = coins_table_insert(active, &from->outpoint, hash);
            coins_table_set_coin(active, coins_table_slot(active, slot), &coin);
        }
        coins_table_drop_last(frozen);
    }
    if (frozen->n_slots == 0)
        coins_drop_frozen(coins);
}

/* Free a little of the tables that were dropped. */
static void free_some(struct coins *coins)
{
    for (int i = 0; i < FREE_STEPS_PER_TURN && coins->dying; i++) {
        struct coins_dying *dying = coins->dying;
        if (coins_table_free_some(&dying->table))
            continue;
        coins->dying = dying->next;
        xfree(dying);
    }
}

bool coins_turn(struct coins *coins)
{
    bool is_flushed =
        coins->frozen_state == COINS_FROZEN_KEPT || coins->frozen_state == COINS_FROZEN_MERGING;
    if (is_flushed && coins->active.bytes + coins->frozen.bytes >= coins->options.cache_bytes)
        coins_drop_frozen(coins);
    if (coins->frozen_state == COINS_FROZEN_MERGING)
        merge_some(coins);
    free_some(coins);
    return coins->dying || coins->frozen_state == COINS_FROZEN_MERGING;
}

/* -- By transaction ---------------------------------------------------------------------------- */

/* An output takes 9 bytes of a block's base. */
enum { OUTPUTS_MAX = BLOCK_WEIGHT_MAX_WU / (9 * WITNESS_SCALE) };

static enum coins_found find_in_memory(const struct coins *coins, const struct outpoint *outpoint,
                                       int32_t *height)
{
    uint8_t script[COIN_SCRIPT_EXPANDED_MAX];
    struct coin coin;
    enum coins_found found =
        coins_find(coins, outpoint, coins_hash(coins->key, outpoint), &coin, script);
    if (found == COINS_UNSPENT)
        *height = (int32_t)coin.height;
    return found;
}

/* The rows of a transaction lie together; memory knows which of them are spent by now. */
static int find_in_store(const struct coins *coins, struct env_cursor *cursor,
                         const struct txid *txid, int32_t *height)
{
    const struct env *env = coins->env;
    struct outpoint outpoint = {.txid = *txid};
    struct coin coin;
    uint8_t key[COINS_KEY_BYTES];
    struct arena arena;
    arena_init(&arena, 1024);
    coins_store_key(&outpoint, key);
    int result = 0;
    for (env_cursor_seek(env, cursor, span_of(key, sizeof key));
         result == 0 && env_cursor_valid(env, cursor); env_cursor_next(env, cursor)) {
        struct span row = env_cursor_key(env, cursor);
        if (row.len < 33 || memcmp(row.p, key, 33) != 0)
            break;
        if (!coins_store_row(env, cursor, &arena, &outpoint, &coin))
            result = -EUCLEAN;
        else if (find_in_memory(coins, &outpoint, height) != COINS_SPENT)
            result = 1;
        *height = result == 1 ? (int32_t)coin.height : 0;
    }
    arena_deinit(&arena);
    return result ? result : env_cursor_error(env, cursor);
}

int coins_find_txid(struct coins *coins, const struct txid *txid, bool in_memory, int32_t *height)
{
    struct outpoint outpoint = {.txid = *txid};
    struct env_cursor *cursor = coins_snapshot(coins);
    int result = find_in_store(coins, cursor, txid, height);
    coins_snapshot_close(coins, cursor);
    for (; result == 0 && in_memory && outpoint.vout < (uint32_t)OUTPUTS_MAX; outpoint.vout++)
        result = find_in_memory(coins, &outpoint, height) == COINS_UNSPENT;
    return result;
}
