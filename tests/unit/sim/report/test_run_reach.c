/* test_run_reach.c - who is counted when a block spreads, and when a share of them is full. */
#include "sim/report/run_reach.h"
#include "support/sim_trace.h"
#include "support/unit.h"

/* Eleven nodes: the miner and ten others, which the block reaches after 1, 2, ... n seconds. */
static struct run *spread(unsigned n)
{
    struct buffer trace;
    sim_trace_begin(&trace, 11);
    sim_trace_mined(&trace, 100, 0, 1, (unsigned[]){1, 0});
    for (unsigned i = 1; i <= n; i++)
        sim_trace_tip(&trace, 100 + i, i, 1);
    struct run *run = sim_trace_read(&trace);
    assert_non_null(run);
    return run;
}

static void assert_reach(const struct run_block *block, const int64_t want_s[RUN_SHARES])
{
    for (int i = 0; i < RUN_SHARES; i++)
        assert_int_equal(block->reach_us[i], want_s[i] < 0 ? -1 : want_s[i] * 1000000);
}

TEST(shares_are_full_when_so_many_others_have_it)
{
    struct run *run = spread(10);
    assert_reach(run->blocks.at[0], (int64_t[]){5, 9, 10, 10});
    assert_int_equal(run->delays.n, 10);
    assert_int_equal(run->on_the_way.n, 0);
    assert_int_equal(run->reach_bytes, 0);
    run_free(run);
    run = spread(9);
    assert_reach(run->blocks.at[0], (int64_t[]){5, 9, -1, -1});
    run_free(run);
    run = spread(4);
    assert_reach(run->blocks.at[0], (int64_t[]){-1, -1, -1, -1});
    assert_int_equal(run->on_the_way.n, 1);
    run_free(run);
}

TEST(who_is_down_is_not_waited_for)
{
    struct buffer trace;
    sim_trace_begin(&trace, 4);
    sim_trace_add(&trace, 1, "down", ",\"node\":1");
    sim_trace_mined(&trace, 2, 0, 1, (unsigned[]){1, 0});
    sim_trace_tip(&trace, 3, 2, 1);
    sim_trace_add(&trace, 4, "down", ",\"node\":3");
    sim_trace_add(&trace, 5, "up", ",\"node\":1");
    sim_trace_tip(&trace, 6, 1, 1);
    struct run *run = sim_trace_read(&trace);
    assert_non_null(run);
    assert_reach(run->blocks.at[0], (int64_t[]){1, 1, 1, 1});
    assert_int_equal(run->delays.n, 1);
    run_free(run);
}

TEST(blocks_below_a_tip_arrive_with_it)
{
    struct buffer trace;
    sim_trace_begin(&trace, 2);
    sim_trace_mined(&trace, 1, 0, 1, (unsigned[]){1, 0});
    sim_trace_mined(&trace, 2, 0, 2, (unsigned[]){2, 1});
    sim_trace_tip(&trace, 4, 1, 2);
    struct run *run = sim_trace_read(&trace);
    assert_non_null(run);
    assert_reach(run->blocks.at[0], (int64_t[]){3, 3, 3, 3});
    assert_reach(run->blocks.at[1], (int64_t[]){2, 2, 2, 2});
    run_free(run);
}

TEST(attackers_are_not_counted)
{
    struct buffer trace;
    sim_trace_begin(&trace, 3);
    sim_trace_add(&trace, 0, "node", ",\"node\":2,\"power\":1.0,\"role\":\"stall\"");
    sim_trace_mined(&trace, 1, 0, 1, (unsigned[]){1, 0});
    sim_trace_tip(&trace, 2, 1, 1);
    sim_trace_tip(&trace, 9, 2, 1);
    struct run *run = sim_trace_read(&trace);
    assert_non_null(run);
    assert_reach(run->blocks.at[0], (int64_t[]){1, 1, 1, 1});
    assert_int_equal(run->delays.n, 1);
    run_free(run);
}

TEST(what_a_node_leaves_is_the_depth_of_a_reorganisation)
{
    struct buffer trace;
    sim_trace_begin(&trace, 2);
    sim_trace_mined(&trace, 1, 0, 1, (unsigned[]){1, 0});
    sim_trace_mined(&trace, 2, 0, 2, (unsigned[]){2, 1});
    sim_trace_mined(&trace, 3, 1, 1, (unsigned[]){3, 0});
    sim_trace_mined(&trace, 4, 1, 2, (unsigned[]){4, 3});
    sim_trace_mined(&trace, 5, 1, 3, (unsigned[]){5, 4});
    sim_trace_tip(&trace, 6, 0, 5);
    struct run *run = sim_trace_read(&trace);
    assert_non_null(run);
    assert_int_equal(run->n_reorgs, 1);
    assert_int_equal(run->reorg_depth_max, 2);
    run_free(run);
}

TEST(the_memory_of_blocks_on_their_way_is_bounded)
{
    struct run *run = spread(0);
    uint8_t hash[32] = {9};
    struct run_block *block = run_add_block(run, hash);
    run->reach_bytes = RUN_REACH_BYTES_MAX - 1;
    assert_false(run_reach_mined(run, block));
    run->reach_bytes = RUN_REACH_BYTES_MAX - 2;
    assert_true(run_reach_mined(run, block));
    assert_int_equal(run->reach_bytes, RUN_REACH_BYTES_MAX);
    run_free(run);
}
