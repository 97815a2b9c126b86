/* chain.c - the chain as an object: making, asking, failing. */
#include "chain/chain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "chain/chain_internal.h"
#include "chain/tree/deployments.h"
#include "chain/tree/node_view.h"
#include "chain/upkeep/undo_repair.h"
#include "consensus/pow.h"
#include "util/alloc.h"

/* -- The turn ------------------------------------------------------------------------------------
 */

/* The tip has moved, and the chain rests for now: tell the node. */
static void announce_tip(void *part)
{
    struct chain *chain = part;
    if (!chain->tip_moved || !core_is_working(&chain->core))
        return;
    chain->tip_moved = false;
    chain_update_initial_download(chain);
    if (chain->core.events.tip_changed)
        chain->core.events.tip_changed(chain->core.events.ctx, chain_tip(chain));
}

static const struct chain_part tip_part = {.name = "tip", .step = announce_tip};

/* In the order of a turn: blocks come in and become the tip, the tip is told, those who follow it
 * go on, it is made durable, and then there is room for more. */
static const struct row {
    const struct chain_part *part;
    size_t offset; /* of what the part works on, in struct chain */
} rows[] = {
    {&accept_part, 0},       {&pipeline_part, 0},    {&tip_part, 0},         {&txindex_part, 0},
    {&spenderindex_part, 0}, {&waiters_part, 0},     {&undo_repair_part, 0}, {&prune_part, 0},
    {&flush_part, 0},        {&block_reads_part, 0}, {&import_part, 0},      {&check_part, 0},
};

static void *part_of(const struct chain *chain, const struct row *row)
{
    return (char *)chain + row->offset;
}

static void take_turn(void *arg)
{
    struct chain *chain = arg;
    for (size_t i = 0; i < COUNT_OF(rows) && chain->core.is_open; i++)
        rows[i].part->step(part_of(chain, &rows[i]));
    if (chain->core.closing)
        close_step(chain);
}

bool chain_parts_are_busy(const struct chain *chain)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (rows[i].part->is_busy && rows[i].part->is_busy(part_of(chain, &rows[i])))
            return true;
    return false;
}

void chain_parts_cancel(struct chain *chain)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (rows[i].part->cancel)
            rows[i].part->cancel(part_of(chain, &rows[i]));
}

/* -- Making ------------------------------------------------------------------------------------ */

struct chain *chain_new(const struct env *env, const struct log *log, const struct network *network,
                        const struct chain_options *options, const struct chain_events *events)
{
    struct chain *chain = xcalloc(1, sizeof *chain);
    core_init(&chain->core, env, log, network, options, events);
    core_set_turn(&chain->core, take_turn, chain);
    chain->blocks_dir = options->blocks_dir ? xasprintf("%s/blocks", options->blocks_dir)
                                            : xasprintf("%s/blocks", options->data_dir);
    chain->index_dir = xasprintf("%s/blocks/index", options->data_dir);
    chain->assume_valid = options->assume_valid ? *options->assume_valid : network->assume_valid;
    chain->min_chain_work =
        options->min_chain_work ? *options->min_chain_work : u256_from_le(network->min_chain_work);
    struct siphash_key key;
    env_random(env, &key, sizeof key);
    header_tree_init(&chain->tree, key);
    best_chain_init(chain);
    kept_blocks_init(&chain->kept, KEPT_BLOCKS_MAX_BYTES);
    overlay_init(&chain->overlay);
    block_reads_init(chain);
    deployments_init(&chain->deployments);
    return chain;
}

void chain_free(struct chain *chain)
{
    if (!chain)
        return;
    ASSERT(chain->flights.n == 0 && chain->flights_dropped == 0 && chain->core.ops_pending == 0);
    txindex_close(chain);
    spenderindex_close(chain);
    block_reads_deinit(chain);
    if (chain->core.coins)
        coins_close(chain->core.coins);
    if (chain->core.index)
        index_db_close(chain->core.index);
    if (chain->core.files)
        block_files_close(chain->core.files);
    lost_deinit(&chain->lost);
    deployments_deinit(&chain->deployments);
    overlay_deinit(&chain->overlay);
    kept_blocks_deinit(&chain->kept);
    sorted_map_deinit(&chain->candidates);
    header_tree_deinit(&chain->tree);
    xfree(chain->active.at);
    xfree(chain->blocks_dir);
    xfree(chain->index_dir);
    core_deinit(&chain->core);
    xfree(chain);
}

/* -- Failing --------------------------------------------------------------------------------------
 */

void chain_fault_of_coins(struct chain *chain, int error, const char *what)
{
    if (chain->core.faulted || error != -EUCLEAN) {
        core_fault(&chain->core, error, what);
        return;
    }
    /* If not even that can be written, the next start sees the damage when it comes to it. */
    int note_error = index_db_set_flag(chain->core.index, INDEX_FLAG_DAMAGED_COINS);
    chain->core.noted_damage = note_error == 0;
    if (note_error)
        log_error(chain->core.log, "the damage of the coins cannot be noted: %s",
                  strerror(-note_error));
    core_fault(&chain->core, error, what);
    log_error(chain->core.log,
              "the coins database is damaged: the next start makes it anew from the "
              "blocks, as -reindex-chainstate does");
}

bool chain_noted_damage(const struct chain *chain)
{
    return chain->core.noted_damage && !chain->any_pruned;
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

void active_chain_set_tip(struct active_chain *active, struct block_node *tip)
{
    size_t n = (size_t)tip->height + 1;
    if (n > active->capacity) {
        active->capacity = n > 2 * active->capacity ? n + 1024 : 2 * active->capacity;
        active->at = xrealloc(active->at, active->capacity, sizeof(struct block_node *));
    }
    for (struct block_node *node = tip; node; node = node->prev) {
        size_t height = (size_t)node->height;
        if (height < active->n && active->at[height] == node)
            break;
        active->at[height] = node;
    }
    active->n = n;
}

struct block_node *chain_tip_node(const struct chain *chain)
{
    return chain->active.n ? chain->active.at[chain->active.n - 1] : NULL;
}

const struct network *chain_network(const struct chain *chain)
{
    return chain->core.network;
}

const struct block_node *chain_tip(const struct chain *chain)
{
    return chain_tip_node(chain);
}

const struct block_node *chain_best_header(const struct chain *chain)
{
    return chain->tree.best_header;
}

const struct block_node *chain_find(const struct chain *chain, const struct block_hash *hash)
{
    return header_tree_find(&chain->tree, hash);
}

const struct block_node *chain_at(const struct chain *chain, int32_t height)
{
    return height >= 0 && (size_t)height < chain->active.n ? chain->active.at[height] : NULL;
}

bool chain_contains(const struct chain *chain, const struct block_node *node)
{
    return chain_at(chain, node->height) == node;
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
    const struct block_node *tip = chain_tip_node(chain);
    if (chain->core.left_initial_download || !tip || import_is_active(chain) ||
        u256_compare(tip->chain_work, chain->min_chain_work) < 0 ||
        tip->time < core_now_s(&chain->core) - chain->core.options.max_tip_age_s)
        return;
    chain->core.left_initial_download = true;
    log_printf(chain->core.log, LOG_ALWAYS, "the tip is recent: leaving initial block download");
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
        since_s = node->time;
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
    double ahead_s = (double)(core_now_s(&chain->core) - (int64_t)node->time);
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
