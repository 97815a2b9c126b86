/* eclipse.h - who wants to be all that one node sees of the network.
 *
 * Layer: sim. More guests than a node has places for connect to it, each from a network group of
 * its own, come back when they are dropped, tell it of each other's addresses, and say nothing of
 * blocks. E. Heilman, A. Kendler, A. Zohar and S. Goldberg, "Eclipse attacks on Bitcoin's
 * peer-to-peer network" (2015). Nobody answers at the addresses. */
#ifndef SIM_ACTORS_ECLIPSE_H
#define SIM_ACTORS_ECLIPSE_H

#include "sim/actors/crew.h"

#define ECLIPSE_GUESTS    130 /* a node has 125 places by default */
#define ECLIPSE_ADDRESSES 10  /* that each guest tells: more at once would not be passed on */

struct eclipse;

struct eclipse_result {
    uint64_t n_places;  /* that guests have at the moment */
    uint64_t n_taken;   /* times that one was taken */
    uint64_t n_dropped; /* that one was lost again */
};

/* Begin, against options->target. Owns: the caller; to be freed before the world. */
NODISCARD struct eclipse *eclipse_new(const struct crew_options *options);
/* So far. */
struct eclipse_result eclipse_result_of(const struct eclipse *eclipse);
/* He gives up. */
void eclipse_free(struct eclipse *eclipse);

#endif
