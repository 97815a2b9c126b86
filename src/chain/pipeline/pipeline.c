/* pipeline.c - see pipeline.h.
 *
 * The flights are the steps from the committed tip to the best chain: disconnects down to the
 * fork, then connects. Steps are started ahead of time, connected in the overlay one on top of
 * the other, and committed from the oldest when all their jobs have ended. When the best chain
 * changes, the newest flights that no longer lead there are dropped. */
#include "chain/pipeline/pipeline.h"

#include <errno.h>
#include <stdio.h>

#include "chain/coins/coins.h"
#include "chain/disk/block_file.h"
#include "util/alloc.h"
#include "util/crc32c.h"
#include "util/hex.h"

/* Where the chain stands after a flight, or where it is committed if there is none. */
static struct block_node *node_after(const struct pipeline *pipeline, const struct flight *flight)
{
    if (!flight)
        return active_chain_tip(pipeline->active);
    return flight->kind == FLIGHT_CONNECT ? flight->node : flight->node->prev;
}

/* Where the flights lead. */
static struct block_node *target_of(const struct pipeline *pipeline)
{
    return pipeline->goal ? pipeline->goal : best_chain_target(pipeline->best);
}

/* Always the newest: only its changes lie on top in the overlay. */
static void drop_newest(struct pipeline *pipeline)
{
    struct flight *flight = pipeline->flights.newest;
    flights_remove(&pipeline->flights, flight);
    flight_drop(flight);
}

/* Drop a flight with all that were started after it. */
static void drop_from(struct pipeline *pipeline, const struct flight *flight)
{
    while (pipeline->flights.newest != flight)
        drop_newest(pipeline);
    drop_newest(pipeline);
}

/* At the end of the chain. Who has a block tried out is told that it was us, not the block. */
static void drop_all(struct pipeline *pipeline)
{
    while (pipeline->flights.newest) {
        struct flight *flight = pipeline->flights.newest;
        void (*done)(void *, const struct verdict *) = flight->test_done;
        void *arg = flight->test_arg;
        drop_newest(pipeline);
        struct verdict verdict = {.code = REJECT_FAULT};
        if (done)
            done(arg, &verdict);
    }
}

void pipeline_drop_steps(struct pipeline *pipeline)
{
    if (pipeline->flights.oldest && !pipeline->flights.oldest->is_test)
        drop_all(pipeline);
}

#define FLIGHTS_MAX         64
#define FLIGHT_WINDOW_BYTES (64u << 20) /* raw bytes of blocks in flight */
#define REORG_ATOMIC_MAX    16          /* deeper reorganisations show their way down */
#define TURN_MAX_US         10000       /* work done in one go before the loop gets its turn */

/* -- Starting steps ------------------------------------------------------------------------------
 */

/* Is the flight still a step on the way to target? A block that is only tried out leads nowhere,
 * and is never in the way. */
static bool leads_to(const struct flight *flight, const struct block_node *target)
{
    if (flight->is_test)
        return true;
    bool is_ancestor = block_node_ancestor(target, flight->node->height) == flight->node;
    return flight->kind == FLIGHT_CONNECT ? is_ancestor : !is_ancestor;
}

/* A block to be disconnected, or its undo data, is lost. Undo data is made anew where that is
 * possible; else the coins are, which needs no way back. */
static void cannot_go_back(struct pipeline *pipeline, const struct block_node *node)
{
    struct verdict verdict = {.code = REJECT_NONE};
    (void)verdict_set(&verdict, REJECT_BLOCK_UNAVAILABLE,
                      "the block at height %d or its undo data (files blk%05d.dat, rev%05d.dat) is "
                      "damaged or missing, so the chain cannot go back below it",
                      node->height, node->data.file, node->undo.file);
    if (pipeline->events.barred(pipeline->events.ctx, &verdict))
        log_warning(pipeline->core->log, "%s", verdict.detail);
    else if (!undo_repair_is_busy(pipeline->undo_repair))
        lost_coins(pipeline->core, -EUCLEAN,
                   "undo data is damaged or missing; start with -reindex-chainstate");
}

