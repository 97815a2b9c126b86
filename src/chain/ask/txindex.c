/* txindex.c - where a transaction is.
 *
 * Store keys: 't' txid -> its place (tx_place.h); 'B' -> the block up to which all are in; 'P' ->
 * the block up to which the rows tell the place in the file, and not the block alone, as those of
 * versions before did: such rows are answered too, and written anew whenever the index has nothing
 * else to do. Entries are written as soon as a block is committed, but the mark 'B' only
 * after the coins store stands for that block or one after it: after a crash the index goes on from
 * a block that the chain still has (hazard 76). Entries of blocks that left the chain are not
 * removed: the bytes of the hash tell that they are stale, and a transaction that was mined again
 * has got a new entry. */
#include "chain/ask/txindex.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "chain/ask/index_store.h"
#include "chain/ask/tx_place.h"
#include "chain/disk/block_file.h"
#include "chain/disk/block_ref.h"
#include "util/alloc.h"
#include "util/buffer.h"

#define KEY_BYTES          33
#define LOOKUP_CHUNK_BYTES 1024

/* Somebody looks for a transaction. */
struct lookup {
    struct env_job job;
    struct txindex *index;
    struct lookup *next;
    struct txid txid;
    int32_t height; /* the tip when it was asked: the index must have got there */
    struct tx_place place;
    uint8_t *raw; /* the transaction's bytes, if they are where the place says */
    struct arena arena;
    struct tx tx;    /* with raw */
    int error;       /* -ENOENT: unknown */
    bool is_partial; /* asked of an index that had not reached the tip */
    chain_tx_fn *done;
    void *arg;
};

/* -- Jobs -------------------------------------------------------------------------------------- */

static void tx_key(const struct txid *txid, uint8_t key[KEY_BYTES])
{
    key[0] = 't';
    memcpy(key + 1, txid->b, sizeof txid->b);
}

static void run_index(struct env_job *job)
{
    struct txindex *index = (struct txindex *)job;
    const struct env *env = index->core->env;
    const struct block *block = &index->block->block;
    struct env_batch *batch = env_batch_new(env);
    uint8_t key[KEY_BYTES], value[TX_PLACE_BYTES];
    struct tx_place place = {.height = index->next->height, .pos = {.file = index->data.file}};
    memcpy(place.tag, block->hash.b, sizeof place.tag);
    for (uint32_t i = 0; i < block->n_tx; i++) {
        struct span raw = block->tx[i].raw;
        ASSERT(raw.p >= block->raw.p && raw.len <= block->raw.len);
        place.pos.offset = index->data.offset + (uint32_t)(raw.p - block->raw.p);
        place.pos.len = (uint32_t)raw.len;
        tx_place_encode(&place, raw, value);
        place.first_spent += i > 0 ? block->tx[i].n_in : 0;
        tx_key(&block->txids[i], key);
        env_batch_put(env, batch, span_of(key, sizeof key), span_of(value, sizeof value));
    }
    index->error = env_kv_write(env, index->kv, batch, false);
    env_batch_free(env, batch);
}

static int write_mark(struct txindex *index, const struct block_node *node)
{
    const struct block_node *placed = block_node_fork(index->placed, node);
    const struct env *env = index->core->env;
    struct env_batch *batch = env_batch_new(env);
    env_batch_put(env, batch, span_of("B", 1), span_of(node->hash.b, sizeof node->hash.b));
    env_batch_put(env, batch, span_of("P", 1), span_of(placed->hash.b, 32));
    int error = env_kv_write(env, index->kv, batch, true);
    env_batch_free(env, batch);
    return error;
}

static void run_mark(struct env_job *job)
{
    struct txindex *index = (struct txindex *)job;
    index->error = write_mark(index, index->next);
}

/* The transaction, if it is where its row says. If not, for whatever reason, its block has to be
 * read, which names the reason. */
static void read_at_place(struct lookup *lookup)
{
    uint8_t *raw;
    if (lookup->place.pos.file < 0 ||
        block_files_read_part(lookup->index->core->files, &lookup->place.pos, &raw))
        return;
    struct span bytes = span_of(raw, lookup->place.pos.len);
    struct reader r = reader_of(bytes);
    if (tx_place_proves(&lookup->place, bytes) &&
        tx_decode(&r, &lookup->arena, true, &lookup->tx) && reader_finish(&r) &&
        txid_equal(&lookup->tx.txid, &lookup->txid))
        lookup->raw = raw;
    else
        xfree(raw);
}

