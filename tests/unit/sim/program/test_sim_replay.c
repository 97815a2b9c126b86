/* test_sim_replay.c - the command, its options and what its status says. */
#include "sim/program/sim_replay.h"

#include "support/capture_fixture.h"

FIXTURE(capture_setup, capture_teardown)

static int run(const char *first, const char *second, const char *third)
{
    const struct sim_outside nothing = {.ctx = NULL};
    char *argv[] = {(char *)"replay", (char *)first, (char *)second, (char *)third};
    int n = 1;
    while (n < 4 && argv[n])
        n++;
    return sim_replay_command(n, argv, &nothing);
}

TEST(a_command_plays_files, struct capture_fixture *f)
{
    assert_int_equal(run(f->path, NULL, NULL), 0);
    assert_int_equal(run(f->path, f->path, "--max-gap-ms=1000"), 0); /* two peers say the same */
    /* A node of another network closes the connection: the status says it. */
    assert_int_equal(run(f->path, "--chain=signet", NULL), 1);
    assert_int_equal(run("--help", NULL, NULL), 0);
}

TEST(what_is_no_option_is_refused, struct capture_fixture *f)
{
    assert_int_equal(run(NULL, NULL, NULL), 2);
    assert_int_equal(run(f->path, "--chain=moon", NULL), 2);
    assert_int_equal(run(f->path, "--to=nowhere", NULL), 2);
    assert_int_equal(run(f->path, "--to=[::1]:0", NULL), 2);
    assert_int_equal(run(f->path, "--max-gap-ms=-1", NULL), 2);
    assert_int_equal(run("no/such/file", NULL, NULL), 1);
}
