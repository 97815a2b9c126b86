/* sim_base.c - the chain that all machines of a world begin with: mined once, copied often. */
#include <stdio.h>

#include "consensus/opcodes.h"
#include "sim/sim_spend.h"
#include "sim/sim_world_internal.h"
#include "util/alloc.h"
#include "util/arena.h"
#include "util/array.h"

#define BASE_SEED          1
#define STEP_US            100000
#define SPREAD_FEE_SAT     100000
#define OUTPUTS_OF_ONE_MAX (SIM_BASE_COINS_MAX / SIM_BASE_PAYING) /* a standard transaction */

struct sim_base {
    const struct network *network; /* while it is mined; NULL: regtest */
    struct sim_disk *disk;
    int64_t clock_us; /* when its node was stopped */
    int32_t n_blocks;
    struct sim_coin *coins; /* by height - 1 */
    struct span script;     /* of those that are spread; while it is mined */
    size_t n_wanted;
    ARRAY(struct sim_coin) spread;
};

static void on_read(void *arg, const struct chain_block_read *read)
{
    struct sim_base *base = arg;
    ASSERT(read->error == 0);
    const struct tx *coinbase = &read->block->block.tx[0];
    base->coins[read->node->height - 1] = (struct sim_coin){
        .outpoint = {.txid = coinbase->txid, .vout = 0}, .value_sat = coinbase->out[0].value_sat};
}

static void on_spread(void *arg, int status, const char *body)
{
    (void)arg, (void)body;
    ASSERT(status == 200);
}

/* The coinbase of a height, to n outputs of base->script. */
static void spread_coinbase(struct sim_base *base, struct sim_world *world, int32_t height,
                            uint32_t n)
{
    static const uint8_t witness[] = {1, 1, OP_1}; /* see sim_spend.c */
    const struct sim_coin *coin = &base->coins[height - 1];
    struct tx_in in = {.prevout = coin->outpoint,
                       .sequence = UINT32_MAX,
                       .witness = span_of(witness, sizeof witness)};
    struct tx tx = {.version = 2, .in = &in, .n_in = 1, .n_out = n};
    struct arena arena;
    arena_init(&arena, 4096);
    tx.out = arena_calloc(&arena, n, sizeof *tx.out);
    int64_t value_sat = (coin->value_sat - SPREAD_FEE_SAT) / n;
    for (uint32_t i = 0; i < n; i++)
        tx.out[i] = (struct tx_out){.value_sat = value_sat, .script_pubkey = base->script};
    tx_finish(&tx, &arena);
    for (uint32_t i = 0; i < n; i++)
        *ARRAY_ADD(&base->spread) =
            (struct sim_coin){.outpoint = {.txid = tx.txid, .vout = i}, .value_sat = value_sat};
    char *hex = xmalloc(2 * tx.raw.len + 1);
    hex_encode(hex, tx.raw);
    char *params = xasprintf("[\"%s\"]", hex);
    sim_world_call(world, 0, "sendrawtransaction", params, on_spread, NULL);
    xfree(params);
    xfree(hex);
    arena_deinit(&arena);
}

/* One block more, with them in it. */
static void spread_coins(struct sim_base *base, struct sim_world *world)
{
    struct chain *chain = node_chain(sim_world_node(world, 0));
    struct mempool *mempool = node_mempool(sim_world_node(world, 0));
    size_t n_txs = 0;
    for (int32_t height = 1; height <= base->n_blocks; height++)
        chain_read_block(chain, chain_at(chain, height), false, on_read, base);
    sim_world_run_for(world, 10 * STEP_US);
    while (base->spread.n < base->n_wanted) {
        size_t n = MIN_OF(base->n_wanted - base->spread.n, OUTPUTS_OF_ONE_MAX);
        spread_coinbase(base, world, (int32_t)++n_txs, (uint32_t)n);
    }
    while (mempool_count(mempool) < n_txs)
        sim_world_run_for(world, STEP_US);
    sim_world_mine(world, 0);
    while (chain_tip(chain)->height == base->n_blocks)
        sim_world_run_for(world, STEP_US);
    base->n_blocks++;
}

