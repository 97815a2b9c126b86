/* plant.c - see plant.h. */
#include "support/plant.h"

#include <stdlib.h>

#include "util/planted.h"

struct sim_env *plant_what_is_wanted(struct sim_env *sim)
{
#ifdef CAIRN_PLANT
    int planted = planted_find(getenv("CAIRN_PLANTED"));
    ASSERT(planted >= 0);
    sim_env_plant(sim, planted);
#endif
    return sim;
}
