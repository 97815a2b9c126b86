/* fixed_seed.h - addresses that this release knows, where nothing else gives any.
 *
 * Layer: p2p, internal. -fixedseeds. Used once, for reachable networks of which the book knows
 * nobody: at once where neither DNS nor nodes that the user named can tell of some, else when they
 * had a minute for it. Whoever wrote the list has had a say in whom a new node hears first: so it
 * is the last resort. Spec: Core ThreadOpenConnections() */
#ifndef P2P_FIXED_SEED_H
#define P2P_FIXED_SEED_H

#include <stdbool.h>
#include <stdint.h>

struct p2p;

#define FIXED_SEED_WAIT_US INT64_C(60000000) /* for the others. Core */

struct fixed_seed {
    bool is_wanted; /* they were not added yet, and may be */
    int64_t until_us;
};

/* Begin, if that is wanted. */
void fixed_seed_start(struct p2p *p2p);
/* Returns: when it wants to be called again, INT64_MAX: never. */
int64_t fixed_seed_tick(struct p2p *p2p, int64_t now_us);

#endif
