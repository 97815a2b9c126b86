/* script_flags.h - which script rules does a block obey, and which deployments does its height
 * switch on?
 *
 * A block is checked by the rules of its height, not by those of today. P2SH, witness and taproot
 * rules are dated back to the first block all the same: apart from a few blocks, which are named,
 * the whole chain obeys them, and code that needs no date is simpler than code that has one.
 *
 * Layer: consensus. Pure. */
#ifndef CONSENSUS_SCRIPT_FLAGS_H
#define CONSENSUS_SCRIPT_FLAGS_H

#include <stdbool.h>

#include "consensus/network.h"

/* Is a buried deployment's rule in force in the block at this height? */
bool network_is_buried_active(const struct network *network, enum buried_deployment deployment,
                              int32_t height);

/* enum script_flag bits for the block at height. P2SH, witness and taproot rules hold at every
 * height but in the network's exception blocks.
 *
 * In:       hash  the block's; NULL for one that has none yet (a template)
 * Spec:     Core GetBlockScriptFlags() */
uint32_t script_flags_for_block(const struct network *network, int32_t height,
                                const struct block_hash *hash);

#endif
