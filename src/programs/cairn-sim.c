/* cairn-sim.c - networks of whole nodes in one process. See sim/program/sim_main.h. */
#include "sim/program/sim_main.h"

int main(int argc, char **argv)
{
    return sim_main(argc, argv);
}
