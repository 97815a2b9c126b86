/* accept.c - see accept.h.
 *
 * A block's header enters the tree only after the block's own rules have passed, so a mangled
 * copy leaves no trace: hazard 7. Blocks from our own files are different: they come in order of
 * the file, and a child must be able to find its parent while that is still being parsed. */
#include "chain/intake/accept.h"

#include <errno.h>

#include "chain/disk/block_file.h"
#include "chain/tree/node_view.h"
#include "consensus/block_check.h"
#include "consensus/pow.h"
#include "consensus/signet.h"
#include "util/alloc.h"
#include "util/crc32c.h"

#define UNREQUESTED_AHEAD_MAX 288 /* blocks above the target that are stored unasked: hazard 49 */

/* One block on its way in; lives until its bytes are written. */
struct accept {
    struct env_job job;
    struct intake *intake;
    struct list_link link; /* of those that wait for others before them, then for the disk */
    struct block_ref *ref;
    int flags;
    chain_block_fn *done; /* NULL once called or handed to a waiter */
    void *arg;
    struct block_node *node;
    /* The place of the block, if its parent was known when the job started. */
    bool has_place;
    int32_t height;
    int64_t prev_mtp_s;
    bool is_decoded;
    bool is_in_order;     /* placed after those that came before it */
    bool is_checked;      /* and waits for these */
    bool failed_in_place; /* the verdict is about the block's place, not the block alone */
    bool was_lost;        /* it was stored before, and damaged */
    struct verdict verdict;
    struct file_pos pos; /* file -1: not stored yet */
    uint32_t crc32c;
    unsigned epoch;
    int write_error;
};

/* -- Headers ---------------------------------------------------------------------------------- */

/* Returns NULL, for the caller to return in turn. */
static struct block_node *refuse_header(struct verdict *verdict, enum reject code)
{
    *verdict = (struct verdict){.code = code};
    return NULL;
}

static bool check_header_place(const struct intake *intake, const struct block_header *header,
                               const struct block_node *prev, struct verdict *verdict)
{
    struct header_context context = {
        .network = intake->core->network,
        .height = prev->height + 1,
        .bits_required =
            pow_next_bits(intake->core->network, block_node_view(), prev, header->time),
        .prev_time_s = prev->time,
        .prev_mtp_s = block_node_mtp(prev),
        .now_s = core_now_s(intake->core),
    };
    return block_header_check_context(header, &context, verdict);
}

/* keeps_failed: what is, or lies above, a block that is called invalid is taken all the same. */
static struct block_node *take_header(struct intake *intake, const struct block_header *header,
                                      const struct block_hash *hash, bool keeps_failed,
                                      struct verdict *verdict)
{
    struct header_tree *tree = intake->tree;
    *verdict = (struct verdict){.code = REJECT_NONE};
    struct block_node *node = header_tree_find(tree, hash);
    if (node && block_node_has_failed(node) && !keeps_failed)
        return refuse_header(verdict, REJECT_DUPLICATE_INVALID);
    if (node)
        return node;
    if (!block_header_check(intake->core->network, hash, header->bits, verdict))
        return NULL;
    struct block_node *prev = header_tree_find(tree, &header->prev);
    if (!prev)
        return refuse_header(verdict, REJECT_PREV_NOT_FOUND);
    if (block_node_has_failed(prev) && !keeps_failed)
        return refuse_header(verdict, REJECT_PREV_INVALID);
    if (!check_header_place(intake, header, prev, verdict))
        return NULL;
    node = header_tree_add(tree, header, hash);
    intake->headers_moved = intake->headers_moved || tree->best_header == node;
    if (intake->core->events.header_added)
        intake->core->events.header_added(intake->core->events.ctx, node);
    return node;
}

/* The header of a block on its way in. One that lies in our block files was good once: if the
 * operator has called it, or one below it, invalid meanwhile, it is kept for when that is taken
 * back, since nobody reads the files again. */
static struct block_node *take_header_of(const struct accept *accept,
                                         const struct block_header *header,
                                         const struct block_hash *hash, struct verdict *verdict)
{
    return take_header(accept->intake, header, hash, accept->pos.file >= 0, verdict);
}

/* Once for all headers of a call: peers send two thousand at a time, and who hears of each would
 * look at the tree as often. */
