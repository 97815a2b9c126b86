/* test_method_table.c - look-up, help and argument checks. */
#include "rpc/method_table.h"
#include "support/unit.h"
#include "util/alloc.h"

static const struct rpc_method sample = {
    .name = "sample",
    .category = "Test",
    .help = "What it does.",
    .result = "n    a number",
    .params = {{"first|one", RPC_TYPE_HEX, NULL, "The first"},
               {"second", RPC_TYPE_NUMBER, NULL, "The second"},
               {"third|three|drei", RPC_TYPE_BOOL, "true", "The third"},
               {"fourth", RPC_TYPE_ARRAY, "", "The fourth"},
               {"fifth", RPC_TYPE_ANY, "nothing", "The fifth"}},
};

TEST(parameters_are_counted_and_found)
{
    assert_int_equal(method_params_max(&sample), 5);
    assert_int_equal(method_params_required(&sample), 2);
    static const struct {
        const char *name;
        int at;
    } names[] = {{"first", 0},   {"one", 0},        {"second", 1}, {"third", 2},
                 {"three", 2},   {"drei", 2},       {"", -1},      {"thir", -1},
                 {"third|", -1}, {"first|one", -1}, {"sixth", -1}, {"dreii", -1}};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_int_equal(method_param_find(&sample, span_of_string(names[i].name)), names[i].at);
    assert_null(method_find(rpc_methods(), span_of_string("sample")));
    assert_null(method_find(rpc_methods(), span_of_string("")));
    assert_null(method_find(rpc_methods(), span_of("help\0", 5)));
}

TEST(help_comes_from_the_row)
{
    struct buffer text;
    buffer_init(&text);
    method_write_help(&sample, &text);
    static const char want[] = "sample \"first\" second ( third [fourth,...] fifth )\n\n"
                               "What it does.\n\nArguments:\n"
                               "1. first    (string, required) The first\n"
                               "2. second    (numeric, required) The second\n"
                               "3. third    (boolean, optional, default=true) The third\n"
                               "4. fourth    (json array, optional) The fourth\n"
                               "5. fifth    (any, optional, default=nothing) The fifth\n"
                               "\nResult:\nn    a number\n"
                               "\nExamples:\n> cairn-cli sample \"hexstring\" 1\n"
                               "> curl --user myusername --data-binary '{\"jsonrpc\": \"2.0\", "
                               "\"id\": \"curltest\", \"method\": \"sample\", \"params\": "
                               "[\"hexstring\", 1]}' -H 'content-type: application/json' "
                               "http://127.0.0.1:8332/\n";
    assert_true(span_equal(buffer_span(&text), span_of_string(want)));
    buffer_deinit(&text);
}

TEST(the_list_is_grouped_and_hides_what_is_for_tests)
{
    struct buffer text;
    buffer_init(&text);
    method_write_list(rpc_methods(), false, &text);
    buffer_append(&text, "", 1);
    const char *list = (const char *)text.p;
    assert_memory_equal(list, "== Blockchain ==\n", 17);
    assert_non_null(strstr(list, "\n\n== Rawtransactions ==\n"));
    assert_null(strstr(list, "echo"));
    assert_null(strstr(list, "== Generating =="));
    assert_int_not_equal(list[text.len - 2], '\n');
    buffer_deinit(&text);
}

struct arg_case {
    const char *params;
    int code;
    const char *message;
};

TEST(arguments_are_checked_against_the_row)
{
    /* clang-format off */
    static const struct arg_case cases[] = {
        {"[\"x\",1]",                         0,  NULL},
        {"[\"x\",1,true,[],{}]",              0,  NULL},
        {"[\"x\",1,null,null,null]",          0,  NULL},
        {"[\"x\"]",                           -1, "sample \"first\" second ("},
        {"[]",                                -1, "sample \"first\" second ("},
        {"[\"x\",1,true,[],{},6]",            -1, "sample \"first\" second ("},
        {"[\"x\",\"1\"]",                     -3,
         "Wrong type passed:\n{\n    \"Position 2 (second)\": \"JSON value of type "
          "string is not of "
         "expected type number\"\n}"},
        {"[null,1]",                          -3,
         "Wrong type passed:\n{\n    \"Position 1 (first|one)\": \"JSON value of type "
          "null is not of "
         "expected type string\"\n}"},
        {"[5,true,1]",                        -3,
         "Wrong type passed:\n{\n    \"Position 1 (first|one)\": \"JSON value of type "
          "number is not "
         "of expected type string\",\n    \"Position 2 (second)\": \"JSON value of type "
          "bool is not "
         "of expected type number\",\n    \"Position 3 (third|three|drei)\": \"JSON value of type "
         "number is not of expected type bool\"\n}"},
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct rpc_call call = {.method = &sample};
        struct json_value *params;
        arena_init(&call.arena, 1024);
        assert_true(json_parse(span_of_string(cases[i].params), &call.arena, &params));
        for (const struct json_value *v = params->first; v; v = v->next)
            call.args[call.n_args++] = v;
        assert_int_equal(method_check_args(&call), cases[i].code == 0);
        assert_int_equal(call.error_code, cases[i].code);
        if (cases[i].code == -3)
            assert_string_equal(call.error_message, cases[i].message);
        else if (cases[i].code)
            assert_memory_equal(call.error_message, cases[i].message, strlen(cases[i].message));
        xfree(call.error_message);
        arena_deinit(&call.arena);
    }
}
