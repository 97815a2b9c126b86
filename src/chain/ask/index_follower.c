/* index_follower.c - see index_follower.h
 *
 * One task at a time (enum index_task), begun by a turn and ended by the job or the read that it
 * is. A damaged store is given up at once, but emptied only when no look-up reads it any more. */
#include "chain/ask/index_follower.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "chain/disk/block_ref.h"
#include "util/alloc.h"

#define MESSAGE_BYTES 200

static const char *name_of(const struct index_follower *follower)
{
    return follower->kind->store.format.name;
}

/* What it follows: the tip, but of what is only assumed no more than has been checked. */
static const struct block_node *goal_of(const struct index_follower *follower)
{
    return follower->tree->assumed ? follower->tree->checked : active_chain_tip(follower->active);
}

/* The same of what the coins store holds. */
static const struct block_node *stored_goal(const struct index_follower *follower)
{
    return follower->tree->assumed ? follower->tree->checked_stored : follower->flush->tip;
}

/* Does it stand for the tip, or for blocks on it that were taken back? */
static bool covers_tip(const struct index_follower *follower)
{
    const struct block_node *tip = goal_of(follower);
    return block_node_fork(follower->at, tip) == tip;
}

static void fault(struct index_follower *follower, int error, const char *what)
{
    char message[MESSAGE_BYTES];
    snprintf(message, sizeof message, "%s the %s", what, name_of(follower));
    core_fault(follower->core, error, message);
}

/* What it holds is worth nothing any more; nobody may be told that something is unknown. */
static void forget_all(struct index_follower *follower)
{
    follower->is_damaged = true;
    follower->is_broken = follower->was_synced = false;
    follower->at = follower->tree->genesis;
    follower->marked = NULL;
    if (follower->kind->forget)
        follower->kind->forget(follower);
}

/* -- Looking up -------------------------------------------------------------------------------- */

static void run_lookup(struct env_job *job)
{
    struct index_lookup *lookup = (struct index_lookup *)job;
    lookup->follower->kind->find(lookup);
}

/* Damage is acted on before the asker is told: he must not be told that something is unknown. */
static void lookup_done(struct env_job *job)
{
    struct index_lookup *lookup = (struct index_lookup *)job;
    struct index_follower *follower = lookup->follower;
    ASSERT(follower->lookups_running > 0);
    follower->lookups_running--;
    if (lookup->error == -EUCLEAN)
        forget_all(follower);
    if (follower->is_damaged)
        core_wake_soon(follower->core);
    if (job->cancelled)
        follower->kind->end(lookup, -ECANCELED);
    else
        follower->kind->answer(lookup);
}

static void submit_lookup(struct index_lookup *lookup)
{
    struct index_follower *follower = lookup->follower;
    lookup->is_partial = !covers_tip(follower);
    lookup->tip = block_node_fork(follower->at, goal_of(follower));
    lookup->job = (struct env_job){.run = run_lookup, .done = lookup_done};
    follower->lookups_running++;
    env_job_submit(follower->core->env, ENV_POOL_BLOCKING, ENV_PRIORITY_HIGH, &lookup->job);
}

/* While the index only now and then trails the tip by some blocks, a look-up waits for it: what
 * has just been mined is to be found. */
static bool must_wait(const struct index_follower *follower, const struct index_lookup *lookup)
{
    return follower->is_damaged || (follower->was_synced && !follower->is_broken &&
                                    follower->at->height < lookup->height && !covers_tip(follower));
}

static void wake_lookups(struct index_follower *follower)
{
    LIST_EACH_REMOVING (struct index_lookup, lookup, &follower->waiting, link) {
        if (must_wait(follower, lookup))
            continue;
        list_remove(&follower->waiting, &lookup->link);
        submit_lookup(lookup);
    }
}

/* How far the index must have got to know of a block: to that, or to the tip where it stands on a
 * branch that was left. */
