/* rewind.c - see rewind.h */
#include "chain/intake/rewind.h"

#include <errno.h>

#include "chain/disk/block_file.h"
#include "util/array.h"

/* -- Marking ---------------------------------------------------------------------------------- */

static bool is_before(int32_t file_a, uint32_t offset_a, int32_t file_b, uint32_t offset_b)
{
    return file_a < file_b || (file_a == file_b && offset_a < offset_b);
}

/* Stored between the moment and the order, or a header alone, of which nobody knows when it came.
 * What was pruned is of before. */
static bool is_new(const struct block_node *node, const struct index_rewind *note)
{
    return node->data.file < 0 ? node->n_tx == 0 : index_rewind_holds(note, &node->data);
}

static void set_status(struct rewind *rewind, struct block_node *node, uint32_t status)
{
    if (node->status == status)
        return;
    node->status = status;
    header_tree_mark_dirty(rewind->tree, node);
}

/* Is the node on the way to tip? fork: where tip leaves the active chain. Most are below it, and
 * found at once. */
static bool is_on_way(const struct rewind *rewind, const struct block_node *node,
                      const struct block_node *tip, const struct block_node *fork)
{
    if (!tip || node->height > tip->height)
        return false;
    if (node->height <= fork->height)
        return active_chain_at(rewind->active, node->height) == node;
    return block_node_ancestor(tip, node->height) == node;
}

/* Stored before the moment: the chain would have gone on to it, had nobody called it invalid. What
 * lies behind the stretch, as a start may find, came after the order. */
static bool was_invalid(const struct rewind *rewind, const struct block_node *node,
                        const struct block_node *tip)
{
    const struct chain_moment *moment = &rewind->note.moment;
    return tip && node->chain_tx > 0 && u256_compare(node->chain_work, tip->chain_work) > 0 &&
           is_before(node->data.file, node->data.offset, moment->file, moment->offset);
}

/* Neither new nor on the way to tip. What hung on a block that is good again has another chance. */
static void mark_other(struct rewind *rewind, struct block_node *node, const struct block_node *tip)
{
    uint32_t status = node->status & ~(uint32_t)(BLOCK_DROPPED | BLOCK_FAILED_CHILD);
    if (block_node_has_failed(node->prev)) {
        status |= BLOCK_FAILED_CHILD;
    } else if (!(status & BLOCK_FAILED) && was_invalid(rewind, node, tip)) {
        status |= BLOCK_FAILED;
        *ARRAY_ADD(&rewind->recalled) = node;
    }
    set_status(rewind, node, status);
}

/* Parents first. The way to tip is good again, whatever was said of its blocks since; and what is
 * new goes, with all that is on it. */
static void mark_all(struct rewind *rewind, const struct block_node *tip)
{
    struct block_node *genesis = rewind->tree->genesis;
    const struct block_node *fork =
        tip ? block_node_fork(active_chain_tip(rewind->active), tip) : NULL;
    ASSERT(rewind->roots.n == 0 && rewind->recalled.n == 0);
    for (struct block_node *at = genesis->first_child; at;
         at = block_node_next_descendant(genesis, at)) {
        bool is_on_dropped = at->prev->status & BLOCK_DROPPED;
        if (is_on_way(rewind, at, tip, fork)) {
            set_status(rewind, at, at->status & ~(uint32_t)(BLOCK_DROPPED | BLOCK_FAILED_MASK));
        } else if (is_on_dropped || is_new(at, &rewind->note)) {
            set_status(rewind, at, at->status | BLOCK_FAILED | BLOCK_DROPPED);
            if (!is_on_dropped)
                *ARRAY_ADD(&rewind->roots) = at;
        } else {
            mark_other(rewind, at, tip);
        }
    }
}

/* The marks were in vain, or a flush has written them and the note is gone. What of them breaks a
 * rule is found to do so anew. */
