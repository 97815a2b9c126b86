/* test_chain_core.c - turns, operations and faults. */
#include <errno.h>

#include "chain/core/chain_core.h"
#include "sim/sim_env.h"
#include "support/unit.h"
#include "util/alloc.h"

struct fixture {
    struct sim_env *sim;
    struct chain_core core;
    int n_turns, n_faults;
    int wakes_left; /* turns that have news themselves */
    char fault[100], warning[100];
};

static void note_turn(void *arg)
{
    struct fixture *f = arg;
    int n = ++f->n_turns;
    if (f->wakes_left > 0) {
        f->wakes_left--;
        core_wake(&f->core);
        assert_int_equal(f->n_turns, n); /* never within itself */
    }
}

static void note_fault(void *ctx, const char *message)
{
    struct fixture *f = ctx;
    f->n_faults++;
    snprintf(f->fault, sizeof f->fault, "%s", message);
}

static void note_warning(void *ctx, const char *message)
{
    struct fixture *f = ctx;
    snprintf(f->warning, sizeof f->warning, "%s", message);
}

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    struct chain_options options = {.data_dir = "regtest"};
    struct chain_events events = {.ctx = f, .fault = note_fault, .warning = note_warning};
    f->sim = sim_env_new(1);
    core_init(&f->core, sim_env_get(f->sim), NULL, network_get(NETWORK_REGTEST), &options, &events);
    core_set_turn(&f->core, note_turn, f);
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

TEST(news_start_a_turn_at_once_and_those_of_a_turn_another_one, struct fixture *f)
{
    f->wakes_left = 2;
    core_wake(&f->core);
    assert_int_equal(f->n_turns, 1);
    sim_env_run_for(f->sim, 1000);
    assert_int_equal(f->n_turns, 3);
}

TEST(news_that_can_wait_share_one_turn, struct fixture *f)
{
    core_wake_soon(&f->core);
    core_wake_soon(&f->core);
    assert_int_equal(f->n_turns, 0);
    sim_env_run_for(f->sim, 1000);
    assert_int_equal(f->n_turns, 1);
}

TEST(turns_that_were_stopped_are_not_taken, struct fixture *f)
{
    core_wake_soon(&f->core);
    core_stop_turns(&f->core);
    sim_env_run_for(f->sim, 1000);
    assert_int_equal(f->n_turns, 0);
}

TEST(the_end_of_an_operation_wakes_only_a_chain_that_is_being_closed, struct fixture *f)
{
    core_begin(&f->core);
    core_begin(&f->core);
    core_end(&f->core);
    sim_env_run_for(f->sim, 1000);
    assert_int_equal(f->n_turns, 0);
    f->core.closing = true;
    core_end(&f->core);
    sim_env_run_for(f->sim, 1000);
    assert_int_equal(f->n_turns, 1);
    assert_int_equal(f->core.ops_pending, 0);
}

TEST(only_an_open_chain_that_neither_ends_nor_failed_is_working, struct fixture *f)
{
    assert_false(core_is_working(&f->core));
    f->core.is_open = true;
    assert_true(core_is_working(&f->core));
    f->core.closing = true;
    assert_false(core_is_working(&f->core));
    f->core.closing = false;
    core_fault(&f->core, -EIO, "a test");
    assert_false(core_is_working(&f->core));
}

TEST(the_first_fault_alone_is_told_and_each_warning, struct fixture *f)
{
    core_fault(&f->core, -EIO, "a test");
    core_fault(&f->core, -ENOSPC, "another");
    assert_int_equal(f->n_faults, 1);
    assert_string_equal(f->fault, "a test: Input/output error");
    core_warn(&f->core, "take care");
    assert_string_equal(f->warning, "take care");
    core_warn(&f->core, "");
    assert_string_equal(f->warning, "");
}
