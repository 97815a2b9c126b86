/* test_rpc_multisig.c - createmultisig. */
#include "rpc/methods.h"
#include "support/rpc_rig.h"
#include "support/unit.h"

/* The generator, and twice it. */
#define X1      "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define K1      "02" X1
#define K1_LONG "04" X1 "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
#define K2      "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"

/* Checked against the node's own reading of descriptors. */
TEST(addresses_of_each_type)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    static const char *const types[] = {"legacy", "p2sh-segwit", "bech32"};
    static const char *const texts[] = {"sh(multi(2," K1 "," K2 "))",
                                        "sh(wsh(multi(2," K1 "," K2 ")))",
                                        "wsh(multi(2," K1 "," K2 "))"};
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        char address[120] = "", desc[400];
        const char *got =
            rpc_rig_callf(&rig, "createmultisig", "[2,[\"" K1 "\",\"" K2 "\"],\"%s\"]", types[i]);
        assert_holds(got, "\",\"redeemScript\":\"5221" K1 "21" K2 "52ae\",\"descriptor\":\"");
        assert_holds(got, texts[i]);
        assert_null(strstr(got, "warnings"));
        assert_int_equal(sscanf(got, "{\"address\":\"%119[^\"]\"", address), 1);
        assert_int_equal(sscanf(strstr(got, "descriptor\":") + 12, "%399[^}]", desc), 1);
        char want[130];
        snprintf(want, sizeof want, "[\"%s\"]", address);
        assert_string_equal(rpc_rig_callf(&rig, "deriveaddresses", "[%s]", desc), want);
    }
    rpc_rig_deinit(&rig);
}

TEST(uncompressed_keys_make_legacy_addresses)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    const char *got = rpc_rig_call(&rig, "createmultisig", "[1,[\"" K1_LONG "\"],\"bech32\"]");
    assert_starts(got, "{\"address\":\"2");
    assert_holds(got, "\"descriptor\":\"sh(multi(1," K1_LONG "))#");
    assert_holds(got, "\"warnings\":[\"Unable to make chosen address type, please ensure no "
                      "uncompressed public keys are present.\"]");
    rpc_rig_deinit(&rig);
}

TEST(limits_have_two_sides)
{
    struct rpc_rig rig;
    char keys[25 * 70] = "";
    rpc_rig_init(&rig, NULL, NULL);
    for (int n = 1; n <= 21; n++) {
        snprintf(keys + strlen(keys), sizeof keys - strlen(keys), "%s\"" K1 "\"", n > 1 ? "," : "");
        const char *got = rpc_rig_callf(&rig, "createmultisig", "[1,[%s],\"bech32\"]", keys);
        if (n <= 20)
            assert_starts(got, "{\"address\":\"bcrt1q");
        else
            assert_starts(got, "-8: Number of keys involved in the multisignature address creation "
                               "> 20");
        /* 3 bytes and 34 for each key: 15 keys are 513 bytes. */
        got = rpc_rig_callf(&rig, "createmultisig", "[1,[%s]]", keys);
        if (n <= 15)
            assert_starts(got, "{\"address\":\"2");
        if (n == 16)
            assert_starts(got, "-8: redeemScript exceeds size limit: 547 > 520");
    }
    rpc_rig_deinit(&rig);
}

TEST(arguments_are_checked)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    static const struct {
        const char *params, *want;
    } cases[] = {
        {"[0,[\"" K1 "\"]]",
         "-8: a multisignature address must require at least one key to redeem"},
        {"[2,[\"" K1 "\"]]",
         "-8: not enough keys supplied (got 1 keys, but need at least 2 to redeem)"},
        {"[1,[\"xyz\"]]", "-5: Pubkey \"xyz\" must be a hex string"},
        {"[1,[\"0279\"]]", "-5: Pubkey \"0279\" must have a length of either 33 or 65 bytes"},
        {"[1,[\"05" X1 "\"]]", "-5: Pubkey \"05" X1 "\" must be cryptographically valid."},
        {"[1,[\"" K1 "\"],\"bech32m\"]",
         "-5: createmultisig cannot create bech32m multisig addresses"},
        {"[1,[\"" K1 "\"],\"nosuch\"]", "-5: Unknown address type 'nosuch'"},
        {"[1,[5]]", "-3: JSON value of type number is not of expected type string"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_call(&rig, "createmultisig", cases[i].params, cases[i].want);
    rpc_rig_deinit(&rig);
}