static void unmark_all(struct rewind *rewind)
{
    bool had_any = false;
    struct block_node *genesis = rewind->tree->genesis;
    for (struct block_node *at = genesis; at; at = block_node_next_descendant(genesis, at)) {
        if (!(at->status & BLOCK_DROPPED))
            continue;
        had_any = true;
        set_status(rewind, at, at->status & ~(uint32_t)(BLOCK_DROPPED | BLOCK_FAILED_MASK));
    }
    if (had_any)
        best_chain_rebuild(rewind->best);
    for (size_t i = 0; i < rewind->recalled.n; i++)
        best_chain_clear_failed(rewind->best, rewind->recalled.at[i]);
    ARRAY_FREE(&rewind->recalled);
    ARRAY_FREE(&rewind->roots);
}

/* -- Jobs ------------------------------------------------------------------------------------- */

static void start_job(struct rewind *rewind, void (*run)(struct env_job *job),
                      void (*done)(struct env_job *job))
{
    ASSERT(!rewind->job_runs);
    rewind->job_runs = true;
    rewind->error = 0;
    rewind->job = (struct env_job){.run = run, .done = done};
    env_job_submit(rewind->core->env, ENV_POOL_BLOCKING, ENV_PRIORITY_HIGH, &rewind->job);
}

/* Returns: it has ended well */
static bool end_job(struct rewind *rewind, const char *what)
{
    int error = rewind->job.cancelled ? -ECANCELED : rewind->error;
    ASSERT(rewind->job_runs);
    rewind->job_runs = false;
    if (error)
        core_fault(rewind->core, error, what);
    core_wake_soon(rewind->core);
    return !error;
}

/* -- Ends ------------------------------------------------------------------------------------- */

static void stop_timer(struct rewind *rewind)
{
    if (rewind->timer)
        env_timer_cancel(rewind->core->env, rewind->timer);
    rewind->timer = 0;
}

static void on_timer(void *arg)
{
    struct rewind *rewind = arg;
    rewind->timer = 0;
    rewind->is_rested = true;
    core_wake_soon(rewind->core);
}

static void answer(struct rewind *rewind, enum reject code)
{
    chain_order_fn *done = rewind->order.done;
    struct verdict verdict = rewind->verdict;
    verdict.code = code;
    rewind->order.done = NULL;
    if (done)
        done(rewind->order.arg, &verdict);
}

static void end_rewind(struct rewind *rewind, enum reject code)
{
    stop_timer(rewind);
    rewind->stage = REWIND_NONE;
    rewind->importer->is_held = rewind->importer->leaves_out = false;
    ARRAY_FREE(&rewind->roots);
    ARRAY_FREE(&rewind->recalled);
    ARRAY_FREE(&rewind->gone);
    answer(rewind, code);
    core_wake_soon(rewind->core);
}

/* The timer runs since the first of several, so that rows are not left for ever. */
static void rest(struct rewind *rewind, enum reject code)
{
    rewind->stage = REWIND_RESTS;
    if (!rewind->timer && !rewind->is_rested)
        rewind->timer = env_timer_start(rewind->core->env, REWIND_REST_US, on_timer, rewind);
    answer(rewind, code);
    core_wake_soon(rewind->core);
}

/* -- The note --------------------------------------------------------------------------------- */

static void run_note(struct env_job *job)
{
    struct rewind *rewind = CONTAINER_OF(job, struct rewind, job);
    rewind->error = index_db_set_rewind(rewind->core->index, &rewind->note);
}

static void note_done(struct env_job *job)
{
    (void)end_job(CONTAINER_OF(job, struct rewind, job), "noting a rewind");
}

static void run_give_up(struct env_job *job)
{
    struct rewind *rewind = CONTAINER_OF(job, struct rewind, job);
    struct index_db *index = rewind->core->index;
    rewind->error = rewind->had_note ? index_db_set_rewind(index, &rewind->note_before)
                                     : index_db_clear_rewind(index);
}

static void give_up_done(struct env_job *job)
{
    struct rewind *rewind = CONTAINER_OF(job, struct rewind, job);
    enum reject code = rewind->verdict.code;
    if (!end_job(rewind, "taking back the note of a rewind"))
        code = REJECT_FAULT;
    rewind->has_note = rewind->had_note;
    rewind->note = rewind->note_before;
    if (rewind->has_note && code != REJECT_FAULT)
        rest(rewind, code);
    else
        end_rewind(rewind, code);
}

