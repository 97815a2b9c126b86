/* jobs.c - see jobs.h
 *
 * One mutex guards the queues of both pools: jobs are tens of microseconds or more, so it is
 * rarely contended, and a cancelled job need not know its pool. env_job.sequence is non-zero
 * exactly while the job waits in a queue.
 *
 * Each thread has a condition variable of its own. One that several threads wait for loses a
 * wake-up now and then in the GNU C library before 2.41 (its bug 25847: a slow waiter gives back a
 * signal that was not its own), and a job without a thread is a node that never comes to its end.
 */
#include "host/jobs.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/loop.h"
#include "util/alloc.h"

/* Address space only: a page is taken when it is first touched. LevelDB's reads and the script
 * interpreter stay far below; sanitizer builds need the most. */
#define STACK_BYTES ((size_t)1024 * 1024)

#define POOL_COUNT 2

/* A thread. Between its call and its waking it is not among the idle ones: no call is for two. */
struct worker {
    struct pool *pool;
    pthread_t thread;
    pthread_cond_t call; /* this thread alone waits for it */
    bool is_called;
    struct list_link link; /* of those that are idle */
};

struct pool {
    struct jobs *jobs;
    struct list queue[ENV_PRIORITY_COUNT];
    unsigned passed_over[ENV_PRIORITY_COUNT]; /* how often in a row others went first */
    unsigned passed_over_max;                 /* then it is its turn */
    int n_low, low_max;                       /* running of the lowest priority */
    size_t n_queued;
    struct worker *workers;
    int n_threads, threads_max;
    struct list idle; /* who has waited least comes first: its memory is still in the caches */
};

struct jobs {
    pthread_mutex_t lock;
    struct pool pools[POOL_COUNT];
    struct list finished; /* waiting for their done */
    uint64_t sequence;
    bool stopping; /* no job starts any more */
    bool stopped;

    /* Only the loop thread's. */
    struct loop_waker *waker;
    struct list ready; /* taken from finished, done not yet called */
};

/* -- Worker side, under the lock ------------------------------------------------------------ */

static bool may_start(const struct pool *pool, int priority)
{
    return priority != ENV_PRIORITY_LOW || pool->n_low < pool->low_max || pool->jobs->stopping;
}

/* The queue whose turn it is; -1 if none may start. In order of priority, but who was passed over
 * often enough goes first. */
static int choose_queue(const struct pool *pool)
{
    int chosen = -1;
    for (int i = 0; i < ENV_PRIORITY_COUNT; i++) {
        if (!pool->queue[i].first || !may_start(pool, i))
            continue;
        if (pool->passed_over[i] >= pool->passed_over_max)
            return i;
        if (chosen < 0)
            chosen = i;
    }
    return chosen;
}

static struct env_job *pool_pop(struct pool *pool, int *priority)
{
    *priority = choose_queue(pool);
    if (*priority < 0)
        return NULL;
    for (int i = *priority + 1; i < ENV_PRIORITY_COUNT; i++)
        if (pool->queue[i].first)
            pool->passed_over[i]++;
    pool->passed_over[*priority] = 0;
    struct env_job *job = LIST_POP(struct env_job, &pool->queue[*priority], link);
    pool->n_queued--;
    pool->n_low += *priority == ENV_PRIORITY_LOW;
    job->sequence = 0;
    return job;
}

static void finish(struct jobs *jobs, struct env_job *job)
{
    bool was_empty = !jobs->finished.first;
    list_add(&jobs->finished, &job->link);
    if (was_empty)
        loop_wake(jobs->waker);
}

/* Have a thread look at the queues. False: all are at work, and look by themselves when they are
 * through. */
static bool call_one(struct pool *pool)
{
    struct worker *worker = LIST_POP(struct worker, &pool->idle, link);
    if (!worker)
        return false;
    ASSERT(!worker->is_called);
    worker->is_called = true;
    pthread_cond_signal(&worker->call);
    return true;
}

static void wait_for_call(struct worker *worker)
{
    worker->is_called = false;
    list_add_first(&worker->pool->idle, &worker->link);
    while (!worker->is_called)
        pthread_cond_wait(&worker->call, &worker->pool->jobs->lock);
}

static void *work(void *arg)
{
    struct worker *worker = arg;
    struct pool *pool = worker->pool;
    struct jobs *jobs = pool->jobs;
    pthread_mutex_lock(&jobs->lock);
    for (;;) {
        int priority;
        struct env_job *job = pool_pop(pool, &priority);
        if (!job) {
            if (jobs->stopping)
                break;
            wait_for_call(worker);
            continue;
        }
        if (jobs->stopping)
            job->cancelled = true;
        if (!job->cancelled) {
            pthread_mutex_unlock(&jobs->lock);
            job->run(job);
            pthread_mutex_lock(&jobs->lock);
        }
        if (priority == ENV_PRIORITY_LOW) {
            pool->n_low--;
            call_one(pool); /* one more of them may start */
        }
        finish(jobs, job);
    }
    pthread_mutex_unlock(&jobs->lock);
    return NULL;
}

/* -- Loop side ------------------------------------------------------------------------------ */

/* Under the lock. A pool without any thread could never do its work, so that ends the process as
 * lack of memory does; with at least one, fewer threads are only slower. */