static void announce_headers(struct intake *intake)
{
    if (!intake->headers_moved)
        return;
    intake->headers_moved = false;
    if (intake->core->events.header_tip_changed)
        intake->core->events.header_tip_changed(intake->core->events.ctx,
                                                intake->tree->best_header);
}

const struct block_node *intake_header(struct intake *intake, const struct block_header *header,
                                       struct verdict *verdict)
{
    ASSERT(header && verdict);
    struct block_hash hash = block_header_hash(header);
    struct block_node *node = take_header(intake, header, &hash, false, verdict);
    announce_headers(intake);
    return node;
}

/* -- The job: parse and check ------------------------------------------------------------------ */

/* The signature that a signet's blocks bear instead of work. BIP-325, Specification */
static bool check_signet(struct accept *accept, struct arena *arena)
{
    struct scratch_pool *pool = &accept->intake->core->scratch;
    struct script_scratch *scratch = scratch_pool_take(pool);
    bool ok = signet_check(&accept->ref->block, accept->intake->core->network, arena, scratch);
    scratch_pool_give(pool, scratch);
    if (!ok)
        accept->verdict = (struct verdict){.code = REJECT_SIGNET_BLKSIG};
    return ok;
}

/* In Core's order, which decides what a block with two faults is refused for. */
static void check_block_rules(struct accept *accept)
{
    const struct network *network = accept->intake->core->network;
    const struct block *block = &accept->ref->block;
    struct arena scratch;
    arena_init(&scratch, 64 << 10);
    struct verdict *verdict = &accept->verdict;
    bool ok = block_check(block, network, BLOCK_CHECK_ALL, &scratch, verdict);
    if (ok && network->signet_blocks)
        ok = check_signet(accept, &scratch);
    if (ok && accept->has_place) {
        ok = block_check_context(block, network, accept->height, accept->prev_mtp_s, &scratch,
                                 verdict);
        accept->failed_in_place = !ok;
    }
    ASSERT(ok == (verdict->code == REJECT_NONE));
    arena_deinit(&scratch);
}

/* [block 7] On another thread: decoded, and the rules of the block alone. */
static void run_check(struct env_job *job)
{
    struct accept *accept = (struct accept *)job;
    /* A record of our own files has to be the block and nothing else. */
    bool is_record = accept->pos.file >= 0;
    accept->is_decoded =
        is_record ? block_ref_decode(accept->ref) : block_ref_decode_head(accept->ref);
    accept->crc32c = crc32c(0, accept->ref->raw, accept->ref->raw_len);
    if (accept->is_decoded)
        check_block_rules(accept);
    else
        accept->verdict = (struct verdict){.code = REJECT_MALFORMED};
}

/* -- Placing ------------------------------------------------------------------------------------
 */

/* At most once: after that, or when a waiter has taken it over, done is NULL. */
static void answer(struct accept *accept, const struct chain_block_result *result)
{
    chain_block_fn *done = accept->done;
    accept->done = NULL;
    if (done)
        done(accept->arg, result);
}

/* The end of every way: the block is let go, and the chain may be closed. */
static void finish(struct accept *accept)
{
    struct intake *intake = accept->intake;
    ASSERT(!accept->done);
    block_ref_drop(accept->ref);
    xfree(accept);
    core_end(intake->core);
}

static void refuse(struct accept *accept)
{
    struct intake *intake = accept->intake;
    struct chain_block_result result = {.verdict = accept->verdict, .node = accept->node};
    if (intake->core->events.block_invalid && accept->is_decoded &&
        reject_class(accept->verdict.code) != REJECT_CLASS_FAULT)
        intake->core->events.block_invalid(intake->core->events.ctx, &accept->ref->block.hash,
                                           &accept->verdict);
    answer(accept, &result);
    finish(accept);
}

/* The rules of the block failed: if that is for good, its header is not wanted either. For good is
 * what a block breaks in its place, of class CONSENSUS alone: a mangled copy says nothing of the
 * block whose hash it bears, and one that is too new may be right tomorrow (hazard 7). What it
 * breaks by itself is not held against its hash, as in Core: who finds one more way to make two
 * blocks of one hash could keep the good one from us (CVE-2012-2459). */
