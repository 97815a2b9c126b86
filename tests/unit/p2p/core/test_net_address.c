/* test_net_address.c - addresses as text, their groups and kinds. */
#include "p2p/core/net_address.h"
#include "support/unit.h"
#include "util/assert.h"

/* clang-format off */
static const struct {
    const char *text;
    const char *shown; /* NULL: refused */
} texts[] = {
    {"1.2.3.4", "1.2.3.4:8333"},
    {"1.2.3.4:1", "1.2.3.4:1"},
    {"1.2.3.4:65535", "1.2.3.4:65535"},
    {"1.2.3.4:65536", NULL},
    {"1.2.3.4:0", NULL},
    {"1.2.3.4:", NULL},
    {"1.2.3.256", NULL},
    {"1.2.3", NULL},
    {"1.2.3.4.5", NULL},
    {"01.2.3.4", NULL},
    {"", NULL},
    {"localhost", NULL},
    {"::1", "[::1]:8333"},
    {"[::1]", "[::1]:8333"},
    {"[::1]:9", "[::1]:9"},
    {"[::1", NULL},
    {"::", "[::]:8333"},
    {"2001:0db8::0001", "[2001:db8::1]:8333"},
    {"2001:db8:0:0:1:0:0:1", "[2001:db8::1:0:0:1]:8333"},
    {"1:2:3:4:5:6:7:8", "[1:2:3:4:5:6:7:8]:8333"},
    {"1:2:3:4:5:6:7", NULL},
    {"1:2:3:4:5:6:7:8:9", NULL},
    {"1::2::3", NULL},
    {"1:2:3:4:5:6:7::", "[1:2:3:4:5:6:7:0]:8333"},
    {"::ffff:1.2.3.4", "1.2.3.4:8333"},
    {"[::ffff:1.2.3.4]:7", "1.2.3.4:7"},
    {"fe80::1:", NULL},
    {":1", NULL},
    {"12345::", NULL},
    {"g::", NULL},
};
/* clang-format on */

TEST(addresses_are_read_strictly_and_shown_in_one_form)
{
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct net_address address;
        char shown[NET_ADDRESS_TEXT_MAX];
        bool ok = net_address_parse(texts[i].text, 8333, &address);
        if (ok != (texts[i].shown != NULL))
            fail_msg("%s: %s", texts[i].text, ok ? "was taken" : "was refused");
        if (ok)
            assert_string_equal(net_address_format(&address, shown), texts[i].shown);
    }
}

TEST(short_addresses_are_filled_up)
{
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"127.1", "127.0.0.1:8333"},
        {"1.2.3:5", "1.2.0.3:5"},
        {"1.2.65535", "1.2.255.255:8333"},
        {"4294967295", "255.255.255.255:8333"},
        {"1.2.65536", NULL},
        {"1.16777216", NULL},
        {"4294967296", NULL},
        {"256.1", NULL},
        {"1.2.3.4", NULL},
        {"127.", NULL},
        {"", NULL},
        {"1.x", NULL},
        {"5node", NULL},
    };
    struct net_address address;
    char text[NET_ADDRESS_TEXT_MAX];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        bool ok = net_address_parse_short(cases[i].text, 8333, &address);
        if (ok != (cases[i].shown != NULL))
            fail_msg("%s", cases[i].text);
        if (ok)
            assert_string_equal(net_address_format(&address, text), cases[i].shown);
    }
}

TEST(what_is_shown_can_be_read_again)
{
    uint64_t seed = 88172645463325252;
    for (int i = 0; i < 2000; i++) {
        uint8_t bytes[16];
        for (int j = 0; j < 16; j++) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            bytes[j] = seed & 3 ? (uint8_t)(seed >> 20) : 0; /* many zeros: gaps */
        }
        struct net_address address = net_address_of_16(bytes, 8333), again;
        char shown[NET_ADDRESS_TEXT_MAX];
        assert_true(net_address_parse(net_address_format(&address, shown), 1, &again));
        assert_true(net_address_equal(&address, &again));
    }
}

/* clang-format off */
static const struct {
    const char *text;
    bool routable, local, private;
    const char *network;
} kinds[] = {
    {"8.8.8.8",      true,  false, false, "ipv4"},
    {"127.0.0.1",    false, true,  false, "not_publicly_routable"},
    {"0.0.0.0",      false, true,  false, "not_publicly_routable"},
    {"10.1.2.3",     false, false, true,  "not_publicly_routable"},
    {"11.1.2.3",     true,  false, false, "ipv4"},
    {"172.15.0.1",   true,  false, false, "ipv4"},
    {"172.16.0.1",   false, false, true,  "not_publicly_routable"},
    {"172.31.255.1", false, false, true,  "not_publicly_routable"},
    {"172.32.0.1",   true,  false, false, "ipv4"},
    {"192.168.3.4",  false, false, true,  "not_publicly_routable"},
    {"169.254.1.1",  false, false, true,  "not_publicly_routable"},
    {"100.64.0.1",   false, false, false, "not_publicly_routable"},
    {"100.128.0.1",  true,  false, false, "ipv4"},
    {"198.18.0.1",   false, false, false, "not_publicly_routable"},
    {"224.0.0.1",    false, false, false, "not_publicly_routable"},
    {"255.255.255.255", false, false, false, "not_publicly_routable"},
    {"2a00::1",      true,  false, false, "ipv6"},
    {"::1",          false, true,  false, "not_publicly_routable"},
    {"::",           false, false, false, "not_publicly_routable"},
    {"fd00::1",      false, false, true,  "not_publicly_routable"},
    {"fe80::1",      false, false, true,  "not_publicly_routable"},
    {"2001:db8::1",  false, false, false, "not_publicly_routable"},
};
/* clang-format on */

