/* env_clock.h - clocks, timers and randomness of the world.
 *
 * Layer: util (no implementation here; host/ is the real world, sim/ a simulated one). Called by
 * the short forms of util/env.h. ctx is this part's own, and every function gets it first. */
#ifndef UTIL_ENV_CLOCK_H
#define UTIL_ENV_CLOCK_H

#include <stddef.h>
#include <stdint.h>
typedef void env_timer_fn(void *arg);

/* What is measured goes by now_us; unix_s is only for what is compared with times of others:
 * blocks, addresses, transactions. Peers never move either of them (hazard 73). */
struct env_clock {
    void *ctx;
    /* Clocks. Any thread. now_us is monotonic; unix_s is the wall clock and may jump. */
    int64_t (*now_us)(void *ctx);
    int64_t (*unix_s)(void *ctx);

    /* Calls fn(arg) on the loop thread after delay_us; equal times fire in order of creation.
     * Returns an id that is never reused and never 0. Cancelling a fired id does nothing. */
    uint64_t (*timer_start)(void *ctx, int64_t delay_us, env_timer_fn *fn, void *arg);
    void (*timer_cancel)(void *ctx, uint64_t id);
};

struct env_random {
    void *ctx;
    /* Fill out with len unpredictable bytes, fit for keys. Any thread. Never fails: a world that
     * cannot give them aborts. */
    void (*fill)(void *ctx, void *out, size_t len);
};

#endif
