/* test_jobs.c - every job is answered exactly once, on the loop, in the order promised. */
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "host/jobs.h"
#include "host/loop.h"
#include "support/unit.h"
#include "util/alloc.h"

struct fixture {
    struct loop *loop;
    struct jobs *jobs;
    pthread_t loop_thread;
    int n_done, stop_at;
    int done_order[256];
    int run_order[256];
    atomic_int n_run;
    pthread_mutex_t gate; /* held to keep a worker busy */
};

struct item {
    struct env_job job; /* first: run and done get the job and cast */
    struct fixture *fixture;
    int number;
    int done_calls;
    bool was_cancelled, ran;
};

static void run_item(struct env_job *job)
{
    struct item *item = (struct item *)job;
    assert_false(pthread_equal(pthread_self(), item->fixture->loop_thread));
    item->fixture->run_order[atomic_fetch_add(&item->fixture->n_run, 1)] = item->number;
    item->ran = true;
}

static void run_at_gate(struct env_job *job)
{
    struct item *item = (struct item *)job;
    atomic_fetch_add(&item->fixture->n_run, 1);
    pthread_mutex_lock(&item->fixture->gate);
    pthread_mutex_unlock(&item->fixture->gate);
    item->ran = true;
}

static void item_done(struct env_job *job)
{
    struct item *item = (struct item *)job;
    struct fixture *f = item->fixture;
    assert_true(pthread_equal(pthread_self(), f->loop_thread));
    item->done_calls++;
    item->was_cancelled = job->cancelled;
    f->done_order[f->n_done++] = item->number;
    if (f->n_done == f->stop_at)
        loop_stop(f->loop);
}

static struct fixture *make_with(int compute_threads, int blocking_threads)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    f->loop = loop_new();
    f->jobs = jobs_new(f->loop, compute_threads, blocking_threads);
    f->loop_thread = pthread_self();
    pthread_mutex_init(&f->gate, NULL);
    assert_non_null(f->jobs);
    return f;
}

static struct fixture *make(int compute_threads)
{
    return make_with(compute_threads, 2);
}

static void destroy(struct fixture *f)
{
    jobs_free(f->jobs);
    loop_free(f->loop);
    pthread_mutex_destroy(&f->gate);
    xfree(f);
}

static void submit_to(struct fixture *f, enum env_pool pool, struct item *item, int number,
                      enum env_priority priority)
{
    *item =
        (struct item){.job = {.run = run_item, .done = item_done}, .fixture = f, .number = number};
    jobs_submit(f->jobs, pool, priority, &item->job);
}

static void submit(struct fixture *f, struct item *item, int number, enum env_priority priority)
{
    submit_to(f, ENV_POOL_COMPUTE, item, number, priority);
}

/* Occupy a thread until the gate is opened. */
static void block_thread(struct fixture *f, enum env_pool pool, enum env_priority priority,
                         struct item *item)
{
    pthread_mutex_lock(&f->gate);
    *item = (struct item){.job = {.run = run_at_gate, .done = item_done}, .fixture = f};
    jobs_submit(f->jobs, pool, priority, &item->job);
    while (atomic_load(&f->n_run) == 0)
        usleep(100);
    atomic_store(&f->n_run, 0);
}

/* The only compute thread. */
static void block_worker(struct fixture *f, struct item *item)
{
    block_thread(f, ENV_POOL_COMPUTE, ENV_PRIORITY_HIGH, item);
}

TEST(every_job_is_done_once_on_the_loop)
{
    struct fixture *f = make(2);
    struct item items[200];
    f->stop_at = 200;
    for (int i = 0; i < 200; i++)
        submit(f, &items[i], i, ENV_PRIORITY_NORMAL);
    loop_run(f->loop);
    assert_int_equal(f->n_done, 200);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(items[i].done_calls, 1);
        assert_true(items[i].ran);
        assert_false(items[i].was_cancelled);
    }
    destroy(f);
}

