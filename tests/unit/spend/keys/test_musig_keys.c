/* test_musig_keys.c - aggregates of keys. */
#include "spend/keys/musig_keys.h"

#include "support/unit.h"
#include "util/hex.h"

#define P0 "02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9"
#define P1 "03dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659"
#define P2 "023590a94e768f8e1815c2f24b4d80a8e3149316c3518ce7b7ad338368d038ca66"

static void fill(uint8_t *keys, const char *const *hexes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_true(hex_decode(keys + i * 33, 33, hexes[i], 66));
}

/* The first vector of BIP390. */
TEST(the_order_of_keys_does_not_count)
{
    static const char *const orders[][3] = {{P0, P1, P2}, {P2, P1, P0}};
    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        uint8_t keys[3 * 33], out[33];
        char hex[67];
        fill(keys, orders[i], 3);
        assert_true(musig_aggregate(keys, 3, out));
        hex_encode(hex, span_of(out + 1, 32));
        assert_string_equal(hex,
                            "789d937bade6673538f3e28d8368dda4d0512f94da44cf477a505716d26a1575");
        assert_true(memcmp(keys, keys + 33, 33) < 0);
    }
}

TEST(what_is_no_key_is_refused)
{
    static const char *const hexes[] = {P0, P1};
    uint8_t keys[2 * 33], out[33];
    fill(keys, hexes, 2);
    memset(keys + 1, 0, 32);
    assert_false(musig_aggregate(keys, 2, out));
}

TEST(an_aggregate_has_the_chain_code_of_bip328)
{
    struct bip32_key key;
    uint8_t aggregate[33] = {2};
    char hex[65];
    musig_extend(aggregate, &key);
    hex_encode(hex, span_of(key.chain_code, 32));
    assert_string_equal(hex, "868087ca02a6f974c4598924c36b57762d32cb45717167e300622c7167e38965");
    assert_false(key.has_secret);
}
