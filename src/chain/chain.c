/* chain.c - the chain as an object: making, asking, failing.
 *
 * It has no rules of its own. Parts are made from the bottom up, so that each gets what it needs
 * complete, and calls from outside are handed to the one that answers them. */
#include "chain/chain.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "chain/ask/coin_scan.h"
#include "chain/ask/coin_stats.h"
#include "chain/chain_parts.h"
#include "chain/tree/node_view.h"
#include "consensus/pow.h"
#include "consensus/script_flags.h"
#include "util/alloc.h"
#include "util/hex.h"

/* -- Making ------------------------------------------------------------------------------------ */

#define KEPT_BLOCKS_MAX_BYTES (64u << 20)
#define RECENT_S              7200 /* what a block's time may be off, ahead or behind */

static void on_block_failed(void *ctx, const struct block_node *node, const struct verdict *verdict)
{
    struct chain *chain = ctx;
    waiters_block_failed(&chain->waiters, node, verdict);
}

static bool on_way_back_barred(void *ctx, const struct verdict *verdict)
{
    struct chain *chain = ctx;
    return orders_give_up(&chain->orders, verdict);
}

/* What is remembered. */
static void make_tree(struct chain *chain)
{
    struct chain_core *core = &chain->core;
    struct siphash_key key;
    env_random(core->env, &key, sizeof key);
    overlay_init(&chain->overlay);
    writes_init(&chain->writes, core);
    header_tree_init(&chain->tree, key);
    deployments_init(&chain->deployments);
    kept_blocks_init(&chain->kept, KEPT_BLOCKS_MAX_BYTES);
    best_chain_init(&chain->best, core, &chain->tree, &chain->active);
    lost_init(&chain->lost, core, &chain->tree, &chain->active, &chain->kept, &chain->best);
    chain->undo_writes = (struct undo_writes){
        .core = core, .tree = &chain->tree, .writes = &chain->writes, .lost = &chain->lost};
}

/* clang-format off */
const struct chain_index chain_indexes[CHAIN_INDEXES] = {
    {&txindex_kind, offsetof(struct chain, txindex), offsetof(struct chain_options, txindex),
     "txindex"},
    {&spenderindex_kind, offsetof(struct chain, spenderindex),
     offsetof(struct chain_options, spender_index), "txospenderindex"},
    {&filterindex_kind, offsetof(struct chain, filterindex),
     offsetof(struct chain_options, filter_index), "basic block filter index"},
    {&coinstatsindex_kind, offsetof(struct chain, coinstatsindex),
     offsetof(struct chain_options, coin_stats_index), "coinstatsindex"},
    {&addressindex_kind, offsetof(struct chain, addressindex),
     offsetof(struct chain_options, address_index), "addressindex"},
};
/* clang-format on */

/* An index that begins with a mark on a block whose row is gone would begin anew. */
static bool indexes_let_go(void *ctx)
{
    for (int i = 0; i < CHAIN_INDEXES; i++)
        if (index_follower_may_be_marked(chain_index(ctx, i), BLOCK_DROPPED))
            return false;
    return true;
}

/* What the indexes have not seen yet is not pruned. */
static int32_t free_height(void *ctx, bool *is_changing)
{
    int32_t height = INT32_MAX;
    *is_changing = false;
    for (int i = 0; i < CHAIN_INDEXES; i++) {
        int32_t of_index = index_follower_free_height(chain_index(ctx, i), is_changing);
        height = MIN_OF(height, of_index);
    }
    return height;
}

static int32_t height_if_flushed(void *ctx)
{
    int32_t height = INT32_MAX;
    for (int i = 0; i < CHAIN_INDEXES; i++) {
        int32_t of_index = index_follower_reached_height(chain_index(ctx, i));
        height = MIN_OF(height, of_index);
    }
    return height;
}

