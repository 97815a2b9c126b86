/* pipeline.c - drives blocks in flight towards the best chain, and commits them in order.
 *
 * The flights are the steps from the committed tip to the best chain: disconnects down to the
 * fork, then connects. Steps are started ahead of time, connected in the overlay one on top of
 * the other, and committed from the oldest when all their jobs have ended. When the best chain
 * changes, the newest flights that no longer lead there are dropped. */
#include <errno.h>
#include <stdio.h>

#include "chain/chain_internal.h"
#include "chain/upkeep/undo_repair.h"
#include "util/alloc.h"
#include "util/crc32c.h"
#include "util/hex.h"

/* -- The list of flights ------------------------------------------------------------------------
 */

static void list_push(struct flight_list *list, struct flight *flight)
{
    flight->prev = list->newest;
    flight->next = NULL;
    if (list->newest)
        list->newest->next = flight;
    else
        list->oldest = flight;
    list->newest = flight;
    list->n++;
}

static void flights_remove(struct flight_list *list, struct flight *flight)
{
    if (flight->prev)
        flight->prev->next = flight->next;
    else
        list->oldest = flight->next;
    if (flight->next)
        flight->next->prev = flight->prev;
    else
        list->newest = flight->prev;
    list->n--;
}

/* Where the chain stands after a flight, or where it is committed if there is none. */
static struct block_node *node_after(const struct chain *chain, const struct flight *flight)
{
    if (!flight)
        return chain_tip_node(chain);
    return flight->kind == FLIGHT_CONNECT ? flight->node : flight->node->prev;
}

static void drop_newest(struct chain *chain)
{
    struct flight *flight = chain->flights.newest;
    flights_remove(&chain->flights, flight);
    chain->flight_bytes -= flight->data_pos.len;
    flight_drop(flight);
}

void pipeline_drop_all(struct chain *chain)
{
    while (chain->flights.newest) {
        struct flight *flight = chain->flights.newest;
        void (*done)(void *, const struct verdict *) = flight->test_done;
        void *arg = flight->test_arg;
        drop_newest(chain);
        struct verdict verdict = {.code = REJECT_FAULT};
        if (done)
            done(arg, &verdict);
    }
}

/* -- Starting steps ------------------------------------------------------------------------------
 */

static bool leads_to(const struct flight *flight, const struct block_node *target)
{
    if (flight->is_test)
        return true;
    bool is_ancestor = block_node_ancestor(target, flight->node->height) == flight->node;
    return flight->kind == FLIGHT_CONNECT ? is_ancestor : !is_ancestor;
}

/* A block to be disconnected, or its undo data, is lost. Undo data is made anew where that is
 * possible; else the coins are, which needs no way back. */
static void cannot_go_back(struct chain *chain, const struct block_node *node)
{
    struct verdict verdict = {.code = REJECT_NONE};
    (void)verdict_set(&verdict, REJECT_BLOCK_UNAVAILABLE,
                      "the block at height %d or its undo data (files blk%05d.dat, rev%05d.dat) is "
                      "damaged or missing, so the chain cannot go back below it",
                      node->height, node->data.file, node->undo.file);
    if (orders_give_up(chain, &verdict))
        log_warning(chain->core.log, "%s", verdict.detail);
    else if (!undo_repair_is_busy(chain))
        chain_fault_of_coins(chain, -EUCLEAN,
                             "undo data is damaged or missing; start with -reindex-chainstate");
}

static bool has_room(const struct chain *chain)
{
    return chain->flights.n == 0 ||
           (chain->flights.n < FLIGHTS_MAX && chain->flight_bytes < FLIGHT_WINDOW_BYTES);
}

