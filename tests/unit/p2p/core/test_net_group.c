/* test_net_group.c - what one operator may hold is one group. */
#include "p2p/core/net_group.h"
#include "support/unit.h"

static bool same_group(const char *a, const char *b)
{
    struct net_address x, y;
    assert_true(net_address_parse(a, 1, &x) && net_address_parse(b, 2, &y));
    static const struct net_grouping grouping;
    struct net_group g = net_grouping_of(&grouping, &x), h = net_grouping_of(&grouping, &y);
    return net_group_equal(&g, &h);
}

TEST(groups_are_what_one_operator_may_hold)
{
    assert_true(same_group("8.8.1.1", "8.8.200.200"));
    assert_false(same_group("8.8.1.1", "8.9.1.1"));
    assert_true(same_group("2a00:1234::1", "2a00:1234:ffff::1"));
    assert_false(same_group("2a00:1234::1", "2a00:1235::1"));
    assert_true(same_group("127.0.0.1", "::1"));
    assert_true(same_group("10.0.0.1", "192.168.0.1"));
    assert_true(same_group("10.0.0.1", "127.0.0.1"));
    assert_false(same_group("8.8.1.1", "10.0.0.1"));
    /* Tunnels that are given away, and CJDNS's kind of width. */
    assert_true(same_group("2001:470:abcd::1", "2001:470:a001::1"));
    assert_false(same_group("2001:470:abcd::1", "2001:470:bbcd::1"));
}

/* Whoever holds an IPv4 address holds all of these. */
TEST(addresses_that_hold_an_ipv4_address_are_in_its_group)
{
    static const char *const forms[] = {
        "2002:102:304::1",                      /* RFC 3964, 6to4 */
        "2001:0:9999:9999:9999:9999:fefd:fcfb", /* RFC 4380, Teredo: the complement */
        "64:ff9b::102:304",                     /* RFC 6052 */
        "::ffff:0:102:304",                     /* RFC 6145 */
    };
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        assert_true(same_group(forms[i], "1.2.99.99"));
        assert_false(same_group(forms[i], "1.3.3.4"));
    }
    assert_false(same_group("2003:102:304::1", "1.2.3.4"));
    assert_false(same_group("2001:1:9999:9999:9999:9999:fefd:fcfb", "1.2.3.4"));
    assert_false(same_group("64:ff9b:0:0:0:1:102:304", "1.2.3.4"));
    assert_false(same_group("::fffe:0:102:304", "1.2.3.4"));
}

static struct net_group group_in(const struct net_grouping *grouping, const char *text)
{
    struct net_address address;
    assert_true(net_address_parse(text, 8333, &address));
    return net_grouping_of(grouping, &address);
}

/* The bytes decide where an address stands in peers.dat: they are Core's. */
TEST(groups_are_made_of_core_s_bytes)
{
    static const struct net_grouping grouping;
    struct net_group group = group_in(&grouping, "1.2.3.4");
    assert_int_equal(group.len, 3);
    assert_memory_equal(group.bytes, "\1\1\2", 3);
    group = group_in(&grouping, "2a00:1234::1");
    assert_int_equal(group.len, 5);
    assert_memory_equal(group.bytes, "\2\x2a\0\x12\x34", 5);
    group = group_in(&grouping, "2001:470:abcd::1");
    assert_int_equal(group.len, 6);
    assert_int_equal(group.bytes[5], 0xaf);
    group = group_in(&grouping, "127.0.0.1");
    assert_int_equal(group.len, 1);
    const struct net_address cjdns = {.network = NET_CJDNS, .bytes = {0xfc, 0x12}, .port = 1};
    group = net_grouping_of(&grouping, &cjdns);
    assert_int_equal(group.len, 3);
    assert_memory_equal(group.bytes, "\5\xfc\x1f", 3);
    const struct net_address onion = {.network = NET_TORV3, .bytes = {0x12}, .port = 1};
    group = net_grouping_of(&grouping, &onion);
    assert_memory_equal(group.bytes, "\3\x1f", 2);
    struct net_address name = net_address_of_internal("seed.example");
    group = net_grouping_of(&grouping, &name);
    assert_int_equal(group.len, 11);
    assert_int_equal(group.bytes[0], 6);
}

/* -privateroutable: what is nobody's on the Internet is somebody's in a laboratory. */
TEST(private_addresses_can_be_groups_of_their_own)
{
    const struct net_grouping lab = {.has_private = true}, plain = {.has_private = false};
    static const char *const mine[] = {"10.0.0.1", "10.0.0.2",  "192.168.1.1",
                                       "fd00::1",  "127.0.0.1", "127.0.0.1:9"};
    struct net_address address;
    for (size_t i = 0; i < COUNT_OF(mine); i++) {
        assert_true(net_address_parse(mine[i], 8333, &address));
        assert_true(net_grouping_is_routable(&lab, &address));
        assert_false(net_grouping_is_routable(&plain, &address));
        for (size_t j = 0; j < i; j++) {
            struct net_group a = group_in(&lab, mine[i]), b = group_in(&lab, mine[j]);
            assert_false(net_group_equal(&a, &b));
            assert_true(net_group_hash((struct siphash_key){1, 2}, &a) !=
                        net_group_hash((struct siphash_key){1, 2}, &b));
        }
    }
    struct net_group a = group_in(&lab, "8.8.1.1"), b = group_in(&lab, "8.8.2.2");
    assert_true(net_group_equal(&a, &b));
    assert_true(net_address_parse("0.0.0.0", 8333, &address));
    assert_false(net_grouping_is_routable(&lab, &address));
}

/* A map that says 7 of every address: "return" and the number less 1, the lowest bit first. */
TEST(with_a_map_operators_are_the_groups)
{
    struct net_grouping grouping = {.has_private = false};
    static const uint8_t map[] = {0x00, 0xc0, 0x00}; /* 0, 0, 000000000000110, padding */
    struct net_address address;
    net_grouping_use_asmap(&grouping, span_of(map, sizeof map));
    struct net_group a = group_in(&grouping, "1.2.3.4"), b = group_in(&grouping, "2a00::1");
    assert_true(net_group_equal(&a, &b));
    assert_int_equal(a.len, 5);
    assert_memory_equal(a.bytes, "\2\7\0\0\0", 5);
    assert_true(net_address_parse("10.0.0.1", 1, &address));
    assert_int_equal(net_grouping_asn(&grouping, &address), 0);
    address = (struct net_address){.network = NET_TORV3, .bytes = {1}, .port = 1};
    assert_int_equal(net_grouping_asn(&grouping, &address), 0);
    assert_int_equal(net_grouping_of(&grouping, &address).len, 2);
}
