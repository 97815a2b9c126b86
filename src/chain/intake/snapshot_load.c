/* snapshot_load.c - see snapshot_load.h
 *
 * A kill at any moment leaves a folder without base_blockhash, which a start empties, or one with
 * it. That is written when the old coins stand for the tip, headers included, and nothing moves
 * until the change; so both are what a start finds and goes on with. */
#include "chain/intake/snapshot_load.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "chain/coins/snapshot_dir.h"
#include "chain/tree/lost.h"
#include "util/alloc.h"
#include "util/hex.h"

#define STORE_CACHE_MAX (8u << 20)

int snapshot_open_store(const struct chain_core *core, const char *path, size_t cache_bytes,
                        struct coins **out, char **error)
{
    size_t store_bytes = core->options.cache_bytes / 8;
    struct coins_options options = {
        .cache_bytes = cache_bytes,
        .store_cache_bytes = MIN_OF(store_bytes, STORE_CACHE_MAX),
        .flush_batch_bytes = core->options.flush_batch_bytes,
        .is_strict = core->options.keeps_damage,
    };
    ASSERT(path && cache_bytes > 0);
    return coins_open(core->env, core->log, path, &options, out, error);
}

size_t snapshot_cache_bytes(const struct chain_core *core)
{
    return core->options.cache_bytes / 2 + 1;
}

const struct network_snapshot *snapshot_facts(const struct network *network,
                                              const struct block_hash *base)
{
    char hash[HEX_ID_BYTES];
    ASSERT(base);
    hex_encode_reversed(hash, span_of(base->b, sizeof base->b));
    for (uint32_t i = 0; i < network->n_snapshots; i++)
        if (strcmp(network->snapshots[i].block_hash, hash) == 0)
            return &network->snapshots[i];
    return NULL;
}

const struct network_snapshot *snapshot_known(const struct chain_core *core,
                                              const struct block_hash *base)
{
    const struct network_snapshot *facts = snapshot_facts(core->network, base);
    const struct chain_vouched *vouched = &core->vouched;
    char hash[HEX_ID_BYTES];
    hex_encode_reversed(hash, span_of(base->b, sizeof base->b));
    bool is_vouched = vouched->facts.block_hash && strcmp(vouched->block_hash, hash) == 0;
    return facts ? facts : is_vouched ? &vouched->facts : NULL;
}

static void vouch_for(struct chain_core *core, const struct coin_vouch *vouch)
{
    struct chain_vouched *vouched = &core->vouched;
    hex_encode_reversed(vouched->block_hash, span_of(vouch->base.b, sizeof vouch->base.b));
    hex_encode_reversed(vouched->coins_hash, span_of(vouch->coins_hash, 32));
    vouched->facts = (struct network_snapshot){.chain_tx = vouch->chain_tx,
                                               .block_hash = vouched->block_hash,
                                               .coins_hash = vouched->coins_hash};
}

int snapshot_recall_vouch(struct chain_core *core, const struct block_hash *base)
{
    struct coin_vouch vouch = {.base = *base};
    int code = snapshot_dir_vouched(core->env, core->data_dir, vouch.coins_hash, &vouch.chain_tx);
    ASSERT(!core->vouched.facts.block_hash);
    if (!code)
        vouch_for(core, &vouch);
    return code == -ENOENT ? 0 : code;
}

/* -- May it be? -------------------------------------------------------------------------------- */

static bool refuse(struct snapshot_load *load, const char *text)
{
    snprintf(load->why, sizeof load->why, "%s", text);
    return false;
}

static bool refuse_header(struct snapshot_load *load, const char *what)
{
    char hash[HEX_ID_BYTES];
    hex_encode_reversed(hash, span_of(load->head.base.b, sizeof load->head.base.b));
    snprintf(load->why, sizeof load->why, "The base block header (%s) %s", hash, what);
    return false;
}