/* Start the next step after the newest flight. False if there is none to start. */
static bool start_step(struct chain *chain, struct block_node *target)
{
    struct block_node *at = node_after(chain, chain->flights.newest);
    if (at == target || !has_room(chain))
        return false;
    /* A flight that has failed is dropped as soon as those before it are known to be good. */
    if (chain->flights.newest &&
        (chain->flights.newest->has_failed || chain->flights.newest->is_test))
        return false;
    enum flight_kind kind = FLIGHT_CONNECT;
    struct block_node *node = at;
    if (block_node_ancestor(target, at->height) == at)
        node = block_node_ancestor(target, at->height + 1);
    else
        kind = FLIGHT_DISCONNECT;
    if (kind == FLIGHT_DISCONNECT && (chain->undo_writes_pending > 0 || undo_repair_is_busy(chain)))
        return false; /* what is to be read may not be written yet */
    if (kind == FLIGHT_CONNECT && !write_has_room(chain))
        return false; /* it makes undo data, and the disk has not caught up */
    struct block_ref *kept = kept_blocks_find(&chain->kept, node);
    if (!(node->status & BLOCK_HAVE_DATA) && !kept) {
        if (kind == FLIGHT_DISCONNECT && (node->status & BLOCK_LOST_DATA)) {
            cannot_go_back(chain, node);
            return false;
        }
        if (kind == FLIGHT_DISCONNECT) {
            core_fault(&chain->core, -ENOENT,
                       "a block to be disconnected is pruned; start with -reindex");
            return false;
        }
        best_chain_data_lost(chain, node);
        return true;
    }
    if (kind == FLIGHT_DISCONNECT && !(node->status & BLOCK_HAVE_UNDO)) {
        cannot_go_back(chain, node);
        return false;
    }
    struct flight *flight = flight_new(chain, node, kind, kept);
    chain->flight_bytes += flight->data_pos.len;
    list_push(&chain->flights, flight);
    return true;
}

/* -- Connecting, one block a call -----------------------------------------------------------------
 */

/* A block that is to be disconnected, or its undo data, cannot be read: that is noted, and looked
 * at again when the step is tried anew. */
static void way_back_failed(struct chain *chain, struct flight *flight)
{
    int error = flight->read_error;
    struct block_node *node = flight->node;
    bool in_undo = flight->block != NULL;
    if (error != -EUCLEAN && error != -ENOENT) {
        core_fault(&chain->core, error, "reading a block file");
        return;
    }
    while (chain->flights.newest != flight)
        drop_newest(chain);
    drop_newest(chain);
    if (in_undo)
        lost_undo(chain, node);
    else
        lost_block(chain, node);
    if (chain_tip_node(chain)->status & BLOCK_FAILED_MASK)
        cannot_go_back(chain, node); /* somebody waits for an answer */
}

/* Reading a block or its undo data back has failed. */
static void read_failed(struct chain *chain, struct flight *flight)
{
    char message[200];
    if (flight->kind == FLIGHT_DISCONNECT) {
        way_back_failed(chain, flight);
        return;
    }
    if (flight->read_error != -EUCLEAN && flight->read_error != -ENOENT) {
        core_fault(&chain->core, flight->read_error, "reading a block file");
        return;
    }
    snprintf(message, sizeof message,
             "The stored block at height %d is damaged (file blk%05d.dat, offset %u): the tip "
             "stays before it until the block is had from a peer or by -reindex",
             flight->node->height, flight->data_pos.file, flight->data_pos.offset);
    struct block_node *node = flight->node;
    while (chain->flights.newest != flight)
        drop_newest(chain);
    drop_newest(chain);
    core_warn(&chain->core, message);
    lost_block(chain, node);
}

static struct flight *first_unconnected(const struct chain *chain)
{
    struct flight *flight = chain->flights.newest;
    while (flight && flight->stage != FLIGHT_CONNECTED && flight->prev &&
           flight->prev->stage != FLIGHT_CONNECTED)
        flight = flight->prev;
    return flight && flight->stage != FLIGHT_CONNECTED ? flight : NULL;
}

/* Connect the next flight if it is its turn. True if something was done. */
static bool connect_step(struct chain *chain)
{
    struct flight *flight = first_unconnected(chain);
    if (!flight || flight->stage != FLIGHT_READY || flight->has_failed || flight->reading_coins)
        return false;
    if (flight->prev && flight->prev->has_failed)
        return false;
    if (flight->read_error) {
        read_failed(chain, flight);
        return true;
    }
    if (chain->pending_inputs > FLIGHT_PENDING_INPUTS_MAX)
        return false;
    enum connect_result result =
        flight->kind == FLIGHT_CONNECT ? flight_connect(flight) : flight_disconnect(flight);
    if (result == CONNECT_DONE && flight->kind == FLIGHT_CONNECT)
        flight_submit_jobs(flight);
    return result != CONNECT_WAITS;
}

/* Ask for coins that blocks further back in the queue will need. */
static void prefetch_ahead(struct chain *chain)
{
    for (struct flight *flight = first_unconnected(chain); flight; flight = flight->next)
        if (flight->stage == FLIGHT_READY && !flight->read_error && !flight->has_prefetched) {
            flight_prefetch(flight);
            return;
        }
}

