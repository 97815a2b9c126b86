/* coin_dump.c - the coins of the committed tip, or of a block below it, written to a file.
 *
 * The coins are flushed and a snapshot of the store is taken in the same turn. For a block below
 * the tip the blocks above it are read from the tip down, with what they spent, and what taking
 * each back would change goes into a store of its own: outpoint (number big-endian) -> the coin, or
 * nothing where there is none. The later change, of the lower block, replaces the earlier. Both
 * have their keys in the order of the file, so one pass over the two writes it. */
#include "chain/ask/coin_dump.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "chain/coins/coins.h"
#include "chain/coins/snapshot_file.h"
#include "chain/disk/block_ref.h"
#include "chain/disk/undo.h"
#include "chain/tree/lost.h"
#include "consensus/bip30.h"
#include "consensus/script_iter.h"
#include "util/alloc.h"
#include "util/endian.h"

#define KEY_BYTES       36
#define UNDO_CHUNK      65536
#define COIN_CHUNK      1024
#define ROLLBACK_FOLDER "rollback_coins" /* below the network's */

/* One dump: waits for its flush and for blocks, is a job, then is gone. */
struct dump {
    struct env_job job; /* first */
    struct coin_dumps *dumps;
    char *path, *part_path, *rollback_path;
    const struct block_node *target; /* NULL: the tip, when it is known */
    const struct block_node *at;     /* blocks above this one are taken back */
    struct coins *coins;             /* of the snapshot: the chain may go on with others */
    struct env_cursor *cursor;       /* the snapshot; NULL before it is taken and after the scan */
    struct env_kv *kv;               /* what was taken back; NULL: nothing yet */
    struct env_cursor *changes;      /* of kv, while the file is written */
    struct block_ref *block;         /* the job's, with ... */
    struct buffer undo;              /* ... what it spent */
    struct snapshot_writer writer;
    struct arena arena; /* of one coin */
    struct coin_dump result;
    int error;
    coin_dump_fn *done;
    void *arg;
};

static const struct env *env_of(const struct dump *dump)
{
    return dump->dumps->core->env;
}

/* A fault of the store of what was taken back, which says nothing of the coins. */
static int scratch_error(int error)
{
    return error == -EUCLEAN ? -EIO : error;
}

/* -- Taking a block back: on another thread ---------------------------------------------------- */

static struct span make_key(const struct txid *txid, uint32_t vout, uint8_t key[KEY_BYTES])
{
    memcpy(key, txid->b, sizeof txid->b);
    store_be32(key + 32, vout);
    return span_of(key, KEY_BYTES);
}

static void put_coin(struct dump *dump, struct env_batch *batch, const struct outpoint *outpoint,
                     const struct coin *coin)
{
    uint8_t key[KEY_BYTES];
    struct buffer value;
    buffer_init(&value);
    struct writer w = writer_to_growing(&value);
    coin_encode(&w, coin);
    env_batch_put(env_of(dump), batch, make_key(&outpoint->txid, outpoint->vout, key),
                  buffer_span(&value));
    buffer_deinit(&value);
}

/* Outputs go; but the coin that a repeated coinbase had overwritten comes back. BIP30 */
static void erase_outputs(struct dump *dump, struct env_batch *batch, const struct tx *tx,
                          int32_t overwritten_height)
{
    for (uint32_t k = 0; k < tx->n_out; k++) {
        struct outpoint outpoint = {.txid = tx->txid, .vout = k};
        struct coin coin = {.value_sat = tx->out[k].value_sat,
                            .script_pubkey = tx->out[k].script_pubkey,
                            .height = (uint32_t)overwritten_height,
                            .coinbase = true};
        uint8_t key[KEY_BYTES];
        if (script_is_unspendable(tx->out[k].script_pubkey))
            continue;
        if (overwritten_height >= 0)
            put_coin(dump, batch, &outpoint, &coin);
        else
            env_batch_put(env_of(dump), batch, make_key(&tx->txid, k, key), span_of(NULL, 0));
    }
}

/* The last transaction first: what it spent may be of one before it, and then goes as well. */
static void take_back(struct dump *dump, struct env_batch *batch, const struct block *block,
                      const struct undo *undo)
{
    const struct coin *spent = undo->spent + undo->n_spent;
    int32_t overwritten =
        bip30_overwritten_height(dump->dumps->core->network, dump->at->height, &block->hash);
    for (uint32_t i = block->n_tx; i > 0; i--) {
        const struct tx *tx = &block->tx[i - 1];
        erase_outputs(dump, batch, tx, i == 1 ? overwritten : -1);
        for (uint32_t k = tx->n_in; k > 0 && i > 1; k--)
            put_coin(dump, batch, &tx->in[k - 1].prevout, --spent);
    }
    ASSERT(spent == undo->spent);
}

