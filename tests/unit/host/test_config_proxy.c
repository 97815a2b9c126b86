/* test_config_proxy.c - the options about proxies and networks. */
#include "host/config_proxy.h"

#include "config_net_fixture.h"

/* "address port", "" for none. */
static void expect_proxy(const struct reach_order *proxy, const char *want)
{
    char text[200] = "";
    if (proxy->address)
        snprintf(text, sizeof text, "%s %u", proxy->address, proxy->port);
    assert_string_equal(text, want);
}

TEST(a_proxy_is_for_all_but_i2p)
{
    struct fixture f;
    READ(&f, "-proxy=1.2.3.4");
    const struct reach_options *reach = &f.config.net.p2p.reach;
    assert_true(f.ok);
    expect_proxy(&reach->proxies[NET_IPV4], "1.2.3.4 9050");
    expect_proxy(&reach->proxies[NET_IPV6], "1.2.3.4 9050");
    expect_proxy(&reach->proxies[NET_TORV3], "1.2.3.4 9050");
    expect_proxy(&reach->proxies[NET_CJDNS], "1.2.3.4 9050");
    expect_proxy(&reach->proxies[NET_I2P], "");
    expect_proxy(&reach->name_proxy, "1.2.3.4 9050");
    assert_true(reach->name_proxy.randomizes);
    done(&f);
}

TEST(the_last_proxy_given_for_a_network_counts)
{
    struct fixture f;
    READ(&f, "-proxyrandomize=0", "-proxy=1.1.1.1:1", "-proxy=2.2.2.2:2=onion", "-proxy=0=cjdns",
         "-proxy=unix:/run/tor=IPv6");
    const struct reach_options *reach = &f.config.net.p2p.reach;
    assert_true(f.ok);
    expect_proxy(&reach->proxies[NET_IPV4], "1.1.1.1 1");
    expect_proxy(&reach->proxies[NET_IPV6], "unix:/run/tor 0");
    expect_proxy(&reach->name_proxy, "unix:/run/tor 0");
    expect_proxy(&reach->proxies[NET_TORV3], "2.2.2.2 2");
    expect_proxy(&reach->proxies[NET_CJDNS], "");
    assert_false(reach->proxies[NET_IPV4].randomizes);
    done(&f);
    READ(&f, "-proxy=1.1.1.1:1=tor", "-onion=[::2]:3");
    expect_proxy(&f.config.net.p2p.reach.proxies[NET_TORV3], "::2 3");
    expect_proxy(&f.config.net.p2p.reach.name_proxy, "");
    done(&f);
    READ(&f, "-proxy=1.1.1.1:1", "-noonion", "-i2psam=4.4.4.4");
    expect_proxy(&f.config.net.p2p.reach.proxies[NET_TORV3], "");
    expect_proxy(&f.config.net.p2p.reach.proxies[NET_I2P], "4.4.4.4 7656");
    done(&f);
    READ(&f, "-proxy=1.1.1.1:1", "-noproxy", "-onion=0", "-noonlynet");
    assert_true(f.ok);
    expect_proxy(&f.config.net.p2p.reach.name_proxy, "");
    done(&f);
}

TEST(networks_are_named_in_any_case)
{
    struct fixture f;
    READ(&f, "-onlynet=ipv4", "-onlynet=Onion", "-cjdnsreachable");
    assert_true(f.ok);
    assert_int_equal(f.config.net.p2p.reach.only_networks, 1u << NET_IPV4 | 1u << NET_TORV3);
    assert_true(f.config.net.p2p.reach.cjdns_reachable);
    assert_false(config_proxy_hides_clearnet(&f.options));
    assert_false(config_proxy_is_set(&f.options));
    done(&f);
    READ(&f, "-onlynet=onion", "-onlynet=i2p", "-i2psam=1.2.3.4", "-proxy=1.2.3.4");
    assert_true(config_proxy_hides_clearnet(&f.options));
    assert_true(config_proxy_is_set(&f.options));
    done(&f);
    READ(&f, "-proxy=0");
    assert_false(config_proxy_hides_clearnet(&f.options));
    assert_false(config_proxy_is_set(&f.options));
    done(&f);
}

/* A look-up past the proxy would tell the network's name servers who is here. */
TEST(our_own_name_is_not_looked_up_past_a_proxy)
{
    struct fixture f;
    READ(&f, "-externalip=localhost");
    assert_true(f.ok);
    done(&f);
    READ(&f, "-externalip=localhost", "-proxy=1.2.3.4");
    assert_false(f.ok);
    assert_string_equal(f.error, "Cannot resolve -externalip address: 'localhost'");
    done(&f);
    READ(&f, "-externalip=5.6.7.8", "-proxy=1.2.3.4",
         "-externalip=pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:1");
    assert_true(f.ok);
    assert_string_equal(f.config.net.external[0], "5.6.7.8:18444");
    assert_string_equal(f.config.net.external[1],
                        "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:1");
    done(&f);
}