/* -- Committing
 * ------------------------------------------------------------------------------------- */

struct undo_write {
    struct env_job job;
    struct chain *chain;
    struct file_pos pos;
    uint8_t *undo;
    unsigned epoch;
    int error;
};

static void run_undo_write(struct env_job *job)
{
    struct undo_write *write = (struct undo_write *)job;
    write->error = block_files_write_undo(write->chain->core.files, &write->pos,
                                          span_of(write->undo, write->pos.len));
}

static void undo_write_done(struct env_job *job)
{
    struct undo_write *write = (struct undo_write *)job;
    struct chain *chain = write->chain;
    unsigned epoch = write->epoch;
    int error = job->cancelled ? -ECANCELED : write->error;
    size_t bytes = write->pos.len;
    xfree(write->undo);
    xfree(write);
    chain->undo_writes_pending--;
    write_done(chain, epoch, bytes, error);
}

void pipeline_write_undo(struct chain *chain, struct block_node *node, uint8_t *undo_take,
                         size_t len)
{
    struct undo_write *write = xcalloc(1, sizeof *write);
    bool has_place = node->undo.file >= 0 && node->undo.len == len;
    ASSERT(node->data.file >= 0 && len <= UINT32_MAX);
    write->chain = chain;
    write->undo = undo_take;
    write->pos = has_place
                     ? node->undo
                     : block_files_alloc_undo(chain->core.files, node->data.file, (uint32_t)len);
    write->pos.crc32c = crc32c(0, write->undo, len);
    write->epoch = write_start(chain, write->pos.len);
    write->job = (struct env_job){.run = run_undo_write, .done = undo_write_done};
    node->undo = write->pos;
    node->status |= BLOCK_HAVE_UNDO;
    lost_undo_found(chain, node);
    header_tree_mark_dirty(&chain->tree, node);
    chain->undo_writes_pending++;
    env_job_submit(chain->core.env, ENV_POOL_BLOCKING, ENV_PRIORITY_NORMAL, &write->job);
}

static void store_undo(struct chain *chain, struct flight *flight)
{
    /* Connected before: the same block spends the same coins. Written again all the same if the
     * coins are rebuilt, since that is what the operator is told to do about damaged undo data. */
    if ((flight->node->status & BLOCK_HAVE_UNDO) && !chain->core.options.reindex_chainstate)
        return;
    pipeline_write_undo(chain, flight->node, flight->undo, flight->undo_len);
    flight->undo = NULL;
}

static void commit_oldest(struct chain *chain)
{
    struct flight *flight = chain->flights.oldest;
    ASSERT(flight_is_verified(flight) && !flight->has_failed);
    struct block_node *node = flight->node;
    bool connects = flight->kind == FLIGHT_CONNECT;
    ASSERT(connects ? node->prev == chain_tip_node(chain) : node == chain_tip_node(chain));
    flights_remove(&chain->flights, flight);
    chain->flight_bytes -= flight->data_pos.len;
    overlay_commit(&chain->overlay, &flight->layer, chain->core.coins);
    if (connects) {
        store_undo(chain, flight);
        node->status |= BLOCK_VALID_TX | BLOCK_VALID_SCRIPTS;
        header_tree_mark_dirty(&chain->tree, node);
        kept_blocks_release(&chain->kept, node);
    }
    active_chain_set_tip(&chain->active, connects ? node : node->prev);
    best_chain_tip_moved(chain);
    chain->tip_moved = true;
    void (*event)(void *, const struct block_node *, struct block_ref *) =
        connects ? chain->core.events.block_connected : chain->core.events.block_disconnected;
    if (event)
        event(chain->core.events.ctx, node, flight->block);
    flight_free(flight);
}

/* How many of the oldest flights may be committed together now; 0 if none. Going down is shown
 * only with the way up to more work, unless that is too far or there is none. */
static size_t committable(const struct chain *chain)
{
    const struct flight *flight = chain->flights.oldest;
    if (!flight || flight->is_test || flush_holds_commits(chain) || !flight_is_verified(flight) ||
        flight->has_failed)
        return 0;
    if (flight->kind == FLIGHT_CONNECT)
        return 1;
    const struct block_node *tip = chain_tip_node(chain);
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
    return !has_room(chain) || (tip->status & BLOCK_FAILED_MASK) ? 1 : 0;
}

