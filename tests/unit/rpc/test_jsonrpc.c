/* test_jsonrpc.c - arguments by name and by position. */
#include "rpc/jsonrpc.h"
#include "support/rpc_rig.h"
#include "support/unit.h"

TEST(names_find_their_position)
{
    /* clang-format off */
    static const struct { const char *method, *params, *want; } cases[] = {
        {"echo", "{}", "[]"},
        {"echo", "{\"arg0\":1}", "[1]"},
        {"echo", "{\"arg2\":1,\"arg0\":2}", "[2,null,1]"},
        {"echo", "{\"arg2\":null}", "[null,null,null]"},
        {"echo", "{\"args\":[1,2],\"arg2\":3}", "[1,2,3]"},
        {"echo", "{\"args\":[1,2],\"arg4\":3}", "[1,2,null,null,3]"},
        {"echo", "{\"args\":[]}", "[]"},
        {"echo", "{\"args\":[1,2],\"arg1\":3}",
         "-8: Parameter arg1 specified twice both as positional and named argument"},
        {"echo", "{\"args\":[1,null],\"arg1\":3}",
         "-8: Parameter arg1 specified twice both as positional and named argument"},
        {"echo", "{\"arg1\":1,\"arg1\":1}", "-8: Parameter arg1 specified multiple times"},
        {"echo", "{\"args\":[],\"args\":[]}", "-8: Parameter args specified multiple times"},
        {"echo", "{\"arg10\":1}", "-8: Unknown named parameter arg10"},
        {"echo", "{\"args\":1}", "-8: Unknown named parameter args"},
        {"echo", "{\"\":1}", "-8: Unknown named parameter "},
        {"getblockhash", "{\"height\":99}", "-8: Block height out of range"},
        {"getblockhash", "{\"height\":\"99\"}",
         "-3: Wrong type passed:\n{\n    \"Position 1 (height)\": \"JSON value of type string is "
         "not of expected type number\"\n}"},
        {"getblock", "{\"blockhash\":\"x\",\"verbose\":1}",
         "-8: blockhash must be of length 64 (not 1, for 'x')"},
        {"getblock", "{\"verbosity\":1,\"verbose\":1,\"blockhash\":\"x\"}",
         "-8: Parameter verbose specified multiple times"},
        {"getblockcount", "{\"x\":1}", "-8: Unknown named parameter x"},
    };
    /* clang-format on */
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_call(&rig, cases[i].method, cases[i].params, cases[i].want);
    rpc_rig_deinit(&rig);
}

TEST(too_few_and_too_many_get_the_help)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    assert_starts(rpc_rig_call(&rig, "getblockhash", "[]"), "-1: getblockhash height\n");
    assert_starts(rpc_rig_call(&rig, "getblockhash", "{}"), "-1: getblockhash height\n");
    assert_starts(rpc_rig_call(&rig, "getblockhash", "[0,1]"), "-1: getblockhash height\n");
    assert_starts(rpc_rig_call(&rig, "getblockcount", "[null]"), "-1: getblockcount\n");
    assert_starts(rpc_rig_call(&rig, "getblockcount", "{\"args\":[1]}"), "-1: getblockcount\n");
    rpc_rig_deinit(&rig);
}

/* Names are cut for messages, never within a character. */
TEST(a_long_unknown_name_is_cut)
{
    struct rpc_rig rig;
    char params[600] = "{\"";
    rpc_rig_init(&rig, NULL, NULL);
    for (int i = 0; i < 100; i++)
        strcat(params, "\xc3\xa9");
    strcat(params, "\":1}");
    const char *got = rpc_rig_call(&rig, "echo", params);
    assert_starts(got, "-8: Unknown named parameter \xc3\xa9");
    assert_int_equal(strlen(got), 28 + 126);
    rpc_rig_deinit(&rig);
}
