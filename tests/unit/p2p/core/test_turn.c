/* test_turn.c - turns come when they are due; waits are random. */
#include "p2p/state.h"
#include "support/mesh_fixture.h"

FIXTURE(mesh_setup, mesh_teardown)

/* Counts what becomes of timers, and passes everything on. */
struct counted {
    const struct env *real;
    int n_starts, n_cancels;
    int64_t delay_us;
};

static uint64_t count_start(void *ctx, int64_t delay_us, env_timer_fn *fn, void *arg)
{
    struct counted *counted = ctx;
    counted->n_starts++;
    counted->delay_us = delay_us;
    return env_timer_start(counted->real, delay_us, fn, arg);
}

static void count_cancel(void *ctx, uint64_t id)
{
    struct counted *counted = ctx;
    counted->n_cancels++;
    env_timer_cancel(counted->real, id);
}

static int64_t pass_now(void *ctx)
{
    const struct counted *counted = ctx;
    return env_now_us(counted->real);
}

TEST(a_turn_that_is_due_is_not_put_off, struct fixture *f)
{
    mesh_init(&f->mesh, 8, &f->builder, NULL);
    struct p2p *p2p = mesh_add(&f->mesh, NULL, NULL)->p2p;
    mesh_run(&f->mesh, 1000000);
    struct counted counted = {.real = p2p->env};
    struct env env = *counted.real;
    env.clock = (struct env_clock){.ctx = &counted,
                                   .now_us = pass_now,
                                   .timer_start = count_start,
                                   .timer_cancel = count_cancel};
    const int64_t now_us = p2p_now_us(p2p);
    p2p->env = &env;
    p2p_schedule(p2p, now_us + 1000); /* earlier than anything that waits in an idle node */
    p2p_schedule(p2p, now_us + 1000);
    p2p_schedule(p2p, now_us + 1001);
    assert_int_equal(counted.n_starts, 1);
    assert_int_equal(counted.delay_us, 1000);
    p2p_schedule(p2p, now_us + 999);
    assert_int_equal(counted.n_starts, 2);
    for (int i = 0; i < 5; i++)
        p2p_schedule_now(p2p);
    p2p_schedule(p2p, now_us - 1);
    p2p_schedule(p2p, INT64_MIN);
    assert_int_equal(counted.n_starts, 3);
    assert_true(counted.n_cancels <= 3);
    assert_int_equal(counted.delay_us, 0);
    p2p->env = counted.real;
}

TEST(waits_have_the_mean_that_is_asked_for, struct fixture *f)
{
    mesh_init(&f->mesh, 9, &f->builder, NULL);
    struct p2p *p2p = mesh_add(&f->mesh, NULL, NULL)->p2p;
    int64_t sum_us = 0;
    for (int i = 0; i < 4000; i++) {
        int64_t wait_us = p2p_random_wait_us(p2p, 1000);
        assert_true(wait_us >= 0);
        sum_us += wait_us;
        assert_true(p2p_random(p2p, 3) < 3);
    }
    assert_in_range(sum_us, 4000 * 930, 4000 * 1070); /* four deviations of the sum */
}

TEST(a_part_has_turns_that_the_others_do_not_have, struct fixture *f)
{
    mesh_init(&f->mesh, 10, &f->builder, NULL);
    struct p2p *p2p = mesh_add(&f->mesh, NULL, NULL)->p2p;
    mesh_run(&f->mesh, 1000000);
    p2p_schedule_now(p2p);
    mesh_run(&f->mesh, 0);
    int64_t before_us = p2p->others_us;
    assert_int_equal(before_us, p2p_now_us(p2p));
    for (size_t i = 0; i < TURN_PARTS; i++)
        assert_true(p2p->due_us[i] > before_us);
    mesh_run(&f->mesh, 1000);
    for (enum turn_part part = TURN_PEERS; part < TURN_OTHERS; part++) {
        p2p_schedule_part_now(p2p, part);
        assert_true(p2p->due_us[part] <= p2p_now_us(p2p));
        mesh_run(&f->mesh, 0);
        assert_true(p2p->due_us[part] > p2p_now_us(p2p));
    }
    assert_int_equal(p2p->others_us, before_us);
    /* What the others wait for is not forgotten by such turns. */
    p2p_schedule_part(p2p, TURN_OTHERS, p2p_now_us(p2p) + 500);
    p2p_schedule_part_now(p2p, TURN_TXS);
    mesh_run(&f->mesh, 499);
    assert_int_equal(p2p->others_us, before_us);
    mesh_run(&f->mesh, 1);
    assert_int_equal(p2p->others_us, p2p_now_us(p2p));
}

TEST(nobody_waits_for_ever_while_others_have_turns, struct fixture *f)
{
    mesh_init(&f->mesh, 11, &f->builder, NULL);
    struct p2p *p2p = mesh_add(&f->mesh, NULL, NULL)->p2p;
    mesh_run(&f->mesh, 1000000);
    p2p_schedule_now(p2p);
    mesh_run(&f->mesh, 0);
    int64_t before_us = p2p->others_us;
    p2p->due_us[TURN_OTHERS] = INT64_MAX; /* who should have asked for it has not */
    mesh_run(&f->mesh, 9999999);
    p2p_schedule_part_now(p2p, TURN_TELL);
    mesh_run(&f->mesh, 0);
    assert_int_equal(p2p->others_us, before_us);
    mesh_run(&f->mesh, 1);
    p2p_schedule_part_now(p2p, TURN_TELL);
    mesh_run(&f->mesh, 0);
    assert_int_equal(p2p->others_us, before_us + 10000000);
}
