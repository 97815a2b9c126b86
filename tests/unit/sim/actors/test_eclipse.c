/* test_eclipse.c - a node whose places others fill keeps whom it chose itself. */
#include "sim/actors/eclipse.h"

#include "support/unit.h"

#define STEP_US     INT64_C(1000000)
#define BASE_BLOCKS 3
#define N           4

/* The first connects to the second, and so on. */
static bool is_linked(void *ctx, size_t from, size_t to)
{
    (void)ctx;
    return from + 1 == to;
}

static const struct block_node *tip_of(struct sim_world *world, size_t i)
{
    return chain_tip(node_chain(sim_world_node(world, i)));
}

static struct sim_world *world_new(const struct sim_base *base)
{
    const struct sim_world_options options = {
        .seed = 1, .n_nodes = N, .base = base, .links = is_linked};
    struct sim_world *world = sim_world_new(&options);
    for (size_t i = 0; i < N; i++)
        sim_world_start(world, i);
    return world;
}

TEST(all_places_are_taken_and_blocks_still_come)
{
    struct sim_base *base = sim_base_new(BASE_BLOCKS);
    struct sim_world *world = world_new(base);
    const struct crew_options attack = {.world = world, .node = 3, .n_nodes = N, .target = 0};
    struct eclipse *eclipse = eclipse_new(&attack);
    sim_world_run_for(world, 60 * STEP_US);
    struct eclipse_result result = eclipse_result_of(eclipse);
    assert_true(result.n_places >= 100 && result.n_places < ECLIPSE_GUESTS);
    assert_true(result.n_dropped > 0); /* there are more of them than places */
    assert_int_equal(result.n_taken, result.n_places + result.n_dropped);
    for (int k = 1; k <= 4; k++) {
        sim_world_mine(world, N - 1);
        sim_world_run_for(world, 10 * STEP_US);
        assert_int_equal(tip_of(world, 0)->height, BASE_BLOCKS + k);
        assert_true(block_hash_equal(&tip_of(world, 0)->hash, &tip_of(world, N - 1)->hash));
    }
    eclipse_free(eclipse);
    sim_world_free(world);
    sim_base_free(base);
}
