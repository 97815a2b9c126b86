/* test_rpc_net.c - the state of the network, its addresses, orders to it. */
#include "rpc/methods.h"

#include "net_fixture.h"
#include "util/alloc.h"

#define NO_NETWORK "-31: Error: Peer-to-peer functionality missing or disabled"

TEST(without_a_network_the_methods_say_so)
{
    static const struct {
        const char *method, *params;
    } calls[] = {
        {"addconnection", "[\"1.2.3.4\",\"feeler\",false]"},
        {"addnode", "[\"1.2.3.4\",\"add\"]"},
        {"disconnectnode", "[\"1.2.3.4\"]"},
        {"getaddednodeinfo", "[]"},
        {"getconnectioncount", "[]"},
        {"getnettotals", "[]"},
        {"getnodeaddresses", "[]"},
        {"getorphantxs", "[]"},
        {"getpeerinfo", "[]"},
        {"ping", "[]"},
        {"setnetworkactive", "[true]"},
        {"getblockfrompeer", "[\"00\",1]"},
    };
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    for (size_t i = 0; i < COUNT_OF(calls); i++)
        assert_call(&rig, calls[i].method, calls[i].params, NO_NETWORK);
    assert_call(&rig, "getaddrmaninfo", "[]",
                "-31: Error: Address manager functionality missing or disabled");
    assert_call(&rig, "getnetworkinfo", "[]",
                "{\"version\":310000,\"subversion\":\"/Satoshi:31.0.0/Cairn:0.1.0/\","
                "\"protocolversion\":70017,\"localservices\":\"0000000000000000\","
                "\"localservicesnames\":[],\"localrelay\":false,\"timeoffset\":0,"
                "\"networkactive\":false,\"connections\":0,\"connections_in\":0,"
                "\"connections_out\":0,\"networks\":[],\"relayfee\":0.00000000,"
                "\"incrementalfee\":0.00000000,\"localaddresses\":[],\"warnings\":[]}");
    rpc_rig_deinit(&rig);
}

TEST(networkinfo_has_the_fields_in_order)
{
    static const struct net_network_state networks[] = {
        {.name = "ipv4", .is_reachable = true, .proxy = ""},
        {.name = "onion",
         .is_limited = true,
         .proxy = "127.0.0.1:9050",
         .randomizes_credentials = true},
    };
    static const struct net_local_address local[] = {{"2001:db8::1", 8333, 4}};
    struct net_rig rig;
    net_rig_init(&rig);
    rig.rpc.warnings[0] = "Look out";
    rig.fake.info = (struct net_info){
        .user_agent = "/Satoshi:31.0.0/Cairn:0.1.0(a; b)/",
        .protocol_version = 70017,
        .local_services = 0xc49,
        .is_active = true,
        .relays_txs = true,
        .n_in = 3,
        .n_out = 10,
        .time_offset_s = -2,
        .min_relay_sat_per_kvb = 100,
        .incremental_sat_per_kvb = 250,
        .networks = networks,
        .n_networks = 2,
        .local = local,
        .n_local = 1,
    };
    assert_call(
        &rig.rpc, "getnetworkinfo", "[]",
        "{\"version\":310000,\"subversion\":\"/Satoshi:31.0.0/Cairn:0.1.0(a; b)/\","
        "\"protocolversion\":70017,\"localservices\":\"0000000000000c49\","
        "\"localservicesnames\":[\"NETWORK\",\"WITNESS\",\"COMPACT_FILTERS\",\"NETWORK_LIMITED\","
        "\"P2P_V2\"],\"localrelay\":true,\"timeoffset\":-2,\"networkactive\":true,"
        "\"connections\":13,\"connections_in\":3,\"connections_out\":10,\"networks\":["
        "{\"name\":\"ipv4\",\"limited\":false,\"reachable\":true,\"proxy\":\"\","
        "\"proxy_randomize_credentials\":false},"
        "{\"name\":\"onion\",\"limited\":true,\"reachable\":false,\"proxy\":\"127.0.0.1:9050\","
        "\"proxy_randomize_credentials\":true}],\"relayfee\":0.00000100,"
        "\"incrementalfee\":0.00000250,\"localaddresses\":[{\"address\":\"2001:db8::1\","
        "\"port\":8333,\"score\":4}],\"warnings\":[\"Look out\"]}");
    assert_call(&rig.rpc, "getconnectioncount", "[]", "13");
    net_rig_deinit(&rig);
}

