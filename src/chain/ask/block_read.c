/* block_read.c - see block_read.h. */
#include "chain/ask/block_read.h"

#include <errno.h>

#include "chain/disk/block_file.h"
#include "chain/disk/block_ref.h"
#include "util/alloc.h"

/* One read. From submit() to its end node apart all of it is the job's; the node may be pruned or
 * moved meanwhile, hence the copies of its places. */
struct block_read {
    struct env_job job;
    struct block_reads *reads;
    struct list_link link; /* of those that wait */
    const struct block_node *node;
    struct block_ref *ref;
    bool is_decoded, want_undo, is_raw, is_for_peer;
    bool is_undo_alone; /* the block itself is not wanted */
    struct file_pos data_pos, undo_pos;
    uint8_t *undo;
    int error;
    chain_read_work_fn *work; /* or NULL */
    chain_read_fn *done;
    void *arg;
};

void block_reads_init(struct block_reads *reads, const struct block_reads *with)
{
    *reads = *with;
}

void block_reads_deinit(struct block_reads *reads)
{
    ASSERT(reads->waiting.count == 0);
}

static void run(struct env_job *job)
{
    struct block_read *read = (struct block_read *)job;
    struct block_files *files = read->reads->core->files;
    uint8_t *raw;
    if (!read->is_decoded && !read->is_undo_alone) {
        struct span first = read->reads->core->network->genesis_raw;
        if (read->node->height > 0)
            read->error = block_files_read(files, &read->data_pos, &raw);
        else
            raw = xmemdup(first.p, first.len); /* a constant, whatever the disk says */
        if (read->error)
            return;
        read->ref = block_ref_take(raw, read->node->height > 0 ? read->data_pos.len : first.len);
        if (!read->is_raw && !block_ref_decode(read->ref))
            read->error = -EUCLEAN;
    }
    if (!read->error && read->want_undo && read->undo_pos.file >= 0)
        read->error = block_files_read_undo(files, &read->undo_pos, &read->undo);
    if (!read->error && read->work)
        read->work(read->arg, block_ref_raw(read->ref));
}

/* Where it failed: the block was there, or nobody asked for it. */
static bool failed_in_undo(const struct block_read *read)
{
    return read->ref || read->is_undo_alone;
}

/* What others ask for now the chain itself may need later, to go back: it is had again while there
 * is time. */
static void note_loss(const struct block_read *read)
{
    struct block_reads *reads = read->reads;
    struct block_node *node = header_tree_find(reads->tree, &read->node->hash);
    if (!node)
        return; /* a rewind has forgotten it meanwhile */
    bool in_undo = failed_in_undo(read);
    const struct file_pos *now = in_undo ? &node->undo : &node->data;
    const struct file_pos *then = in_undo ? &read->undo_pos : &read->data_pos;
    bool is_lost = read->error == -EUCLEAN || read->error == -ENOENT;
    if (!is_lost || reads->core->closing || now->file != then->file || now->offset != then->offset)
        return;
    if (in_undo)
        lost_undo(reads->lost, node);
    else
        lost_block(reads->lost, node);
}

static void answer(struct block_read *read, int error)
{
    struct block_reads *reads = read->reads;
    struct chain_block_read result = {
        .error = error,
        .block = read->ref,
        .undo_raw = span_of(read->undo, read->undo ? read->undo_pos.len : 0),
        .node = read->node,
    };
    read->done(read->arg, &result);
    block_ref_drop(read->ref);
    xfree(read->undo);
    xfree(read);
    core_end(reads->core);
}

/* A loss is noted before the asker is told, so that he is answered at once if he asks again. */
static void done(struct env_job *job)
{
    struct block_read *read = (struct block_read *)job;
    note_loss(read);
    answer(read, job->cancelled ? -ECANCELED : read->error);
}

static void submit(struct block_read *read)
{
    const struct env *env = read->reads->core->env;
    ASSERT(block_node_has_data(read->node) || read->is_decoded);
    /* Where things are is asked now, not when the read was ordered. */
    read->data_pos = read->node->data;
    read->undo_pos = read->node->undo;
    read->job = (struct env_job){.run = run, .done = done};
    bool can_wait = read->is_for_peer && !read->is_decoded;
    env_job_submit(env, ENV_POOL_BLOCKING, can_wait ? ENV_PRIORITY_LOW : ENV_PRIORITY_HIGH,
                   &read->job);
}

/* Why a block is not there. */
static int absence(const struct block_node *node)
{
    return block_node_lost_data(node) ? -EUCLEAN : -ENOENT;
}

/* Undo data may have been written: reads that waited for it can start. */
static void start_waiting(void *part)
{
    struct block_reads *reads = part;
    struct block_read *read;
    while (reads->writes->n_undo == 0 &&
           (read = LIST_POP(struct block_read, &reads->waiting, link))) {
        /* Meanwhile it may have been pruned, or found damaged. */
        if (read->is_decoded || block_node_has_data(read->node))
            submit(read);
        else
            answer(read, absence(read->node));
    }
}

/* with: what is wanted, and who wants it. */
static void start(struct block_reads *reads, const struct block_node *node, struct block_read with)
{
    struct block_ref *kept = kept_blocks_find(reads->kept, node);
    bool is_there = kept || block_node_has_data(node);
    if (reads->core->closing || !is_there) {
        int error = reads->core->closing ? -ECANCELED : absence(node);
        struct chain_block_read result = {.error = error, .node = node};
        with.done(with.arg, &result);
        return;
    }
    struct block_read *read = xcalloc(1, sizeof *read);
    *read = with;
    read->reads = reads;
    read->node = node;
    read->ref = kept ? block_ref_hold(kept) : NULL;
    read->is_decoded = kept != NULL;
    core_begin(reads->core);
    if (read->want_undo && reads->writes->n_undo > 0)
        list_add(&reads->waiting, &read->link);
    else
        submit(read);
}

void block_read(struct block_reads *reads, const struct block_node *node, bool want_undo,
                chain_read_fn *done_fn, void *arg)
{
    struct block_read with = {.want_undo = want_undo, .done = done_fn, .arg = arg};
    ASSERT(node && done_fn);
    start(reads, node, with);
}

void block_read_raw(struct block_reads *reads, const struct block_node *node,
                    chain_read_work_fn *work, chain_read_fn *done_fn, void *arg)
{
    struct block_read with = {.is_raw = true, .work = work, .done = done_fn, .arg = arg};
    ASSERT(node && done_fn);
    start(reads, node, with);
}

void block_read_undo(struct block_reads *reads, const struct block_node *node,
                     chain_read_fn *done_fn, void *arg)
{
    ASSERT(node && done_fn);
    struct block_read with = {
        .want_undo = true, .is_undo_alone = true, .done = done_fn, .arg = arg};
    start(reads, node, with);
}

void block_read_for_peer(struct block_reads *reads, const struct block_node *node, bool is_raw,
                         chain_read_fn *done_fn, void *arg)
{
    struct block_read with = {.is_raw = is_raw, .is_for_peer = true, .done = done_fn, .arg = arg};
    ASSERT(node && done_fn);
    start(reads, node, with);
}

static void cancel_all(void *part)
{
    struct block_reads *reads = part;
    /* Those under way end by themselves; those waiting are let go with an error. */
    struct block_read *read;
    while ((read = LIST_POP(struct block_read, &reads->waiting, link))) {
        read->want_undo = false;
        read->job.cancelled = true;
        done(&read->job);
    }
}

const struct chain_part block_reads_part = {.step = start_waiting, .cancel = cancel_all};