/* One always flies, however large: else a block above the window would never be connected. */
static bool has_room(const struct pipeline *pipeline)
{
    return pipeline->flights.n == 0 ||
           (pipeline->flights.n < FLIGHTS_MAX && pipeline->flights.bytes < FLIGHT_WINDOW_BYTES);
}

/* May a block be taken back now? With a goal only if the way up is there, as in Core; and what is
 * to be read may not be written yet. */
static bool may_go_back(const struct pipeline *pipeline, const struct block_node *at)
{
    if (pipeline->writes->n_undo > 0 || undo_repair_is_busy(pipeline->undo_repair))
        return false;
    if (!pipeline->goal)
        return true;
    const struct block_node *fork = block_node_fork(at, pipeline->goal);
    return fork == pipeline->goal ||
           block_node_has_data(block_node_ancestor(pipeline->goal, fork->height + 1));
}

/* [block 11] One flight nearer to the best candidate.
 *
 * Start the next step after the newest flight. False if there is none to start. */
static bool start_step(struct pipeline *pipeline, struct block_node *target)
{
    struct block_node *at = node_after(pipeline, pipeline->flights.newest);
    if (at == target || pipeline->is_held || !has_room(pipeline))
        return false;
    /* A flight that has failed is dropped as soon as those before it are known to be good. */
    if (pipeline->flights.newest &&
        (pipeline->flights.newest->has_failed || pipeline->flights.newest->is_test))
        return false;
    enum flight_kind kind = FLIGHT_CONNECT;
    struct block_node *node = at;
    if (block_node_ancestor(target, at->height) == at)
        node = block_node_ancestor(target, at->height + 1);
    else
        kind = FLIGHT_DISCONNECT;
    if (kind == FLIGHT_DISCONNECT && !may_go_back(pipeline, at))
        return false;
    if (kind == FLIGHT_CONNECT && !writes_have_room(pipeline->writes))
        return false; /* it makes undo data, and the disk has not caught up */
    struct block_ref *kept = kept_blocks_find(pipeline->kept, node);
    if (!block_node_has_data(node) && !kept) {
        if (kind == FLIGHT_DISCONNECT && block_node_lost_data(node)) {
            cannot_go_back(pipeline, node);
            return false;
        }
        if (kind == FLIGHT_DISCONNECT) {
            core_fault(pipeline->core, -ENOENT,
                       "a block to be disconnected is pruned; start with -reindex");
            return false;
        }
        if (pipeline->goal)
            return false; /* peers are asked for it */
        lost_side_block(pipeline->lost, node);
        return true;
    }
    if (kind == FLIGHT_DISCONNECT && !block_node_has_undo(node)) {
        cannot_go_back(pipeline, node);
        return false;
    }
    struct flight *flight = flight_new(&pipeline->flights, node, kind, kept);
    flights_push(&pipeline->flights, flight);
    return true;
}

/* -- Connecting, one block a call -----------------------------------------------------------------
 */

/* A block that is to be disconnected, or its undo data, cannot be read: that is noted, and looked
 * at again when the step is tried anew. */
static void way_back_failed(struct pipeline *pipeline, struct flight *flight)
{
    int error = flight->read_error;
    struct block_node *node = flight->node;
    bool in_undo = flight->block != NULL;
    if (error != -EUCLEAN && error != -ENOENT) {
        core_fault(pipeline->core, error, "reading a block file");
        return;
    }
    drop_from(pipeline, flight);
    if (in_undo)
        lost_undo(pipeline->lost, node);
    else
        lost_block(pipeline->lost, node);
    if (block_node_has_failed(active_chain_tip(pipeline->active)))
        cannot_go_back(pipeline, node); /* somebody waits for an answer */
}

