/* test_cli_methods.c - arguments of methods that only other nodes have. */
#include "rpc/cli_methods.h"
#include "rpc/method_table.h"
#include "support/unit.h"

TEST(positions_have_forms)
{
    static const struct {
        const char *method;
        size_t position;
        enum cli_form form;
    } cases[] = {
        {"sendtoaddress", 0, CLI_TEXT},  {"sendtoaddress", 1, CLI_JSON},
        {"sendtoaddress", 3, CLI_TEXT},  {"sendtoaddress", 4, CLI_JSON},
        {"sendtoaddress", 10, CLI_JSON}, {"sendtoaddress", 11, CLI_TEXT},
        {"createwallet", 0, CLI_TEXT},   {"createwallet", 1, CLI_JSON},
        {"createwallet", 3, CLI_TEXT},   {"createwallet", 7, CLI_JSON},
        {"bumpfee", 1, CLI_JSON},        {"bumpfee", 2, CLI_TEXT}, /* members have no position */
        {"bumpfee", 3, CLI_TEXT},        {"listunspent", 4, CLI_JSON},
        {"getrawaddrman", 0, CLI_TEXT},  {"nosuchmethod", 0, CLI_TEXT},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        enum cli_form form = cli_form_at(span_of_string(cases[i].method), cases[i].position);
        if (form != cases[i].form)
            print_error("%s %zu\n", cases[i].method, cases[i].position);
        assert_int_equal(form, cases[i].form);
    }
}

TEST(names_and_members_have_forms)
{
    static const struct {
        const char *method, *name;
        enum cli_form form;
    } cases[] = {
        {"sendtoaddress", "amount", CLI_JSON},
        {"sendtoaddress", "comment", CLI_TEXT},
        {"send", "inputs", CLI_JSON},
        {"send", "estimate_mode", CLI_TEXT},
        {"bumpfee", "conf_target", CLI_JSON},
        {"sendtoaddress", "amoun", CLI_TEXT},
        {"sendtoaddress", "amount:", CLI_TEXT},
        {"nosuchmethod", "amount", CLI_TEXT},
        {"sendtoaddress", "", CLI_TEXT},
        {"fundrawtransaction", "feeRate", CLI_JSON},
        {"loadwallet", "filename", CLI_TEXT},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        enum cli_form form =
            cli_form_named(span_of_string(cases[i].method), span_of_string(cases[i].name));
        if (form != cases[i].form)
            print_error("%s %s\n", cases[i].method, cases[i].name);
        assert_int_equal(form, cases[i].form);
    }
}

/* What the node has is told by its own table. */
TEST(no_method_is_in_both_tables)
{
    size_t count = rpc_methods()->n;
    assert_true(count > 0);
    const struct rpc_method *table = rpc_methods()->at;
    for (size_t i = 0; i < count; i++) {
        for (size_t at = 0; at < RPC_ARGS_MAX; at++) {
            if (cli_form_at(span_of_string(table[i].name), at) != CLI_TEXT)
                fail_msg("%s", table[i].name);
        }
    }
}
