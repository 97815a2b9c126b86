/* test_config_file.c - lines of a config file, its errors with their line numbers, its includes. */
#include <errno.h>

#include "support/unit.h"
#include "util/alloc.h"
#include "util/config_file.h"

/* clang-format off */
static const struct option_def table[] = {
    {"server",      NULL,     "", OPTION_CATEGORY_RPC,     OPTION_BOOL,   .flags = 0},
    {"datadir", "<dir>", "", OPTION_CATEGORY_GENERAL, OPTION_STRING, .flags = OPTION_NO_NEGATION},
    {"par",         "<n>",    "", OPTION_CATEGORY_GENERAL, OPTION_INT,    .flags = 0},
    {"reindex",     NULL,     "", OPTION_CATEGORY_GENERAL, OPTION_BOOL,   .flags = 0},
    {"rpcpassword", "<pw>", "", OPTION_CATEGORY_RPC, OPTION_STRING, .flags = OPTION_SENSITIVE},
    {"conf", "<file>", "", OPTION_CATEGORY_GENERAL, OPTION_STRING,
     .flags = OPTION_COMMAND_LINE_ONLY},
    {"includeconf", "<file>", "", OPTION_CATEGORY_GENERAL, OPTION_STRING,
     .flags = OPTION_MULTI | OPTION_CONFIG_ONLY},
    {"chain",       "<c>",    "", OPTION_CATEGORY_CHAIN,   OPTION_STRING, .flags = 0},
    {"regtest",     NULL,     "", OPTION_CATEGORY_CHAIN,   OPTION_BOOL,   .flags = 0},
};

/* What datadir is, with the network regtest. */
static const struct { const char *text, *want; } good[] = {
    {"datadir=/d", "/d"},
    {"datadir=/d\n", "/d"},
    {"\n\n  \t \ndatadir=/d\n", "/d"},
    {"datadir=/d\r\nserver=1\r\n", "/d"},
    {"  datadir \t=   /d with space \t\n", "/d with space"},
    {"datadir=/d # why\n", "/d"},
    {"# datadir=/x\ndatadir=/d\n", "/d"},
    {"datadir=a=b\n", "a=b"},
    {"datadir=\n", ""},
    {"[regtest]\ndatadir=/d\n", "/d"},
    {"  [regtest]  \ndatadir=/d\n", "/d"},
    {"[regtest] # test\ndatadir=/d\n", "/d"},
    {"[main]\ndatadir=/m\n[regtest]\ndatadir=/d\n[main]\ndatadir=/n\n", "/d"},
    {"regtest.datadir=/d\ndatadir=/t\n", "/d"},
    {"[main]\nregtest.datadir=/d\n", NULL},
    {"[Regtest]\ndatadir=/d\n", NULL},
    {"datadirs=/d\n", NULL},
    {"", NULL},
};

#define PREFIX "Error reading configuration file: "
static const struct { const char *text, *want; } bad[] = {
    {"-server=1\n", PREFIX "parse error on line 1: -server=1, options in configuration file must "
     "be specified without leading -"},
    {"garbage", PREFIX "parse error on line 1: garbage"},
    {"server=1\n\n# ok\ngarbage here # comment\n", PREFIX "parse error on line 4: garbage here"},
    {"nono\n", PREFIX "parse error on line 1: nono, if you intended to specify a negated option, "
     "use nono=1 instead"},
    {"no", PREFIX "parse error on line 1: no, if you intended to specify a negated option, use "
     "no=1 instead"},
    {"n", PREFIX "parse error on line 1: n"},
    {"[regtest\n", PREFIX "parse error on line 1: [regtest"},
    {"server=1\nrpcpassword=some#pass", PREFIX "parse error on line 2, using # in rpcpassword can "
     "be ambiguous and should be avoided"},
    {"main.rpcpassword=some#pass", PREFIX "parse error on line 1, using # in rpcpassword can be "
     "ambiguous and should be avoided"},
    {"conf=some.conf\n", PREFIX "conf cannot be set in the configuration file; use includeconf= "
     "if you want to include additional config files"},
    {"noconf=1\n", PREFIX "conf cannot be set in the configuration file; use includeconf= if you "
     "want to include additional config files"},
    {"regtest.conf=x\n", PREFIX "conf cannot be set in the configuration file; use includeconf= "
     "if you want to include additional config files"},
    {"nodatadir=1\n", PREFIX "parse error on line 1: Negating of -datadir is meaningless and "
     "therefore forbidden"},
    {"server=1\npar=x\n", PREFIX "parse error on line 2: Invalid value 'x' for -par: a whole "
     "number is expected"},
    {"a\x01" "b\n", PREFIX "parse error on line 1: a\\x01b"},
};
/* clang-format on */