static void refuse_by_rules(struct accept *accept)
{
    struct intake *intake = accept->intake;
    const struct block *block = &accept->ref->block;
    if (accept->failed_in_place && !accept->node) {
        /* The header comes before the block's place, and its verdict before that one. */
        struct verdict verdict;
        accept->node = take_header_of(accept, &block->header, &block->hash, &verdict);
        if (!accept->node)
            accept->verdict = verdict;
    }
    struct block_node *node = header_tree_find(intake->tree, &block->hash);
    if (node && node->height > 0 && accept->failed_in_place && !block_node_has_data(node) &&
        !block_node_has_failed(node) &&
        reject_class(accept->verdict.code) == REJECT_CLASS_CONSENSUS) {
        best_chain_mark_failed(intake->best, node);
        waiters_block_failed(intake->waiters, node, &accept->verdict);
    }
    refuse(accept);
}

/* Nobody asked for it, and it has less work than the tip or is of a chain too light to be the real
 * one. That does not change while it waits. */
static bool is_too_light(const struct accept *accept)
{
    const struct intake *intake = accept->intake;
    const struct block_node *tip = active_chain_tip(intake->active);
    const struct block_node *node =
        accept->node ? accept->node : header_tree_find(intake->tree, &accept->ref->block.hash);
    return !(accept->flags & CHAIN_ACCEPT_FORCE) && node &&
           (u256_compare(node->chain_work, tip->chain_work) < 0 ||
            u256_compare(node->chain_work, intake->min_chain_work) < 0);
}

/* Storing it would be to do as a stranger likes with our disk: hazard 49. It is too light, or far
 * ahead of what the tip will be when all that came before it is connected: Core, which connects
 * each block as it comes, takes a chain of any length that is sent in order. */
static bool is_unwanted(const struct accept *accept)
{
    int32_t height_max = best_chain_target(accept->intake->best)->height + UNREQUESTED_AHEAD_MAX;
    return is_too_light(accept) ||
           (!(accept->flags & CHAIN_ACCEPT_FORCE) && accept->node->height > height_max);
}

/* Wait for the block's fate in the place of the caller. */
static void hand_to_waiter(struct accept *accept, bool is_new)
{
    if (!accept->done)
        return;
    struct waiter *waiter = xcalloc(1, sizeof *waiter);
    struct block_node *target = best_chain_target(accept->intake->best);
    waiter->node = accept->node;
    if (block_node_ancestor(target, accept->node->height) == accept->node)
        waiter->goal = target;
    waiter->result = (struct chain_block_result){
        .is_new = is_new,
        .node = accept->node,
        .was_connected = active_chain_contains(accept->intake->active, accept->node)};
    waiter->durable = accept->flags & CHAIN_ACCEPT_DURABLE;
    waiter->block_done = accept->done;
    waiter->arg = accept->arg;
    accept->done = NULL;
    waiters_add(accept->intake->waiters, waiter);
}

/* -- Storing ------------------------------------------------------------------------------------
 */

static void place(struct accept *accept);

/* There may be room for more blocks. Their place is looked at again: much may have happened. */
static void release_held(void *part)
{
    struct intake *intake = part;
    while (intake->held.count > 0 &&
           (writes_have_room(intake->writes) || intake->core->faulted || intake->core->closing))
        place(LIST_POP(struct accept, &intake->held, link));
}

static void run_write(struct env_job *job)
{
    struct accept *accept = (struct accept *)job;
    accept->write_error = block_files_write(accept->intake->core->files, &accept->pos,
                                            span_of(accept->ref->raw, accept->ref->raw_len));
}

/* writes_done() comes last: it takes a turn, in which all that this block changes must be true. */
static void block_write_done(struct env_job *job)
{
    struct accept *accept = (struct accept *)job;
    struct intake *intake = accept->intake;
    unsigned epoch = accept->epoch;
    int error = job->cancelled ? -ECANCELED : accept->write_error;
    size_t bytes = accept->ref->raw_len;
    bool was_lost = accept->was_lost;
    kept_blocks_written(intake->kept, accept->node);
    finish(accept);
    if (was_lost)
        lost_block_written(intake->lost);
    writes_done(intake->writes, epoch, bytes, false, error);
}

