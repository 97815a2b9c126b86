/* link_command.h - what can be asked of a running net of links: one line in, one line out.
 *
 *     add NODE                              a namespace for a node: ok DESCRIPTOR ADDRESS
 *     remove NODE                           and away with it
 *     link FROM TO DELAY JITTER LOSS RATE   microseconds, packets in a million, bytes a second;
 *                                           FROM and TO may be *
 *     reset                                 all pairs as "link * *" said last
 *     group NUMBER NODE...                  nodes of different groups do not hear each other
 *     heal                                  all in one group
 *     stats                                 ok nodes N passed N bytes N lost N cut N full N waiting
 * N
 *
 * Layer: host. The answer begins with "ok" or "error". */
#ifndef HOST_LINK_COMMAND_H
#define HOST_LINK_COMMAND_H

#include "util/buffer.h"

struct link_net;

#define LINK_COMMAND_BYTES_MAX 32768 /* LINK_NODES_MAX nodes in one group fit */

/* Obey one command. In: line, changed by this; Out: answer, appended to */
void link_command(struct link_net *net, char *line, struct buffer *answer);

#endif
