/* test_lie.c - four lies, none of which a node believes. */
#include "sim/actors/lie.h"

#include "support/unit.h"

#define STEP_US     INT64_C(1000000)
#define BASE_BLOCKS 3
#define N           3
#define ROUNDS      3

static bool is_linked(void *ctx, size_t from, size_t to)
{
    (void)ctx;
    return from > to;
}

static const struct block_node *tip_of(struct sim_world *world, size_t i)
{
    return chain_tip(node_chain(sim_world_node(world, i)));
}

TEST(who_lies_is_let_go_and_all_agree)
{
    struct sim_base *base = sim_base_new(BASE_BLOCKS);
    const struct sim_world_options options = {
        .seed = 1, .n_nodes = N, .base = base, .links = is_linked};
    struct sim_world *world = sim_world_new(&options);
    for (size_t i = 0; i < N; i++)
        sim_world_start(world, i);
    const struct crew_options attack = {.world = world, .node = 0, .n_nodes = N};
    struct lie *lie = lie_new(&attack);
    sim_world_run_for(world, 30 * STEP_US);
    for (int k = 1; k <= ROUNDS * LIE_KINDS; k++) {
        uint64_t n_dropped = lie_result_of(lie).n_dropped;
        sim_world_mine(world, (size_t)k % N);
        sim_world_run_for(world, 20 * STEP_US);
        for (size_t i = 0; i < N; i++) {
            assert_int_equal(tip_of(world, i)->height, BASE_BLOCKS + k);
            assert_true(block_hash_equal(&tip_of(world, i)->hash, &tip_of(world, 0)->hash));
        }
        if (k % LIE_KINDS == 1) /* a header without work: at once, by both whom he knows */
            assert_int_equal(lie_result_of(lie).n_dropped, n_dropped + N - 1);
    }
    struct lie_result result = lie_result_of(lie);
    for (int i = 0; i < LIE_KINDS; i++)
        assert_int_equal(result.n_told[i], ROUNDS);
    assert_true(result.n_taken > 0);
    assert_true(result.n_dropped > ROUNDS * (N - 1)); /* for false blocks as well */
    lie_free(lie);
    sim_world_free(world);
    sim_base_free(base);
}
