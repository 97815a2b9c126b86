/* test_sim_jobs.c - simulated jobs: never inline, in order, cancellable. */
#include "sim/sim_jobs.h"
#include "support/unit.h"

struct work {
    struct env_job job;
    int *ran;   /* counts */
    int ran_as; /* 0: not run */
    int done;
    bool was_cancelled;
};

static void run(struct env_job *job)
{
    struct work *work = (struct work *)(void *)job;
    assert_int_equal(work->done, 0);
    work->ran_as = ++*work->ran;
}

static void done(struct env_job *job)
{
    struct work *work = (struct work *)(void *)job;
    work->done++;
    work->was_cancelled = job->cancelled;
}

static struct work work_of(int *ran)
{
    return (struct work){.job = {.run = run, .done = done}, .ran = ran};
}

TEST(a_job_runs_and_completes_later_exactly_once)
{
    struct sim_events events;
    struct sim_jobs jobs;
    sim_events_init(&events, 0);
    sim_jobs_init(&jobs, &events, 1);
    int ran = 0;
    struct work work = work_of(&ran);
    sim_jobs_submit(&jobs, ENV_POOL_BLOCKING, ENV_PRIORITY_NORMAL, &work.job);
    assert_int_equal(ran, 0);
    assert_int_equal(jobs.pending, 1);
    assert_true(sim_events_step(&events));
    assert_int_equal(ran, 1);
    assert_int_equal(work.done, 0);
    assert_true(sim_events_step(&events));
    assert_int_equal(work.done, 1);
    assert_int_equal(jobs.pending, 0);
    assert_true(events.now_us > 1);
    assert_false(sim_events_step(&events));
    sim_jobs_deinit(&jobs);
    sim_events_deinit(&events);
}

TEST(one_worker_keeps_priority_and_order)
{
    struct sim_events events;
    struct sim_jobs jobs;
    sim_events_init(&events, 0);
    sim_jobs_init(&jobs, &events, 2);
    jobs.pool[ENV_POOL_COMPUTE].workers = 1;
    static const enum env_priority priority[] = {ENV_PRIORITY_LOW, ENV_PRIORITY_LOW,
                                                 ENV_PRIORITY_HIGH, ENV_PRIORITY_NORMAL};
    static const int want[] = {1, 4, 2, 3}; /* the first is taken at once by the idle worker */
    int ran = 0;
    struct work work[4];
    for (int i = 0; i < 4; i++) {
        work[i] = work_of(&ran);
        sim_jobs_submit(&jobs, ENV_POOL_COMPUTE, priority[i], &work[i].job);
    }
    while (sim_events_step(&events))
        ;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(work[i].ran_as, want[i]);
        assert_int_equal(work[i].done, 1);
    }
    sim_jobs_deinit(&jobs);
    sim_events_deinit(&events);
}

TEST(a_cancelled_job_is_skipped_but_completed_and_a_started_one_runs)
{
    struct sim_events events;
    struct sim_jobs jobs;
    sim_events_init(&events, 0);
    sim_jobs_init(&jobs, &events, 3);
    int ran = 0;
    struct work work[3];
    for (int i = 0; i < 3; i++) {
        work[i] = work_of(&ran);
        sim_jobs_submit(&jobs, ENV_POOL_BLOCKING, ENV_PRIORITY_NORMAL, &work[i].job);
    }
    sim_jobs_cancel(&jobs, &work[0].job); /* has a worker already */
    sim_jobs_cancel(&jobs, &work[2].job); /* waits */
    while (sim_events_step(&events))
        ;
    assert_int_equal(ran, 2);
    assert_false(work[0].was_cancelled);
    assert_true(work[2].was_cancelled);
    assert_int_equal(work[2].ran_as, 0);
    assert_int_equal(work[2].done, 1);
    sim_jobs_deinit(&jobs);
    sim_events_deinit(&events);
}

TEST(a_stalled_job_is_told_of_late)
{
    struct sim_events events;
    struct sim_jobs jobs;
    sim_events_init(&events, 0);
    sim_jobs_init(&jobs, &events, 1);
    jobs.pool[ENV_POOL_BLOCKING].stall_one_in = 1;
    jobs.pool[ENV_POOL_BLOCKING].stall_max_us = INT64_C(1000000000);
    int ran = 0;
    struct work work = work_of(&ran);
    sim_jobs_submit(&jobs, ENV_POOL_BLOCKING, ENV_PRIORITY_NORMAL, &work.job);
    assert_true(sim_events_step(&events));
    int64_t ran_us = events.now_us;
    assert_true(sim_events_step(&events));
    assert_int_equal(work.done, 1);
    assert_true(events.now_us - ran_us > jobs.pool[ENV_POOL_BLOCKING].done_max_us);
    sim_jobs_deinit(&jobs);
    sim_events_deinit(&events);
}
