/* rewind.c - see rewind.h */
#include "chain/intake/rewind.h"

#include <errno.h>

#include "chain/tree/index_db.h"
#include "util/alloc.h"

/* -- Marking ---------------------------------------------------------------------------------- */

/* Stored after that moment, or a header alone, of which nobody knows when it came. What was pruned
 * is of before. */
static bool is_new(const struct block_node *node, const struct chain_moment *moment)
{
    if (node->data.file < 0)
        return node->n_tx == 0;
    return node->data.file > moment->file ||
           (node->data.file == moment->file && node->data.offset >= moment->offset);
}

static void set_status(struct rewind *rewind, struct block_node *node, uint32_t status)
{
    if (node->status == status)
        return;
    node->status = status;
    header_tree_mark_dirty(rewind->tree, node);
}

/* Parents first. The way to tip is good again, whatever was said of its blocks since; what hung on
 * such a block has another chance; and what is new goes, with all that is on it. */
static void mark_all(struct rewind *rewind, const struct block_node *tip,
                     const struct chain_moment *moment)
{
    struct block_node *genesis = rewind->tree->genesis;
    for (struct block_node *at = genesis->first_child; at;
         at = block_node_next_descendant(genesis, at)) {
        uint32_t status = at->status;
        if (block_node_ancestor(tip, at->height) == at)
            status &= ~(uint32_t)BLOCK_FAILED_MASK;
        else if ((at->prev->status & BLOCK_DROPPED) || is_new(at, moment))
            status |= BLOCK_FAILED | BLOCK_DROPPED;
        else if (!block_node_has_failed(at->prev))
            status &= ~(uint32_t)BLOCK_FAILED_CHILD;
        set_status(rewind, at, status);
    }
}

/* Rows are not all written at once: a crash may leave the mark of a block and not those of what is
 * on it. Parents first. Returns: there are any */
static bool spread_marks(struct rewind *rewind)
{
    struct block_node *genesis = rewind->tree->genesis;
    bool has_any = false;
    for (struct block_node *at = genesis->first_child; at;
         at = block_node_next_descendant(genesis, at)) {
        if (at->prev->status & BLOCK_DROPPED)
            set_status(rewind, at, at->status | BLOCK_FAILED | BLOCK_DROPPED);
        has_any |= (at->status & BLOCK_DROPPED) != 0;
    }
    return has_any;
}

/* The marks were in vain. What of them breaks a rule is found to do so anew. */
static void unmark_all(struct rewind *rewind)
{
    struct block_node *genesis = rewind->tree->genesis;
    for (struct block_node *at = genesis; at; at = block_node_next_descendant(genesis, at))
        if (at->status & BLOCK_DROPPED)
            set_status(rewind, at, at->status & ~(uint32_t)(BLOCK_DROPPED | BLOCK_FAILED_MASK));
    best_chain_rebuild(rewind->best);
}

/* -- Forgetting ------------------------------------------------------------------------------- */

static void end_rewind(struct rewind *rewind, enum reject code)
{
    chain_order_fn *done = rewind->done;
    const struct verdict verdict = {.code = code};
    rewind->stage = REWIND_NONE;
    rewind->done = NULL;
    if (done)
        done(rewind->arg, &verdict);
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
    int error = job->cancelled ? -ECANCELED : rewind->error;
    if (rewind->batch)
        env_batch_free(rewind->core->env, rewind->batch);
    rewind->batch = NULL;
    flush_release(rewind->flush);
    if (error)
        core_fault(rewind->core, error, "forgetting blocks");
    end_rewind(rewind, error ? REJECT_FAULT : REJECT_NONE);
    core_wake_soon(rewind->core);
}

