/* test_chain_fields.c - every field of a chain file by itself: kinds, limits, names, lines. */
#include "node/chain_fields.h"
#include "unit/node/chain_text.h"

FIXTURE(arena_setup, arena_teardown)

struct row {
    const char *text, *want;
};

static void assert_all_refused(struct arena *arena, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_chain_refused(arena, rows[i].text, rows[i].want);
}

TEST(what_is_no_json_is_told_with_its_line, struct arena *arena)
{
    static const struct row rows[] = {
        {"", "f:1: this is not JSON"},
        {"name = my\n", "f:1: this is not JSON"},
        {"{\n\"name\": \"my\"\n\"rpc_port\": 1}", "f:3: this is not JSON"},
        {"{\n\"name\": \"my\",\n}", "f:3: this is not JSON"},
        {"\n[1]", "f:2: a chain is described by an object, {...}"},
    };
    assert_all_refused(arena, rows, COUNT_OF(rows));
}

TEST(unknown_names_get_advice, struct arena *arena)
{
    static const struct row rows[] = {
        {CHAIN_TEXT(",\n\"halving_intervall\": 1"),
         "f:5: there is no field \"halving_intervall\": did you mean \"halving_interval\"?"},
        {CHAIN_TEXT(",\n\"hrp\": \"my\""),
         "f:5: there is no field \"hrp\": it belongs in \"addresses\""},
        {CHAIN_TEXT(",\n\"addresses\": {\n\"seeds\": []}"),
         "f:6: there is no field \"seeds\": it belongs outside of this object"},
        {CHAIN_TEXT(",\n\"colour\": 1"), "f:5: there is no field \"colour\""},
        {CHAIN_TEXT(",\n\"na\\u0000me\": 1"), "f:5: there is no field \"na\\u0000me\""},
        {CHAIN_TEXT(",\n\"rpc_port\": 7"), "f:5: \"rpc_port\" is given twice"},
        {"{\n\"name\": \"my\"}", "f:1: \"p2p_port\" is missing"},
        {"{\"name\":\"my\",\"p2p_port\":1,\"rpc_port\":2,\n\"genesis\": {\"time\": 1}}",
         "f:2: \"genesis.message\" is missing"},
    };
    assert_all_refused(arena, rows, COUNT_OF(rows));
}

TEST(numbers_have_limits, struct arena *arena)
{
    static const struct row rows[] = {
        {CHAIN_TEXT(",\n\"halving_interval\": 0"),
         "f:5: \"halving_interval\" must be a whole number from 1 to 2147483647, not 0"},
        {CHAIN_TEXT(",\n\"halving_interval\": 1.5"),
         "f:5: \"halving_interval\" must be a whole number from 1 to 2147483647, not 1.5"},
        {CHAIN_TEXT(",\n\"block_spacing_s\": \"10\""),
         "f:5: \"block_spacing_s\" must be a whole number from 1 to 86400, not \"10\""},
        {CHAIN_TEXT(",\n\"block_spacing_s\": 86401"),
         "f:5: \"block_spacing_s\" must be a whole number from 1 to 86400, not 86401"},
        {CHAIN_TEXT(",\n\"retarget_interval\": 3"),
         "f:5: \"retarget_interval\" must be a whole number from 4 to 1000000, or null for none, "
         "not 3"},
        {CHAIN_TEXT(",\n\"coinbase_maturity\": 0"),
         "f:5: \"coinbase_maturity\" must be a whole number from 1 to 1000000, not 0"},
        {CHAIN_TEXT(",\n\"activation_heights\": {\"csv\": -1}"),
         "f:5: \"activation_heights.csv\" must be a whole number from 0 to 2147483646, not -1"},
        {CHAIN_TEXT(",\n\"addresses\": {\"pubkey\": 256}"),
         "f:5: \"addresses.pubkey\" must be a whole number from 0 to 255, not 256"},
        {CHAIN_TEXT(",\n\"subsidy\": 0"),
         "f:5: \"subsidy\" must be an amount from 0.00000001 to 21000000 coins, not 0"},
        {CHAIN_TEXT(",\n\"subsidy\": 1.000000001"),
         "f:5: \"subsidy\" must be an amount from 0.00000001 to 21000000 coins, not 1.000000001"},
        {"{\"name\":\"my\",\"p2p_port\":1,\"rpc_port\":2,\n\"genesis\": {\"message\": \"m\", "
         "\"time\": 4294967295}}",
         "f:2: \"genesis.time\" must be a whole number from 1 to 4294967294, not 4294967295"},
        {"{\"p2p_port\": 65536}",
         "f:1: \"p2p_port\" must be a whole number from 1 to 65535, not 65536"},
    };
    assert_all_refused(arena, rows, COUNT_OF(rows));
}

