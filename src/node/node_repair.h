/* node_repair.h - a chain that cannot be opened is ordered to be made anew from its block files.
 *
 * Layer: node. Pure but for memory. */
#ifndef NODE_NODE_REPAIR_H
#define NODE_NODE_REPAIR_H

#include "chain/chain.h"

/* Change the options of the next attempt.
 *
 * In:       damage  what the last one met, and why in its words
 * Returns:  what to tell the operator; the caller frees it with xfree() */
NODISCARD char *node_repair_order(struct chain_options *options, enum chain_damage damage,
                                  const char *why);
/* The same text with what a pruned node has to be told: its blocks are not enough. */
NODISCARD char *node_repair_refuse(char *why_take);

#endif
