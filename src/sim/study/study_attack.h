/* study_attack.h - the attackers of a scenario, at work.
 *
 * Layer: sim. What each kind does is in src/sim/actors. */
#ifndef SIM_STUDY_STUDY_ATTACK_H
#define SIM_STUDY_STUDY_ATTACK_H

#include "sim/actors/crew.h"
#include "sim/study/scenario.h"

#define STUDY_ATTACK_GROUP                                                                         \
    1000000 /* of the network, a selfish miner's: see sim_net_set_group()                          \
             */

struct study_attack;

/* Begin; all nodes are on. act is told of what they do, with ctx; borrows the scenario for the
 * call. Owns: the caller; to be freed before the world. */
NODISCARD struct study_attack *study_attack_new(const struct scenario *scenario,
                                                struct sim_world *world, size_t n_nodes,
                                                crew_act_fn *act, void *ctx);
/* All give up. */
void study_attack_free(struct study_attack *attack);

#endif
