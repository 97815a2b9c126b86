/* sim_guest.h - a machine in a simulated world that runs no node: who speaks to nodes by hand.
 *
 * Layer: sim. */
#ifndef SIM_SIM_GUEST_H
#define SIM_SIM_GUEST_H

#include "sim/sim_world.h"

struct sim_guest;

/* A place in the world's network at that numeric address, with the world's clock. Owns: the caller;
 * to be freed before the world. */
NODISCARD struct sim_guest *sim_guest_new(struct sim_world *world, const char *address);
/* What it sees of the world. Valid as long as the guest. */
const struct env *sim_guest_env(const struct sim_guest *guest);
/* Its place in the world's network: how far it is, with whom it is parted. */
struct sim_host *sim_guest_host(const struct sim_guest *guest);
/* It is gone; its connections are cut. */
void sim_guest_free(struct sim_guest *guest);

#endif
