/* test_figures.c - the figures of runs small enough to count by hand. */
#include "sim/report/figures.h"
#include "support/sim_trace.h"
#include "support/unit.h"

static double value_of(const struct figures *figures, const char *group, const char *label)
{
    const struct figure *row = figures_find(figures, group, label);
    if (!row)
        fail_msg("no %s: %s", group, label);
    return row->value;
}

/* Two ways to write the same number. */
static void assert_near(double got, double want)
{
    if (got < want - 1e-6 || got > want + 1e-6)
        fail_msg("%f, not %f", got, want);
}

/* clang-format off */
static const struct { const char *group, *label; double want; } rows[] = {
    {"Network", "nodes", 6},
    {"Network", "measured for", 180},
    {"Network", "connections in the end", 6},
    {"Network", "partitions", 1},
    {"Network", "partitioned for", 60},
    {"Network", "acts of attackers", 1},
    {"Blocks", "mined", 3},
    {"Blocks", "in the winning chain", 2},
    {"Blocks", "stale", 1},
    {"Blocks", "stale rate", 100.0 / 3},
    {"Blocks", "time between two, mean", 60},
    {"Blocks", "forks", 1},
    {"Blocks", "deepest fork, blocks", 1},
    {"Blocks", "reorganisations, of all nodes", 1},
    {"Blocks", "all nodes agree in the end", 1},
    /* Node 4 made a block of its own and left it. The first block took 0.1, .2, .3, .4 s to four
     * honest nodes; the second 1.5 s to node 0, 62, 63 and 64 s to nodes 2, 3, 4. */
    {"Propagation", "arrivals counted", 8},
    {"Propagation", "a block reaches a node, median", 0.4},
    {"Propagation", "a block reaches a node, 90 %", 64},
    {"Propagation", "a block reaches a node, last", 64},
    {"Propagation", "half of the nodes have it, median block", 0.2},
    {"Propagation", "all nodes have it, median block", 0.4},
    {"Transactions", "mined", 18},
    {"Transactions", "waiting in a mempool, mean", 4},
    {"Transactions", "waiting in a mempool, most", 9},
    {"Transactions", "mempool agreement, mean", 92},
    {"Transactions", "mempool agreement, lowest", 91},
    /* 18 minutes of nodes; blocks of 6,000 bytes, 1,200 of tx, 300 of inv. */
    {"Traffic, a node and minute", "block", 6000.0 / 18},
    {"Traffic, a node and minute", "all messages", 7500.0 / 18},
    {"Traffic, a node and minute", "all nodes, whole run", 123456},
    {"Roles", "selfish: nodes", 1},
    {"Roles", "selfish: share of mining power", 100.0 / 6},
    {"Roles", "honest: share of the winning chain", 100},
};
/* clang-format on */

TEST(figures_are_those_counted_by_hand)
{
    struct run *run = sim_trace_sample(1);
    assert_non_null(run);
    struct figures figures;
    figures_of_run(run, &figures);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_near(value_of(&figures, rows[i].group, rows[i].label), rows[i].want);
    figures_free(&figures);
    run_free(run);
}

TEST(a_run_without_blocks_has_figures_too)
{
    struct buffer trace;
    sim_trace_begin(&trace, 0);
    struct run *run = sim_trace_read(&trace);
    assert_non_null(run);
    struct figures figures;
    figures_of_run(run, &figures);
    assert_near(value_of(&figures, "Blocks", "stale rate"), 0);
    assert_null(figures_find(&figures, "Propagation", "arrivals counted"));
    figures_free(&figures);
    run_free(run);
}

TEST(a_stale_branch_is_measured_from_its_end)
{
    struct buffer trace;
    sim_trace_begin(&trace, 2);
    sim_trace_mined(&trace, 1, 0, 1, (unsigned[]){1, 0});
    sim_trace_mined(&trace, 2, 0, 2, (unsigned[]){2, 1});
    sim_trace_mined(&trace, 3, 0, 2, (unsigned[]){3, 1});
    sim_trace_mined(&trace, 4, 0, 3, (unsigned[]){4, 3});
    sim_trace_mined(&trace, 5, 0, 3, (unsigned[]){5, 2});
    sim_trace_mined(&trace, 6, 0, 4, (unsigned[]){6, 5});
    struct run *run = sim_trace_read(&trace);
    assert_non_null(run);
    static const uint32_t want[] = {0, 0, 0, 2, 0, 0};
    for (size_t i = 0; i < COUNT_OF(want); i++)
        assert_int_equal(stale_branch_blocks(run->blocks.at[i]), want[i]);
    run_free(run);
}

TEST(messages_come_by_their_size_and_the_text_has_all)
{
    struct run *run = sim_trace_sample(1);
    uint32_t order[RUN_TYPES_MAX];
    double bytes[RUN_TYPES_MAX];
    assert_int_equal(traffic_by_size(run, order, bytes), 3);
    assert_string_equal(names_get(&run->types, order[0]), "block");
    assert_string_equal(names_get(&run->types, order[1]), "tx");
    assert_string_equal(names_get(&run->types, order[2]), "inv");
    struct figures figures;
    struct buffer text;
    buffer_init(&text);
    figures_of_run(run, &figures);
    figures_print(&figures, &text);
    buffer_append(&text, "", 1);
    assert_non_null(strstr((char *)text.p, "Blocks\n  mined     "));
    assert_non_null(strstr((char *)text.p, "33.3 %\n"));
    buffer_deinit(&text);
    figures_free(&figures);
    run_free(run);
}
