/* prune.c - see prune.h.
 *
 * A round follows a flush: the nodes of some files are marked as without data, the index is
 * written and synced, only then the files go, durably, and only then their sizes are forgotten. So
 * after a crash the index never names what is gone, each file that is there is counted (the next
 * round takes it), and blocks between the coins store's tip and the committed one are always there
 * to be replayed. No flush runs during a round: the index has one writer. */
#include "chain/upkeep/prune.h"

#include <errno.h>

#include "chain/disk/block_file.h"
#include "chain/tree/index_db.h"
#include "util/alloc.h"
#include "util/planted.h"

#define ROUND_NODES_MAX 20000 /* that many rows are written within a few dozen milliseconds */
/* What files may grow by before the next look at the target. Core: FindFilesToPrune() */
#define PRUNE_BUFFER_BYTES (BLOCK_FILE_CHUNK_BYTES + UNDO_FILE_CHUNK_BYTES)

/* Who ordered pruning, and up to where. */
struct prune_request {
    struct list_link link;
    struct prune *prune;
    int32_t height;
    void (*done)(void *arg, int error);
    void *arg;
};

/* What one walk of the tree finds out about a file. */
struct file_use {
    int32_t height_max; /* -1: no block of the tree is in it */
    uint32_t n_nodes;
    bool is_chosen;
};

/* -- Choosing files ---------------------------------------------------------------------------- */

static void count_node(struct file_use *uses, size_t n_files, const struct block_node *node)
{
    size_t file = (size_t)node->data.file;
    if (!block_node_has_data(node) || file >= n_files)
        return;
    uses[file].n_nodes++;
    uses[file].height_max = MAX_OF(uses[file].height_max, node->height);
}

static struct file_use *count_uses(const struct prune *prune, size_t n_files)
{
    struct file_use *uses = xcalloc(n_files, sizeof *uses);
    ASSERT(n_files > 0);
    for (size_t i = 0; i < n_files; i++)
        uses[i].height_max = -1;
    const struct header_tree *tree = prune->tree;
    for (struct block_node *at = tree->genesis; at;
         at = block_node_next_descendant(tree->genesis, at))
        count_node(uses, n_files, at);
    return uses;
}

/* The last height that may go: both the committed tip and that of the store, stored, keep what a
 * reorganisation or a replay could ask for, and who else needs blocks above free_height keeps
 * those. */
static int32_t height_limit(const struct prune *prune, int32_t stored, int32_t free_height)
{
    int32_t tip = active_chain_tip(prune->active)->height;
    int32_t limit = MIN_OF(MIN_OF(tip, stored) - CHAIN_PRUNE_KEEP_BLOCKS, free_height);
    if (!prune->tree->assumed)
        return limit;
    /* The check of what is assumed goes on from what is stored, after a crash too; from another
     * branch it goes back first. */
    const struct block_node *checked =
        block_node_fork(prune->tree->checked_stored, prune->tree->assumed);
    return MIN_OF(limit, checked->height);
}

/* Others are about to need fewer blocks than now: what goes is asked then. */
static bool must_wait(const struct prune *prune)
{
    bool is_changing = false;
    (void)prune->needs.free_height(prune->needs.ctx, &is_changing);
    return is_changing && core_is_working(prune->core);
}

static bool is_over_target(const struct prune *prune, uint64_t bytes)
{
    uint64_t target = prune->core->options.prune_target_bytes;
    return prune->core->options.prune && target > 0 && bytes + PRUNE_BUFFER_BYTES >= target;
}

static uint64_t file_bytes(const struct block_file_info *info)
{
    return (uint64_t)info->block_bytes + info->undo_bytes;
}

/* The last height that an order or the target lets go, with limit as the last that may. */
static int32_t wanted_height(const struct prune *prune, uint64_t bytes, int32_t limit)
{
    int32_t ordered = -1;
    LIST_EACH (struct prune_request, at, &prune->requests, link)
        ordered = MAX_OF(ordered, at->height);
    bool is_long = (uint64_t)active_chain_tip(prune->active)->height >
                   prune->core->network->prune_after_height;
    if (is_long && is_over_target(prune, bytes))
        return limit;
    return ordered < limit ? ordered : limit;
}

/* Choose the files of one round, with blocks up to the height limit. Returns how many. */
static size_t choose_files(const struct prune *prune, struct file_use *uses, size_t n_files,
                           int32_t limit)
{
    uint64_t bytes = block_files_total_bytes(prune->core->files);
    bool is_writing = writes_pending(prune->writes) > 0;
    /* The last file is being filled; the one before it may still be written to. */
    size_t n_complete = n_files - 1 - (is_writing && n_files > 1);
    size_t n_chosen = 0, n_nodes = 0;
    for (size_t i = 0; i < n_complete && n_nodes < ROUND_NODES_MAX; i++) {
        uint64_t size = file_bytes(block_files_info(prune->core->files, i));
        if (size == 0 || uses[i].height_max > wanted_height(prune, bytes, limit))
            continue;
        uses[i].is_chosen = true;
        n_nodes += uses[i].n_nodes;
        bytes -= size < bytes ? size : bytes;
        n_chosen++;
    }
    return n_chosen;
}

