/* flight.c - see flight.h.
 *
 * A flight never moves by itself: the end of each of its jobs calls for a turn, in which the
 * pipeline looks how far it has got. */
#include "chain/pipeline/flight.h"

#include <errno.h>
#include <stdio.h>

#include "chain/core/script_verdict.h"
#include "chain/disk/block_file.h"
#include "chain/tree/lost.h"
#include "util/alloc.h"
#include "util/hex.h"

#define FLIGHT_ARENA_BYTES   (64 << 10)
#define KNOWN_PREFETCH_AHEAD 8

void flights_push(struct flights *flights, struct flight *flight)
{
    ASSERT(!flight->is_dropped);
    flight->prev = flights->newest;
    flight->next = NULL;
    if (flights->newest)
        flights->newest->next = flight;
    else
        flights->oldest = flight;
    flights->newest = flight;
    flights->n++;
    flights->bytes += flight->data_pos.len;
}

void flights_remove(struct flights *flights, struct flight *flight)
{
    ASSERT(flights->n > 0 && flights->bytes >= flight->data_pos.len);
    if (flight->prev)
        flight->prev->next = flight->next;
    else
        flights->oldest = flight->next;
    if (flight->next)
        flight->next->prev = flight->prev;
    else
        flights->newest = flight->prev;
    flights->n--;
    flights->bytes -= flight->data_pos.len;
}

void flights_check(const struct flights *flights)
{
    size_t n = 0;
    for (const struct flight *at = flights->oldest; at; at = at->next) {
        ASSERT(!at->is_dropped && (!at->next || at->next->prev == at));
        n++;
    }
    ASSERT(n == flights->n);
    ASSERT(n > 0 || flights->overlay->count == 0);
}

/* -- Reading and preparing (jobs) ----------------------------------------------------------- */

static uint32_t count_outputs(const struct block *block)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < block->n_tx; i++)
        n += block->tx[i].n_out;
    return n;
}

static uint32_t count_inputs(const struct block *block)
{
    uint32_t n = 0;
    for (uint32_t i = 1; i < block->n_tx; i++)
        n += block->tx[i].n_in;
    return n;
}

/* Everything that connecting needs and that depends on the block alone. */
static void prepare(struct flight *flight)
{
    const struct block *block = &flight->block->block;
    struct arena *arena = &flight->arena;
    flight->n_spent = count_inputs(block);
    flight->n_created = count_outputs(block);
    flight->in_hash = arena_alloc(arena, flight->n_spent * sizeof *flight->in_hash);
    flight->out_hash = arena_alloc(arena, flight->n_created * sizeof *flight->out_hash);
    flight->created = arena_alloc(arena, flight->n_created * sizeof *flight->created);
    if (flight->kind == FLIGHT_CONNECT) {
        flight->spent = arena_alloc(arena, flight->n_spent * sizeof *flight->spent);
        flight->spent_out = arena_alloc(arena, flight->n_spent * sizeof *flight->spent_out);
        flight->rules = arena_alloc(arena, flight->n_spent * sizeof *flight->rules);
        flight->scripts = arena_alloc(arena, (size_t)flight->n_spent * COIN_SCRIPT_EXPANDED_MAX);
    }
    struct siphash_key key = coins_hash_key(*flight->flights->coins);
    size_t in = 0, out = 0;
    for (uint32_t i = 0; i < block->n_tx; i++) {
        const struct tx *tx = &block->tx[i];
        for (uint32_t k = 0; k < tx->n_in && i > 0; k++)
            flight->in_hash[in++] = coins_hash(key, &tx->in[k].prevout);
        struct outpoint outpoint = {.txid = tx->txid};
        for (uint32_t k = 0; k < tx->n_out; k++) {
            outpoint.vout = k;
            flight->out_hash[out] = coins_hash(key, &outpoint);
            flight->created[out++] = (struct coin){.value_sat = tx->out[k].value_sat,
                                                   .script_pubkey = tx->out[k].script_pubkey,
                                                   .height = (uint32_t)flight->height,
                                                   .coinbase = i == 0};
        }
    }
}

