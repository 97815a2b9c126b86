/* bip30.c - see bip30.h.
 *
 * Found by their hashes, which are written as people read them: two rows, asked for once in a
 * block. */
#include "consensus/bip30.h"

#include "util/assert.h"
#include "util/hex.h"

/* clang-format off */
static const struct repeat {
    int32_t height, overwritten_height;
    const char *hash;
} repeats[] = {
    {91842, 91812, "00000000000a4d0a398161ffc163c503763b1f4360639393e0e4c8e300e0caec"},
    {91880, 91722, "00000000000743f190a18c5577a3c2d2a1f610ae9601ac046a38084ccb7cd721"},
};
/* clang-format on */

/* By height and hash: a block of another chain at that height enjoys no exception. */
int32_t bip30_overwritten_height(const struct network *network, int32_t height,
                                 const struct block_hash *hash)
{
    ASSERT(network);
    if (network->kind != NETWORK_MAIN)
        return -1;
    for (size_t i = 0; i < COUNT_OF(repeats); i++) {
        struct block_hash repeat;
        if (repeats[i].height == height &&
            hex_decode_reversed(repeat.b, sizeof repeat.b, repeats[i].hash, 64) &&
            block_hash_equal(&repeat, hash))
            return repeats[i].overwritten_height;
    }
    return -1;
}

bool bip30_is_exception(const struct network *network, int32_t height,
                        const struct block_hash *hash)
{
    return bip30_overwritten_height(network, height, hash) >= 0;
}
