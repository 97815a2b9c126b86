/* plant.h - what tests/planted.py wants to have planted in this process.
 *
 * For fixtures: whose code is tested gets it, and nobody else. */
#ifndef TESTS_SUPPORT_PLANT_H
#define TESTS_SUPPORT_PLANT_H

#include "sim/sim_env.h"

/* Plant what the environment names by CAIRN_PLANTED; nothing as a rule, and in a build that has no
 * such bugs. Returns: sim */
struct sim_env *plant_what_is_wanted(struct sim_env *sim);

#endif