/* Threads of this process. */
static int count_threads(void)
{
    int n = 0;
    DIR *tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    for (const struct dirent *entry; (entry = readdir(tasks));)
        n += entry->d_name[0] != '.';
    closedir(tasks);
    return n;
}

TEST(threads_start_with_the_first_job_and_not_before)
{
    int before = count_threads();
    struct fixture *f = make(4);
    assert_int_equal(count_threads(), before);
    assert_int_equal(jobs_compute_threads(f->jobs), 4);
    struct item item;
    f->stop_at = 1;
    submit(f, &item, 0, ENV_PRIORITY_LOW);
    loop_run(f->loop);
    assert_int_equal(count_threads(), before + 1);
    destroy(f);
}

TEST(higher_priority_goes_first_and_equal_ones_in_order)
{
    struct fixture *f = make(1);
    struct item gate, items[6];
    const enum env_priority priority[6] = {ENV_PRIORITY_LOW,  ENV_PRIORITY_NORMAL,
                                           ENV_PRIORITY_HIGH, ENV_PRIORITY_LOW,
                                           ENV_PRIORITY_HIGH, ENV_PRIORITY_NORMAL};
    const int want[6] = {2, 4, 1, 5, 0, 3};
    block_worker(f, &gate);
    for (int i = 0; i < 6; i++)
        submit(f, &items[i], i, priority[i]);
    f->stop_at = 7;
    pthread_mutex_unlock(&f->gate);
    loop_run(f->loop);
    for (int i = 0; i < 6; i++)
        assert_int_equal(f->run_order[i], want[i]);
    destroy(f);
}

/* Reads without end must not keep writes from the disk. */
TEST(who_was_passed_over_often_enough_goes_first_when_blocking)
{
    enum { HIGH = 2 * JOBS_PASSED_OVER_MAX };
    struct fixture *f = make_with(1, 1);
    struct item gate, high[HIGH], normal, low;
    block_thread(f, ENV_POOL_BLOCKING, ENV_PRIORITY_HIGH, &gate);
    submit_to(f, ENV_POOL_BLOCKING, &low, 200, ENV_PRIORITY_LOW);
    submit_to(f, ENV_POOL_BLOCKING, &normal, 100, ENV_PRIORITY_NORMAL);
    for (int i = 0; i < HIGH; i++)
        submit_to(f, ENV_POOL_BLOCKING, &high[i], i, ENV_PRIORITY_HIGH);
    f->stop_at = HIGH + 3;
    pthread_mutex_unlock(&f->gate);
    loop_run(f->loop);
    for (int i = 0; i < JOBS_PASSED_OVER_MAX; i++)
        assert_int_equal(f->run_order[i], i);
    assert_int_equal(f->run_order[JOBS_PASSED_OVER_MAX], 100);
    assert_int_equal(f->run_order[JOBS_PASSED_OVER_MAX + 1], 200);
    for (int i = JOBS_PASSED_OVER_MAX; i < HIGH; i++)
        assert_int_equal(f->run_order[i + 2], i);
    destroy(f);
}

/* Two threads: one job of the lowest priority occupies one, the other is not for those. */
TEST(the_lowest_priority_leaves_a_thread_when_blocking)
{
    struct fixture *f = make_with(1, 2);
    struct item gate, low[3], normal;
    block_thread(f, ENV_POOL_BLOCKING, ENV_PRIORITY_LOW, &gate);
    for (int i = 0; i < 3; i++)
        submit_to(f, ENV_POOL_BLOCKING, &low[i], i, ENV_PRIORITY_LOW);
    submit_to(f, ENV_POOL_BLOCKING, &normal, 9, ENV_PRIORITY_NORMAL);
    f->stop_at = 1;
    loop_run(f->loop);
    assert_int_equal(f->done_order[0], 9);
    usleep(20000);
    assert_int_equal(atomic_load(&f->n_run), 1); /* the others have not started */
    pthread_mutex_unlock(&f->gate);
    while (f->n_done < 5)
        loop_run_once(f->loop, true);
    for (int i = 0; i < 3; i++)
        assert_true(low[i].ran);
    destroy(f);
}

