/* coins_store.c - the store below the tables: opening, repair, scanning.
 *
 * Writing is coins_flush.c's while the node runs; here only the repair at a start writes, and
 * never while there is anything in memory: what it sets would not be seen through the tables. */
#include <errno.h>
#include <string.h>

#include "chain/coins/coins_parts.h"
#include "chain/core/store_format.h"
#include "consensus/block.h"
#include "util/alloc.h"
#include "util/endian.h"

enum { STORE_WRITE_BUFFER_BYTES = 4 << 20, STORE_BLOOM_BITS = 10, STORE_FILE_BYTES = 32 << 20 };

void coins_store_key(const struct outpoint *outpoint, uint8_t key[COINS_KEY_BYTES])
{
    key[0] = 'C';
    memcpy(key + 1, outpoint->txid.b, 32);
    store_be32(key + 33, outpoint->vout);
}

void coins_batch_put_tip(const struct env *env, struct env_batch *batch,
                         const struct block_hash *tip)
{
    env_batch_put(env, batch, span_of("T", 1), span_of(tip->b, sizeof tip->b));
    env_batch_delete(env, batch, span_of("M", 1));
}

/* A store from before there were marks is known by its tip, or by the marker of a flush that was
 * cut short, whatever their lengths: damage in them is found out later, and is ours. */
static int open_kv(struct coins *coins, char **error)
{
    struct env_kv_options options = {
        .log = coins->log,
        .cache_bytes = coins->options.store_cache_bytes,
        .write_buffer_bytes = STORE_WRITE_BUFFER_BYTES,
        .bloom_bits = STORE_BLOOM_BITS,
        .max_file_bytes = STORE_FILE_BYTES,
        .is_strict = coins->options.is_strict,
    };
    static const struct store_format format = {.name = "coins database",
                                               .version = 1,
                                               .kind = 'C',
                                               .old_key = "T",
                                               .old_len = SIZE_MAX,
                                               .old_key_other = "M",
                                               .old_len_other = SIZE_MAX};
    return store_format_open(coins->env, coins->path, &options, &format, &coins->kv, error);
}

/* Read a value of exactly len bytes. Returns 1 if it is there, 0 if not, a negative errno. */
static int read_fixed(struct coins *coins, const char *key, uint8_t *out, size_t len)
{
    struct buffer value;
    buffer_init(&value);
    int result = env_kv_get(coins->env, coins->kv, span_of_string(key), &value);
    if (result == 0 && value.len != len)
        result = -EUCLEAN;
    if (result == 0) {
        memcpy(out, value.p, len);
        result = 1;
    } else if (result == -ENOENT) {
        result = 0;
    }
    buffer_deinit(&value);
    return result;
}

/* Read tip and marker. */
static int load_state(struct coins *coins, char **error)
{
    uint8_t tips[64];
    int result = read_fixed(coins, "T", coins->store_tip.b, sizeof coins->store_tip.b);
    if (result >= 0)
        result = read_fixed(coins, "M", tips, sizeof tips);
    if (result < 0) {
        *error = result == -EUCLEAN ? xasprintf("The coins store %s is damaged. Restart with "
                                                "-reindex-chainstate to rebuild it.",
                                                coins->path)
                                    : xasprintf("The coins store %s cannot be read: %s",
                                                coins->path, strerror(-result));
        return result;
    }
    coins->interrupted = result == 1;
    if (coins->interrupted) {
        memcpy(coins->old_tip.b, tips, 32);
        memcpy(coins->new_tip.b, tips + 32, 32);
    }
    return 0;
}

/* The first row of all is the least of the first rows of the tables: each is read for it. */
static int look_at_tables(struct coins *coins, char **error)
{
    struct env_cursor *cursor = env_cursor_open(coins->env, coins->kv);
    env_cursor_seek(coins->env, cursor, span_of("", 0));
    int result = env_cursor_error(coins->env, cursor);
    env_cursor_close(coins->env, cursor);
    if (result)
        *error = xasprintf("%s: a table cannot be read: %s", coins->path, strerror(-result));
    return result;
}

