/* test_rpc_peer.c - getpeerinfo. */
#include "rpc/methods.h"
#include "support/net_fake.h"
#include "support/rpc_rig.h"
#include "support/unit.h"

/* Before the handshake: what nobody knows yet is 0, -1 or not there. */
static const struct net_peer_info fresh = {
    .id = 2,
    .address = "127.0.0.1:50000",
    .network = "not_publicly_routable",
    .connected_s = 1700000000,
    .ping_us = -1,
    .min_ping_us = -1,
    .ping_wait_us = -1,
    .is_inbound = true,
    .start_height = -1,
    .presynced_headers = -1,
    .synced_headers = -1,
    .synced_blocks = -1,
    .connection_type = "inbound",
    .transport = "detecting",
    .session_id = "",
};

/* With every field set. */
static const int32_t in_flight[] = {101, 103};
static const char *const permissions[] = {"noban", "download"};
static const struct net_message_bytes messages[] = {
    {"*other*", 0, 31}, {"ping", 64, 32}, {"verack", 24, 0}};
static const struct net_peer_info known = {
    .id = 7,
    .address = "[2001:db8::1]:8333",
    .address_bind = "[2001:db8::2]:40000",
    .address_local = "[2001:db8::2]:8333",
    .network = "ipv6",
    .services = 9,
    .relays_txs = true,
    .last_inv_sequence = 12,
    .n_inv_to_send = 3,
    .last_send_s = 1700000101,
    .last_recv_s = 1700000102,
    .last_tx_s = 1700000103,
    .last_block_s = 1700000104,
    .connected_s = 1700000000,
    .bytes_sent = 88,
    .bytes_received = 63,
    .time_offset_s = -5,
    .ping_us = 12500,
    .min_ping_us = 1,
    .ping_wait_us = 2000000,
    .version = 70017,
    .user_agent = {(const uint8_t *)"/Satoshi:31.0.0/", 16},
    .is_high_bandwidth_to = true,
    .start_height = 100,
    .presynced_headers = 2000,
    .synced_headers = 104,
    .synced_blocks = 100,
    .in_flight = in_flight,
    .n_in_flight = 2,
    .is_addr_relay = true,
    .addr_processed = 11,
    .addr_rate_limited = 1,
    .permissions = permissions,
    .n_permissions = 2,
    .fee_filter_sat_per_kvb = 100,
    .per_message = messages,
    .n_per_message = 3,
    .connection_type = "outbound-full-relay",
    .transport = "v2",
    .session_id = "abcd",
};

/* Put peers into a new rig, with credentials that ask for the deprecated field or not. */
static void init(struct rpc_rig *rig, struct net_fake *fake, const struct net_peer_info *peers,
                 size_t n, bool deprecated)
{
    const struct rpc_auth_options auth = {
        .user = "u", .password = "p", .deprecated_start_height = deprecated};
    rpc_rig_init(rig, NULL, &auth);
    net_fake_init(fake);
    fake->peers = peers;
    fake->n_peers = n;
    rig->node.net = &fake->view;
}

TEST(a_peer_before_the_handshake)
{
    struct rpc_rig rig;
    struct net_fake fake;
    init(&rig, &fake, &fresh, 1, false);
    assert_call(
        &rig, "getpeerinfo", "[]",
        "[{\"id\":2,\"addr\":\"127.0.0.1:50000\",\"network\":\"not_publicly_routable\","
        "\"services\":\"0000000000000000\",\"servicesnames\":[],\"relaytxes\":false,"
        "\"last_inv_sequence\":0,\"inv_to_send\":0,\"lastsend\":0,\"lastrecv\":0,"
        "\"last_transaction\":0,\"last_block\":0,\"bytessent\":0,\"bytesrecv\":0,"
        "\"conntime\":1700000000,\"timeoffset\":0,\"version\":0,\"subver\":\"\",\"inbound\":true,"
        "\"bip152_hb_to\":false,\"bip152_hb_from\":false,\"presynced_headers\":-1,"
        "\"synced_headers\":-1,\"synced_blocks\":-1,\"inflight\":[],\"addr_relay_enabled\":false,"
        "\"addr_processed\":0,\"addr_rate_limited\":0,\"permissions\":[],"
        "\"minfeefilter\":0.00000000,\"bytessent_per_msg\":{},\"bytesrecv_per_msg\":{},"
        "\"connection_type\":\"inbound\",\"transport_protocol_type\":\"detecting\","
        "\"session_id\":\"\"}]");
    rpc_rig_deinit(&rig);
}

