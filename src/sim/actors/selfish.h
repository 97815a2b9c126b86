/* selfish.h - a selfish miner: who withholds blocks, so that others waste theirs.
 *
 * Layer: sim. I. Eyal and E. G. Sirer, "Majority is not enough: Bitcoin mining is vulnerable"
 * (2014), algorithm 1. The miner is a whole, unchanged node that is parted from the network and
 * mines on the best chain that it knows. A guest is its only peer; others are peers of public
 * nodes. They hear of blocks there and bring them to it; what it finds they keep back and tell of
 * as the algorithm says, by headers and blocks of the protocol. */
#ifndef SIM_ACTORS_SELFISH_H
#define SIM_ACTORS_SELFISH_H

#include "sim/actors/crew.h"

/* A lead of so many blocks is told of at once: a miner with most of the power would keep back more
 * and more for ever. */
#define SELFISH_LEAD_MAX 1000

struct selfish;

/* How the attacker hears of a public node, and whether he tells it of blocks. */
enum selfish_reach {
    SELFISH_DEAF, /* neither */
    SELFISH_EAR,  /* he hears it */
    SELFISH_BOTH, /* and tells it of his blocks over the same connection */
    SELFISH_SLOW, /* and tells it over another one, of slow_us */
};

struct selfish_options {
    struct crew_options crew;         /* node: the private miner; target is not looked at */
    const enum selfish_reach *reach;  /* of each of n_nodes; its own is not looked at; borrowed */
    int64_t own_us, near_us, slow_us; /* one way to the miner, and to others; negative: as drawn */
    int own_group;                    /* of the network (sim_net_set_group()), the miner's */
    bool tells_at_once; /* he keeps back nothing: the control, an honest miner in his place */
};

/* What he has done. */
struct selfish_result {
    uint64_t n_own;                          /* blocks that he has mined */
    uint64_t n_adopted, n_raced, n_released; /* times; released: all that was kept back */
};

/* Begin. The nodes are on. Owns: the caller; to be freed before the world. */
NODISCARD struct selfish *selfish_new(const struct selfish_options *options);
/* So far. */
struct selfish_result selfish_result_of(const struct selfish *selfish);
/* He gives up: his people leave. */
void selfish_free(struct selfish *selfish);

#endif
