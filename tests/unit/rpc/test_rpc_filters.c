/* test_rpc_filters.c - getblockfilter and scanblocks: what they find, and how they refuse. */
#include "rpc/methods.h"
#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/hex.h"

static const struct chain_options with_index = {.filter_index = true};

/* The first block pays to a script of its own, three more to others. */
static const struct built_block *grow(struct rpc_rig *rig, char script_hex[2000])
{
    struct builder_spec spec = {.coinbase_script = BUILDER_LONG};
    const struct built_block *first = builder_block(&rig->builder, rig->builder.genesis, &spec);
    struct span script = first->block.tx[0].out[0].script_pubkey;
    assert_true(script.len < 999);
    hex_encode(script_hex, script);
    rpc_rig_grow(rig, builder_blocks(&rig->builder, first, 3, NULL));
    return first;
}

TEST(a_filter_is_told_with_its_header)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, &with_index, NULL);
    /* One item: the script of the only output. */
    const char *got =
        rpc_rig_callf(&rig, "getblockfilter", "[\"%s\"]", rpc_rig_id(&rig, rig.builder.genesis));
    assert_starts(got, "{\"filter\":\"01");
    assert_holds(got, "\",\"header\":\"");
    rpc_rig_deinit(&rig);
}

TEST(who_asks_for_no_filter_of_ours_is_told_why)
{
    struct rpc_rig rig;
    char hex[2000];
    rpc_rig_init(&rig, &with_index, NULL);
    const struct built_block *first = grow(&rig, hex);
    const struct built_block *side = builder_block(&rig.builder, first, NULL);
    (void)rig_accept(&rig.chain, side);
    assert_call(&rig, "getblockfilter",
                "[\"00000000000000000000000000000000000000000000000000000000000000aa\"]",
                "-5: Block not found");
    assert_starts(
        rpc_rig_callf(&rig, "getblockfilter", "[\"%s\",\"extended\"]", rpc_rig_id(&rig, first)),
        "-5: Unknown filtertype");
    assert_starts(rpc_rig_callf(&rig, "getblockfilter", "[\"%s\"]", rpc_rig_id(&rig, side)),
                  "-5: Filter not found. Block was not connected to active chain.");
    rpc_rig_deinit(&rig);
    rpc_rig_init(&rig, NULL, NULL);
    assert_starts(
        rpc_rig_callf(&rig, "getblockfilter", "[\"%s\"]", rpc_rig_id(&rig, rig.builder.genesis)),
        "-1: Index is not enabled for filtertype basic");
    rpc_rig_deinit(&rig);
}

TEST(a_scan_tells_the_blocks_of_a_script)
{
    struct rpc_rig rig;
    char hex[2000], want[300];
    rpc_rig_init(&rig, &with_index, NULL);
    const struct built_block *first = grow(&rig, hex);
    snprintf(want, sizeof want,
             "{\"from_height\":0,\"to_height\":4,\"relevant_blocks\":[\"%s\"],\"completed\":true}",
             rpc_rig_id(&rig, first));
    const char *got = rpc_rig_callf(&rig, "scanblocks", "[\"start\",[\"raw(%s)\"]]", hex);
    assert_string_equal(got, want);
    got = rpc_rig_callf(&rig, "scanblocks",
                        "[\"start\",[\"raw(%s)\"],0,4,\"basic\",{\"filter_false_positives\":true}]",
                        hex);
    assert_string_equal(got, want);
    got = rpc_rig_callf(&rig, "scanblocks", "[\"start\",[\"raw(%s)\"],2,3]", hex);
    assert_string_equal(
        got, "{\"from_height\":2,\"to_height\":3,\"relevant_blocks\":[],\"completed\":true}");
    assert_call(&rig, "scanblocks", "[\"start\",[],4]",
                "{\"from_height\":4,\"to_height\":4,\"relevant_blocks\":[],\"completed\":true}");
    rpc_rig_deinit(&rig);
}

/* What is spent counts too, and a filter alone may be wrong: this script has the same hash in the
 * filter of regtest's first block as the one that is in it. */
TEST(false_positives_are_left_out_where_asked)
{
    static const char script[] = "raw(001400000000000000000000000000000000000cadcb)";
    struct rpc_rig rig;
    rpc_rig_init(&rig, &with_index, NULL);
    const char *got = rpc_rig_callf(&rig, "scanblocks", "[\"start\",[\"%s\"],0,0]", script);
    assert_holds(got, rpc_rig_id(&rig, rig.builder.genesis));
    got = rpc_rig_callf(&rig, "scanblocks",
                        "[\"start\",[\"%s\"],0,0,\"basic\",{\"filter_false_positives\":true}]",
                        script);
    assert_holds(got, "\"relevant_blocks\":[]");
    rpc_rig_deinit(&rig);
}

