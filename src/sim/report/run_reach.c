/* run_reach.c - see run_reach.h */
#include "sim/report/run_reach.h"

static const unsigned percent_of[RUN_SHARES] = {50, 90, 99, 100};

static bool has_block(const struct run_block *block, uint32_t node)
{
    return !block->has || node >= block->n_bits || (block->has[node / 8] >> node % 8 & 1);
}

/* Is it one of those that the block should reach? */
static bool is_target(const struct run *run, const struct run_block *block, uint32_t node)
{
    const struct run_node *n = &run->nodes.at[node];
    return n->is_honest && n->is_up && n->up_since_us <= block->mined_us && node != block->miner;
}

static void give_up_bits(struct run *run, struct run_block *block)
{
    run->reach_bytes -= (block->n_bits + 7) / 8;
    xfree(block->has);
    block->has = NULL;
    for (size_t i = 0; i < run->on_the_way.n; i++) {
        if (run->on_the_way.at[i] != block)
            continue;
        ARRAY_REMOVE(&run->on_the_way, i);
        return;
    }
    ASSERT(!"a block with bits is on its way");
}

/* Some count has changed: which shares are full now? */
static void note_shares(struct run_block *block)
{
    for (int i = 0; i < RUN_SHARES; i++) {
        uint64_t needed = ((uint64_t)block->n_targets * percent_of[i] + 99) / 100;
        if (block->reach_us[i] < 0 && block->n_targets > 0 && block->n_reached >= needed)
            block->reach_us[i] = block->last_us;
    }
}

bool run_reach_mined(struct run *run, struct run_block *block)
{
    ASSERT(run && block && !block->has && block->n_targets == 0);
    uint32_t n = (uint32_t)run->nodes.n;
    size_t bytes = (n + 7) / 8;
    if (run->reach_bytes + bytes > RUN_REACH_BYTES_MAX)
        return false;
    for (uint32_t i = 0; i < n; i++)
        block->n_targets += is_target(run, block, i);
    block->has = xcalloc(bytes, 1);
    block->n_bits = n;
    run->reach_bytes += bytes;
    *ARRAY_ADD(&run->on_the_way) = block;
    return true;
}

static void arrive(struct run *run, struct run_block *block, uint32_t node)
{
    block->has[node / 8] |= (uint8_t)(1 << node % 8);
    if (!is_target(run, block, node))
        return;
    ASSERT(block->n_reached < block->n_targets);
    block->n_reached++;
    block->last_us = run->t_us - block->mined_us;
    delays_add(&run->delays, block->last_us);
    note_shares(block);
    if (block->n_reached == block->n_targets)
        give_up_bits(run, block);
}

/* Count what leaving old for tip undid. */
static void count_reorg(struct run *run, const struct run_block *old, const struct run_block *tip)
{
    uint32_t depth = 0;
    while (old && old != tip) {
        if (tip && tip->height > old->height) {
            tip = tip->parent;
            continue;
        }
        old = old->parent;
        depth++;
    }
    run->n_reorgs += depth > 0;
    run->reorg_depth_max = MAX_OF(run->reorg_depth_max, depth);
}

void run_reach_tip(struct run *run, uint32_t node, struct run_block *tip)
{
    ASSERT(run && node < run->nodes.n);
    struct run_node *n = &run->nodes.at[node];
    if (n->tip && tip && n->is_honest)
        count_reorg(run, n->tip, tip);
    n->tip = tip;
    for (struct run_block *block = tip; block && !has_block(block, node); block = block->parent)
        arrive(run, block, node);
}

void run_reach_down(struct run *run, uint32_t node)
{
    ASSERT(run && node < run->nodes.n);
    for (size_t i = run->on_the_way.n; i-- > 0;) {
        struct run_block *block = run->on_the_way.at[i];
        if (!is_target(run, block, node) || has_block(block, node))
            continue;
        block->n_targets--;
        note_shares(block);
        if (block->n_targets == block->n_reached)
            give_up_bits(run, block);
    }
}
