/* txindex.c - in which block a transaction is.
 *
 * Store keys: 't' txid -> height and the first four bytes of the block's hash; 'B' -> the block up
 * to which all are in. Entries are written as soon as a block is committed, but the mark 'B' only
 * after the coins store stands for that block or one after it: after a crash the index goes on from
 * a block that the chain still has (hazard 76). Entries of blocks that left the chain are not
 * removed: the bytes of the hash tell that they are stale, and a transaction that was mined again
 * has got a new entry. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "chain/chain_internal.h"
#include "util/alloc.h"
#include "util/buffer.h"

#define KEY_BYTES   33
#define VALUE_BYTES 8
#define TAG_BYTES   4

enum txindex_task {
    TASK_NONE,
    TASK_READ,  /* the next block */
    TASK_INDEX, /* its entries are being written */
    TASK_MARK,  /* the mark is being written */
};

/* Somebody looks for a transaction. */
struct lookup {
    struct env_job job;
    struct chain *chain;
    struct lookup *next;
    struct txid txid;
    int32_t height; /* the tip when it was asked: the index must have got there */
    uint8_t value[VALUE_BYTES];
    int error; /* -ENOENT: unknown */
    void (*done)(void *arg, int error, const struct block_node *node);
    void *arg;
};

struct txindex {
    struct env_job job; /* first */
    struct chain *chain;
    struct env_kv *kv;
    enum txindex_task task;
    const struct block_node *at;     /* blocks up to here are in */
    const struct block_node *next;   /* the task's */
    const struct block_node *marked; /* what 'B' says */
    uint64_t marked_flushes;         /* flush.completed when the mark was looked at last */
    struct block_ref *block;
    int error;
    bool is_broken, was_synced;
    struct lookup *waiting;
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
    const struct env *env = index->chain->env;
    const struct block *block = &index->block->block;
    struct env_batch *batch = env->batch_new(env->ctx);
    uint8_t key[KEY_BYTES], value[VALUE_BYTES];
    struct writer w = writer_to_buffer(value, sizeof value);
    write_u32(&w, (uint32_t)index->next->height);
    write_bytes(&w, block->hash.b, TAG_BYTES);
    for (uint32_t i = 0; i < block->n_tx; i++) {
        tx_key(&block->txids[i], key);
        env->batch_put(env->ctx, batch, span_of(key, sizeof key), span_of(value, sizeof value));
    }
    index->error = env->kv_write(env->ctx, index->kv, batch, false);
    env->batch_free(env->ctx, batch);
}

static int write_mark(struct txindex *index, const struct block_node *node)
{
    const struct env *env = index->chain->env;
    struct env_batch *batch = env->batch_new(env->ctx);
    env->batch_put(env->ctx, batch, span_of("B", 1), span_of(node->hash.b, sizeof node->hash.b));
    int error = env->kv_write(env->ctx, index->kv, batch, true);
    env->batch_free(env->ctx, batch);
    return error;
}

static void run_mark(struct env_job *job)
{
    struct txindex *index = (struct txindex *)job;
    index->error = write_mark(index, index->next);
}

static void run_lookup(struct env_job *job)
{
    struct lookup *lookup = (struct lookup *)job;
    const struct env *env = lookup->chain->env;
    struct buffer value;
    uint8_t key[KEY_BYTES];
    buffer_init(&value);
    tx_key(&lookup->txid, key);
    lookup->error =
        env->kv_get(env->ctx, lookup->chain->txindex->kv, span_of(key, sizeof key), &value);
    if (!lookup->error && value.len != VALUE_BYTES)
        lookup->error = -EUCLEAN;
    if (!lookup->error)
        memcpy(lookup->value, value.p, VALUE_BYTES);
    buffer_deinit(&value);
}

/* -- Looking up -------------------------------------------------------------------------------- */

static void end_lookup(struct lookup *lookup, int error, const struct block_node *node)
{
    struct chain *chain = lookup->chain;
    lookup->done(lookup->arg, error, node);
    xfree(lookup);
    chain->ops_pending--;
    close_continue(chain);
}

