/* test_rpc_fees.c - what is said of fees, known and unknown. */
#include "rpc/methods.h"
#include "support/rpc_rig.h"
#include "support/unit.h"

#define NOTHING "{\"errors\":[\"Insufficient data or no feerate found\"],\"blocks\":0}"

#define UNKNOWN_HORIZON                                                                            \
    "\"fail\":{\"startrange\":0,\"endrange\":1e+99,\"withintarget\":0,\"totalconfirmed\":0,"       \
    "\"inmempool\":0,\"leftmempool\":0},"                                                          \
    "\"errors\":[\"Insufficient data or no feerate found which meets threshold\"]}"

static struct fee_estimator *open_rig(struct rpc_rig *rig)
{
    rpc_rig_init(rig, NULL, NULL);
    rpc_rig_add_mempool(rig, NULL);
    struct fee_estimator *fees = fee_estimator_new(rig->node.env);
    rig->node.fees = fees;
    rig->node.mempool_fees = mempool_estimator_new(rig->node.env, 600);
    return fees;
}

static void close_rig(struct rpc_rig *rig, struct fee_estimator *fees)
{
    mempool_estimator_free(rig->node.mempool_fees);
    rpc_rig_deinit(rig);
    fee_estimator_free(fees);
}

/* Blocks of 30 transactions each, of 200 vbytes, that waited for one block. */
static void teach(struct fee_estimator *fees, int32_t first, int32_t last, int64_t fee_sat)
{
    for (int32_t height = first; height <= last; height++) {
        for (uint8_t i = 0; i < 30; i++) {
            struct txid txid = {.b = {i}};
            const struct fee_tx tx = {&txid, fee_sat, 200, height - 1};
            fee_estimator_entered(fees, &tx);
            fee_estimator_mined(fees, &txid);
        }
        fee_estimator_block(fees, height);
    }
}

TEST(what_was_paid_is_what_to_pay)
{
    struct rpc_rig rig;
    struct fee_estimator *fees = open_rig(&rig);
    teach(fees, 1, 7, 400);
    assert_call(&rig, "estimatesmartfee", "[1]",
                "{\"feerate\":0.00002000,\"estimator\":\"block_policy\",\"blocks\":2}");
    assert_call(&rig, "estimatesmartfee", "[9,\"conservative\"]",
                "{\"feerate\":0.00002000,\"estimator\":\"block_policy\",\"blocks\":3}");
    const char *got = rpc_rig_call(&rig, "estimaterawfee", "[2]");
    assert_starts(got, "{\"short\":{\"feerate\":0.00002000,\"decay\":0.962,\"scale\":1,"
                       "\"pass\":{\"startrange\":");
    assert_holds(got, "},\"fail\":{\"startrange\":0,\"endrange\":");
    assert_holds(got, "\"medium\":{\"feerate\":0.00002000,");
    close_rig(&rig, fees);
}

TEST(what_the_mempool_would_refuse_is_not_told)
{
    struct rpc_rig rig;
    struct fee_estimator *fees = open_rig(&rig);
    teach(fees, 1, 7, 10); /* 50 sat for 1,000 vbytes, where 100 are asked for */
    assert_call(&rig, "estimatesmartfee", "[2]",
                "{\"feerate\":0.00000100,\"estimator\":\"block_policy\",\"blocks\":2}");
    close_rig(&rig, fees);
}

TEST(where_nothing_is_known_the_fallback_is_told)
{
    struct rpc_rig rig;
    struct fee_estimator *fees = open_rig(&rig);
    rig.node.fallback_sat_per_kvb = 20000;
    assert_call(&rig, "estimatesmartfee", "[2]", "{\"feerate\":0.00020000,\"blocks\":0}");
    teach(fees, 1, 7, 400);
    assert_call(&rig, "estimatesmartfee", "[2]",
                "{\"feerate\":0.00002000,\"estimator\":\"block_policy\",\"blocks\":2}");
    close_rig(&rig, fees);
}

TEST(who_watches_no_fees_says_so)
{
    struct rpc_rig rig;
    struct fee_estimator *fees = open_rig(&rig);
    rig.node.fees = NULL;
    assert_call(&rig, "estimatesmartfee", "[0]", "-32603: Fee estimation disabled");
    assert_call(&rig, "estimaterawfee", "[0]", "-32603: Fee estimation disabled");
    close_rig(&rig, fees);
}

