/* team.h - threads that do one thing together and are waited for.
 *
 * Layer: util (no implementation here; host/team.h is one). For who has much to do at once and
 * nothing else meanwhile; a node's work is done by the jobs of struct env. */
#ifndef UTIL_TEAM_H
#define UTIL_TEAM_H

#include <stddef.h>

struct team {
    void *ctx;
    size_t n; /* threads, the caller's among them */
    /* Call fn(arg, i) for each i below n_pieces, each by whatever thread has time, and return when
     * all have returned. What was written before is seen there, and the other way. */
    void (*run)(void *ctx, size_t n_pieces, void (*fn)(void *arg, size_t i), void *arg);
};

#endif
