/* test_options.c - the command line, and which of several values counts. */
#include <limits.h>

#include "support/unit.h"
#include "util/alloc.h"
#include "util/config_file.h"
#include "util/options.h"

/* clang-format off */
static const struct option_def table[] = {
    {"server",      NULL,      "", OPTION_CATEGORY_RPC,        OPTION_BOOL,   .flags = 0},
    {"listen",      NULL,      "", OPTION_CATEGORY_CONNECTION, OPTION_BOOL,   .flags = 0},
    {"datadir", "<dir>", "", OPTION_CATEGORY_GENERAL, OPTION_STRING, .flags = OPTION_NO_NEGATION},
    {"par",         "<n>",     "", OPTION_CATEGORY_GENERAL,    OPTION_INT,    .flags = 0},
    {"proxy", "<ip>", "", OPTION_CATEGORY_CONNECTION, OPTION_STRING, .flags = OPTION_NEEDS_VALUE},
    {"debug", "<cat>", "", OPTION_CATEGORY_DEBUG, OPTION_STRING, .flags = OPTION_MULTI},
    {"port", "<port>", "", OPTION_CATEGORY_CONNECTION, OPTION_INT, .flags = OPTION_NETWORK_ONLY},
    {"addnode",     "<ip>",    "", OPTION_CATEGORY_CONNECTION, OPTION_STRING,
     .flags = OPTION_MULTI | OPTION_NETWORK_ONLY},
    {"rpcpassword", "<pw>", "", OPTION_CATEGORY_RPC, OPTION_STRING, .flags = OPTION_SENSITIVE},
    {"keypool",     "<n>",     "", OPTION_CATEGORY_WALLET,     OPTION_INT,
     .flags = OPTION_IGNORED | OPTION_HARMLESS},
    {"rest", NULL, "", OPTION_CATEGORY_RPC, OPTION_BOOL, .flags = OPTION_IGNORED},
    {"asmap", "<file>", "", OPTION_CATEGORY_CONNECTION, OPTION_STRING, .flags = OPTION_IGNORED},
    {"includeconf", "<file>",  "", OPTION_CATEGORY_GENERAL,    OPTION_STRING,
     .flags = OPTION_MULTI | OPTION_CONFIG_ONLY},
    {"chain",       "<chain>", "", OPTION_CATEGORY_CHAIN,      OPTION_STRING, .flags = 0},
    {"chainfile",   "<file>",  "", OPTION_CATEGORY_CHAIN,      OPTION_STRING, .flags = 0},
    {"regtest",     NULL,      "", OPTION_CATEGORY_CHAIN,      OPTION_BOOL,   .flags = 0},
    {"signet",      NULL,      "", OPTION_CATEGORY_CHAIN,      OPTION_BOOL,   .flags = 0},
    {"testnet",     NULL,      "", OPTION_CATEGORY_CHAIN,      OPTION_BOOL,   .flags = 0},
    {"testnet4",    NULL,      "", OPTION_CATEGORY_CHAIN,      OPTION_BOOL,   .flags = 0},
};
/* clang-format on */

enum { ARGS_MAX = 6 };

static int count_args(const char *const *args)
{
    int n = 0;
    while (n < ARGS_MAX && args[n])
        n++;
    return n;
}

/* Parse args (without a program's name) and a config file's text; neither may be wrong. */
static void parse(struct options *options, const char *const *args, const char *config)
{
    const char *argv[ARGS_MAX + 1] = {"cairnd"};
    int n = count_args(args);
    for (int i = 0; i < n; i++)
        argv[i + 1] = args[i];
    char *error = NULL;
    options_init(options, table, COUNT_OF(table));
    if (!options_parse_args(options, n + 1, argv, NULL, &error))
        fail_msg("%s", error);
    if (config && !config_file_parse(options, span_of_string(config), "cairn.conf", &error))
        fail_msg("%s", error);
}