TEST(the_longest_path_of_a_socket_is_taken)
{
    struct fixture f;
    char arg[200];
    for (int extra = 0; extra < 2; extra++) {
        int len = snprintf(arg, sizeof arg, "-proxy=unix:%0*d", 107 + extra, 0);
        assert_true(len > 0);
        READ(&f, arg);
        assert_int_equal(f.ok, extra == 0);
        if (f.ok)
            assert_int_equal(strlen(f.config.net.p2p.reach.name_proxy.address), 5 + 107);
        done(&f);
    }
}

TEST(what_cannot_be_is_refused_in_cores_words)
{
    /* clang-format off */
    static const struct { const char *args[4]; const char *error; } cases[] = {
        {{"-proxy=abc..abc:23456"}, "Invalid -proxy address or hostname: 'abc..abc:23456'"},
        {{"-proxy=192.0.0.1:def"},  "Invalid port specified in -proxy: '192.0.0.1:def'"},
        {{"-proxy=192.0.0.1:0=ipv4"}, "Invalid port specified in -proxy: '192.0.0.1:0=ipv4'"},
        {{"-proxy=[::1]:70000"},    "Invalid port specified in -proxy: '[::1]:70000'"},
        {{"-proxy=127.0.0.1:9050="},
         "Invalid -proxy address or hostname, ends with '=': '127.0.0.1:9050='"},
        {{"-proxy=127.0.0.1:9050=foo"},
         "Unrecognized network in -proxy='127.0.0.1:9050=foo': 'foo'"},
        {{"-proxy=127.0.0.1:9050=i2p"},
         "Unrecognized network in -proxy='127.0.0.1:9050=i2p': 'i2p'"},
        {{"-onion=xyz..xyz:23456"}, "Invalid -onion address or hostname: 'xyz..xyz:23456'"},
        {{"-onion=192.0.0.1:def"},  "Invalid port specified in -onion: '192.0.0.1:def'"},
        {{"-i2psam=def..def:23456"}, "Invalid -i2psam address or hostname: 'def..def:23456'"},
        {{"-i2psam=192.0.0.1:def"}, "Invalid port specified in -i2psam: '192.0.0.1:def'"},
        {{"-i2psam=unix:/a"},       "Invalid port specified in -i2psam: 'unix:/a'"},
        {{"-onlynet=abc"},          "Unknown network specified in -onlynet: 'abc'"},
        {{"-onlynet=i2p"},
         "Outbound connections restricted to i2p (-onlynet=i2p) but -i2psam is not provided"},
        {{"-onlynet=cjdns"},
         "Outbound connections restricted to CJDNS (-onlynet=cjdns) but -cjdnsreachable is not "
         "provided"},
        {{"-onlynet=onion", "-noonion"},
         "Outbound connections restricted to Tor (-onlynet=onion) but the proxy for reaching the "
         "Tor network is explicitly forbidden: -onion=0"},
        {{"-onlynet=onion", "-listenonion=0"},
         "Outbound connections restricted to Tor (-onlynet=onion) but the proxy for reaching the "
         "Tor network is not provided: none of -proxy, -onion or -listenonion is given"},
        {{"-privatebroadcast", "-listenonion=0"},
         "Private broadcast of own transactions requested (-privatebroadcast), but none of Tor or "
         "I2P networks is reachable"},
        {{"-privatebroadcast", "-proxy=1.2.3.4", "-onlynet=ipv4"},
         "Private broadcast of own transactions requested (-privatebroadcast), but none of Tor or "
         "I2P networks is reachable"},
        {{"-privatebroadcast", "-i2psam=1.2.3.4", "-connect=5.6.7.8"},
         "Private broadcast of own transactions requested (-privatebroadcast), but -connect is "
         "also configured. They are incompatible because the private broadcast needs to open new "
         "connections to randomly chosen Tor or I2P peers. Consider using -maxconnections=0 "
         "-addnode=... instead"},
        {{"-onlynet=onion", "-dnsseed=1"},
         "Incompatible options: -dnsseed=1 was explicitly specified, but -onlynet forbids "
         "connections to IPv4/IPv6"},
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fixture f;
        read_args(&f, NETWORK_REGTEST, cases[i].args);
        assert_false(f.ok);
        assert_string_equal(f.error, cases[i].error);
        done(&f);
    }
}
