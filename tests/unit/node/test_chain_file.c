/* test_chain_file.c - what the fields of a chain file say of each other, and what comes of them. */
#include "consensus/block_check.h"
#include "consensus/pow.h"
#include "node/chain_file.h"
#include "unit/node/chain_text.h"
#include "util/hex.h"

FIXTURE(arena_setup, arena_teardown)

#define GENESIS_HEAD                                                                               \
    "{\"name\": \"my\", \"p2p_port\": 1, \"rpc_port\": 2,\n\"genesis\": {\"message\": \"ours\", "  \
    "\"time\": 1700000000, \"bits\": \"207fffff\""

TEST(what_fields_say_of_each_other_is_checked, struct arena *arena)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"{\"name\":\"my\",\"p2p_port\":7,\n\"rpc_port\":7,\"genesis\":\"regtest\"}",
         "f:2: \"rpc_port\" is 7, which \"p2p_port\" is already"},
        {CHAIN_TEXT(",\n\"magic\": \"f9beb4d9\""), "f:5: \"magic\" is that of main"},
        {CHAIN_TEXT(",\n\"magic\": \"fabfb5da\""), "f:5: \"magic\" is that of regtest"},
        {CHAIN_TEXT(",\n\"addresses\": {\"pubkey\": 7, \"script\": 7}"),
         "f:5: \"addresses.script\" is 7, which \"addresses.pubkey\" is already"},
        {CHAIN_TEXT(",\n\"addresses\": {\"xpub\": \"04358394\"}"),
         "f:5: \"addresses.xprv\" is the same as \"addresses.xpub\""},
        {CHAIN_TEXT(",\n\"addresses\": {\"hrp\": \"My\"}"),
         "f:5: \"addresses.hrp\" must be small letters and digits: \"My\""},
        {CHAIN_TEXT(",\n\"addresses\": {\"hrp\": \"bc\"}"),
         "f:5: \"addresses.hrp\" is that of the main network, whose coins are real"},
        {CHAIN_TEXT(",\n\"pow_limit\": \"21008000\""),
         "f:5: \"pow_limit\" is above the limit 207fffff: 21008000"},
        {CHAIN_TEXT(",\n\"magic\": \"00000000\""),
         "f:5: \"magic\" must not be zero: so is what block files have room for"},
        {CHAIN_TEXT(",\n\"pow_limit\": \"00000000\""), "f:5: \"pow_limit\" is no target: 00000000"},
        {CHAIN_TEXT(",\n\"pow_limit\": \"20ffffff\""), "f:5: \"pow_limit\" is no target: 20ffffff"},
        {CHAIN_TEXT(",\n\"pow_limit\": \"1f7fffff\""),
         "f:4: \"genesis\" is regtest's, whose bits 207fffff are above the \"pow_limit\" 1f7fffff"},
        {GENESIS_HEAD ", \"nonce\": 0},\n\"pow_limit\": \"1f7fffff\"}",
         "f:2: \"genesis.bits\" is above the limit 1f7fffff: 207fffff"},
        {CHAIN_TEXT(",\n\"addresses\": {\"script\": 5}"),
         "f:5: \"addresses.script\" is 5, that of the main network, whose coins are real"},
        {CHAIN_TEXT(",\n\"subsidy\": 21000000, \"halving_interval\": 1"),
         "f:5: \"subsidy\" makes more than 21 million coins with the second block; 10500000 is the "
         "most"},
        {CHAIN_TEXT(",\n\"subsidy\": 50, \"halving_interval\": 210001"),
         "f:5: \"halving_interval\" is 210001: with this \"subsidy\" there would be more than 21 "
         "million coins in the end; 210000 is the most"},
        {CHAIN_TEXT(",\n\"signet_challenge\": \"5102aa\""),
         "f:5: \"signet_challenge\" is no script: the push at byte 1 has too few bytes behind it"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_chain_refused(arena, rows[i].text, rows[i].want);
}

