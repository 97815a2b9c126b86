/* block_read.c - stored blocks read back for those who ask, off the loop. */
#include <errno.h>

#include "chain/chain_internal.h"
#include "util/alloc.h"

/* One read. Cancelling only forgets who asked: the job ends by itself. */
struct block_read {
    struct env_job job;
    struct chain *chain;
    struct block_read *next;
    uint64_t id;
    const struct block_node *node;
    struct block_ref *ref;
    bool is_decoded, want_undo, is_raw, is_for_peer;
    bool is_undo_alone; /* the block itself is not wanted */
    struct file_pos data_pos, undo_pos;
    uint8_t *undo;
    int error;
    chain_read_fn *done; /* NULL: cancelled */
    void *arg;
};

struct block_reads {
    struct block_read *waiting; /* for undo data being written, oldest first */
    struct hash_map by_id;
};

void block_reads_init(struct chain *chain)
{
    chain->reads = xcalloc(1, sizeof *chain->reads);
    hash_map_init(&chain->reads->by_id);
}

void block_reads_deinit(struct chain *chain)
{
    if (!chain->reads)
        return;
    ASSERT(chain->reads->by_id.count == 0 && !chain->reads->waiting);
    hash_map_deinit(&chain->reads->by_id);
    xfree(chain->reads);
    chain->reads = NULL;
}

static bool has_id(const void *value, const void *key)
{
    return ((const struct block_read *)value)->id == *(const uint64_t *)key;
}

/* Ids are counted up: spreading them is all the hash has to do. */
static uint64_t hash_id(uint64_t id)
{
    return id * UINT64_C(0x9e3779b97f4a7c15);
}

static void run(struct env_job *job)
{
    struct block_read *read = (struct block_read *)job;
    struct block_files *files = read->chain->core.files;
    uint8_t *raw;
    if (!read->is_decoded && !read->is_undo_alone) {
        struct span first = read->chain->core.network->genesis_raw;
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
    struct chain *chain = read->chain;
    struct block_node *node = header_tree_find(&chain->tree, &read->node->hash);
    bool in_undo = failed_in_undo(read);
    const struct file_pos *now = in_undo ? &node->undo : &node->data;
    const struct file_pos *then = in_undo ? &read->undo_pos : &read->data_pos;
    bool is_lost = read->error == -EUCLEAN || read->error == -ENOENT;
    if (!is_lost || chain->core.closing || now->file != then->file || now->offset != then->offset)
        return;
    if (in_undo)
        lost_undo(chain, node);
    else
        lost_block(chain, node);
}

static void done(struct env_job *job)
{
    struct block_read *read = (struct block_read *)job;
    struct chain *chain = read->chain;
    note_loss(read);
    (void)hash_map_remove(&chain->reads->by_id, hash_id(read->id), has_id, &read->id);
    if (read->done) {
        struct chain_block_read result = {
            .error = job->cancelled ? -ECANCELED : read->error,
            .block = read->ref,
            .undo_raw = span_of(read->undo, read->undo ? read->undo_pos.len : 0),
            .node = read->node,
        };
        read->done(read->arg, &result);
    }
    block_ref_drop(read->ref);
    xfree(read->undo);
    xfree(read);
    core_end(&chain->core);
}

static void submit(struct block_read *read)
{
    const struct env *env = read->chain->core.env;
    /* Where things are is asked now, not when the read was ordered. */
    read->data_pos = read->node->data;
    read->undo_pos = read->node->undo;
    read->job = (struct env_job){.run = run, .done = done};
    bool can_wait = read->is_for_peer && !read->is_decoded;
    env_job_submit(env, ENV_POOL_BLOCKING, can_wait ? ENV_PRIORITY_LOW : ENV_PRIORITY_HIGH,
                   &read->job);
}

static bool must_wait(const struct block_read *read)
{
    return read->want_undo && read->chain->undo_writes_pending > 0;
}

/* Undo data may have been written: reads that waited for it can start. */
static void start_waiting(void *part)
{
    struct chain *chain = part;
    while (chain->reads->waiting && !must_wait(chain->reads->waiting)) {
        struct block_read *read = chain->reads->waiting;
        chain->reads->waiting = read->next;
        submit(read);
    }
}

/* with: what is wanted, and who wants it. */
static uint64_t start(struct chain *chain, const struct block_node *node, struct block_read with)
{
    struct block_ref *kept = kept_blocks_find(&chain->kept, node);
    bool is_there = kept || (node->status & BLOCK_HAVE_DATA);
    if (chain->core.closing || !is_there) {
        int error = node->status & BLOCK_LOST_DATA ? -EUCLEAN : -ENOENT;
        struct chain_block_read result = {.error = chain->core.closing ? -ECANCELED : error,
                                          .node = node};
        with.done(with.arg, &result);
        return 0;
    }
    struct block_read *read = xcalloc(1, sizeof *read);
    *read = with;
    read->chain = chain;
    read->id = ++chain->next_id;
    read->node = node;
    read->ref = kept ? block_ref_hold(kept) : NULL;
    read->is_decoded = kept != NULL;
    core_begin(&chain->core);
    hash_map_insert(&chain->reads->by_id, hash_id(read->id), read);
    if (!must_wait(read)) {
        submit(read);
        return read->id;
    }
    struct block_read **end = &chain->reads->waiting;
    while (*end)
        end = &(*end)->next;
    *end = read;
    return read->id;
}

uint64_t chain_read_block(struct chain *chain, const struct block_node *node, bool want_undo,
                          chain_read_fn *done_fn, void *arg)
{
    struct block_read with = {.want_undo = want_undo, .done = done_fn, .arg = arg};
    return start(chain, node, with);
}

uint64_t chain_read_undo(struct chain *chain, const struct block_node *node, chain_read_fn *done_fn,
                         void *arg)
{
    struct block_read with = {
        .want_undo = true, .is_undo_alone = true, .done = done_fn, .arg = arg};
    return start(chain, node, with);
}

uint64_t chain_read_for_peer(struct chain *chain, const struct block_node *node, bool is_raw,
                             chain_read_fn *done_fn, void *arg)
{
    struct block_read with = {.is_raw = is_raw, .is_for_peer = true, .done = done_fn, .arg = arg};
    return start(chain, node, with);
}

void chain_read_cancel(struct chain *chain, uint64_t id)
{
    struct block_read *read = hash_map_find(&chain->reads->by_id, hash_id(id), has_id, &id);
    if (read)
        read->done = NULL;
}

static void cancel_all(void *part)
{
    struct chain *chain = part;
    /* Those under way end by themselves; those waiting are let go with an error. */
    while (chain->reads->waiting) {
        struct block_read *read = chain->reads->waiting;
        chain->reads->waiting = read->next;
        read->want_undo = false;
        read->job.cancelled = true;
        done(&read->job);
    }
}

const struct chain_part block_reads_part = {
    .name = "block reads", .step = start_waiting, .cancel = cancel_all};
