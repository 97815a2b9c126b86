/* mesh_draw.h - a picture of who was connected with whom.
 *
 * Layer: sim. With geography a map: places as circles by their nodes, links between places as lines
 * by their number. Without it each node is a point. */
#ifndef SIM_REPORT_MESH_DRAW_H
#define SIM_REPORT_MESH_DRAW_H

#include "sim/report/run.h"
#include "util/buffer.h"

#define MESH_LINKS_DRAWN_MAX 6000 /* more are thinned evenly */
#define MESH_NODES_DRAWN_MAX 2000 /* more points likewise, but for who is not honest */

/* What a picture without places shows; 1: all of them. */
struct mesh_share {
    size_t one_node_of; /* so many is drawn */
    size_t one_link_of; /* the same of the links between nodes that are drawn */
};
struct mesh_share mesh_share_of(const struct run *run);

/* Append the picture of a finished run with nodes.
 *
 * In: id   unique in the page
 *     css  for a file of its own; NULL: for a page */
void mesh_draw(const struct run *run, const char *id, struct buffer *out, const char *css);

#endif
