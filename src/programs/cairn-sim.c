/* cairn-sim.c - networks of whole nodes in one process. See sim/program/sim_main.h. */
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/env_host.h"
#include "host/loop.h"
#include "host/team.h"
#include "sim/program/sim_main.h"

struct outside {
    struct env_host *host;
    struct team_host *team;
};

/* Made only for who asks for it: no simulation touches the real world. */
static const struct env *open_outside(void *ctx)
{
    struct outside *outside = ctx;
    loop_ignore_signals();
    outside->host = env_host_new(1);
    return outside->host ? env_host_env(outside->host) : NULL;
}

static void run_once(void *ctx)
{
    const struct outside *outside = ctx;
    (void)loop_run_once(env_host_loop(outside->host), true);
}

static const struct team *open_team(void *ctx, size_t n)
{
    struct outside *outside = ctx;
    outside->team = team_host_new(n ? n : team_host_cores());
    return team_host_get(outside->team);
}

/* A thousand nodes are gigabytes, of which each event reads a little here and there: with pages of
 * 4 kB the way to a page costs as much as what is read. glibc asks for large ones if it finds this
 * when a process begins, not later; others pass over it. What the user has set stays. */
static void begin_with_large_pages(char **argv)
{
    if (getenv("GLIBC_TUNABLES") || setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1", 1) != 0)
        return;
    char path[PATH_MAX + 1] = {0};
    if (readlink("/proc/self/exe", path, PATH_MAX) > 0)
        (void)execv(path, argv); /* if that fails it is slower, no more */
}

int main(int argc, char **argv)
{
    begin_with_large_pages(argv);
    struct outside own = {NULL, NULL};
    const struct sim_outside outside = {&own, open_outside, run_once, open_team};
    int status = sim_main(argc, argv, &outside);
    team_host_free(own.team);
    if (own.host)
        env_host_free(own.host);
    return status;
}
