/* test_sim_main.c - the commands of cairn-sim are found by their names. */
#include "sim/program/sim_main.h"
#include "support/unit.h"

static const struct env *no_world(void *ctx)
{
    assert_null(ctx);
    return NULL;
}

/* With up to two arguments. */
static int run(const char *first, const char *second)
{
    char *argv[] = {(char *)"cairn-sim", (char *)first, (char *)second};
    const struct sim_outside nothing = {.open = no_world};
    return sim_main(1 + (first != NULL) + (second != NULL), argv, &nothing);
}

TEST(a_command_is_named_and_run_needs_no_name)
{
    assert_int_equal(run("--help", NULL), 0);
    assert_int_equal(run("help", NULL), 0);
    assert_int_equal(run("run", "--help"), 0);
    assert_int_equal(run("run", "--nodes=0"), 2);
    assert_int_equal(run("--nodes=0", NULL), 2);
    assert_int_equal(run("--nodes=2", "--minutes=1"), 0);
}

TEST(what_is_no_command_is_refused)
{
    assert_int_equal(run("walk", NULL), 2);
    assert_int_equal(run("", NULL), 2);
}
