/* bip30.h - the two blocks of the main chain that broke BIP30 before it was a rule.
 *
 * A transaction's id was once nothing but its content, and two coinbases that pay the same key with
 * the same script were the same transaction: the second overwrote the first's coin, which could
 * then be spent once only. Worse, a node that took the second's block back was left without the
 * coin although the first's block was still there. BIP30 refuses a transaction whose id still has
 * unspent outputs; BIP34 puts the height into each coinbase and so makes the question needless, up
 * to the height below. BIP-30, Motivation; BIP-34, Motivation
 *
 * Layer: consensus. Pure data. The coinbases of blocks 91842 and 91880 have the ids of those of
 * blocks 91812 and 91722, which they overwrote while those were unspent. */
#ifndef CONSENSUS_BIP30_H
#define CONSENSUS_BIP30_H

#include "consensus/network.h"

/* From this height on a coinbase could repeat one from before BIP34 that happens to begin with the
 * number of a later height. Core: BIP34_IMPLIES_BIP30_LIMIT */
#define BIP34_IMPLIES_BIP30_LIMIT 1983702

/* Is this one of the two blocks that BIP30 is not asked of? BIP-30, Specification */
bool bip30_is_exception(const struct network *network, int32_t height,
                        const struct block_hash *hash);

/* The height of the block whose coinbase that block overwrote; -1 if it is none of the two. Who
 * takes such a block back has to put the earlier one's coin there again, or the set of coins would
 * depend on the way that led to it. */
int32_t bip30_overwritten_height(const struct network *network, int32_t height,
                                 const struct block_hash *hash);

/* Was the coinbase of that block overwritten by one of the two before it was spent? Of its coin
 * nobody ever had any good. */
bool bip30_is_overwritten(const struct network *network, int32_t height,
                          const struct block_hash *hash);

#endif