static int prepare_undo(struct flight *flight)
{
    struct undo undo;
    struct span raw = span_of(flight->undo_raw, flight->undo_pos.len);
    if (!undo_decode(raw, &flight->block->block, &flight->arena, &undo))
        return -EUCLEAN;
    flight->spent = undo.spent;
    ASSERT(undo.n_spent == flight->n_spent);
    return 0;
}

/* Blocking pool: bytes from disk. */
static void run_read(struct env_job *job)
{
    struct flight *flight = CONTAINER_OF(job, struct flight, prepare);
    struct block_files *files = flight->flights->core->files;
    if (!flight->block) {
        uint8_t *raw;
        flight->read_error = block_files_read(files, &flight->data_pos, &raw);
        if (flight->read_error)
            return;
        flight->block = block_ref_take(raw, flight->data_pos.len);
    }
    if (flight->kind == FLIGHT_DISCONNECT)
        flight->read_error = block_files_read_undo(files, &flight->undo_pos, &flight->undo_raw);
}

/* Compute pool. */
static void run_prepare(struct env_job *job)
{
    struct flight *flight = CONTAINER_OF(job, struct flight, prepare);
    if (!flight->is_kept_block && !block_ref_decode(flight->block)) {
        flight->read_error = -EUCLEAN;
        return;
    }
    prepare(flight);
    if (flight->kind == FLIGHT_DISCONNECT)
        flight->read_error = prepare_undo(flight);
}

/* A dropped flight goes with its last job, never before: a job holds pointers into it. Freeing at
 * the drop while script threads ran was CVE-2024-52911 (hazard 36). */
static void free_if_idle(struct flight *flight)
{
    if (flight->preparing || flight->reading_coins || flight->jobs_left)
        return;
    struct flights *flights = flight->flights;
    flights->n_dropped--;
    flight_free(flight);
    core_ended(flights->core);
}

static void prepare_done(struct env_job *job)
{
    struct flight *flight = CONTAINER_OF(job, struct flight, prepare);
    flight->preparing = false;
    if (flight->is_dropped) {
        free_if_idle(flight);
        return;
    }
    ASSERT(!job->cancelled);
    flight->stage = FLIGHT_READY;
    core_wake(flight->flights->core);
}

/* Of a job that would have this priority if somebody waited for the block. */
static enum env_priority priority_of(const struct flights *flights, enum env_priority priority)
{
    return flights->is_background ? ENV_PRIORITY_LOW : priority;
}

static void submit_prepare(struct flight *flight)
{
    struct flights *flights = flight->flights;
    flight->prepare = (struct env_job){.run = run_prepare, .done = prepare_done};
    env_job_submit(flights->core->env, ENV_POOL_COMPUTE, priority_of(flights, ENV_PRIORITY_HIGH),
                   &flight->prepare);
}

/* Two jobs, since the threads that may wait for the disk are few and must not be kept busy with
 * hashing, and those that compute must never wait. */
static void read_done(struct env_job *job)
{
    struct flight *flight = CONTAINER_OF(job, struct flight, prepare);
    if (flight->is_dropped || flight->read_error) {
        prepare_done(job);
        return;
    }
    submit_prepare(flight);
}

struct flight *flight_new(struct flights *flights, struct block_node *node, enum flight_kind kind,
                          struct block_ref *block)
{
    struct flight *flight = xcalloc(1, sizeof *flight);
    flight->flights = flights;
    flight->node = node;
    flight->height = node->height;
    flight->begun_us = env_now_us(flights->core->env);
    flight->kind = kind;
    flight->data_pos = node->data;
    flight->undo_pos = node->undo;
    atomic_init(&flight->abandoned, false);
    arena_init(&flight->arena, FLIGHT_ARENA_BYTES);
    overlay_layer_init(&flight->layer, ++flights->next_layer);
    if (block) {
        flight->block = block_ref_hold(block);
        flight->is_kept_block = true;
    }
    flight->preparing = true;
    if (block && kind == FLIGHT_CONNECT) {
        submit_prepare(flight);
    } else {
        flight->prepare = (struct env_job){.run = run_read, .done = read_done};
        env_job_submit(flights->core->env, ENV_POOL_BLOCKING,
                       priority_of(flights, ENV_PRIORITY_HIGH), &flight->prepare);
    }
    return flight;
}

