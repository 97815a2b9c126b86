/* sim_guest.c - see sim_guest.h */
#include "sim/sim_guest.h"

#include "util/alloc.h"

#define GUEST_SEED 0x6775657374

struct sim_guest {
    struct sim_env *env;
    struct sim_host *host;
};

struct sim_guest *sim_guest_new(struct sim_world *world, const char *address)
{
    ASSERT(world && address);
    struct sim_guest *guest = xcalloc(1, sizeof *guest);
    guest->env = sim_env_new_on(sim_world_events(world), GUEST_SEED);
    guest->host = sim_net_join(sim_world_net(world), address);
    sim_env_set_host(guest->env, guest->host);
    return guest;
}

const struct env *sim_guest_env(const struct sim_guest *guest)
{
    return sim_env_get(guest->env);
}

struct sim_host *sim_guest_host(const struct sim_guest *guest)
{
    ASSERT(guest);
    return guest->host;
}

void sim_guest_free(struct sim_guest *guest)
{
    sim_env_set_host(guest->env, NULL);
    sim_net_leave(guest->host);
    sim_env_free(guest->env);
    xfree(guest);
}
