/* script_flags.h - which script rules does a block obey, and which deployments does its height
 * switch on?
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
