/* test_run.c - blocks are found, links summed up, and one chain wins. */
#include "sim/report/run.h"
#include "support/sim_trace.h"
#include "support/unit.h"

TEST(a_block_is_found_by_its_hash)
{
    struct run *run = run_new();
    uint8_t hash[32] = {1}, other[32] = {2};
    assert_null(run_find_block(run, hash));
    struct run_block *block = run_add_block(run, hash);
    assert_ptr_equal(run_find_block(run, hash), block);
    assert_null(run_find_block(run, other));
    assert_int_equal(block->reach_us[RUN_ALL], -1);
    run_free(run);
    run_free(NULL);
}

TEST(links_that_were_closed_are_gone)
{
    struct run *run = run_new();
    static const struct run_link links[] = {{2, 1, 1}, {0, 1, 1}, {2, 1, -1},
                                            {1, 0, 1}, {2, 1, 1}, {0, 3, -1}};
    for (size_t i = 0; i < COUNT_OF(links); i++)
        *ARRAY_ADD(&run->links) = links[i];
    run_sum_links(run);
    assert_int_equal(run->links.n, 3);
    assert_int_equal(run->links.at[0].from, 0);
    assert_int_equal(run->links.at[0].to, 1);
    assert_int_equal(run->links.at[1].from, 1);
    assert_int_equal(run->links.at[2].from, 2);
    run_free(run);
}

TEST(the_chain_that_most_nodes_have_wins)
{
    struct buffer trace;
    sim_trace_begin(&trace, 5);
    sim_trace_mined(&trace, 1, 0, 1, (unsigned[]){1, 0});
    sim_trace_mined(&trace, 2, 1, 2, (unsigned[]){2, 1});
    sim_trace_mined(&trace, 2, 2, 1, (unsigned[]){3, 0});
    sim_trace_tip(&trace, 3, 3, 3);
    sim_trace_tip(&trace, 3, 4, 3);
    struct run *run = sim_trace_read(&trace);
    assert_non_null(run);
    assert_false(run->blocks.at[0]->is_main);
    assert_false(run->blocks.at[1]->is_main);
    assert_true(run->blocks.at[2]->is_main);
    run_free(run);
}

TEST(of_as_many_nodes_the_highest_wins)
{
    struct buffer trace;
    sim_trace_begin(&trace, 2);
    sim_trace_mined(&trace, 1, 0, 1, (unsigned[]){1, 0});
    sim_trace_mined(&trace, 2, 1, 1, (unsigned[]){2, 0});
    sim_trace_mined(&trace, 3, 1, 2, (unsigned[]){3, 2});
    sim_trace_add(&trace, 4, "partition", ",\"groups\":[[0],[1]]");
    struct run *run = sim_trace_read(&trace);
    assert_non_null(run);
    assert_false(run->blocks.at[0]->is_main);
    assert_true(run->blocks.at[1]->is_main && run->blocks.at[2]->is_main);
    assert_int_equal(run->partitions.at[0].to_us, 4000000);
    run_free(run);
}
