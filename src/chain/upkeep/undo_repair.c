/* undo_repair.c - see undo_repair.h.
 *
 * One round: the blocks whose undo data is lost are read, and their inputs noted; then the chain is
 * gone down from the newest of them, and each output that is one of those is its coin; then what is
 * complete is encoded and stored. Each step is one job on one block. A block on the way that is
 * lost itself is passed over: what it created is still missing then, and the round after its return
 * finds it. */
#include "chain/upkeep/undo_repair.h"

#include <errno.h>
#include <string.h>

#include "chain/coins/coins.h"
#include "chain/disk/block_file.h"
#include "chain/disk/block_ref.h"
#include "chain/disk/undo.h"
#include "util/alloc.h"

enum { TARGETS_MAX = 256 };

/* Of a round, one after the other: see above. */
enum stage { STAGE_INPUTS, STAGE_OUTPUTS, STAGE_ENCODE };

/* A block whose undo data is to be made. */
struct target {
    struct block_node *node;
    struct undo undo; /* coins as they are found, in the round's arena */
    size_t n_found;   /* of them; complete when it is undo.n_spent */
    uint8_t *raw;     /* encoded; NULL: not complete, or handed on */
    size_t raw_len;
};

/* A coin that is looked for. */
struct wanted {
    struct outpoint outpoint;
    struct target *target;
    size_t at; /* in the target's undo data */
};

/* Between submit() and job_done() all of it is the job's. */
struct repair_round {
    struct env_job job;
    struct undo_repair *owner;
    enum stage stage;
    struct target targets[TARGETS_MAX]; /* newest first */
    size_t n_targets, n_read;
    struct block_node *at; /* whose block the job reads */
    struct file_pos pos;
    struct hash_map wanted; /* not found yet */
    struct arena arena;
    int error;
};

/* -- Jobs -------------------------------------------------------------------------------------- */

static bool has_outpoint(const void *value, const void *key)
{
    const struct wanted *wanted = value;
    const struct outpoint *outpoint = key;
    return wanted->outpoint.vout == outpoint->vout &&
           txid_equal(&wanted->outpoint.txid, &outpoint->txid);
}

/* Make room for a target's coins, and look for each of its inputs from now on. */
static void note_inputs(struct repair_round *repair, const struct block *block)
{
    struct target *target = &repair->targets[repair->n_read];
    for (uint32_t i = 1; i < block->n_tx; i++)
        target->undo.n_spent += block->tx[i].n_in;
    target->undo.spent =
        arena_calloc(&repair->arena, target->undo.n_spent + 1, sizeof *target->undo.spent);
    size_t at = 0;
    for (uint32_t i = 1; i < block->n_tx; i++)
        for (uint32_t k = 0; k < block->tx[i].n_in; k++) {
            struct wanted *wanted = arena_alloc(&repair->arena, sizeof *wanted);
            *wanted = (struct wanted){block->tx[i].in[k].prevout, target, at++};
            hash_map_insert(
                &repair->wanted,
                coins_hash(coins_hash_key(repair->owner->core->coins), &wanted->outpoint), wanted);
        }
    ASSERT(at == target->undo.n_spent);
}

/* Scripts are copied: the block goes when the job ends, and the next one needs its memory. */
static void find_outputs(struct repair_round *repair, const struct block *block)
{
    for (uint32_t i = 0; i < block->n_tx; i++) {
        const struct tx *tx = &block->tx[i];
        struct outpoint outpoint = {.txid = tx->txid};
        for (uint32_t k = 0; k < tx->n_out; k++) {
            outpoint.vout = k;
            struct wanted *wanted = hash_map_remove(
                &repair->wanted, coins_hash(coins_hash_key(repair->owner->core->coins), &outpoint),
                has_outpoint, &outpoint);
            if (!wanted)
                continue;
            struct span script = tx->out[k].script_pubkey;
            uint8_t *kept = arena_alloc(&repair->arena, script.len + 1);
            if (script.len)
                memcpy(kept, script.p, script.len);
            wanted->target->undo.spent[wanted->at] =
                (struct coin){.value_sat = tx->out[k].value_sat,
                              .script_pubkey = span_of(kept, script.len),
                              .height = (uint32_t)repair->at->height,
                              .coinbase = i == 0};
            wanted->target->n_found++;
        }
    }
}

/* What is not complete is left out: a block on the way was missing, or the coin was never there. */
static void encode(struct repair_round *repair)
{
    ASSERT(repair->n_read <= repair->n_targets);
    for (size_t i = 0; i < repair->n_read; i++) {
        struct target *target = &repair->targets[i];
        if (target->n_found < target->undo.n_spent || !target->undo.spent)
            continue;
        struct writer count = writer_counting();
        undo_encode(&count, &target->undo);
        target->raw = xmalloc(count.len);
        struct writer w = writer_to_buffer(target->raw, count.len);
        undo_encode(&w, &target->undo);
        target->raw_len = w.len;
    }
}

static void run(struct env_job *job)
{
    struct repair_round *repair = (struct repair_round *)job;
    uint8_t *raw;
    if (repair->stage == STAGE_ENCODE) {
        encode(repair);
        return;
    }
    repair->error = block_files_read(repair->owner->core->files, &repair->pos, &raw);
    if (repair->error)
        return;
    struct block_ref *ref = block_ref_take(raw, repair->pos.len);
    if (!block_ref_decode(ref))
        repair->error = -EUCLEAN;
    else if (repair->stage == STAGE_INPUTS)
        note_inputs(repair, &ref->block);
    else
        find_outputs(repair, &ref->block);
    block_ref_drop(ref);
}