/* -- Coins from the store ------------------------------------------------------------------- */

static void coins_read_done(struct coins_read *read)
{
    struct flight *flight = CONTAINER_OF(read, struct flight, read);
    flight->reading_coins = false;
    if (flight->is_dropped) {
        free_if_idle(flight);
        return;
    }
    if (read->error)
        lost_coins(flight->flights->core, read->error, "reading the coins database");
    core_wake(flight->flights->core);
}

void flight_read_coins(struct flight *flight, enum env_priority priority)
{
    ASSERT(!flight->reading_coins && flight->n_missing > 0);
    priority = priority_of(flight->flights, priority);
    flight->reading_coins = flight->has_prefetched = true;
    flight->read = (struct coins_read){.coins = *flight->flights->coins,
                                       .outpoints = flight->missing,
                                       .n = flight->n_missing,
                                       .absent = flight->absent,
                                       .done = coins_read_done};
    coins_read_start(*flight->flights->coins, &flight->read, priority);
}

void flight_note_missing(struct flight *flight, const struct outpoint *outpoint)
{
    ASSERT(flight->n_missing < (size_t)flight->n_spent + flight->n_created);
    if (!flight->missing) {
        size_t most = (size_t)flight->n_spent + flight->n_created;
        flight->missing = arena_alloc(&flight->arena, most * sizeof *flight->missing);
        flight->absent = arena_alloc(&flight->arena, most * sizeof *flight->absent);
    }
    flight->absent[flight->n_missing] = false;
    flight->missing[flight->n_missing++] = *outpoint;
}

/* On the overlay and the coins as they are now, with flights before this one still to be connected:
 * a coin that they will create is asked of the store in vain, which costs a look-up and no more. */
void flight_prefetch(struct flight *flight)
{
    ASSERT(flight->stage == FLIGHT_READY);
    if (flight->has_prefetched || flight->kind != FLIGHT_CONNECT)
        return;
    flight->has_prefetched = true;
    struct flights *flights = flight->flights;
    struct block_hash store_tip = coins_store_tip(*flights->coins), none = {{0}};
    if (block_hash_equal(&store_tip, &none))
        return; /* an empty store has nothing to give */
    const struct block *block = &flight->block->block;
    uint8_t script[COIN_SCRIPT_EXPANDED_MAX];
    struct coin coin;
    const struct coin *in_flight;
    size_t at = 0;
    for (uint32_t i = 1; i < block->n_tx; i++)
        for (uint32_t k = 0; k < block->tx[i].n_in; k++, at++) {
            const struct outpoint *outpoint = &block->tx[i].in[k].prevout;
            uint64_t hash = flight->in_hash[at];
            if (at + 8 < flight->n_spent)
                coins_prefetch_index(*flights->coins, flight->in_hash[at + 8]);
            if (overlay_find(flights->overlay, outpoint, hash, &in_flight) == OVERLAY_UNTOUCHED &&
                coins_find(*flights->coins, outpoint, hash, &coin, script) == COINS_UNKNOWN)
                flight_note_missing(flight, outpoint);
        }
    if (flight->n_missing > 0)
        flight_read_coins(flight, ENV_PRIORITY_NORMAL);
}

/* -- Scripts and undo data (jobs) ----------------------------------------------------------- */

static struct flight_job *job_of(struct env_job *job)
{
    return CONTAINER_OF(job, struct flight_job, job);
}

/* Encoded off the loop, whether the block will pass or not: by the time that is known, its undo
 * data is ready to be written. */
static void run_undo(struct env_job *job)
{
    struct flight *flight = job_of(job)->flight;
    struct undo undo = {.spent = flight->spent, .n_spent = flight->n_spent};
    struct writer count = writer_counting();
    undo_encode(&count, &undo);
    flight->undo = xmalloc(count.len);
    struct writer w = writer_to_buffer(flight->undo, count.len);
    undo_encode(&w, &undo);
    flight->undo_len = w.len;
}