TEST(one_scan_at_a_time)
{
    struct rpc_rig rig;
    char hex[2000];
    rpc_rig_init(&rig, &with_index, NULL);
    (void)grow(&rig, hex);
    assert_call(&rig, "scanblocks", "[\"status\"]", "null");
    assert_call(&rig, "scanblocks", "[\"abort\"]", "false");
    struct rpc_rig_answer scan;
    rpc_rig_post(&rig, "{\"method\":\"scanblocks\",\"params\":[\"start\",[\"raw(51)\"]],\"id\":1}",
                 &scan);
    assert_false(scan.is_done);
    assert_call(&rig, "scanblocks", "[\"start\",[\"raw(51)\"]]",
                "-8: Scan already in progress, use action \"abort\" or \"status\"");
    assert_call(&rig, "scanblocks", "[\"status\"]", "{\"progress\":0,\"current_height\":0}");
    assert_call(&rig, "scanblocks", "[\"abort\"]", "true");
    rpc_rig_wait(&rig, &scan);
    assert_holds(scan.body, "\"to_height\":0,\"relevant_blocks\":[],\"completed\":false}");
    rpc_rig_forget(&scan);
    assert_call(&rig, "scanblocks", "[\"status\"]", "null");
    rpc_rig_deinit(&rig);
}

/* Who goes on from there misses nothing. */
TEST(an_aborted_scan_tells_how_far_it_came)
{
    enum { PART = 1000 };
    struct rpc_rig rig;
    rpc_rig_init(&rig, &with_index, NULL);
    rpc_rig_grow(&rig, builder_blocks(&rig.builder, rig.builder.genesis, PART + 100, NULL));
    struct rpc_rig_answer scan;
    rpc_rig_post(&rig, "{\"method\":\"scanblocks\",\"params\":[\"start\",[\"raw(51)\"]],\"id\":1}",
                 &scan);
    while (!strstr(rpc_rig_call(&rig, "scanblocks", "[\"status\"]"), "\"current_height\":999"))
        rpc_rig_run_for(&rig, 10);
    assert_call(&rig, "scanblocks", "[\"abort\"]", "true");
    rpc_rig_wait(&rig, &scan);
    assert_holds(scan.body, "{\"from_height\":0,\"to_height\":999,");
    rpc_rig_forget(&scan);
    rpc_rig_deinit(&rig);
}

TEST(a_client_that_goes_ends_its_scan)
{
    struct rpc_rig rig;
    char hex[2000];
    rpc_rig_init(&rig, &with_index, NULL);
    (void)grow(&rig, hex);
    struct rpc_rig_answer scan;
    uint64_t token = rpc_rig_post(
        &rig, "{\"method\":\"scanblocks\",\"params\":[\"start\",[\"raw(51)\"]],\"id\":1}", &scan);
    rpc_cancel(rig.rpc, token);
    rpc_rig_run_for(&rig, 1000000);
    assert_call(&rig, "scanblocks", "[\"status\"]", "null");
    assert_false(scan.is_done);
    rpc_rig_deinit(&rig);
}

TEST(the_question_is_checked)
{
    static const struct {
        const char *params, *want;
    } cases[] = {
        {"[\"start\"]", "-1: scanobjects argument is required for the start action"},
        {"[\"begin\"]", "-8: Invalid action 'begin'"},
        {"[\"start\",[\"raw(zz)\"]]", "-5: Raw script is not hex"},
        {"[\"start\",[],5]", "-1: Invalid start_height"},
        {"[\"start\",[],-1]", "-1: Invalid start_height"},
        {"[\"start\",[],4,3]", "-1: Invalid stop_height"},
        {"[\"start\",[],0,5]", "-1: Invalid stop_height"},
        {"[\"start\",[],0,4,\"extended\"]", "-5: Unknown filtertype"},
    };
    struct rpc_rig rig;
    char hex[2000];
    rpc_rig_init(&rig, &with_index, NULL);
    (void)grow(&rig, hex);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_call(&rig, "scanblocks", cases[i].params, cases[i].want);
    assert_call(&rig, "getindexinfo", "[]",
                "{\"basic block filter index\":{\"synced\":true,\"best_block_height\":4}}");
    rpc_rig_deinit(&rig);
    rpc_rig_init(&rig, NULL, NULL);
    assert_call(&rig, "scanblocks", "[\"start\",[]]",
                "-1: Index is not enabled for filtertype basic");
    rpc_rig_deinit(&rig);
}
