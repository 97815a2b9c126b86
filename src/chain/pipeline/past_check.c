/* past_check.c - see past_check.h */
#include "chain/pipeline/past_check.h"

#include <errno.h>
#include <stdio.h>

#include "chain/coins/snapshot_dir.h"
#include "chain/tree/lost.h"
#include "util/alloc.h"
#include "util/hex.h"
#include "util/version.h"

#define MESSAGE_BYTES 1000

/* -- Making ------------------------------------------------------------------------------------ */

void past_check_init(struct past_check *check, const struct pipeline *with)
{
    ASSERT(with->core && with->flights.n == 0);
    *check = (struct past_check){.core = with->core, .tree = with->tree, .best = with->best};
    overlay_init(&check->overlay);
    check->pipeline = *with;
    check->pipeline.active = &check->active;
    check->pipeline.flights.coins = &check->coins;
    check->pipeline.flights.overlay = &check->overlay;
    check->pipeline.flights.is_background = true;
    check->stage = PAST_OVER;
}

void past_check_deinit(struct past_check *check)
{
    ASSERT(check->pipeline.flights.n == 0 && check->pipeline.flights.n_dropped == 0);
    overlay_deinit(&check->overlay);
    active_chain_deinit(&check->active);
    if (check->coins)
        coins_close(check->coins);
    check->coins = NULL;
}

/* What others see of it. */
static void show(struct past_check *check)
{
    const struct chain_events *events = &check->core->events;
    const struct block_node *before = check->tree->checked;
    check->tree->checked = active_chain_tip(&check->active);
    if (before != check->tree->checked && check->core->is_open && events->block_lost)
        events->block_lost(events->ctx, check->tree->checked);
}

void past_check_begin(struct past_check *check, struct coins *coins_take, struct block_node *tip,
                      struct block_node *base, const struct network_snapshot *facts)
{
    struct header_tree *tree = check->tree;
    ASSERT(!check->coins && coins_take && tip && base && facts);
    check->coins = coins_take;
    check->base = base;
    check->facts = facts;
    active_chain_set_tip(&check->active, tip);
    check->pipeline.goal = base;
    check->stage = PAST_CONNECTS;
    check->stored_us = env_now_us(check->core->env);
    tree->assumed = base;
    tree->assumed_chain_tx = facts->chain_tx;
    tree->checked_stored = tip;
    show(check);
}

bool past_check_is_on(const struct past_check *check)
{
    return check->stage != PAST_OVER;
}

size_t past_check_missing(const struct past_check *check, const struct block_node **out, size_t max)
{
    size_t n = 0;
    if (!past_check_is_on(check) || check->stage == PAST_COUNTS)
        return 0;
    const struct block_node *tip = active_chain_tip(&check->active);
    int32_t from = block_node_fork(tip, check->base)->height;
    int32_t to = MIN_OF(check->base->height, from + PAST_CHECK_AHEAD_MAX);
    for (int32_t height = from + 1; height <= to && n < max; height++) {
        const struct block_node *node = block_node_ancestor(check->base, height);
        if (!block_node_has_data(node) && !block_node_lost_data(node)) /* those come anyhow */
            out[n++] = node;
    }
    return n;
}

/* -- The coins of the past become durable ------------------------------------------------------ */

static void stored(void *arg, int error)
{
    struct past_check *check = arg;
    ASSERT(check->stage == PAST_STORES);
    check->stage = PAST_CONNECTS;
    check->stored_us = env_now_us(check->core->env);
    if (error)
        lost_coins(check->core, error, "flushing the coins of the past");
    else
        check->tree->checked_stored = check->storing;
    core_wake_soon(check->core);
}

static void store(struct past_check *check)
{
    check->stage = PAST_STORES;
    check->storing = active_chain_tip(&check->active);
    coins_flush_start(check->coins, &check->storing->hash, stored, check);
}

/* Nothing was committed since that flush began, so all that these coins were made of is durable. */
static void flushed(void *arg, int error)
{
    struct past_check *check = arg;
    ASSERT(check->stage == PAST_FLUSHES);
    if (error || check->core->faulted) {
        check->stage = PAST_CONNECTS;
        return;
    }
    store(check);
}

/* Seldom: what a crash takes is only work. */
static bool is_store_due(const struct past_check *check)
{
    bool has_news = check->tree->checked_stored != active_chain_tip(&check->active);
    bool is_at_goal = pipeline_is_at_rest(&check->pipeline);
    int64_t age_us = env_now_us(check->core->env) - check->stored_us;
    return has_news &&
           (is_at_goal || coins_is_full(check->coins) || age_us >= FLUSH_INTERVAL_SYNCING_US);
}

struct last_store {
    struct past_check *check;
    void (*done)(void *arg, int error);
    void *arg;
};

static void last_stored(void *arg, int error)
{
    struct last_store *last = arg;
    void (*done)(void *, int) = last->done;
    void *done_arg = last->arg;
    last->check->stage = PAST_CONNECTS;
    xfree(last);
    done(done_arg, error);
}

