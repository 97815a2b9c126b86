/* test_turn.c - the turns, and the end of the chain. */
#include <errno.h>

#include "support/unit.h"
#include "unit/chain/chain_fixture.h"

FIXTURE(fixture_setup, fixture_teardown)

/* The owner of a chain that frees it as soon as it may. */
struct owner {
    struct chain *chain;
    bool is_closed, in_close;
    int error;
};

static void free_when_closed(void *arg, int error)
{
    struct owner *owner = arg;
    assert_false(owner->is_closed);
    assert_false(owner->in_close); /* never from within chain_close() */
    owner->is_closed = true;
    owner->error = error;
    chain_free(owner->chain);
}

static int close_and_free(struct fixture *f)
{
    struct owner owner = {.chain = f->rig.chain, .in_close = true};
    chain_close(f->rig.chain, free_when_closed, &owner);
    owner.in_close = false;
    rig_wait(&f->rig, &owner.is_closed);
    f->rig.chain = NULL;
    /* Whatever is left to happen must not touch the chain. */
    sim_env_run_for(f->rig.sim, 10 * FLUSH_INTERVAL_SYNCING_US);
    return owner.error;
}

TEST(a_chain_may_be_freed_from_within_the_answer_to_closing_it, struct fixture *f)
{
    for (int steps = 0; steps < 300; steps += 11) {
        fixture_start(f);
        rig_announce(&f->rig, f->base[60]);
        for (int32_t at = 1; at <= 60; at++)
            rig_submit(&f->rig, f->base[at]);
        step_times(f, steps);
        assert_int_equal(close_and_free(f), 0);
        rig_deinit(&f->rig);
    }
}

TEST(so_may_one_that_has_failed, struct fixture *f)
{
    for (int steps = 0; steps < 300; steps += 7) {
        fixture_start(f);
        rig_announce(&f->rig, f->base[60]);
        for (int32_t at = 1; at <= 60; at++)
            rig_submit(&f->rig, f->base[at]);
        step_times(f, steps);
        core_fault(core_of(f->rig.chain), -EIO, "a test");
        step_times(f, steps / 2);
        assert_int_equal(close_and_free(f), -EIO);
        rig_deinit(&f->rig);
    }
}

TEST(a_chain_that_never_opened_is_closed_too, struct fixture *f)
{
    struct answer answer = {0};
    struct chain_events events = {0};
    struct sim_env *sim = sim_env_new(1);
    struct chain_options options = {.data_dir = "regtest", .cache_bytes = 1 << 20};
    struct chain *chain = chain_new(sim_env_get(sim), NULL, &f->b.network, &options, &events);
    chain_close(chain, note_error, &answer);
    assert_true(answer.is_done);
    assert_int_equal(answer.error, 0);
    chain_free(chain);
    sim_env_free(sim);
}

static void note_verified(void *arg, bool ok)
{
    (void)ok;
    ++*(int *)arg;
}

static void count_answer(void *arg, int error)
{
    (void)error;
    ++*(int *)arg;
}

/* Returns: false if the chain was closed before as many steps */
static bool order_amid_closing(struct fixture *f, int steps)
{
    int n_answers = 0;
    fixture_start(f);
    rig_accept_chain(&f->rig, base_tip(f));
    struct owner owner = {.chain = f->rig.chain};
    chain_close(f->rig.chain, free_when_closed, &owner);
    step_times(f, steps);
    bool is_amid = !owner.is_closed;
    if (is_amid) {
        chain_flush(f->rig.chain, count_answer, &n_answers);
        chain_prune_to(f->rig.chain, 1, count_answer, &n_answers);
        chain_verify(f->rig.chain, 1, 1, note_verified, &n_answers);
        rig_wait(&f->rig, &owner.is_closed);
        assert_int_equal(n_answers, 3);
    }
    f->rig.chain = NULL;
    rig_deinit(&f->rig);
    return is_amid;
}

/* What a client's order would begin while the last flush is under way would never end. */
TEST(whoever_orders_something_of_a_chain_that_closes_is_answered, struct fixture *f)
{
    int steps = 0;
    while (order_amid_closing(f, steps))
        steps++;
    assert_true(steps > 3);
}

TEST(a_disk_that_fails_at_the_last_flush_is_told, struct fixture *f)
{
    fixture_start_at_base(f);
    sim_disk_fail(sim_env_disk(f->rig.sim), SIM_OP_SYNC, 0, -ENOSPC, true);
    assert_int_not_equal(rig_close(&f->rig), 0);
    assert_int_equal(f->rig.n_faults, 1);
    sim_disk_fail(sim_env_disk(f->rig.sim), 0, 0, 0, false);
    rig_open(&f->rig);
    rig_settle(&f->rig);
    rig_accept_chain(&f->rig, base_tip(f));
    assert_true(rig_is_at(&f->rig, base_tip(f)));
    assert_coins_as_if_only(f, base_tip(f));
}
