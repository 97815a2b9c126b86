/* spenderindex.c - which transaction of the chain spends an output (-txospenderindex).
 *
 * Store keys: 's' hash height position -> the first four bytes of the block's hash, a row for each
 * input, where hash is SipHash of the outpoint: 21 bytes for a row instead of 70. Two outpoints may
 * have the same hash, and a row of a block that left the chain stays where it is; so a row is a
 * hint, and the transaction itself, read from its block, is the proof. 'K' -> the key of the hash,
 * which is the store's own: nobody can make outpoints that collide. 'B' -> the block up to which
 * all are in, written as that of the txindex is: only when the coins store stands for that block or
 * one after it (hazard 76).
 *
 * Blocks taken back stay in the index until others are connected in their place: until then the
 * outputs that they spent are still said to be spent, with the block's hash. Core does the same. */
#include "chain/ask/spenderindex.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "chain/ask/index_store.h"
#include "chain/disk/block_file.h"
#include "chain/disk/block_ref.h"
#include "crypto/siphash.h"
#include "util/alloc.h"
#include "util/buffer.h"

#define PREFIX_BYTES 9 /* 's', hash */
#define KEY_BYTES    17
#define TAG_BYTES    4
#define SECRET_BYTES 16

/* A row found: where the spender may be. */
struct hint {
    uint32_t height, position;
    uint8_t tag[TAG_BYTES];
};

/* Somebody looks for a spender. */
struct spender_lookup {
    struct env_job job;
    struct spenderindex *index;
    struct spender_lookup *next;
    struct outpoint outpoint;
    int32_t height;     /* the tip when it was asked: the index must have got there */
    struct buffer rows; /* struct hint each */
    size_t at;          /* hints looked at */
    int error;
    chain_spender_fn *done;
    void *arg;
};

/* -- Jobs -------------------------------------------------------------------------------------- */

