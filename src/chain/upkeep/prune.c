/* prune.c - removes old block files, down to a target or up to a height.
 *
 * A round follows a flush: the nodes of some files are marked as without data, the index is
 * written and synced, only then the files go, durably, and only then their sizes are forgotten. So
 * after a crash the index never names what is gone, each file that is there is counted (the next
 * round takes it), and blocks between the coins store's tip and the committed one are always there
 * to be replayed. No flush runs during a round: the index has one writer. */
#include <errno.h>

#include "chain/chain_internal.h"
#include "util/alloc.h"
#include "util/planted.h"

#define ROUND_NODES_MAX 20000 /* that many rows are written within a few dozen milliseconds */
/* What files may grow by before the next look at the target. Core: FindFilesToPrune() */
#define PRUNE_BUFFER_BYTES (BLOCK_FILE_CHUNK_BYTES + UNDO_FILE_CHUNK_BYTES)

/* Who ordered pruning, and up to where. */
struct prune_request {
    struct prune_request *next;
    struct chain *chain;
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
    if (!(node->status & BLOCK_HAVE_DATA) || file >= n_files)
        return;
    uses[file].n_nodes++;
    if (node->height > uses[file].height_max)
        uses[file].height_max = node->height;
}

static struct file_use *count_uses(const struct chain *chain, size_t n_files)
{
    struct file_use *uses = xcalloc(n_files, sizeof *uses);
    for (size_t i = 0; i < n_files; i++)
        uses[i].height_max = -1;
    const struct header_tree *tree = &chain->tree;
    for (struct block_node *at = tree->genesis; at;
         at = block_node_next_descendant(tree->genesis, at))
        count_node(uses, n_files, at);
    return uses;
}

/* The last height that may go: both the committed tip and the store's keep what a reorganisation
 * or a replay could ask for. */
static int32_t height_limit(const struct chain *chain)
{
    int32_t tip = chain_tip_node(chain)->height, stored = chain->flush.tip->height;
    return (tip < stored ? tip : stored) - CHAIN_PRUNE_KEEP_BLOCKS;
}

static bool is_over_target(const struct chain *chain, uint64_t bytes)
{
    uint64_t target = chain->core.options.prune_target_bytes;
    return chain->core.options.prune && target > 0 && bytes + PRUNE_BUFFER_BYTES >= target;
}

static uint64_t file_bytes(const struct block_file_info *info)
{
    return (uint64_t)info->block_bytes + info->undo_bytes;
}

/* The last height that an order or the target lets go; a limit for this file. */
static int32_t wanted_height(const struct chain *chain, uint64_t bytes)
{
    int32_t limit = height_limit(chain), ordered = -1;
    for (const struct prune_request *at = chain->prune.requests; at; at = at->next)
        if (at->height > ordered)
            ordered = at->height;
    bool is_long =
        (uint64_t)chain_tip_node(chain)->height > chain->core.network->prune_after_height;
    if (is_long && is_over_target(chain, bytes))
        return limit;
    return ordered < limit ? ordered : limit;
}

/* Choose the files of one round. Returns how many. */
static size_t choose_files(const struct chain *chain, struct file_use *uses, size_t n_files)
{
    uint64_t bytes = block_files_total_bytes(chain->core.files);
    bool is_writing = chain->writes_pending[0] + chain->writes_pending[1] > 0;
    /* The last file is being filled; the one before it may still be written to. */
    size_t n_complete = n_files - 1 - (is_writing && n_files > 1);
    size_t n_chosen = 0, n_nodes = 0;
    for (size_t i = 0; i < n_complete && n_nodes < ROUND_NODES_MAX; i++) {
        uint64_t size = file_bytes(block_files_info(chain->core.files, i));
        if (size == 0 || uses[i].height_max > wanted_height(chain, bytes))
            continue;
        uses[i].is_chosen = true;
        n_nodes += uses[i].n_nodes;
        bytes -= size < bytes ? size : bytes;
        n_chosen++;
    }
    return n_chosen;
}

/* -- A round ----------------------------------------------------------------------------------- */

static void answer_requests(struct chain *chain, int error)
{
    struct prune_request *list = chain->prune.requests;
    chain->prune.requests = NULL;
    while (list) {
        struct prune_request *next = list->next;
        list->done(list->arg, error);
        xfree(list);
        list = next;
    }
}

static bool start_round(struct chain *chain);

static void run_write(struct env_job *job)
{
    struct prune *prune = (struct prune *)job;
    const struct chain *chain = prune->chain;
    bool is_early = PLANTED(chain->core.env, PRUNE_UNLINK_FIRST);
    int early_error =
        is_early ? block_files_remove(chain->core.files, prune->files, prune->n_files) : 0;
    prune->error = index_db_write(chain->core.index, prune->batch);
    prune->batch = NULL;
    if (!prune->error)
        prune->error = is_early
                           ? early_error
                           : block_files_remove(chain->core.files, prune->files, prune->n_files);
}

static void forget_files(struct chain *chain)
{
    const struct prune *prune = &chain->prune;
    for (size_t i = 0; i < prune->n_files; i++) {
        block_files_forget(chain->core.files, prune->files[i]);
        log_printf(chain->core.log, LOG_PRUNE, "pruned blk%05zu.dat and rev%05zu.dat",
                   prune->files[i], prune->files[i]);
    }
}