static void make_upkeep(struct chain *chain)
{
    struct chain_core *core = &chain->core;
    flush_init(&chain->flush, core, &chain->tree, &chain->active, &chain->writes);
    chain->prune = (struct prune){.core = core,
                                  .tree = &chain->tree,
                                  .active = &chain->active,
                                  .writes = &chain->writes,
                                  .lost = &chain->lost,
                                  .flush = &chain->flush,
                                  .needs = {.ctx = chain,
                                            .free_height = free_height,
                                            .height_if_flushed = height_if_flushed}};
    chain->verifier = (struct verifier){
        .core = core, .tree = &chain->tree, .lost = &chain->lost, .flush = &chain->flush};
    chain->undo_repair = (struct undo_repair){
        .core = core, .lost = &chain->lost, .undo_writes = &chain->undo_writes};
}

/* Whether signatures are taken for good without a look is no small matter: it is said. */
static void tell_assumed(const struct chain_core *core, const struct block_hash *assume_valid)
{
    char text[HEX_ID_BYTES];
    const struct block_hash none = {{0}};
    if (block_hash_equal(assume_valid, &none)) {
        log_printf(core->log, LOG_ALWAYS, "Validating signatures for all blocks");
        return;
    }
    hex_encode_reversed(text, span_of(assume_valid->b, sizeof assume_valid->b));
    log_printf(core->log, LOG_ALWAYS,
               "Signatures up to block %s are taken for valid (-assumevalid)", text);
}

static void make_pipeline(struct chain *chain, const struct block_hash *assume_valid)
{
    struct chain_core *core = &chain->core;
    struct pipeline with = {
        .core = core,
        .tree = &chain->tree,
        .active = &chain->active,
        .best = &chain->best,
        .kept = &chain->kept,
        .writes = &chain->writes,
        .undo_writes = &chain->undo_writes,
        .lost = &chain->lost,
        .flush = &chain->flush,
        .undo_repair = &chain->undo_repair,
        .events = {.ctx = chain, .failed = on_block_failed, .barred = on_way_back_barred},
        .flights = {.core = core,
                    .coins = &core->coins,
                    .tree = &chain->tree,
                    .overlay = &chain->overlay,
                    .assume_valid = *assume_valid,
                    .min_chain_work = chain->min_chain_work},
    };
    pipeline_init(&chain->pipeline, &with);
    past_check_init(&chain->past, &with);
    tell_assumed(core, assume_valid);
    chain->past.flush = &chain->flush;
}

static void make_intake(struct chain *chain)
{
    struct chain_core *core = &chain->core;
    chain->waiters = (struct waiters){.core = core,
                                      .active = &chain->active,
                                      .best = &chain->best,
                                      .writes = &chain->writes,
                                      .pipeline = &chain->pipeline};
    chain->intake = (struct intake){.core = core,
                                    .tree = &chain->tree,
                                    .active = &chain->active,
                                    .best = &chain->best,
                                    .kept = &chain->kept,
                                    .writes = &chain->writes,
                                    .lost = &chain->lost,
                                    .waiters = &chain->waiters,
                                    .min_chain_work = chain->min_chain_work};
    chain->importer = (struct importer){
        .core = core, .tree = &chain->tree, .flush = &chain->flush, .intake = &chain->intake};
    chain->orders = (struct orders){.core = core,
                                    .tree = &chain->tree,
                                    .active = &chain->active,
                                    .best = &chain->best,
                                    .kept = &chain->kept,
                                    .flush = &chain->flush,
                                    .pipeline = &chain->pipeline,
                                    .waiters = &chain->waiters};
    chain->snapshot_load = (struct snapshot_load){.core = core,
                                                  .tree = &chain->tree,
                                                  .active = &chain->active,
                                                  .best = &chain->best,
                                                  .flush = &chain->flush,
                                                  .pipeline = &chain->pipeline,
                                                  .importer = &chain->importer,
                                                  .past = &chain->past};
}