TEST(a_peer_about_whom_all_is_known)
{
    struct rpc_rig rig;
    struct net_fake fake;
    init(&rig, &fake, &known, 1, true);
    assert_call(
        &rig, "getpeerinfo", "[]",
        "[{\"id\":7,\"addr\":\"[2001:db8::1]:8333\",\"addrbind\":\"[2001:db8::2]:40000\","
        "\"addrlocal\":\"[2001:db8::2]:8333\",\"network\":\"ipv6\","
        "\"services\":\"0000000000000009\",\"servicesnames\":[\"NETWORK\",\"WITNESS\"],"
        "\"relaytxes\":true,\"last_inv_sequence\":12,\"inv_to_send\":3,\"lastsend\":1700000101,"
        "\"lastrecv\":1700000102,\"last_transaction\":1700000103,\"last_block\":1700000104,"
        "\"bytessent\":88,\"bytesrecv\":63,\"conntime\":1700000000,\"timeoffset\":-5,"
        "\"pingtime\":0.0125,\"minping\":1e-06,\"pingwait\":2,\"version\":70017,"
        "\"subver\":\"/Satoshi:31.0.0/\",\"inbound\":false,\"bip152_hb_to\":true,"
        "\"bip152_hb_from\":false,\"startingheight\":100,\"presynced_headers\":2000,"
        "\"synced_headers\":104,\"synced_blocks\":100,\"inflight\":[101,103],"
        "\"addr_relay_enabled\":true,\"addr_processed\":11,\"addr_rate_limited\":1,"
        "\"permissions\":[\"noban\",\"download\"],\"minfeefilter\":0.00000100,"
        "\"bytessent_per_msg\":{\"ping\":64,\"verack\":24},"
        "\"bytesrecv_per_msg\":{\"*other*\":31,\"ping\":32},"
        "\"connection_type\":\"outbound-full-relay\",\"transport_protocol_type\":\"v2\","
        "\"session_id\":\"abcd\"}]");
    rpc_rig_deinit(&rig);
}

TEST(peers_come_in_their_order)
{
    struct net_peer_info peers[3] = {fresh, fresh, fresh};
    struct rpc_rig rig;
    struct net_fake fake;
    peers[0].id = 4;
    peers[1].id = 1;
    peers[2].id = 9;
    init(&rig, &fake, peers, 0, false);
    assert_call(&rig, "getpeerinfo", "[]", "[]");
    fake.n_peers = 3;
    const char *got = rpc_rig_call(&rig, "getpeerinfo", "[]");
    const char *first = strstr(got, "\"id\":4,"), *second = strstr(got, "\"id\":1,");
    const char *third = strstr(got, "\"id\":9,");
    assert_true(first && second && third && first < second && second < third);
    rpc_rig_deinit(&rig);
}

/* The name that a peer gives itself may hold anything: quotes, escapes of terminals, half a
 * character. */
TEST(names_are_stripped_of_what_could_harm)
{
    static const struct {
        const char *name;
        size_t len;
        const char *want;
    } rows[] = {
        {"/a(b)_c-d;e,f.g?h@i:1/", 22, "\"subver\":\"/a(b)_c-d;e,f.g?h@i:1/\""},
        {"/\x1b[2J\"},{\\\n/", 12, "\"subver\":\"/2J,/\""},
        {"/\0x\xff\xc3\xa9<b>/", 10, "\"subver\":\"/xb/\""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct net_peer_info peer = fresh;
        struct rpc_rig rig;
        struct net_fake fake;
        peer.user_agent = span_of(rows[i].name, rows[i].len);
        init(&rig, &fake, &peer, 1, false);
        assert_holds(rpc_rig_call(&rig, "getpeerinfo", "[]"), rows[i].want);
        rpc_rig_deinit(&rig);
    }
}

TEST(orphans_are_listed_as_the_verbosity_says)
{
    static const uint64_t peers[] = {3, 1};
    static const struct txid txid = {{1}};
    static const struct wtxid wtxid = {{2}};
    const struct net_orphan orphans[] = {
        {&txid, &wtxid, span_of("abc", 3), 9, peers, 2},
    };
    static const char zeros[] = "00000000000000000000000000000000000000000000000000000000000000";
    struct rpc_rig rig;
    struct net_fake fake;
    char want[1000];
    rpc_rig_init(&rig, NULL, NULL);
    net_fake_init(&fake);
    rig.node.net = &fake.view;
    assert_call(&rig, "getorphantxs", "[]", "[]");
    fake.orphans = orphans;
    fake.n_orphans = COUNT_OF(orphans);
    snprintf(want, sizeof want, "[\"%s01\"]", zeros);
    assert_call(&rig, "getorphantxs", "[]", want);
    assert_call(&rig, "getorphantxs", "[0]", want);
    snprintf(want, sizeof want,
             "[{\"txid\":\"%s01\",\"wtxid\":\"%s02\",\"bytes\":3,\"vsize\":3,\"weight\":9,"
             "\"from\":[3,1]}]",
             zeros, zeros);
    assert_call(&rig, "getorphantxs", "[1]", want);
    assert_holds(rpc_rig_call(&rig, "getorphantxs", "[2]"), "\"from\":[3,1],\"hex\":\"616263\"}]");
    assert_call(&rig, "getorphantxs", "[3]", "-8: Invalid verbosity value 3");
    assert_call(&rig, "getorphantxs", "[-1]", "-8: Invalid verbosity value -1");
    assert_call(&rig, "getorphantxs", "[true]",
                "-3: Verbosity was boolean but only integer allowed");
    rpc_rig_deinit(&rig);
}