/* The chain stays where it is. */
static void give_up(struct rewind *rewind)
{
    ASSERT(rewind->verdict.code != REJECT_NONE);
    unmark_all(rewind);
    rewind->stage = REWIND_GIVES_UP;
}

/* Somebody has called blocks good that are to go, and the chain went there. */
static bool was_overruled(struct rewind *rewind)
{
    if (!(active_chain_tip(rewind->active)->status & BLOCK_DROPPED))
        return false;
    (void)verdict_set(&rewind->verdict, REJECT_BLOCK_UNAVAILABLE,
                      "blocks that were to go have been called good meanwhile");
    return true;
}

/* -- Forgetting ------------------------------------------------------------------------------- */

/* In memory, and told: whatever comes now, a start finds the note. */
static void forget(struct rewind *rewind)
{
    size_t n_before = rewind->gone.n;
    header_tree_forget(rewind->tree, &rewind->roots, &rewind->gone);
    ARRAY_FREE(&rewind->roots);
    ARRAY_FREE(&rewind->recalled);
    for (size_t i = n_before; i < rewind->gone.n; i++) {
        lost_block_found(rewind->lost, rewind->gone.at[i]);
        lost_undo_found(rewind->lost, rewind->gone.at[i]);
        kept_blocks_release(rewind->kept, rewind->gone.at[i]);
    }
    rewind->importer->is_held = false;
    rest(rewind, REJECT_NONE);
}

static void on_flushed(void *arg, int error)
{
    struct rewind *rewind = arg;
    if (error)
        end_rewind(rewind, REJECT_FAULT);
    else
        rewind->stage = REWIND_LETS_GO;
    core_wake_soon(rewind->core);
}

static void start_flush(struct rewind *rewind)
{
    stop_timer(rewind);
    rewind->is_rested = false;
    rewind->stage = REWIND_FLUSHES;
    flush_order(rewind->flush, on_flushed, rewind);
}

static void run_write(struct env_job *job)
{
    struct rewind *rewind = CONTAINER_OF(job, struct rewind, job);
    rewind->error = index_db_write(rewind->core->index, rewind->batch);
    rewind->batch = NULL;
}

static void write_done(struct env_job *job)
{
    struct rewind *rewind = CONTAINER_OF(job, struct rewind, job);
    if (rewind->batch)
        env_batch_free(rewind->core->env, rewind->batch);
    rewind->batch = NULL;
    flush_release(rewind->flush);
    bool ok = end_job(rewind, "forgetting blocks");
    rewind->has_note = !ok;
    end_rewind(rewind, ok ? REJECT_NONE : REJECT_FAULT);
}

/* The rows and, in the same batch, the note. Where the same block came again the row is the new
 * node's, or will be: until then that of the old one is as good. */
static void take_rows_away(struct rewind *rewind)
{
    struct block_nodes *gone = &rewind->gone;
    size_t n = 0;
    for (size_t i = 0; i < gone->n; i++)
        if (!header_tree_find(rewind->tree, &gone->at[i]->hash))
            gone->at[n++] = gone->at[i];
    gone->n = n;
    rewind->batch = index_db_batch_without(rewind->core->index, gone->at, n);
    index_db_batch_clear_rewind(rewind->core->index, rewind->batch);
    rewind->stage = REWIND_WRITES;
    flush_hold(rewind->flush);
    start_job(rewind, run_write, write_done);
}

/* -- Orders ----------------------------------------------------------------------------------- */

/* The chain is where it is to be, in memory. */
static void on_rest(void *arg, const struct verdict *verdict)
{
    struct rewind *rewind = arg;
    ASSERT(rewind->stage == REWIND_LEAVES);
    rewind->verdict = *verdict;
    rewind->stage = REWIND_FORGETS; /* or ends so with the chain; the next start goes on */
    if (verdict->code != REJECT_NONE && core_is_working(rewind->core))
        give_up(rewind);
    core_wake_soon(rewind->core);
}