static void round_done(struct env_job *job)
{
    struct prune *prune = (struct prune *)job;
    struct chain *chain = prune->chain;
    const struct env *env = chain->core.env;
    if (prune->batch)
        env_batch_free(env, prune->batch);
    prune->batch = NULL;
    int error = job->cancelled ? -ECANCELED : prune->error;
    if (!error)
        forget_files(chain);
    xfree(prune->files);
    prune->files = NULL;
    chain->flush.stage = FLUSH_IDLE;
    if (error)
        core_fault(&chain->core, error, "pruning");
    else if (start_round(chain))
        return;
    answer_requests(chain, error);
    core_wake_soon(&chain->core);
}

/* Forget where the chosen files' blocks are. */
static void mark_nodes(struct chain *chain, const struct file_use *uses, size_t n_files,
                       struct block_node **marked, size_t *n_marked)
{
    struct header_tree *tree = &chain->tree;
    for (struct block_node *at = tree->genesis; at;
         at = block_node_next_descendant(tree->genesis, at)) {
        size_t file = (size_t)at->data.file;
        if (file >= n_files || !uses[file].is_chosen)
            continue;
        lost_block_found(chain, at); /* what was lost there is as wanted as the rest: no more */
        lost_undo_found(chain, at);
        bool is_stored = at->status & BLOCK_HAVE_DATA;
        at->status &= ~(uint32_t)(BLOCK_HAVE_DATA | BLOCK_HAVE_UNDO);
        at->data = at->undo = (struct file_pos){.file = -1};
        header_tree_mark_dirty(tree, at);
        if (is_stored)
            marked[(*n_marked)++] = at;
    }
}

static void submit_round(struct chain *chain, const struct file_use *uses, size_t n_files,
                         size_t n_chosen)
{
    struct prune *prune = &chain->prune;
    size_t n_nodes = 0, n_marked = 0;
    prune->files = xcalloc(n_chosen, sizeof *prune->files);
    prune->n_files = 0;
    for (size_t i = 0; i < n_files; i++)
        if (uses[i].is_chosen) {
            prune->files[prune->n_files++] = i;
            n_nodes += uses[i].n_nodes;
        }
    struct block_node **marked = xcalloc(n_nodes ? n_nodes : 1, sizeof *marked);
    mark_nodes(chain, uses, n_files, marked, &n_marked);
    ASSERT(n_marked == n_nodes && prune->n_files == n_chosen);
    prune->batch = index_db_batch_of(chain->core.index, marked, n_marked);
    xfree(marked);
    prune->chain = chain;
    prune->error = 0;
    prune->job = (struct env_job){.run = run_write, .done = round_done};
    chain->flush.stage = FLUSH_PRUNING;
    env_job_submit(chain->core.env, ENV_POOL_BLOCKING, ENV_PRIORITY_NORMAL, &prune->job);
}

/* From now on the data directory is a pruned one, whatever becomes of this round. */
static bool set_flag(struct chain *chain)
{
    if (chain->any_pruned)
        return true;
    int error = index_db_set_flag(chain->core.index, INDEX_FLAG_PRUNED);
    if (error)
        core_fault(&chain->core, error, "writing the block index");
    chain->any_pruned = !error;
    return !error;
}

/* Start a round if there is something to remove. */
static bool start_round(struct chain *chain)
{
    size_t n_files = block_files_count(chain->core.files);
    uint64_t bytes = block_files_total_bytes(chain->core.files);
    /* Files are not removed while they are gone through, or are to be once more. */
    if (chain->core.closing || chain->core.faulted || chain->marks || n_files < 2 ||
        wanted_height(chain, bytes) < 0)
        return false;
    struct file_use *uses = count_uses(chain, n_files);
    size_t n_chosen = choose_files(chain, uses, n_files);
    bool goes = n_chosen > 0 && set_flag(chain);
    if (goes)
        submit_round(chain, uses, n_files, n_chosen);
    xfree(uses);
    return goes;
}

/* At the end of a flush: remove files if there are too many bytes of them, or if that was ordered.
 * Sets the flush's stage while it is at work. */
static void step(void *part)
{
    struct chain *chain = part;
    struct prune *prune = &chain->prune;
    /* A waiter may have begun the next flush: its end comes by here too. */
    if (chain->flush.stage != FLUSH_IDLE || prune->flushes_seen == chain->flush.completed)
        return;
    prune->flushes_seen = chain->flush.completed;
    prune->n_files_seen = block_files_count(chain->core.files);
    if (!start_round(chain))
        answer_requests(chain, chain->core.closing ? -ECANCELED : chain->core.faulted ? -EIO : 0);
}

const struct chain_part prune_part = {.name = "prune", .step = step};

bool prune_wants_flush(const struct chain *chain)
{
    return chain->core.options.prune &&
           block_files_count(chain->core.files) != chain->prune.n_files_seen &&
           is_over_target(chain, block_files_total_bytes(chain->core.files));
}

/* -- Orders and questions ---------------------------------------------------------------------- */

static void flushed(void *arg, int error)
{
    struct prune_request *request = arg;
    struct chain *chain = request->chain;
    if (error) {
        request->done(request->arg, error);
        xfree(request);
        return;
    }
    /* The end of a flush looks at the requests next. */
    request->next = chain->prune.requests;
    chain->prune.requests = request;
}

void chain_prune_to(struct chain *chain, int32_t height, void (*done)(void *arg, int error),
                    void *arg)
{
    struct prune_request *request = xcalloc(1, sizeof *request);
    *request = (struct prune_request){.chain = chain, .height = height, .done = done, .arg = arg};
    chain_flush(chain, flushed, request);
}

int32_t chain_prune_height(const struct chain *chain)
{
    const struct block_node *at = chain_tip_node(chain);
    if (!chain->any_pruned)
        return 0;
    while (at->prev && (at->prev->status & (BLOCK_HAVE_DATA | BLOCK_LOST_DATA)))
        at = at->prev;
    return at->height;
}