TEST(lines_are_names_and_values)
{
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct options options;
        char *error = NULL;
        options_init(&options, table, COUNT_OF(table));
        if (!config_file_parse(&options, span_of_string(good[i].text), "f", &error))
            fail_msg("%s: %s", good[i].text, error);
        assert_true(options_select_network(&options, "regtest", &error));
        const char *got = options_get_string(&options, "datadir", NULL);
        if (good[i].want && got)
            assert_string_equal(got, good[i].want);
        else
            assert_ptr_equal(got, good[i].want);
        options_deinit(&options);
    }
}

TEST(errors_name_their_line)
{
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct options options;
        char *error = NULL;
        options_init(&options, table, COUNT_OF(table));
        assert_false(config_file_parse(&options, span_of_string(bad[i].text), "f", &error));
        assert_string_equal(error, bad[i].want);
        xfree(error);
        options_deinit(&options);
    }
}

TEST(a_zero_byte_is_an_error)
{
    struct options options;
    char *error = NULL;
    options_init(&options, table, COUNT_OF(table));
    assert_false(config_file_parse(&options, span_of("par=1\nser\0ver=1\n", 16), "f", &error));
    assert_string_equal(error, PREFIX "parse error on line 2: ser (zero byte in line)");
    xfree(error);
    options_deinit(&options);
}

TEST(a_long_line_is_shown_in_part)
{
    struct options options;
    char *error = NULL, line[5000];
    memset(line, 'x', sizeof line);
    options_init(&options, table, COUNT_OF(table));
    assert_false(config_file_parse(&options, span_of(line, sizeof line), "f", &error));
    assert_true(strlen(error) < 400);
    xfree(error);
    options_deinit(&options);
}

TEST(unknown_names_and_sections_are_told)
{
    static const char text[] = "dash_conf=1\n[testnot]\nserver=1\n[main]\nfoo=1\ntest.bar=1\n"
                               "[regtest]\nreindex=1\n";
    struct options options;
    char *error = NULL;
    options_init(&options, table, COUNT_OF(table));
    assert_true(config_file_parse(&options, span_of_string(text), "dir/c.conf", &error));
    assert_int_equal(options.messages.n, 5);
    assert_string_equal(options.messages.at[0].text,
                        "Ignoring unknown configuration value dash_conf (dir/c.conf:1)");
    assert_int_equal(options.messages.at[0].kind, OPTION_MESSAGE_LOGGED);
    assert_string_equal(options.messages.at[1].text,
                        "dir/c.conf:2 Section [testnot] is not recognized.");
    assert_int_equal(options.messages.at[1].kind, OPTION_MESSAGE_TOLD);
    assert_string_equal(options.messages.at[2].text,
                        "Ignoring unknown configuration value main.foo (dir/c.conf:5)");
    assert_string_equal(options.messages.at[3].text,
                        "Ignoring unknown configuration value main.test.bar (dir/c.conf:6)");
    assert_int_equal(strncmp(options.messages.at[4].text, "reindex=1 is set in the", 23), 0);
    options_deinit(&options);
}

TEST(a_byte_order_mark_is_passed_over_at_the_start_only)
{
    static const char *const texts[] = {"\xef\xbb\xbfserver=0\n", "\nserver=0\n"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct options options;
        char *error = NULL;
        options_init(&options, table, COUNT_OF(table));
        assert_true(config_file_parse(&options, span_of_string(texts[i]), "c", &error));
        assert_false(options_get_bool(&options, "server", true));
        assert_int_equal(options.messages.n, i == 0 ? 1 : 0);
        options_deinit(&options);
    }
    struct options options;
    char *error = NULL;
    options_init(&options, table, COUNT_OF(table));
    assert_false(config_file_parse(&options, span_of_string("\xef\xbb"), "c", &error));
    xfree(error);
    options_deinit(&options);
}