static char *parse_error(const char *arg, bool operands_allowed)
{
    struct options options;
    const char *argv[2] = {"cairnd", arg};
    char *error = NULL;
    int first = 0;
    options_init(&options, table, COUNT_OF(table));
    bool ok = options_parse_args(&options, 2, argv, operands_allowed ? &first : NULL, &error);
    assert_int_equal(ok, error == NULL);
    options_deinit(&options);
    return error;
}

/* clang-format off */
static const struct { const char *args[ARGS_MAX]; const char *want; } strings[] = {
    {{NULL}, "fallback"},
    {{"-datadir=/d"}, "/d"},
    {{"--datadir=/d"}, "/d"},
    {{"-datadir"}, ""},
    {{"-datadir="}, ""},
    {{"-datadir=a=b"}, "a=b"},
    {{"-datadir=/d", "-datadir=/e"}, "/e"},
    {{"-datadir= x "}, " x "},
};

static const struct { const char *args[ARGS_MAX]; bool want; } bools[] = {
    {{"-server"}, true}, {{"-server=1"}, true}, {{"-server=2"}, true}, {{"-server="}, true},
    {{"-server=0"}, false}, {{"-server=00"}, false}, {{"-noserver"}, false},
    {{"-noserver=1"}, false}, {{"-noserver=0"}, true}, {{"-server=-1"}, true},
    {{"-server=10"}, true}, {{"-server=true"}, false}, {{"-server=no"}, false},
    {{"-server", "-noserver"}, false}, {{"-noserver", "-server"}, true},
    {{"-server=0", "-server=1"}, true}, {{"--noserver"}, false},
};

static const struct { const char *arg, *want; } errors[] = {
    {"-nosuch", "Error parsing command line arguments: Invalid parameter -nosuch"},
    {"-nosuch=1", "Error parsing command line arguments: Invalid parameter -nosuch=1"},
    {"--such", "Error parsing command line arguments: Invalid parameter --such"},
    {"---server", "Error parsing command line arguments: Invalid parameter ---server"},
    {"-Server", "Error parsing command line arguments: Invalid parameter -Server"},
    {"-regtest.server=1",
     "Error parsing command line arguments: Invalid parameter -regtest.server=1"},
    {"-nonoserver", "Error parsing command line arguments: Invalid parameter -nonoserver"},
    {"--", "Error parsing command line arguments: Invalid parameter --"},
    {"-=", "Error parsing command line arguments: Invalid parameter -="},
    {"-proxy", "Error parsing command line arguments: Can not set -proxy with no value. Please "
               "specify value with -proxy=value."},
    {"-nodatadir", "Error parsing command line arguments: Negating of -datadir is meaningless and "
                   "therefore forbidden"},
    {"-includeconf=f", "Error parsing command line arguments: -includeconf cannot be used from "
                       "commandline; -includeconf=\"f\""},
    {"-par=abc", "Error parsing command line arguments: Invalid value 'abc' for -par: a whole "
                 "number is expected"},
    {"-par=1.5", "Error parsing command line arguments: Invalid value '1.5' for -par: a whole "
                 "number is expected"},
    {"-par=9223372036854775808",
     "Error parsing command line arguments: Invalid value '9223372036854775808' for -par: a whole "
     "number is expected"},
    {"stop", "Command line contains unexpected token 'stop', see -help for a list of options."},
    {"-", "Command line contains unexpected token '-', see -help for a list of options."},
};
/* clang-format on */

TEST(strings_are_what_was_given_last)
{
    for (size_t i = 0; i < COUNT_OF(strings); i++) {
        struct options options;
        parse(&options, strings[i].args, NULL);
        assert_string_equal(options_get_string(&options, "datadir", "fallback"), strings[i].want);
        assert_int_equal(options_is_set(&options, "datadir"), strings[i].args[0] != NULL);
        options_deinit(&options);
    }
}

TEST(bools_follow_core)
{
    for (size_t i = 0; i < COUNT_OF(bools); i++) {
        struct options options;
        parse(&options, bools[i].args, NULL);
        if (options_get_bool(&options, "server", !bools[i].want) != bools[i].want)
            fail_msg("%s", bools[i].args[0]);
        options_deinit(&options);
    }
}