/* -- From block to block ----------------------------------------------------------------------- */

static void free_round(struct repair_round *repair)
{
    ASSERT(repair->owner->round == repair || !repair->owner->round);
    for (size_t i = 0; i < repair->n_targets; i++)
        xfree(repair->targets[i].raw);
    repair->owner->round = NULL;
    hash_map_deinit(&repair->wanted);
    arena_deinit(&repair->arena);
    xfree(repair);
}

/* Stored where it was, if it is the same; so nothing grows by repairs. */
static size_t store(struct repair_round *repair)
{
    size_t n = 0;
    for (size_t i = 0; i < repair->n_read; i++) {
        struct target *target = &repair->targets[i];
        if (!target->raw || !block_node_lost_undo(target->node) ||
            !block_node_has_data(target->node))
            continue;
        undo_write(repair->owner->undo_writes, target->node, target->raw, target->raw_len);
        target->raw = NULL;
        n++;
    }
    return n;
}

/* A round that has mended something may be followed by another, for what had no room in this one;
 * one that has not waits for a block to come back. */
static void end_round(struct repair_round *repair)
{
    struct undo_repair *owner = repair->owner;
    size_t n = store(repair);
    free_round(repair);
    if (n > 0)
        log_printf(owner->core->log, LOG_ALWAYS, "undo data of %zu blocks was made anew", n);
    if (n > 0)
        owner->lost->n_changes++; /* there may be more */
    core_wake_soon(owner->core);
}

/* Choose the block of the next job. False: the round is over. */
static bool choose(struct repair_round *repair)
{
    if (repair->stage == STAGE_INPUTS) {
        if (repair->n_read < repair->n_targets && repair->wanted.count < UNDO_REPAIR_COINS_MAX) {
            repair->at = repair->targets[repair->n_read].node;
            return true;
        }
        repair->stage = STAGE_OUTPUTS;
        repair->at = NULL;
        for (size_t i = 0; i < repair->n_read; i++)
            if (!repair->at || repair->targets[i].node->height > repair->at->height)
                repair->at = repair->targets[i].node;
    } else if (repair->stage == STAGE_OUTPUTS) {
        repair->at = repair->at->prev;
    } else {
        return false;
    }
    while (repair->at->height > 0 && !block_node_has_data(repair->at))
        repair->at = repair->at->prev;
    if (repair->wanted.count == 0 || repair->at->height == 0)
        repair->stage = STAGE_ENCODE;
    return true;
}

static void submit(struct repair_round *repair);

/* A block that is damaged itself is noted and passed over; as a target it counts as read, but has
 * no room for coins, by which encode() knows it. */
static void job_done(struct env_job *job)
{
    struct repair_round *repair = (struct repair_round *)job;
    struct undo_repair *owner = repair->owner;
    int error = repair->error;
    core_end(owner->core);
    if (job->cancelled || !core_is_working(owner->core)) {
        free_round(repair);
        return;
    }
    repair->error = 0;
    if (error == -EUCLEAN || error == -ENOENT) {
        lost_block(owner->lost, repair->at);
    } else if (error) {
        free_round(repair);
        core_fault(owner->core, error, "reading a block file");
        return;
    }
    repair->n_read += repair->stage == STAGE_INPUTS;
    if (choose(repair))
        submit(repair);
    else
        end_round(repair);
}

static void submit(struct repair_round *repair)
{
    struct undo_repair *owner = repair->owner;
    repair->pos = repair->at->data;
    repair->job = (struct env_job){.run = run, .done = job_done};
    core_begin(owner->core);
    env_job_submit(owner->core->env, ENV_POOL_BLOCKING, ENV_PRIORITY_LOW, &repair->job);
}

/* Something is lost, or a block that may have been missing is there, since the last round began. */
static bool has_reason(const struct undo_repair *owner)
{
    return !owner->round && core_is_working(owner->core) && owner->lost->n_undo > 0 &&
           owner->changes_seen != owner->lost->n_changes;
}

bool undo_repair_is_busy(const struct undo_repair *owner)
{
    return owner->round || has_reason(owner);
}

static void round_is_due(void *part)
{
    struct undo_repair *owner = part;
    ASSERT(!owner->round);
    owner->timer = 0;
    owner->is_due = has_reason(owner);
    core_wake_soon(owner->core);
}

static void begin(struct undo_repair *owner)
{
    owner->is_due = false;
    owner->changes_seen = owner->lost->n_changes;
    struct block_node *nodes[TARGETS_MAX];
    size_t n = lost_list(owner->lost, true, nodes, TARGETS_MAX);
    struct repair_round *repair = xcalloc(1, sizeof *repair);
    repair->owner = owner;
    for (size_t i = 0; i < n; i++)
        if (block_node_has_data(nodes[i]))
            repair->targets[repair->n_targets++].node = nodes[i];
    if (repair->n_targets == 0) {
        xfree(repair);
        return;
    }
    owner->round = repair;
    hash_map_init(&repair->wanted);
    arena_init(&repair->arena, 1 << 20);
    if (choose(repair))
        submit(repair);
}

static void step(void *part)
{
    struct undo_repair *owner = part;
    if (!has_reason(owner))
        return;
    if (owner->is_due)
        begin(owner);
    else if (!owner->timer)
        owner->timer = env_timer_start(owner->core->env, UNDO_REPAIR_DELAY_US, round_is_due, owner);
}

static void cancel(void *part)
{
    struct undo_repair *owner = part;
    if (owner->timer)
        env_timer_cancel(owner->core->env, owner->timer);
    owner->timer = 0;
}

const struct chain_part undo_repair_part = {.step = step, .cancel = cancel};