/* [block 9] Written to a block file, whatever the tip. */
static void store(struct accept *accept)
{
    struct intake *intake = accept->intake;
    struct block_node *node = accept->node;
    const struct block *block = &accept->ref->block;
    bool is_stored = accept->pos.file >= 0;
    ASSERT(accept->node && accept->verdict.code == REJECT_NONE);
    accept->was_lost = block_node_lost_data(node);
    if (!is_stored)
        accept->pos = block_files_alloc(intake->core->files, (uint32_t)accept->ref->raw_len,
                                        node->height, node->time);
    accept->pos.crc32c = accept->crc32c;
    node->data = accept->pos;
    node->status |= BLOCK_VALID_TX;
    kept_blocks_add(intake->kept, node, accept->ref);
    best_chain_block_stored(intake->best, node, block->n_tx, is_stored);
    lost_block_found(intake->lost, node);
    if (active_chain_contains(intake->active, node) || block_node_has_failed(node))
        kept_blocks_release(intake->kept, node);
    hand_to_waiter(accept, true);
    if (is_stored) {
        /* Whoever wrote it may have been killed before it was synced. */
        int error = block_files_sync_too(intake->core->files, accept->pos.file);
        if (error)
            core_fault(intake->core, error, "opening block files");
        block_files_set_used(intake->core->files, accept->pos.file,
                             accept->pos.offset + accept->pos.len, node->height, node->time);
        kept_blocks_written(intake->kept, node);
        if (accept->was_lost)
            lost_block_written(intake->lost);
        finish(accept);
    } else {
        accept->epoch = writes_start(intake->writes, accept->ref->raw_len, false);
        accept->job = (struct env_job){.run = run_write, .done = block_write_done};
        env_job_submit(intake->core->env, ENV_POOL_BLOCKING, ENV_PRIORITY_NORMAL, &accept->job);
    }
}

/* Its fate hangs on its coins alone now, if it is the next block. */
static void tell_checked(const struct accept *accept)
{
    const struct intake *intake = accept->intake;
    if (intake->core->events.block_checked && accept->pos.file < 0 &&
        accept->node->prev == active_chain_tip(intake->active))
        intake->core->events.block_checked(intake->core->events.ctx, accept->node, accept->ref);
}

/* Wait until the disk has caught up, behind those that wait already. */
static void hold(struct accept *accept)
{
    struct intake *intake = accept->intake;
    list_add(&intake->held, &accept->link);
}

/* [block 8] Its place in the tree of headers.
 *
 * The block's own rules have passed: find its place. */
static void place(struct accept *accept)
{
    struct intake *intake = accept->intake;
    const struct block *block = &accept->ref->block;
    if (intake->core->closing || intake->core->faulted) {
        accept->verdict = (struct verdict){.code = REJECT_FAULT};
        refuse(accept);
        return;
    }
    if (!accept->node)
        accept->node = take_header_of(accept, &block->header, &block->hash, &accept->verdict);
    if (!accept->node) {
        refuse(accept);
        return;
    }
    if (block_node_has_failed(accept->node) && accept->pos.file < 0) {
        accept->verdict = (struct verdict){.code = REJECT_DUPLICATE_INVALID};
        refuse(accept);
        return;
    }
    /* A block that was pruned or damaged after it was connected comes back only if asked for. */
    bool is_known = block_node_has_data(accept->node) ||
                    (accept->node->n_tx > 0 && !(accept->flags & CHAIN_ACCEPT_FORCE));
    bool is_passed_over = is_known || is_too_light(accept);
    if (!is_passed_over && accept->pos.file < 0 && !writes_have_room(intake->writes)) {
        hold(accept);
        return;
    }
    if (is_passed_over || is_unwanted(accept)) {
        hand_to_waiter(accept, false);
        finish(accept);
        return;
    }
    if (!accept->has_place) {
        struct arena scratch;
        arena_init(&scratch, 64 << 10);
        bool ok =
            block_check_context(block, intake->core->network, accept->node->height,
                                block_node_mtp(accept->node->prev), &scratch, &accept->verdict);
        arena_deinit(&scratch);
        if (!ok) {
            accept->failed_in_place = true;
            refuse_by_rules(accept);
            return;
        }
    }
    tell_checked(accept);
    store(accept);
}

/* Blocks keep the order in which they came: one that overtook those before it would be far ahead of
 * them. */
static void queue_up(struct accept *accept)
{
    if (accept->pos.file < 0 && accept->intake->held.count > 0)
        hold(accept);
    else
        place(accept);
}

/* Checks end in any order. Those at the head whose check has ended go on, so that blocks which come
 * together are stored as they came, whichever of them takes longest: as in Core. */
static void go_on_in_order(struct intake *intake)
{
    struct accept *accept;
    while ((accept = LIST_FIRST(struct accept, &intake->checking, link)) && accept->is_checked) {
        list_remove(&intake->checking, &accept->link);
        queue_up(accept);
    }
}

