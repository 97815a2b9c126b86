/* test_bip30.c - the two blocks that repeated a coinbase.
 *
 * hazards: rows 3, 4: exempt by height and hash together, on the main chain only. */
#include "consensus/bip30.h"
#include "support/hex_bytes.h"
#include "support/unit.h"

static struct block_hash hash_of(const char *shown)
{
    uint8_t bytes[32];
    struct block_hash hash;
    hex_bytes_exactly(shown, bytes, 32);
    for (int i = 0; i < 32; i++)
        hash.b[i] = bytes[31 - i];
    return hash;
}

#define HASH_91842 "00000000000a4d0a398161ffc163c503763b1f4360639393e0e4c8e300e0caec"
#define HASH_91880 "00000000000743f190a18c5577a3c2d2a1f610ae9601ac046a38084ccb7cd721"

#define HASH_91812 "00000000000af0aed4792b1acee3d966af36cf5def14935db8de83d6f9306f2f"
#define HASH_91722 "00000000000271a2dc26e7667f8419f2e15416dc6955e5a6c6cdf3f2574dd08e"

/* clang-format off */
static const struct { enum network_kind kind; int32_t height; const char *hash;
    int32_t overwritten; } rows[] = {
    {NETWORK_MAIN, 91842, HASH_91842, 91812},
    {NETWORK_MAIN, 91880, HASH_91880, 91722},
    {NETWORK_MAIN, 91842, HASH_91880, -1},    /* the other's hash */
    {NETWORK_MAIN, 91880, HASH_91842, -1},
    {NETWORK_MAIN, 91841, HASH_91842, -1},
    {NETWORK_MAIN, 91812, HASH_91842, -1},
    {NETWORK_TEST, 91842, HASH_91842, -1},
    {NETWORK_REGTEST, 91880, HASH_91880, -1},
};
/* clang-format on */

TEST(only_the_two_blocks_are_exempt)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct network *network = network_get(rows[i].kind);
        struct block_hash hash = hash_of(rows[i].hash);
        assert_int_equal(bip30_overwritten_height(network, rows[i].height, &hash),
                         rows[i].overwritten);
        assert_int_equal(bip30_is_exception(network, rows[i].height, &hash),
                         rows[i].overwritten >= 0);
    }
}

TEST(one_wrong_bit_in_the_hash_ends_the_exemption)
{
    struct block_hash hash = hash_of(HASH_91842);
    for (int bit = 0; bit < 256; bit++) {
        hash.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(bip30_is_exception(network_get(NETWORK_MAIN), 91842, &hash));
        hash.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_true(bip30_is_exception(network_get(NETWORK_MAIN), 91842, &hash));
}

TEST(only_two_coinbases_were_overwritten)
{
    const struct network *main = network_get(NETWORK_MAIN);
    struct block_hash first = hash_of(HASH_91722), second = hash_of(HASH_91812);
    assert_true(bip30_is_overwritten(main, 91722, &first));
    assert_true(bip30_is_overwritten(main, 91812, &second));
    assert_false(bip30_is_overwritten(main, 91812, &first)); /* the other's hash */
    assert_false(bip30_is_overwritten(main, 91722, &second));
    assert_false(bip30_is_overwritten(main, 91723, &first));
    assert_false(bip30_is_overwritten(network_get(NETWORK_REGTEST), 91722, &first));
    struct block_hash later = hash_of(HASH_91842);
    assert_false(bip30_is_overwritten(main, 91842, &later));
}
