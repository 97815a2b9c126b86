/* test_rpc_wait.c - answers that come with a new tip, or with time. */
#include "rpc/methods.h"
#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/hex.h"

#define UNKNOWN_ID "1111111111111111111111111111111111111111111111111111111111111111"

TEST(an_order_that_is_fulfilled_already_does_not_wait)
{
    struct rpc_rig rig;
    char want[128];
    rpc_rig_init(&rig, NULL, NULL);
    const struct built_block *tip = builder_blocks(&rig.builder, rig.builder.genesis, 2, NULL);
    rpc_rig_grow(&rig, tip);
    snprintf(want, sizeof want, "{\"hash\":\"%s\",\"height\":2}", rpc_rig_id(&rig, tip));
    assert_call(&rig, "waitforblockheight", "[0]", want);
    assert_call(&rig, "waitforblockheight", "[2]", want);
    assert_string_equal(rpc_rig_callf(&rig, "waitforblock", "[\"%s\"]", rig.id), want);
    assert_call(&rig, "waitfornewblock", "[0,\"" UNKNOWN_ID "\"]", want);
    rpc_rig_deinit(&rig);
}

TEST(waiting_ends_with_its_time)
{
    static const char *const bodies[] = {
        "{\"method\":\"waitfornewblock\",\"params\":[1000]}",
        "{\"method\":\"waitforblock\",\"params\":[\"" UNKNOWN_ID "\",1000]}",
        "{\"method\":\"waitforblockheight\",\"params\":[5,1000]}",
    };
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct rpc_rig_answer answer;
        rpc_rig_post(&rig, bodies[i], &answer);
        rpc_rig_run_for(&rig, 999000);
        assert_false(answer.is_done);
        rpc_rig_run_for(&rig, 2000);
        assert_true(answer.is_done);
        assert_holds(answer.body, "\"height\":0},\"error\":null");
        rpc_rig_forget(&answer);
    }
    rpc_rig_deinit(&rig);
}

TEST(waiting_ends_with_the_right_block_only)
{
    struct rpc_rig rig;
    struct rpc_rig_answer any, height, hash;
    const struct built_block *blocks[3];
    char body[256];
    rpc_rig_init(&rig, NULL, NULL);
    builder_blocks(&rig.builder, rig.builder.genesis, 3, blocks);
    rpc_rig_post(&rig, "{\"method\":\"waitfornewblock\"}", &any);
    rpc_rig_post(&rig, "{\"method\":\"waitforblockheight\",\"params\":[2]}", &height);
    snprintf(body, sizeof body, "{\"method\":\"waitforblock\",\"params\":[\"%s\"]}",
             rpc_rig_id(&rig, blocks[2]));
    rpc_rig_post(&rig, body, &hash);
    for (size_t i = 0; i < COUNT_OF(blocks); i++) {
        assert_int_equal(any.is_done, i >= 1);
        assert_int_equal(height.is_done, i >= 2);
        assert_false(hash.is_done);
        rpc_rig_grow(&rig, blocks[i]);
    }
    assert_true(hash.is_done);
    assert_holds(any.body, "\"height\":1}");
    assert_holds(height.body, "\"height\":2}");
    assert_holds(hash.body, rig.id);
    rpc_rig_forget(&any);
    rpc_rig_forget(&height);
    rpc_rig_forget(&hash);
    rpc_rig_deinit(&rig);
}

TEST(a_time_below_zero_is_refused)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    assert_call(&rig, "waitfornewblock", "[-1]", "-1: Negative timeout");
    assert_call(&rig, "waitforblockheight", "[9,-1]", "-1: Negative timeout");
    assert_call(&rig, "waitforblockheight", "[9,2147483648]", "-1: JSON integer out of range");
    assert_call(&rig, "waitforblock", "[\"9\",1]",
                "-8: blockhash must be of length 64 (not 1, for '9')");
    rpc_rig_deinit(&rig);
}