TEST(integers_are_whole_numbers)
{
    struct options options;
    parse(&options, (const char *[ARGS_MAX]){"-par=-4"}, NULL);
    assert_int_equal(options_get_int(&options, "par", 9), -4);
    assert_int_equal(options_get_int(&options, "port", 9), 9);
    options_deinit(&options);
    parse(&options, (const char *[ARGS_MAX]){"-nopar", "-port"}, NULL);
    assert_int_equal(options_get_int(&options, "par", 9), 0);
    assert_int_equal(options_get_int(&options, "port", 9), 0);
    options_deinit(&options);
    parse(&options, (const char *[ARGS_MAX]){"-par=9223372036854775807"}, NULL);
    assert_int_equal(options_get_int(&options, "par", 9), INT64_MAX);
    options_deinit(&options);
}

TEST(wrong_arguments_are_named)
{
    for (size_t i = 0; i < COUNT_OF(errors); i++) {
        char *error = parse_error(errors[i].arg, false);
        assert_non_null(error);
        assert_string_equal(error, errors[i].want);
        xfree(error);
    }
}

TEST(operands_end_the_options_where_they_are_allowed)
{
    struct options options;
    const char *argv[] = {"cairn-cli", "-server", "getblock", "-par=2"};
    char *error = NULL;
    int first = 0;
    options_init(&options, table, COUNT_OF(table));
    assert_true(options_parse_args(&options, 4, argv, &first, &error));
    assert_int_equal(first, 2);
    assert_false(options_is_set(&options, "par"));
    assert_true(options_parse_args(&options, 2, argv, &first, &error));
    assert_int_equal(first, 2);
    assert_null(parse_error("-", true));
    options_deinit(&options);
}

/* clang-format off */
/* What counts for -datadir when the network is regtest. */
static const struct { const char *args[ARGS_MAX]; const char *config, *want; } precedence[] = {
    {{"-datadir=cl"}, "datadir=top\n[regtest]\ndatadir=net\n", "cl"},
    {{NULL}, "datadir=top\n[regtest]\ndatadir=net\n", "net"},
    {{NULL}, "datadir=top\nregtest.datadir=net\n", "net"},
    {{NULL}, "datadir=top\n[main]\ndatadir=main\n", "top"},
    {{NULL}, "datadir=first\ndatadir=second\n", "first"},
    {{NULL}, "[main]\ndatadir=main\n", NULL},
    {{"-datadir"}, "datadir=top\n", ""},
};

/* The list of -debug when the network is regtest, joined with commas. */
static const struct { const char *args[ARGS_MAX]; const char *config, *want; } lists[] = {
    {{NULL}, "", ""},
    {{"-debug=a", "-debug=b"}, "", "a,b"},
    {{"-debug=a"}, "debug=t\n[regtest]\ndebug=n\n", "a,n,t"},
    {{"-debug=a", "-nodebug", "-debug=b"}, "", "b"},
    {{"-debug=a", "-nodebug"}, "", ""},
    {{"-nodebug"}, "debug=t\n", ""},
    {{"-nodebug", "-debug=b"}, "debug=t\n", "b,t"},
    {{NULL}, "debug=t\n[regtest]\nnodebug=1\n", ""},
    {{NULL}, "debug=t\nnodebug=1\ndebug=u\n", "u"},
    {{"-debug="}, "", ""},
};
/* clang-format on */

TEST(sources_have_ranks)
{
    for (size_t i = 0; i < COUNT_OF(precedence); i++) {
        struct options options;
        char *error = NULL;
        parse(&options, precedence[i].args, precedence[i].config);
        assert_true(options_select_network(&options, "regtest", &error));
        const char *got = options_get_string(&options, "datadir", NULL);
        if (precedence[i].want)
            assert_string_equal(got, precedence[i].want);
        else
            assert_null(got);
        options_deinit(&options);
    }
}

TEST(lists_are_joined_by_rank)
{
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        struct options options;
        char *error = NULL;
        parse(&options, lists[i].args, lists[i].config);
        assert_true(options_select_network(&options, "regtest", &error));
        char joined[64] = "";
        const char *value;
        for (size_t j = 0; (value = options_get_list(&options, "debug", j)); j++) {
            if (j > 0)
                strcat(joined, ",");
            strcat(joined, value);
        }
        assert_string_equal(joined, lists[i].want);
        options_deinit(&options);
    }
}

