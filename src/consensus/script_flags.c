/* script_flags.c - script rules by height.
 *
 *     in force on the main network            from height    since
 *     P2SH                                    0 (173,805)    April 2012, dated back
 *     strict DER                              363,725        July 2015
 *     OP_CHECKLOCKTIMEVERIFY                  388,381        December 2015
 *     OP_CHECKSEQUENCEVERIFY                  419,328        July 2016
 *     segwit; empty dummy of CHECKMULTISIG    0; 481,824     August 2017, segwit dated back
 *     taproot                                 0 (709,632)    November 2021, dated back */
#include "consensus/script_flags.h"

#include "consensus/script_verify.h"
#include "util/assert.h"

bool network_is_buried_active(const struct network *network, enum buried_deployment deployment,
                              int32_t height)
{
    ASSERT(network);
    ASSERT((unsigned)deployment < BURIED_COUNT);
    return height >= network->buried_height[deployment];
}

uint32_t script_flags_for_block(const struct network *network, int32_t height,
                                const struct block_hash *hash)
{
    ASSERT(network);
    uint32_t flags = SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS | SCRIPT_VERIFY_TAPROOT;
    /* A template has no hash yet, and cannot be one of those old blocks. */
    for (uint32_t i = 0; hash && i < network->n_exceptions; i++) {
        if (block_hash_equal(hash, &network->exceptions[i].hash))
            flags = network->exceptions[i].flags;
    }
    /* By height, as it was with miners' votes. BIP-90, Specification */
    if (network_is_buried_active(network, BURIED_DERSIG, height))
        flags |= SCRIPT_VERIFY_DERSIG;
    if (network_is_buried_active(network, BURIED_CLTV, height))
        flags |= SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY;
    if (network_is_buried_active(network, BURIED_CSV, height))
        flags |= SCRIPT_VERIFY_CHECKSEQUENCEVERIFY;
    /* It came with segwit. BIP-147, Deployment */
    if (network_is_buried_active(network, BURIED_SEGWIT, height))
        flags |= SCRIPT_VERIFY_NULLDUMMY;
    return flags;
}