static void begin(struct rewind *rewind, struct block_node *tip)
{
    rewind->stage = REWIND_LEAVES;
    rewind->verdict = (struct verdict){.code = REJECT_NONE};
    pipeline_drop_steps(rewind->pipeline);
    mark_all(rewind, tip);
    /* It was the best one: of what was known then, and has like work, it is again. Hazard 34: the
     * set of candidates is made anew behind this. */
    if (tip)
        tip->sequence = --rewind->best->precious_sequence;
    best_chain_rebuild(rewind->best);
    waiters_await_rest(rewind->waiters, on_rest, rewind);
}

static bool is_there(const struct rewind *rewind, const struct block_node *node)
{
    return block_node_has_data(node) || kept_blocks_find(rewind->kept, node);
}

/* Can the chain go from its tip to that block? */
static bool has_way(const struct rewind *rewind, const struct block_node *tip)
{
    const struct block_node *at = active_chain_tip(rewind->active),
                            *fork = block_node_fork(at, tip);
    if (rewind->tree->assumed)
        return false;
    for (; at != fork; at = at->prev)
        if (!is_there(rewind, at) || block_node_lost_undo(at))
            return false;
    for (at = tip; at != fork; at = at->prev)
        if (!is_there(rewind, at))
            return false;
    return tip->chain_tx > 0;
}

/* The note of an order: with what is still to be done of those before it. */
static struct index_rewind make_note(const struct rewind *rewind, const struct chain_moment *moment)
{
    struct index_rewind note = {.moment = *moment};
    const struct chain_moment *before = &rewind->note.moment;
    block_files_next_place(rewind->core->files, &note.file_end, &note.offset_end);
    if (rewind->has_note &&
        is_before(before->file, before->offset, note.moment.file, note.moment.offset)) {
        note.moment.file = before->file;
        note.moment.offset = before->offset;
    }
    return note;
}

/* Is there nothing between what went before and what is to go now? A note has one stretch. */
static bool may_go_on(const struct rewind *rewind, const struct chain_moment *moment)
{
    const struct index_rewind *note = &rewind->note;
    return rewind->stage == REWIND_RESTS && !rewind->job_runs &&
           !is_before(note->file_end, note->offset_end, moment->file, moment->offset);
}

static bool may_start(const struct rewind *rewind, const struct block_node *tip,
                      struct verdict *verdict)
{
    if (!core_is_working(rewind->core))
        verdict->code = REJECT_FAULT;
    else if (!tip)
        verdict->code = REJECT_PREV_NOT_FOUND;
    else if (importer_has_own_files(rewind->importer))
        (void)verdict_set(verdict, REJECT_BLOCK_UNAVAILABLE,
                          "the block files are still being gone through, or wait for the clock");
    else if (!has_way(rewind, tip))
        (void)verdict_set(verdict, REJECT_BLOCK_UNAVAILABLE,
                          "a block on the way is pruned, missing or damaged");
    return verdict->code == REJECT_NONE;
}

static void start_order(struct rewind *rewind, const struct rewind_order *order)
{
    struct block_node *tip = header_tree_find(rewind->tree, &order->moment.tip);
    struct verdict verdict = {.code = REJECT_NONE};
    if (!may_start(rewind, tip, &verdict)) {
        order->done(order->arg, &verdict);
        return;
    }
    rewind->order = *order;
    rewind->had_note = rewind->has_note;
    rewind->note_before = rewind->note;
    rewind->note = make_note(rewind, &order->moment);
    rewind->has_note = true;
    start_job(rewind, run_note, note_done);
    begin(rewind, tip);
}

void rewind_order(struct rewind *rewind, const struct chain_moment *moment, chain_order_fn *done,
                  void *arg)
{
    ASSERT(moment && done);
    const struct rewind_order order = {.moment = *moment, .done = done, .arg = arg};
    struct verdict verdict = {.code = REJECT_NONE};
    bool is_under_way = rewind->stage != REWIND_NONE && rewind->stage < REWIND_RESTS;
    if (core_is_working(rewind->core) && (is_under_way || rewind->next.done)) {
        (void)verdict_set(&verdict, REJECT_BLOCK_UNAVAILABLE, "the chain is going back already");
        done(arg, &verdict);
    } else if (!core_is_working(rewind->core) || rewind->stage == REWIND_NONE ||
               may_go_on(rewind, moment)) {
        start_order(rewind, &order);
    } else {
        rewind->next = order;
        rewind->is_rested = true;
        core_wake_soon(rewind->core);
    }
}

