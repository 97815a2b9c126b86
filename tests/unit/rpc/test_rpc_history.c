/* test_rpc_history.c - reorganisations and sightings as they are told, page by page. */
#include "chain/ask/history.h"
#include "rpc/methods.h"
#include "support/rpc_rig.h"
#include "support/unit.h"

#define NONE "-1: Nothing is noted with -chainhistory=0"

TEST(without_a_history_there_is_nothing_to_tell)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    assert_call(&rig, "getreorghistory", "[]", NONE);
    assert_call(&rig, "getblocksightings", "[]", NONE);
    rpc_rig_deinit(&rig);
}

/* The genesis block and a block above it stand for all others. */
TEST(pages_begin_with_the_newest)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    const struct env *env = sim_env_get(rig.chain.sim);
    struct history *history = history_new(env, NULL, "regtest");
    rig.node.history = history;
    assert_call(&rig, "getreorghistory", "[]", "{\"reorgs\":[],\"total\":0}");
    const struct block_node *genesis = chain_tip(rig.chain.chain);
    struct block_node child = {.height = 1,
                               .time = 7,
                               .prev = (struct block_node *)genesis,
                               .skip = (struct block_node *)genesis};
    sim_env_set_unix_s(rig.chain.sim, 1700000000);
    history_header_added(history, genesis);
    history_header_added(history, &child);
    history_block_disconnected(history, &child);
    history_tip_changed(history, genesis);
    sim_env_run_until_idle(rig.chain.sim);
#define ID       "0000000000000000000000000000000000000000000000000000000000000000"
#define GENESIS  "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"
#define AT_START "{\"hash\":\"" GENESIS "\",\"height\":0}"
    assert_call(&rig, "getreorghistory", "[1]",
                "{\"reorgs\":[{\"time\":1700000000,\"disconnected\":1,\"connected\":0,"
                "\"fork\":" AT_START ",\"old_tip\":{\"hash\":\"" ID "\",\"height\":1},"
                "\"new_tip\":" AT_START "}],\"total\":1}");
    assert_call(&rig, "getreorghistory", "[1,1]", "{\"reorgs\":[],\"total\":1}");
    assert_call(&rig, "getblocksightings", "[1]",
                "{\"blocks\":[{\"hash\":\"" ID "\",\"height\":1,\"time\":7,"
                "\"first_seen\":1700000000,\"active\":false}],\"total\":2}");
    assert_call(&rig, "getblocksightings", "[5,1]",
                "{\"blocks\":[{\"hash\":\"" GENESIS "\",\"height\":0,\"time\":1296688602,"
                "\"first_seen\":1700000000,\"active\":true}],\"total\":2}");
    assert_call(&rig, "getblocksightings", "[1,9]", "{\"blocks\":[],\"total\":2}");
    assert_call(&rig, "getblocksightings", "[0]", "-8: count must be between 1 and 10000");
    assert_call(&rig, "getblocksightings", "[10001]", "-8: count must be between 1 and 10000");
    assert_call(&rig, "getreorghistory", "[1,-1]", "-8: skip must not be negative");
    rig.node.history = NULL;
    history_free(history);
    rpc_rig_deinit(&rig);
}