static int32_t height_needed(const struct index_follower *follower, const struct block_node *last)
{
    const struct block_node *tip = goal_of(follower);
    const struct block_node *fork = block_node_fork(follower->at, last);
    return fork == last || fork == follower->at ? MIN_OF(last->height, tip->height) : tip->height;
}

void index_lookup_start(struct index_follower *follower, struct index_lookup *lookup_take,
                        const struct block_node *last)
{
    ASSERT(follower->is_on && !follower->core->closing);
    lookup_take->follower = follower;
    lookup_take->height = last ? height_needed(follower, last) : goal_of(follower)->height;
    core_begin(follower->core);
    if (must_wait(follower, lookup_take))
        list_add(&follower->waiting, &lookup_take->link);
    else
        submit_lookup(lookup_take);
}

void index_lookup_end(struct index_follower *follower)
{
    core_end(follower->core);
}

bool index_follower_status(const struct index_follower *follower, bool *synced, int32_t *height)
{
    if (!follower->is_on)
        return false;
    *height = follower->at->height;
    *synced = covers_tip(follower) && !follower->tree->assumed;
    return true;
}

/* -- Writing ----------------------------------------------------------------------------------- */

/* Not synced: the mark is, and with it all rows before it. What a crash takes of them is above the
 * mark, and is written again. */
static void run_rows(struct env_job *job)
{
    struct index_follower *follower = (struct index_follower *)job;
    const struct env *env = follower->core->env;
    struct env_batch *batch = env_batch_new(env);
    follower->error = follower->kind->put_rows(follower, batch);
    if (!follower->error)
        follower->error = env_kv_write(env, follower->kv, batch, false);
    env_batch_free(env, batch);
}

static int write_mark(struct index_follower *follower, const struct block_node *node)
{
    const struct env *env = follower->core->env;
    struct env_batch *batch = env_batch_new(env);
    env_batch_put(env, batch, span_of("B", 1), span_of(node->hash.b, sizeof node->hash.b));
    if (follower->kind->put_mark)
        follower->kind->put_mark(follower, node, batch);
    return index_write(follower, batch);
}

static void run_mark(struct env_job *job)
{
    struct index_follower *follower = (struct index_follower *)job;
    follower->error = write_mark(follower, follower->next);
}

/* The index is left where it is, and the node goes on without: blocks are worth more. Look-ups are
 * answered with what there is. */
static void stop_broken(struct index_follower *follower, int error)
{
    char message[MESSAGE_BYTES];
    snprintf(message, sizeof message,
             "The %s stops at height %d: the next block cannot be read (%s)", name_of(follower),
             follower->at->height, strerror(-error));
    follower->is_broken = true;
    core_warn(follower->core, message);
    wake_lookups(follower);
}

/* follower->at moves here alone while the tip goes up: rows that are being written count for
 * nothing. */
static void task_done(struct env_job *job)
{
    struct index_follower *follower = (struct index_follower *)job;
    enum index_task task = follower->task;
    int error = job->cancelled ? -ECANCELED : follower->error;
    follower->task = INDEX_TASK_NONE;
    block_ref_drop(follower->block);
    follower->block = NULL;
    buffer_deinit(&follower->undo);
    if (error == -EUCLEAN) {
        forget_all(follower);
    } else if (follower->is_damaged) {
        core_wake_soon(follower->core); /* a look-up has found it so: it is made anew */
    } else if (error == -EBADMSG) {
        stop_broken(follower, error);
    } else if (error) {
        fault(follower, error, "writing");
    } else if (!follower->is_damaged) { /* else what was written will be thrown away */
        if (follower->kind->written)
            follower->kind->written(follower, task);
        if (task == INDEX_TASK_MARK)
            follower->marked = follower->next;
        if (task == INDEX_TASK_ROWS) {
            follower->at = follower->next;
            wake_lookups(follower);
        }
    }
    core_wake(follower->core);
}