TEST(options_of_main_do_not_reach_other_networks)
{
    struct options options;
    char *error = NULL;
    parse(&options, (const char *[ARGS_MAX]){NULL}, "port=1\n");
    assert_false(options_select_network(&options, "regtest", &error));
    assert_string_equal(error, "Config setting for -port only applied on regtest network when in "
                               "[regtest] section.");
    xfree(error);
    assert_int_equal(options_get_int(&options, "port", 18444), 18444);
    options_deinit(&options);

    parse(&options, (const char *[ARGS_MAX]){NULL}, "port=1\n");
    assert_true(options_select_network(&options, "main", &error));
    assert_int_equal(options_get_int(&options, "port", 8333), 1);
    options_deinit(&options);

    /* Set elsewhere too: the top is passed over without a complaint. */
    parse(&options, (const char *[ARGS_MAX]){"-addnode=c"}, "port=1\naddnode=t\n[test]\nport=2\n");
    assert_true(options_select_network(&options, "test", &error));
    assert_int_equal(options_get_int(&options, "port", 18333), 2);
    assert_string_equal(options_get_list(&options, "addnode", 0), "c");
    assert_null(options_get_list(&options, "addnode", 1));
    options_deinit(&options);
}

/* clang-format off */
static const struct { const char *args[ARGS_MAX]; const char *config, *chain, *error; } chains[] = {
    {{NULL}, "", "main", NULL},
    {{"-regtest"}, "", "regtest", NULL},
    {{"-testnet"}, "", "test", NULL},
    {{"-testnet4"}, "", "testnet4", NULL},
    {{"-signet=1"}, "", "signet", NULL},
    {{"-regtest=0"}, "", "main", NULL},
    {{"-chain=test"}, "", "test", NULL},
    {{"-chain=main"}, "", "main", NULL},
    {{NULL}, "regtest=1\n", "regtest", NULL},
    {{NULL}, "chain=signet\n", "signet", NULL},
    {{NULL}, "[regtest]\nregtest=1\n", "main", NULL},     /* only the file's top can choose */
    {{NULL}, "regtest=1\nregtest=0\n", "main", NULL},     /* and there the last value wins */
    {{"-noregtest"}, "regtest=1\n", "regtest", NULL},
    {{"-regtest=0"}, "regtest=1\n", "main", NULL},
    {{"-chain=moon"}, "", NULL, "Unknown chain moon."},
    {{"-chainfile=a"}, "", "", NULL},                      /* its name stands in the file */
    {{NULL}, "chainfile=a\n", "", NULL},
    {{NULL}, "[main]\nchainfile=a\n", "main", NULL},
    {{"-nochainfile"}, "chainfile=a\n", "main", NULL},
    {{"-nochainfile", "-signet"}, "chainfile=a\n", "signet", NULL},
    {{"-regtest"}, "chainfile=a\n", NULL, "-chainfile names a chain of its own: it cannot be used "
      "with -regtest, -signet, -testnet, -testnet4 or -chain."},
    {{"-regtest", "-signet"}, "", NULL, "Invalid combination of -regtest, -signet, -testnet, "
      "-testnet4 and -chain. Can use at most one."},
    {{"-chain=regtest"}, "regtest=1\n", NULL, "Invalid combination of -regtest, -signet, "
      "-testnet, -testnet4 and -chain. Can use at most one."},
};
/* clang-format on */

TEST(the_chain_is_chosen_once)
{
    for (size_t i = 0; i < COUNT_OF(chains); i++) {
        struct options options;
        char *error = NULL;
        parse(&options, chains[i].args, chains[i].config);
        const char *chain = options_chain(&options, &error);
        if (chains[i].chain) {
            assert_null(error);
            assert_string_equal(chain, chains[i].chain);
        } else {
            assert_null(chain);
            assert_string_equal(error, chains[i].error);
        }
        xfree(error);
        options_deinit(&options);
    }
}

