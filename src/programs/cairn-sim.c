/* cairn-sim.c - networks of whole nodes in one process. See sim/program/sim_main.h. */
#include "host/env_host.h"
#include "host/loop.h"
#include "sim/program/sim_main.h"

/* Made only for who asks for it: no simulation touches the real world. */
static const struct env *open_outside(void *ctx)
{
    struct env_host **host = ctx;
    loop_ignore_signals();
    *host = env_host_new(1);
    return *host ? env_host_env(*host) : NULL;
}

static void run_once(void *ctx)
{
    struct env_host **host = ctx;
    (void)loop_run_once(env_host_loop(*host), true);
}

int main(int argc, char **argv)
{
    struct env_host *host = NULL;
    const struct sim_outside outside = {&host, open_outside, run_once};
    int status = sim_main(argc, argv, &outside);
    if (host)
        env_host_free(host);
    return status;
}
