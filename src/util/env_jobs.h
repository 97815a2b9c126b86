/* env_jobs.h - work on other threads.
 *
 * Layer: util (no implementation here; host/ is the real world, sim/ a simulated one). Called by
 * the short forms of util/env.h. ctx is this part's own, and every function gets it first. */
#ifndef UTIL_ENV_JOBS_H
#define UTIL_ENV_JOBS_H

#include <stdbool.h>
#include <stdint.h>

#include "util/list.h"

/* Where a job runs. The two are apart so that a slow disk never holds up what computes. */
enum env_pool {
    ENV_POOL_COMPUTE,  /* -par threads: parsing, scripts, formatting. Never blocks. */
    ENV_POOL_BLOCKING, /* a few threads: fsync, flush, reads. Nobody waits for ever: see submit */
};

enum env_priority {
    ENV_PRIORITY_HIGH,   /* what somebody waits for */
    ENV_PRIORITY_NORMAL, /* the stream of blocks, ahead of time */
    ENV_PRIORITY_LOW,    /* what can wait: peers, looks at everything, repairs */
    ENV_PRIORITY_COUNT,
};

/* A unit of work, embedded in the submitter's struct; it must stay in place until done is called.
 * run is called on some worker thread and touches only what the job owns or holds a reference
 * to; done is called later on the loop thread, exactly once for every submitted job, also for a
 * cancelled one. */
struct env_job {
    void (*run)(struct env_job *job);
    void (*done)(struct env_job *job);
    bool cancelled;        /* set if run was skipped; read it in done */
    struct list_link link; /* the pool's */
    uint64_t sequence;     /* the pool's */
};

struct env_jobs {
    void *ctx;
    /* Jobs. Jobs of one pool and priority start in the order of submission. In the blocking pool no
     * priority starves another, and jobs of the lowest never have all threads. cancel is a
     * wish: a job that has not started is skipped, done still follows with cancelled set. */
    void (*submit)(void *ctx, enum env_pool pool, enum env_priority priority, struct env_job *job);
    void (*cancel)(void *ctx, struct env_job *job);
    /* Threads that the compute pool has, at least 1. */
    int (*compute_threads)(void *ctx);
};

#endif