static void start_thread(struct pool *pool)
{
    pthread_attr_t attr;
    sigset_t all, before;
    struct worker *worker = &pool->workers[pool->n_threads];
    int rc = pthread_attr_init(&attr);
    ASSERT(rc == 0);
    rc = pthread_attr_setstacksize(&attr, STACK_BYTES);
    ASSERT(rc == 0);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&worker->thread, &attr, work, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    if (rc == 0) {
        pool->n_threads++;
    } else if (pool->n_threads == 0) {
        fprintf(stderr, "Error: cannot start a thread: %s\n", strerror(rc));
        abort();
    }
}

void jobs_submit(void *ctx, enum env_pool pool_number, enum env_priority priority,
                 struct env_job *job)
{
    ASSERT(job);
    struct jobs *jobs = ctx;
    ASSERT(priority < ENV_PRIORITY_COUNT);
    struct pool *pool = &jobs->pools[pool_number];
    pthread_mutex_lock(&jobs->lock);
    ASSERT(!jobs->stopped);
    job->cancelled = jobs->stopping;
    if (jobs->stopping) {
        job->sequence = 0;
        finish(jobs, job);
    } else {
        job->sequence = ++jobs->sequence;
        list_add(&pool->queue[priority], &job->link);
        pool->n_queued++;
        if (!call_one(pool) && pool->n_threads < pool->threads_max)
            start_thread(pool);
    }
    pthread_mutex_unlock(&jobs->lock);
}

void jobs_cancel(void *ctx, struct env_job *job)
{
    ASSERT(job);
    struct jobs *jobs = ctx;
    pthread_mutex_lock(&jobs->lock);
    if (job->sequence != 0)
        job->cancelled = true;
    pthread_mutex_unlock(&jobs->lock);
}

static void take_finished(struct jobs *jobs)
{
    pthread_mutex_lock(&jobs->lock);
    list_take_all(&jobs->ready, &jobs->finished);
    pthread_mutex_unlock(&jobs->lock);
}

/* The loop's turn: deliver results, but give the sockets a turn now and then. */
static bool deliver(void *arg)
{
    struct jobs *jobs = arg;
    int64_t began_us = loop_now_us();
    take_finished(jobs);
    struct env_job *job;
    while ((job = LIST_POP(struct env_job, &jobs->ready, link))) {
        job->done(job);
        if (loop_now_us() - began_us > LOOP_BATCH_US)
            break;
    }
    return jobs->ready.first != NULL;
}

int jobs_compute_threads(void *ctx)
{
    struct jobs *jobs = ctx;
    return jobs->pools[ENV_POOL_COMPUTE].threads_max;
}

static void pool_init(struct pool *pool, struct jobs *jobs, int threads_max)
{
    ASSERT(threads_max >= 1);
    pool->jobs = jobs;
    pool->threads_max = pool->low_max = threads_max;
    pool->passed_over_max = UINT_MAX;
    pool->workers = xcalloc((size_t)threads_max, sizeof *pool->workers);
    for (int i = 0; i < threads_max; i++) {
        pool->workers[i].pool = pool;
        int rc = pthread_cond_init(&pool->workers[i].call, NULL);
        ASSERT(rc == 0);
    }
}

struct jobs *jobs_new(struct loop *loop, int compute_threads, int blocking_threads)
{
    struct jobs *jobs = xcalloc(1, sizeof *jobs);
    jobs->waker = loop_waker_new(loop, deliver, jobs);
    if (!jobs->waker) {
        xfree(jobs);
        return NULL;
    }
    int rc = pthread_mutex_init(&jobs->lock, NULL);
    ASSERT(rc == 0);
    pool_init(&jobs->pools[ENV_POOL_COMPUTE], jobs, compute_threads);
    pool_init(&jobs->pools[ENV_POOL_BLOCKING], jobs, blocking_threads);
    /* A disk may be slow and its jobs long: all of one kind must not keep the others waiting. */
    struct pool *blocking = &jobs->pools[ENV_POOL_BLOCKING];
    blocking->passed_over_max = JOBS_PASSED_OVER_MAX;
    if (blocking_threads > 1)
        blocking->low_max = blocking_threads - 1;
    return jobs;
}

void jobs_stop(struct jobs *jobs)
{
    ASSERT(jobs);
    if (jobs->stopped)
        return;
    pthread_mutex_lock(&jobs->lock);
    jobs->stopping = true;
    for (int i = 0; i < POOL_COUNT; i++)
        while (call_one(&jobs->pools[i]))
            continue;
    pthread_mutex_unlock(&jobs->lock);
    for (int i = 0; i < POOL_COUNT; i++) {
        for (int j = 0; j < jobs->pools[i].n_threads; j++)
            pthread_join(jobs->pools[i].workers[j].thread, NULL);
    }

    struct env_job *job;
    for (take_finished(jobs); (job = LIST_POP(struct env_job, &jobs->ready, link));
         take_finished(jobs))
        job->done(job);
    jobs->stopped = true;
}

void jobs_free(struct jobs *jobs)
{
    if (!jobs)
        return;
    jobs_stop(jobs);
    for (int i = 0; i < POOL_COUNT; i++) {
        ASSERT(jobs->pools[i].n_queued == 0);
        for (int j = 0; j < jobs->pools[i].threads_max; j++)
            pthread_cond_destroy(&jobs->pools[i].workers[j].call);
        xfree(jobs->pools[i].workers);
    }
    pthread_mutex_destroy(&jobs->lock);
    loop_waker_free(jobs->waker);
    xfree(jobs);
}