TEST(texts_and_hex_have_their_lengths, struct arena *arena)
{
    static const struct row rows[] = {
        {CHAIN_TEXT(",\n\"magic\": \"aabbcc\""),
         "f:5: \"magic\" must be 8 hex digits in quotes, not \"aabbcc\""},
        {CHAIN_TEXT(",\n\"magic\": \"aabbccdg\""),
         "f:5: \"magic\" must be 8 hex digits in quotes, not \"aabbccdg\""},
        {CHAIN_TEXT(",\n\"addresses\": {\"xpub\": \"043587cf00\"}"),
         "f:5: \"addresses.xpub\" must be 8 hex digits in quotes, not \"043587cf00\""},
        {CHAIN_TEXT(",\n\"pow_limit\": 545259519"),
         "f:5: \"pow_limit\" must be 8 hex digits in quotes, a target as blocks have it, not "
         "545259519"},
        {CHAIN_TEXT(",\n\"min_difficulty\": 1"),
         "f:5: \"min_difficulty\" must be true or false, not 1"},
        {CHAIN_TEXT(",\n\"signet_challenge\": \"\""),
         "f:5: \"signet_challenge\" must be a script of 1 to 10000 bytes, in hex and quotes, not "
         "\"\""},
        {CHAIN_TEXT(",\n\"signet_challenge\": \"515\""),
         "f:5: \"signet_challenge\" must be a script of 1 to 10000 bytes, in hex and quotes, not "
         "\"515\""},
        {CHAIN_TEXT(",\n\"addresses\": []"), "f:5: \"addresses\" must be an object, {...}, not []"},
        {"{\"genesis\": \"main\"}",
         "f:1: \"genesis\" must be \"regtest\" or an object, {...}, not \"main\""},
        {"{\"name\": \"a\\n\"}", "f:1: \"name\" must be a text of 1 to 32 bytes without control "
                                 "characters, not \"a\\n\""},
        {CHAIN_TEXT(",\n\"seeds\": [\"\"]"),
         "f:5: \"seeds\" must be a list of 16 names at most, \"host\" or \"host:port\", not "
         "[\"\"]"},
        {CHAIN_TEXT(",\n\"seeds\": [\"a:65536\"]"),
         "f:5: \"seeds\" must be a list of 16 names at most, \"host\" or \"host:port\", not "
         "[\"a:65536\"]"},
        {CHAIN_TEXT(",\n\"seeds\": [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]"),
         "f:5: \"seeds\" must be a list of 16 names at most, \"host\" or \"host:port\", not "
         "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]"},
    };
    assert_all_refused(arena, rows, COUNT_OF(rows));
}

TEST(sixteen_seeds_are_taken, struct arena *arena)
{
    struct network network;
    assert_chain_taken(arena,
                       CHAIN_TEXT(",\"seeds\": [\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\","
                                  "\"i\",\"j\",\"k\",\"l\",\"m\",\"n\",\"o\",\"10.0.0.1:5\"]"),
                       &network);
    assert_int_equal(network.n_dns_seeds, 16);
    assert_string_equal(network.dns_seeds[0], "a");
    assert_string_equal(network.dns_seeds[15], "10.0.0.1:5");
}
