/* test_writes.c - what is on its way to the disk is counted by epoch. */
#include <errno.h>

#include "chain/disk/writes.h"
#include "sim/sim_env.h"
#include "support/unit.h"
#include "util/alloc.h"

struct fixture {
    struct sim_env *sim;
    struct chain_core core;
    struct writes writes;
    int n_turns;
};

static void note_turn(void *arg)
{
    ((struct fixture *)arg)->n_turns++;
}

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    struct chain_options options = {.data_dir = "regtest", .unwritten_max = 100};
    struct chain_events events = {0};
    f->sim = sim_env_new(1);
    core_init(&f->core, sim_env_get(f->sim), NULL, network_get(NETWORK_REGTEST), &options, &events);
    core_set_turn(&f->core, note_turn, f);
    writes_init(&f->writes, &f->core);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    core_deinit(&f->core);
    sim_env_free(f->sim);
    xfree(f);
    return 0;
}

FIXTURE(setup, teardown)

TEST(there_is_room_below_the_limit_alone, struct fixture *f)
{
    unsigned a = writes_start(&f->writes, 99, false);
    assert_true(writes_have_room(&f->writes));
    unsigned b = writes_start(&f->writes, 1, true);
    assert_false(writes_have_room(&f->writes));
    assert_int_equal(f->writes.n_undo, 1);
    writes_done(&f->writes, b, 1, true, 0);
    assert_int_equal(f->writes.n_undo, 0);
    assert_true(writes_have_room(&f->writes));
    writes_done(&f->writes, a, 99, false, 0);
    assert_int_equal(f->n_turns, 2);
    assert_int_equal(f->writes.bytes, 0);
}

TEST(a_new_epoch_waits_for_the_writes_of_the_one_before_alone, struct fixture *f)
{
    unsigned before = writes_start(&f->writes, 1, false);
    writes_begin_epoch(&f->writes);
    unsigned after = writes_start(&f->writes, 1, false);
    assert_int_not_equal(before, after);
    assert_false(writes_are_drained(&f->writes));
    writes_done(&f->writes, before, 1, false, 0);
    assert_true(writes_are_drained(&f->writes));
    assert_true(writes_part.is_busy(&f->writes));
    writes_done(&f->writes, after, 1, false, 0);
    assert_false(writes_part.is_busy(&f->writes));
}

TEST(a_write_that_fails_is_a_fault_but_not_one_that_a_fault_has_cancelled, struct fixture *f)
{
    unsigned a = writes_start(&f->writes, 1, false), b = writes_start(&f->writes, 1, false);
    writes_done(&f->writes, a, 1, false, -ENOSPC);
    assert_true(f->core.faulted);
    writes_done(&f->writes, b, 1, false, -ECANCELED);
    assert_int_equal(writes_pending(&f->writes), 0);
}
