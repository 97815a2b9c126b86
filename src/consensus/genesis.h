/* genesis.h - the first block of a chain of one's own.
 *
 * Layer: consensus. Pure; memory from an arena handed in. The block that no rule is asked of holds
 * one transaction, whose input carries a message: nobody could have made the chain before that was
 * known. Its output is in no set of coins on any network: here it names nobody and pays nothing, so
 * that the block is the same whatever the rules of the chain are. */
#ifndef CONSENSUS_GENESIS_H
#define CONSENSUS_GENESIS_H

#include "consensus/block.h"
#include "consensus/network.h"

/* What a push of one byte takes: a coinbase's script has room for a little more. */
#define GENESIS_MESSAGE_BYTES_MAX 75

struct genesis {
    const char *message; /* 1 to GENESIS_MESSAGE_BYTES_MAX bytes */
    uint32_t time, bits, nonce;
};

/* The block's bytes, in arena.
 *
 * Out:      hash  of its header, whether its work is done or not */
struct span genesis_encode(const struct genesis *genesis, struct arena *arena,
                           struct block_hash *hash);

/* Move on to the first nonce, from the present one, with which its work is done. Takes as long as
 * it takes: some 2^32 tries at most.
 *
 * In:       network  whose limit the bits keep
 * Returns:  false if there is none with this message and time */
NODISCARD bool genesis_mine(const struct network *network, struct genesis *genesis,
                            struct arena *arena);

#endif
