/* sim_mining.h - who finds the next block, and when: a Poisson process over miners of given power.
 *
 * Layer: sim. Finding blocks has no memory: the time to the next one is exponential, whoever has
 * tried for how long, and it is one's with the chance of his share of all power. */
#ifndef SIM_MINING_H
#define SIM_MINING_H

#include <stddef.h>

#include "sim/sim_random.h"

struct sim_mining {
    struct sim_random random;
    double interval_us;
    const double *power; /* borrowed; NULL: all are alike */
    size_t n;
    double total;
};

/* n miners, at least one with power, who find a block every interval_us together on average.
 * power (n numbers, none negative; may be NULL) is borrowed. */
void sim_mining_init(struct sim_mining *mining, struct sim_random random, int64_t interval_us,
                     const double *power, size_t n);
/* Draw how long it takes from one block to the next. */
int64_t sim_mining_wait_us(struct sim_mining *mining);
/* Draw who finds it. */
size_t sim_mining_who(struct sim_mining *mining);

#endif