static bool refuse_unknown(struct snapshot_load *load)
{
    const struct network *network = load->core->network;
    char hash[HEX_ID_BYTES], heights[100] = "";
    hex_encode_reversed(hash, span_of(load->head.base.b, sizeof load->head.base.b));
    for (uint32_t i = 0, at = 0; i < network->n_snapshots && at < sizeof heights; i++)
        at += (uint32_t)snprintf(heights + at, sizeof heights - at, "%s%d", i ? ", " : "",
                                 network->snapshots[i].height);
    snprintf(load->why, sizeof load->why,
             "assumeutxo block hash in snapshot metadata not recognized (hash: %s). The following "
             "snapshot heights are available: %s",
             hash, heights);
    return false;
}

/* Asked before the file is read, and again when the chain is to change its coins. */
static bool may_load(struct snapshot_load *load)
{
    const struct block_node *best = load->tree->best_header;
    if (load->past->coins || load->tree->assumed)
        return refuse(load, "Can't activate a snapshot-based chainstate more than once");
    load->facts = snapshot_known(load->core, &load->head.base);
    if (!load->facts)
        return refuse_unknown(load);
    load->base = header_tree_find(load->tree, &load->head.base);
    if (!load->base)
        return refuse_header(load, "must appear in the headers chain. Make sure all headers are "
                                   "syncing, and call loadtxoutset again");
    struct network_snapshot *own = &load->core->vouched.facts;
    if (load->facts == own && own->chain_tx == 0)
        own->chain_tx = (uint64_t)load->base->height + 1; /* no block has fewer */
    if (block_node_has_failed(load->base))
        return refuse_header(load, "is part of an invalid chain");
    if (block_node_ancestor(best, load->base->height) != load->base)
        return refuse(load, "A forked headers-chain with more work than the chain with the "
                            "snapshot base block header exists. Please proceed to sync without "
                            "AssumeUtxo");
    if (!load->may_change(load->arg))
        return refuse(load, "Can't activate a snapshot when mempool not empty");
    if (u256_compare(load->base->chain_work, active_chain_tip(load->active)->chain_work) <= 0)
        return refuse(load, "Population failed: Work does not exceed active chainstate");
    return true;
}

/* -- Filling: on another thread ---------------------------------------------------------------- */

static bool is_stopping(const struct snapshot_load *load)
{
    return atomic_load_explicit(&load->core->stops_jobs, memory_order_relaxed);
}

static int read_coins(struct snapshot_load *load)
{
    struct snapshot_reader *reader = xmalloc(sizeof *reader);
    struct outpoint outpoint;
    struct coin coin;
    int got = 1;
    snapshot_reader_init(reader, load->core->env, load->file, &load->head, load->base->height);
    while (got == 1 && !is_stopping(load)) {
        got = snapshot_reader_next(reader, &outpoint, &coin);
        if (got == 1)
            coins_repair_put(load->coins, &outpoint, &coin);
    }
    if (got == -EBADMSG)
        snprintf(load->why, sizeof load->why, "Population failed: %.280s", reader->why);
    snapshot_reader_deinit(reader);
    xfree(reader);
    return got == 1 ? -ECANCELED : got;
}

static int compare_hash(struct snapshot_load *load)
{
    struct coins_digest digest;
    char hash[HEX_ID_BYTES];
    int error =
        coins_digest(load->coins, coins_snapshot(load->coins), &load->core->stops_jobs, &digest);
    if (error)
        return error;
    hex_encode_reversed(hash, span_of(digest.hash, sizeof digest.hash));
    if (strcmp(hash, load->facts->coins_hash) == 0)
        return 0;
    snprintf(load->why, sizeof load->why,
             "Population failed: Bad snapshot content hash: expected %s, got %s",
             load->facts->coins_hash, hash);
    return -EBADMSG;
}

static int fill(struct snapshot_load *load, const char *path)
{
    int error = snapshot_dir_remove(load->core->env, load->core->data_dir);
    if (!error)
        error = snapshot_open_store(load->core, path, snapshot_cache_bytes(load->core),
                                    &load->coins, &load->error_text);
    if (!error)
        error = read_coins(load);
    if (!error)
        error = coins_repair_commit(load->coins, &load->head.base);
    return error ? error : compare_hash(load);
}

