/* watch.h - what the chains around us say about us: rules that others follow and we do not.
 *
 * Layer: node. Looked at when the tip has moved or a block was refused, once the chain is caught
 * up. Messages are Core's. */
#ifndef NODE_WATCH_H
#define NODE_WATCH_H

#include "chain/chain.h"
#include "consensus/versionbits.h"

#define WATCH_LINE_BYTES 200

/* Bring up to date for the tip, and say which rules hold that this version does not know.
 *
 * Out:      line  WATCH_LINE_BYTES; "" if there are none
 * Returns:  line */
char *watch_rules(struct versionbits_unknown *unknown, const struct chain *chain, char *line);

/* Is there a chain of more work that we call invalid? Returns: the warning, or "". */
const char *watch_forks(const struct chain *chain);

#endif
