/* sim_anyone.h - the output that anybody may spend, to which all miners of a simulated world pay.
 *
 * Layer: sim. P2WSH of OP_1, which is standard, so nodes relay it. */
#ifndef SIM_SIM_ANYONE_H
#define SIM_SIM_ANYONE_H

#include "consensus/key_io.h"

/* Its script. */
struct span sim_anyone_script(void);
/* Its address on a network. */
void sim_anyone_address(const struct network *network, char text[ADDRESS_SIZE]);

#endif