static void mine_at_once(struct sim_base *base, struct sim_world *world, struct chain *chain)
{
    char params[128];
    snprintf(params, sizeof params, "[%d,\"" SIM_SPEND_ADDRESS "\"]", base->n_blocks);
    sim_world_call(world, 0, "generatetoaddress", params, NULL, NULL);
    while (chain_tip(chain)->height < base->n_blocks)
        sim_world_run_for(world, STEP_US);
}

/* Difficulty stays as it is so. */
static void mine_slowly(struct sim_base *base, struct sim_world *world, struct chain *chain)
{
    int64_t due_us = sim_world_now_us(world);
    while (chain_tip(chain)->height < base->n_blocks) {
        int32_t height = chain_tip(chain)->height;
        due_us += base->network->pow_target_spacing_s * 1000000;
        sim_world_run_for(world, MAX_OF(due_us - sim_world_now_us(world), STEP_US));
        sim_world_mine(world, 0);
        while (chain_tip(chain)->height == height)
            sim_world_run_for(world, STEP_US);
    }
}

/* By a node of its own world, in the usual way: the disk that it leaves is what any node would. The
 * coinbases are read back from it, since RPC names blocks only. */
static void mine_base(struct sim_base *base, struct sim_world *world)
{
    sim_world_start(world, 0);
    struct chain *chain = node_chain(sim_world_node(world, 0));
    if (base->network)
        mine_slowly(base, world, chain);
    else
        mine_at_once(base, world, chain);
    if (base->n_wanted > 0)
        spread_coins(base, world);
    for (int32_t height = 1; height <= base->n_blocks; height++)
        chain_read_block(chain, chain_at(chain, height), false, on_read, base);
    sim_world_run_for(world, 10 * STEP_US);
    sim_world_stop(world, 0);
    while (sim_world_state(world, 0) != SIM_MACHINE_OFF)
        sim_world_run_for(world, STEP_US);
    ASSERT(!sim_world_failure(world));
}

static struct sim_base *mine(struct sim_base *base, uint32_t block_file_bytes)
{
    /* One more than it begins with, for those that are spread. */
    base->coins = xcalloc((size_t)base->n_blocks + 1, sizeof *base->coins);
    const struct sim_world_options options = {.seed = BASE_SEED,
                                              .n_nodes = 1,
                                              .network = base->network,
                                              .block_file_bytes = block_file_bytes};
    struct sim_world *world = sim_world_new(&options);
    mine_base(base, world);
    base->clock_us = world->events.now_us;
    base->disk =
        sim_disk_after_crash(sim_env_disk(world->machines[0].env), SIM_CRASH_KILLED, BASE_SEED);
    sim_world_free(world);
    base->network = NULL;
    return base;
}

struct sim_base *sim_base_new(int32_t n_blocks)
{
    return sim_base_new_in_files(n_blocks, 0);
}

struct sim_base *sim_base_new_in_files(int32_t n_blocks, uint32_t block_file_bytes)
{
    struct sim_base *base = xcalloc(1, sizeof *base);
    base->n_blocks = n_blocks;
    return mine(base, block_file_bytes);
}

struct sim_base *sim_base_new_with_coins(const struct network *network, struct span script,
                                         size_t n_coins)
{
    ASSERT(n_coins <= SIM_BASE_COINS_MAX);
    struct sim_base *base = xcalloc(1, sizeof *base);
    base->network = network;
    base->n_blocks =
        (network ? network : network_get(NETWORK_REGTEST))->coinbase_maturity + SIM_BASE_PAYING + 2;
    base->script = script;
    base->n_wanted = n_coins;
    return mine(base, 0);
}

void sim_base_free(struct sim_base *base)
{
    ASSERT(base);
    sim_disk_free(base->disk);
    xfree(base->coins);
    ARRAY_FREE(&base->spread);
    xfree(base);
}

struct sim_coin sim_base_coin(const struct sim_base *base, int32_t height)
{
    ASSERT(height >= 1 && height <= base->n_blocks);
    return base->coins[height - 1];
}

struct sim_coin sim_base_spread_coin(const struct sim_base *base, size_t i)
{
    ASSERT(i < base->spread.n);
    return base->spread.at[i];
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
