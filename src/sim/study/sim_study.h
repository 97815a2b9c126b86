/* sim_study.h - figures of a network that nothing disturbs: how blocks spread, how often it forks.
 *
 * Layer: sim. Whole nodes mine at random, like miners of equal power, and transactions are sent to
 * random nodes. What cairn-sim prints. */
#ifndef SIM_STUDY_H
#define SIM_STUDY_H

#include "sim/sim_world.h"

struct sim_study_options {
    uint64_t seed;
    size_t n_nodes;     /* at least 2 */
    int64_t minutes;    /* of virtual time, after the nodes have met */
    int64_t interval_s; /* between two blocks of all, on average */
    int64_t txs_per_minute;
    struct sim_net_options net;
};

/* Times from the moment at which a block was mined until another node had it as its tip, of all
 * blocks and nodes. */
struct sim_study_result {
    uint64_t n_mined, n_stale; /* stale: not in the chain of the first node in the end */
    uint64_t n_txs;            /* in its chain */
    uint64_t n_samples;
    int64_t median_us, p90_us, p99_us, max_us;
    uint64_t bytes;  /* that arrived anywhere */
    int32_t height;  /* above the blocks that all began with */
    bool has_agreed; /* all nodes have the same tip a minute after the last block */
};

/* Run it. */
void sim_study_run(const struct sim_study_options *options, struct sim_study_result *result);

#endif