static void lookup_done(struct env_job *job)
{
    struct lookup *lookup = (struct lookup *)job;
    if (job->cancelled || lookup->error) {
        int error = job->cancelled ? -ECANCELED : lookup->error == -ENOENT ? 0 : lookup->error;
        end_lookup(lookup, error, NULL);
        return;
    }
    struct reader r = reader_of(span_of(lookup->value, VALUE_BYTES));
    const struct block_node *node = chain_at(lookup->chain, (int32_t)read_u32(&r));
    bool is_of_chain = node && memcmp(node->hash.b, lookup->value + 4, TAG_BYTES) == 0;
    end_lookup(lookup, 0, is_of_chain ? node : NULL);
}

static void submit_lookup(struct lookup *lookup)
{
    const struct env *env = lookup->chain->env;
    lookup->job = (struct env_job){.run = run_lookup, .done = lookup_done};
    env->job_submit(env->ctx, ENV_POOL_BLOCKING, ENV_PRIORITY_HIGH, &lookup->job);
}

/* While the index only now and then trails the tip by some blocks, a look-up waits for it: what
 * has just been mined is to be found. */
static bool must_wait(const struct txindex *index, const struct lookup *lookup)
{
    return index->was_synced && !index->is_broken && index->at->height < lookup->height &&
           index->at != chain_tip(index->chain);
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

void chain_find_tx(struct chain *chain, const struct txid *txid,
                   void (*done)(void *arg, int error, const struct block_node *node), void *arg)
{
    if (!chain->txindex || chain->closing) {
        done(arg, chain->txindex ? -ECANCELED : -ENOSYS, NULL);
        return;
    }
    struct lookup *lookup = xcalloc(1, sizeof *lookup);
    *lookup = (struct lookup){.chain = chain,
                              .txid = *txid,
                              .height = chain_tip(chain)->height,
                              .done = done,
                              .arg = arg};
    chain->ops_pending++;
    if (!must_wait(chain->txindex, lookup)) {
        submit_lookup(lookup);
        return;
    }
    struct lookup **at = &chain->txindex->waiting;
    while (*at)
        at = &(*at)->next;
    *at = lookup;
}

bool chain_txindex_status(const struct chain *chain, bool *synced, int32_t *height)
{
    const struct txindex *index = chain->txindex;
    if (!index)
        return false;
    *height = index->at->height;
    *synced = index->at == chain_tip(chain);
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
    chain_warn(index->chain, message);
    wake_lookups(index);
}

static void task_done(struct env_job *job)
{
    struct txindex *index = (struct txindex *)job;
    struct chain *chain = index->chain;
    enum txindex_task task = index->task;
    int error = job->cancelled ? -ECANCELED : index->error;
    index->task = TASK_NONE;
    block_ref_drop(index->block);
    index->block = NULL;
    if (error) {
        chain_fault(chain, error, "writing the transaction index");
    } else if (task == TASK_MARK) {
        index->marked = index->next;
    } else {
        index->at = index->next;
        wake_lookups(index);
    }
    txindex_wake(chain);
    close_continue(chain);
}

static void submit_task(struct txindex *index, enum txindex_task task)
{
    const struct env *env = index->chain->env;
    index->task = task;
    index->error = 0;
    index->job =
        (struct env_job){.run = task == TASK_MARK ? run_mark : run_index, .done = task_done};
    env->job_submit(env->ctx, ENV_POOL_BLOCKING, ENV_PRIORITY_NORMAL, &index->job);
}

static void block_was_read(void *arg, const struct chain_block_read *read)
{
    struct txindex *index = arg;
    struct chain *chain = index->chain;
    if (!read->error && !chain->closing) {
        index->block = block_ref_hold(read->block);
        submit_task(index, TASK_INDEX);
        return;
    }
    index->task = TASK_NONE;
    if (read->error && read->error != -ECANCELED && !chain->closing)
        stop_broken(index, read->error);
}

/* The last block that may be marked as done: in the index, and in what the coins store holds. */
static const struct block_node *markable(const struct txindex *index)
{
    return block_node_fork(index->at, index->chain->flush.tip);
}

static bool start_mark(struct txindex *index)
{
    const struct chain *chain = index->chain;
    if (chain->flush.stage != FLUSH_IDLE || index->marked_flushes == chain->flush.completed)
        return false;
    index->marked_flushes = chain->flush.completed;
    index->next = markable(index);
    if (index->next == index->marked)
        return false;
    submit_task(index, TASK_MARK);
    return true;
}

static void start_next_block(struct txindex *index)
{
    struct chain *chain = index->chain;
    const struct block_node *tip = chain_tip(chain);
    if (!chain_contains(chain, index->at))
        index->at = block_node_fork(index->at, tip);
    if (index->at == tip) {
        index->was_synced = true;
        wake_lookups(index);
        return;
    }
    index->next = chain_at(chain, index->at->height + 1);
    index->task = TASK_READ;
    (void)chain_read_block(chain, index->next, false, block_was_read, index);
}

void txindex_wake(struct chain *chain)
{
    struct txindex *index = chain->txindex;
    if (!index || index->task != TASK_NONE || index->is_broken || chain->closing ||
        chain->faulted || !chain->is_open)
        return;
    if (!start_mark(index))
        start_next_block(index);
}

bool txindex_is_busy(const struct chain *chain)
{
    return chain->txindex && chain->txindex->task != TASK_NONE;
}

void txindex_cancel_all(struct chain *chain)
{
    while (chain->txindex && chain->txindex->waiting) {
        struct lookup *lookup = chain->txindex->waiting;
        chain->txindex->waiting = lookup->next;
        end_lookup(lookup, -ECANCELED, NULL);
    }
}

/* -- Opening and closing ----------------------------------------------------------------------- */

static int load_mark(struct txindex *index)
{
    const struct chain *chain = index->chain;
    struct buffer value;
    struct block_hash hash;
    buffer_init(&value);
    int error = chain->env->kv_get(chain->env->ctx, index->kv, span_of("B", 1), &value);
    bool has_hash = !error && value.len == sizeof hash.b;
    if (has_hash)
        memcpy(hash.b, value.p, sizeof hash.b);
    buffer_deinit(&value);
    if (error && error != -ENOENT)
        return error;
    /* A mark of a chain that is not ours any more: begin anew. */
    const struct block_node *node = has_hash ? header_tree_find(&chain->tree, &hash) : NULL;
    index->marked = node;
    index->at = node ? block_node_fork(node, chain->flush.tip) : chain->tree.genesis;
    return 0;
}

int txindex_open(struct chain *chain, char **error)
{
    const struct env *env = chain->env;
    struct env_kv_options options = {.log = chain->log,
                                     .cache_bytes = 8 << 20,
                                     .write_buffer_bytes = 16 << 20,
                                     .bloom_bits = 10};
    struct txindex *index = xcalloc(1, sizeof *index);
    index->chain = chain;
    char *path = xasprintf("%s/indexes/txindex", chain->data_dir), *detail = NULL;
    char *parent = xasprintf("%s/indexes", chain->data_dir);
    int code = env->make_dir(env->ctx, parent);
    if (!code)
        code = env->kv_open(env->ctx, path, &options, &index->kv, &detail);
    if (!code)
        code = load_mark(index);
    if (code) {
        *error = xasprintf("Cannot open the transaction index %s (%s). If it is damaged, remove "
                           "that directory: it is built again.",
                           path, detail ? detail : strerror(-code));
        if (index->kv)
            env->kv_close(env->ctx, index->kv);
        xfree(index);
    } else {
        chain->txindex = index;
    }
    xfree(detail);
    xfree(path);
    xfree(parent);
    return code;
}

void txindex_close(struct chain *chain)
{
    struct txindex *index = chain->txindex;
    if (!index)
        return;
    ASSERT(index->task == TASK_NONE && !index->waiting);
    const struct block_node *node = markable(index);
    /* An error costs nothing but work at the next start. */
    if (!chain->faulted && node != index->marked)
        (void)write_mark(index, node);
    chain->env->kv_close(chain->env->ctx, index->kv);
    xfree(index);
    chain->txindex = NULL;
}