static void make_rewind(struct chain *chain)
{
    struct chain_core *core = &chain->core;
    chain->rewind = (struct rewind){.core = core,
                                    .tree = &chain->tree,
                                    .active = &chain->active,
                                    .best = &chain->best,
                                    .kept = &chain->kept,
                                    .lost = &chain->lost,
                                    .flush = &chain->flush,
                                    .writes = &chain->writes,
                                    .pipeline = &chain->pipeline,
                                    .waiters = &chain->waiters,
                                    .importer = &chain->importer,
                                    .indexes_let_go = indexes_let_go,
                                    .ctx = chain};
}

static void make_askers(struct chain *chain)
{
    struct chain_core *core = &chain->core;
    struct block_reads reads = {.core = core,
                                .tree = &chain->tree,
                                .kept = &chain->kept,
                                .writes = &chain->writes,
                                .lost = &chain->lost};
    struct index_follower follower = {.core = core,
                                      .tree = &chain->tree,
                                      .active = &chain->active,
                                      .flush = &chain->flush,
                                      .lost = &chain->lost,
                                      .reads = &chain->reads};
    block_reads_init(&chain->reads, &reads);
    for (int i = 0; i < CHAIN_INDEXES; i++) {
        follower.kind = chain_indexes[i].kind;
        index_follower_init(chain_index(chain, i), &follower);
    }
    txindex_init(&chain->txindex);
    chain->dumps =
        (struct coin_dumps){.core = core, .flush = &chain->flush, .reads = &chain->reads};
    chain->trials = (struct trials){.core = core,
                                    .active = &chain->active,
                                    .pipeline = &chain->pipeline,
                                    .waiters = &chain->waiters};
}

struct chain *chain_new(const struct env *env, const struct log *log, const struct network *network,
                        const struct chain_options *options, const struct chain_events *events)
{
    struct chain *chain = xcalloc(1, sizeof *chain);
    core_init(&chain->core, env, log, network, options, events);
    chain->blocks_dir = options->blocks_dir ? xasprintf("%s/blocks", options->blocks_dir)
                                            : xasprintf("%s/blocks", options->data_dir);
    chain->index_dir = xasprintf("%s/blocks/index", options->data_dir);
    chain->min_chain_work =
        options->min_chain_work ? *options->min_chain_work : u256_from_le(network->min_chain_work);
    make_tree(chain);
    make_upkeep(chain);
    make_pipeline(chain, options->assume_valid ? options->assume_valid : &network->assume_valid);
    make_intake(chain);
    make_rewind(chain);
    make_askers(chain);
    return chain;
}

static void close_stores(struct chain *chain)
{
    struct chain_core *core = &chain->core;
    if (chain->past_coins)
        coins_close(chain->past_coins);
    chain->past_coins = NULL;
    if (core->coins)
        coins_close(core->coins);
    if (core->index)
        index_db_close(core->index);
    if (core->files)
        block_files_close(core->files);
    core->coins = NULL;
    core->index = NULL;
    core->files = NULL;
}

void chain_free(struct chain *chain)
{
    if (!chain)
        return;
    ASSERT(chain->core.ops_pending == 0 && chain->pipeline.flights.n_dropped == 0);
    for (int i = 0; i < CHAIN_INDEXES; i++)
        index_follower_close(chain_index(chain, i));
    txindex_deinit(&chain->txindex);
    block_reads_deinit(&chain->reads);
    past_check_deinit(&chain->past);
    close_stores(chain);
    rewind_deinit(&chain->rewind);
    lost_deinit(&chain->lost);
    best_chain_deinit(&chain->best);
    active_chain_deinit(&chain->active);
    kept_blocks_deinit(&chain->kept);
    deployments_deinit(&chain->deployments);
    header_tree_deinit(&chain->tree);
    overlay_deinit(&chain->overlay);
    xfree(chain->blocks_dir);
    xfree(chain->index_dir);
    core_deinit(&chain->core);
    xfree(chain);
}

/* -- Failing -----------------------------------------------------------------------------------
 */

