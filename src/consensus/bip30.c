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
    const char *hash, *overwritten_hash;
} repeats[] = {
    {91842, 91812, "00000000000a4d0a398161ffc163c503763b1f4360639393e0e4c8e300e0caec",
     "00000000000af0aed4792b1acee3d966af36cf5def14935db8de83d6f9306f2f"},
    {91880, 91722, "00000000000743f190a18c5577a3c2d2a1f610ae9601ac046a38084ccb7cd721",
     "00000000000271a2dc26e7667f8419f2e15416dc6955e5a6c6cdf3f2574dd08e"},
};
/* clang-format on */

static bool is_block(const char *shown, const struct block_hash *hash)
{
    struct block_hash known;
    return hex_decode_reversed(known.b, sizeof known.b, shown, 64) &&
           block_hash_equal(&known, hash);
}

/* By height and hash: a block of another chain at that height enjoys no exception. */
int32_t bip30_overwritten_height(const struct network *network, int32_t height,
                                 const struct block_hash *hash)
{
    ASSERT(network);
    if (network->kind != NETWORK_MAIN)
        return -1;
    for (size_t i = 0; i < COUNT_OF(repeats); i++)
        if (repeats[i].height == height && is_block(repeats[i].hash, hash))
            return repeats[i].overwritten_height;
    return -1;
}

bool bip30_is_exception(const struct network *network, int32_t height,
                        const struct block_hash *hash)
{
    return bip30_overwritten_height(network, height, hash) >= 0;
}

bool bip30_is_overwritten(const struct network *network, int32_t height,
                          const struct block_hash *hash)
{
    ASSERT(network && hash);
    for (size_t i = 0; i < COUNT_OF(repeats) && network->kind == NETWORK_MAIN; i++)
        if (repeats[i].overwritten_height == height && is_block(repeats[i].overwritten_hash, hash))
            return true;
    return false;
}
