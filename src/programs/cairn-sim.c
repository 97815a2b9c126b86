/* cairn-sim.c - networks of whole nodes in one process. See sim/program/sim_main.h. */
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

int main(int argc, char **argv)
{
    struct outside own = {NULL, NULL};
    const struct sim_outside outside = {&own, open_outside, run_once, open_team};
    int status = sim_main(argc, argv, &outside);
    team_host_free(own.team);
    if (own.host)
        env_host_free(own.host);
    return status;
}