TEST(an_unknown_section_in_a_name_is_told)
{
    struct options options;
    char *error = NULL;
    options_init(&options, table, COUNT_OF(table));
    assert_true(config_file_parse(&options, span_of_string("testnot.datadir=1\n"), "c", &error));
    assert_int_equal(options.messages.n, 1);
    assert_string_equal(options.messages.at[0].text, "c:1 Section [testnot] is not recognized.");
    /* Another one, of another file, is a line of the same message. */
    assert_true(config_file_parse(&options, span_of_string("x=1\n[y]\n"), "d", &error));
    assert_int_equal(options.messages.n, 2);
    assert_string_equal(options.messages.at[0].text, "c:1 Section [testnot] is not recognized.\n"
                                                     "d:2 Section [y] is not recognized.");
    options_deinit(&options);
}

/* Files by name. */
struct files {
    int reads;
};

static int read_file(void *ctx, const char *path, struct buffer *out)
{
    static const struct {
        const char *path, *text;
    } files[] = {
        {"a.conf", "datadir=/a\nincludeconf=b.conf\n"},
        {"b.conf", "par=3\n"},
        {"bad.conf", "server=1\n-bad\n"},
    };
    struct files *counter = ctx;
    counter->reads++;
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        if (strcmp(files[i].path, path) != 0)
            continue;
        buffer_append_string(out, files[i].text);
        return 0;
    }
    return strcmp(path, "folder") == 0 ? -EISDIR : -ENOENT;
}

static bool parse_all(struct options *options, const char *arg, const char *text,
                      struct files *files, char **error)
{
    const char *argv[2] = {"cairnd", arg};
    options_init(options, table, COUNT_OF(table));
    assert_true(options_parse_args(options, arg ? 2 : 1, argv, NULL, error));
    return config_file_parse_all(options, span_of_string(text), "main.conf", read_file, files,
                                 error);
}

TEST(includes_are_read_one_level_deep)
{
    struct options options;
    struct files files = {0};
    char *error = NULL;
    assert_true(parse_all(&options, NULL, "includeconf=a.conf\n", &files, &error));
    assert_string_equal(options_get_string(&options, "datadir", NULL), "/a");
    assert_false(options_is_set(&options, "par"));
    assert_int_equal(files.reads, 1);
    assert_int_equal(options.messages.n, 1);
    assert_string_equal(options.messages.at[0].text,
                        "-includeconf cannot be used from included files; ignoring "
                        "-includeconf=b.conf");
    options_deinit(&options);
}

TEST(includes_of_other_networks_are_not_read)
{
    static const char text[] = "[regtest]\nincludeconf=a.conf\n[test]\nincludeconf=bad.conf\n";
    struct options options;
    struct files files = {0};
    char *error = NULL;
    assert_true(parse_all(&options, "-regtest", text, &files, &error));
    assert_int_equal(files.reads, 1);
    assert_string_equal(options_get_string(&options, "datadir", NULL), "/a");
    options_deinit(&options);
    assert_true(parse_all(&options, NULL, text, &files, &error));
    assert_int_equal(files.reads, 1);
    options_deinit(&options);
}

TEST(includes_can_be_switched_off)
{
    struct options options;
    struct files files = {0};
    char *error = NULL;
    assert_true(parse_all(&options, "-noincludeconf", "includeconf=missing\n", &files, &error));
    assert_int_equal(files.reads, 0);
    options_deinit(&options);
}

TEST(an_include_that_fails_is_an_error)
{
    struct options options;
    struct files files = {0};
    char *error = NULL;
    assert_false(parse_all(&options, NULL, "includeconf=missing\n", &files, &error));
    assert_string_equal(error, PREFIX "Failed to include configuration file missing");
    xfree(error);
    options_deinit(&options);

    assert_false(parse_all(&options, NULL, "includeconf=folder\n", &files, &error));
    assert_string_equal(error, PREFIX "Included config file \"folder\" is a directory.");
    xfree(error);
    options_deinit(&options);

    assert_false(parse_all(&options, NULL, "includeconf=bad.conf\n", &files, &error));
    assert_string_equal(error, PREFIX "parse error on line 2: -bad, options in configuration file "
                                      "must be specified without leading -");
    xfree(error);
    options_deinit(&options);
}