int rewind_load(struct rewind *rewind)
{
    ASSERT(!rewind->core->is_open && rewind->stage == REWIND_NONE);
    int error = index_db_rewind(rewind->core->index, &rewind->has_note, &rewind->note);
    rewind->importer->is_held = rewind->importer->leaves_out = !error && rewind->has_note;
    rewind->importer->left_out = rewind->note;
    return error;
}

void rewind_resume(struct rewind *rewind)
{
    ASSERT(rewind->core->is_open && rewind->stage == REWIND_NONE);
    const struct index_rewind *note = &rewind->note;
    if (!rewind->has_note) {
        unmark_all(rewind);
        return;
    }
    /* What is stored from now on is none of what is forgotten. */
    block_files_set_used(rewind->core->files, note->file_end, note->offset_end, -1, 0);
    rewind->had_note = false;
    begin(rewind, header_tree_find(rewind->tree, &note->moment.tip));
}

/* -- As a part -------------------------------------------------------------------------------- */

static bool may_forget(const struct rewind *rewind)
{
    return !rewind->job_runs && flush_is_idle(rewind->flush) &&
           writes_pending(rewind->writes) == 0 && pipeline_is_at_rest(rewind->pipeline);
}

static void let_go(struct rewind *rewind)
{
    if (flush_is_idle(rewind->flush) && rewind->indexes_let_go(rewind->ctx))
        take_rows_away(rewind);
}

static void start_next(struct rewind *rewind)
{
    const struct rewind_order next = rewind->next;
    rewind->next.done = NULL;
    if (next.done)
        start_order(rewind, &next);
}

static void step(void *part)
{
    struct rewind *rewind = part;
    if (!core_is_working(rewind->core))
        return;
    if (rewind->stage == REWIND_NONE)
        start_next(rewind);
    else if (rewind->stage == REWIND_FORGETS && was_overruled(rewind))
        give_up(rewind);
    else if (rewind->stage == REWIND_FORGETS && may_forget(rewind))
        forget(rewind);
    else if (rewind->stage == REWIND_GIVES_UP && !rewind->job_runs)
        start_job(rewind, run_give_up, give_up_done);
    else if (rewind->stage == REWIND_RESTS && rewind->is_rested &&
             !importer_has_own_files(rewind->importer)) /* which leave out what the note has */
        start_flush(rewind);
    else if (rewind->stage == REWIND_LETS_GO)
        let_go(rewind);
}

static bool is_busy(const void *part)
{
    return ((const struct rewind *)part)->job_runs;
}

/* What is noted is gone on with at the next start. */
static void cancel(void *part)
{
    struct rewind *rewind = part;
    const struct verdict fault = {.code = REJECT_FAULT};
    chain_order_fn *done = rewind->next.done;
    stop_timer(rewind);
    rewind->next.done = NULL;
    if (done)
        done(rewind->next.arg, &fault);
    if (rewind->job_runs || rewind->stage == REWIND_FORGETS || rewind->stage == REWIND_GIVES_UP)
        answer(rewind, REJECT_FAULT);
    if (!rewind->job_runs && rewind->stage != REWIND_FLUSHES && rewind->stage != REWIND_NONE)
        end_rewind(rewind, REJECT_FAULT);
}

void rewind_deinit(struct rewind *rewind)
{
    ASSERT(!rewind->job_runs && rewind->timer == 0);
    ARRAY_FREE(&rewind->roots);
    ARRAY_FREE(&rewind->recalled);
    ARRAY_FREE(&rewind->gone);
}

const struct chain_part rewind_part = {.step = step, .is_busy = is_busy, .cancel = cancel};
