/* sim_base.c - the chain that all machines of a world begin with: mined once, copied often. */
#include <stdio.h>

#include "sim/sim_spend.h"
#include "sim/sim_world_internal.h"
#include "util/alloc.h"

#define BASE_SEED 1
#define STEP_US   100000

struct sim_base {
    struct sim_disk *disk;
    int64_t clock_us; /* when its node was stopped */
    int32_t n_blocks;
    struct sim_coin *coins; /* by height - 1 */
};

static void on_read(void *arg, const struct chain_block_read *read)
{
    struct sim_base *base = arg;
    ASSERT(read->error == 0);
    const struct tx *coinbase = &read->block->block.tx[0];
    base->coins[read->node->height - 1] = (struct sim_coin){
        .outpoint = {.txid = coinbase->txid, .vout = 0}, .value_sat = coinbase->out[0].value_sat};
}

/* By a node of its own world, in the usual way: the disk that it leaves is what any node would. The
 * coinbases are read back from it, since RPC names blocks only. */
static void mine_base(struct sim_base *base, struct sim_world *world)
{
    char params[128];
    snprintf(params, sizeof params, "[%d,\"" SIM_SPEND_ADDRESS "\"]", base->n_blocks);
    sim_world_start(world, 0);
    struct chain *chain = node_chain(sim_world_node(world, 0));
    sim_world_call(world, 0, "generatetoaddress", params, NULL, NULL);
    while (chain_tip(chain)->height < base->n_blocks)
        sim_world_run_for(world, STEP_US);
    for (int32_t height = 1; height <= base->n_blocks; height++)
        chain_read_block(chain, chain_at(chain, height), false, on_read, base);
    sim_world_run_for(world, 10 * STEP_US);
    sim_world_stop(world, 0);
    while (sim_world_state(world, 0) != SIM_MACHINE_OFF)
        sim_world_run_for(world, STEP_US);
    ASSERT(!sim_world_failure(world));
}

struct sim_base *sim_base_new(int32_t n_blocks)
{
    return sim_base_new_in_files(n_blocks, 0);
}

struct sim_base *sim_base_new_in_files(int32_t n_blocks, uint32_t block_file_bytes)
{
    struct sim_base *base = xcalloc(1, sizeof *base);
    base->n_blocks = n_blocks;
    base->coins = xcalloc((size_t)n_blocks + 1, sizeof *base->coins);
    const struct sim_world_options options = {
        .seed = BASE_SEED, .n_nodes = 1, .block_file_bytes = block_file_bytes};
    struct sim_world *world = sim_world_new(&options);
    mine_base(base, world);
    base->clock_us = world->events.now_us;
    base->disk =
        sim_disk_after_crash(sim_env_disk(world->machines[0].env), SIM_CRASH_KILLED, BASE_SEED);
    sim_world_free(world);
    return base;
}

void sim_base_free(struct sim_base *base)
{
    ASSERT(base);
    sim_disk_free(base->disk);
    xfree(base->coins);
    xfree(base);
}

struct sim_coin sim_base_coin(const struct sim_base *base, int32_t height)
{
    ASSERT(height >= 1 && height <= base->n_blocks);
    return base->coins[height - 1];
}

int32_t sim_base_height(const struct sim_base *base)
{
    return base->n_blocks;
}

struct sim_disk *sim_base_disk(const struct sim_base *base)
{
    return sim_disk_after_crash(base->disk, SIM_CRASH_KILLED, BASE_SEED);
}

int64_t sim_base_clock_us(const struct sim_base *base)
{
    return base->clock_us;
}
