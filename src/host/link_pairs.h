/* link_pairs.h - what happens to a packet between two nodes of a laboratory: delay, jitter, loss,
 * rate, partition.
 *
 * Layer: host. Pure: the clock is handed in, and luck follows from the seed: each pair of nodes has
 * a row of draws of its own, so that what one pair loses does not depend on what others send. */
#ifndef HOST_LINK_PAIRS_H
#define HOST_LINK_PAIRS_H

#include <stdbool.h>
#include <stdint.h>

#include "util/assert.h"

#define LINK_NODES_MAX    4096
#define LINK_DELAY_US_MAX INT64_C(60000000)
#define LINK_RATE_MAX     INT64_C(1000000000000)
#define LINK_LOSS_PPM_MAX 1000000
#define LINK_BACKLOG_US_MAX                                                                        \
    INT64_C(2000000) /* that may wait before a narrow link: as in a router */

/* How one direction between two nodes is. Zeros: nothing stands in the way. */
struct link_rule {
    int64_t delay_us;  /* one way */
    int64_t jitter_us; /* added by lot, from 0 to this; packets of a pair stay in order */
    int64_t loss_ppm;  /* of a million packets */
    int64_t rate_bytes_s;
};

enum link_fate {
    LINK_PASSES,
    LINK_LOST, /* by lot */
    LINK_CUT,  /* by a partition */
    LINK_FULL, /* too much waits already */
};

struct link_pairs;

/* Pairs between which nothing stands, all nodes in group 0. Owns: the caller. */
NODISCARD struct link_pairs *link_pairs_new(uint64_t seed);
void link_pairs_free(struct link_pairs *pairs); /* NULL is allowed */

/* Could a rule be so? */
NODISCARD bool link_rule_is_possible(const struct link_rule *rule);

/* The rule of all pairs that have none of their own. */
void link_pairs_set_all(struct link_pairs *pairs, const struct link_rule *rule);
/* The rule from one node to another, instead of that of all. */
void link_pairs_set(struct link_pairs *pairs, uint32_t from, uint32_t to,
                    const struct link_rule *rule);
/* Each pair has the rule of all again. */
void link_pairs_reset(struct link_pairs *pairs);

/* Put a node into a group: packets between groups are cut. */
void link_pairs_group(struct link_pairs *pairs, uint32_t node, uint32_t group);
/* All nodes are in group 0 again. */
void link_pairs_heal(struct link_pairs *pairs);

/* Decide on a packet.
 *
 * Out:      due_us  when it arrives, if it passes */
NODISCARD enum link_fate link_pairs_judge(struct link_pairs *pairs, const uint32_t ends[2],
                                          uint32_t bytes, int64_t now_us, int64_t *due_us);

#endif
