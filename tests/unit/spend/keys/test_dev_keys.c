/* test_dev_keys.c - the keys of -dev are those that other wallets find for the same words. */
#include "spend/keys/dev_keys.h"

#include <string.h>

#include "support/unit.h"
#include "util/alloc.h"

/* Worked out from DEV_KEYS_WORDS in Python (tests/functional/test_dev.py does it again). */
TEST(each_key_has_its_own_address_and_the_first_is_the_words)
{
    static const uint8_t seed[32] = {1};
    struct ec_context *ec = ec_context_new(seed);
    struct dev_keys *keys = dev_keys_new(ec, network_get(NETWORK_REGTEST));
    assert_string_equal(keys->at[0].path, "m/84'/1'/0'/0/0");
    assert_string_equal(keys->at[9].path, "m/84'/1'/0'/0/9");
    assert_string_equal(keys->at[0].address, "bcrt1qhluw8k8z7nhk0fxu9c8t7mu55zpwjqjgs2ywhw");
    for (size_t i = 0; i < DEV_KEYS; i++) {
        uint8_t script[ADDRESS_SCRIPT_MAX], secret[32];
        size_t len;
        bool is_compressed;
        assert_true(address_decode(network_get(NETWORK_REGTEST), keys->at[i].address, script, &len,
                                   NULL));
        assert_int_equal(len, DEV_KEY_SCRIPT);
        assert_memory_equal(script, keys->at[i].script, len);
        assert_true(wif_decode(network_get(NETWORK_REGTEST), keys->at[i].wif, secret,
                               &is_compressed) &&
                    is_compressed);
        assert_memory_equal(secret, keys->at[i].secret, sizeof secret);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(keys->at[i].address, keys->at[k].address);
    }
    xfree(keys);
    ec_context_free(ec);
}

TEST(another_test_chain_writes_the_same_keys_its_own_way)
{
    static const uint8_t seed[32] = {1};
    struct ec_context *ec = ec_context_new(seed);
    struct dev_keys *a = dev_keys_new(ec, network_get(NETWORK_REGTEST));
    struct dev_keys *b = dev_keys_new(ec, network_get(NETWORK_SIGNET));
    assert_memory_equal(a->at[3].secret, b->at[3].secret, 32);
    assert_int_equal(strncmp(b->at[3].address, "tb1q", 4), 0);
    xfree(a);
    xfree(b);
    ec_context_free(ec);
}