void chain_fault_of_coins(struct chain *chain, int error, const char *what)
{
    lost_coins(&chain->core, error, what);
}

bool chain_noted_damage(const struct chain *chain)
{
    return chain->core.noted_damage && !chain->core.any_pruned;
}

void chain_note_coins_error(struct chain *chain, int error)
{
    if (error == -EUCLEAN && chain->core.is_open && !chain->core.closing)
        chain_fault_of_coins(chain, error, "reading the coins database");
}

enum chain_damage chain_damage(const struct chain *chain)
{
    return chain->damage;
}

/* -- The committed chain
 * ---------------------------------------------------------------------------- */

const struct network *chain_network(const struct chain *chain)
{
    return chain->core.network;
}

const struct block_node *chain_tip(const struct chain *chain)
{
    return active_chain_tip(&chain->active);
}

static uint32_t next_script_flags(const struct chain *chain)
{
    return script_flags_for_block(chain->core.network, chain_tip(chain)->height + 1, NULL);
}

bool chain_scripts_are_known(const struct chain *chain, const struct wtxid *wtxid)
{
    ASSERT(wtxid);
    return script_cache_has(&chain->core.script_cache, wtxid, next_script_flags(chain));
}

void chain_scripts_hold(struct chain *chain, const struct wtxid *wtxid)
{
    uint32_t flags = next_script_flags(chain);
    ASSERT((flags & ~SCRIPT_VERIFY_STANDARD) == 0);
    script_cache_add(&chain->core.script_cache, wtxid, flags);
}

const struct block_node *chain_best_header(const struct chain *chain)
{
    return chain->tree.best_header;
}

const struct block_node *chain_best_failed(const struct chain *chain)
{
    return chain->tree.best_failed;
}

const struct block_node *chain_find(const struct chain *chain, const struct block_hash *hash)
{
    return header_tree_find(&chain->tree, hash);
}

const struct block_node *chain_at(const struct chain *chain, int32_t height)
{
    return active_chain_at(&chain->active, height);
}

bool chain_contains(const struct chain *chain, const struct block_node *node)
{
    return active_chain_contains(&chain->active, node);
}

const struct block_node *chain_next_node(const struct chain *chain, size_t *at)
{
    return hash_map_next(&chain->tree.by_hash, at);
}

struct coins *chain_coins(struct chain *chain)
{
    return chain->core.coins;
}

size_t chain_coins_cache_bytes(const struct chain *chain)
{
    return chain->core.options.cache_bytes;
}

uint64_t chain_disk_bytes(const struct chain *chain)
{
    return block_files_total_bytes(chain->core.files);
}

bool chain_is_pruned(const struct chain *chain)
{
    return chain->core.options.prune;
}

uint64_t chain_prune_target_bytes(const struct chain *chain)
{
    return chain->core.options.prune_target_bytes;
}

uint32_t chain_next_bits(const struct chain *chain, const struct block_node *prev, uint32_t time)
{
    return pow_next_bits(chain->core.network, block_node_view(), prev, time);
}

/* -- Time and progress
 * ------------------------------------------------------------------------------- */

bool chain_is_initial_download(const struct chain *chain)
{
    return !chain->core.left_initial_download;
}

void chain_update_initial_download(struct chain *chain)
{
    const struct block_node *tip = active_chain_tip(&chain->active);
    if (chain->core.left_initial_download || !tip || importer_is_active(&chain->importer) ||
        u256_compare(tip->chain_work, chain->min_chain_work) < 0 ||
        tip->time < core_now_s(&chain->core) - chain->core.options.max_tip_age_s)
        return;
    chain->core.left_initial_download = true;
    log_printf(chain->core.log, LOG_ALWAYS, "the tip is recent: leaving initial block download");
}

/* Since when others may have made blocks. Where a block is recent its time, which its miner chose,
 * is not looked at: there it is what headers tell, so that who has caught up has the whole. Spec:
 * Core GuessVerificationProgress() */