/* -- A round ----------------------------------------------------------------------------------- */

/* The list is empty before they are told: they may order more. */
static void answer_requests(struct prune *prune, int error)
{
    struct list list = prune->requests;
    struct prune_request *request;
    prune->requests = (struct list){0};
    while ((request = LIST_POP(struct prune_request, &list, link))) {
        request->done(request->arg, error);
        xfree(request);
    }
}

/* Rounds follow one another until nothing is to be removed: each is bounded. */
static bool start_round(struct prune *prune);

/* Rows, then files: see above. The other order is the planted bug. */
static void run_write(struct env_job *job)
{
    struct prune *prune = (struct prune *)job;
    bool is_early = PLANTED(prune->core->env, PRUNE_UNLINK_FIRST);
    int early_error =
        is_early ? block_files_remove(prune->core->files, prune->files, prune->n_files) : 0;
    prune->error = index_db_write(prune->core->index, prune->batch);
    prune->batch = NULL;
    if (!prune->error)
        prune->error = is_early
                           ? early_error
                           : block_files_remove(prune->core->files, prune->files, prune->n_files);
}

static void forget_files(struct prune *prune)
{
    ASSERT(prune->files && prune->n_files > 0);
    for (size_t i = 0; i < prune->n_files; i++) {
        block_files_forget(prune->core->files, prune->files[i]);
        log_printf(prune->core->log, LOG_PRUNE, "pruned blk%05zu.dat and rev%05zu.dat",
                   prune->files[i], prune->files[i]);
    }
    prune->bytes_seen = block_files_total_bytes(prune->core->files);
}

/* An error stops the node: the tree says already that the blocks are gone. What is left of the
 * files is still counted, so a round after the next start takes it. */
static void round_done(struct env_job *job)
{
    struct prune *prune = (struct prune *)job;
    const struct env *env = prune->core->env;
    if (prune->batch)
        env_batch_free(env, prune->batch);
    prune->batch = NULL;
    int error = job->cancelled ? -ECANCELED : prune->error;
    if (!error)
        forget_files(prune);
    xfree(prune->files);
    prune->files = NULL;
    flush_release(prune->flush);
    if (error)
        core_fault(prune->core, error, "pruning");
    else if (start_round(prune))
        return;
    answer_requests(prune, error);
    core_wake_soon(prune->core);
}

/* Forget where the chosen files' blocks are. */
static void mark_nodes(struct prune *prune, const struct file_use *uses, size_t n_files,
                       struct block_node **marked, size_t *n_marked)
{
    struct header_tree *tree = prune->tree;
    for (struct block_node *at = tree->genesis; at;
         at = block_node_next_descendant(tree->genesis, at)) {
        size_t file = (size_t)at->data.file;
        if (file >= n_files || !uses[file].is_chosen)
            continue;
        lost_block_found(prune->lost,
                         at); /* what was lost there is as wanted as the rest: no more */
        lost_undo_found(prune->lost, at);
        bool is_stored = block_node_has_data(at);
        at->status &= ~(uint32_t)(BLOCK_HAVE_DATA | BLOCK_HAVE_UNDO);
        at->data = at->undo = (struct file_pos){.file = -1};
        header_tree_mark_dirty(tree, at);
        if (is_stored)
            marked[(*n_marked)++] = at;
    }
}

/* From here on nobody finds these blocks any more, though their files go only when the rows are
 * durable. */
static void submit_round(struct prune *prune, const struct file_use *uses, size_t n_files,
                         size_t n_chosen)
{
    size_t n_nodes = 0, n_marked = 0;
    prune->files = xcalloc(n_chosen, sizeof *prune->files);
    prune->n_files = 0;
    for (size_t i = 0; i < n_files; i++)
        if (uses[i].is_chosen) {
            prune->files[prune->n_files++] = i;
            n_nodes += uses[i].n_nodes;
        }
    struct block_node **marked = xcalloc(n_nodes ? n_nodes : 1, sizeof *marked);
    mark_nodes(prune, uses, n_files, marked, &n_marked);
    ASSERT(n_marked == n_nodes && prune->n_files == n_chosen);
    prune->batch = index_db_batch_of(prune->core->index, marked, n_marked);
    xfree(marked);
    prune->error = 0;
    prune->job = (struct env_job){.run = run_write, .done = round_done};
    flush_hold(prune->flush);
    env_job_submit(prune->core->env, ENV_POOL_BLOCKING, ENV_PRIORITY_NORMAL, &prune->job);
}

