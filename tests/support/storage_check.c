/* storage_check.c - what must be true of a node after each start, and once it has caught up. */
#include <stdlib.h>
#include <string.h>

#include "mempool/mempool_file.h"
#include "support/storage_run_internal.h"
#include "util/alloc.h"

bool storage_is_settled(struct run *run)
{
    const struct mempool *mempool = node_mempool(sim_world_node(run->world, TRIED));
    return chain_is_at_rest(chain_of(run, TRIED)) && mempool && !mempool_file_is_expected(mempool);
}

void storage_settle(struct run *run)
{
    int64_t end_us = sim_world_now_us(run->world) + PATIENCE_US;
    do {
        sim_world_run_for(run->world, SECOND / 2);
        if (sim_world_now_us(run->world) > end_us)
            sim_world_fail(run->world, "does not come to rest after a start");
    } while (!has_failed(run) && is_up(run) && !storage_is_settled(run));
    if (!has_failed(run) && !is_up(run))
        sim_world_fail(run->world, "stopped by itself");
}

static bool is_below_invalid(const struct run *run, const struct block_node *node)
{
    if (run->invalid_state == INVALID_NONE)
        return false;
    while (node && !block_hash_equal(&node->hash, &run->invalid))
        node = node->prev;
    return node;
}

/* What became of an order whose answer nobody got is as it is. */
void storage_check_validity(struct run *run)
{
    const struct chain *chain = chain_of(run, TRIED);
    const struct block_node *node = chain_find(chain, &run->invalid);
    bool is_failed = node && (node->status & BLOCK_FAILED_MASK);
    if (run->invalid_state == INVALID_ACKED && !is_failed)
        sim_world_fail(run->world, "an acknowledged invalidateblock is forgotten");
    if (run->invalid_state == INVALID_UNKNOWN)
        run->invalid_state = is_failed ? INVALID_ACKED : INVALID_NONE;
    size_t at = 0;
    while ((node = chain_next_node(chain, &at)))
        if ((node->status & BLOCK_FAILED_MASK) && !is_below_invalid(run, node))
            sim_world_fail(run->world, "the block at height %d is invalid without an order",
                           node->height);
}

/* What pruning has left: CHAIN_PRUNE_KEEP_BLOCKS below the tip that there was when it was ordered.
 * Orders have taken that back since, by a few blocks at a time, but the index knows its block. */
static int32_t pruned_limit(const struct run *run, const struct chain *chain,
                            const struct block_node *tip)
{
    int32_t height = tip->height;
    const struct block_node *node;
    size_t at = 0;
    while (run->was_pruned && (node = chain_next_node(chain, &at)))
        if (node->n_tx > 0 && node->height > height)
            height = node->height;
    return height - CHAIN_PRUNE_KEEP_BLOCKS;
}

static void check_blocks(struct run *run)
{
    const struct chain *chain = chain_of(run, TRIED);
    const struct block_node *tip = chain_tip(chain);
    for (size_t i = 0; i < run->n_acked; i++) {
        char hash[HEX_ID_BYTES];
        show_hash(&run->acked[i].hash, hash);
        const struct block_node *node = chain_find(chain, &run->acked[i].hash);
        if (!node || node->n_tx == 0)
            sim_world_fail(run->world, "the acknowledged block %s is lost", hash);
        else if (!is_below_invalid(run, node) &&
                 u256_compare(node->chain_work, tip->chain_work) > 0)
            sim_world_fail(run->world, "at height %d, below the acknowledged block at %d",
                           tip->height, node->height);
    }
    /* An order may have taken the tip back since. */
    if (run->invalid_state == INVALID_NONE && u256_compare(tip->chain_work, run->durable_work) < 0)
        sim_world_fail(run->world, "at height %d, below what a complete flush had", tip->height);
    int32_t limit = pruned_limit(run, chain, tip);
    for (const struct block_node *at = tip; at && at->height > limit; at = at->prev)
        if (!(at->status & BLOCK_HAVE_DATA))
            sim_world_fail(run->world, "the block at height %d is not there", at->height);
}

static void on_read(void *arg, const struct chain_block_read *read)
{
    struct run *run = arg;
    if (read->error)
        sim_world_fail(run->world, "the block at height %d cannot be read: %s", read->node->height,
                       strerror(-read->error));
    else if ((read->node->status & BLOCK_HAVE_UNDO) && read->undo_raw.len == 0)
        sim_world_fail(run->world, "the undo data at height %d is not there", read->node->height);
}