void past_check_store_last(struct past_check *check, void (*done)(void *arg, int error), void *arg)
{
    ASSERT(done);
    if (!past_check_is_on(check) ||
        check->tree->checked_stored == active_chain_tip(&check->active)) {
        done(arg, 0);
        return;
    }
    struct last_store *last = xmalloc(sizeof *last);
    *last = (struct last_store){.check = check, .done = done, .arg = arg};
    check->stage = PAST_STORES;
    coins_flush_start(check->coins, &active_chain_tip(&check->active)->hash, last_stored, last);
}

/* -- The end ----------------------------------------------------------------------------------- */

/* The folder is put aside at the next start, which goes on from what has been checked. Core:
 * handle_invalid_snapshot() */
static void refuse_snapshot(struct past_check *check, const char *why)
{
    char message[MESSAGE_BYTES];
    int32_t from = active_chain_tip(check->pipeline.best->active)->height;
    int32_t to = active_chain_tip(&check->active)->height;
    int error = snapshot_dir_mark(check->core->env, check->core->data_dir, SNAPSHOT_MARK_INVALID);
    if (error)
        core_fault(check->core, error, "writing that the snapshot is invalid");
    snprintf(message, sizeof message,
             CAIRN_NAME " failed to validate the -assumeutxo snapshot state. This indicates a "
             "hardware problem, or a bug in the software, or a bad software modification that "
             "allowed an invalid snapshot to be loaded. As a result of this, the node will shut "
             "down and stop using any state that was built on the snapshot, resetting the chain "
             "height from %d to %d. On the next restart, the node will resume syncing from %d "
             "without using any snapshot data. The invalid snapshot chainstate will be left on "
             "disk in case it is helpful in diagnosing the issue that caused this error. (%s)",
             from, to, to, why);
    check->stage = PAST_OVER;
    core_fault_because(check->core, message);
}

static bool is_as_vouched(const struct past_check *check)
{
    char hash[HEX_ID_BYTES];
    hex_encode_reversed(hash, span_of(check->digest.hash, sizeof check->digest.hash));
    return strcmp(hash, check->facts->coins_hash) == 0;
}

static void run_count(struct env_job *job)
{
    struct past_check *check = (struct past_check *)job;
    struct chain_core *core = check->core;
    check->error = coins_digest(check->coins, check->cursor, &core->stops_jobs, &check->digest);
    check->cursor = NULL;
    if (!check->error && is_as_vouched(check))
        check->error = snapshot_dir_mark(core->env, core->data_dir, SNAPSHOT_MARK_CHECKED);
}

/* Nothing is assumed any more. The store of the past is closed with the chain: somebody may be
 * reading it still. */
static void accept_snapshot(struct past_check *check)
{
    struct header_tree *tree = check->tree;
    log_printf(check->core->log, LOG_ALWAYS,
               "[snapshot] the coins of the snapshot at height %d are those of its blocks",
               check->base->height);
    check->stage = PAST_OVER;
    tree->assumed = tree->checked = tree->checked_stored = NULL;
    tree->assumed_chain_tx = 0;
    best_chain_rebuild(check->best);
    coins_let_go(check->coins);
    coins_set_cache(check->core->coins, check->core->options.cache_bytes);
}

static void count_done(struct env_job *job)
{
    struct past_check *check = (struct past_check *)job;
    struct chain_core *core = check->core;
    if (check->cursor)
        coins_snapshot_close(check->coins, check->cursor);
    check->cursor = NULL;
    int error = job->cancelled ? -ECANCELED : check->error;
    check->stage = PAST_CONNECTS;
    if (error == -ECANCELED || core->faulted) {
        core_ended(core);
        return;
    }
    if (error)
        lost_coins(core, error, "counting the coins of the past");
    else if (is_as_vouched(check))
        accept_snapshot(check);
    else
        refuse_snapshot(check, "the hash of the coins is another one");
    core_wake_soon(core);
}

static void count(struct past_check *check)
{
    check->stage = PAST_COUNTS;
    check->cursor = coins_snapshot(check->coins);
    check->job = (struct env_job){.run = run_count, .done = count_done};
    env_job_submit(check->core->env, ENV_POOL_BLOCKING, ENV_PRIORITY_LOW, &check->job);
}

/* -- Turns ------------------------------------------------------------------------------------- */

static void step(void *part)
{
    struct past_check *check = part;
    if (!check->coins || !core_is_working(check->core))
        return;
    if (check->stage == PAST_OVER) {
        if (coins_turn(check->coins))
            core_wake_soon(check->core);
        return;
    }
    show(check);
    if (check->tree->assumed_fails && check->stage == PAST_CONNECTS) {
        refuse_snapshot(check, "a block is invalid");
        return;
    }
    if (check->stage == PAST_CONNECTS && is_store_due(check)) {
        check->stage = PAST_FLUSHES;
        flush_order(check->flush, flushed, check);
    } else if (check->stage == PAST_CONNECTS && pipeline_is_at_rest(&check->pipeline)) {
        count(check);
    }
    check->pipeline.holds_commits =
        check->stage == PAST_FLUSHES ||
        (check->stage == PAST_STORES && coins_is_full(check->coins));
}

static bool is_busy(const void *part)
{
    enum past_stage stage = ((const struct past_check *)part)->stage;
    return stage != PAST_CONNECTS && stage != PAST_OVER;
}

const struct chain_part past_check_part = {.step = step, .is_busy = is_busy};
