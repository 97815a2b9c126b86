/* pow.h - proof of work: targets, the work a block must show, the subsidy it earns.
 *
 * The target is a number of 256 bits that a block's hash, read as a little-endian number, must not
 * exceed. Headers hold it in a compact form of 32 bits: an exponent, which counts bytes, and the
 * three highest bytes.
 *
 * Layer: consensus. Pure.
 *
 *     bits        target                        is
 *     1d00ffff    00ffff << 8 * (1d - 3)        the main network's limit, difficulty 1
 *     207fffff    7fffff << 8 * (20 - 3)        regtest's limit: every second hash will do
 *     1d80ffff    with the sign bit             no target: it is negative
 *     03000000    0                             no target
 *     23000001    01 << 8 * (23 - 3)            no target: more than 256 bits */
#ifndef CONSENSUS_POW_H
#define CONSENSUS_POW_H

#include "consensus/header_view.h"
#include "consensus/network.h"
#include "util/u256.h"

#define TIMEWARP_GRACE_S 600 /* BIP-94, 3. Time Warp Attack Prevention */

/* Expand compact bits: a 23-bit mantissa, a sign bit and an exponent counted in bytes.
 *
 * The form is that of numbers in a library that the first implementation used, which explains the
 * sign bit: a target is never negative, but bits that say so have to be understood to be refused.
 * Several bits can mean one number (0x1d00ff00, 0x1e0000ff); headers must hold the very ones that
 * pow_next_bits() gives, so that is no freedom.
 *
 * Out:      negative, overflow  may be NULL. With overflow the value is not to be used
 * Returns:  the number, ignoring its sign. Core: arith_uint256::SetCompact() */
struct u256 pow_target_from_bits(uint32_t bits, bool *negative, bool *overflow);

/* The compact form of a target, rounded down to its three highest bytes. Rounding down makes blocks
 * a little harder than computed. It is a rule as well: each period starts from the rounded target
 * of the one before. */
uint32_t pow_target_to_bits(struct u256 target);

/* Does the hash prove the work that bits claim, and is that claim within the network's limit? False
 * for bits that are negative, zero, overflowing or easier than the limit. The limit keeps a
 * stranger from presenting a header of his own difficulty: without it, bits that allow every hash
 * would pass. */
bool pow_check(const struct network *network, const struct block_hash *hash, uint32_t bits);

/* Expected number of hashes to find a block with these bits: 2^256 / (target + 1). Zero if bits are
 * no valid target. The sum of this over a chain is what chains are compared by, not their lengths:
 * many easy blocks are less than a few hard ones. */
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

/* Could the bits change so at this height, whatever the times? For headers whose chain is not kept.
 * A peer can send headers without end. Those whose difficulty moves faster than any times could
 * make it move are refused before a single one is kept. Spec: Core
 * PermittedDifficultyTransition() */
bool pow_is_transition_permitted(const struct network *network, int32_t height, uint32_t old_bits,
                                 uint32_t new_bits);

/* New coins that the block at height may create, without fees. It halves at fixed heights, by a
 * shift: fractions of a satoshi are dropped, which is why less than 21 million coins come to be.
 *
 *     height       coins         height        satoshi
 *     0            50            6,510,000     2
 *     210,000      25            6,720,000     1
 *     420,000      12.5          6,930,000     0 */
int64_t pow_subsidy_sat(const struct network *network, int32_t height);

#endif
