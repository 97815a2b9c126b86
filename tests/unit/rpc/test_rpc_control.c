/* test_rpc_control.c - the node itself, its clock, its log; addresses. */
#include "rpc/methods.h"
#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/alloc.h"

TEST(echo_gives_back_what_came)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    assert_call(&rig, "echo", "[]", "[]");
    assert_call(&rig, "echo", "[1.50,null,{\"b\":[true]},\"\\u00e9\"]",
                "[1.50,null,{\"b\":[true]},\"\xc3\xa9\"]");
    assert_call(&rig, "echojson", "{\"arg3\":5}", "[null,null,null,5]");
    assert_holds(rpc_rig_call(&rig, "echo", "[0,1,2,3,4,5,6,7,8,9,10]"), "-1: echo ");
    rpc_rig_deinit(&rig);
}

TEST(help_lists_and_explains)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    const char *got = rpc_rig_call(&rig, "help", "[]");
    assert_starts(got, "\"== Blockchain ==\\ndumptxoutset \\\"path\\\" ( ");
    assert_holds(got, "\\n\\n== Control ==\\n");
    assert_null(strstr(got, "\\ninvalidateblock"));
    assert_null(strstr(got, "\\necho"));
    got = rpc_rig_call(&rig, "help", "[\"getblock\"]");
    assert_starts(got, "\"getblock \\\"blockhash\\\" ( verbosity )\\n");
    assert_holds(rpc_rig_call(&rig, "help", "[\"invalidateblock\"]"), "invalidateblock ");
    assert_call(&rig, "help", "[\"nosuch\"]", "\"help: unknown command: nosuch\"");
    assert_call(&rig, "getinfo", "[]", "-32601: Method not found");
    rpc_rig_deinit(&rig);
}

TEST(the_node_tells_about_itself)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    const char *got = rpc_rig_call(&rig, "getrpcinfo", "[]");
    assert_starts(got, "{\"active_commands\":[{\"method\":\"getrpcinfo\",\"duration\":");
    assert_holds(got, "}],\"logpath\":\"/data/regtest/debug.log\"}");
    assert_call(&rig, "uptime", "[]", "7");
    assert_call(&rig, "syncwithvalidationinterfacequeue", "[]", "null");
    assert_false(rig.is_stopped);
    assert_call(&rig, "stop", "[]", "\"Cairn stopping\"");
    assert_true(rig.is_stopped);
    rpc_rig_deinit(&rig);
}

TEST(memory_is_counted)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    const char *got = rpc_rig_call(&rig, "getmemoryinfo", "[]");
    assert_starts(got, "{\"locked\":{\"used\":");
    assert_holds(got, ",\"locked\":0,\"chunks_used\":");
    assert_starts(rpc_rig_call(&rig, "getmemoryinfo", "[\"mallocinfo\"]"), "\"<malloc ");
    assert_call(&rig, "getmemoryinfo", "[\"foobar\"]", "-8: unknown mode foobar");
    assert_call(&rig, "getzmqnotifications", "[]", "[]");
    rpc_rig_deinit(&rig);
}

TEST(the_clock_can_be_mocked_on_regtest)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    assert_call(&rig, "setmocktime", "[1700000000]", "null");
    assert_int_equal(rig.mock_time_s, 1700000000);
    assert_call(&rig, "setmocktime", "[4294967295]", "null");
    assert_call(&rig, "setmocktime", "[4294967296]",
                "-8: Mocktime must be in the range [0, 4294967295], not 4294967296.");
    assert_call(&rig, "setmocktime", "[-1]",
                "-8: Mocktime must be in the range [0, 4294967295], not -1.");
    assert_call(&rig, "setmocktime", "[0]", "null");
    assert_int_equal(rig.mock_time_s, 0);
    assert_call(&rig, "mockscheduler", "[1]", "null");
    assert_call(&rig, "mockscheduler", "[3600]", "null");
    assert_int_equal(rig.advanced_s, 3601);
    assert_call(&rig, "mockscheduler", "[0]",
                "-1: delta_time must be between 1 and 3600 seconds (1 hr)");
    assert_call(&rig, "mockscheduler", "[3601]",
                "-1: delta_time must be between 1 and 3600 seconds (1 hr)");
    rig.chain.network.mine_blocks_on_demand = false;
    assert_call(&rig, "setmocktime", "[1]",
                "-1: setmocktime is for regression testing (-regtest mode) only");
    assert_call(&rig, "mockscheduler", "[1]",
                "-1: mockscheduler is for regression testing (-regtest mode) only");
    rpc_rig_deinit(&rig);
}