static int64_t known_until_s(const struct chain *chain, const struct block_node *node)
{
    int64_t now_s = core_now_s(&chain->core), age_s = now_s - (int64_t)node->time;
    int32_t missing = chain->tree.best_header->height - node->height;
    if (age_s < -RECENT_S || age_s > RECENT_S || missing < 0)
        return node->time;
    return now_s - missing * chain->core.network->pow_target_spacing_s;
}

/* The share by what is known of the network's pace; 0 if nothing is. */
static double progress_by_stats(const struct chain *chain, const struct block_node *node)
{
    double done = (double)node->chain_tx, total = chain->core.network->tx_stats.count;
    double per_s = chain->core.network->tx_stats.per_s;
    int64_t since_s = chain->core.network->tx_stats.time_s, now_s = core_now_s(&chain->core);
    if (per_s <= 0)
        return 0;
    if (done > total) { /* past the facts: from here on only the pace counts */
        total = done;
        since_s = known_until_s(chain, node);
    }
    if (now_s > since_s)
        total += (double)(now_s - since_s) * per_s;
    return done < total ? done / total : 1;
}

double chain_progress(const struct chain *chain, const struct block_node *node)
{
    if (!node || node->height == 0)
        return 0;
    double known_share = progress_by_stats(chain, node);
    if (known_share > 0)
        return known_share;
    /* Blocks that the clock says are still to come count by the pace of the last ones, so the
     * share is of what will be there, not of what is known. */
    double ahead_s = (double)(core_now_s(&chain->core) - known_until_s(chain, node));
    double expected = ahead_s > 0 ? ahead_s / (double)chain->core.network->pow_target_spacing_s : 0;
    double known = (double)chain->tree.best_header->height - (double)node->height;
    double missing = known > expected ? known : expected;
    if (missing < 1)
        return 1;
    double tx_per_block = (double)node->chain_tx / ((double)node->height + 1);
    const struct block_node *recent = block_node_ancestor(node, node->height - 2016);
    if (recent && recent->chain_tx)
        tx_per_block = (double)(node->chain_tx - recent->chain_tx) / 2016;
    return (double)node->chain_tx / ((double)node->chain_tx + missing * tx_per_block);
}

/* -- Handing on --------------------------------------------------------------------------------
 */

const struct block_node *chain_accept_header(struct chain *chain, const struct block_header *header,
                                             struct verdict *verdict)
{
    return intake_header(&chain->intake, header, verdict);
}

void chain_accept_block(struct chain *chain, uint8_t *block_take, size_t len, int flags,
                        chain_block_fn *done, void *arg)
{
    intake_block(&chain->intake, block_take, len, flags, done, arg);
}

void chain_accept_block_shared(struct chain *chain, struct block_ref *block_take, int flags,
                               chain_block_fn *done, void *arg)
{
    intake_block_shared(&chain->intake, block_take, flags, done, arg);
}

void chain_import_file(struct chain *chain, const char *path,
                       void (*done)(void *arg, int error, uint64_t n_blocks), void *arg)
{
    import_file(&chain->importer, path, done, arg);
}

bool chain_is_importing(const struct chain *chain)
{
    return importer_is_active(&chain->importer);
}

bool chain_is_replaying(const struct chain *chain)
{
    return importer_is_replaying(&chain->importer);
}

bool chain_awaits_clock(const struct chain *chain)
{
    return chain->importer.early_s > 0;
}

int32_t chain_unconnected(struct chain *chain)
{
    if (importer_is_active(&chain->importer) || pipeline_is_at_rest(&chain->pipeline))
        return 0;
    int32_t ahead =
        best_chain_target(&chain->best)->height - active_chain_tip(&chain->active)->height;
    return ahead > 0 ? ahead : 1; /* more work at a lower height */
}

bool chain_is_at_rest(const struct chain *chain)
{
    return !importer_is_active(&chain->importer) && pipeline_is_at_rest(&chain->pipeline);
}

