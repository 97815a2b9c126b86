/* mesh_draw.h - a picture of who was connected with whom.
 *
 * Layer: sim. With geography a map: places as circles by their nodes, links between places as lines
 * by their number. Without it each node is a point. */
#ifndef SIM_REPORT_MESH_DRAW_H
#define SIM_REPORT_MESH_DRAW_H

#include "sim/report/run.h"
#include "util/buffer.h"

#define MESH_LINKS_DRAWN_MAX 6000 /* more are thinned evenly */

/* Append the picture of a finished run with nodes.
 *
 * In: id   unique in the page
 *     css  for a file of its own; NULL: for a page */
void mesh_draw(const struct run *run, const char *id, struct buffer *out, const char *css);

#endif