static void run_lookup(struct env_job *job)
{
    struct lookup *lookup = (struct lookup *)job;
    const struct env *env = lookup->index->core->env;
    struct buffer value;
    uint8_t key[KEY_BYTES];
    buffer_init(&value);
    tx_key(&lookup->txid, key);
    lookup->error = env_kv_get(env, lookup->index->kv, span_of(key, sizeof key), &value);
    if (!lookup->error && !tx_place_decode(span_of(value.p, value.len), &lookup->place))
        lookup->error = -EUCLEAN;
    buffer_deinit(&value);
    if (!lookup->error)
        read_at_place(lookup);
}

/* -- Damage ------------------------------------------------------------------------------------ */

static const struct index_store the_store = {
    .dir = "txindex",
    .format = {.name = "transaction index",
               .version = 1,
               .kind = 'T',
               .old_key = "B",
               .old_len = 32,
               .row_prefix = "t",
               .row_key_len = KEY_BYTES,
               .row_value_len = TX_PLACE_OLD_BYTES},
    .bloom_bits = 10,
};

/* What it holds is worth nothing any more; nobody may be told that something is unknown. */
static void forget_all(struct txindex *index)
{
    index->is_damaged = true;
    index->is_broken = index->was_synced = false;
    index->at = index->placed = index->tree->genesis;
    index->marked = index->marked_placed = NULL;
}

/* -- Looking up -------------------------------------------------------------------------------- */

static void end_lookup(struct lookup *lookup, int error, const struct block_node *node)
{
    struct txindex *index = lookup->index;
    struct chain_tx found = {.node = node,
                             .tx = lookup->raw ? &lookup->tx : NULL,
                             .first_spent = lookup->place.first_spent};
    lookup->done(lookup->arg, error, node ? &found : NULL);
    arena_deinit(&lookup->arena);
    xfree(lookup->raw);
    xfree(lookup);
    core_end(index->core);
}

static void lookup_done(struct env_job *job)
{
    struct lookup *lookup = (struct lookup *)job;
    struct txindex *index = lookup->index;
    index->lookups_running--;
    if (lookup->error == -EUCLEAN)
        forget_all(index);
    if (index->is_damaged)
        core_wake_soon(index->core);
    if (job->cancelled || lookup->error) {
        int unknown = lookup->is_partial ? -EAGAIN : 0;
        int error = lookup->error == -ENOENT ? unknown : lookup->error;
        end_lookup(lookup, job->cancelled ? -ECANCELED : error, NULL);
        return;
    }
    const struct tx_place *place = &lookup->place;
    const struct block_node *node = active_chain_at(lookup->index->active, place->height);
    bool is_of_chain = node && memcmp(node->hash.b, place->tag, sizeof place->tag) == 0;
    end_lookup(lookup, 0, is_of_chain ? node : NULL);
}

static void submit_lookup(struct lookup *lookup)
{
    const struct env *env = lookup->index->core->env;
    lookup->is_partial = lookup->index->at != active_chain_tip(lookup->index->active);
    lookup->job = (struct env_job){.run = run_lookup, .done = lookup_done};
    lookup->index->lookups_running++;
    env_job_submit(env, ENV_POOL_BLOCKING, ENV_PRIORITY_HIGH, &lookup->job);
}

/* While the index only now and then trails the tip by some blocks, a look-up waits for it: what
 * has just been mined is to be found. */
static bool must_wait(const struct txindex *index, const struct lookup *lookup)
{
    return index->is_damaged ||
           (index->was_synced && !index->is_broken && index->at->height < lookup->height &&
            index->at != active_chain_tip(index->active));
}

static void wake_lookups(struct txindex *index)
{
    struct lookup **at = &index->waiting;
    while (*at) {
        struct lookup *lookup = *at;
        if (must_wait(index, lookup)) {
            at = &lookup->next;
            continue;
        }
        *at = lookup->next;
        submit_lookup(lookup);
    }
}

void txindex_find(struct txindex *index, const struct txid *txid, chain_tx_fn *done, void *arg)
{
    ASSERT(txid && done);
    if (!index->is_on || index->core->closing) {
        done(arg, index->is_on ? -ECANCELED : -ENOSYS, NULL);
        return;
    }
    struct lookup *lookup = xcalloc(1, sizeof *lookup);
    *lookup = (struct lookup){.index = index,
                              .txid = *txid,
                              .height = active_chain_tip(index->active)->height,
                              .done = done,
                              .arg = arg};
    arena_init(&lookup->arena, LOOKUP_CHUNK_BYTES);
    core_begin(index->core);
    if (!must_wait(index, lookup)) {
        submit_lookup(lookup);
        return;
    }
    struct lookup **at = &index->waiting;
    while (*at)
        at = &(*at)->next;
    *at = lookup;
}