TEST(without_data_there_is_no_rate)
{
    struct rpc_rig rig;
    struct fee_estimator *fees = open_rig(&rig);
    static const char *const good[] = {
        "[1]",
        "[1008]",
        "[6,null]",
        "[6,\"ECONOMICAL\"]",
        "[6,\"unset\"]",
        "[6,\"Conservative\",{}]",
        "[6,\"unset\",{\"fee_rate_estimator\":\"block_policy\",\"verbosity\":1}]",
        "[6,\"unset\",{\"fee_rate_estimator\":\"none\",\"verbosity\":null}]",
        "[6,\"unset\",{\"fee_rate_estimator\":\"auto\"}]",
        "[6,\"unset\",{\"fee_rate_estimator\":\"any word\"}]",
    };
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_call(&rig, "estimatesmartfee", good[i], NOTHING);
    close_rig(&rig, fees);
}

TEST(arguments_are_judged_all_the_same)
{
    struct rpc_rig rig;
    struct fee_estimator *fees = open_rig(&rig);
    static const char target[] = "-8: Invalid conf_target, must be between 1 and 1008";
    static const char mode[] = "-8: Invalid estimate_mode parameter, must be one of: \"unset\", "
                               "\"economical\", \"conservative\"";
    assert_call(&rig, "estimatesmartfee", "[0]", target);
    assert_call(&rig, "estimatesmartfee", "[1009]", target);
    assert_call(&rig, "estimatesmartfee", "[1,\"foo\"]", mode);
    assert_call(&rig, "estimatesmartfee", "[1,\"economica\"]", mode);
    assert_call(&rig, "estimatesmartfee", "[1,\"economicall\"]", mode);
    assert_call(&rig, "estimatesmartfee", "[1,\"unset\",{\"fee_rate_estimator\":1}]",
                "-3: JSON value of type number for field fee_rate_estimator is not of expected "
                "type string");
    assert_call(&rig, "estimatesmartfee", "[1,\"unset\",{\"verbosity\":\"x\"}]",
                "-3: JSON value of type string for field verbosity is not of expected type number");
    assert_call(&rig, "estimatesmartfee", "[1,\"unset\",{\"verbosity\":1.5}]",
                "-1: JSON integer out of range");
    assert_call(&rig, "estimatesmartfee", "[1,\"unset\",{\"other\":true}]",
                "-3: Unexpected key other");
    assert_call(&rig, "estimatesmartfee", "{\"conf_target\":1,\"verbosity\":1}",
                "-8: Unknown named parameter verbosity");
    assert_starts(rpc_rig_call(&rig, "estimatesmartfee", "[]"),
                  "-1: estimatesmartfee conf_target ( \"estimate_mode\" options )");
    close_rig(&rig, fees);
}

#define ASK_MEMPOOL "[6,\"unset\",{\"fee_rate_estimator\":\"mempool_policy\"}]"
#define ASK_HEALTH  "[6,\"unset\",{\"fee_rate_estimator\":\"block_policy\",\"verbosity\":2}]"

/* Six blocks of 1,000 weight units up to the tip, of which the mempool had so much. */
static void compare(struct rpc_rig *rig, uint64_t ours_wu)
{
    const struct block_node *tip = chain_tip(rig->node.chain);
    struct mined_block block = {.height = tip->height - 5, .txs_wu = 1000, .ours_wu = ours_wu};
    for (uint8_t i = 0; i < MEMPOOL_ESTIMATOR_BLOCKS; i++, block.height++) {
        struct block_hash prev = block.hash;
        block.hash = i == 5 ? tip->hash : (struct block_hash){.b = {1, i}};
        mempool_estimator_block(rig->node.mempool_fees, &block, &prev);
    }
}

TEST(the_mempool_lowers_what_blocks_say)
{
    struct rpc_rig rig;
    struct fee_estimator *fees = open_rig(&rig);
    (void)rpc_rig_call(&rig, "generatetodescriptor", "[6,\"raw(51)\"]");
    teach(fees, 1, 7, 400);
    assert_call(
        &rig, "estimatesmartfee", ASK_MEMPOOL,
        "{\"errors\":[\"Not enough recent block data for fee rate estimation\"],\"blocks\":2}");
    assert_call(&rig, "estimatesmartfee", ASK_HEALTH,
                "{\"feerate\":0.00002000,\"blocks\":3,\"mempool_health_statistics\":[]}");
    compare(&rig, 749);
    assert_call(&rig, "estimatesmartfee", ASK_MEMPOOL,
                "{\"errors\":[\"Mempool is unreliable for fee rate estimation\"],\"blocks\":2}");
    assert_call(&rig, "estimatesmartfee", "[6]",
                "{\"feerate\":0.00002000,\"estimator\":\"block_policy\",\"blocks\":3}");
    compare(&rig, 750);
    assert_starts(rpc_rig_call(&rig, "estimatesmartfee", ASK_HEALTH),
                  "{\"feerate\":0.00002000,\"blocks\":3,\"mempool_health_statistics\":["
                  "{\"block_height\":6,\"block_weight\":1000,\"mempool_txs_weight\":750},"
                  "{\"block_height\":5,");
    /* Nothing waits: the least will do. */
    assert_call(&rig, "estimatesmartfee", ASK_MEMPOOL, "{\"feerate\":0.00000100,\"blocks\":2}");
    assert_call(&rig, "estimatesmartfee", "[6]",
                "{\"feerate\":0.00000100,\"estimator\":\"mempool_policy\",\"blocks\":2}");
    close_rig(&rig, fees);
}

