/* pow.h - proof of work: targets, the work a block must show, the subsidy it earns.
 *
 * Layer: consensus. Pure. */
#ifndef CONSENSUS_POW_H
#define CONSENSUS_POW_H

#include "consensus/header_view.h"
#include "consensus/network.h"
#include "util/u256.h"

#define TIMEWARP_GRACE_S 600 /* BIP-94, 3. Time Warp Attack Prevention */

/* Expand compact bits: a 23-bit mantissa, a sign bit and an exponent counted in bytes.
 *
 * Out:      negative, overflow  may be NULL. With overflow the value is not to be used
 * Returns:  the number, ignoring its sign. Core: arith_uint256::SetCompact() */
struct u256 pow_target_from_bits(uint32_t bits, bool *negative, bool *overflow);

/* The compact form of a target, rounded down to its three highest bytes. */
uint32_t pow_target_to_bits(struct u256 target);

/* Does the hash prove the work that bits claim, and is that claim within the network's limit?
 * False for bits that are negative, zero, overflowing or easier than the limit. */
bool pow_check(const struct network *network, const struct block_hash *hash, uint32_t bits);

/* Expected number of hashes to find a block with these bits: 2^256 / (target + 1). Zero if bits
 * are no valid target. */
struct u256 pow_block_work(uint32_t bits);

/* Blocks from one change of difficulty to the next. */
int32_t pow_retarget_interval(const struct network *network);

/* The bits that the block after prev must have.
 *
 * In:       prev  a node of view, not NULL (genesis has its own bits)
 *           time  of the new block: the test networks' 20-minute rule looks at it
 * Spec:     Core GetNextWorkRequired(); BIP94 on testnet4 */
uint32_t pow_next_bits(const struct network *network, const struct header_view *view,
                       const void *prev, uint32_t time);

/* Could the bits change so at this height, whatever the times? For headers whose chain is not
 * kept. Spec: Core PermittedDifficultyTransition() */
bool pow_is_transition_permitted(const struct network *network, int32_t height, uint32_t old_bits,
                                 uint32_t new_bits);

/* New coins that the block at height may create, without fees. */
int64_t pow_subsidy_sat(const struct network *network, int32_t height);

#endif
