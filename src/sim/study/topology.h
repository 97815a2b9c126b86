/* topology.h - who connects to whom in a simulated network.
 *
 * Layer: sim. Between two nodes there is one connection at most, and from each there is a way to
 * every other. */
#ifndef SIM_STUDY_TOPOLOGY_H
#define SIM_STUDY_TOPOLOGY_H

#include "sim/sim_world.h"
#include "sim/study/scenario.h"

struct topology {
    struct sim_links *links; /* of each node; NULL: topology own */
    uint32_t *to;
    size_t n;
};

/* Make the connections of a scenario that scenario_check() likes.
 *
 * Returns:  false, with a line in error: what is listed falls apart, or has one twice
 * Owns:     topology_deinit() frees it, in any case */
NODISCARD bool topology_init(struct topology *topology, const struct scenario *scenario,
                             char error[SCENARIO_ERROR_BYTES]);
/* Free it. */
void topology_deinit(struct topology *topology);

#endif