TEST(addresses_are_known_by_their_kind)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct net_address address;
        assert_true(net_address_parse(kinds[i].text, 8333, &address));
        if (net_address_is_routable(&address) != kinds[i].routable ||
            net_address_is_local(&address) != kinds[i].local ||
            net_address_is_private(&address) != kinds[i].private)
            fail_msg("%s", kinds[i].text);
        assert_string_equal(net_address_network_name(&address), kinds[i].network);
    }
}

TEST(networks_are_known_by_their_names_in_any_case)
{
    for (uint8_t i = NET_IPV4; i <= NET_CJDNS; i++)
        if (i != NET_TORV2)
            assert_int_equal(net_network_of(net_network_name(i)), i);
    assert_int_equal(net_network_of("Onion"), NET_TORV3);
    assert_int_equal(net_network_of("tor"), NET_NONE);
    assert_int_equal(net_network_of(""), NET_NONE);
    assert_string_equal(net_network_name(NET_TORV2), "");
    assert_string_equal(net_network_name(NET_CJDNS + 1), "");
}

TEST(some_addresses_are_nobodys)
{
    static const struct {
        const char *text;
        bool is_valid;
    } cases[] = {
        {"0.0.0.0", false},        {"0.0.0.1", true},   {"255.255.255.255", false},
        {"255.255.255.254", true}, {"::", false},       {"::1", true},
        {"2001:db8::1", false},    {"127.0.0.1", true},
    };
    struct net_address address = {0};
    assert_false(net_address_is_valid(&address));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_true(net_address_parse(cases[i].text, 8333, &address));
        if (net_address_is_valid(&address) != cases[i].is_valid)
            fail_msg("%s", cases[i].text);
    }
}

TEST(ports_of_other_services_are_known)
{
    size_t n = 0;
    for (uint32_t port = 0; port <= UINT16_MAX; port++)
        n += net_port_is_bad((uint16_t)port);
    assert_int_equal(n, 85);
    assert_true(net_port_is_bad(1) && net_port_is_bad(22) && net_port_is_bad(25));
    assert_true(net_port_is_bad(6669) && net_port_is_bad(27017));
    assert_false(net_port_is_bad(8333) || net_port_is_bad(18444) || net_port_is_bad(80));
    assert_false(net_port_is_bad(443) || net_port_is_bad(6664) || net_port_is_bad(6670));
}

/* What told of addresses without having one: a seed's name. */
TEST(names_stand_in_for_addresses)
{
    struct net_address a = net_address_of_internal("seed.example"),
                       b = net_address_of_internal("seed.example.");
    assert_true(net_address_is_internal(&a) && !net_address_equal(&a, &b));
    assert_false(net_address_is_routable(&a));
    a.bytes[5] ^= 1;
    assert_false(net_address_is_internal(&a));
}

TEST(hidden_networks_have_names_but_cannot_be_dialled)
{
    struct net_address address = {.network = NET_I2P, .port = 0};
    char shown[NET_ADDRESS_TEXT_MAX];
    assert_string_equal(net_address_format_host(&address, shown),
                        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b32.i2p");
    assert_string_equal(net_address_network_name(&address), "i2p");
    address.network = NET_TORV3;
    assert_true(net_address_is_routable(&address));
    assert_string_equal(net_address_network_name(&address), "onion");
    address.network = NET_TORV2;
    assert_false(net_address_is_routable(&address));
    address.network = NET_NONE;
    assert_false(net_address_is_routable(&address));
    assert_int_equal(net_network_bytes(NET_TORV3), 32);
    assert_int_equal(net_network_bytes(200), 0);
}

/* clang-format off */
static const struct {
    const char *range, *inside, *outside;
} ranges[] = {
    {"10.0.0.0/8", "10.255.255.255", "11.0.0.0"},
    {"1.2.3.4", "1.2.3.4", "1.2.3.5"},
    {"1.2.3.0/255.255.255.0", "1.2.3.77", "1.2.4.0"},
    {"0.0.0.0/0", "255.1.2.3", "::2"},
    {"1.2.3.4/31", "1.2.3.5", "1.2.3.6"},
    {"fc00::/7", "fdff::1", "fe00::"},
    {"::/0", "1234::", "1.2.3.4"},
};
static const char *const bad_ranges[] = {
    "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/", "::/129", "1.2.3.4/255.0.255.0", "1.2.3.4:8333", "x",
    "1.2.3.4/8x",
};
/* clang-format on */

TEST(ranges_contain_what_agrees_in_their_bits)
{
    for (size_t i = 0; i < COUNT_OF(ranges); i++) {
        struct net_range range;
        struct net_address in, out;
        assert_true(net_range_parse(ranges[i].range, &range));
        assert_true(net_address_parse(ranges[i].inside, 5, &in));
        assert_true(net_address_parse(ranges[i].outside, 5, &out));
        assert_true(net_range_contains(&range, &in));
        assert_false(net_range_contains(&range, &out));
    }
    for (size_t i = 0; i < COUNT_OF(bad_ranges); i++) {
        struct net_range range;
        if (net_range_parse(bad_ranges[i], &range))
            fail_msg("%s was taken", bad_ranges[i]);
    }
}

TEST(hashes_depend_on_the_key_and_on_every_part)
{
    struct siphash_key key = {1, 2}, other = {1, 3};
    struct net_address a, b;
    assert_true(net_address_parse("1.2.3.4:5", 0, &a) && net_address_parse("1.2.3.4:6", 0, &b));
    assert_true(net_address_hash(key, &a) != net_address_hash(key, &b));
    assert_true(net_address_hash(key, &a) != net_address_hash(other, &a));
}