static void settle_files(void *ctx, void (*done)(void *arg), void *arg)
{
    struct rpc_rig *rig = ctx;
    assert_int_equal(rig->advanced_s, 60);
    rig->advanced_s = 0;
    env_timer_start(rig->node.env, 5000000, done, arg);
}

TEST(the_scheduler_answers_when_files_are_written)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    rig.node.settle_files = settle_files;
    int64_t begin_us = env_now_us(rig.node.env);
    assert_call(&rig, "mockscheduler", "[60]", "null");
    assert_int_equal(rig.advanced_s, 0);
    assert_true(env_now_us(rig.node.env) - begin_us >= 5000000);
    rpc_rig_deinit(&rig);
}

TEST(log_categories_can_be_switched)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    assert_starts(rpc_rig_call(&rig, "logging", "[]"), "{\"addrman\":false,");
    assert_holds(rpc_rig_call(&rig, "logging", "[[\"net\",\"rpc\"]]"), "\"rpc\":true");
    assert_true(log_is_on(&rig.log, LOG_NET));
    rpc_rig_call(&rig, "logging", "[[\"all\"],[\"net\"]]");
    assert_false(log_is_on(&rig.log, LOG_NET));
    assert_true(log_is_on(&rig.log, LOG_BENCH));
    assert_call(&rig, "logging", "[[\"nosuch\"]]", "-8: unknown logging category nosuch");
    assert_call(&rig, "logging", "[[1]]",
                "-3: JSON value of type number is not of expected type string");
    rpc_rig_deinit(&rig);
}

#define HASH20 "751e76e8199196d454941c45d1b3a323f1433bd6"

TEST(addresses_are_explained)
{
    /* clang-format off */
    static const struct { const char *address, *want; } cases[] = {
        {"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080",
         "\"scriptPubKey\":\"0014" HASH20 "\",\"isscript\":false,\"iswitness\":true,"
         "\"witness_version\":0,\"witness_program\":\"" HASH20 "\"}"},
        {"BCRT1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KYGT080", "\"isvalid\":true,\"address\":\"bcrt1q"},
        {"mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8r",
         "\"scriptPubKey\":\"76a914" HASH20 "88ac\",\"isscript\":false,\"iswitness\":false}"},
        {"bcrt1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqseac85",
         "\"isscript\":true,\"iswitness\":true,\"witness_version\":0,"},
        {"bcrt1pfeesnyr2tx", "\"isscript\":true,\"iswitness\":true}"},
        {"", "{\"isvalid\":false,\"error_locations\":[],\"error\":\""},
        {"nonsense", "{\"isvalid\":false,\"error_locations\":["},
        {"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "{\"isvalid\":false,"},
        {"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt081", "\"error_locations\":[43],"},
    };
    /* clang-format on */
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_holds(rpc_rig_callf(&rig, "validateaddress", "[\"%s\"]", cases[i].address),
                     cases[i].want);
    rpc_rig_deinit(&rig);
}

TEST(what_is_not_here_says_so)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    assert_call(&rig, "echoipc", "[\"a\"]", "\"a\"");
    assert_call(&rig, "echo", "{\"arg9\":\"trigger_internal_bug\"}",
                "-1: Internal bug detected: request.params[9].get_str() != "
                "\"trigger_internal_bug\"");
    assert_call(&rig, "enumeratesigners", "[]", "-1: Error: restart bitcoind with -signer=<cmd>");
    rpc_rig_deinit(&rig);
}

TEST(categories_of_the_log_are_told_by_name)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    char *last = xstrdup(""), *got = xstrdup(rpc_rig_call(&rig, "logging", "[[\"libevent\"]]"));
    char *help = xstrdup(rpc_rig_call(&rig, "help", "[\"logging\"]")), *place = help;
    for (char *name = strtok(got, "{}:,\""); name; name = strtok(NULL, "{}:,\"")) {
        if (strcmp(name, "false") == 0 || strcmp(name, "true") == 0)
            continue;
        assert_true(strcmp(last, name) < 0);
        place = strstr(place, name);
        assert_non_null(place);
        xfree(last);
        last = xstrdup(name);
    }
    assert_string_equal(last, "zmq");
    xfree(last);
    xfree(got);
    xfree(help);
    rpc_rig_deinit(&rig);
}