size_t chain_lost_blocks(struct chain *chain, const struct block_node **out, size_t max)
{
    return lost_list(&chain->lost, false, (struct block_node **)out, max);
}

const char *chain_loss(struct chain *chain)
{
    return lost_text(&chain->lost);
}

void chain_read_block(struct chain *chain, const struct block_node *node, bool want_undo,
                      chain_read_fn *done, void *arg)
{
    block_read(&chain->reads, node, want_undo, done, arg);
}

void chain_read_raw_block(struct chain *chain, const struct block_node *node,
                          chain_read_work_fn *work, chain_read_fn *done, void *arg)
{
    block_read_raw(&chain->reads, node, work, done, arg);
}

void chain_read_undo(struct chain *chain, const struct block_node *node, chain_read_fn *done,
                     void *arg)
{
    block_read_undo(&chain->reads, node, done, arg);
}

void chain_read_for_peer(struct chain *chain, const struct block_node *node, bool is_raw,
                         chain_read_fn *done, void *arg)
{
    block_read_for_peer(&chain->reads, node, is_raw, done, arg);
}

void chain_find_tx(struct chain *chain, const struct txid *txid, chain_tx_fn *done, void *arg)
{
    txindex_find(&chain->txindex, txid, done, arg);
}

bool chain_find_known_tx(struct chain *chain, const struct txid *txid, struct arena *arena,
                         struct chain_tx *found)
{
    return txindex_find_known(&chain->txindex, txid, arena, found);
}

bool chain_txindex_status(const struct chain *chain, bool *synced, int32_t *height)
{
    return index_follower_status(&chain->txindex.follower, synced, height);
}

void chain_find_spender(struct chain *chain, const struct outpoint *outpoint,
                        chain_spender_fn *done, void *arg)
{
    spenderindex_find(&chain->spenderindex, outpoint, done, arg);
}

bool chain_spenderindex_status(const struct chain *chain, bool *synced, int32_t *height)
{
    return index_follower_status(&chain->spenderindex.follower, synced, height);
}

void chain_find_addresses(struct chain *chain, const struct script_hash *hashes, size_t n,
                          chain_addresses_fn *done, void *arg)
{
    addressindex_find(&chain->addressindex, hashes, n, done, arg);
}

bool chain_addressindex_status(const struct chain *chain, bool *synced, int32_t *height)
{
    return index_follower_status(&chain->addressindex.follower, synced, height);
}

void chain_visit_filters(struct chain *chain, const struct chain_filter_range *range,
                         chain_filter_fn *visit, chain_filters_done_fn *done, void *arg)
{
    filterindex_visit(&chain->filterindex, range, visit, done, arg);
}

bool chain_filterindex_status(const struct chain *chain, bool *synced, int32_t *height)
{
    return index_follower_status(&chain->filterindex.follower, synced, height);
}

void chain_invalidate(struct chain *chain, const struct block_hash *hash, chain_order_fn *done,
                      void *arg)
{
    orders_invalidate(&chain->orders, hash, done, arg);
}

void chain_reconsider(struct chain *chain, const struct block_hash *hash, chain_order_fn *done,
                      void *arg)
{
    orders_reconsider(&chain->orders, hash, done, arg);
}

void chain_precious(struct chain *chain, const struct block_hash *hash, chain_order_fn *done,
                    void *arg)
{
    orders_prefer(&chain->orders, hash, done, arg);
}

struct chain_moment chain_now(const struct chain *chain)
{
    struct chain_moment moment = {.tip = chain_tip(chain)->hash};
    block_files_next_place(chain->core.files, &moment.file, &moment.offset);
    return moment;
}

void chain_rewind(struct chain *chain, const struct chain_moment *moment, chain_order_fn *done,
                  void *arg)
{
    rewind_order(&chain->rewind, moment, done, arg);
}

void chain_flush(struct chain *chain, void (*done)(void *arg, int error), void *arg)
{
    flush_order(&chain->flush, done, arg);
}

