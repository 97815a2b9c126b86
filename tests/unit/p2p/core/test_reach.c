/* test_reach.c - which networks are reached, and by whom. */
#include "p2p/core/reach.h"

#include "support/unit.h"

#define ONION "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"
#define I2P   "zsxwyo6qcn3chqzwxnseusqgsnuw3maqnztkiypyfxtya4snkoka.b32.i2p"

static const struct reach_order proxy = {.address = "10.9.9.9", .port = 9050, .randomizes = true};

static struct reach start(const struct reach_options *options)
{
    struct reach reach;
    reach_init(&reach, options, 0x1234);
    return reach;
}

static struct net_address parse(const struct reach *reach, const char *text)
{
    struct net_address address;
    assert_true(reach_parse(reach, text, 8333, &address));
    return address;
}

TEST(without_options_ipv4_and_ipv6_are_reached)
{
    const struct reach_options options = {.only_networks = 0};
    struct reach reach = start(&options);
    for (uint8_t network = NET_NONE; network <= NET_CJDNS; network++)
        assert_int_equal(reach_has_network(&reach, network),
                         network == NET_IPV4 || network == NET_IPV6);
    struct net_address address = parse(&reach, "1.2.3.4");
    assert_true(reach_may_dial(&reach, &address));
    assert_null(reach_proxy_of(&reach, &address));
    assert_null(reach_name_proxy(&reach));
    address = parse(&reach, ONION);
    assert_int_equal(address.port, 8333);
    assert_false(reach_can_dial(&reach, &address));
    address = parse(&reach, I2P);
    assert_false(reach_can_dial(&reach, &address));
    address = parse(&reach, "[fc00::1]:5");
    assert_int_equal(address.network, NET_IPV6);
}

TEST(hidden_networks_are_reached_through_their_proxies)
{
    const struct reach_options options = {.proxies = {[NET_TORV3] = proxy, [NET_I2P] = proxy}};
    struct reach reach = start(&options);
    struct net_address address = parse(&reach, ONION ":80");
    assert_int_equal(address.port, 80);
    assert_true(reach_may_dial(&reach, &address));
    assert_non_null(reach_proxy_of(&reach, &address));
    address.port = 0;
    assert_false(reach_can_dial(&reach, &address));
    address = parse(&reach, I2P ":0");
    assert_true(reach_may_dial(&reach, &address));
    address = parse(&reach, I2P ":8333"); /* SAM 3.1 has no ports */
    assert_false(reach_can_dial(&reach, &address));
    address = parse(&reach, "1.2.3.4");
    assert_null(reach_proxy_of(&reach, &address));
}

TEST(a_network_that_onlynet_leaves_out_is_dialled_by_order_only)
{
    const struct reach_options options = {.only_networks = 1u << NET_TORV3 | 1u << NET_IPV6,
                                          .proxies = {[NET_TORV3] = proxy}};
    struct reach reach = start(&options);
    struct net_address address = parse(&reach, "1.2.3.4");
    assert_false(reach_may_dial(&reach, &address));
    assert_true(reach_can_dial(&reach, &address));
    assert_true(reach_has_network(&reach, NET_IPV6));
    assert_true(reach_has_network(&reach, NET_TORV3));
}

TEST(the_way_to_tor_can_come_later)
{
    const struct reach_options options = {.only_networks = 0};
    const struct reach_proxy found = {.address = "127.0.0.1", .port = 9050, .randomizes = true};
    struct reach reach = start(&options);
    assert_false(reach_has_network(&reach, NET_TORV3));
    reach_set_onion_proxy(&reach, &found);
    assert_true(reach_has_network(&reach, NET_TORV3));
    struct net_address address = parse(&reach, ONION);
    assert_int_equal(reach_proxy_of(&reach, &address)->port, 9050);
}

TEST(cjdns_is_ipv6_until_it_is_said_to_be_there)
{
    const struct reach_options options = {.cjdns_reachable = true};
    struct reach reach = start(&options);
    struct net_address address = parse(&reach, "[fc00::1]:5");
    char text[NET_ADDRESS_TEXT_MAX];
    assert_int_equal(address.network, NET_CJDNS);
    assert_string_equal(net_address_format(&address, text), "[fc00::1]:5");
    assert_true(reach_may_dial(&reach, &address));
    address = parse(&reach, "[fd00::1]:5");
    assert_int_equal(address.network, NET_IPV6);
    address = parse(&reach, "[2a00::1]:5");
    assert_int_equal(address.network, NET_IPV6);
}

TEST(who_is_near_needs_no_proxy)
{
    static const char *const near[] = {"127.0.0.1", "10.1.2.3", "192.168.1.1", "[::1]", "0.0.0.0"};
    const struct reach_options options = {.proxies = {[NET_IPV4] = proxy, [NET_IPV6] = proxy}};
    struct reach reach = start(&options);
    for (size_t i = 0; i < COUNT_OF(near); i++) {
        struct net_address address = parse(&reach, near[i]);
        assert_null(reach_proxy_of(&reach, &address));
    }
    struct net_address far = parse(&reach, "8.8.8.8");
    assert_non_null(reach_proxy_of(&reach, &far));
}

TEST(no_two_connections_have_the_same_credential)
{
    const struct reach_options options = {.name_proxy = proxy};
    struct reach reach = start(&options);
    char first[64], second[64];
    struct reach_proxy plain = *reach_name_proxy(&reach);
    const char *a = reach_credential(&reach, reach_name_proxy(&reach), first);
    const char *b = reach_credential(&reach, reach_name_proxy(&reach), second);
    assert_string_not_equal(a, b);
    assert_int_equal(strlen(a), REACH_PREFIX_TEXT - 1 + 2);
    plain.randomizes = false;
    assert_null(reach_credential(&reach, &plain, first));
}

TEST(proxies_are_shown_as_they_are_written)
{
    static const struct {
        struct reach_proxy proxy;
        const char *text;
    } rows[] = {
        {{.address = ""}, ""},
        {{.address = "127.0.0.1", .port = 9050}, "127.0.0.1:9050"},
        {{.address = "::1", .port = 9050}, "[::1]:9050"},
        {{.address = "unix:/run/tor"}, "unix:/run/tor"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[REACH_PROXY_TEXT_MAX + 16];
        reach_format_proxy(&rows[i].proxy, text, sizeof text);
        assert_string_equal(text, rows[i].text);
    }
}