static void submit_task(struct index_follower *follower, enum index_task task)
{
    ASSERT(follower->task == INDEX_TASK_NONE || follower->task == INDEX_TASK_READ);
    follower->task = task;
    follower->error = 0;
    follower->job =
        (struct env_job){.run = task == INDEX_TASK_MARK ? run_mark : run_rows, .done = task_done};
    env_job_submit(follower->core->env, ENV_POOL_BLOCKING, ENV_PRIORITY_NORMAL, &follower->job);
}

/* -- Following the tip ------------------------------------------------------------------------- */

/* Without what it has spent, a block is of no use to an index that wants that too. */
static int read_error(const struct index_follower *follower, const struct chain_block_read *read)
{
    if (read->error || !follower->kind->wants_undo)
        return read->error;
    /* A coinbase alone spends nothing. */
    return read->undo_raw.len == 0 && read->block->block.n_tx > 1 ? -EUCLEAN : 0;
}

/* The next block, or an old one whose rows are written anew: told apart by their height. Without
 * the next one the index stops; without an old one its rows stay as they are. */
static void block_was_read(void *arg, const struct chain_block_read *read)
{
    struct index_follower *follower = arg;
    bool is_renewal = follower->next->height <= follower->at->height;
    ASSERT(follower->task == INDEX_TASK_READ);
    int error = read_error(follower, read);
    if (!error && !follower->core->closing) {
        follower->block = block_ref_hold(read->block);
        if (follower->kind->wants_undo)
            buffer_append(&follower->undo, read->undo_raw.p, read->undo_raw.len);
        follower->data = follower->next->data;
        submit_task(follower, is_renewal ? INDEX_TASK_RENEW : INDEX_TASK_ROWS);
        return;
    }
    follower->task = INDEX_TASK_NONE;
    if (is_renewal) {
        follower->cannot_renew = true;
        core_wake_soon(follower->core);
        return;
    }
    if (follower->is_damaged)
        core_wake_soon(follower->core);
    else if (error && error != -ECANCELED && !follower->core->closing)
        stop_broken(follower, error);
}

/* The last block that may be marked as done: in the index, and in what the coins store holds. */
static const struct block_node *markable(const struct index_follower *follower)
{
    return block_node_fork(follower->at, stored_goal(follower));
}

static bool is_marked(const struct index_follower *follower, const struct block_node *node)
{
    return node == follower->marked &&
           (!follower->kind->is_marked || follower->kind->is_marked(follower, node));
}

/* From the mark on it goes on after a crash. */
int32_t index_follower_free_height(const struct index_follower *follower, bool *is_changing)
{
    if (!follower->is_on || follower->is_broken)
        return INT32_MAX;
    if (follower->task == INDEX_TASK_MARK ||
        (flush_is_idle(follower->flush) && follower->marked_flushes != follower->flush->completed &&
         !follower->is_damaged))
        *is_changing = true;
    return follower->marked ? follower->marked->height : 0;
}

bool index_follower_may_be_marked(const struct index_follower *follower, uint32_t status)
{
    if (!follower->is_on || follower->is_broken)
        return false;
    bool is_on_its_way = follower->task == INDEX_TASK_MARK && (follower->next->status & status);
    return is_on_its_way || (follower->marked && (follower->marked->status & status));
}

int32_t index_follower_reached_height(const struct index_follower *follower)
{
    if (!follower->is_on || follower->is_broken)
        return INT32_MAX;
    return block_node_fork(follower->at, goal_of(follower))->height;
}

/* After each flush that has ended, once: before it the coins stand where they stood. */
static bool start_mark(struct index_follower *follower)
{
    if (!flush_is_idle(follower->flush) || follower->marked_flushes == follower->flush->completed)
        return false;
    follower->marked_flushes = follower->flush->completed;
    follower->next = markable(follower);
    if (is_marked(follower, follower->next))
        return false;
    submit_task(follower, INDEX_TASK_MARK);
    return true;
}

