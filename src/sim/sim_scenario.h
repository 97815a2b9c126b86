/* sim_scenario.h - a network under faults: does it agree again once they are over?
 *
 * Layer: sim. Nodes mine and send transactions at random while links are slow, lossy, silent or
 * cut, and while nodes stop, start and crash amid their writes. Then everything is healed; within
 * SIM_SCENARIO_PATIENCE_US all tips and muhashes must be the same. All from one seed. */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include "sim/sim_world.h"

#define SIM_SCENARIO_NODES_MAX   16
#define SIM_SCENARIO_PATIENCE_US INT64_C(180000000)
#define SIM_SCENARIO_BASE_BLOCKS 112 /* what sim_base_new() is best given: a dozen coins mature */

struct sim_scenario_options {
    uint64_t seed;
    size_t n_nodes;              /* at least 2 */
    const struct sim_base *base; /* borrowed for the call */
    int64_t faults_us;           /* how long faults go on; 0: four minutes */
    /* Called for each line of the trace; may be NULL. */
    void (*trace)(void *ctx, const char *line);
    void *ctx;
    bool traces_logs; /* the nodes' debug logs are part of the trace */
};

struct sim_scenario_result {
    bool is_good;
    char failure[400]; /* what is wrong, if not */
    char trace_hash[HEX_ID_BYTES];
    uint64_t n_trace_lines;
    uint64_t bytes; /* that arrived over the network */
    int32_t height;
    uint64_t n_mined_txs, n_sent_txs; /* in the chain at the end; taken by a node's mempool */
    /* Of the connections that are there at the end, both ends counted. */
    unsigned n_encrypted, n_plain;
    uint64_t compact_bytes; /* of compact blocks that came over them */
    unsigned n_mined, n_reorgs, n_restarts, n_crashes, n_partitions, n_slow, n_mute;
    int64_t agreed_us; /* from the last fault until all tips were the same */
    int64_t virtual_us;
};

/* Run it. */
void sim_scenario_run(const struct sim_scenario_options *options,
                      struct sim_scenario_result *result);

#endif