/* Reading a block or its undo data back has failed. */
static void read_failed(struct pipeline *pipeline, struct flight *flight)
{
    char message[200];
    if (flight->kind == FLIGHT_DISCONNECT) {
        way_back_failed(pipeline, flight);
        return;
    }
    if (flight->read_error != -EUCLEAN && flight->read_error != -ENOENT) {
        core_fault(pipeline->core, flight->read_error, "reading a block file");
        return;
    }
    snprintf(message, sizeof message,
             "The stored block at height %d is damaged (file blk%05d.dat, offset %u): the tip "
             "stays before it until the block is had from a peer or by -reindex",
             flight->node->height, flight->data_pos.file, flight->data_pos.offset);
    struct block_node *node = flight->node;
    drop_from(pipeline, flight);
    core_warn(pipeline->core, message);
    lost_block(pipeline->lost, node);
}

/* Flights are connected in order, so those that are not are the newest ones: sought from there. */
static struct flight *first_unconnected(const struct pipeline *pipeline)
{
    struct flight *flight = pipeline->flights.newest;
    while (flight && flight->stage != FLIGHT_CONNECTED && flight->prev &&
           flight->prev->stage != FLIGHT_CONNECTED)
        flight = flight->prev;
    return flight && flight->stage != FLIGHT_CONNECTED ? flight : NULL;
}

/* Connect the next flight if it is its turn. True if something was done. */
static bool connect_step(struct pipeline *pipeline)
{
    struct flight *flight = first_unconnected(pipeline);
    if (!flight || flight->stage != FLIGHT_READY || flight->has_failed || flight->reading_coins)
        return false;
    if (flight->prev && flight->prev->has_failed)
        return false;
    if (flight->read_error) {
        read_failed(pipeline, flight);
        return true;
    }
    if (pipeline->flights.pending_inputs > FLIGHT_PENDING_INPUTS_MAX)
        return false;
    enum connect_result result =
        flight->kind == FLIGHT_CONNECT ? flight_connect(flight) : flight_disconnect(flight);
    if (result == CONNECT_DONE && flight->kind == FLIGHT_CONNECT)
        flight_submit_jobs(flight);
    return result != CONNECT_WAITS;
}

/* Ask for coins that blocks further back in the queue will need. */
static void prefetch_ahead(struct pipeline *pipeline)
{
    for (struct flight *flight = first_unconnected(pipeline); flight; flight = flight->next)
        if (flight->stage == FLIGHT_READY && !flight->read_error && !flight->has_prefetched) {
            flight_prefetch(flight);
            return;
        }
}

/* -- Committing
 * ------------------------------------------------------------------------------------- */

static void store_undo(struct pipeline *pipeline, struct flight *flight)
{
    /* Connected before: the same block spends the same coins. Written again all the same if the
     * coins are rebuilt, since that is what the operator is told to do about damaged undo data. */
    if (block_node_has_undo(flight->node) && !pipeline->core->options.reindex_chainstate)
        return;
    undo_write(pipeline->undo_writes, flight->node, flight->undo, flight->undo_len);
    flight->undo = NULL;
}

/* From when its flight began until the mempool and all others have heard of it. */
static void log_time(const struct pipeline *pipeline, const struct flight *flight)
{
    int64_t us = env_now_us(pipeline->core->env) - flight->begun_us;
    log_printf(pipeline->core->log, LOG_BENCH,
               "connected block at height %d: %u transactions, scripts of %u known, %lld us",
               flight->height, flight->block->block.n_tx, flight->n_known, (long long)us);
}

/* The tip has moved by this block. */
static void tell_of(struct pipeline *pipeline, struct flight *flight)
{
    bool connects = flight->kind == FLIGHT_CONNECT;
    best_chain_tip_moved(pipeline->best);
    pipeline->tip_moved = true;
    void (*event)(void *, const struct block_node *, struct block_ref *) =
        connects ? pipeline->core->events.block_connected
                 : pipeline->core->events.block_disconnected;
    if (event)
        event(pipeline->core->events.ctx, flight->node, flight->block);
    if (connects && log_is_on(pipeline->core->log, LOG_BENCH))
        log_time(pipeline, flight);
}

