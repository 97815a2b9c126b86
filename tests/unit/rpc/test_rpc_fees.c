/* test_rpc_fees.c - what is said of fees while nothing is known of them. */
#include "rpc/methods.h"
#include "support/rpc_rig.h"
#include "support/unit.h"

#define NOTHING "{\"errors\":[\"Insufficient data or no feerate found\"],\"blocks\":0}"

TEST(without_data_there_is_no_rate)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    static const char *const good[] = {
        "[1]",
        "[1008]",
        "[6,null]",
        "[6,\"ECONOMICAL\"]",
        "[6,\"unset\"]",
        "[6,\"Conservative\",{}]",
        "[6,\"unset\",{\"fee_rate_estimator\":\"block_policy\",\"verbosity\":1}]",
    };
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_call(&rig, "estimatesmartfee", good[i], NOTHING);
    rpc_rig_deinit(&rig);
}

TEST(arguments_are_judged_all_the_same)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
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
    assert_call(&rig, "estimatesmartfee", "[1,\"unset\",{\"other\":true}]",
                "-3: Unexpected key other");
    assert_call(&rig, "estimatesmartfee", "{\"conf_target\":1,\"verbosity\":1}",
                "-8: Unknown named parameter verbosity");
    assert_starts(rpc_rig_call(&rig, "estimatesmartfee", "[]"),
                  "-1: estimatesmartfee conf_target ( \"estimate_mode\" options )");
    rpc_rig_deinit(&rig);
}

TEST(horizons_answer_as_far_as_they_reach)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    const char *got = rpc_rig_call(&rig, "estimaterawfee", "[12]");
    assert_starts(got, "{\"short\":{\"decay\":0.962,\"scale\":1,");
    assert_holds(got, "\"medium\":{\"decay\":0.9952,\"scale\":2,");
    assert_holds(got, "\"long\":{\"decay\":0.99931,\"scale\":24,");
    assert_starts(rpc_rig_call(&rig, "estimaterawfee", "[13]"), "{\"medium\":");
    assert_starts(rpc_rig_call(&rig, "estimaterawfee", "[48,1]"), "{\"medium\":");
    assert_starts(rpc_rig_call(&rig, "estimaterawfee", "[49,0]"), "{\"long\":");
    assert_starts(rpc_rig_call(&rig, "estimaterawfee", "[1008,null]"), "{\"long\":");
    assert_call(&rig, "estimaterawfee", "[1009]",
                "-8: Invalid conf_target, must be between 1 and 1008");
    assert_call(&rig, "estimaterawfee", "[1,1.1]", "-8: Invalid threshold");
    assert_call(&rig, "estimaterawfee", "[1,-0.1]", "-8: Invalid threshold");
    rpc_rig_deinit(&rig);
}