static int open_rollback(struct dump *dump)
{
    struct env_kv_options options = {.cache_bytes = 8 << 20, .write_buffer_bytes = 16 << 20};
    int error = env_kv_destroy(env_of(dump), dump->rollback_path);
    if (error && error != -ENOENT)
        return error;
    return env_kv_open(env_of(dump), dump->rollback_path, &options, &dump->kv, NULL);
}

static void run_take_back(struct env_job *job)
{
    struct dump *dump = (struct dump *)job;
    const struct block *block = &dump->block->block;
    struct undo undo = {0};
    struct arena arena;
    arena_init(&arena, UNDO_CHUNK);
    if (!dump->kv)
        dump->error = scratch_error(open_rollback(dump));
    if (!dump->error && block->n_tx > 1 &&
        !undo_decode(buffer_span(&dump->undo), block, &arena, &undo))
        dump->error = -ENODATA;
    if (!dump->error) {
        struct env_batch *batch = env_batch_new(env_of(dump));
        take_back(dump, batch, block, &undo);
        dump->error = scratch_error(env_kv_write(env_of(dump), dump->kv, batch, false));
        env_batch_free(env_of(dump), batch);
    }
    arena_deinit(&arena);
}

/* -- Writing the file: on another thread ------------------------------------------------------- */

/* The coin at the cursor of changes, if there is one, is written; the cursor moves on. */
static void write_change(struct dump *dump)
{
    struct span key = env_cursor_key(env_of(dump), dump->changes);
    struct span value = env_cursor_value(env_of(dump), dump->changes);
    struct outpoint outpoint;
    struct coin coin;
    struct reader r = reader_of(value);
    ASSERT(key.len == KEY_BYTES);
    memcpy(outpoint.txid.b, key.p, 32);
    outpoint.vout = load_be32(key.p + 32);
    if (value.len > 0) {
        struct arena_mark mark = arena_mark(&dump->arena);
        if (coin_decode(&r, &dump->arena, &coin))
            snapshot_writer_add(&dump->writer, &outpoint, &coin);
        else
            dump->error = scratch_error(-EUCLEAN);
        arena_rewind(&dump->arena, mark);
    }
    env_cursor_next(env_of(dump), dump->changes);
}

/* How the coin at the cursor of changes stands to another: before it (negative), it itself (0),
 * behind it, or there is none. */
static int compare_change(const struct dump *dump, const struct outpoint *outpoint)
{
    uint8_t key[KEY_BYTES];
    (void)make_key(&outpoint->txid, outpoint->vout, key);
    if (!dump->changes || !env_cursor_valid(env_of(dump), dump->changes))
        return 1;
    return memcmp(env_cursor_key(env_of(dump), dump->changes).p, key, sizeof key);
}

static bool visit(void *arg, const struct outpoint *outpoint, const struct coin *coin)
{
    struct dump *dump = arg;
    if (atomic_load_explicit(&dump->dumps->core->stops_jobs, memory_order_relaxed))
        dump->error = -ECANCELED;
    while (!dump->error && compare_change(dump, outpoint) < 0)
        write_change(dump);
    if (compare_change(dump, outpoint) == 0)
        write_change(dump);
    else
        snapshot_writer_add(&dump->writer, outpoint, coin);
    return !dump->error && !dump->writer.error;
}

static int write_coins(struct dump *dump)
{
    if (dump->kv) {
        dump->changes = env_cursor_open(env_of(dump), dump->kv);
        env_cursor_seek(env_of(dump), dump->changes, span_of("", 0));
    }
    int error = coins_scan_snapshot(dump->coins, dump->cursor, visit, dump);
    dump->cursor = NULL;
    while (!error && !dump->error && dump->changes && env_cursor_valid(env_of(dump), dump->changes))
        write_change(dump);
    if (dump->changes) {
        if (!error)
            error = scratch_error(env_cursor_error(env_of(dump), dump->changes));
        env_cursor_close(env_of(dump), dump->changes);
        dump->changes = NULL;
    }
    return error ? error : dump->error;
}

/* The name is given to a whole file only. */
static int name_file(const struct dump *dump)
{
    const char *slash = strrchr(dump->path, '/');
    char *folder = slash ? xasprintf("%.*s", (int)(slash - dump->path), dump->path) : xstrdup(".");
    int error = env_rename(env_of(dump), dump->part_path, dump->path);
    if (!error)
        error = env_sync_dir(env_of(dump), *folder ? folder : "/");
    xfree(folder);
    return error;
}

static void run_write(struct env_job *job)
{
    struct dump *dump = (struct dump *)job;
    struct coin_dump *result = &dump->result;
    dump->error = write_coins(dump);
    if (!dump->error)
        dump->error = snapshot_writer_finish(&dump->writer, dump->dumps->core->network->magic,
                                             &result->base->hash, result->coins_hash);
    result->n_coins = dump->writer.n_coins;
    if (!dump->error)
        dump->error = name_file(dump);
}

/* -- One step after the other ------------------------------------------------------------------ */