TEST(a_forecast_goes_up_to_what_blocks_say_for_sure)
{
    struct rpc_rig rig;
    struct fee_estimator *fees = open_rig(&rig);
    struct mempool_entry entry = {.fee_sat = 2000, .vbytes = 1000, .adjusted_wu = 400000000};
    (void)rpc_rig_call(&rig, "generatetodescriptor", "[6,\"raw(51)\"]");
    compare(&rig, 1000);
    teach(fees, 1, 12, 1000); /* 5,000 sat for 1,000 bytes... */
    teach(fees, 13, 16, 200); /* ...and 1,000 of late: who takes chances would believe it */
    rpc_rig_run_for(&rig, (int64_t)FEE_FLOW_LEAST_S * 1000000);
    assert_call(&rig, "estimatesmartfee", "[3]",
                "{\"feerate\":0.00000100,\"estimator\":\"mempool_policy\",\"blocks\":3}");
    /* Far too much comes that pays 2,000. */
    entry.time_s = env_unix_s(rig.node.env);
    mempool_estimator_came(rig.node.mempool_fees, &entry);
    const char *got = rpc_rig_call(&rig, "estimatesmartfee", "[3]");
    assert_starts(got, "{\"feerate\":0.000020");
    assert_holds(got, "\"estimator\":\"mempool_policy\",\"blocks\":3}");
    assert_call(&rig, "estimatesmartfee",
                "[3,\"economical\",{\"fee_rate_estimator\":\"block_policy\"}]",
                "{\"feerate\":0.00001000,\"blocks\":3}");
    /* And then 9,000. */
    entry.fee_sat = 9000;
    mempool_estimator_came(rig.node.mempool_fees, &entry);
    assert_call(&rig, "estimatesmartfee", "[3]",
                "{\"feerate\":0.00005000,\"estimator\":\"block_policy\",\"blocks\":3}");
    close_rig(&rig, fees);
}

TEST(the_mempool_alone_knows_nothing)
{
    struct rpc_rig rig;
    struct fee_estimator *fees = open_rig(&rig);
    (void)rpc_rig_call(&rig, "generatetodescriptor", "[6,\"raw(51)\"]");
    compare(&rig, 1000);
    assert_call(&rig, "estimatesmartfee", "[6]", NOTHING);
    rig.node.fallback_sat_per_kvb = 20000;
    assert_call(&rig, "estimatesmartfee", "[6]", "{\"feerate\":0.00020000,\"blocks\":0}");
    close_rig(&rig, fees);
}

TEST(horizons_answer_as_far_as_they_reach)
{
    struct rpc_rig rig;
    struct fee_estimator *fees = open_rig(&rig);
    const char *got = rpc_rig_call(&rig, "estimaterawfee", "[12]");
    assert_string_equal(got, "{\"short\":{\"decay\":0.962,\"scale\":1," UNKNOWN_HORIZON
                             ",\"medium\":{\"decay\":0.9952,\"scale\":2," UNKNOWN_HORIZON
                             ",\"long\":{\"decay\":0.99931,\"scale\":24," UNKNOWN_HORIZON "}");
    assert_starts(rpc_rig_call(&rig, "estimaterawfee", "[13]"), "{\"medium\":");
    assert_starts(rpc_rig_call(&rig, "estimaterawfee", "[48,1]"), "{\"medium\":");
    assert_starts(rpc_rig_call(&rig, "estimaterawfee", "[49,0]"), "{\"long\":");
    assert_starts(rpc_rig_call(&rig, "estimaterawfee", "[1008,null]"), "{\"long\":");
    assert_call(&rig, "estimaterawfee", "[1009]",
                "-8: Invalid conf_target, must be between 1 and 1008");
    assert_call(&rig, "estimaterawfee", "[1,1.1]", "-8: Invalid threshold");
    assert_call(&rig, "estimaterawfee", "[1,-0.1]", "-8: Invalid threshold");
    close_rig(&rig, fees);
}
