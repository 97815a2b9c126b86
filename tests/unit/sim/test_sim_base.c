/* test_sim_base.c - the chain that all machines begin with is there, whole, and always the same. */
#include "sim/sim_world_internal.h"
#include "support/unit.h"

static struct sim_summary summary_of_a_machine(const struct sim_base *base, uint64_t seed)
{
    const struct sim_world_options options = {.seed = seed, .n_nodes = 1, .base = base};
    struct sim_world *world = sim_world_new(&options);
    struct sim_summary summary;
    sim_world_start(world, 0);
    assert_false(chain_is_initial_download(node_chain(sim_world_node(world, 0))));
    assert_true(sim_world_summary(world, 0, &summary));
    assert_null(sim_world_failure(world));
    sim_world_free(world);
    return summary;
}

TEST(every_machine_begins_with_the_base)
{
    struct sim_base *base = sim_base_new(30);
    assert_int_equal(sim_base_height(base), 30);
    struct sim_summary a = summary_of_a_machine(base, 1), b = summary_of_a_machine(base, 2);
    assert_int_equal(a.height, 30);
    assert_string_equal(a.tip, b.tip);
    assert_string_equal(a.muhash, b.muhash);
    sim_base_free(base);
}

TEST(a_base_is_the_same_each_time)
{
    struct sim_base *a = sim_base_new(12), *b = sim_base_new(12);
    assert_int_equal(sim_base_clock_us(a), sim_base_clock_us(b));
    for (int32_t height = 1; height <= 12; height++) {
        struct sim_coin coin_a = sim_base_coin(a, height), coin_b = sim_base_coin(b, height);
        assert_int_equal(coin_a.value_sat, INT64_C(5000000000));
        assert_memory_equal(&coin_a.outpoint.txid, &coin_b.outpoint.txid, 32);
        if (height == 1)
            continue;
        struct sim_coin before = sim_base_coin(a, height - 1);
        assert_memory_not_equal(&coin_a.outpoint.txid, &before.outpoint.txid, 32);
    }
    sim_base_free(a);
    sim_base_free(b);
}
