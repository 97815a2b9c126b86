/* env_verdicts.h - what other nodes of this process know already.
 *
 * Layer: util (no implementation here; host/ leaves it empty, sim/ may fill it in). Many nodes
 * in one process check the same scripts many times, and always with the same result: it may
 * be looked up instead. Nothing else changes by that, neither what is checked nor in which job. */
#ifndef UTIL_ENV_VERDICTS_H
#define UTIL_ENV_VERDICTS_H

#include <stdbool.h>
#include <stdint.h>

/* find NULL: nothing is shared. Any thread. id and of name what was computed, whole. */
struct env_verdicts {
    void *ctx;
    /* False: it has to be computed. */
    bool (*find)(void *ctx, const uint8_t id[32], uint64_t of, int *verdict);
    void (*keep)(void *ctx, const uint8_t id[32], uint64_t of, int verdict);
};

#endif