TEST(a_cancelled_job_is_skipped_but_still_done)
{
    struct fixture *f = make(1);
    struct item gate, items[2];
    block_worker(f, &gate);
    submit(f, &items[0], 1, ENV_PRIORITY_NORMAL);
    submit(f, &items[1], 2, ENV_PRIORITY_NORMAL);
    jobs_cancel(f->jobs, &items[0].job);
    /* Too late for one that runs: it is not marked. */
    jobs_cancel(f->jobs, &gate.job);
    f->stop_at = 3;
    pthread_mutex_unlock(&f->gate);
    loop_run(f->loop);
    assert_int_equal(items[0].done_calls, 1);
    assert_true(items[0].was_cancelled);
    assert_false(items[0].ran);
    assert_false(items[1].was_cancelled);
    assert_true(items[1].ran);
    assert_false(gate.was_cancelled);
    destroy(f);
}

TEST(stopping_answers_everything)
{
    struct fixture *f = make(1);
    struct item gate, items[50];
    block_worker(f, &gate);
    for (int i = 0; i < 50; i++)
        submit(f, &items[i], i, ENV_PRIORITY_NORMAL);
    pthread_mutex_unlock(&f->gate);
    jobs_stop(f->jobs);
    assert_int_equal(f->n_done, 51);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(items[i].done_calls, 1);
        assert_int_equal(items[i].ran, !items[i].was_cancelled);
    }
    destroy(f);
}

static struct item *follow_up;

static void submit_another(struct env_job *job)
{
    struct item *item = (struct item *)job;
    item_done(job);
    *follow_up = (struct item){
        .job = {.run = run_item, .done = item_done}, .fixture = item->fixture, .number = 9};
    jobs_submit(item->fixture->jobs, ENV_POOL_BLOCKING, ENV_PRIORITY_HIGH, &follow_up->job);
    /* Not inside submit, even when it cannot run any more. */
    assert_int_equal(follow_up->done_calls, 0);
}

TEST(a_job_submitted_while_stopping_is_cancelled_and_done)
{
    struct fixture *f = make(1);
    struct item first, second;
    follow_up = &second;
    first = (struct item){.job = {.run = run_item, .done = submit_another}, .fixture = f};
    jobs_submit(f->jobs, ENV_POOL_COMPUTE, ENV_PRIORITY_HIGH, &first.job);
    jobs_stop(f->jobs);
    assert_int_equal(first.done_calls, 1);
    assert_int_equal(second.done_calls, 1);
    assert_true(second.was_cancelled);
    destroy(f);
}

static void slow_done(struct env_job *job)
{
    usleep(3000);
    item_done(job);
}

static void count_turns(void *arg)
{
    struct fixture *f = arg;
    f->done_order[255]++;
    loop_timer_start(f->loop, 0, count_turns, f);
}

TEST(results_come_in_batches_that_leave_time_for_others)
{
    struct fixture *f = make(1);
    struct item items[40];
    f->stop_at = 40;
    for (int i = 0; i < 40; i++) {
        items[i] =
            (struct item){.job = {.run = run_item, .done = slow_done}, .fixture = f, .number = i};
        jobs_submit(f->jobs, ENV_POOL_COMPUTE, ENV_PRIORITY_NORMAL, &items[i].job);
    }
    while (atomic_load(&f->n_run) < 40)
        usleep(100);
    loop_timer_start(f->loop, 0, count_turns, f);
    loop_run(f->loop);
    /* 120 ms of results, cut into batches of about 10 ms: the timer had several turns. */
    assert_true(f->done_order[255] >= 4);
    for (int i = 0; i < 40; i++)
        assert_int_equal(f->done_order[i], i);
    destroy(f);
}