int coins_open(const struct env *env, const struct log *log, const char *path,
               const struct coins_options *options, struct coins **out, char **error)
{
    struct coins *coins = xcalloc(1, sizeof *coins);
    coins->env = env;
    coins->log = log;
    coins->path = xstrdup(path);
    coins->options = *options;
    if (coins->options.flush_batch_bytes == 0)
        coins->options.flush_batch_bytes = COINS_FLUSH_BATCH_BYTES;
    env_random(env, &coins->key, sizeof coins->key);
    coins_table_init(&coins->active, coins->key);
    coins_table_init(&coins->frozen, coins->key);
    *out = NULL;
    *error = NULL;
    int result = open_kv(coins, error);
    if (!result)
        result = load_state(coins, error);
    if (!result && options->is_strict)
        result = look_at_tables(coins, error);
    if (result) {
        coins_close(coins);
        return result;
    }
    *out = coins;
    return 0;
}

/* All of it, at once: at the end, or when the store below is emptied. Nobody waits for a loop turn
 * then. */
static void forget_memory(struct coins *coins)
{
    coins_table_deinit(&coins->active);
    coins_table_deinit(&coins->frozen);
    coins->frozen_state = COINS_FROZEN_NONE;
    while (coins->dying) {
        struct coins_dying *dying = coins->dying;
        coins->dying = dying->next;
        coins_table_deinit(&dying->table);
        xfree(dying);
    }
}

void coins_close(struct coins *coins)
{
    ASSERT(!coins->flushing);
    forget_memory(coins);
    if (coins->repair)
        env_batch_free(coins->env, coins->repair);
    if (coins->kv)
        env_kv_close(coins->env, coins->kv);
    xfree(coins->path);
    xfree(coins);
}

struct block_hash coins_store_tip(const struct coins *coins)
{
    return coins->store_tip;
}

bool coins_interrupted(const struct coins *coins, struct block_hash *old_tip,
                       struct block_hash *new_tip)
{
    if (coins->interrupted) {
        *old_tip = coins->old_tip;
        *new_tip = coins->new_tip;
    }
    return coins->interrupted;
}

/* -- repair ----------------------------------------------------------------------------------- */

/* The batch that a repair collects in, written first if it is full. A write that fails is told by
 * coins_repair_commit() alone: none after it is tried, and the marker stays. */
static struct env_batch *repair_batch(struct coins *coins)
{
    const struct env *env = coins->env;
    ASSERT(coins->active.count == 0 && coins->frozen.count == 0 && !coins->flushing);
    if (!coins->repair)
        coins->repair = env_batch_new(env);
    if (coins->repair_bytes >= coins->options.flush_batch_bytes) {
        int error = coins->failed;
        if (!error)
            error = env_kv_write(env, coins->kv, coins->repair, false);
        coins->failed = error;
        env_batch_clear(env, coins->repair);
        coins->repair_bytes = 0;
    }
    return coins->repair;
}

void coins_repair_put(struct coins *coins, const struct outpoint *outpoint, const struct coin *coin)
{
    struct env_batch *batch = repair_batch(coins);
    uint8_t key[COINS_KEY_BYTES];
    struct buffer value;
    coins_store_key(outpoint, key);
    buffer_init(&value);
    struct writer w = writer_to_growing(&value);
    coin_encode(&w, coin);
    env_batch_put(coins->env, batch, span_of(key, sizeof key), buffer_span(&value));
    coins->repair_bytes += sizeof key + value.len;
    buffer_deinit(&value);
}

void coins_repair_erase(struct coins *coins, const struct outpoint *outpoint)
{
    struct env_batch *batch = repair_batch(coins);
    uint8_t key[COINS_KEY_BYTES];
    coins_store_key(outpoint, key);
    env_batch_delete(coins->env, batch, span_of(key, sizeof key));
    coins->repair_bytes += sizeof key;
}

int coins_repair_commit(struct coins *coins, const struct block_hash *tip)
{
    const struct env *env = coins->env;
    struct env_batch *batch = repair_batch(coins);
    coins_batch_put_tip(env, batch, tip);
    if (!coins->failed)
        coins->failed = env_kv_write(env, coins->kv, batch, true);
    env_batch_free(env, batch);
    coins->repair = NULL;
    coins->repair_bytes = 0;
    if (!coins->failed) {
        coins->store_tip = *tip;
        coins->interrupted = false;
        coins->generation++;
    }
    return coins->failed;
}

