/* test_rpc_scan.c - scantxoutset: what is found, how it is asked for, how it is given up. */
#include "rpc/methods.h"
#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/hex.h"

TEST(coins_of_a_script_are_found)
{
    struct rpc_rig rig;
    char want[500];
    rpc_rig_init(&rig, NULL, NULL);
    struct builder_spec spec = {.coinbase_script = BUILDER_LONG};
    const struct built_block *first = builder_block(&rig.builder, rig.builder.genesis, &spec);
    const struct built_block *last = builder_blocks(&rig.builder, first, 3, NULL);
    rpc_rig_grow(&rig, last);
    struct span script = first->block.tx[0].out[0].script_pubkey;
    char *hex = xmalloc(2 * script.len + 1);
    hex_encode(hex, script);
    const char *got = rpc_rig_callf(&rig, "scantxoutset", "[\"start\",[\"raw(%s)\"]]", hex);
    snprintf(want, sizeof want, "{\"success\":true,\"txouts\":4,\"height\":4,\"bestblock\":\"%s\"",
             rpc_rig_id(&rig, last));
    assert_starts(got, want);
    assert_holds(got, ",\"amount\":50.00000000,\"coinbase\":true,\"height\":1,\"blockhash\":\"");
    assert_holds(got, "\",\"confirmations\":4}],\"total_amount\":50.00000000}");
    xfree(hex);
    /* OP_1 pays to three; the same script twice changes nothing. */
    got = rpc_rig_call(&rig, "scantxoutset", "[\"start\",[\"raw(51)\",{\"desc\":\"raw(51)\"}]]");
    assert_holds(got, "\"total_amount\":150.00000000}");
    got = rpc_rig_call(&rig, "scantxoutset", "[\"start\",[]]");
    assert_holds(got, "\"txouts\":4,");
    assert_holds(got, "\"unspents\":[],\"total_amount\":0.00000000}");
    rpc_rig_deinit(&rig);
}

TEST(one_scan_at_a_time)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    rpc_rig_grow(&rig, builder_blocks(&rig.builder, rig.builder.genesis, 3, NULL));
    assert_call(&rig, "scantxoutset", "[\"status\"]", "null");
    assert_call(&rig, "scantxoutset", "[\"abort\"]", "false");
    struct rpc_rig_answer scan;
    rpc_rig_post(
        &rig, "{\"method\":\"scantxoutset\",\"params\":[\"start\",[\"raw(51)\"]],\"id\":1}", &scan);
    assert_false(scan.is_done);
    assert_call(&rig, "scantxoutset", "[\"start\",[\"raw(51)\"]]",
                "-8: Scan already in progress, use action \"abort\" or \"status\"");
    assert_call(&rig, "scantxoutset", "[\"status\"]", "{\"progress\":0}");
    assert_call(&rig, "scantxoutset", "[\"abort\"]", "true");
    rpc_rig_wait(&rig, &scan);
    assert_holds(scan.body, "\"success\":false,");
    rpc_rig_forget(&scan);
    assert_call(&rig, "scantxoutset", "[\"status\"]", "null");
    rpc_rig_deinit(&rig);
}

TEST(a_client_that_goes_ends_its_scan)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    rpc_rig_grow(&rig, builder_blocks(&rig.builder, rig.builder.genesis, 3, NULL));
    struct rpc_rig_answer scan;
    uint64_t token = rpc_rig_post(
        &rig, "{\"method\":\"scantxoutset\",\"params\":[\"start\",[\"raw(51)\"]],\"id\":1}", &scan);
    rpc_cancel(rig.rpc, token);
    rpc_rig_run_for(&rig, 1000000);
    assert_call(&rig, "scantxoutset", "[\"status\"]", "null");
    assert_false(scan.is_done);
    rpc_rig_deinit(&rig);
}

TEST(the_question_is_checked)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    static const struct {
        const char *params, *want;
    } cases[] = {
        {"[\"start\"]", "-1: scanobjects argument is required for the start action"},
        {"[\"start\",null]", "-1: scanobjects argument is required for the start action"},
        {"[\"go\"]", "-8: Invalid action 'go'"},
        {"[\"start\",[5]]", "-8: Scan object needs to be either a string or an object"},
        {"[\"start\",[{}]]", "-8: Descriptor needs to be provided in scan object"},
        {"[\"start\",[\"desc\"]]", "-5: 'desc' is not a valid descriptor function"},
        {"[\"start\",[{\"desc\":\"desc\",\"range\":-1}]]", "-8: End of range is too high"},
        {"[\"start\",[{\"desc\":\"desc\",\"range\":[-1,10]}]]",
         "-8: Range should be greater or equal than 0"},
        {"[\"start\",[{\"desc\":\"desc\",\"range\":[2,1]}]]",
         "-8: Range specified as [begin,end] must not have begin after end"},
        {"[\"start\",[{\"desc\":\"desc\",\"range\":[0,2147483648]}]]",
         "-8: End of range is too high"},
        {"[\"start\",[{\"desc\":\"desc\",\"range\":[0,1000000]}]]", "-8: Range is too large"},
        {"[\"start\",[{\"desc\":\"desc\",\"range\":[0,999999]}]]",
         "-5: 'desc' is not a valid descriptor function"},
        {"[\"start\",[{\"desc\":\"desc\",\"range\":\"x\"}]]",
         "-8: Range must be specified as end or as [begin,end]"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_call(&rig, "scantxoutset", cases[i].params, cases[i].want);
    assert_starts(rpc_rig_call(&rig, "scantxoutset", "[]"),
                  "-1: scantxoutset \"action\" ( [scanobjects,...] )");
    rpc_rig_deinit(&rig);
}