TEST(names_that_would_clash_are_refused)
{
    static const char *const bad[] = {
        "main",   "test",    "testnet3", "testnet4",
        "signet", "regtest", "blocks",   "indexes",
        "fees",   "",        "My",       "1a",
        "a/b",    "..",      "a b",      "abcdefghijabcdefghijabcdefghijabc"};
    static const char *const good[] = {"a", "my-chain_2", "abcdefghijabcdefghijabcdefghijab"};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_non_null(chain_file_name_fault(bad[i]));
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_null(chain_file_name_fault(good[i]));
}

TEST(a_name_that_clashes_is_told_with_its_line, struct arena *arena)
{
    assert_chain_refused(
        arena, "{\"p2p_port\":1,\"rpc_port\":2,\"genesis\":\"regtest\",\n\"name\":\"signet\"}",
        "f:2: \"name\" is the name of a network that everybody knows: \"signet\"");
}

TEST(what_is_left_out_is_as_on_regtest, struct arena *arena)
{
    const struct network *regtest = network_get(NETWORK_REGTEST);
    struct network own;
    assert_chain_taken(arena, CHAIN_TEXT(""), &own);
    assert_int_equal(own.kind, NETWORK_CUSTOM);
    assert_string_equal(own.name, "my");
    assert_string_equal(own.data_dir, "my");
    assert_int_equal(own.p2p_port, 1000);
    assert_int_equal(own.rpc_port, 1001);
    assert_memory_equal(&own.genesis_hash, &regtest->genesis_hash, 32);
    assert_int_equal(pow_target_to_bits(u256_from_le(own.pow_limit)), 0x207fffff);
    assert_memory_not_equal(own.magic, regtest->magic, 4);
    assert_int_equal(own.subsidy_first_sat, 50 * COIN_SAT);
    assert_int_equal(own.coinbase_maturity, 100);
    assert_true(own.pow_no_retargeting && own.is_test_chain && own.mine_blocks_on_demand);
    assert_false(own.signet_blocks || own.pow_allow_min_difficulty);
    assert_int_equal(own.n_snapshots, 0);
    assert_int_equal(own.n_dns_seeds, 0);
    assert_int_equal(strlen(own.rules_tag), NETWORK_TAG_CHARS);
}

TEST(every_field_reaches_its_place, struct arena *arena)
{
    struct network own;
    assert_chain_taken(
        arena,
        CHAIN_TEXT(",\"magic\": \"01020304\", \"addresses\": {\"pubkey\": 1, \"script\": 2, "
                   "\"secret\": 3, \"xpub\": \"0a0b0c0d\", \"xprv\": \"0a0b0c0e\", \"hrp\": "
                   "\"xy\"}, \"block_spacing_s\": 7, \"retarget_interval\": 20, "
                   "\"min_difficulty\": true, \"bip94\": true, \"subsidy\": \"0.5\", "
                   "\"halving_interval\": 30, \"coinbase_maturity\": 4, \"activation_heights\": "
                   "{\"bip34\": 5, \"dersig\": 6, \"cltv\": 7, \"csv\": 8, \"segwit\": 9}"),
        &own);
    assert_memory_equal(own.magic, "\1\2\3\4", 4);
    assert_int_equal(own.base58_pubkey, 1);
    assert_int_equal(own.base58_script, 2);
    assert_int_equal(own.base58_secret, 3);
    assert_memory_equal(own.base58_xpub, "\x0a\x0b\x0c\x0d", 4);
    assert_memory_equal(own.base58_xprv, "\x0a\x0b\x0c\x0e", 4);
    assert_string_equal(own.bech32_hrp, "xy");
    assert_int_equal(own.pow_target_spacing_s, 7);
    assert_int_equal(pow_retarget_interval(&own), 20);
    assert_true(own.pow_allow_min_difficulty && own.enforce_bip94);
    assert_false(own.pow_no_retargeting);
    assert_int_equal(own.subsidy_first_sat, COIN_SAT / 2);
    assert_int_equal(own.subsidy_halving_interval, 30);
    assert_int_equal(own.coinbase_maturity, 4);
    for (int i = 0; i < BURIED_COUNT; i++)
        assert_int_equal(own.buried_height[i], 5 + i);
}

