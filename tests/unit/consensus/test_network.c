/* test_network.c - the table of networks, and the options that change a row. */
#include "consensus/block.h"
#include "consensus/merkle.h"
#include "consensus/network.h"
#include "crypto/hash.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/hex.h"

/* clang-format off */
static const struct { const char *name, *genesis, *merkle_root; uint16_t p2p_port, rpc_port;
    const char *magic; } rows[] = {
    {"main", "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
     "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b", 8333, 8332, "f9beb4d9"},
    {"test", "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943",
     "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b", 18333, 18332, "0b110907"},
    {"testnet4", "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043",
     "7aa0a7ae1e223414cb807e40cd57e667b718e42aaf9306db9102fe28912b7b4e", 48333, 48332, "1c163f28"},
    {"signet", "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6",
     "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b", 38333, 38332, "0a03cf40"},
    {"regtest", "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
     "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b", 18444, 18443, "fabfb5da"},
};
/* clang-format on */

static void assert_shown(const uint8_t bytes[32], const char *want)
{
    char hex[HEX_ID_BYTES];
    assert_string_equal(hex_encode_reversed(hex, span_of(bytes, 32)), want);
}

TEST(every_network_has_its_known_genesis_and_ports)
{
    assert_int_equal(COUNT_OF(rows), NETWORK_COUNT);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct network *network = network_find(rows[i].name);
        assert_non_null(network);
        assert_ptr_equal(network, network_get(network->kind));
        assert_int_equal(network->kind, i);
        assert_int_equal(network->p2p_port, rows[i].p2p_port);
        assert_int_equal(network->rpc_port, rows[i].rpc_port);
        char magic[9];
        assert_string_equal(hex_encode(magic, span_of(network->magic, 4)), rows[i].magic);

        struct arena arena;
        struct block block;
        arena_init(&arena, 1024);
        assert_true(block_decode(network->genesis_raw, &arena, &block));
        assert_shown(block.hash.b, rows[i].genesis);
        assert_shown(network->genesis_hash.b, rows[i].genesis);
        uint8_t root[32];
        assert_false(block_merkle_root(&block, &arena, root));
        assert_shown(root, rows[i].merkle_root);
        assert_memory_equal(root, block.header.merkle_root, 32);
        arena_deinit(&arena);
    }
    assert_null(network_find("mainnet"));
    assert_null(network_find(""));
}

TEST(rows_are_complete_and_agree_with_themselves)
{
    for (int i = 0; i < NETWORK_COUNT; i++) {
        const struct network *network = network_get((enum network_kind)i);
        assert_non_null(network->data_dir);
        assert_non_null(network->bech32_hrp);
        assert_true(network->n_dns_seeds > 0);
        assert_int_equal(network->is_test_chain, i != NETWORK_MAIN);
        assert_int_equal(network->signet_blocks, i == NETWORK_SIGNET);
        assert_int_equal(network->mine_blocks_on_demand, i == NETWORK_REGTEST);
        assert_int_equal(network->enforce_bip94, i == NETWORK_TESTNET4);
        for (int k = 0; k < BIP9_COUNT; k++) {
            const struct bip9_params *params = &network->bip9[k];
            assert_in_range(params->bit, 0, 28);
            assert_in_range(params->threshold, params->period * 3 / 4, params->period);
        }
    }
}

TEST(the_known_facts_of_the_main_chain_are_there)
{
    const struct network *network = network_get(NETWORK_MAIN);
    assert_shown(network->bip34_hash.b,
                 "000000000000024b89b42a942fe0d9fea3bb44ab7bd1b19115dd6a759c0808b8");
    assert_shown(network->min_chain_work,
                 "0000000000000000000000000000000000000001128750f82f4c366153a3a030");
    assert_shown(network->assume_valid.b,
                 "00000000000000000000ccebd6d74d9194d8dcdc1d177c478e094bfad51ba5ac");
    assert_int_equal(network->buried_height[BURIED_HEIGHTINCB], 227931);
    assert_int_equal(network->n_exceptions, 2);
}

TEST(signet_magic_follows_from_the_challenge)
{
    static const char *const seeds[] = {"8.8.4.4"};
    struct network network = *network_get(NETWORK_SIGNET);
    network.fixed_seeds = seeds;
    network.n_fixed_seeds = 1;
    network_set_signet_challenge(&network, network.signet_challenge);
    assert_memory_equal(network.magic, network_get(NETWORK_SIGNET)->magic, 4);
    assert_int_equal(network.n_dns_seeds, 0);
    assert_int_equal(network.n_fixed_seeds, 0);

    /* OP_TRUE: the double hash of 01 51 */
    static const uint8_t op_true[1] = {0x51}, encoded[2] = {0x01, 0x51};
    static const uint8_t zero[32];
    uint8_t digest[32];
    sha256d(span_of(encoded, 2), digest);
    network_set_signet_challenge(&network, span_of(op_true, 1));
    assert_memory_equal(network.magic, digest, 4);
    assert_memory_equal(network.min_chain_work, zero, 32);
    assert_memory_equal(network.assume_valid.b, zero, 32);
    assert_ptr_equal(network.signet_challenge.p, op_true);
}