bool txindex_status(const struct txindex *index, bool *synced, int32_t *height)
{
    if (!index->is_on)
        return false;
    *height = index->at->height;
    *synced = index->at == active_chain_tip(index->active);
    return true;
}

/* -- Following the tip ------------------------------------------------------------------------- */

static void stop_broken(struct txindex *index, int error)
{
    char message[200];
    snprintf(message, sizeof message,
             "The transaction index stops at height %d: the next block cannot be read (%s)",
             index->at->height, strerror(-error));
    index->is_broken = true;
    core_warn(index->core, message);
    wake_lookups(index);
}

static void task_done(struct env_job *job)
{
    struct txindex *index = (struct txindex *)job;
    enum txindex_task task = index->task;
    int error = job->cancelled ? -ECANCELED : index->error;
    index->task = TX_TASK_NONE;
    block_ref_drop(index->block);
    index->block = NULL;
    if (error == -EUCLEAN) {
        forget_all(index);
    } else if (error) {
        core_fault(index->core, error, "writing the transaction index");
    } else if (index->is_damaged) {
        /* What was written will be thrown away. */
    } else if (task == TX_TASK_MARK) {
        index->marked = index->next;
        index->marked_placed = block_node_fork(index->placed, index->next);
    } else if (task == TX_TASK_RENEW) {
        index->placed = index->next;
    } else {
        if (index->placed == index->at)
            index->placed = index->next;
        index->at = index->next;
        wake_lookups(index);
    }
    core_wake(index->core);
}

static void submit_task(struct txindex *index, enum txindex_task task)
{
    const struct env *env = index->core->env;
    ASSERT(index->task == TX_TASK_NONE || index->task == TX_TASK_READ);
    index->task = task;
    index->error = 0;
    index->job =
        (struct env_job){.run = task == TX_TASK_MARK ? run_mark : run_index, .done = task_done};
    env_job_submit(env, ENV_POOL_BLOCKING, ENV_PRIORITY_NORMAL, &index->job);
}

static void block_was_read(void *arg, const struct chain_block_read *read)
{
    struct txindex *index = arg;
    bool is_renewal = index->next->height <= index->at->height;
    if (!read->error && !index->core->closing) {
        index->block = block_ref_hold(read->block);
        index->data = index->next->data;
        submit_task(index, is_renewal ? TX_TASK_RENEW : TX_TASK_INDEX);
        return;
    }
    index->task = TX_TASK_NONE;
    if (is_renewal) {
        index->cannot_renew = true;
        core_wake_soon(index->core);
        return;
    }
    if (read->error && read->error != -ECANCELED && !index->core->closing)
        stop_broken(index, read->error);
}

/* The last block that may be marked as done: in the index, and in what the coins store holds. */
static const struct block_node *markable(const struct txindex *index)
{
    return block_node_fork(index->at, index->flush->tip);
}

static bool start_mark(struct txindex *index)
{
    if (index->flush->stage != FLUSH_IDLE || index->marked_flushes == index->flush->completed)
        return false;
    index->marked_flushes = index->flush->completed;
    index->next = markable(index);
    if (index->next == index->marked &&
        block_node_fork(index->placed, index->next) == index->marked_placed)
        return false;
    submit_task(index, TX_TASK_MARK);
    return true;
}

/* The next block whose rows are old. Nobody waits for it: it is read as for a peer. */
static void start_renewal(struct txindex *index)
{
    if (index->placed == index->at || index->cannot_renew)
        return;
    index->next = active_chain_at(index->active, index->placed->height + 1);
    index->task = TX_TASK_READ;
    (void)block_read_for_peer(index->reads, index->next, false, block_was_read, index);
}

static void start_next_block(struct txindex *index)
{
    const struct block_node *tip = active_chain_tip(index->active);
    if (!active_chain_contains(index->active, index->at))
        index->at = block_node_fork(index->at, tip);
    index->placed = block_node_fork(index->placed, index->at);
    if (index->at == tip) {
        index->was_synced = true;
        wake_lookups(index);
        start_renewal(index);
        return;
    }
    index->next = active_chain_at(index->active, index->at->height + 1);
    index->task = TX_TASK_READ;
    (void)block_read(index->reads, index->next, false, block_was_read, index);
}

