/* test_key_io.c - Core's address and key vectors, and the words of each refusal. */
#include <jansson.h>

#include "consensus/key_io.h"
#include "support/hex_bytes.h"
#include "support/unit.h"
#include "support/vectors.h"
#include "util/alloc.h"

static const struct network *network_of(const json_t *row)
{
    const char *name = json_string_value(json_object_get(json_array_get(row, 2), "chain"));
    const struct network *network = network_find(name);
    assert_non_null(network);
    return network;
}

static bool flag(const json_t *row, const char *name)
{
    return json_is_true(json_object_get(json_array_get(row, 2), name));
}

static void check_key_row(const json_t *row)
{
    const char *text = json_string_value(json_array_get(row, 0));
    uint8_t want[32], key[32], script[ADDRESS_SCRIPT_MAX];
    char again[WIF_SIZE];
    bool compressed;
    size_t len;
    hex_bytes_exactly(json_string_value(json_array_get(row, 1)), want, 32);
    if (!wif_decode(network_of(row), text, key, &compressed))
        fail_msg("%s", text);
    assert_memory_equal(key, want, 32);
    assert_int_equal(compressed, flag(row, "isCompressed"));
    wif_encode(network_of(row), want, compressed, again);
    assert_string_equal(again, text);
    assert_false(address_decode(network_of(row), text, script, &len, NULL));
}

static void check_address_row(const json_t *row)
{
    const char *text = json_string_value(json_array_get(row, 0));
    uint8_t key[32], script[ADDRESS_SCRIPT_MAX];
    char again[ADDRESS_SIZE], flipped[ADDRESS_SIZE];
    bool compressed;
    size_t len;
    if (!address_decode(network_of(row), text, script, &len, NULL))
        fail_msg("%s", text);
    assert_hex(script, len, json_string_value(json_array_get(row, 1)));
    assert_true(address_encode(network_of(row), span_of(script, len), again));
    assert_string_equal(again, text);
    assert_false(wif_decode(network_of(row), text, key, &compressed));

    size_t n = strlen(text);
    assert_true(n < sizeof flipped);
    for (size_t i = 0; i <= n; i++) {
        bool letter = (text[i] | 32) >= 'a' && (text[i] | 32) <= 'z';
        flipped[i] = letter ? text[i] ^ 32 : text[i];
    }
    bool want = flag(row, "tryCaseFlip");
    assert_int_equal(address_decode(network_of(row), flipped, script, &len, NULL), want);
    if (want)
        assert_hex(script, len, json_string_value(json_array_get(row, 1)));
}

TEST(every_valid_row_round_trips)
{
    size_t len, i;
    char *text = vectors_read("core/key_io_valid.json", &len);
    if (!text)
        skip();
    json_t *rows = json_loadb(text, len, 0, NULL), *row;
    assert_true(json_array_size(rows) >= 70);
    json_array_foreach(rows, i, row)
    {
        if (flag(row, "isPrivkey"))
            check_key_row(row);
        else
            check_address_row(row);
    }
    json_decref(rows);
    xfree(text);
}

TEST(no_invalid_row_means_anything_anywhere)
{
    size_t len, i;
    char *text = vectors_read("core/key_io_invalid.json", &len);
    if (!text)
        skip();
    json_t *rows = json_loadb(text, len, 0, NULL), *row;
    assert_true(json_array_size(rows) >= 70);
    json_array_foreach(rows, i, row)
    {
        const char *in = json_string_value(json_array_get(row, 0));
        for (enum network_kind kind = 0; kind < NETWORK_COUNT; kind++) {
            uint8_t key[32], script[ADDRESS_SCRIPT_MAX];
            struct address_error error;
            bool compressed;
            size_t n;
            if (address_decode(network_get(kind), in, script, &n, &error))
                fail_msg("%s on %s", in, network_get(kind)->name);
            assert_true(error.message[0] != '\0');
            assert_false(wif_decode(network_get(kind), in, key, &compressed));
        }
    }
    json_decref(rows);
    xfree(text);
}