/* What has failed is removed at once: nobody could use it. */
static void run_fill(struct env_job *job)
{
    struct snapshot_load *load = (struct snapshot_load *)job;
    char *path = snapshot_dir_path(load->core->data_dir);
    load->error = fill(load, path);
    load->is_bad_file = load->error == -EBADMSG;
    if (load->error && load->coins) {
        coins_close(load->coins);
        load->coins = NULL;
        int error = snapshot_dir_remove(load->core->env, load->core->data_dir);
        if (error) /* else a start does it, or the next attempt */
            load->error_text = xasprintf("%s cannot be removed: %s", path, strerror(-error));
    }
    xfree(path);
}

/* -- One step after the other ------------------------------------------------------------------ */

/* Owns: nothing any more. */
static void end(struct snapshot_load *load, int error)
{
    coin_load_fn *done = load->done;
    struct coin_load result = {.base = load->base, .n_coins = load->head.n_coins};
    result.why = error == -EBADMSG ? load->why : NULL;
    result.is_bad_file = load->is_bad_file;
    load->stage = LOAD_NONE;
    load->pipeline->is_held = false;
    load->done = NULL;
    if (load->file)
        env_file_close(load->core->env, load->file);
    load->file = NULL;
    if (load->coins)
        coins_close(load->coins); /* without base_blockhash it is emptied by the next one */
    load->coins = NULL;
    if (load->error_text)
        log_error(load->core->log, "%s", load->error_text);
    xfree(load->error_text);
    load->error_text = NULL;
    done(load->arg, error, &result);
    core_wake_soon(load->core);
    core_end(load->core);
}

static void filled(struct env_job *job)
{
    struct snapshot_load *load = (struct snapshot_load *)job;
    int error = job->cancelled ? -ECANCELED : load->error;
    if (!error && !core_is_working(load->core))
        error = -ECANCELED;
    if (error) {
        end(load, error);
        return;
    }
    load->stage = LOAD_WAITS;
    core_wake(load->core);
}

/* The chain goes on with the other coins, at their block. */
static void change_coins(struct snapshot_load *load)
{
    struct chain_core *core = load->core;
    struct coins *old = core->coins;
    struct block_node *old_tip = active_chain_tip(load->active);
    ASSERT(load->pipeline->flights.n == 0 && flush_is_idle(load->flush));
    ASSERT(load->flush->tip == old_tip && load->coins);
    core->coins = load->coins;
    load->coins = NULL;
    coins_set_cache(old, snapshot_cache_bytes(core));
    past_check_begin(load->past, old, old_tip, load->base, load->facts);
    active_chain_set_tip(load->active, load->base);
    load->flush->tip = load->base;
    best_chain_rebuild(load->best);
    block_files_begin_new(core->files);
    log_printf(core->log, LOG_ALWAYS,
               "[snapshot] the chain goes on at height %d with the coins of a snapshot; the blocks "
               "from height %d on are checked in the background",
               load->base->height, old_tip->height + 1);
    if (core->events.tip_changed)
        core->events.tip_changed(core->events.ctx, load->base);
}

static void run_mark(struct env_job *job)
{
    struct snapshot_load *load = (struct snapshot_load *)job;
    const struct chain_core *core = load->core;
    uint8_t coins_hash[32];
    load->error = 0;
    if (load->facts == &core->vouched.facts &&
        hex_decode_reversed(coins_hash, 32, load->facts->coins_hash, HEX_ID_BYTES - 1))
        load->error =
            snapshot_dir_set_vouched(core->env, core->data_dir, coins_hash, load->facts->chain_tx);
    if (!load->error)
        load->error = snapshot_dir_set_base(core->env, core->data_dir, &load->head.base);
}

static void marked(struct env_job *job)
{
    struct snapshot_load *load = (struct snapshot_load *)job;
    int error = job->cancelled ? -ECANCELED : load->error;
    if (!error && !core_is_working(load->core))
        error = -ECANCELED; /* the next start goes on with them */
    if (error) {
        end(load, error);
        return;
    }
    load->stage = LOAD_CHANGES;
    core_wake(load->core);
}

static void run_remove(struct env_job *job)
{
    struct snapshot_load *load = (struct snapshot_load *)job;
    coins_close(load->coins);
    load->coins = NULL;
    load->error = snapshot_dir_remove(load->core->env, load->core->data_dir);
}

