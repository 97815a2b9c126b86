/* test_hidden_name.c - names of hidden services, read and written. */
#include "p2p/core/hidden_name.h"
#include "support/unit.h"

#define ONION "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd"
#define I2P   "aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypq" /* of 00 01 .. 1f */

TEST(a_name_is_its_address_and_back)
{
    static const uint8_t key[] = {0x79, 0xbc, 0xc6, 0x25, 0x18, 0x4b, 0x05, 0x19, 0x49, 0x75, 0xc2,
                                  0x8b, 0x66, 0xb6, 0x6b, 0x04, 0x69, 0xf7, 0xf6, 0x55, 0x6f, 0xb1,
                                  0xac, 0x31, 0x89, 0xa7, 0x9b, 0x40, 0xdd, 0xa3, 0x2f, 0x1f};
    struct net_address address;
    char shown[NET_ADDRESS_TEXT_MAX];
    assert_true(hidden_name_parse(ONION ".onion", &address));
    assert_int_equal(address.network, NET_TORV3);
    assert_memory_equal(address.bytes, key, sizeof key);
    assert_int_equal(address.port, 0);
    assert_string_equal(hidden_name_format(&address, shown), ONION ".onion");
    assert_string_equal(net_address_format_host(&address, shown), ONION ".onion");
    address.port = 65535;
    assert_string_equal(net_address_format(&address, shown), ONION ".onion:65535");

    assert_true(hidden_name_parse(I2P ".b32.i2p", &address));
    assert_int_equal(address.network, NET_I2P);
    for (int i = 0; i < 32; i++)
        assert_int_equal(address.bytes[i], i);
    assert_string_equal(hidden_name_format(&address, shown), I2P ".b32.i2p");
    assert_true(hidden_name_parse("PG6MMJIYJMCRSSLVYKFWNNTLARU7P5SVN6Y2YMMJU6NUBXNDF4PSCRYD.ONION",
                                  &address));
}

TEST(names_with_one_thing_wrong_are_refused)
{
    static const char *const bad[] = {
        "",
        ".onion",
        ".b32.i2p",
        ONION,
        ONION ".onion:8333",
        ONION ".onion.",
        "q" ONION ".onion",
        "qg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion", /* the key */
        "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4psdryd.onion", /* the checksum */
        "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryc.onion", /* the version */
        "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscry1.onion", /* no digit */
        "expyuzz4wqqyqhjn.onion",                                         /* of version 2 */
        I2P ".i2p",
        I2P "a.b32.i2p",
        "aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypr.b32.i2p", /* bits left over */
        "1.2.3.4",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
        "onion",
    };
    struct net_address address;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (hidden_name_parse(bad[i], &address))
            fail_msg("%s was taken", bad[i]);
}

TEST(a_name_is_a_range_of_one_address)
{
    struct net_range range;
    struct net_address address;
    assert_true(hidden_name_parse(ONION ".onion", &address));
    assert_true(net_range_parse(ONION ".onion", &range));
    assert_true(net_range_contains(&range, &address));
    address.bytes[31] ^= 1;
    assert_false(net_range_contains(&range, &address));
    assert_false(net_range_parse(ONION ".onion/8", &range));
    assert_false(net_range_parse(ONION ".onion/256", &range));
}
