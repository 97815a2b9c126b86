/* map_health.h - how well the map of operators fits the addresses that are known.
 *
 * Layer: p2p, internal. Once a day, into the log: an old map knows few of them, and one that puts
 * them all with few operators makes groups of no use. Spec: Core ASMapHealthCheck() */
#ifndef P2P_MAP_HEALTH_H
#define P2P_MAP_HEALTH_H

#include <stdint.h>

struct p2p;

#define MAP_HEALTH_US (INT64_C(86400) * 1000000)

/* Returns: when it wants to be called again, INT64_MAX: never. */
int64_t map_health_tick(struct p2p *p2p, int64_t now_us);

#endif
