/* team.h - a team (util/team.h) of threads.
 *
 * Layer: host. */
#ifndef HOST_TEAM_H
#define HOST_TEAM_H

#include "util/team.h"

#define TEAM_HOST_MAX 64 /* threads */

struct team_host;

/* A team of n threads, the caller's among them; n is from 1 to TEAM_HOST_MAX. Fewer, if the system
 * gives no more. Owns: the caller. */
struct team_host *team_host_new(size_t n);
/* NULL is allowed. */
void team_host_free(struct team_host *team);
/* Valid as long as it; one caller at a time. */
const struct team *team_host_get(const struct team_host *team);
/* Processors that this process may run on, at least 1 and at most TEAM_HOST_MAX. */
size_t team_host_cores(void);

#endif
