/* test_methods.c - the table of methods is sound. */
#include "rpc/method_table.h"
#include "rpc/methods.h"
#include "support/unit.h"

TEST(rows_are_sorted_and_unique)
{
    size_t count = rpc_methods()->n;
    const struct rpc_method *table = rpc_methods()->at;
    for (size_t i = 1; i < count; i++) {
        int order = strcmp(table[i - 1].category, table[i].category);
        if (order > 0 || (order == 0 && strcmp(table[i - 1].name, table[i].name) >= 0))
            fail_msg("%s before %s", table[i - 1].name, table[i].name);
    }
}

TEST(rows_are_complete)
{
    size_t count = rpc_methods()->n;
    const struct rpc_method *table = rpc_methods()->at;
    for (size_t i = 0; i < count; i++) {
        assert_non_null(table[i].handler);
        assert_true(*table[i].help && *table[i].result);
        assert_ptr_equal(method_find(rpc_methods(), span_of_string(table[i].name)), &table[i]);
        assert_int_equal(table[i].params[RPC_ARGS_MAX].type, RPC_TYPE_NONE);
        for (size_t k = 0; k < method_params_max(&table[i]); k++) {
            assert_true(*table[i].params[k].name);
            assert_true(*table[i].params[k].help);
            /* cairn-cli looks for this name: it holds positional arguments. */
            assert_string_not_equal(table[i].params[k].name, "args");
        }
    }
}

TEST(the_methods_that_clients_call_are_there)
{
    static const char *const names[] = {
        "getblockchaininfo",
        "getblockcount",
        "getbestblockhash",
        "getblockhash",
        "getblockheader",
        "getblock",
        "getchaintips",
        "getchainstates",
        "getdifficulty",
        "gettxout",
        "gettxoutsetinfo",
        "getrawtransaction",
        "decoderawtransaction",
        "decodescript",
        "createrawtransaction",
        "signrawtransactionwithkey",
        "generatetoaddress",
        "generateblock",
        "submitblock",
        "submitheader",
        "invalidateblock",
        "reconsiderblock",
        "preciousblock",
        "verifychain",
        "pruneblockchain",
        "validateaddress",
        "getindexinfo",
        "uptime",
        "stop",
        "help",
        "setmocktime",
        "mockscheduler",
        "syncwithvalidationinterfacequeue",
        "echo",
        "echojson",
        "waitfornewblock",
        "waitforblock",
        "waitforblockheight",
        "getrpcinfo",
    };
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (!method_find(rpc_methods(), span_of_string(names[i])))
            fail_msg("%s", names[i]);
    }
    /* Clients tell btcd from us by the lack of this one. */
    assert_null(method_find(rpc_methods(), span_of_string("getinfo")));
}