/* Begin anew. False if that cannot be done yet, or not at all. */
static bool rebuild(struct txindex *index)
{
    if (index->lookups_running > 0 ||
        !index_store_rebuild(index->core, &the_store, &index->n_rebuilt, &index->kv))
        return false;
    index->is_damaged = false;
    wake_lookups(index);
    return true;
}

/* A block that could not be read may be there now. */
static void retry_broken(struct txindex *index)
{
    if (index->seen_returned == index->lost->n_returned)
        return;
    index->seen_returned = index->lost->n_returned;
    index->is_broken = index->cannot_renew = false;
}

/* The committed tip moved or a flush ended: index what is new (jobs, never ahead of what the coins
 * store stands for: hazard 76). */
static void step(struct txindex *index)
{
    retry_broken(index);
    if (index->task != TX_TASK_NONE || index->is_broken || !core_is_working(index->core))
        return;
    if (index->is_damaged && !rebuild(index))
        return;
    if (!start_mark(index))
        start_next_block(index);
}

static void step_part(void *part)
{
    struct txindex *index = part;
    if (index->is_on)
        step(index);
}

static bool is_busy(const void *part)
{
    return ((const struct txindex *)part)->task != TX_TASK_NONE;
}

/* Answer those who wait for the index to come nearer. */
static void cancel_all(void *part)
{
    struct txindex *index = part;
    while (index->waiting) {
        struct lookup *lookup = index->waiting;
        index->waiting = lookup->next;
        end_lookup(lookup, -ECANCELED, NULL);
    }
}

const struct chain_part txindex_part = {
    .name = "txindex", .step = step_part, .is_busy = is_busy, .cancel = cancel_all};

/* -- Opening and closing ----------------------------------------------------------------------- */

void txindex_init(struct txindex *index, const struct txindex *with)
{
    ASSERT(!with->is_on && !with->kv);
    *index = *with;
}

/* *node: the block that a mark names; NULL if there is none, or it is of a chain that is not ours
 * any more. */
static int load_mark(struct txindex *index, const char *key, const struct block_node **node)
{
    struct buffer value;
    struct block_hash hash;
    buffer_init(&value);
    int error = env_kv_get(index->core->env, index->kv, span_of(key, 1), &value);
    bool has_hash = !error && value.len == sizeof hash.b;
    if (has_hash)
        memcpy(hash.b, value.p, sizeof hash.b);
    buffer_deinit(&value);
    *node = has_hash ? header_tree_find(index->tree, &hash) : NULL;
    return error == -ENOENT ? 0 : error;
}

/* Without a mark: begin anew. */
static int load_marks(struct txindex *index)
{
    const struct block_node *genesis = index->tree->genesis;
    int error = load_mark(index, "B", &index->marked);
    if (!error)
        error = load_mark(index, "P", &index->marked_placed);
    if (error)
        return error;
    index->at = index->marked ? block_node_fork(index->marked, index->flush->tip) : genesis;
    index->placed =
        index->marked_placed ? block_node_fork(index->marked_placed, index->at) : genesis;
    index->was_synced = index->at == active_chain_tip(index->active);
    return 0;
}

int txindex_open(struct txindex *index, char **error)
{
    ASSERT(!index->is_on && !index->core->is_open);
    int code =
        index_store_open(index->core, &the_store, index->core->options.reindex, &index->kv, error);
    if (!code)
        code = load_marks(index);
    if (code == -EUCLEAN && index->kv &&
        index_store_rebuild(index->core, &the_store, &index->n_rebuilt, &index->kv))
        code = load_marks(index);
    if (code) {
        if (!*error)
            *error = xasprintf("Cannot read the transaction index: %s", strerror(-code));
        if (index->kv)
            env_kv_close(index->core->env, index->kv);
        index->kv = NULL;
    }
    index->is_on = code == 0;
    return code;
}

void txindex_close(struct txindex *index)
{
    if (!index->is_on)
        return;
    ASSERT(index->task == TX_TASK_NONE && !index->waiting);
    const struct block_node *node = markable(index);
    /* An error costs nothing but work at the next start. */
    if (!index->core->faulted &&
        (node != index->marked || block_node_fork(index->placed, node) != index->marked_placed))
        (void)write_mark(index, node);
    if (index->kv)
        env_kv_close(index->core->env, index->kv);
    index->kv = NULL;
    index->is_on = false;
}