/* What may take long: files of gigabytes. */
static void remove_files(struct dump *dump)
{
    const struct env *env = env_of(dump);
    if (dump->error)
        (void)env_remove(env, dump->part_path);
    if (dump->kv) {
        env_kv_close(env, dump->kv);
        (void)env_kv_destroy(env, dump->rollback_path); /* else the next one does */
    }
    dump->kv = NULL;
}

static void run_remove(struct env_job *job)
{
    remove_files((struct dump *)job);
}

static void dump_free(struct dump *dump)
{
    arena_deinit(&dump->arena);
    buffer_deinit(&dump->undo);
    block_ref_drop(dump->block);
    xfree(dump->path);
    xfree(dump->part_path);
    xfree(dump->rollback_path);
    xfree(dump);
}

static void removed(struct env_job *job)
{
    struct dump *dump = (struct dump *)job;
    struct coin_dumps *dumps = dump->dumps;
    int error = dump->error;
    if (job->cancelled)
        remove_files(dump);
    dumps->is_running = false;
    dump->done(dump->arg, error, error ? NULL : &dump->result);
    if (error == -EUCLEAN)
        lost_coins(dumps->core, error, "writing the coins to a file");
    dump_free(dump);
    core_end(dumps->core);
}

static void end(struct dump *dump, int error)
{
    if (dump->cursor)
        coins_snapshot_close(dump->coins, dump->cursor);
    snapshot_writer_close(&dump->writer);
    dump->error = error;
    dump->job = (struct env_job){.run = run_remove, .done = removed};
    env_job_submit(env_of(dump), ENV_POOL_BLOCKING, ENV_PRIORITY_LOW, &dump->job);
}

static void written(struct env_job *job)
{
    struct dump *dump = (struct dump *)job;
    end(dump, job->cancelled ? -ECANCELED : dump->error);
}

static void go_on(struct dump *dump);

static void taken_back(struct env_job *job)
{
    struct dump *dump = (struct dump *)job;
    int error = job->cancelled ? -ECANCELED : dump->error;
    block_ref_drop(dump->block);
    dump->block = NULL;
    dump->undo.len = 0;
    dump->at = dump->at->prev;
    if (error || dump->dumps->core->closing)
        end(dump, error ? error : -ECANCELED);
    else
        go_on(dump);
}

static void block_was_read(void *arg, const struct chain_block_read *read)
{
    struct dump *dump = arg;
    if (read->error || dump->dumps->core->closing) {
        end(dump, dump->dumps->core->closing ? -ECANCELED : -ENODATA);
        return;
    }
    dump->block = block_ref_hold(read->block);
    buffer_append(&dump->undo, read->undo_raw.p, read->undo_raw.len);
    dump->job = (struct env_job){.run = run_take_back, .done = taken_back};
    env_job_submit(env_of(dump), ENV_POOL_BLOCKING, ENV_PRIORITY_LOW, &dump->job);
}

/* The next block down, or the file. */
static void go_on(struct dump *dump)
{
    if (dump->at != dump->result.base) {
        block_read(dump->dumps->reads, dump->at, true, block_was_read, dump);
        return;
    }
    dump->job = (struct env_job){.run = run_write, .done = written};
    env_job_submit(env_of(dump), ENV_POOL_BLOCKING, ENV_PRIORITY_LOW, &dump->job);
}

static void flushed(void *arg, int error)
{
    struct dump *dump = arg;
    struct flush *flush = dump->dumps->flush;
    if (error || flush->core->closing) {
        end(dump, error ? error : -ECANCELED);
        return;
    }
    dump->at = flush->tip;
    dump->result.base = dump->target ? dump->target : flush->tip;
    if (block_node_fork(dump->at, dump->result.base) != dump->result.base) {
        end(dump, -ENODATA); /* no block of this chain */
        return;
    }
    dump->coins = flush->core->coins;
    dump->cursor = coins_snapshot(dump->coins);
    go_on(dump);
}

int coin_dump_start(struct coin_dumps *dumps, const char *path, const struct block_node *target,
                    coin_dump_fn *done, void *arg)
{
    struct chain_core *core = dumps->core;
    ASSERT(path && done);
    if (dumps->is_running || core->closing)
        return core->closing ? -ECANCELED : -EBUSY;
    struct dump *dump = xcalloc(1, sizeof *dump);
    *dump = (struct dump){.dumps = dumps, .target = target, .done = done, .arg = arg};
    dump->path = xstrdup(path);
    dump->part_path = xasprintf("%s" COIN_DUMP_PART_SUFFIX, path);
    dump->rollback_path = xasprintf("%s/" ROLLBACK_FOLDER, core->data_dir);
    arena_init(&dump->arena, COIN_CHUNK);
    buffer_init(&dump->undo);
    int error = snapshot_writer_open(&dump->writer, core->env, dump->part_path);
    if (error) {
        snapshot_writer_close(&dump->writer);
        dump_free(dump);
        return error;
    }
    dumps->is_running = true;
    core_begin(core);
    flush_order(dumps->flush, flushed, dump);
    return 0;
}