/* Nobody waits for it: it is read as for a peer. */
static void start_renewal(struct index_follower *follower)
{
    const struct block_node *old = NULL;
    if (follower->kind->next_old && !follower->cannot_renew)
        old = follower->kind->next_old(follower);
    if (!old)
        return;
    ASSERT(old->height <= follower->at->height);
    follower->next = old;
    follower->task = INDEX_TASK_READ;
    block_read_for_peer(follower->reads, old, false, block_was_read, follower);
}

/* After a reorganisation it first goes back to the fork; rows above that stay, and are hints of
 * which each look-up sees for itself whether they still hold. */
static void start_next_block(struct index_follower *follower)
{
    if (follower->at->is_gone) /* it is ahead of the tip by nothing that could come back */
        follower->at = block_node_fork(follower->at, goal_of(follower));
    if (covers_tip(follower)) {
        follower->was_synced = true;
        wake_lookups(follower);
        start_renewal(follower);
        return;
    }
    const struct block_node *goal = goal_of(follower);
    follower->at = block_node_fork(follower->at, goal);
    follower->next = goal == active_chain_tip(follower->active)
                         ? active_chain_at(follower->active, follower->at->height + 1)
                         : block_node_ancestor(goal, follower->at->height + 1);
    follower->task = INDEX_TASK_READ;
    block_read(follower->reads, follower->next, follower->kind->wants_undo, block_was_read,
               follower);
}

/* -- Opening and closing ----------------------------------------------------------------------- */

int index_row_read(const struct index_follower *follower, const char *key, void *out, size_t len)
{
    struct buffer value;
    buffer_init(&value);
    int error = env_kv_get(follower->core->env, follower->kv, span_of_string(key), &value);
    if (!error && value.len != len)
        error = -EUCLEAN;
    if (!error)
        memcpy(out, value.p, len);
    buffer_deinit(&value);
    return error;
}

bool index_undo(const struct index_follower *follower, struct arena *arena, struct undo *undo)
{
    const struct block *block = &follower->block->block;
    ASSERT(follower->kind->wants_undo);
    *undo = (struct undo){0};
    if (follower->undo.len == 0 && block->n_tx == 1)
        return true;
    return undo_decode(buffer_span(&follower->undo), block, arena, undo);
}

int index_load_first(struct index_follower *follower,
                     void (*put)(struct index_follower *follower, struct env_batch *batch,
                                 const struct block *first))
{
    ASSERT(put);
    struct span raw = follower->core->network->genesis_raw;
    struct block_ref *first = block_ref_take(xmemdup(raw.p, raw.len), raw.len);
    bool ok = block_ref_decode(first);
    ASSERT(ok); /* a constant of ours */
    struct env_batch *batch = env_batch_new(follower->core->env);
    put(follower, batch, &first->block);
    block_ref_drop(first);
    return index_write(follower, batch);
}

int index_write(const struct index_follower *follower, struct env_batch *batch_take)
{
    const struct env *env = follower->core->env;
    int error = env_kv_write(env, follower->kv, batch_take, true);
    env_batch_free(env, batch_take);
    return error;
}

int index_secret(const struct index_follower *follower, uint8_t *out, size_t len)
{
    const struct env *env = follower->core->env;
    uint8_t mark[32];
    int error = index_row_read(follower, "K", out, len);
    if (error != -ENOENT)
        return error;
    if (index_row_read(follower, "B", mark, sizeof mark) != -ENOENT)
        return -EUCLEAN;
    struct env_batch *batch = env_batch_new(env);
    env_random(env, out, len);
    env_batch_put(env, batch, span_of("K", 1), span_of(out, len));
    return index_write(follower, batch);
}