static bool on_record(void *arg, const struct file_pos *pos, struct span block)
{
    bool *has_record = arg;
    (void)pos;
    (void)block;
    *has_record = true;
    return false;
}

/* A file of blocks is counted, or nobody would ever remove it. */
static void on_file(void *arg, const char *name)
{
    struct run *run = arg;
    struct block_files *files = files_of(chain_of(run, TRIED));
    if (strncmp(name, "blk", 3) != 0)
        return;
    size_t number = strtoul(name + 3, NULL, 10);
    bool has_record = false;
    if (number < block_files_count(files) && block_files_info(files, number)->block_bytes > 0)
        return;
    if (block_files_scan(files, (int32_t)number, 0, on_record, &has_record) || has_record)
        sim_world_fail(run->world, "nobody counts the file %s", name);
}

static void check_files(struct run *run)
{
    struct chain *chain = chain_of(run, TRIED);
    const struct block_node *node;
    size_t at = 0;
    if (env_list(core_of(chain)->env, blocks_dir_of(chain), on_file, run))
        sim_world_fail(run->world, "no block files");
    while ((node = chain_next_node(chain, &at)))
        if (node->status & BLOCK_HAVE_DATA)
            chain_read_block(chain, node, node->status & BLOCK_HAVE_UNDO, on_read, run);
    sim_world_run_for(run->world, 3 * SECOND);
}

static void on_tested(void *arg, int status, const char *body)
{
    struct run *run = arg;
    run->is_tested = true;
    if (status == 200 && strstr(body, "\"allowed\":true"))
        sim_world_fail(run->world, "a transaction of an acknowledged savemempool is lost: %.200s",
                       body);
}

/* In the file, or in a block when that was written anew: such a block is still known, whatever has
 * taken it off the chain since and left its transactions to nobody. */
static bool may_be_absent(struct run *run, const struct sent_tx *sent)
{
    const struct block_node *tip = chain_find(chain_of(run, TRIED), &run->saving_tip);
    return !sent->is_saved || (sent->is_doubtful && tip && tip->n_tx > 0);
}

static void check_mempool(struct run *run)
{
    const struct mempool *mempool = node_mempool(sim_world_node(run->world, TRIED));
    for (size_t i = 0; i < run->n_sent; i++) {
        if (may_be_absent(run, &run->sent[i]) || mempool_find(mempool, &run->sent[i].txid))
            continue;
        char *params = xasprintf("[[\"%s\"]]", run->sent[i].hex);
        int patience = 100; /* before anything else is done: what is being put back is allowed */
        run->is_tested = false;
        sim_world_call(run->world, TRIED, "testmempoolaccept", params, on_tested, run);
        xfree(params);
        do
            sim_world_run_for(run->world, SECOND / 10);
        while (!run->is_tested && is_up(run) && --patience > 0);
        if (patience == 0)
            sim_world_fail(run->world, "testmempoolaccept is not answered");
        run->sent[i].is_saved = false; /* rightly refused: in a block, or in conflict */
    }
}

void storage_check(struct run *run)
{
    if (!has_failed(run))
        storage_check_validity(run);
    if (!has_failed(run))
        check_blocks(run);
    if (!has_failed(run))
        check_files(run);
    if (!has_failed(run) && is_up(run))
        check_mempool(run);
}

/* No coin that was spent comes back: asked of memory and store alike. */
void storage_compare_coins(struct run *run)
{
    for (int32_t height = 1; height <= STORAGE_RUN_BLOCKS; height++) {
        struct sim_coin base = sim_base_coin(run->options->base, height);
        struct arena arena;
        struct coin coin;
        arena_init(&arena, 1024);
        int tried = coins_get(chain_coins(chain_of(run, TRIED)), &base.outpoint, &arena, &coin);
        int sound = coins_get(chain_coins(chain_of(run, SOUND)), &base.outpoint, &arena, &coin);
        arena_deinit(&arena);
        if (tried != sound)
            sim_world_fail(run->world, "the coin of height %d is %s", height,
                           tried == 1 ? "unspent again" : "lost");
    }
}