/* clang-format off */
static const struct { enum network_kind network; const char *text, *message; size_t n; int at[2]; }
refusals[] = {
    {NETWORK_REGTEST, "bcrt1s0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav25430mtr",
     "Invalid Bech32 address program size (41 bytes)", 0, {0}},
    {NETWORK_REGTEST, "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7k7grplx",
     "Invalid or unsupported Segwit (Bech32) or Base58 encoding.", 0, {0}},
    {NETWORK_REGTEST, "bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqdmchcc",
     "Version 1+ witness address must use Bech32m checksum", 0, {0}},
    {NETWORK_REGTEST, "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7k35mrzd",
     "Version 0 witness address must use Bech32 checksum", 0, {0}},
    {NETWORK_REGTEST, "bcrt130xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqynjegk",
     "Invalid Bech32 address witness version", 0, {0}},
    {NETWORK_REGTEST, "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kqqq5k3my",
     "Invalid Bech32 v0 address program size (21 bytes), per BIP141", 0, {0}},
    {NETWORK_REGTEST, "bcrt1q049edschfnwystcqnsvyfpj23mpsg3jcedq9xv", "Invalid Bech32 checksum",
     1, {9}},
    {NETWORK_REGTEST, "bcrt1qax9suht3qv95sw33xavx8crpxduefdrsvgsklu", "Invalid Bech32 checksum",
     2, {22, 43}},
    {NETWORK_REGTEST, "bcrtq049ldschfnwystcqnsvyfpj23mpsg3jcedq9xv", "Missing separator", 0, {0}},
    {NETWORK_REGTEST, "bcrt1q04oldschfnwystcqnsvyfpj23mpsg3jcedq9xv", "Invalid Base 32 character",
     1, {8}},
    {NETWORK_REGTEST, "17VZNX1SN5NtKa8UQFxwQbFeFc3iqRYhem",
     "Invalid or unsupported Base58-encoded address.", 0, {0}},
    {NETWORK_REGTEST, "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJJfn",
     "Invalid checksum or length of Base58 address (P2PKH or P2SH)", 0, {0}},
    {NETWORK_REGTEST, "2VKf7XKMrp4bVNVmuRbyCewkP8FhGLP2E54LHDPakr9Sq5mtU2",
     "Invalid checksum or length of Base58 address (P2PKH or P2SH)", 0, {0}},
    {NETWORK_REGTEST, "asfah14i8fajz0123f",
     "Invalid or unsupported Segwit (Bech32) or Base58 encoding.", 0, {0}},
    {NETWORK_MAIN, "bc1rw5uspcuh", "Version 1+ witness address must use Bech32m checksum", 0, {0}},
    {NETWORK_MAIN, "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P",
     "Invalid Bech32 v0 address program size (16 bytes), per BIP141", 0, {0}},
    {NETWORK_MAIN, "bc1pw5dgrnzv", "Invalid Bech32 address program size (1 byte)", 0, {0}},
    {NETWORK_MAIN, "bc1gmk9yu", "Empty Bech32 data section", 0, {0}},
    {NETWORK_MAIN, "bc1qfysxzmfq2phhyarvv9hxgtjgdajxcw3fpkpph893lw",
     "Invalid padding in Bech32 data section", 0, {0}},
    {NETWORK_MAIN, "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3t4", "Invalid character or mixed case",
     1, {40}},
    {NETWORK_MAIN, "bcrt1qtmp74ayg7p24uslctssvjm06q5phz4yrxucgnv",
     "Invalid or unsupported prefix for Segwit (Bech32) address (expected bc, got bcrt).", 0, {0}},
    {NETWORK_MAIN, "", "Invalid checksum or length of Base58 address (P2PKH or P2SH)", 0, {0}},
};
/* clang-format on */

