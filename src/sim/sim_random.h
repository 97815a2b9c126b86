/* sim_random.h - seeded randomness: the same seed gives the same run.
 *
 * Layer: sim. SplitMix64; each part of a simulation draws from its own stream, so that one part
 * drawing more often does not change what another part sees. Not for secrets. */
#ifndef SIM_RANDOM_H
#define SIM_RANDOM_H

#include <stdint.h>

struct sim_random {
    uint64_t state;
};

/* A stream that depends on seed and on which (the number of the part) only. */
static inline struct sim_random sim_random_of(uint64_t seed, uint64_t which)
{
    return (struct sim_random){seed * UINT64_C(0xd1342543de82ef95) + which};
}

static inline uint64_t sim_random_u64(struct sim_random *random)
{
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Uniform enough in 0 .. n-1; n must not be 0. */
static inline uint64_t sim_random_below(struct sim_random *random, uint64_t n)
{
    return sim_random_u64(random) % n;
}

#endif
