/* jobs.h - worker threads: two pools, three priorities, results delivered on the loop.
 *
 * Layer: host. Threads start when there is work for them and block all signals. Each submitted
 * job's done is called exactly once, on the loop thread, never from inside jobs_submit(). */
#ifndef HOST_JOBS_H
#define HOST_JOBS_H

#include "util/assert.h"
#include "util/env.h"

struct jobs;
struct loop;

/* In the blocking pool, jobs of lower priority go first after that many others did, and those of
 * the lowest leave one thread to the rest. */
#define JOBS_PASSED_OVER_MAX 8

/* Make the pools; no thread is started yet. compute_threads and blocking_threads are at least 1.
 * Owns: the caller. Fails: NULL if the loop cannot be woken. */
NODISCARD struct jobs *jobs_new(struct loop *loop, int compute_threads, int blocking_threads);

/* Cancel what has not started, wait for what runs, call every done that is due (jobs submitted
 * meanwhile are cancelled too), end the threads. Submitting afterwards is a bug. */
void jobs_stop(struct jobs *jobs);
/* Free the pools, stopping them first if that was not done. */
void jobs_free(struct jobs *jobs);

/* Put a job at the end of its queue. Borrows job until its done. During jobs_stop() the job is
 * cancelled at once, and its done still follows. A first thread that cannot be started ends the
 * process; of later ones the pool does without. */
void jobs_submit(void *jobs, enum env_pool pool, enum env_priority priority, struct env_job *job);
/* Let a job that has not started be skipped; one that runs, or has run, is not disturbed. */
void jobs_cancel(void *jobs, struct env_job *job);
/* Threads that the compute pool may have, running yet or not. */
int jobs_compute_threads(void *jobs);

#endif
