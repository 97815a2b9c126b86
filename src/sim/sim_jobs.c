/* sim_jobs.c - queues by priority, and two events per job: run, done. */
#include "sim/sim_jobs.h"

#include "util/alloc.h"

struct sim_task {
    struct sim_jobs *jobs;
    struct sim_pool *pool;
    struct env_job *job;
    struct list_link link; /* of its queue, or of the started ones */
};

void sim_jobs_init(struct sim_jobs *jobs, struct sim_events *events, uint64_t seed)
{
    ASSERT(jobs);
    *jobs = (struct sim_jobs){.events = events, .random = sim_random_of(seed, 0x6a6f62)};
    jobs->pool[ENV_POOL_COMPUTE] =
        (struct sim_pool){.workers = 2, .run_max_us = 500, .done_max_us = 200};
    jobs->pool[ENV_POOL_BLOCKING] =
        (struct sim_pool){.workers = 2, .run_max_us = 5000, .done_max_us = 2000};
}

static void free_tasks(struct list *tasks)
{
    struct sim_task *task;
    while ((task = LIST_POP(struct sim_task, tasks, link)))
        xfree(task);
}

void sim_jobs_deinit(struct sim_jobs *jobs)
{
    for (size_t p = 0; p < COUNT_OF(jobs->pool); p++)
        for (size_t i = 0; i < ENV_PRIORITY_COUNT; i++)
            free_tasks(&jobs->pool[p].queue[i]);
    free_tasks(&jobs->started);
}

static struct sim_task *next_task(struct sim_pool *pool)
{
    for (size_t i = 0; i < ENV_PRIORITY_COUNT; i++) {
        struct sim_task *task = LIST_POP(struct sim_task, &pool->queue[i], link);
        if (task)
            return task;
    }
    return NULL;
}

/* At least one microsecond: nothing that a job does happens within the call that submits it. */
static int64_t after(struct sim_jobs *jobs, int64_t max_us)
{
    return sim_events_now_us(jobs->events) + 1 +
           (int64_t)sim_random_below(&jobs->random, (uint64_t)max_us);
}

/* How long after a job has run its end is told of. */
static int64_t done_at(struct sim_jobs *jobs, const struct sim_pool *pool)
{
    bool stalls = pool->stall_one_in && sim_random_below(&jobs->random, pool->stall_one_in) == 0;
    return after(jobs, stalls ? pool->stall_max_us : pool->done_max_us);
}

static void on_done(void *arg)
{
    struct sim_task *task = arg;
    struct sim_jobs *jobs = task->jobs;
    list_remove(&jobs->started, &task->link);
    jobs->pending--;
    struct env_job *job = task->job;
    xfree(task);
    job->done(job); /* last: it may free the job and submit others */
}

static void start_tasks(struct sim_jobs *jobs, struct sim_pool *pool);

static void on_run(void *arg)
{
    struct sim_task *task = arg;
    if (!task->job->cancelled)
        task->job->run(task->job);
    task->pool->busy--;
    sim_events_add_for(task->jobs->events, task->jobs->owner, done_at(task->jobs, task->pool),
                       on_done, task);
    start_tasks(task->jobs, task->pool);
}

static void start_tasks(struct sim_jobs *jobs, struct sim_pool *pool)
{
    while (pool->busy < pool->workers) {
        struct sim_task *task = next_task(pool);
        if (!task)
            return;
        pool->busy++;
        list_add_first(&jobs->started, &task->link);
        sim_events_add_for(jobs->events, jobs->owner, after(jobs, pool->run_max_us), on_run, task);
    }
}

void sim_jobs_submit(struct sim_jobs *jobs, enum env_pool pool, enum env_priority priority,
                     struct env_job *job)
{
    ASSERT(jobs && job);
    struct sim_pool *p = &jobs->pool[pool];
    struct sim_task *task = xmalloc(sizeof *task);
    *task = (struct sim_task){.jobs = jobs, .pool = p, .job = job};
    job->cancelled = false;
    list_add(&p->queue[priority], &task->link);
    jobs->pending++;
    start_tasks(jobs, p);
}

static void cancel_queued(struct sim_pool *pool, struct env_job *job)
{
    for (size_t i = 0; i < ENV_PRIORITY_COUNT; i++)
        LIST_EACH (struct sim_task, task, &pool->queue[i], link)
            if (task->job == job)
                job->cancelled = true;
}

void sim_jobs_cancel(struct sim_jobs *jobs, struct env_job *job)
{
    for (size_t p = 0; p < COUNT_OF(jobs->pool); p++)
        cancel_queued(&jobs->pool[p], job);
}