TEST(refusals_are_worded_and_located)
{
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        uint8_t script[ADDRESS_SCRIPT_MAX];
        struct address_error error;
        size_t len;
        assert_false(address_decode(network_get(refusals[i].network), refusals[i].text, script,
                                    &len, &error));
        assert_string_equal(error.message, refusals[i].message);
        assert_int_equal(error.bech32.n, refusals[i].n);
        for (size_t j = 0; j < error.bech32.n; j++)
            assert_int_equal(bech32_error_at(&error.bech32, j), refusals[i].at[j]);
    }
}

/* A version byte of ours in front of a hash of the wrong length. */
TEST(a_short_hash_is_a_wrong_length)
{
    uint8_t script[ADDRESS_SCRIPT_MAX];
    struct address_error error;
    size_t len;
    assert_false(address_decode(network_get(NETWORK_MAIN), "1Wh4bh", script, &len, &error));
    assert_string_equal(error.message, "Invalid length for Base58 address (P2PKH or P2SH)");
}

/* clang-format off */
static const struct { const char *script; bool has_address; const char *why; } scripts[] = {
    {"76a914000000000000000000000000000000000000000088ac",   true,  "P2PKH"},
    {"76a914000000000000000000000000000000000000000088ad",   false, "other ending"},
    {"76a914000000000000000000000000000000000000000088ac61", false, "longer"},
    {"a914000000000000000000000000000000000000000087",       true,  "P2SH"},
    {"a914000000000000000000000000000000000000000088",       false, "other ending"},
    {"00140000000000000000000000000000000000000000",         true,  "P2WPKH"},
    {"001500000000000000000000000000000000000000ffff",       false, "version 0, 21 bytes"},
    {"51024e73",                                             true,  "pay to anchor"},
    {"5101aa",                                               false, "program too short"},
    {"6002aabb",                                             true,  "version 16"},
    {"6102aabb",                                             false, "no version"},
    {"4f02aabb",                                             false, "no version"},
    {"5102aabbcc",                                           false, "push does not end the script"},
    {"6a0568656c6c6f",                                       false, "data"},
    {"210279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798ac", false, "bare key"},
    {"",                                                     false, "empty"},
};
/* clang-format on */

TEST(only_some_scripts_have_an_address)
{
    for (size_t i = 0; i < COUNT_OF(scripts); i++) {
        uint8_t script[64], back[ADDRESS_SCRIPT_MAX];
        char text[ADDRESS_SIZE];
        size_t len = hex_bytes(scripts[i].script, script, sizeof script), back_len;
        const struct network *network = network_get(NETWORK_SIGNET);
        size_t n = address_encode(network, span_of(script, len), text);
        assert_int_equal(n, strlen(text));
        if ((n > 0) != scripts[i].has_address)
            fail_msg("%s: %s", scripts[i].script, scripts[i].why);
        assert_int_equal(text[0] != '\0', scripts[i].has_address);
        if (!scripts[i].has_address)
            continue;
        assert_true(address_decode(network, text, back, &back_len, NULL));
        assert_hex(back, back_len, scripts[i].script);
    }
}

TEST(the_longest_program_round_trips)
{
    uint8_t script[42] = {0x60, 40}, back[ADDRESS_SCRIPT_MAX];
    char text[ADDRESS_SIZE];
    size_t len;
    memset(script + 2, 0xff, 40);
    const struct network *network = network_get(NETWORK_REGTEST);
    assert_true(address_encode(network, span_of(script, 42), text));
    assert_true(address_decode(network, text, back, &len, NULL));
    assert_int_equal(len, 42);
    assert_memory_equal(script, back, 42);
}

TEST(a_number_that_is_no_key_is_refused)
{
    uint8_t zero[32] = {0}, one[32] = {[31] = 1}, key[32];
    char text[WIF_SIZE];
    bool compressed;
    const struct network *network = network_get(NETWORK_MAIN);
    wif_encode(network, zero, true, text);
    assert_false(wif_decode(network, text, key, &compressed));
    wif_encode(network, one, true, text);
    assert_string_equal(text, "KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn");
    assert_true(wif_decode(network, text, key, &compressed));
    assert_true(compressed);
    assert_false(wif_decode(network_get(NETWORK_TEST), text, key, &compressed));
}