TEST(totals_count_bytes_since_the_start)
{
    struct net_rig rig;
    net_rig_init(&rig);
    rig.fake.info.bytes_received = 5000000000;
    rig.fake.info.bytes_sent = 7;
    rig.fake.info.upload.serves_historical = true;
    rig.rpc.mock_time_s = 1700000001;
    assert_call(&rig.rpc, "getnettotals", "[]",
                "{\"totalbytesrecv\":5000000000,\"totalbytessent\":7,\"timemillis\":1700000001000,"
                "\"uploadtarget\":{\"timeframe\":86400,\"target\":0,\"target_reached\":false,"
                "\"serve_historical_blocks\":true,\"bytes_left_in_cycle\":0,"
                "\"time_left_in_cycle\":0}}");
    rig.fake.info.upload = (struct net_upload_info){.target_bytes = 800,
                                                    .is_reached = true,
                                                    .serves_historical = false,
                                                    .bytes_left = 3,
                                                    .time_left_s = 4};
    assert_call(&rig.rpc, "getnettotals", "[]",
                "{\"totalbytesrecv\":5000000000,\"totalbytessent\":7,\"timemillis\":1700000001000,"
                "\"uploadtarget\":{\"timeframe\":86400,\"target\":800,\"target_reached\":true,"
                "\"serve_historical_blocks\":false,\"bytes_left_in_cycle\":3,"
                "\"time_left_in_cycle\":4}}");
    net_rig_deinit(&rig);
}

TEST(the_network_can_be_left_and_joined)
{
    struct net_rig rig;
    net_rig_init(&rig);
    rig.fake.info.is_active = true;
    assert_call(&rig.rpc, "setnetworkactive", "[false]", "false");
    assert_false(rig.fake.info.is_active);
    assert_call(&rig.rpc, "setnetworkactive", "[true]", "true");
    assert_true(rig.fake.info.is_active);
    assert_holds(rpc_rig_call(&rig.rpc, "setnetworkactive", "[]"), "-1: setnetworkactive state\n");
    assert_holds(rpc_rig_call(&rig.rpc, "setnetworkactive", "[1]"), "-3: Wrong type passed");
    assert_call(&rig.rpc, "ping", "[]", "null");
    assert_int_equal(rig.fake.n_pings, 1);
    net_rig_deinit(&rig);
}

/* -- Nodes added by hand -------------------------------------------------------------------- */

TEST(addnode_gives_the_order_and_its_outcome)
{
    static const struct {
        const char *params;
        enum net_result result;
        const char *want, *order;
    } rows[] = {
        {"[\"1.2.3.4:5\",\"add\"]", NET_RESULT_OK, "null", "add 1.2.3.4:5"},
        {"[\"1.2.3.4\",\"add\",false]", NET_RESULT_EXISTS, "-23: Error: Node already added",
         "add 1.2.3.4"},
        {"[\"1.2.3.4\",\"add\"]", NET_RESULT_FULL,
         "-34: Error: Already at capacity for specified connection type.", "add 1.2.3.4"},
        {"[\"foo\",\"add\"]", NET_RESULT_BAD_ADDRESS,
         "-8: Error: Invalid address: it is empty or longer than a name can be", "add foo"},
        {"[\"1.2.3.4\",\"remove\"]", NET_RESULT_OK, "null", "remove 1.2.3.4"},
        {"[\"1.2.3.4\",\"remove\"]", NET_RESULT_UNKNOWN,
         "-24: Error: Node could not be removed. It has not been added previously.",
         "remove 1.2.3.4"},
        {"{\"node\":\"::1\",\"command\":\"onetry\"}", NET_RESULT_OK, "null", "try ::1"},
        {"[\"1.2.3.4\",\"onetry\"]", NET_RESULT_EXISTS, "null", "try 1.2.3.4"},
        {"[\"1.2.3.4\",\"add\",true]", NET_RESULT_OK,
         "-8: Error: v2transport requested but not enabled (see -v2transport)", ""},
    };
    struct net_rig rig;
    net_rig_init(&rig);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        rig.fake.order[0] = 0;
        rig.fake.result = rows[i].result;
        assert_call(&rig.rpc, "addnode", rows[i].params, rows[i].want);
        assert_string_equal(rig.fake.order, rows[i].order);
    }
    rig.fake.order[0] = 0;
    assert_holds(rpc_rig_call(&rig.rpc, "addnode", "[\"1.2.3.4\",\"drop\"]"),
                 "-1: addnode \"node\" \"command\" ( v2transport )\n");
    assert_string_equal(rig.fake.order, "");
    net_rig_deinit(&rig);
}

