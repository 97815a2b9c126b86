/* test_rpc_sign.c - signrawtransactionwithkey. */
#include "consensus/key_io.h"
#include "rpc/methods.h"
#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/hex.h"

/* The key 1, in wallet import format of the test networks, and what it can spend. */
#define WIF_1    "cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA"
#define P2WPKH   "0014751e76e8199196d454941c45d1b3a323f1433bd6"
#define P2PKH    "76a914751e76e8199196d454941c45d1b3a323f1433bd688ac"
#define KEY_G    "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define PREV     "0000000000000000000000000000000000000000000000000000000000000001"
#define PREV_RAW "0100000000000000000000000000000000000000000000000000000000000000"
#define UNSIGNED "0200000001" PREV_RAW "0000000000ffffffff0100e1f50500000000015100000000"

TEST(the_key_of_one_has_this_text)
{
    uint8_t secret[32];
    bool compressed;
    assert_true(wif_decode(network_get(NETWORK_REGTEST), WIF_1, secret, &compressed));
    assert_int_equal(secret[31], 1);
    assert_true(compressed);
}

TEST(given_outputs_are_signed_for)
{
    static const char *const scripts[] = {P2WPKH, P2PKH, "21" KEY_G "ac"};
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    for (size_t i = 0; i < COUNT_OF(scripts); i++) {
        const char *got = rpc_rig_callf(&rig, "signrawtransactionwithkey",
                                        "[\"" UNSIGNED "\",[\"" WIF_1 "\"],[{\"txid\":\"" PREV
                                        "\",\"vout\":0,\"scriptPubKey\":\"%s\",\"amount\":2}]]",
                                        scripts[i]);
        assert_starts(got, "{\"hex\":\"02000000");
        assert_holds(got, "\",\"complete\":true}");
    }
    rpc_rig_deinit(&rig);
}

TEST(scripts_behind_hashes_are_signed_for)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    char wrapped[256];
    /* decodescript tells what pays to the script 1-of-1 multisig in each way. */
    const char *got = rpc_rig_call(&rig, "decodescript", "[\"5121" KEY_G "51ae\"]");
    const char *segwit = strstr(got, "\"segwit\"");
    const char *hex = strstr(segwit, "\"hex\":\"") + 7;
    snprintf(wrapped, sizeof wrapped, "%.68s", hex);
    got = rpc_rig_callf(&rig, "signrawtransactionwithkey",
                        "[\"" UNSIGNED "\",[\"" WIF_1 "\"],[{\"txid\":\"" PREV
                        "\",\"vout\":0,\"scriptPubKey\":\"%s\",\"witnessScript\":\"5121" KEY_G
                        "51ae\",\"amount\":2}]]",
                        wrapped);
    assert_holds(got, "\"complete\":true}");
    got = rpc_rig_callf(&rig, "signrawtransactionwithkey",
                        "[\"" UNSIGNED "\",[\"" WIF_1 "\"],[{\"txid\":\"" PREV
                        "\",\"vout\":0,\"scriptPubKey\":\"%s\",\"amount\":2}]]",
                        wrapped);
    assert_string_equal(got, "-8: Missing redeemScript/witnessScript");
    got = rpc_rig_callf(&rig, "signrawtransactionwithkey",
                        "[\"" UNSIGNED "\",[\"" WIF_1 "\"],[{\"txid\":\"" PREV
                        "\",\"vout\":0,\"scriptPubKey\":\"%s\",\"witnessScript\":\"51\","
                        "\"amount\":2}]]",
                        wrapped);
    assert_string_equal(got, "-8: redeemScript/witnessScript does not match scriptPubKey");
    got = rpc_rig_callf(&rig, "signrawtransactionwithkey",
                        "[\"" UNSIGNED "\",[\"" WIF_1 "\"],[{\"txid\":\"" PREV
                        "\",\"vout\":0,\"scriptPubKey\":\"%s\",\"witnessScript\":\"51\","
                        "\"redeemScript\":\"52\",\"amount\":2}]]",
                        wrapped);
    assert_string_equal(got, "-8: redeemScript does not correspond to witnessScript");
    rpc_rig_deinit(&rig);
}

#define PREVTX(members) "[\"" UNSIGNED "\",[\"" WIF_1 "\"],[{" members "}]]"

