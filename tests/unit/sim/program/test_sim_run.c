/* test_sim_run.c - options of "cairn-sim run". */
#include "sim/program/sim_run.h"
#include "support/unit.h"
#include "util/assert.h"

static int run(const char *option)
{
    char *argv[] = {(char *)"run", (char *)option};
    const struct sim_outside nothing = {.ctx = NULL};
    return sim_run_command(2, argv, &nothing);
}

TEST(options_out_of_range_or_unknown_are_refused)
{
    static const char *const bad[] = {"--nodes=1",
                                      "--nodes=10001",
                                      "--nodes=",
                                      "--nodes",
                                      "--nodes=2x",
                                      "-nodes=2",
                                      "nodes=2",
                                      "--node=2",
                                      "--loss=1000000",
                                      "--minutes=0",
                                      "--=1",
                                      "--threads=0",
                                      "--threads=65",
                                      "--threads=two",
                                      "--chain=",
                                      "--chain=/nowhere/x",
                                      "--report=/nowhere/x",
                                      "--trace=/nowhere/x",
                                      "--capture=/nowhere/x"};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(run(bad[i]), 2);
    assert_int_equal(run("--help"), 0);
}

TEST(a_network_of_two_agrees)
{
    char nodes[] = "--nodes=2", minutes[] = "--minutes=2", seed[] = "--seed=3";
    char latency[] = "--latency-min=400", name[] = "run";
    char *argv[] = {name, nodes, minutes, seed, latency};
    const struct sim_outside nothing = {.ctx = NULL};
    assert_int_equal(sim_run_command(COUNT_OF(argv), argv, &nothing), 0);
}