TEST(a_test_opens_connections_of_a_class)
{
    struct net_rig rig;
    net_rig_init(&rig);
    assert_call(&rig.rpc, "addconnection", "[\"1.2.3.4\",\"feeler\",false]",
                "{\"address\":\"1.2.3.4\",\"connection_type\":\"feeler\"}");
    assert_string_equal(rig.fake.order, "feeler 1.2.3.4");
    rig.fake.n_dialling = 3; /* the answer waits for the connection */
    assert_call(&rig.rpc, "addconnection", "[\"1.2.3.4\",\"feeler\",false]",
                "{\"address\":\"1.2.3.4\",\"connection_type\":\"feeler\"}");
    assert_int_equal(rig.fake.n_dialling, 0);
    rig.fake.result = NET_RESULT_UNKNOWN;
    assert_starts(rpc_rig_call(&rig.rpc, "addconnection", "[\"1.2.3.4\",\"x\",false]"),
                  "-8: Error: Invalid connection type");
    rig.fake.result = NET_RESULT_FULL;
    assert_call(&rig.rpc, "addconnection", "[\"1.2.3.4\",\"feeler\",false]",
                "-34: Error: Already at capacity for specified connection type.");
    assert_starts(rpc_rig_call(&rig.rpc, "addconnection", "[\"1.2.3.4\",\"feeler\",true]"),
                  "-8: Error: Adding v2transport connections requires");
    net_rig_deinit(&rig);
}

TEST(added_nodes_are_listed)
{
    struct net_rig rig;
    net_rig_init(&rig);
    assert_call(&rig.rpc, "getaddednodeinfo", "[]", "[]");
    static const struct net_peer_info peer = {.address = "1.2.3.4:8333"};
    static const struct net_peer_info inbound = {.address = "5.6.7.8:999", .is_inbound = true};
    rig.fake.added[0] = (struct net_fake_added){"1.2.3.4", &peer};
    rig.fake.added[1] = (struct net_fake_added){"5.6.7.8:9", NULL};
    rig.fake.added[2] = (struct net_fake_added){"5.6.7.8", &inbound};
    rig.fake.n_added = 3;
#define FIRST                                                                                      \
    "{\"addednode\":\"1.2.3.4\",\"connected\":true,\"addresses\":[{\"address\":\"1.2.3.4:8333\","  \
    "\"connected\":\"outbound\"}]}"
#define SECOND "{\"addednode\":\"5.6.7.8:9\",\"connected\":false,\"addresses\":[]}"
    assert_call(&rig.rpc, "getaddednodeinfo", "[]",
                "[" FIRST "," SECOND ",{\"addednode\":\"5.6.7.8\",\"connected\":true,"
                "\"addresses\":[{\"address\":\"5.6.7.8:999\",\"connected\":\"inbound\"}]}]");
    assert_call(&rig.rpc, "getaddednodeinfo", "[\"1.2.3.4\"]", "[" FIRST "]");
    assert_call(&rig.rpc, "getaddednodeinfo", "{\"node\":\"5.6.7.8:9\"}", "[" SECOND "]");
    assert_call(&rig.rpc, "getaddednodeinfo", "[\"1.2.3.4:8333\"]",
                "-24: Error: Node has not been added.");
    net_rig_deinit(&rig);
}

TEST(a_peer_is_disconnected_by_address_or_id)
{
    static const struct {
        const char *params;
        enum net_result result;
        const char *want, *order;
    } rows[] = {
#define ONLY_ONE  "-32602: Only one of address and nodeid should be provided."
#define NOT_THERE "-29: Node not found in connected nodes"
        {"[\"1.2.3.4:5\"]", NET_RESULT_OK, "null", "disconnect 1.2.3.4:5"},
        {"[\"1.2.3.4:5\"]", NET_RESULT_UNKNOWN, NOT_THERE, "disconnect 1.2.3.4:5"},
        {"[\"\"]", NET_RESULT_UNKNOWN, NOT_THERE, "disconnect "},
        {"[\"\",0]", NET_RESULT_OK, "null", "disconnect #0"},
        {"{\"nodeid\":7}", NET_RESULT_OK, "null", "disconnect #7"},
        {"[null,7]", NET_RESULT_UNKNOWN, NOT_THERE, "disconnect #7"},
        {"[null,-1]", NET_RESULT_OK, NOT_THERE, ""},
        {"[\"1.2.3.4\",7]", NET_RESULT_OK, ONLY_ONE, ""},
        {"[]", NET_RESULT_OK, ONLY_ONE, ""},
        {"[null,1.5]", NET_RESULT_OK, "-1: JSON integer out of range", ""},
    };
    struct net_rig rig;
    net_rig_init(&rig);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        rig.fake.order[0] = 0;
        rig.fake.result = rows[i].result;
        assert_call(&rig.rpc, "disconnectnode", rows[i].params, rows[i].want);
        assert_string_equal(rig.fake.order, rows[i].order);
    }
    net_rig_deinit(&rig);
}