TEST(a_genesis_block_is_mined_and_then_taken, struct arena *arena)
{
    struct network own;
    uint32_t nonce = 77;
    char *error = NULL, hash[HEX_ID_BYTES];
    const char *draft = GENESIS_HEAD ", \"nonce\": 0}}";
    if (!chain_file_mine(span_of_string(draft), "f", arena, &nonce, &error))
        fail_msg("%s", error);
    char *text = xasprintf(GENESIS_HEAD ", \"nonce\": %u}}", nonce);
    assert_chain_taken(arena, text, &own);
    hex_encode_reversed(hash, span_of(own.genesis_hash.b, 32));
    xfree(text);
    text = xasprintf(GENESIS_HEAD ", \"nonce\": %u, \"hash\": \"%s\"}}", nonce, hash);
    assert_chain_taken(arena, text, &own);
    xfree(text);
    struct block block;
    struct verdict verdict;
    assert_true(block_decode(own.genesis_raw, arena, &block));
    assert_true(block_check(&block, &own, 0, arena, &verdict));
    assert_int_equal(block.header.time, 1700000000);
}

/* Regtest's bits let every second hash pass: of eight nonces some do not. */
TEST(work_and_hash_of_the_genesis_block_are_checked, struct arena *arena)
{
    struct network own;
    size_t n_refused = 0;
    for (unsigned nonce = 0; nonce < 8; nonce++) {
        char *error = NULL, *text = xasprintf(GENESIS_HEAD ", \"nonce\": %u}}", nonce);
        if (!chain_file_parse(span_of_string(text), "f", arena, &own, &error)) {
            n_refused++;
            assert_string_equal(error, "f:2: \"genesis.nonce\" does not give the block the work "
                                       "that its bits say: cairn-cli newchain finds one that does");
        }
        xfree(error);
        xfree(text);
    }
    assert_true(n_refused > 0 && n_refused < 8);
    char *error = NULL;
    const char *text = GENESIS_HEAD ", \"nonce\": 0, \"hash\": "
                                    "\"00000000000000000000000000000000000000000000000000000000000"
                                    "00001\"}}";
    assert_false(chain_file_parse(span_of_string(text), "f", arena, &own, &error));
    assert_non_null(strstr(error, "f:2: \"genesis.hash\" does not match: the block that"));
    xfree(error);
}

/* 2^16 hashes: bits 1f00ffff stand for 2^16 + 1. */
TEST(only_easy_chains_make_blocks_at_will, struct arena *arena)
{
    static const struct {
        const char *bits, *more;
        bool is_easy;
    } rows[] = {{"207fffff", "", true},
                {"1f010000", "", true},
                {"1f00ffff", "", false},
                {"207fffff", ", \"signet_challenge\": \"51\"", false}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct network own;
        char *error = NULL;
        const char *form = "{\"name\": \"my\", \"p2p_port\": 1, \"rpc_port\": 2%s, \"genesis\": "
                           "{\"message\": \"m\", \"time\": 1, \"bits\": \"%s\", \"nonce\": %u}}";
        uint32_t nonce = 0;
        char *text = xasprintf(form, rows[i].more, rows[i].bits, nonce);
        if (!chain_file_mine(span_of_string(text), "f", arena, &nonce, &error))
            fail_msg("%s", error);
        xfree(text);
        text = xasprintf(form, rows[i].more, rows[i].bits, nonce);
        assert_chain_taken(arena, text, &own);
        xfree(text);
        assert_int_equal(own.mine_blocks_on_demand, rows[i].is_easy);
        assert_true(own.is_test_chain);
    }
}
