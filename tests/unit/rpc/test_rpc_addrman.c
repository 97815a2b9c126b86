/* test_rpc_addrman.c - what is shown of the addresses of other nodes. */
#include "rpc/methods.h"

#include "net_fixture.h"

TEST(addresses_of_nodes)
{
    static const struct net_node_address addresses[] = {
        {1700000000, UINT64_C(0x8000000000000009), "1.2.3.4", "ipv4", 8333},
        {1700000001, 1, "abc.onion", "onion", 18333},
    };
    struct net_rig rig;
    net_rig_init(&rig);
    assert_call(&rig.rpc, "getnodeaddresses", "[]", "[]");
    rig.fake.addresses = addresses;
    rig.fake.n_addresses = 2;
#define IPV4                                                                                       \
    "{\"time\":1700000000,\"services\":9223372036854775817,\"address\":\"1.2.3.4\","               \
    "\"port\":8333,\"network\":\"ipv4\"}"
#define ONION                                                                                      \
    "{\"time\":1700000001,\"services\":1,\"address\":\"abc.onion\",\"port\":18333,"                \
    "\"network\":\"onion\"}"
    assert_call(&rig.rpc, "getnodeaddresses", "[]", "[" IPV4 "]");
    assert_call(&rig.rpc, "getnodeaddresses", "[1]", "[" IPV4 "]");
    assert_call(&rig.rpc, "getnodeaddresses", "[0]", "[" IPV4 "," ONION "]");
    assert_call(&rig.rpc, "getnodeaddresses", "[5,\"onion\"]", "[" ONION "]");
    assert_call(&rig.rpc, "getnodeaddresses", "{\"network\":\"ipv4\"}", "[" IPV4 "]");
    assert_call(&rig.rpc, "getnodeaddresses", "[5,\"Foo\"]", "-8: Network not recognized: Foo");
    assert_call(&rig.rpc, "getnodeaddresses", "[-1]", "-8: Address count out of range");
    assert_call(&rig.rpc, "getnodeaddresses", "[2147483648]", "-1: JSON integer out of range");
    net_rig_deinit(&rig);
}

TEST(the_book_is_counted_by_network)
{
    static const struct net_addrman_count counts[] = {{"ipv4", 5, 2}, {NULL, 6, 2}};
    struct net_rig rig;
    net_rig_init(&rig);
    rig.fake.counts = counts;
    rig.fake.n_counts = 2;
    assert_call(&rig.rpc, "getaddrmaninfo", "[]",
                "{\"ipv4\":{\"new\":5,\"tried\":2,\"total\":7},"
                "\"all_networks\":{\"new\":6,\"tried\":2,\"total\":8}}");
    net_rig_deinit(&rig);
}

#define NO_BOOK "-31: Error: Address manager functionality missing or disabled"

TEST(without_a_network_there_is_no_book)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    assert_call(&rig, "getrawaddrman", "[]", NO_BOOK);
    assert_call(&rig, "getaddrmaninfo", "[]", NO_BOOK);
    assert_call(&rig, "addpeeraddress", "[\"1.2.3.4\",1]", NO_BOOK);
    assert_call(&rig, "geteclipserisk", "[]",
                "-31: Error: Peer-to-peer functionality missing or disabled");
    assert_call(&rig, "exportasmap", "[\"x\"]", "-1: No embedded ASMap data available");
    rpc_rig_deinit(&rig);
}

TEST(the_book_is_shown_place_by_place)
{
    static const struct net_book_place places[] = {
        {false, 3, 9, {5, 9, "1.2.3.4", "ipv4", 8333}, 7, 8, "9.9.9.9", "ipv4"},
        {true, 1, 63, {6, 1, "abc.onion", "onion", 1}, 0, 0, "abc.onion", "onion"},
    };
    struct net_rig rig;
    net_rig_init(&rig);
    assert_call(&rig.rpc, "getrawaddrman", "[]", "{\"new\":{},\"tried\":{}}");
    rig.fake.places = places;
    rig.fake.n_places = 1;
#define NEW                                                                                        \
    "\"3/9\":{\"address\":\"1.2.3.4\",\"mapped_as\":7,\"port\":8333,\"services\":9,\"time\":5,"    \
    "\"network\":\"ipv4\",\"source\":\"9.9.9.9\",\"source_network\":\"ipv4\","                     \
    "\"source_mapped_as\":8}"
    assert_call(&rig.rpc, "getrawaddrman", "[]", "{\"new\":{" NEW "},\"tried\":{}}");
    rig.fake.n_places = 2;
    assert_call(&rig.rpc, "getrawaddrman", "[]",
                "{\"new\":{" NEW "},\"tried\":{\"1/63\":{\"address\":\"abc.onion\",\"port\":1,"
                "\"services\":1,\"time\":6,\"network\":\"onion\",\"source\":\"abc.onion\","
                "\"source_network\":\"onion\"}}}");
    net_rig_deinit(&rig);
}

/* Core's words, and its order: the error comes first. */
TEST(an_address_is_put_into_the_book)
{
    struct net_rig rig;
    net_rig_init(&rig);
    assert_call(&rig.rpc, "addpeeraddress", "[\"1.2.3.4\",8333]", "{\"success\":true}");
    assert_string_equal(rig.fake.order, "address 1.2.3.4 8333 0");
    rig.fake.result = NET_RESULT_EXISTS;
    assert_call(&rig.rpc, "addpeeraddress", "[\"1.2.3.4\",8333,true]",
                "{\"error\":\"failed-adding-to-new\",\"success\":false}");
    rig.fake.result = NET_RESULT_FULL;
    assert_call(&rig.rpc, "addpeeraddress", "[\"1.2.3.4\",8333,true]",
                "{\"error\":\"failed-adding-to-tried\",\"success\":false}");
    rig.fake.result = NET_RESULT_BAD_ADDRESS;
    assert_call(&rig.rpc, "addpeeraddress", "[\"\",8333]", "-30: Invalid IP address");
    assert_call(&rig.rpc, "addpeeraddress", "[\"1.2.3.4\",65536]", "-1: JSON integer out of range");
    net_rig_deinit(&rig);
}

TEST(the_risk_of_an_eclipse_is_shown)
{
    static const char *const reasons[] = {"few outbound peers"};
    struct net_rig rig;
    net_rig_init(&rig);
    rig.fake.risk = (struct net_eclipse_risk){.level = "elevated",
                                              .has_asmap = true,
                                              .n_outbound = 2,
                                              .n_outbound_groups = 1,
                                              .n_new = 10,
                                              .n_tried = 4,
                                              .new_source_share = 0.5,
                                              .tried_group_share = 0.25,
                                              .header_lag = 3,
                                              .n_forked = 1,
                                              .tip_age_s = 60,
                                              .reasons = reasons,
                                              .n_reasons = 1};
    assert_call(&rig.rpc, "geteclipserisk", "[]",
                "{\"risk\":\"elevated\",\"reasons\":[\"few outbound peers\"],"
                "\"grouped_by\":\"asmap\",\"outbound\":2,\"outbound_groups\":1,"
                "\"outbound_forked\":1,\"header_lag\":3,\"tip_age\":60,\"new\":10,"
                "\"new_largest_source_share\":0.5,\"tried\":4,"
                "\"tried_largest_group_share\":0.25}");
    net_rig_deinit(&rig);
}