/* In memory at once, so that no later flush writes a row of them again. */
static void forget(struct rewind *rewind)
{
    struct header_tree *tree = rewind->tree;
    struct block_node **nodes = xcalloc(tree->count, sizeof(struct block_node *));
    size_t n = header_tree_forget(tree, nodes);
    for (size_t i = 0; i < n; i++) {
        lost_block_found(rewind->lost, nodes[i]);
        lost_undo_found(rewind->lost, nodes[i]);
        kept_blocks_release(rewind->kept, nodes[i]);
    }
    best_chain_rebuild(rewind->best);
    rewind->batch = index_db_batch_without(rewind->core->index, nodes, n);
    xfree(nodes);
    rewind->stage = REWIND_WRITES;
    rewind->error = 0;
    rewind->job = (struct env_job){.run = run_write, .done = write_done};
    flush_hold(rewind->flush);
    env_job_submit(rewind->core->env, ENV_POOL_BLOCKING, ENV_PRIORITY_HIGH, &rewind->job);
}

static void step(void *part)
{
    struct rewind *rewind = part;
    if (rewind->stage != REWIND_FORGETS || !flush_is_idle(rewind->flush) ||
        !core_is_working(rewind->core))
        return;
    if (writes_pending(rewind->writes) == 0 && pipeline_is_at_rest(rewind->pipeline) &&
        rewind->indexes_let_go(rewind->ctx))
        forget(rewind);
}

static void on_flushed(void *arg, int error)
{
    struct rewind *rewind = arg;
    if (error) {
        end_rewind(rewind, REJECT_FAULT);
        return;
    }
    rewind->stage = REWIND_FORGETS;
    core_wake_soon(rewind->core);
}

/* The coins stand below what goes, in memory; now durably. */
static void on_rest(void *arg, const struct verdict *verdict)
{
    struct rewind *rewind = arg;
    if (verdict->code == REJECT_NONE) {
        flush_order(rewind->flush, on_flushed, rewind);
        return;
    }
    if (core_is_working(rewind->core))
        unmark_all(rewind);
    end_rewind(rewind, verdict->code);
}

/* -- Orders ----------------------------------------------------------------------------------- */

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

void rewind_order(struct rewind *rewind, const struct chain_moment *moment, chain_order_fn *done,
                  void *arg)
{
    ASSERT(moment && done);
    struct block_node *tip = header_tree_find(rewind->tree, &moment->tip);
    struct verdict verdict = {.code = REJECT_NONE};
    if (!core_is_working(rewind->core))
        verdict.code = REJECT_FAULT;
    else if (!tip)
        verdict.code = REJECT_PREV_NOT_FOUND;
    else if (rewind->stage != REWIND_NONE)
        (void)verdict_set(&verdict, REJECT_BLOCK_UNAVAILABLE, "the chain is going back already");
    else if (!has_way(rewind, tip))
        (void)verdict_set(&verdict, REJECT_BLOCK_UNAVAILABLE,
                          "a block on the way is pruned, missing or damaged");
    if (verdict.code != REJECT_NONE) {
        done(arg, &verdict);
        return;
    }
    rewind->stage = REWIND_LEAVES;
    rewind->done = done;
    rewind->arg = arg;
    pipeline_drop_steps(rewind->pipeline);
    mark_all(rewind, tip, moment);
    /* It was the best one: of what was known then, and has like work, it is again. Hazard 34: the
     * set of candidates is made anew behind this. */
    tip->sequence = --rewind->best->precious_sequence;
    best_chain_rebuild(rewind->best);
    waiters_await_rest(rewind->waiters, on_rest, rewind);
}

void rewind_resume(struct rewind *rewind)
{
    ASSERT(rewind->core->is_open && rewind->stage == REWIND_NONE);
    if (!spread_marks(rewind))
        return;
    rewind->stage = REWIND_LEAVES;
    waiters_await_rest(rewind->waiters, on_rest, rewind);
}

static bool is_busy(const void *part)
{
    return ((const struct rewind *)part)->stage == REWIND_WRITES;
}

/* What is only marked is gone on with at the next start. */
static void cancel(void *part)
{
    struct rewind *rewind = part;
    if (rewind->stage == REWIND_FORGETS)
        end_rewind(rewind, REJECT_FAULT);
}

const struct chain_part rewind_part = {.step = step, .is_busy = is_busy, .cancel = cancel};