/* Check one transaction's inputs in_begin..in_end. spent: its spent outputs. */
static enum script_error check_tx(const struct flight_job *job, const struct tx *tx,
                                  const struct tx_out *spent, struct script_scratch *scratch,
                                  uint32_t *bad_input)
{
    const struct env *env = job->flight->flights->core->env;
    bool is_part = job->tx_end - job->tx_begin == 1;
    uint32_t begin = is_part ? job->in_begin : 0;
    uint32_t end = is_part ? job->in_end : tx->n_in;
    struct tx_sighash sighash;
    tx_sighash_init(&sighash, tx, spent);
    struct script_check check = {
        .tx = tx, .flags = job->flight->script_flags, .spent = spent, .sighash = &sighash};
    for (uint32_t i = begin; i < end; i++) {
        check.input = i;
        enum script_error error = script_verdict(env, &check, scratch);
        if (error != SCRIPT_OK) {
            *bad_input = i;
            return error;
        }
    }
    return SCRIPT_OK;
}

/* Looks at abandoned between transactions, not between inputs: a slow one (hazard 11) runs to its
 * end, but only on its own thread. */
static void run_scripts(struct env_job *env_job)
{
    struct flight_job *job = job_of(env_job);
    struct flight *flight = job->flight;
    const struct block *block = &flight->block->block;
    struct script_scratch *scratch = scratch_pool_take(&flight->flights->core->scratch);
    const struct tx_out *spent = flight->spent_out + job->spent_begin;
    for (uint32_t i = job->tx_begin; i < job->tx_end; spent += block->tx[i++].n_in) {
        if (atomic_load_explicit(&flight->abandoned, memory_order_relaxed))
            break;
        if (flight->is_known[i])
            continue;
        job->error = check_tx(job, &block->tx[i], spent, scratch, &job->bad_input);
        job->bad_tx = i;
        if (job->error != SCRIPT_OK)
            break;
    }
    scratch_pool_give(&flight->flights->core->scratch, scratch);
}

/* The verdict for the first input, in block order, whose script failed. */
static void note_script_failure(struct flight *flight)
{
    const struct flight_job *first = NULL;
    for (uint32_t i = 0; i < flight->n_jobs && !first; i++)
        if (flight->jobs[i].error != SCRIPT_OK)
            first = &flight->jobs[i];
    if (!first || flight->has_failed)
        return;
    flight->has_failed = true;
    tx_script_verdict(&flight->verdict, REJECT_SCRIPT_FAILED,
                      &flight->block->block.tx[first->bad_tx], first->bad_input, (int)first->error);
}

static void flight_job_done(struct env_job *env_job)
{
    struct flight_job *job = job_of(env_job);
    struct flight *flight = job->flight;
    struct flights *flights = flight->flights;
    flight->jobs_left--;
    flights->pending_inputs -= job->n_inputs;
    if (flight->is_dropped) {
        free_if_idle(flight);
        return;
    }
    if (flight->jobs_left == 0)
        note_script_failure(flight);
    /* Waking for every job would cost more than it brings: wake when something can be done. */
    if (flight->jobs_left == 0 || flights->pending_inputs < FLIGHT_PENDING_INPUTS_MAX)
        core_wake(flights->core);
}

/* Mark the transactions whose scripts were checked by the same rules when they came alone. Once for
 * each flight, on the loop: its jobs read what is found here. */
static void find_known(struct flight *flight)
{
    struct script_cache *cache = &flight->flights->core->script_cache;
    const struct block *block = &flight->block->block;
    flight->is_known = arena_calloc(&flight->arena, block->n_tx, sizeof *flight->is_known);
    for (uint32_t i = 1; i < block->n_tx; i++) {
        if (i + KNOWN_PREFETCH_AHEAD < block->n_tx)
            script_cache_prefetch(cache, &block->tx[i + KNOWN_PREFETCH_AHEAD].wtxid,
                                  flight->script_flags);
        const struct wtxid *wtxid = &block->tx[i].wtxid;
        flight->is_known[i] = flight->is_test
                                  ? script_cache_has(cache, wtxid, flight->script_flags)
                                  : script_cache_mined(cache, wtxid, flight->script_flags);
        flight->n_known += flight->is_known[i];
    }
}

