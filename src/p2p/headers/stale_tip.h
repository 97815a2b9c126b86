/* stale_tip.h - when no block comes any more, perhaps nobody whom we chose tells us of any: one
 * more outbound peer is tried, and the one that has given us new blocks least lately goes for it.
 * So does one of the two youngest for blocks only, of which connect.c tries one more all the time.
 *
 * Layer: p2p. An attacker who holds all our outbound peers has to hold each new one as well.
 * Hazard 72. Spec: Core CheckForStaleTipAndEvictPeers(), EvictExtraOutboundPeers() */
#ifndef P2P_HEADERS_STALE_TIP_H
#define P2P_HEADERS_STALE_TIP_H

#include <stdbool.h>
#include <stdint.h>

struct p2p;

#define STALE_TIP_SPACINGS     3                  /* of the network's time between blocks */
#define STALE_TIP_CHECK_US     INT64_C(600000000) /* how often we ask ourselves */
#define STALE_TIP_EVICT_US     INT64_C(45000000)  /* how often one too many is looked for */
#define STALE_TIP_PROBATION_US INT64_C(30000000)  /* a new peer's time to show what it has */

struct stale_tip {
    int64_t moved_us; /* when the tip did last; the start counts */
    int64_t next_check_us, next_evict_us;
    bool wants_extra; /* one outbound peer more than there are slots */
};

/* Begin: the tip counts as new. */
void stale_tip_init(struct p2p *p2p);
/* The tip has moved. */
void stale_tip_moved(struct p2p *p2p);
/* Returns: when it wants to be called again, INT64_MAX: never. */
int64_t stale_tip_tick(struct p2p *p2p, int64_t now_us);

#endif
