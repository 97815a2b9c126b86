/* test_stall.c - nodes ask the one who told of a block first, wait, and ask another. */
#include "sim/actors/stall.h"

#include "support/unit.h"

#define STEP_US     INT64_C(1000000)
#define BASE_BLOCKS 3
#define N           4
#define BLOCKS      12

static bool is_linked(void *ctx, size_t from, size_t to)
{
    (void)ctx;
    return to + 1 == from;
}

struct acts {
    unsigned n, n_silent, n_dropped;
};

static void on_act(void *ctx, size_t node, const char *kind, const char *what, int32_t height)
{
    struct acts *acts = ctx;
    assert_int_equal(node, 0);
    assert_string_equal(kind, "stall");
    assert_true(height > BASE_BLOCKS);
    acts->n++;
    acts->n_silent += strcmp(what, "keeps silent") == 0;
    acts->n_dropped += strcmp(what, "is dropped") == 0;
}

static int32_t height_of(struct sim_world *world, size_t i)
{
    return chain_tip(node_chain(sim_world_node(world, i)))->height;
}

/* In a line of slow links, news by the attacker is ahead of the block. */
TEST(all_get_each_block_although_he_keeps_it)
{
    struct acts acts = {0};
    struct sim_base *base = sim_base_new(BASE_BLOCKS);
    const struct sim_world_options options = {
        .seed = 1,
        .n_nodes = N,
        .net = {.latency_min_us = 100000, .latency_max_us = 100000},
        .base = base,
        .links = is_linked,
        .blocks_only = true};
    struct sim_world *world = sim_world_new(&options);
    for (size_t i = 0; i < N; i++)
        sim_world_start(world, i);
    const struct crew_options attack = {
        .world = world, .node = 0, .n_nodes = N, .act = on_act, .ctx = &acts};
    struct stall *stall = stall_new(&attack);
    sim_world_run_for(world, 30 * STEP_US);
    for (int k = 1; k <= BLOCKS; k++) {
        sim_world_mine(world, k % 2 ? 1 : N - 1);
        sim_world_run_for(world, 10 * STEP_US);
        for (size_t i = 0; i < N; i++)
            assert_int_equal(height_of(world, i), BASE_BLOCKS + k);
    }
    struct stall_result result = stall_result_of(stall);
    assert_int_equal(result.n_told, BLOCKS);
    assert_true(result.n_asked >= BLOCKS / 2);
    assert_true(result.n_dropped > 0);
    assert_true(acts.n > BLOCKS && acts.n_silent > 0);
    assert_int_equal(acts.n_dropped, result.n_dropped);
    stall_free(stall);
    sim_world_free(world);
    sim_base_free(base);
}
