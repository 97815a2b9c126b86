/* test_script_flags.c - script rules at the heights where they change. */
#include "consensus/script_flags.h"
#include "consensus/script_verify.h"
#include "support/hex_bytes.h"
#include "support/unit.h"

#define ALWAYS (SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS | SCRIPT_VERIFY_TAPROOT)
#define CLTV   SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY
#define CSV    SCRIPT_VERIFY_CHECKSEQUENCEVERIFY
#define ALL    (ALWAYS | SCRIPT_VERIFY_DERSIG | CLTV | CSV | SCRIPT_VERIFY_NULLDUMMY)
/* clang-format off */
static const struct { enum network_kind kind; int32_t height; uint32_t flags; } rows[] = {
    {NETWORK_MAIN, 0,      ALWAYS},
    {NETWORK_MAIN, 363724, ALWAYS},
    {NETWORK_MAIN, 363725, ALWAYS | SCRIPT_VERIFY_DERSIG},
    {NETWORK_MAIN, 388380, ALWAYS | SCRIPT_VERIFY_DERSIG},
    {NETWORK_MAIN, 388381, ALWAYS | SCRIPT_VERIFY_DERSIG | CLTV},
    {NETWORK_MAIN, 419327, ALWAYS | SCRIPT_VERIFY_DERSIG | CLTV},
    {NETWORK_MAIN, 419328, ALWAYS | SCRIPT_VERIFY_DERSIG | CLTV | CSV},
    {NETWORK_MAIN, 481823, ALWAYS | SCRIPT_VERIFY_DERSIG | CLTV | CSV},
    {NETWORK_MAIN, 481824, ALL},
    {NETWORK_TEST, 834623, ALWAYS | SCRIPT_VERIFY_DERSIG | CLTV | CSV},
    {NETWORK_TEST, 834624, ALL},
    {NETWORK_TESTNET4, 1, ALL},
    {NETWORK_SIGNET, 1, ALL},
    {NETWORK_REGTEST, 0, ALWAYS | SCRIPT_VERIFY_NULLDUMMY},
    {NETWORK_REGTEST, 1, ALL},
};
/* clang-format on */

TEST(flags_change_at_the_buried_heights)
{
    static const struct block_hash some_hash = {{1}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct network *network = network_get(rows[i].kind);
        assert_int_equal(script_flags_for_block(network, rows[i].height, &some_hash),
                         rows[i].flags);
        assert_int_equal(script_flags_for_block(network, rows[i].height, NULL), rows[i].flags);
    }
}

/* chain_scripts_hold() relies on it: who passes the standard rules passes those of any block. */
TEST(the_standard_rules_contain_those_of_every_block)
{
    for (int kind = 0; kind < NETWORK_COUNT; kind++) {
        const struct network *network = network_get((enum network_kind)kind);
        uint32_t flags = script_flags_for_block(network, 0, NULL);
        for (int i = 0; i < BURIED_COUNT; i++)
            flags |= script_flags_for_block(network, network->buried_height[i], NULL);
        flags |= script_flags_for_block(network, INT32_MAX, NULL);
        for (uint32_t i = 0; i < network->n_exceptions; i++)
            flags |= network->exceptions[i].flags;
        assert_int_equal(flags & ~SCRIPT_VERIFY_STANDARD, 0);
        assert_int_equal(flags & ALWAYS, ALWAYS);
    }
}

static struct block_hash hash_of(const char *shown)
{
    uint8_t bytes[32];
    struct block_hash hash;
    hex_bytes_exactly(shown, bytes, 32);
    for (int i = 0; i < 32; i++)
        hash.b[i] = bytes[31 - i];
    return hash;
}

TEST(exception_blocks_obey_fewer_rules)
{
    const struct network *main_net = network_get(NETWORK_MAIN);
    struct block_hash bip16 =
        hash_of("00000000000002dc756eebf4f49723ed8d30cc28a5f108eb94b1ba88ac4f9c22");
    struct block_hash taproot =
        hash_of("0000000000000000000f14c35b2d841e986ab5441de8c585d5ffe55ea1e395ad");
    struct block_hash test =
        hash_of("00000000dd30457c001f4095d208cc1296b0eed002427aa599874af7a432b105");
    assert_int_equal(script_flags_for_block(main_net, 170060, &bip16), 0);
    /* the rules of its height hold there too */
    assert_int_equal(script_flags_for_block(main_net, 692261, &taproot),
                     ALL & ~(uint32_t)SCRIPT_VERIFY_TAPROOT);
    assert_int_equal(script_flags_for_block(main_net, 100, &test), ALWAYS);
    assert_int_equal(script_flags_for_block(network_get(NETWORK_TEST), 100, &test), 0);
    assert_int_equal(script_flags_for_block(network_get(NETWORK_TEST), 100, &bip16), ALWAYS);
}

TEST(buried_rules_start_at_their_height)
{
    struct network network = *network_get(NETWORK_REGTEST);
    network.buried_height[BURIED_CSV] = 432;
    assert_false(network_is_buried_active(&network, BURIED_CSV, 431));
    assert_true(network_is_buried_active(&network, BURIED_CSV, 432));
    assert_int_equal(script_flags_for_block(&network, 431, NULL), ALL & ~(uint32_t)CSV);
    assert_int_equal(script_flags_for_block(&network, 432, NULL), ALL);
}
