/* sim_mining.c - see sim_mining.h */
#include "sim/sim_mining.h"

#include <math.h>

#include "util/assert.h"

/* Uniform in (0, 1], of 53 bits. */
static double uniform(struct sim_mining *mining)
{
    return ((double)(sim_random_u64(&mining->random) >> 11) + 1) / 9007199254740992.0;
}

void sim_mining_init(struct sim_mining *mining, struct sim_random random, int64_t interval_us,
                     const double *power, size_t n)
{
    ASSERT(mining && n > 0 && interval_us > 0);
    *mining = (struct sim_mining){
        .random = random, .interval_us = (double)interval_us, .power = power, .n = n};
    for (size_t i = 0; i < n; i++) {
        ASSERT(!power || power[i] >= 0);
        mining->total += power ? power[i] : 1;
    }
    ASSERT(mining->total > 0);
}

int64_t sim_mining_wait_us(struct sim_mining *mining)
{
    ASSERT(mining);
    return (int64_t)(-log(uniform(mining)) * mining->interval_us);
}

size_t sim_mining_who(struct sim_mining *mining)
{
    ASSERT(mining);
    double left = uniform(mining) * mining->total;
    size_t who = 0;
    for (size_t i = 0; i < mining->n && left > 0; i++) {
        double power = mining->power ? mining->power[i] : 1;
        if (power <= 0)
            continue;
        who = i;
        left -= power;
    }
    return who;
}