TEST(an_implied_value_gives_way_to_a_given_one)
{
    struct options options;
    parse(&options, (const char *[ARGS_MAX]){"-server"}, NULL);
    assert_false(options_imply(&options, "server", "0"));
    assert_true(options_get_bool(&options, "server", false));
    assert_true(options_imply(&options, "listen", "0"));
    assert_false(options_get_bool(&options, "listen", true));
    assert_false(options_imply(&options, "listen", "1"));
    assert_false(options_get_bool(&options, "listen", true));
    options_deinit(&options);
}

TEST(negation_is_known_as_such)
{
    struct options options;
    parse(&options, (const char *[ARGS_MAX]){"-noproxy", "-server=0"}, NULL);
    assert_true(options_is_negated(&options, "proxy"));
    assert_string_equal(options_get_string(&options, "proxy", "x"), "0");
    assert_false(options_is_negated(&options, "server"));
    assert_false(options_is_negated(&options, "listen"));
    options_deinit(&options);
}

TEST(what_is_odd_is_told)
{
    struct options options;
    parse(&options, (const char *[ARGS_MAX]){"-nolisten=0"}, NULL);
    assert_int_equal(options.messages.n, 1);
    assert_string_equal(options.messages.at[0].text,
                        "Parsed potentially confusing double-negative -listen=0");
    assert_int_equal(options.messages.at[0].kind, OPTION_MESSAGE_LOGGED);
    assert_true(options_get_bool(&options, "listen", false));
    options_deinit(&options);
}

/* Who asks for what is not here must hear it; who switches it off, or tunes it, need not. */
TEST(what_does_nothing_here_is_told_where_it_is_missed)
{
    static const struct {
        const char *argument;
        enum option_message_kind want;
    } cases[] = {
        {"-keypool=5", OPTION_MESSAGE_LOGGED}, {"-rest", OPTION_MESSAGE_LASTS},
        {"-rest=1", OPTION_MESSAGE_LASTS},     {"-rest=0", OPTION_MESSAGE_LOGGED},
        {"-norest", OPTION_MESSAGE_LOGGED},    {"-asmap=file", OPTION_MESSAGE_LASTS},
        {"-asmap=0", OPTION_MESSAGE_LOGGED},   {"-asmap", OPTION_MESSAGE_LOGGED},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct options options;
        parse(&options, (const char *[ARGS_MAX]){cases[i].argument, "-server"}, NULL);
        assert_int_equal(options.messages.n, 0);
        options_tell_ignored(&options);
        assert_int_equal(options.messages.n, 1);
        assert_int_equal(options.messages.at[0].kind, cases[i].want);
        assert_non_null(strstr(options.messages.at[0].text, " does nothing here"));
        options_deinit(&options);
    }
}

/* The value that counts decides, not one that was taken back. */
TEST(what_was_asked_for_and_taken_back_is_not_missed)
{
    struct options options;
    parse(&options, (const char *[ARGS_MAX]){"-rest", "-norest"}, NULL);
    options_tell_ignored(&options);
    assert_int_equal(options.messages.n, 1);
    assert_int_equal(options.messages.at[0].kind, OPTION_MESSAGE_LOGGED);
    options_deinit(&options);
}

static void append_line(void *ctx, const char *text)
{
    struct buffer *out = ctx;
    buffer_append_format(out, "%s\n", text);
}

TEST(the_log_shows_values_but_no_secrets)
{
    struct options options;
    struct buffer out;
    buffer_init(&out);
    parse(&options, (const char *[ARGS_MAX]){"-addnode=some.node", "-rpcpassword=x", "-nolisten"},
          "regtest=1\n[regtest]\nserver=1\nrpcpassword=secret\n");
    options_describe(&options, append_line, &out);
    buffer_append(&out, "", 1);
    assert_string_equal((char *)out.p, "Command-line arg: addnode=\"some.node\"\n"
                                       "Command-line arg: rpcpassword=****\n"
                                       "Command-line arg: listen=false\n"
                                       "Config file arg: regtest=\"1\"\n"
                                       "Config file arg: [regtest] server=\"1\"\n"
                                       "Config file arg: [regtest] rpcpassword=****\n");
    buffer_deinit(&out);
    options_deinit(&options);
}