/* Without a mark, or with that of a chain that is not ours any more: begin anew. */
static int load(struct index_follower *follower)
{
    struct block_hash hash;
    int error = index_row_read(follower, "B", hash.b, sizeof hash.b);
    if (error && error != -ENOENT)
        return error;
    follower->marked = error ? NULL : header_tree_find(follower->tree, &hash);
    follower->at = follower->marked ? block_node_fork(follower->marked, stored_goal(follower))
                                    : follower->tree->genesis;
    follower->was_synced = covers_tip(follower);
    return follower->kind->load(follower);
}

/* Begin anew. False if that cannot be done yet, or not at all. */
static bool rebuild(struct index_follower *follower)
{
    if (follower->lookups_running > 0 ||
        !index_store_rebuild(follower->core, &follower->kind->store, &follower->n_rebuilt,
                             &follower->kv))
        return false;
    int error = load(follower);
    if (error) {
        fault(follower, error, "writing");
        return false;
    }
    follower->is_damaged = false;
    wake_lookups(follower);
    return true;
}

/* A block that could not be read may be there now. */
static void retry_broken(struct index_follower *follower)
{
    if (follower->seen_returned == follower->lost->n_returned)
        return;
    follower->seen_returned = follower->lost->n_returned;
    follower->is_broken = follower->cannot_renew = false;
}

/* The mark goes before the next block, or a long way to the tip would have none until its end. */
static void step(void *part)
{
    struct index_follower *follower = part;
    if (!follower->is_on)
        return;
    retry_broken(follower);
    if (follower->task != INDEX_TASK_NONE || follower->is_broken ||
        !core_is_working(follower->core) || (follower->is_damaged && !rebuild(follower)))
        return;
    if (!start_mark(follower))
        start_next_block(follower);
}

static bool is_busy(const void *part)
{
    return ((const struct index_follower *)part)->task != INDEX_TASK_NONE;
}

static void cancel(void *part)
{
    struct index_follower *follower = part;
    struct index_lookup *lookup;
    while ((lookup = LIST_POP(struct index_lookup, &follower->waiting, link)))
        follower->kind->end(lookup, -ECANCELED);
}

const struct chain_part index_follower_part = {.step = step, .is_busy = is_busy, .cancel = cancel};

void index_follower_init(struct index_follower *follower, const struct index_follower *with)
{
    ASSERT(with->kind && !with->is_on && !with->kv);
    *follower = *with;
    buffer_init(&follower->undo);
}

static void close_store(struct index_follower *follower)
{
    if (follower->kv)
        env_kv_close(follower->core->env, follower->kv);
    follower->kv = NULL;
    follower->is_on = false;
}

int index_follower_open(struct index_follower *follower, char **error)
{
    ASSERT(!follower->is_on && !follower->core->is_open);
    struct chain_core *core = follower->core;
    const struct index_store *store = &follower->kind->store;
    int code = index_store_open(core, store, core->options.reindex, &follower->kv, error);
    if (!code)
        code = load(follower);
    if (code == -EUCLEAN && follower->kv && !core->options.keeps_damage &&
        index_store_rebuild(core, store, &follower->n_rebuilt, &follower->kv))
        code = load(follower);
    follower->is_on = code == 0;
    if (!code) {
        log_printf(core->log, LOG_ALWAYS, "The %s is at height %d", store->format.name,
                   follower->at->height);
        log_printf(core->log, LOG_ALWAYS, "%s thread start", follower->kind->core_thread);
    }
    if (code) {
        if (!*error)
            *error = xasprintf("Cannot read the %s: %s", store->format.name,
                               code == -EUCLEAN ? STORE_DAMAGE_TEXT : strerror(-code));
        close_store(follower);
    }
    return code;
}

void index_follower_close(struct index_follower *follower)
{
    if (!follower->is_on)
        return;
    ASSERT(follower->task == INDEX_TASK_NONE && follower->waiting.count == 0);
    const struct block_node *node = markable(follower);
    /* An error costs nothing but work at the next start. */
    if (!follower->core->faulted && !is_marked(follower, node))
        (void)write_mark(follower, node);
    close_store(follower);
}