static void assert_message(char *got, const char *want)
{
    if (want)
        assert_string_equal(got, want);
    else if (got)
        fail_msg("%s", got);
    xfree(got);
}

/* clang-format off */
static const struct { const char *spec, *error; enum buried_deployment which; int32_t height;
    } heights[] = {
    {"bip34@2", NULL, BURIED_HEIGHTINCB, 2},
    {"dersig@102", NULL, BURIED_DERSIG, 102},
    {"cltv@111", NULL, BURIED_CLTV, 111},
    {"csv@432", NULL, BURIED_CSV, 432},
    {"segwit@0", NULL, BURIED_SEGWIT, 0},
    {"segwit@2147483646", NULL, BURIED_SEGWIT, INT32_MAX - 1},
    {"segwit", "Invalid format (segwit) for -testactivationheight=name@height.", 0, 0},
    {"", "Invalid format () for -testactivationheight=name@height.", 0, 0},
    {"segwit@", "Invalid height value (segwit@) for -testactivationheight=name@height.", 0, 0},
    {"segwit@-1", "Invalid height value (segwit@-1) for -testactivationheight=name@height.", 0, 0},
    {"segwit@2147483647",
     "Invalid height value (segwit@2147483647) for -testactivationheight=name@height.", 0, 0},
    {"segwit@ 1", "Invalid height value (segwit@ 1) for -testactivationheight=name@height.", 0, 0},
    {"segwit@1x", "Invalid height value (segwit@1x) for -testactivationheight=name@height.", 0, 0},
    {"segwi@1", "Invalid name (segwi@1) for -testactivationheight=name@height.", 0, 0},
    {"segwitt@1", "Invalid name (segwitt@1) for -testactivationheight=name@height.", 0, 0},
    {"@1", "Invalid name (@1) for -testactivationheight=name@height.", 0, 0},
};
/* clang-format on */

TEST(activation_heights_can_be_moved)
{
    for (size_t i = 0; i < COUNT_OF(heights); i++) {
        struct network network = *network_get(NETWORK_REGTEST);
        assert_message(network_set_activation_height(&network, heights[i].spec), heights[i].error);
        if (!heights[i].error)
            assert_int_equal(network.buried_height[heights[i].which], heights[i].height);
        else
            assert_memory_equal(&network, network_get(NETWORK_REGTEST), sizeof network);
    }
}

#define MALFORMED                                                                                  \
    "Version bits parameters malformed, expecting deployment:start:end[:min_activation_height]"

/* clang-format off */
static const struct { const char *spec, *error; enum bip9_deployment which; int64_t start, timeout;
    int32_t min_height; } vbparams[] = {
    {"testdummy:0:999999999999", NULL, BIP9_TESTDUMMY, 0, 999999999999, 0},
    {"taproot:-1:9223372036854775807:288", NULL, BIP9_TAPROOT, -1, INT64_MAX, 288},
    {"testdummy:-2:0:-5", NULL, BIP9_TESTDUMMY, -2, 0, -5},
    {"testdummy", MALFORMED, 0, 0, 0, 0},
    {"testdummy:1", MALFORMED, 0, 0, 0, 0},
    {"testdummy:1:2:3:4", MALFORMED, 0, 0, 0, 0},
    {"", MALFORMED, 0, 0, 0, 0},
    {"testdummy:x:2", "Invalid nStartTime (x)", 0, 0, 0, 0},
    {"testdummy::2", "Invalid nStartTime ()", 0, 0, 0, 0},
    {"testdummy:1:2 ", "Invalid nTimeout (2 )", 0, 0, 0, 0},
    {"testdummy:1:9223372036854775808", "Invalid nTimeout (9223372036854775808)", 0, 0, 0, 0},
    {"testdummy:1:2:2147483648", "Invalid min_activation_height (2147483648)", 0, 0, 0, 0},
    {"segwit:1:2", "Invalid deployment (segwit)", 0, 0, 0, 0},
};
/* clang-format on */

TEST(deployments_can_be_moved)
{
    for (size_t i = 0; i < COUNT_OF(vbparams); i++) {
        struct network network = *network_get(NETWORK_REGTEST);
        assert_message(network_set_vbparams(&network, vbparams[i].spec), vbparams[i].error);
        if (vbparams[i].error) {
            assert_memory_equal(&network, network_get(NETWORK_REGTEST), sizeof network);
            continue;
        }
        const struct bip9_params *params = &network.bip9[vbparams[i].which];
        assert_int_equal(params->start_time, vbparams[i].start);
        assert_int_equal(params->timeout, vbparams[i].timeout);
        assert_int_equal(params->min_activation_height, vbparams[i].min_height);
        assert_int_equal(params->period, 144);
    }
}

TEST(names_of_deployments_are_those_of_the_options)
{
    assert_string_equal(network_bip9_name(BIP9_TAPROOT), "taproot");
    assert_string_equal(network_bip9_name(BIP9_TESTDUMMY), "testdummy");
}
