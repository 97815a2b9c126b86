/* sim_study.h - a run of a scenario: how blocks and transactions spread, how often it forks.
 *
 * Layer: sim. Whole nodes mine at random, in proportion to their power, and transactions are sent
 * to random nodes. What cairn-sim runs. */
#ifndef SIM_STUDY_SIM_STUDY_H
#define SIM_STUDY_SIM_STUDY_H

#include "sim/sim_world.h"
#include "sim/study/scenario.h"
#include "sim/study/study_trace.h"

#define STUDY_ACTS_MAX 20000 /* of attackers: further ones are no lines of the trace */

struct sim_study_options {
    const struct scenario *scenario; /* that scenario_check() likes; borrowed for the call */
    study_line_fn *trace;            /* see study_trace.h; or NULL */
    /* All is over, but nothing is gone yet: nodes captured what they heard and said, from the start
     * on, which is start_height blocks above the first. NULL: they do not. */
    void (*captured)(void *ctx, struct sim_world *world, size_t n_nodes, int32_t start_height);
    void *ctx;
    const struct team *team; /* see struct sim_world_options */
    /* That of scenario->chain, which sim_study_can_run() likes; NULL: regtest. Borrowed. */
    const struct network *network;
};

/* Times from the moment at which a block was mined until another node had it as its tip, of all
 * blocks and nodes. */
struct sim_study_result {
    uint64_t n_mined, n_stale;      /* stale: not in the chain of the first node in the end */
    uint64_t n_txs;                 /* in its chain */
    uint64_t n_accepted, n_refused; /* of those that were sent, by the node */
    uint64_t n_samples;
    int64_t median_us, p90_us, p99_us, max_us;
    uint64_t n_acts; /* of attackers */
    uint64_t bytes;  /* that arrived anywhere */
    int32_t height;  /* above the blocks that all began with */
    bool has_agreed; /* all nodes but a selfish miner's have the same tip a minute after the last
                        block */
    uint64_t verdicts_known, verdicts_made; /* of scripts: looked up, computed */
    char trace_hash[HEX_ID_BYTES];          /* of all lines but the last, which has it */
};

/* Can a scenario be run on a chain of that network? False, with a line in error, if its blocks
 * cannot be made here, or not pay for the scenario's transactions. */
NODISCARD bool sim_study_can_run(const struct scenario *scenario, const struct network *network,
                                 char error[SCENARIO_ERROR_BYTES]);
/* Run it.
 *
 * Returns:  false, with a line in error: what the scenario asks for cannot be */
NODISCARD bool sim_study_run(const struct sim_study_options *options,
                             struct sim_study_result *result, char error[SCENARIO_ERROR_BYTES]);

#endif