static void write_u32_be(struct writer *w, uint32_t v)
{
    uint8_t b[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
    write_bytes(w, b, sizeof b);
}

static uint32_t read_u32_be(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static struct writer prefix_of(const struct spenderindex *index, const struct outpoint *outpoint,
                               uint8_t key[KEY_BYTES])
{
    struct writer w = writer_to_buffer(key, KEY_BYTES);
    write_u8(&w, 's');
    write_u64(&w, siphash13_id(index->secret, outpoint->txid.b, outpoint->vout));
    ASSERT(w.len == PREFIX_BYTES);
    return w;
}

static void run_index(struct env_job *job)
{
    struct spenderindex *index = (struct spenderindex *)job;
    const struct env *env = index->core->env;
    const struct block *block = &index->block->block;
    struct env_batch *batch = env_batch_new(env);
    for (uint32_t i = 1; i < block->n_tx; i++) { /* a coinbase spends nothing */
        for (uint32_t k = 0; k < block->tx[i].n_in; k++) {
            uint8_t key[KEY_BYTES];
            struct writer w = prefix_of(index, &block->tx[i].in[k].prevout, key);
            write_u32_be(&w, (uint32_t)index->next->height);
            write_u32_be(&w, i);
            env_batch_put(env, batch, span_of(key, sizeof key), span_of(block->hash.b, TAG_BYTES));
        }
    }
    index->error = env_kv_write(env, index->kv, batch, false);
    env_batch_free(env, batch);
}

/* Write one row, synced. */
static int write_row(const struct spenderindex *index, const char *key, struct span value)
{
    const struct env *env = index->core->env;
    struct env_batch *batch = env_batch_new(env);
    env_batch_put(env, batch, span_of_string(key), value);
    int error = env_kv_write(env, index->kv, batch, true);
    env_batch_free(env, batch);
    return error;
}

static void run_mark(struct env_job *job)
{
    struct spenderindex *index = (struct spenderindex *)job;
    index->error = write_row(index, "B", span_of(index->next->hash.b, sizeof index->next->hash.b));
}

/* Take the row at the cursor, if it is of this outpoint's hash. */
static bool take_row(struct spender_lookup *lookup, struct env_cursor *cursor,
                     const uint8_t prefix[PREFIX_BYTES])
{
    const struct env *env = lookup->index->core->env;
    struct span key, value;
    if (!env_cursor_valid(env, cursor))
        return false;
    key = env_cursor_key(env, cursor);
    value = env_cursor_value(env, cursor);
    if (key.len != KEY_BYTES || value.len != TAG_BYTES || memcmp(key.p, prefix, PREFIX_BYTES) != 0)
        return false;
    struct hint hint = {.height = read_u32_be(key.p + PREFIX_BYTES),
                        .position = read_u32_be(key.p + PREFIX_BYTES + 4)};
    memcpy(hint.tag, value.p, TAG_BYTES);
    /* As many as there were reorganisations over this spend: each cost a block's work. */
    buffer_append(&lookup->rows, &hint, sizeof hint);
    return true;
}

static void run_lookup(struct env_job *job)
{
    struct spender_lookup *lookup = (struct spender_lookup *)job;
    const struct env *env = lookup->index->core->env;
    uint8_t prefix[KEY_BYTES];
    (void)prefix_of(lookup->index, &lookup->outpoint, prefix);
    struct env_cursor *cursor = env_cursor_open(env, lookup->index->kv);
    env_cursor_seek(env, cursor, span_of(prefix, PREFIX_BYTES));
    while (take_row(lookup, cursor, prefix))
        env_cursor_next(env, cursor);
    lookup->error = env_cursor_error(env, cursor);
    env_cursor_close(env, cursor);
}

/* -- Damage ------------------------------------------------------------------------------------ */

static const struct index_store the_store = {
    .dir = "txospenderindex",
    .format = {.name = "index of spenders",
               .version = 1,
               .kind = 'S',
               .old_key = "K",
               .old_len = SECRET_BYTES},
    .bloom_bits = 0,
};

/* What it holds is worth nothing any more; nobody may be told that something is unknown. */
static void forget_all(struct spenderindex *index)
{
    index->is_damaged = true;
    index->is_broken = index->was_synced = false;
    index->at = index->tree->genesis;
    index->marked = NULL;
}

/* -- Looking up -------------------------------------------------------------------------------- */

static void end_lookup(struct spender_lookup *lookup, int error,
                       const struct chain_spender *spender)
{
    struct spenderindex *index = lookup->index;
    lookup->done(lookup->arg, error, spender);
    buffer_deinit(&lookup->rows);
    xfree(lookup);
    core_end(index->core);
}

static bool spends(const struct tx *tx, const struct outpoint *outpoint)
{
    for (uint32_t i = 0; i < tx->n_in; i++) {
        if (tx->in[i].prevout.vout == outpoint->vout &&
            txid_equal(&tx->in[i].prevout.txid, &outpoint->txid))
            return true;
    }
    return false;
}

/* The block of a hint, if the index still stands for it. */
static const struct block_node *block_of_hint(const struct spenderindex *index,
                                              const struct hint *hint)
{
    if (hint->height > (uint32_t)index->at->height)
        return NULL;
    const struct block_node *node = block_node_ancestor(index->at, (int32_t)hint->height);
    return memcmp(node->hash.b, hint->tag, TAG_BYTES) == 0 ? node : NULL;
}

static void try_next_hint(struct spender_lookup *lookup);

static void hinted_block_was_read(void *arg, const struct chain_block_read *read)
{
    struct spender_lookup *lookup = arg;
    struct hint hint;
    if (read->error) {
        end_lookup(lookup, read->error, NULL);
        return;
    }
    memcpy(&hint, lookup->rows.p + (lookup->at - 1) * sizeof hint, sizeof hint);
    const struct block *block = &read->block->block;
    if (hint.position < block->n_tx && spends(&block->tx[hint.position], &lookup->outpoint)) {
        struct chain_spender spender = {.node = read->node, .tx = &block->tx[hint.position]};
        end_lookup(lookup, 0, &spender);
        return;
    }
    try_next_hint(lookup);
}

static void try_next_hint(struct spender_lookup *lookup)
{
    const struct block_node *node = NULL;
    struct spenderindex *index = lookup->index;
    while (!node && (lookup->at + 1) * sizeof(struct hint) <= lookup->rows.len) {
        struct hint hint;
        memcpy(&hint, lookup->rows.p + lookup->at * sizeof hint, sizeof hint);
        lookup->at++;
        node = block_of_hint(index, &hint);
    }
    if (node)
        (void)block_read(index->reads, node, false, hinted_block_was_read, lookup);
    else /* an index that is being made anew knows nothing of what is not spent */
        end_lookup(lookup, index->was_synced ? 0 : -EAGAIN, NULL);
}

static void lookup_done(struct env_job *job)
{
    struct spender_lookup *lookup = (struct spender_lookup *)job;
    struct spenderindex *index = lookup->index;
    index->lookups_running--;
    if (lookup->error == -EUCLEAN) {
        forget_all(index);
        lookup->error = -EAGAIN; /* as for all who ask until it is there again */
    }
    if (index->is_damaged)
        core_wake_soon(index->core);
    if (job->cancelled || lookup->error || lookup->index->core->closing)
        end_lookup(lookup, lookup->error ? lookup->error : -ECANCELED, NULL);
    else
        try_next_hint(lookup);
}

static void submit_lookup(struct spender_lookup *lookup)
{
    const struct env *env = lookup->index->core->env;
    lookup->job = (struct env_job){.run = run_lookup, .done = lookup_done};
    lookup->index->lookups_running++;
    env_job_submit(env, ENV_POOL_BLOCKING, ENV_PRIORITY_HIGH, &lookup->job);
}

/* While the index only now and then trails the tip by some blocks, a look-up waits for it: what
 * has just been mined is to be found. */
static bool must_wait(const struct spenderindex *index, const struct spender_lookup *lookup)
{
    return index->is_damaged ||
           (index->was_synced && !index->is_broken && index->at->height < lookup->height &&
            index->at != active_chain_tip(index->active));
}

static void wake_lookups(struct spenderindex *index)
{
    struct spender_lookup **at = &index->waiting;
    while (*at) {
        struct spender_lookup *lookup = *at;
        if (must_wait(index, lookup)) {
            at = &lookup->next;
            continue;
        }
        *at = lookup->next;
        submit_lookup(lookup);
    }
}

void spenderindex_find(struct spenderindex *index, const struct outpoint *outpoint,
                       chain_spender_fn *done, void *arg)
{
    ASSERT(outpoint && done);
    if (!index->is_on || index->core->closing || !index->was_synced || index->is_broken) {
        done(arg, !index->is_on ? -ENOSYS : index->core->closing ? -ECANCELED : -EAGAIN, NULL);
        return;
    }
    struct spender_lookup *lookup = xcalloc(1, sizeof *lookup);
    *lookup = (struct spender_lookup){.index = index,
                                      .outpoint = *outpoint,
                                      .height = active_chain_tip(index->active)->height,
                                      .done = done,
                                      .arg = arg};
    buffer_init(&lookup->rows);
    core_begin(index->core);
    if (!must_wait(index, lookup)) {
        submit_lookup(lookup);
        return;
    }
    struct spender_lookup **at = &index->waiting;
    while (*at)
        at = &(*at)->next;
    *at = lookup;
}

/* Does it stand for the tip, or for blocks on it that were taken back? */
static bool covers_tip(const struct spenderindex *index)
{
    const struct block_node *tip = active_chain_tip(index->active);
    return block_node_fork(index->at, tip) == tip;
}

bool spenderindex_status(const struct spenderindex *index, bool *synced, int32_t *height)
{
    if (!index->is_on)
        return false;
    *height = index->at->height;
    *synced = covers_tip(index);
    return true;
}

/* -- Following the tip ------------------------------------------------------------------------- */

static void stop_broken(struct spenderindex *index, int error)
{
    char message[200];
    snprintf(message, sizeof message,
             "The index of spenders stops at height %d: the next block cannot be read (%s)",
             index->at->height, strerror(-error));
    index->is_broken = true;
    core_warn(index->core, message);
    wake_lookups(index);
}

static void task_done(struct env_job *job)
{
    struct spenderindex *index = (struct spenderindex *)job;
    enum spender_task task = index->task;
    int error = job->cancelled ? -ECANCELED : index->error;
    index->task = SPENDER_TASK_NONE;
    block_ref_drop(index->block);
    index->block = NULL;
    if (error == -EUCLEAN) {
        forget_all(index);
    } else if (error) {
        core_fault(index->core, error, "writing the index of spenders");
    } else if (index->is_damaged) {
        /* What was written will be thrown away. */
    } else if (task == SPENDER_TASK_MARK) {
        index->marked = index->next;
    } else {
        index->at = index->next;
        wake_lookups(index);
    }
    core_wake(index->core);
}

static void submit_task(struct spenderindex *index, enum spender_task task)
{
    const struct env *env = index->core->env;
    ASSERT(index->task == SPENDER_TASK_NONE || index->task == SPENDER_TASK_READ);
    index->task = task;
    index->error = 0;
    index->job = (struct env_job){.run = task == SPENDER_TASK_MARK ? run_mark : run_index,
                                  .done = task_done};
    env_job_submit(env, ENV_POOL_BLOCKING, ENV_PRIORITY_NORMAL, &index->job);
}

static void block_was_read(void *arg, const struct chain_block_read *read)
{
    struct spenderindex *index = arg;
    if (!read->error && !index->core->closing) {
        index->block = block_ref_hold(read->block);
        submit_task(index, SPENDER_TASK_INDEX);
        return;
    }
    index->task = SPENDER_TASK_NONE;
    if (read->error && read->error != -ECANCELED && !index->core->closing)
        stop_broken(index, read->error);
}

/* The last block that may be marked as done: in the index, and in what the coins store holds. */
static const struct block_node *markable(const struct spenderindex *index)
{
    return block_node_fork(index->at, index->flush->tip);
}

static bool start_mark(struct spenderindex *index)
{
    if (index->flush->stage != FLUSH_IDLE || index->marked_flushes == index->flush->completed)
        return false;
    index->marked_flushes = index->flush->completed;
    index->next = markable(index);
    if (index->next == index->marked)
        return false;
    submit_task(index, SPENDER_TASK_MARK);
    return true;
}

static void start_next_block(struct spenderindex *index)
{
    if (covers_tip(index)) {
        index->was_synced = true;
        wake_lookups(index);
        return;
    }
    index->at = block_node_fork(index->at, active_chain_tip(index->active));
    index->next = active_chain_at(index->active, index->at->height + 1);
    index->task = SPENDER_TASK_READ;
    (void)block_read(index->reads, index->next, false, block_was_read, index);
}

static int load_secret(struct spenderindex *index);

/* Begin anew. False if that cannot be done yet, or not at all. */
static bool rebuild(struct spenderindex *index)
{
    if (index->lookups_running > 0 ||
        !index_store_rebuild(index->core, &the_store, &index->n_rebuilt, &index->kv))
        return false;
    int error = load_secret(index);
    if (error) {
        core_fault(index->core, error, "writing the index of spenders");
        return false;
    }
    index->is_damaged = false;
    wake_lookups(index);
    return true;
}

/* A block that could not be read may be there now. */
static void retry_broken(struct spenderindex *index)
{
    if (index->seen_returned == index->lost->n_returned)
        return;
    index->seen_returned = index->lost->n_returned;
    index->is_broken = false;
}

/* The committed tip moved or a flush ended: index what is new (jobs, never ahead of what the coins
 * store stands for: hazard 76). */
static void step(struct spenderindex *index)
{
    retry_broken(index);
    if (index->task != SPENDER_TASK_NONE || index->is_broken || !core_is_working(index->core))
        return;
    if (index->is_damaged && !rebuild(index))
        return;
    if (!start_mark(index))
        start_next_block(index);
}

static void step_part(void *part)
{
    struct spenderindex *index = part;
    if (index->is_on)
        step(index);
}

static bool is_busy(const void *part)
{
    return ((const struct spenderindex *)part)->task != SPENDER_TASK_NONE;
}

/* Answer those who wait for the index to come nearer. */
static void cancel_all(void *part)
{
    struct spenderindex *index = part;
    while (index->waiting) {
        struct spender_lookup *lookup = index->waiting;
        index->waiting = lookup->next;
        end_lookup(lookup, -ECANCELED, NULL);
    }
}

const struct chain_part spenderindex_part = {
    .name = "spenderindex", .step = step_part, .is_busy = is_busy, .cancel = cancel_all};

/* -- Opening and closing ----------------------------------------------------------------------- */

void spenderindex_init(struct spenderindex *index, const struct spenderindex *with)
{
    ASSERT(!with->is_on && !with->kv);
    *index = *with;
}

/* Read a row of exactly len bytes. Returns 0, -ENOENT, -EUCLEAN or what the store says. */
static int read_row(const struct spenderindex *index, const char *key, void *out, size_t len)
{
    const struct env *env = index->core->env;
    struct buffer value;
    buffer_init(&value);
    int error = env_kv_get(env, index->kv, span_of_string(key), &value);
    if (!error && value.len != len)
        error = -EUCLEAN;
    if (!error)
        memcpy(out, value.p, len);
    buffer_deinit(&value);
    return error;
}

/* The store's own key, made when it is new. A store that has a mark has had a key. */
static int load_secret(struct spenderindex *index)
{
    const struct env *env = index->core->env;
    uint8_t bytes[SECRET_BYTES], mark[32];
    int error = read_row(index, "K", bytes, sizeof bytes);
    if (error == -ENOENT) {
        if (read_row(index, "B", mark, sizeof mark) != -ENOENT)
            return -EUCLEAN;
        env_random(env, bytes, sizeof bytes);
        error = write_row(index, "K", span_of(bytes, sizeof bytes));
    }
    struct reader r = reader_of(span_of(bytes, sizeof bytes));
    if (!error) {
        index->secret.k0 = read_u64(&r);
        index->secret.k1 = read_u64(&r);
    }
    return error;
}

static int load_mark(struct spenderindex *index)
{
    struct block_hash hash;
    int error = read_row(index, "B", hash.b, sizeof hash.b);
    if (error && error != -ENOENT)
        return error;
    /* A mark of a chain that is not ours any more: begin anew. */
    const struct block_node *node = error ? NULL : header_tree_find(index->tree, &hash);
    index->marked = node;
    index->at = node ? block_node_fork(node, index->flush->tip) : index->tree->genesis;
    index->was_synced = covers_tip(index);
    return 0;
}

static int load_rows(struct spenderindex *index)
{
    int error = load_secret(index);
    return error ? error : load_mark(index);
}

int spenderindex_open(struct spenderindex *index, char **error)
{
    ASSERT(!index->is_on && !index->core->is_open);
    int code =
        index_store_open(index->core, &the_store, index->core->options.reindex, &index->kv, error);
    if (!code)
        code = load_rows(index);
    if (code == -EUCLEAN && index->kv &&
        index_store_rebuild(index->core, &the_store, &index->n_rebuilt, &index->kv))
        code = load_rows(index);
    if (code) {
        if (!*error)
            *error = xasprintf("Cannot read the index of spenders: %s", strerror(-code));
        if (index->kv)
            env_kv_close(index->core->env, index->kv);
        index->kv = NULL;
    }
    index->is_on = code == 0;
    return code;
}

void spenderindex_close(struct spenderindex *index)
{
    if (!index->is_on)
        return;
    ASSERT(index->task == SPENDER_TASK_NONE && !index->waiting);
    const struct block_node *node = markable(index);
    /* An error costs nothing but work at the next start. */
    if (!index->core->faulted && node != index->marked)
        (void)write_row(index, "B", span_of(node->hash.b, sizeof node->hash.b));
    if (index->kv)
        env_kv_close(index->core->env, index->kv);
    index->kv = NULL;
    index->is_on = false;
}
