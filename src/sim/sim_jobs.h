/* sim_jobs.h - the two job pools of a simulated process, on the virtual clock.
 *
 * Layer: sim. A job waits for a free worker, runs at a seeded time after that and completes at a
 * seeded time after it ran: never inside job_submit, so that callers' pending states are reached
 * and other events fall between run and done. */
#ifndef SIM_JOBS_H
#define SIM_JOBS_H

#include "sim/sim_events.h"
#include "sim/sim_random.h"
#include "util/env.h"
#include "util/list.h"

struct sim_pool {
    struct list queue[ENV_PRIORITY_COUNT]; /* of struct sim_task */
    int workers, busy;
    int64_t run_max_us;  /* longest time from start to run */
    int64_t done_max_us; /* longest time from run to done */
    /* One job in so many is told of as done that much later, at most; 0: none. */
    uint64_t stall_one_in;
    int64_t stall_max_us;
};

struct sim_jobs {
    struct sim_events *events;
    struct sim_owner *owner; /* of the events: the machine; or NULL */
    struct sim_random random;
    struct sim_pool pool[ENV_POOL_BLOCKING + 1];
    struct list started; /* taken by a worker, not done */
    size_t pending;      /* submitted, not done */
};

/* Two idle pools. Borrows events. */
void sim_jobs_init(struct sim_jobs *jobs, struct sim_events *events, uint64_t seed);
/* Forget jobs that have not completed. */
void sim_jobs_deinit(struct sim_jobs *jobs);

/* Put a job at the end of its queue. Borrows job until its done. */
void sim_jobs_submit(struct sim_jobs *jobs, enum env_pool pool, enum env_priority priority,
                     struct env_job *job);
/* Let a job that no worker has taken be skipped; as with real threads, a later wish is too late. */
void sim_jobs_cancel(struct sim_jobs *jobs, struct env_job *job);

#endif
