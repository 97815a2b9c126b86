/* env_host.h - struct env on the real world: loop, job threads, files, LevelDB, TCP.
 *
 * Layer: host. One per process is usual, but several do not disturb each other. */
#ifndef HOST_ENV_HOST_H
#define HOST_ENV_HOST_H

#include "util/assert.h"
#include "util/env.h"

struct env_host;
struct loop;

/* Make the world; no thread is started yet. compute_threads at least 1.
 * Owns: the caller. Fails: NULL if the kernel gives no descriptors. */
NODISCARD struct env_host *env_host_new(int compute_threads);
/* End the job threads: every job submitted is done when this returns. Nothing may be submitted
 * any more. */
void env_host_stop_jobs(struct env_host *host);
/* Stop the jobs if that was not done, close all streams, free. */
void env_host_free(struct env_host *host);

/* What everything else gets to see. Valid until env_host_free(). */
const struct env *env_host_env(const struct env_host *host);
/* The loop that the env's timers, sockets and job results run on: for what has no place in struct
 * env (HTTP, signals), and to run it. Owns: host. */
struct loop *env_host_loop(struct env_host *host);

#endif
