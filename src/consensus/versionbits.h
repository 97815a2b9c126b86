/* versionbits.h - rule changes that miners signal readiness for. BIP-9, Specification
 *
 * Layer: consensus. Pure: states follow from the headers alone. A state holds for a whole period
 * of blocks; a caller that asks often remembers it by the node that ends the period before.
 *
 *     DEFINED --start time--> STARTED --enough signals--> LOCKED_IN --a period, or more--> ACTIVE
 *                                |
 *                                +------ timeout -------> FAILED
 *
 * A state changes at the border of two periods only, by what the headers up to there say. Votes do
 * not make a rule: they tell when those who make blocks are ready to enforce it. */
#ifndef CONSENSUS_VERSIONBITS_H
#define CONSENSUS_VERSIONBITS_H

#include <stdbool.h>

#include "consensus/header_view.h"
#include "consensus/network.h"

/* Three bits that mark a version as a set of votes: 001. Versions from before are small numbers,
 * and the other patterns are left for other schemes. BIP-9, Bit flags */
#define VERSIONBITS_TOP_BITS UINT32_C(0x20000000)
#define VERSIONBITS_TOP_MASK UINT32_C(0xe0000000)

/* A deployment only goes forward: defined, started when its time has come, locked in when enough
 * blocks of one period signal, active a period later, or failed when its time is over first. BIP-9,
 * States */
enum bip9_state {
    BIP9_STATE_DEFINED,
    BIP9_STATE_STARTED,
    BIP9_STATE_LOCKED_IN,
    BIP9_STATE_ACTIVE,
    BIP9_STATE_FAILED,
    BIP9_STATE_COUNT,
};

/* A memory of states, by the last node of the period before the one they hold in (NULL: the
 * first period). Either function may be NULL. */
struct versionbits_cache {
    void *ctx;
    bool (*get)(void *ctx, enum bip9_deployment deployment, const void *node,
                enum bip9_state *state);
    void (*put)(void *ctx, enum bip9_deployment deployment, const void *node,
                enum bip9_state state);
};

/* State of a deployment for the block after prev.
 *
 * In:       prev   a node of view; NULL: for genesis
 *           cache  NULL: none
 * Spec:     BIP-9, State transitions; the minimum activation height: BIP-341, Deployment */
enum bip9_state versionbits_state(const struct network *network, enum bip9_deployment deployment,
                                  const struct header_view *view, const void *prev,
                                  const struct versionbits_cache *cache);

/* Height of the first block to which the state of the block after prev applies. */
int32_t versionbits_since(const struct network *network, enum bip9_deployment deployment,
                          const struct header_view *view, const void *prev,
                          const struct versionbits_cache *cache);

/* How the period that node lies in goes so far. */
struct versionbits_stats {
    uint32_t period, threshold;
    uint32_t elapsed, count; /* blocks of the period up to node; those of them that signal */
    bool possible;           /* the threshold can still be met */
};

/* Count the signals of node's period, from its first block up to node. Costs a step a block.
 *
 * Possible: there are enough blocks left in the period to reach the threshold.
 *
 * In:       node  of view; NULL: before genesis, where nothing has elapsed
 * Spec:     Core AbstractThresholdConditionChecker::GetStateStatisticsFor() */
struct versionbits_stats versionbits_stats(const struct network *network,
                                           enum bip9_deployment deployment,
                                           const struct header_view *view, const void *node);

/* Does a block's version signal for the deployment? */
bool versionbits_signals(const struct network *network, enum bip9_deployment deployment,
                         int32_t version);

/* The version for a new block after prev: signals what is started or locked in. */
int32_t versionbits_block_version(const struct network *network, const struct header_view *view,
                                  const void *prev, const struct versionbits_cache *cache);

/* Rule changes that nobody has told us of: bits for which most blocks of a period signal and that
 * none of our deployments explains. Bits from 5 on are for miners' own use. */
#define VERSIONBITS_RULE_BITS 5

struct versionbits_unknown {
    const void *end;    /* last node of the last period that was looked at; NULL: none yet */
    uint32_t locked_in; /* bits whose rules hold from the period after this one on */
    uint32_t active;
};

/* Bring up to date for the block after prev: looks at whole periods that were not looked at. */
void versionbits_unknown_update(struct versionbits_unknown *unknown, const struct network *network,
                                const struct header_view *view, const void *prev,
                                const struct versionbits_cache *cache);

/* "defined", "started", "locked_in", "active", "failed". */
const char *versionbits_state_name(enum bip9_state state);

#endif