TEST(a_message_of_any_kind_is_sent)
{
    struct net_rig rig;
    net_rig_init(&rig);
    assert_call(&rig.rpc, "sendmsgtopeer", "[3,\"addr\",\"00ff\"]", "{}");
    assert_string_equal(rig.fake.order, "send #3 addr 2");
    assert_call(&rig.rpc, "sendmsgtopeer", "[3,\"twelve_bytes\",\"\"]", "{}");
    assert_call(&rig.rpc, "sendmsgtopeer", "[3,\"thirteen_byte\",\"\"]",
                "-8: Error: msg_type too long, max length is 12");
    assert_call(&rig.rpc, "sendmsgtopeer", "[3,\"addr\",\"0\"]", "-8: Error parsing input for msg");
    assert_call(&rig.rpc, "sendmsgtopeer", "[-1,\"addr\",\"\"]",
                "-1: Error: Could not send message to peer");
    rig.fake.result = NET_RESULT_UNKNOWN;
    assert_call(&rig.rpc, "sendmsgtopeer", "[3,\"addr\",\"\"]",
                "-1: Error: Could not send message to peer");
    net_rig_deinit(&rig);
}

/* -- Blocks --------------------------------------------------------------------------------- */

TEST(a_block_is_asked_for_by_its_header)
{
    struct net_rig rig;
    net_rig_init(&rig);
    const struct built_block *block =
        builder_blocks(&rig.rpc.builder, rig.rpc.builder.genesis, 1, NULL);
    assert_call(&rig.rpc, "getblockfrompeer", "[\"00\",1]",
                "-8: blockhash must be of length 64 (not 2, for '00')");
    char *params = xasprintf("[\"%s\",3]", rpc_rig_id(&rig.rpc, block));
    assert_call(&rig.rpc, "getblockfrompeer", params, "-1: Block header missing");
    assert_string_equal(rig.fake.order, "");

    struct verdict verdict = {.code = REJECT_NONE};
    assert_non_null(chain_accept_header(rig.rpc.chain.chain, &block->block.header, &verdict));
    assert_call(&rig.rpc, "getblockfrompeer", params, "{}");
    assert_string_equal(rig.fake.order, "get #3");
    assert_memory_equal(rig.fake.asked.b, block->block.hash.b, 32);
    rig.fake.error = "Peer does not exist";
    assert_call(&rig.rpc, "getblockfrompeer", params, "-1: Peer does not exist");
    rig.fake.error = NULL;
    rig.fake.order[0] = 0;
    const char *got =
        rpc_rig_callf(&rig.rpc, "getblockfrompeer", "[\"%s\",-1]", rpc_rig_id(&rig.rpc, block));
    assert_string_equal(got, "-1: Peer does not exist");
    assert_string_equal(rig.fake.order, "");

    rpc_rig_grow(&rig.rpc, block);
    assert_call(&rig.rpc, "getblockfrompeer", params, "-1: Block already downloaded");
    xfree(params);
    net_rig_deinit(&rig);
}

TEST(a_pruning_node_fetches_nothing_ahead_of_its_tip)
{
    struct net_rig rig;
    const struct chain_options options = {.prune = true};
    rpc_rig_init(&rig.rpc, &options, NULL);
    net_fake_init(&rig.fake);
    rig.rpc.node.net = &rig.fake.view;
    const struct built_block *block =
        builder_blocks(&rig.rpc.builder, rig.rpc.builder.genesis, 1, NULL);
    struct verdict verdict = {.code = REJECT_NONE};
    assert_non_null(chain_accept_header(rig.rpc.chain.chain, &block->block.header, &verdict));
    const char *got =
        rpc_rig_callf(&rig.rpc, "getblockfrompeer", "[\"%s\",3]", rpc_rig_id(&rig.rpc, block));
    assert_string_equal(got, "-1: In prune mode, only blocks that the node has already synced "
                             "previously can be fetched from a peer");
    net_rig_deinit(&rig);
}