/* Inputs of transaction i that jobs have to check. */
static uint32_t inputs_to_check(const struct flight *flight, uint32_t i)
{
    return flight->is_known[i] ? 0 : flight->block->block.tx[i].n_in;
}

/* Cut the block into script jobs; with jobs NULL only count them. What is known may lie within a
 * job, which passes over it, but never begins one. */
static uint32_t cut_jobs(const struct flight *flight, struct flight_job *jobs)
{
    const struct block *block = &flight->block->block;
    uint32_t n = 0, spent_begin = 0;
    for (uint32_t i = 1; i < block->n_tx;) {
        struct flight_job job = {.tx_begin = i, .spent_begin = spent_begin};
        uint32_t inputs = 0;
        do {
            inputs += inputs_to_check(flight, i);
            spent_begin += block->tx[i++].n_in;
        } while (i < block->n_tx && inputs > 0 &&
                 inputs + inputs_to_check(flight, i) <= FLIGHT_JOB_INPUTS);
        job.tx_end = i;
        /* A single large transaction is shared out by inputs. */
        uint32_t step = job.tx_end - job.tx_begin == 1 ? FLIGHT_JOB_INPUTS : inputs;
        for (uint32_t at = 0; at < inputs; at += step) {
            job.in_begin = at;
            job.in_end = inputs - at < step ? inputs : at + step;
            job.n_inputs = job.in_end - job.in_begin;
            if (jobs)
                jobs[n] = job;
            n++;
        }
    }
    return n;
}

/* [block 13] Its scripts, on all threads, beside those of other flights. */
void flight_submit_jobs(struct flight *flight)
{
    struct flights *flights = flight->flights;
    ASSERT(flight->stage == FLIGHT_CONNECTED && flight->jobs_left == 0);
    if (flight->checks_scripts)
        find_known(flight);
    uint32_t n_scripts = flight->checks_scripts ? cut_jobs(flight, NULL) : 0;
    flight->n_jobs = n_scripts + 1;
    flight->jobs = arena_calloc(&flight->arena, flight->n_jobs, sizeof *flight->jobs);
    if (n_scripts)
        cut_jobs(flight, flight->jobs);
    flight->jobs[n_scripts].is_undo = true;
    flight->jobs_left = flight->n_jobs;
    for (uint32_t i = 0; i < flight->n_jobs; i++) {
        struct flight_job *job = &flight->jobs[i];
        flights->pending_inputs += job->n_inputs;
        flights->n_scripts += job->n_inputs;
        job->flight = flight;
        job->job.run = job->is_undo ? run_undo : run_scripts;
        job->job.done = flight_job_done;
        env_job_submit(flights->core->env, ENV_POOL_COMPUTE,
                       priority_of(flights, ENV_PRIORITY_NORMAL), &job->job);
    }
}

bool flight_is_verified(const struct flight *flight)
{
    return flight->stage == FLIGHT_CONNECTED && flight->jobs_left == 0;
}

/* -- The end --------------------------------------------------------------------------------- */

/* Jobs that have not started are cancelled, which still calls their done; those that run see
 * abandoned. Nobody is waited for: free_if_idle() comes by after each. */
void flight_drop(struct flight *flight)
{
    struct flights *flights = flight->flights;
    ASSERT(!flight->is_dropped);
    overlay_drop(flights->overlay, &flight->layer);
    flight->is_dropped = true;
    atomic_store(&flight->abandoned, true);
    const struct env *env = flights->core->env;
    flights->n_dropped++;
    if (flight->preparing)
        env_job_cancel(env, &flight->prepare);
    for (uint32_t i = 0; i < flight->n_jobs; i++)
        env_job_cancel(env, &flight->jobs[i].job);
    free_if_idle(flight);
}

void flight_free(struct flight *flight)
{
    ASSERT(!flight->preparing && !flight->reading_coins && flight->jobs_left == 0);
    overlay_layer_deinit(&flight->layer);
    block_ref_drop(flight->block);
    xfree(flight->undo_raw);
    xfree(flight->undo);
    arena_deinit(&flight->arena);
    xfree(flight);
}
