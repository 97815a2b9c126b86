/* test_rpc_private.c - what is sent by -privatebroadcast, shown and called off. */
#include "net_fixture.h"

#define ZEROS "00000000000000000000000000000000000000000000000000000000000000"

static const struct txid txid = {{1}};
static const struct wtxid wtxid = {{2}};
static const struct net_private_peer peers[] = {{"a.onion:1", 20, 30}, {"1.2.3.4:2", 40, 0}};

static int setup(void **state)
{
    struct net_rig *rig = test_calloc(1, sizeof *rig);
    net_rig_init(rig);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    net_rig_deinit(*state);
    test_free(*state);
    return 0;
}

FIXTURE(setup, teardown)

TEST(what_is_sent_is_shown_with_whom_it_was_given_to, struct net_rig *rig)
{
    const struct net_private_tx tx = {&txid, &wtxid, span_of("abc", 3), 10, peers, 2};
    assert_call(&rig->rpc, "getprivatebroadcastinfo", "[]", "{\"transactions\":[]}");
    rig->fake.privates = &tx;
    rig->fake.n_privates = 1;
    assert_call(&rig->rpc, "getprivatebroadcastinfo", "[]",
                "{\"transactions\":[{\"txid\":\"" ZEROS "01\",\"wtxid\":\"" ZEROS "02\","
                "\"hex\":\"616263\",\"time_added\":10,\"peers\":["
                "{\"address\":\"a.onion:1\",\"sent\":20,\"received\":30},"
                "{\"address\":\"1.2.3.4:2\",\"sent\":40}]}]}");
}

TEST(it_is_called_off_by_either_of_its_names, struct net_rig *rig)
{
    const struct net_private_tx tx = {&txid, &wtxid, span_of("abc", 3), 10, peers, 2};
    static const char want[] = "{\"removed_transactions\":[{\"txid\":\"" ZEROS
                               "01\",\"wtxid\":\"" ZEROS "02\",\"hex\":\"616263\"}]}";
    rig->fake.privates = &tx;
    rig->fake.n_privates = 1;
    assert_call(&rig->rpc, "abortprivatebroadcast", "[\"" ZEROS "01\"]", want);
    assert_call(&rig->rpc, "abortprivatebroadcast", "[\"" ZEROS "02\"]", want);
    assert_call(&rig->rpc, "abortprivatebroadcast", "[\"" ZEROS "03\"]",
                "-5: Transaction not in private broadcast queue. Check getprivatebroadcastinfo.");
    assert_call(&rig->rpc, "abortprivatebroadcast", "[\"01\"]",
                "-8: id must be of length 64 (not 2, for '01')");
}

TEST(without_a_network_there_is_nothing_to_show, struct net_rig *rig)
{
    static const char want[] = "-31: Error: Peer-to-peer functionality missing or disabled";
    rig->rpc.node.net = NULL;
    assert_call(&rig->rpc, "getprivatebroadcastinfo", "[]", want);
    assert_call(&rig->rpc, "abortprivatebroadcast", "[\"" ZEROS "01\"]", want);
}