/* The first flight that has failed, once all before it are known to be good. */
static struct flight *first_failed(const struct chain *chain)
{
    struct flight *flight = chain->flights.oldest;
    while (flight && flight_is_verified(flight) && !flight->has_failed)
        flight = flight->next;
    return flight && flight->has_failed && flight->jobs_left == 0 ? flight : NULL;
}

/* The block of a flight is invalid, and all flights after it are void. */
static void fail_flight(struct chain *chain, struct flight *flight)
{
    struct block_node *node = flight->node;
    struct verdict verdict = flight->verdict;
    char hash[65];
    hex_encode_reversed(hash, span_of(node->hash.b, 32));
    const char *script =
        verdict.script_error ? script_error_string((enum script_error)verdict.script_error) : "";
    log_printf(chain->core.log, LOG_ALWAYS, "invalid block %s at height %d: %s%s%s %s", hash,
               node->height, reject_string(verdict.code), *script ? ": " : "", script,
               verdict.detail);
    while (chain->flights.newest != flight)
        drop_newest(chain);
    drop_newest(chain);
    kept_blocks_release(&chain->kept, node);
    best_chain_mark_failed(chain, node);
    waiters_block_failed(chain, node, &verdict);
    if (chain->core.events.block_invalid)
        chain->core.events.block_invalid(chain->core.events.ctx, &node->hash, &verdict);
}

/* A block that was only to be tried out has come to its end. */
static void end_test(struct chain *chain, struct flight *flight)
{
    void (*done)(void *, const struct verdict *) = flight->test_done;
    void *arg = flight->test_arg;
    struct verdict verdict = flight->verdict;
    while (chain->flights.newest != flight)
        drop_newest(chain);
    drop_newest(chain);
    done(arg, &verdict);
}

static bool commit_step(struct chain *chain)
{
    struct flight *oldest = chain->flights.oldest;
    if (oldest && oldest->is_test && (oldest->has_failed || flight_is_verified(oldest)) &&
        oldest->jobs_left == 0) {
        end_test(chain, oldest);
        return true;
    }
    struct flight *failed = first_failed(chain);
    if (failed && !flush_holds_commits(chain)) {
        fail_flight(chain, failed);
        return true;
    }
    size_t n = committable(chain);
    for (size_t i = 0; i < n; i++)
        commit_oldest(chain);
    return n > 0;
}

/* -- The driver
 * ------------------------------------------------------------------------------------- */

void pipeline_start_test(struct chain *chain, struct flight *flight)
{
    ASSERT(chain->flights.n == 0 && flight->is_test);
    list_push(&chain->flights, flight);
}

bool pipeline_is_at_rest(const struct chain *chain)
{
    return chain->flights.n == 0 && sorted_map_last(&chain->candidates) == chain_tip_node(chain);
}

bool chain_is_at_rest(const struct chain *chain)
{
    return !import_is_active(chain) && pipeline_is_at_rest(chain);
}

/* One thing. False if nothing can be done until a job ends. */
static bool step(struct chain *chain)
{
    if (commit_step(chain))
        return true;
    struct block_node *target = best_chain_target(chain);
    if (chain->flights.newest && !leads_to(chain->flights.newest, target)) {
        drop_newest(chain);
        return true;
    }
    if (connect_step(chain))
        return true;
    return start_step(chain, target);
}

/* Do what can be done now towards the best chain, for a while. */
static void advance(void *part)
{
    struct chain *chain = part;
    if (!core_is_working(&chain->core))
        return;
    const struct env *env = chain->core.env;
    int64_t start_us = env_now_us(env);
    bool more = true;
    while (more && core_is_working(&chain->core)) {
        more = step(chain);
        if (env_now_us(env) - start_us > TURN_MAX_US)
            break;
    }
    prefetch_ahead(chain);
    if (!core_is_working(&chain->core))
        return;
    if (coins_turn(chain->core.coins) || more)
        core_wake_soon(&chain->core);
    if (pipeline_is_at_rest(chain))
        kept_blocks_trim(&chain->kept);
}

static bool has_flights(const void *part)
{
    const struct chain *chain = part;
    return chain->flights.n > 0 || chain->flights_dropped > 0;
}

static void cancel(void *part)
{
    pipeline_drop_all(part);
}

const struct chain_part pipeline_part = {
    .name = "pipeline", .step = advance, .is_busy = has_flights, .cancel = cancel};