/* [block 14] All have passed: the tip moves. */
static void commit_oldest(struct pipeline *pipeline)
{
    struct flight *flight = pipeline->flights.oldest;
    ASSERT(flight_is_verified(flight) && !flight->has_failed);
    struct block_node *node = flight->node;
    bool connects = flight->kind == FLIGHT_CONNECT;
    ASSERT(connects ? node->prev == active_chain_tip(pipeline->active)
                    : node == active_chain_tip(pipeline->active));
    flights_remove(&pipeline->flights, flight);
    overlay_commit(pipeline->flights.overlay, &flight->layer, *pipeline->flights.coins);
    if (connects) {
        store_undo(pipeline, flight);
        node->status |= BLOCK_VALID_TX | BLOCK_VALID_SCRIPTS;
        header_tree_mark_dirty(pipeline->tree, node);
        kept_blocks_release(pipeline->kept, node);
    }
    active_chain_set_tip(pipeline->active, connects ? node : node->prev);
    if (!pipeline->goal)
        tell_of(pipeline, flight);
    flight_free(flight);
}

/* How many of the oldest flights may be committed together now; 0 if none. Going down is shown
 * only with the way up to more work, unless that is too far or there is none. */
static size_t committable(const struct pipeline *pipeline)
{
    const struct flight *flight = pipeline->flights.oldest;
    if (!flight || flight->is_test || pipeline->holds_commits ||
        flush_holds_commits(pipeline->flush) || !flight_is_verified(flight) || flight->has_failed)
        return 0;
    if (flight->kind == FLIGHT_CONNECT || pipeline->goal)
        return 1;
    const struct block_node *tip = active_chain_tip(pipeline->active);
    size_t n = 0, n_down = 0;
    for (; flight; flight = flight->next) {
        if (!flight_is_verified(flight) || flight->has_failed)
            return 0;
        n++;
        n_down += flight->kind == FLIGHT_DISCONNECT;
        if (flight->kind == FLIGHT_CONNECT && block_node_is_better(flight->node, tip))
            return n;
        if (n_down > REORG_ATOMIC_MAX)
            return 1;
    }
    /* All verified, and none of them is better: so far only if there is no room for more, or if
     * the tip is no longer wanted. */
    return !has_room(pipeline) || block_node_has_failed(tip) ? 1 : 0;
}

/* The first flight that has failed, once all before it are known to be good. */
static struct flight *first_failed(const struct pipeline *pipeline)
{
    struct flight *flight = pipeline->flights.oldest;
    while (flight && flight_is_verified(flight) && !flight->has_failed)
        flight = flight->next;
    return flight && flight->has_failed && flight->jobs_left == 0 ? flight : NULL;
}

/* The block of a flight is invalid, and all flights after it are void. */
static void fail_flight(struct pipeline *pipeline, struct flight *flight)
{
    ASSERT(flight->verdict.code != REJECT_NONE && !flight->is_test);
    struct block_node *node = flight->node;
    struct verdict verdict = flight->verdict;
    char hash[65];
    hex_encode_reversed(hash, span_of(node->hash.b, 32));
    const char *script =
        verdict.script_error ? script_error_string((enum script_error)verdict.script_error) : "";
    log_printf(pipeline->core->log, LOG_ALWAYS, "invalid block %s at height %d: %s%s%s %s", hash,
               node->height, reject_string(verdict.code), *script ? ": " : "", script,
               verdict.detail);
    drop_from(pipeline, flight);
    kept_blocks_release(pipeline->kept, node);
    best_chain_mark_failed(pipeline->best, node);
    if (pipeline->goal)
        return;
    pipeline->events.failed(pipeline->events.ctx, node, &verdict);
    if (pipeline->core->events.block_invalid)
        pipeline->core->events.block_invalid(pipeline->core->events.ctx, &node->hash, &verdict);
}

