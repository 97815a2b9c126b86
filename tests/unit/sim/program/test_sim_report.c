/* test_sim_report.c - the arguments of "cairn-sim report". */
#include "sim/program/sim_report.h"
#include "support/unit.h"

static int run(int n, const char *first, const char *second)
{
    char *argv[] = {(char *)"report", (char *)first, (char *)second};
    return sim_report_command(n, argv);
}

TEST(a_trace_is_asked_for_and_must_be_there)
{
    assert_int_equal(run(1, NULL, NULL), 2);
    assert_int_equal(run(2, "--help", NULL), 0);
    assert_int_equal(run(2, "no/such/trace", NULL), 1);
    assert_int_equal(run(3, "one", "two"), 2);
}