/* It goes its own way from here on. */
static void leave_order(struct accept *accept)
{
    if (accept->is_in_order)
        list_remove(&accept->intake->checking, &accept->link);
}

static void decide(struct accept *accept)
{
    accept->is_checked = true;
    if (accept->verdict.code == REJECT_NONE && accept->is_in_order && !is_too_light(accept))
        return; /* when its turn comes */
    leave_order(accept);
    if (accept->verdict.code == REJECT_NONE && !accept->is_in_order)
        queue_up(accept);
    else if (accept->verdict.code == REJECT_NONE)
        place(accept);
    else if (accept->is_decoded)
        refuse_by_rules(accept);
    else
        refuse(accept);
}

static void check_done(struct env_job *job)
{
    struct accept *accept = (struct accept *)job;
    struct intake *intake = accept->intake;
    if (job->cancelled || intake->core->closing || intake->core->faulted) {
        leave_order(accept);
        accept->verdict = (struct verdict){.code = REJECT_FAULT};
        refuse(accept);
    } else {
        decide(accept);
    }
    go_on_in_order(intake);
    announce_headers(intake);
    core_wake(intake->core);
}

/* -- Taking -------------------------------------------------------------------------------------
 */

/* What the job needs to know of the block's place, if its parent is known by now; if not, place()
 * checks the same when the job has ended.
 *
 * In:  header_first  of our own files: the header is taken at once, so that the next record finds
 *                    its parent. What comes of it is asked again when the block has been checked */
static void find_place(struct accept *accept, bool header_first)
{
    struct intake *intake = accept->intake;
    struct reader r = reader_of(span_of(accept->ref->raw, accept->ref->raw_len));
    struct block_header header;
    if (!block_header_decode(&r, &header))
        return;
    if (header_first) {
        struct block_hash hash = block_header_hash(&header);
        accept->node = take_header_of(accept, &header, &hash, &accept->verdict);
        accept->verdict = (struct verdict){.code = REJECT_NONE};
    }
    const struct block_node *prev = header_tree_find(intake->tree, &header.prev);
    if (!prev)
        return;
    accept->has_place = true;
    accept->height = prev->height + 1;
    accept->prev_mtp_s = block_node_mtp(prev);
}

/* The beginning of every way. A block just mined goes before those of an import. */
static void start(struct intake *intake, struct block_ref *block_take, struct accept with,
                  bool header_first)
{
    struct accept *accept = xmalloc(sizeof *accept);
    *accept = with;
    accept->intake = intake;
    accept->ref = block_take;
    core_begin(intake->core);
    if (intake->core->closing || intake->core->faulted || !intake->core->is_open) {
        accept->verdict = (struct verdict){.code = REJECT_FAULT};
        refuse(accept);
        return;
    }
    find_place(accept, header_first);
    accept->is_in_order = !header_first; /* an import has an order of its own */
    if (accept->is_in_order)
        list_add(&intake->checking, &accept->link);
    accept->job = (struct env_job){.run = run_check, .done = check_done};
    env_job_submit(intake->core->env, ENV_POOL_COMPUTE,
                   header_first ? ENV_PRIORITY_NORMAL : ENV_PRIORITY_HIGH, &accept->job);
}

/* [block 6] The chain takes its bytes over. */
void intake_block(struct intake *intake, uint8_t *block_take, size_t len, int flags,
                  chain_block_fn *done, void *arg)
{
    struct accept with = {.flags = flags, .done = done, .arg = arg, .pos = {.file = -1}};
    ASSERT(block_take || len == 0);
    start(intake, block_ref_take(block_take, len), with, false);
}

void intake_block_shared(struct intake *intake, struct block_ref *block_take, int flags,
                         chain_block_fn *done, void *arg)
{
    struct accept with = {.flags = flags, .done = done, .arg = arg, .pos = {.file = -1}};
    ASSERT(block_take);
    start(intake, block_take, with, false);
}

void intake_imported_block(struct intake *intake, const struct file_pos *pos, uint8_t *block_take,
                           size_t len, chain_block_fn *done, void *arg)
{
    struct accept with = {
        .flags = CHAIN_ACCEPT_FORCE, .done = done, .arg = arg, .pos = {.file = -1}};
    if (pos)
        with.pos = *pos;
    start(intake, block_ref_take(block_take, len), with, true);
}

const struct chain_part intake_part = {.step = release_held};