/* A block that was only to be tried out has come to its end. */
static void end_test(struct pipeline *pipeline, struct flight *flight)
{
    ASSERT(flight->is_test && flight->test_done);
    void (*done)(void *, const struct verdict *) = flight->test_done;
    void *arg = flight->test_arg;
    struct verdict verdict = flight->verdict;
    drop_from(pipeline, flight);
    done(arg, &verdict);
}

/* What has come to its end: a trial, then a failure whose ancestors are all good, then success. A
 * block fails only at its turn, so that of several invalid ones the lowest is named, as Core does,
 * whichever script thread was the first to find something. */
static bool commit_step(struct pipeline *pipeline)
{
    struct flight *oldest = pipeline->flights.oldest;
    if (oldest && oldest->is_test && (oldest->has_failed || flight_is_verified(oldest)) &&
        oldest->jobs_left == 0) {
        end_test(pipeline, oldest);
        return true;
    }
    struct flight *failed = first_failed(pipeline);
    if (failed && !flush_holds_commits(pipeline->flush)) {
        fail_flight(pipeline, failed);
        return true;
    }
    size_t n = committable(pipeline);
    for (size_t i = 0; i < n; i++)
        commit_oldest(pipeline);
    return n > 0;
}

/* -- The driver
 * ------------------------------------------------------------------------------------- */

void pipeline_start_test(struct pipeline *pipeline, struct flight *flight)
{
    ASSERT(pipeline->flights.n == 0 && flight->is_test);
    flights_push(&pipeline->flights, flight);
}

bool pipeline_is_at_rest(const struct pipeline *pipeline)
{
    return pipeline->flights.n == 0 &&
           active_chain_tip(pipeline->active) == target_of(pipeline);
}

/* One thing. False if nothing can be done until a job ends. What is finished goes first, since it
 * makes room and may change the target; then what no longer leads there, before more is put on top
 * of it; then connecting, which other flights wait for; then starting. */
static bool step(struct pipeline *pipeline)
{
    if (commit_step(pipeline))
        return true;
    struct block_node *target = target_of(pipeline);
    if (pipeline->flights.newest && !leads_to(pipeline->flights.newest, target)) {
        drop_newest(pipeline);
        return true;
    }
    if (connect_step(pipeline))
        return true;
    return start_step(pipeline, target);
}

/* Do what can be done now towards the best chain, for a while. */
static void advance(void *part)
{
    struct pipeline *pipeline = part;
    if (!core_is_working(pipeline->core) || !*pipeline->flights.coins)
        return;
    const struct env *env = pipeline->core->env;
    int64_t start_us = env_now_us(env);
    bool more = true;
    while (more && core_is_working(pipeline->core)) {
        more = step(pipeline);
        if (env_now_us(env) - start_us > TURN_MAX_US)
            break;
    }
    prefetch_ahead(pipeline);
    if (!core_is_working(pipeline->core))
        return;
    if (coins_turn(*pipeline->flights.coins) || more)
        core_wake_soon(pipeline->core);
    if (!pipeline->goal && pipeline_is_at_rest(pipeline))
        kept_blocks_trim(pipeline->kept);
}

static bool has_flights(const void *part)
{
    const struct pipeline *pipeline = part;
    return pipeline->flights.n > 0 || pipeline->flights.n_dropped > 0;
}

static void cancel(void *part)
{
    drop_all(part);
}

const struct chain_part pipeline_part = {.step = advance, .is_busy = has_flights, .cancel = cancel};

void pipeline_init(struct pipeline *pipeline, const struct pipeline *with)
{
    *pipeline = *with;
    ASSERT(pipeline->events.failed && pipeline->events.barred && pipeline->flights.n == 0);
}

bool pipeline_take_moved(struct pipeline *pipeline)
{
    bool has_moved = pipeline->tip_moved;
    pipeline->tip_moved = false;
    return has_moved;
}

void pipeline_check(const struct pipeline *pipeline)
{
    flights_check(&pipeline->flights);
    if (!pipeline->goal)
        best_chain_check(pipeline->best, pipeline_is_at_rest(pipeline));
}
