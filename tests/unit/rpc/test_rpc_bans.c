/* test_rpc_bans.c - setban, clearbanned, listbanned: what is ordered and what is answered. */
#include <errno.h>

#include "rpc/methods.h"

#include "net_fixture.h"

#define UNBAN_FAILED                                                                               \
    "-30: Error: Unban failed. Requested address/subnet was not previously manually banned."

TEST(setban_gives_the_order_and_its_outcome)
{
    static const struct {
        const char *params;
        enum net_result result;
        const char *want, *order;
    } rows[] = {
        {"[\"1.2.3.4\",\"add\"]", NET_RESULT_OK, "null", "ban 1.2.3.4 for 0"},
        {"[\"1.2.3.0/24\",\"add\",99]", NET_RESULT_OK, "null", "ban 1.2.3.0/24 for 99"},
        {"[\"::1\",\"add\",99,false]", NET_RESULT_OK, "null", "ban ::1 for 99"},
        {"{\"subnet\":\"::1\",\"command\":\"add\",\"bantime\":99,\"absolute\":true}", NET_RESULT_OK,
         "null", "ban ::1 until 99"},
        {"[\"1.2.3.4\",\"add\"]", NET_RESULT_EXISTS, "-23: Error: IP/Subnet already banned",
         "ban 1.2.3.4 for 0"},
        {"[\"x\",\"add\"]", NET_RESULT_BAD_ADDRESS, "-30: Error: Invalid IP/Subnet", "ban x for 0"},
        {"[\"1.2.3.4\",\"add\",5,true]", NET_RESULT_IN_PAST,
         "-8: Error: Absolute timestamp is in the past", "ban 1.2.3.4 until 5"},
        {"[\"1.2.3.4\",\"add\"]", NET_RESULT_FULL,
         "-34: Error: The ban list is full: remove some, or ban whole subnets",
         "ban 1.2.3.4 for 0"},
        {"[\"1.2.3.4\",\"remove\"]", NET_RESULT_OK, "null", "unban 1.2.3.4"},
        {"[\"1.2.3.4\",\"remove\",5,true]", NET_RESULT_OK, "null", "unban 1.2.3.4"},
        {"[\"1.2.3.4\",\"remove\"]", NET_RESULT_UNKNOWN, UNBAN_FAILED, "unban 1.2.3.4"},
        {"[\"x\",\"remove\"]", NET_RESULT_BAD_ADDRESS, "-30: Error: Invalid IP/Subnet", "unban x"},
    };
    struct net_rig rig;
    net_rig_init(&rig);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        rig.fake.order[0] = 0;
        rig.fake.n_saves = 0;
        rig.fake.result = rows[i].result;
        assert_call(&rig.rpc, "setban", rows[i].params, rows[i].want);
        assert_string_equal(rig.fake.order, rows[i].order);
        assert_int_equal(rig.fake.n_saves, rows[i].result == NET_RESULT_OK);
    }
    rig.fake.order[0] = 0;
    assert_holds(rpc_rig_call(&rig.rpc, "setban", "[\"1.2.3.4\",\"drop\"]"),
                 "-1: setban \"subnet\" \"command\" ( bantime absolute )\n");
    assert_string_equal(rig.fake.order, "");
    net_rig_deinit(&rig);
}

TEST(bans_are_listed_and_cleared)
{
    static const struct net_ban bans[] = {{"1.2.3.4/32", 1000, 1500}, {"::/1", 1100, 1101}};
    struct net_rig rig;
    net_rig_init(&rig);
    assert_call(&rig.rpc, "setmocktime", "[1100]", "null");
    assert_call(&rig.rpc, "listbanned", "[]", "[]");
    rig.fake.bans = bans;
    rig.fake.n_bans = 2;
    assert_call(&rig.rpc, "listbanned", "[]",
                "[{\"address\":\"1.2.3.4/32\",\"ban_created\":1000,\"banned_until\":1500,"
                "\"ban_duration\":500,\"time_remaining\":400},{\"address\":\"::/1\","
                "\"ban_created\":1100,\"banned_until\":1101,\"ban_duration\":1,"
                "\"time_remaining\":1}]");
    assert_call(&rig.rpc, "clearbanned", "[]", "null");
    assert_string_equal(rig.fake.order, "clear bans");
    assert_int_equal(rig.fake.n_saves, 1);
    net_rig_deinit(&rig);
}

TEST(what_cannot_be_saved_is_not_answered_with_null)
{
#define NOT_SAVED                                                                                  \
    "-1: Error: banlist.json cannot be written (No space left on device): the change holds until " \
    "the node stops"
    struct net_rig rig;
    net_rig_init(&rig);
    rig.fake.save_error = -ENOSPC;
    assert_call(&rig.rpc, "setban", "[\"1.2.3.4\",\"add\"]", NOT_SAVED);
    assert_call(&rig.rpc, "setban", "[\"1.2.3.4\",\"remove\"]", NOT_SAVED);
    assert_call(&rig.rpc, "clearbanned", "[]", NOT_SAVED);
    net_rig_deinit(&rig);
}

TEST(without_a_network_there_are_no_bans)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    assert_call(&rig, "setban", "[\"1.2.3.4\",\"add\"]", "-20: Error: Ban database not loaded");
    assert_call(&rig, "listbanned", "[]", "-20: Error: Ban database not loaded");
    assert_call(&rig, "clearbanned", "[]", "-20: Error: Ban database not loaded");
    rpc_rig_deinit(&rig);
}