TEST(what_cannot_be_signed_is_told)
{
    /* clang-format off */
    static const struct { const char *params, *want; } cases[] = {
        {"[\"" UNSIGNED "\",[]]",
         "{\"hex\":\"" UNSIGNED "\",\"complete\":false,\"errors\":[{"
         "\"txid\":\"" PREV "\",\"vout\":0,"
         "\"witness\":[],\"scriptSig\":\"\",\"sequence\":4294967295,"
         "\"error\":\"Input not found or already spent\"}]}"},
        {"[\"" UNSIGNED "\",[],[{\"txid\":\"" PREV "\",\"vout\":0,"
         "\"scriptPubKey\":\"" P2PKH "\"}]]",
         "{\"hex\":\"" UNSIGNED "\",\"complete\":false,\"errors\":[{"
         "\"txid\":\"" PREV "\",\"vout\":0,"
         "\"witness\":[],\"scriptSig\":\"\",\"sequence\":4294967295,"
         "\"error\":\"Unable to sign input, invalid stack size (possibly missing key)\"}]}"},
        {"[\"00\",[]]", "-22: TX decode failed. Make sure the tx has at least one input."},
        {"[\"" UNSIGNED "\",[\"nonsense\"]]", "-5: Invalid private key"},
        {"[\"" UNSIGNED "\",[5]]", "-3: JSON value of type number is not of expected type string"},
        {"[\"" UNSIGNED "\",[],[],\"all\"]", "-8: 'all' is not a valid sighash parameter."},
        {"[\"" UNSIGNED "\",[],[5]]",
         "-22: expected object with {\"txid'\",\"vout\",\"scriptPubKey\"}"},
        {PREVTX("\"vout\":0,\"scriptPubKey\":\"51\""), "-3: Missing txid"},
        {PREVTX("\"txid\":\"" PREV "\",\"scriptPubKey\":\"51\""), "-3: Missing vout"},
        {PREVTX("\"txid\":\"" PREV "\",\"vout\":0"), "-3: Missing scriptPubKey"},
        {PREVTX("\"txid\":\"" PREV "\",\"vout\":\"0\",\"scriptPubKey\":\"51\""),
         "-3: JSON value of type string for field vout is not of expected type number"},
        {PREVTX("\"txid\":\"" PREV "\",\"vout\":-1,\"scriptPubKey\":\"51\""),
         "-22: vout cannot be negative"},
        {PREVTX("\"txid\":\"" PREV "\",\"vout\":0,\"scriptPubKey\":\"zz\""),
         "-8: scriptPubKey must be hexadecimal string (not 'zz')"},
        {PREVTX("\"txid\":\"" PREV "\",\"vout\":0,\"scriptPubKey\":\"" P2WPKH "\""),
         "-3: Missing amount for COutPoint(" PREV ", 0)"},
        {PREVTX("\"txid\":\"" PREV "\",\"vout\":0,\"scriptPubKey\":\"51\",\"amount\":-1"),
         "-3: Amount out of range"},
    };
    /* clang-format on */
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_call(&rig, "signrawtransactionwithkey", cases[i].params, cases[i].want);
    rpc_rig_deinit(&rig);
}

/* A real coin: no prevtxs needed, and the block with the result is valid. */
TEST(a_coin_of_the_chain_is_signed_for)
{
    struct rpc_rig rig;
    char raw[2048];
    rpc_rig_init(&rig, NULL, NULL);
    rpc_rig_call(&rig, "generatetoaddress",
                 "[101,\"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\"]");
    const char *got = rpc_rig_call(&rig, "getblockhash", "[1]");
    snprintf(raw, sizeof raw, "%.66s", got);
    got = rpc_rig_callf(&rig, "getblock", "[%s]", raw);
    snprintf(raw, sizeof raw, "%.64s", strstr(got, "\"tx\":[\"") + 7);
    got = rpc_rig_callf(&rig, "createrawtransaction",
                        "[[{\"txid\":\"%s\",\"vout\":0}],[{\"data\":\"00\"}]]", raw);
    snprintf(raw, sizeof raw, "%s", got);
    got = rpc_rig_callf(&rig, "signrawtransactionwithkey", "[%s,[\"" WIF_1 "\"]]", raw);
    assert_holds(got, "\"complete\":true}");
    size_t len = strcspn(got + 8, "\"");
    snprintf(raw, sizeof raw, "%.*s", (int)len, got + 8);
    assert_starts(rpc_rig_callf(&rig, "generateblock", "[\"raw(51)\",[\"%s\"]]", raw),
                  "{\"hash\":");
    assert_call(&rig, "getblockcount", "[]", "102");
    rpc_rig_deinit(&rig);
}
