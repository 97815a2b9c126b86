/* sim_env.h - a whole struct env in memory: one simulated process on one simulated machine.
 *
 * Layer: sim. Deterministic from its seed. Streams work once the machine has a place in a network
 * (sim_net.h); several machines may share one clock. */
#ifndef SIM_ENV_H
#define SIM_ENV_H

#include "sim/sim_disk.h"
#include "sim/sim_gateway.h"
#include "sim/sim_jobs.h"
#include "sim/sim_verdicts.h"

#define SIM_START_UNIX_S INT64_C(1700000000) /* the wall clock when that of the events is 0 */

struct sim_env;
struct sim_host;

/* A machine with an empty disk; its clock starts at a fixed date. Owns: the caller. */
struct sim_env *sim_env_new(uint64_t seed);
/* The same on a clock that it shares with others. Borrows events, which must outlive it. */
struct sim_env *sim_env_new_on(struct sim_events *events, uint64_t seed);
/* The same with a disk that has something on it already, which it takes. */
struct sim_env *sim_env_new_with(struct sim_events *events, uint64_t seed,
                                 struct sim_disk *disk_take);
/* What the next start finds if this machine crashed now: a new machine with the disk that is left,
 * the clock going on. sim itself goes on unharmed and can be shut down in peace. */
struct sim_env *sim_env_crash(const struct sim_env *sim, enum sim_crash how, uint64_t seed);
/* Timers and jobs that have not fired are forgotten; open files and stores must be closed. */
void sim_env_free(struct sim_env *sim);

/* The env to hand to constructors; valid as long as sim. */
const struct env *sim_env_get(const struct sim_env *sim);
/* Give the machine its place in a network: from now on the functions of streams work. NULL takes
 * it away; what is then sent is lost, and nobody answers who connects. */
void sim_env_set_host(struct sim_env *sim, struct sim_host *host);
/* Give it a gateway at that address, which sees it as own; both are borrowed for its life. One by
 * IPv4 and one by IPv6, which answer alike. */
void sim_env_set_gateway(struct sim_env *sim, const char *address, const char *own,
                         sim_gateway_fn *answer, void *arg);
/* Give its interfaces addresses; borrowed for its life. */
void sim_env_set_addresses(struct sim_env *sim, const char *const *addresses, size_t n);
/* Let it share verdicts with others; borrowed for its life. */
void sim_env_set_verdicts(struct sim_env *sim, struct sim_verdicts *verdicts);
/* Its disk, to break it or to look at it. Owns: sim. */
struct sim_disk *sim_env_disk(struct sim_env *sim);
/* Its job pools, to slow them down. Owns: sim. */
struct sim_jobs *sim_env_jobs(struct sim_env *sim);

/* Run the next event: a timer, or a step of a job. False if nothing is left to happen. */
bool sim_env_step(struct sim_env *sim);
/* Run until no job is pending; timers that come due on the way fire. */
void sim_env_run_until_idle(struct sim_env *sim);
/* Run everything due within us of virtual time and let the clock end there. */
void sim_env_run_for(struct sim_env *sim, int64_t us);

/* The code that runs in it has that bug of util/planted.h, in a build that knows them. */
void sim_env_plant(struct sim_env *sim, int planted);

/* Let the wall clock say unix_s now; it runs on from there. */
void sim_env_set_unix_s(struct sim_env *sim, int64_t unix_s);

#endif