/* From now on the data directory is a pruned one, whatever becomes of this round. */
static bool set_flag(struct prune *prune)
{
    if (prune->core->any_pruned)
        return true;
    int error = index_db_set_flag(prune->core->index, INDEX_FLAG_PRUNED);
    if (error)
        core_fault(prune->core, error, "writing the block index");
    prune->core->any_pruned = !error;
    return !error;
}

/* Start a round if there is something to remove. */
static bool start_round(struct prune *prune)
{
    size_t n_files = block_files_count(prune->core->files);
    uint64_t bytes = block_files_total_bytes(prune->core->files);
    bool is_changing;
    int32_t free_height = prune->needs.free_height(prune->needs.ctx, &is_changing);
    int32_t limit = height_limit(prune, prune->flush->tip->height, free_height);
    /* Files are not removed while they are gone through, or are to be once more. */
    if (prune->core->closing || prune->core->faulted || prune->flush->marks || n_files < 2 ||
        wanted_height(prune, bytes, limit) < 0)
        return false;
    struct file_use *uses = count_uses(prune, n_files);
    size_t n_chosen = choose_files(prune, uses, n_files, limit);
    bool goes = n_chosen > 0 && set_flag(prune);
    if (goes)
        submit_round(prune, uses, n_files, n_chosen);
    xfree(uses);
    return goes;
}

/* A file goes as soon as the store's tip is the committed one, and the indexes stand for it. */
static bool flush_frees_files(const struct prune *prune, size_t n_files)
{
    struct file_use *uses = count_uses(prune, n_files);
    int32_t free_height = prune->needs.height_if_flushed(prune->needs.ctx);
    int32_t limit = height_limit(prune, INT32_MAX, free_height);
    bool frees = choose_files(prune, uses, n_files, limit) > 0;
    xfree(uses);
    return frees;
}

/* The target is passed, and only a flush makes pruning possible. Looked at anew where Core does:
 * when a chunk was filled or a file begun. */
static bool wants_flush(struct prune *prune)
{
    uint64_t bytes = block_files_total_bytes(prune->core->files);
    size_t n_files = block_files_count(prune->core->files);
    if (!prune->core->options.prune || !is_over_target(prune, bytes) ||
        (n_files == prune->n_files_seen && bytes < prune->bytes_seen + BLOCK_FILE_CHUNK_BYTES))
        return false;
    prune->n_files_seen = n_files;
    prune->bytes_seen = bytes;
    return flush_frees_files(prune, n_files);
}

/* At the end of a flush: remove files if there are too many bytes of them, or if that was ordered.
 * Holds the flush while it is at work. */
static void step(void *part)
{
    struct prune *prune = part;
    /* A waiter may have begun the next flush: its end comes by here too. */
    if (!flush_is_idle(prune->flush) || must_wait(prune))
        return;
    if (prune->flushes_seen == prune->flush->completed) {
        if (core_is_working(prune->core) && wants_flush(prune))
            flush_begin(prune->flush);
        return;
    }
    prune->flushes_seen = prune->flush->completed;
    prune->n_files_seen = block_files_count(prune->core->files);
    prune->bytes_seen = block_files_total_bytes(prune->core->files);
    if (!start_round(prune))
        answer_requests(prune, prune->core->closing ? -ECANCELED : prune->core->faulted ? -EIO : 0);
}

const struct chain_part prune_part = {.step = step};

/* -- Orders and questions ---------------------------------------------------------------------- */

static void flushed(void *arg, int error)
{
    struct prune_request *request = arg;
    struct prune *prune = request->prune;
    if (error) {
        request->done(request->arg, error);
        xfree(request);
        return;
    }
    /* The end of a flush looks at the requests next. */
    list_add_first(&prune->requests, &request->link);
}

void prune_to(struct prune *prune, int32_t height, void (*done)(void *arg, int error), void *arg)
{
    struct prune_request *request = xcalloc(1, sizeof *request);
    ASSERT(done);
    *request = (struct prune_request){.prune = prune, .height = height, .done = done, .arg = arg};
    flush_order(prune->flush, flushed, request);
}

/* With what leads back from it; one that was had again later is without. The first has none. */
static bool was_kept(const struct block_node *node)
{
    return block_node_was_stored(node) &&
           (block_node_has_undo(node) || block_node_lost_undo(node) || node->height == 0);
}

int32_t prune_height(const struct prune *prune)
{
    const struct block_node *at = active_chain_tip(prune->active);
    ASSERT(active_chain_tip(prune->active));
    if (!prune->core->any_pruned)
        return 0;
    while (at->prev && was_kept(at->prev))
        at = at->prev;
    return at->height;
}