void chain_sync_blocks(struct chain *chain, chain_order_fn *done, void *arg)
{
    waiters_sync(&chain->waiters, done, arg);
}

void chain_prune_to(struct chain *chain, int32_t height, void (*done)(void *arg, int error),
                    void *arg)
{
    prune_to(&chain->prune, height, done, arg);
}

int32_t chain_prune_height(const struct chain *chain)
{
    return prune_height(&chain->prune);
}

void chain_verify(struct chain *chain, int level, int n_blocks, void (*done)(void *arg, bool ok),
                  void *arg)
{
    verify_order(&chain->verifier, level, n_blocks, done, arg);
}

void chain_test_block(struct chain *chain, struct block_ref *block, chain_order_fn *done, void *arg)
{
    trial_start(&chain->trials, block, done, arg);
}

void chain_coin_stats(struct chain *chain, enum coin_stats_hash hash, coin_stats_fn *done,
                      void *arg)
{
    coin_stats_count(&chain->flush, hash, done, arg);
}

void chain_find_coin_stats(struct chain *chain, const struct block_node *node, coin_stats_fn *done,
                           void *arg)
{
    coinstatsindex_find(&chain->coinstatsindex, node, done, arg);
}

bool chain_coinstatsindex_status(const struct chain *chain, bool *synced, int32_t *height)
{
    return index_follower_status(&chain->coinstatsindex.follower, synced, height);
}

int chain_load_coins(struct chain *chain, const struct coin_load_order *order)
{
    return snapshot_load_start(&chain->snapshot_load, order);
}

bool chain_has_past_check(const struct chain *chain, struct chain_past *out)
{
    const struct past_check *past = &chain->past;
    if (!past->coins)
        return false;
    *out = (struct chain_past){.base = past->base,
                               .tip = active_chain_tip(&past->active),
                               .is_checked = !chain->tree.assumed};
    return true;
}

bool chain_lacks_past(const struct chain *chain)
{
    return chain->tree.assumed;
}

size_t chain_past_missing(const struct chain *chain, const struct block_node **out, size_t max)
{
    return past_check_missing(&chain->past, out, max);
}

int chain_dump_coins(struct chain *chain, const char *path, const struct block_node *target,
                     coin_dump_fn *done, void *arg)
{
    return coin_dump_start(&chain->dumps, path, target, done, arg);
}

void chain_scan_coins(struct chain *chain, chain_coin_fn *visit,
                      void (*done)(void *arg, int error, const struct block_node *tip), void *arg)
{
    coin_scan(&chain->flush, visit, done, arg);
}

/* The cache of states is nothing that a caller could see. */
int chain_deployment_state(const struct chain *chain, const struct block_node *prev,
                           enum bip9_deployment deployment)
{
    struct deployments *deployments = (struct deployments *)&chain->deployments;
    return (int)deployments_state(deployments, chain->core.network, prev, deployment);
}

void chain_update_unknown_rules(const struct chain *chain, const struct block_node *prev,
                                struct versionbits_unknown *unknown)
{
    struct versionbits_cache cache = deployments_cache((struct deployments *)&chain->deployments);
    versionbits_unknown_update(unknown, chain->core.network, block_node_view(), prev, &cache);
}

int32_t chain_block_version(struct chain *chain, const struct block_node *prev)
{
    struct versionbits_cache cache = deployments_cache(&chain->deployments);
    return versionbits_block_version(chain->core.network, block_node_view(), prev, &cache);
}

void chain_begin(struct chain *chain)
{
    core_begin(&chain->core);
}

void chain_end(struct chain *chain)
{
    core_end(&chain->core);
}

const struct env *chain_env(const struct chain *chain)
{
    return chain->core.env;
}

bool chain_is_closing(const struct chain *chain)
{
    return chain->core.closing;
}

void chain_check(const struct chain *chain)
{
    header_tree_check(&chain->tree);
    active_chain_check(&chain->active, &chain->tree);
    pipeline_check(&chain->pipeline);
}
