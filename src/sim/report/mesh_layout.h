/* mesh_layout.h - where the nodes of a mesh are drawn.
 *
 * Layer: sim. Sums, products and roots in a fixed order: the same run is the same picture. */
#ifndef SIM_REPORT_MESH_LAYOUT_H
#define SIM_REPORT_MESH_LAYOUT_H

#include "sim/report/run.h"

#define MESH_PUSHED_MAX 400 /* nodes that push each other away; more of them stand on a ring */

struct mesh_point {
    double x, y; /* 0 to 1 */
};

/* Places for all nodes of a finished run. Few nodes are drawn together by their links and pushed
 * apart; many stand on a spiral in the order of their numbers.
 *
 * Out: points  as many as there are nodes */
void mesh_layout(const struct run *run, struct mesh_point *points);

#endif
