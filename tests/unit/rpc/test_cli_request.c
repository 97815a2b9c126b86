/* test_cli_request.c - arguments of the command line become JSON by the table. */
#include "rpc/cli_request.h"
#include "support/unit.h"
#include "util/alloc.h"

struct cli_case {
    const char *method;
    bool named;
    const char *args[5];
    const char *want; /* params, or the error */
};

/* clang-format off */
static const struct cli_case cases[] = {
    {"getblockcount", false, {NULL}, "[]"},
    {"getblockhash",  false, {"5"}, "[5]"},
    {"getblockhash",  false, {"five"}, "Error parsing JSON: five"},
    {"getblockhash",  false, {""}, "Error parsing JSON: "},
    {"getblock",      false, {"00ff", "2"}, "[\"00ff\",2]"},
    {"getblock",      false, {"00ff", "true"}, "[\"00ff\",true]"},
    {"getblock",      false, {"5"}, "[\"5\"]"},
    {"validateaddress", false, {"null"}, "[\"null\"]"},
    {"createrawtransaction", false, {"[{\"txid\":\"a\"}]", "{\"b\":0.10}", "7"},
     "[[{\"txid\":\"a\"}],{\"b\":0.10},7]"},
    {"gettxoutsetinfo", false, {"muhash", "5"}, "[\"muhash\",5]"},
    {"gettxoutsetinfo", false, {"muhash", "00aa"}, "[\"muhash\",\"00aa\"]"},
    {"echo",          false, {"5", "true"}, "[\"5\",\"true\"]"},
    {"echojson",      false, {"5", "[true]"}, "[5,[true]]"},
    {"echojson",      false, {"five"}, "Error parsing JSON: five"},
    {"nosuchmethod",  false, {"5", "{"}, "[\"5\",\"{\"]"},
    {"getblockcount", false, {"5"}, "[\"5\"]"}, /* too many: the node says so */
    {"getblock",      true,  {"blockhash=00=ff", "verbosity=0"},
     "{\"blockhash\":\"00=ff\",\"verbosity\":0}"},
    {"getblock",      true,  {"blockhash=00ff", "verbose=true"},
     "{\"blockhash\":\"00ff\",\"verbose\":true}"},
    {"getblock",      true,  {"00ff", "verbosity=0"}, "{\"verbosity\":0,\"args\":[\"00ff\"]}"},
    {"getblock",      true,  {"verbosity=x"}, "Error parsing JSON: x"},
    {"getblock",      true,  {"colour=1"}, "{\"colour\":\"1\"}"},
    /* No name of an argument: a text, where one may stand. */
    {"decodepsbt",    true,  {"cHNidA=="}, "{\"args\":[\"cHNidA==\"]}"},
    {"decodepsbt",    true,  {"psbt=cHNidA=="}, "{\"psbt\":\"cHNidA==\"}"},
    {"decodepsbt",    true,  {"cHNidA==", "colour=1"},
     "{\"colour\":\"1\",\"args\":[\"cHNidA==\"]}"},
    {"getnewaddress", true,  {"a=b", "address_type=bech32"},
     "{\"address_type\":\"bech32\",\"args\":[\"a=b\"]}"},
    {"nosuchmethod",  true,  {"a=b"}, "{\"a\":\"b\"}"},
    {"dumptxoutset",  true,  {"a", "rollback=5"}, "{\"rollback\":5,\"args\":[\"a\"]}"},
    {"dumptxoutset",  true,  {"a", "rollback=00aa"}, "{\"rollback\":\"00aa\",\"args\":[\"a\"]}"},
    {"echo",          true,  {"args=[1,2]", "arg3="}, "{\"args\":[1,2],\"arg3\":\"\"}"},
    {"getblockcount", true,  {NULL}, "{}"},
    {"sendtoaddress", false, {"addr", "0.10", "5", ""}, "[\"addr\",0.10,\"5\",\"\"]"},
    {"sendtoaddress", true,  {"address=a", "amount=1", "comment=2"},
     "{\"address\":\"a\",\"amount\":1,\"comment\":\"2\"}"},
    {"sendtoaddress", false, {"addr", "ten"}, "Error parsing JSON: ten"},
    {"bumpfee",       true,  {"txid=00", "fee_rate=2", "estimate_mode=unset"},
     "{\"txid\":\"00\",\"fee_rate\":2,\"estimate_mode\":\"unset\"}"},
    {"gettxspendingprevout", true, {"outputs=[]", "mempool_only=true"},
     "{\"outputs\":[],\"mempool_only\":true}"},
};
/* clang-format on */

TEST(arguments_are_converted)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena arena;
        struct buffer text;
        struct json_value *params;
        char *error = NULL;
        size_t n = 0;
        arena_init(&arena, 1024);
        buffer_init(&text);
        while (cases[i].args[n])
            n++;
        if (cli_params(&arena, cases[i].method, cases[i].args, n, cases[i].named, &params, &error))
            json_write(&text, params, 0);
        else
            buffer_append_string(&text, error);
        if (!span_equal(buffer_span(&text), span_of_string(cases[i].want)))
            fail_msg("row %zu: %.*s", i, (int)text.len, (const char *)text.p);
        xfree(error);
        buffer_deinit(&text);
        arena_deinit(&arena);
    }
}

TEST(a_request_is_of_version_2)
{
    struct arena arena;
    struct buffer text;
    arena_init(&arena, 1024);
    buffer_init(&text);
    struct json_value *params = json_new(&arena, JSON_KIND_ARRAY);
    cli_write_request(&text, "echo", params, 3);
    assert_true(span_equal(
        buffer_span(&text),
        span_of_string("{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":[],\"id\":3}")));
    buffer_deinit(&text);
    arena_deinit(&arena);
}
