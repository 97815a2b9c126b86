/* test_bip30.c - the two blocks that are excused from BIP30. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "consensus/bip30.h"
#include "util/hex.h"

static struct block_hash hash_of(const char *hex)
{
    struct block_hash hash;
    assert_true(hex_decode_reversed(hash.b, sizeof hash.b, hex, 64));
    return hash;
}

/* Hazard 3: by height alone a fork could hide a coin, by hash alone nothing can. */
static void only_the_two_blocks_of_the_main_chain_are_excused(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct { enum network_kind kind; int32_t height; const char *hash; int32_t overwritten; } cases[] = {
        {NETWORK_MAIN,    91842, "00000000000a4d0a398161ffc163c503763b1f4360639393e0e4c8e300e0caec", 91812},
        {NETWORK_MAIN,    91880, "00000000000743f190a18c5577a3c2d2a1f610ae9601ac046a38084ccb7cd721", 91722},
        {NETWORK_MAIN,    91880, "00000000000a4d0a398161ffc163c503763b1f4360639393e0e4c8e300e0caec", -1},
        {NETWORK_MAIN,    91843, "00000000000a4d0a398161ffc163c503763b1f4360639393e0e4c8e300e0caec", -1},
        {NETWORK_MAIN,    91842, "00000000000a4d0a398161ffc163c503763b1f4360639393e0e4c8e300e0caed", -1},
        {NETWORK_REGTEST, 91842, "00000000000a4d0a398161ffc163c503763b1f4360639393e0e4c8e300e0caec", -1},
        {NETWORK_TEST,    91880, "00000000000743f190a18c5577a3c2d2a1f610ae9601ac046a38084ccb7cd721", -1},
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct network *network = network_get(cases[i].kind);
        struct block_hash hash = hash_of(cases[i].hash);
        assert_int_equal(bip30_overwritten_height(network, cases[i].height, &hash),
                         cases[i].overwritten);
        assert_int_equal(bip30_is_exception(network, cases[i].height, &hash),
                         cases[i].overwritten >= 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_two_blocks_of_the_main_chain_are_excused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