static void removed(struct env_job *job)
{
    struct snapshot_load *load = (struct snapshot_load *)job;
    end(load, job->cancelled ? -ECANCELED : load->error ? load->error : -EBADMSG);
}

/* What is filled is of no use. */
static void refuse_filled(struct snapshot_load *load)
{
    load->stage = LOAD_MARKS;
    load->job = (struct env_job){.run = run_remove, .done = removed};
    env_job_submit(load->core->env, ENV_POOL_BLOCKING, ENV_PRIORITY_NORMAL, &load->job);
}

static void flushed(void *arg, int error)
{
    struct snapshot_load *load = arg;
    ASSERT(load->stage == LOAD_FLUSHES);
    if (!error && !core_is_working(load->core))
        error = -ECANCELED;
    if (error) {
        end(load, error); /* the store is emptied by a start */
        return;
    }
    if (!may_load(load)) {
        refuse_filled(load);
        return;
    }
    load->stage = LOAD_MARKS;
    load->job = (struct env_job){.run = run_mark, .done = marked};
    env_job_submit(load->core->env, ENV_POOL_BLOCKING, ENV_PRIORITY_NORMAL, &load->job);
}

/* The last look: a transaction may have come while the mark was written. */
static void change_or_refuse(struct snapshot_load *load)
{
    if (may_load(load)) {
        change_coins(load);
        end(load, 0);
    } else {
        refuse_filled(load);
    }
}

static bool is_quiet(const struct snapshot_load *load)
{
    const struct flights *flights = &load->pipeline->flights;
    return flights->n == 0 && flights->n_dropped == 0 &&
           !undo_repair_is_busy(load->pipeline->undo_repair);
}

/* Blocks that are gone through from our own files come first: they may be what the tip is made of.
 * Flights land, then all that they have changed is written. A block on trial changes nothing, but
 * may fly again by then. */
static void step(void *part)
{
    struct snapshot_load *load = part;
    if (!core_is_working(load->core))
        return;
    if (load->stage == LOAD_CHANGES && flush_is_idle(load->flush) && is_quiet(load))
        change_or_refuse(load);
    if (load->stage != LOAD_WAITS || importer_is_active(load->importer))
        return;
    load->pipeline->is_held = true;
    if (!is_quiet(load))
        return;
    load->stage = LOAD_FLUSHES;
    flush_order(load->flush, flushed, load);
}

/* It waits for something that will not be. */
static void cancel(void *part)
{
    struct snapshot_load *load = part;
    if (load->stage == LOAD_WAITS || load->stage == LOAD_CHANGES)
        end(load, -ECANCELED);
}

const struct chain_part snapshot_load_part = {.step = step, .cancel = cancel};

int snapshot_load_start(struct snapshot_load *load, const struct coin_load_order *order)
{
    struct chain_core *core = load->core;
    struct coin_load result = {.why = load->why};
    struct env_file *file;
    ASSERT(order->path && order->may_change && order->done);
    if (load->stage != LOAD_NONE || !core_is_working(core))
        return core_is_working(core) ? -EBUSY : -ECANCELED;
    int error = env_file_open(core->env, order->path, ENV_OPEN_READ, &file);
    if (error)
        return error == -EBUSY || error == -ECANCELED ? -EIO : error;
    load->may_change = order->may_change;
    load->done = order->done;
    load->arg = order->arg;
    if (order->vouch && !load->tree->assumed) /* else they are of use already */
        vouch_for(core, order->vouch);
    load->is_bad_file = false;
    error = snapshot_head_read(core->env, file, core->network, &load->head, load->why);
    result.is_head = error != 0;
    result.is_bad_file = error == -EBADMSG;
    if (error || !may_load(load)) {
        if (error && error != -EBADMSG)
            snprintf(load->why, sizeof load->why, "%s", strerror(-error));
        env_file_close(core->env, file);
        load->done(load->arg, -EBADMSG, &result);
        return 0;
    }
    core_begin(core);
    load->file = file;
    load->stage = LOAD_FILLS;
    load->job = (struct env_job){.run = run_fill, .done = filled};
    env_job_submit(core->env, ENV_POOL_BLOCKING, ENV_PRIORITY_LOW, &load->job);
    return 0;
}