int coins_wipe(struct coins *coins, char **error)
{
    const struct env *env = coins->env;
    ASSERT(!coins->flushing);
    forget_memory(coins);
    coins->generation++;
    env_kv_close(env, coins->kv);
    coins->kv = NULL;
    *error = NULL;
    int result = env_kv_destroy(env, coins->path);
    if (result)
        *error = xasprintf("%s: %s", coins->path, strerror(-result));
    else
        result = open_kv(coins, error);
    coins->failed = result;
    coins->interrupted = false;
    coins->store_tip = (struct block_hash){{0}};
    return result;
}

/* -- scanning ---------------------------------------------------------------------------------- */

struct env_cursor *coins_snapshot(struct coins *coins)
{
    return env_cursor_open(coins->env, coins->kv);
}

bool coins_store_row(const struct env *env, struct env_cursor *cursor, struct arena *arena,
                     struct outpoint *outpoint, struct coin *coin)
{
    struct span key = env_cursor_key(env, cursor);
    struct reader r = reader_of(env_cursor_value(env, cursor));
    if (key.len != COINS_KEY_BYTES || !coin_decode(&r, arena, coin) || !reader_finish(&r))
        return false;
    memcpy(outpoint->txid.b, key.p + 1, 32);
    outpoint->vout = load_be32(key.p + 33);
    return true;
}

int coins_snapshot_get(struct coins *coins, struct env_cursor *cursor,
                       const struct outpoint *outpoint, struct arena *arena, struct coin *coin)
{
    const struct env *env = coins->env;
    uint8_t key[COINS_KEY_BYTES];
    coins_store_key(outpoint, key);
    env_cursor_seek(env, cursor, span_of(key, sizeof key));
    if (!env_cursor_valid(env, cursor))
        return env_cursor_error(env, cursor);
    if (!span_equal(env_cursor_key(env, cursor), span_of(key, sizeof key)))
        return 0;
    /* The value is gone with the cursor's next move, and a raw script borrows it. */
    struct span value = env_cursor_value(env, cursor);
    uint8_t *copy = arena_alloc(arena, value.len);
    memcpy(copy, value.p, value.len);
    struct reader r = reader_of(span_of(copy, value.len));
    return coin_decode(&r, arena, coin) && reader_finish(&r) ? 1 : -EUCLEAN;
}

void coins_snapshot_close(struct coins *coins, struct env_cursor *cursor)
{
    env_cursor_close(coins->env, cursor);
}

int coins_scan_snapshot(struct coins *coins, struct env_cursor *cursor,
                        bool (*visit)(void *arg, const struct outpoint *outpoint,
                                      const struct coin *coin),
                        void *arg)
{
    const struct env *env = coins->env;
    struct arena arena;
    arena_init(&arena, 16 << 10);
    struct arena_mark mark = arena_mark(&arena);
    int error = 0;
    bool go_on = true;
    for (env_cursor_seek(env, cursor, span_of("C", 1));
         go_on && !error && env_cursor_valid(env, cursor); env_cursor_next(env, cursor)) {
        struct span key = env_cursor_key(env, cursor);
        if (key.len == 0 || key.p[0] != 'C')
            break;
        struct outpoint outpoint;
        struct coin coin;
        if (coins_store_row(env, cursor, &arena, &outpoint, &coin))
            go_on = visit(arg, &outpoint, &coin);
        else
            error = -EUCLEAN;
        arena_rewind(&arena, mark);
    }
    if (!error)
        error = env_cursor_error(env, cursor);
    env_cursor_close(env, cursor);
    arena_deinit(&arena);
    return error;
}

struct size_sum {
    struct coins *coins;
    uint64_t bytes;
};

static void add_file_size(void *arg, const char *name)
{
    struct size_sum *sum = arg;
    const struct env *env = sum->coins->env;
    char *path = xasprintf("%s/%s", sum->coins->path, name);
    struct env_file *file;
    if (env_file_open(env, path, ENV_OPEN_READ, &file) == 0) {
        int64_t size = env_file_size(env, file);
        sum->bytes += size > 0 ? (uint64_t)size : 0;
        env_file_close(env, file);
    }
    xfree(path);
}

uint64_t coins_store_bytes(struct coins *coins)
{
    /* The store is a directory of files; its own estimate would leave out recent changes. */
    struct size_sum sum = {.coins = coins};
    int error = env_list(coins->env, coins->path, add_file_size, &sum);
    return error ? 0 : sum.bytes;
}
