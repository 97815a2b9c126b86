/* test_sim_report.c - the arguments of "cairn-sim report" and "compare". */
#include "sim/program/sim_report.h"
#include "support/unit.h"

typedef int command_fn(int argc, char **argv);

static int run(command_fn *command, int n, const char *first, const char *second)
{
    char *argv[] = {(char *)"report", (char *)first, (char *)second};
    return command(n, argv);
}

TEST(traces_are_asked_for_and_must_be_there)
{
    assert_int_equal(run(sim_report_command, 1, NULL, NULL), 2);
    assert_int_equal(run(sim_report_command, 2, "--help", NULL), 0);
    assert_int_equal(run(sim_report_command, 2, "no/such/trace", NULL), 1);
    assert_int_equal(run(sim_report_command, 3, "one", "two"), 2);
    assert_int_equal(run(sim_report_command, 3, "one", "--out="), 2);
    assert_int_equal(run(sim_report_command, 3, "one", "--in=x"), 2);
    assert_int_equal(run(sim_compare_command, 2, "one", NULL), 2);
    assert_int_equal(run(sim_compare_command, 2, "-h", NULL), 0);
    assert_int_equal(run(sim_compare_command, 3, "no/such/trace", "no/such/trace"), 1);
}