TEST(asking_for_an_unknown_option_is_a_bug)
{
    struct options options;
    options_init(&options, table, COUNT_OF(table));
    expect_assert_failure((void)options_is_set(&options, "nosuch"));
    options_deinit(&options);
}

struct targets {
    bool on, off, by_number;
    int few, many;
    int64_t us;
    size_t bytes, negative;
};

/* clang-format off */
static const struct option_def filled[] = {
    {"on",  NULL, "", OPTION_CATEGORY_RPC, OPTION_BOOL, .fallback = "1",
     OPTION_INTO(struct targets, on)},
    {"off", NULL, "", OPTION_CATEGORY_RPC, OPTION_BOOL, OPTION_INTO(struct targets, off)},
    {"by",  NULL, "", OPTION_CATEGORY_RPC, OPTION_INT,  OPTION_INTO(struct targets, by_number)},
    {"few", NULL, "", OPTION_CATEGORY_RPC, OPTION_INT,  .fallback = "7", .least = 1, .most = 9,
     OPTION_INTO(struct targets, few)},
    {"many", NULL, "", OPTION_CATEGORY_RPC, OPTION_INT, OPTION_INTO(struct targets, many)},
    {"s",   NULL, "", OPTION_CATEGORY_RPC, OPTION_INT,  .fallback = "2", .unit = 1000000,
     OPTION_INTO(struct targets, us)},
    {"mib", NULL, "", OPTION_CATEGORY_RPC, OPTION_INT,  .flags = OPTION_CLIENT_TOO,
     .unit = 1048576, OPTION_INTO(struct targets, bytes)},
    {"below", NULL, "", OPTION_CATEGORY_RPC, OPTION_INT, OPTION_INTO(struct targets, negative)},
    {"client", NULL, "", OPTION_CATEGORY_RPC, OPTION_INT, .flags = OPTION_CLIENT_ONLY,
     .fallback = "3", OPTION_INTO(struct targets, few)},
};
/* clang-format on */

TEST(values_go_to_their_targets)
{
    static const struct {
        const char *args[8];
        struct targets want;
    } rows[] = {
        {{0}, {.on = true, .few = 7, .us = 2000000}},
        {{"-noon", "-off", "-by=2", "-few=0", "-many=-5", "-s=1", "-mib=3", "-below=-1"},
         {.off = true, .by_number = true, .few = 1, .many = -5, .us = 1000000, .bytes = 3145728}},
        {{"-few=10", "-many=99999999999", "-s=9223372036854775807"},
         {.on = true, .few = 9, .many = INT_MAX, .us = INT64_MAX}},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct options options;
        struct targets got = {0};
        const char *argv[9] = {"prog"};
        char *error = NULL;
        int argc = 1;
        while (argc < 9 && rows[i].args[argc - 1]) {
            argv[argc] = rows[i].args[argc - 1];
            argc++;
        }
        options_init(&options, filled, COUNT_OF(filled));
        assert_true(options_parse_args(&options, argc, argv, NULL, &error));
        options_fill(&options, &got);
        assert_memory_equal(&got, &rows[i].want, sizeof got);
        options_deinit(&options);
    }
}

TEST(a_client_has_its_rows_alone)
{
    struct options options;
    struct targets got = {0};
    char *error = NULL;
    options_init(&options, filled, COUNT_OF(filled));
    options.is_client = true;
    assert_true(options_parse_args(&options, 3, (const char *const[]){"p", "-client=4", "-mib=1"},
                                   NULL, &error));
    assert_null(options_find(&options, "on"));
    assert_non_null(options_find(&options, "client"));
    options_fill(&options, &got);
    assert_memory_equal(&got, (&(struct targets){.few = 4, .bytes = 1048576}), sizeof got);
    assert_false(options_parse_args(&options, 2, (const char *const[]){"p", "-on"}, NULL, &error));
    xfree(error);
    options_deinit(&options);
}
