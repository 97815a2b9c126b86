/* test_options_help.c - the layout of the help text. */
#include "support/unit.h"
#include "util/options_help.h"

#define LONG_TEXT                                                                                  \
    "Stop running after importing blocks from disk, which takes so many words to say that they "   \
    "need more than one line of the help text, and even a third one."

/* clang-format off */
static const struct option_def table[] = {
    {"rpcport",  "<port>", "Listen for requests on <port>",
     OPTION_CATEGORY_RPC,     OPTION_INT,  .flags = 0},
    {"version",  NULL,     "Print version and exit",
     OPTION_CATEGORY_GENERAL, OPTION_BOOL, .flags = 0},
    {"stopafterblockimport", NULL, LONG_TEXT,
     OPTION_CATEGORY_DEBUG,   OPTION_BOOL, .flags = OPTION_DEBUG_ONLY},
    {"keypool",  "<n>",    "Ignored",
     OPTION_CATEGORY_GENERAL, OPTION_INT,  .flags = OPTION_IGNORED},
    {"secret",   NULL,     "Hidden",
     OPTION_CATEGORY_GENERAL, OPTION_BOOL, .flags = OPTION_HIDDEN},
    {"server",   NULL,     "Accept commands",
     OPTION_CATEGORY_RPC,     OPTION_BOOL, .flags = 0},
};
/* clang-format on */

static const char *help(struct buffer *out, bool with_debug)
{
    struct options options;
    options_init(&options, table, COUNT_OF(table));
    options_help(&options, with_debug, out);
    options_deinit(&options);
    buffer_append(out, "", 1);
    return (const char *)out->p;
}

TEST(options_are_grouped_and_keep_the_order_of_the_table)
{
    struct buffer out;
    buffer_init(&out);
    assert_string_equal(help(&out, false), "Options:\n\n"
                                           "  -version\n"
                                           "       Print version and exit\n\n"
                                           "RPC server options:\n\n"
                                           "  -rpcport=<port>\n"
                                           "       Listen for requests on <port>\n\n"
                                           "  -server\n"
                                           "       Accept commands\n\n");
    buffer_deinit(&out);
}

TEST(debugging_options_are_shown_on_request)
{
    struct buffer out;
    buffer_init(&out);
    const char *text = help(&out, true);
    assert_non_null(strstr(text, "Debugging/Testing options:\n\n  -stopafterblockimport\n"));
    assert_null(strstr(text, "keypool"));
    assert_null(strstr(text, "secret"));
    buffer_deinit(&out);
}

TEST(no_line_passes_the_limit_and_no_word_is_lost)
{
    for (size_t indent = 0; indent < 70; indent++) {
        struct buffer out;
        buffer_init(&out);
        options_help_wrap(LONG_TEXT, indent, &out);
        size_t column = 0, words = 1, want = 1;
        for (size_t i = 0; i < out.len; i++) {
            column = out.p[i] == '\n' ? 0 : column + 1;
            assert_true(column <= OPTIONS_HELP_COLUMNS);
            bool is_word = out.p[i] != ' ' && out.p[i] != '\n';
            bool starts = is_word && i > 0 && (out.p[i - 1] == ' ' || out.p[i - 1] == '\n');
            words += starts && i > indent;
        }
        for (const char *s = LONG_TEXT; *s; s++)
            want += *s == ' ';
        assert_int_equal(words, want);
        buffer_deinit(&out);
    }
}

TEST(a_word_beyond_the_limit_stays_whole)
{
    char word[101];
    memset(word, 'w', 100);
    word[100] = '\0';
    struct buffer out;
    buffer_init(&out);
    options_help_wrap("a", 2, &out);
    options_help_wrap(word, 2, &out);
    options_help_wrap("one\n\ntwo", 2, &out);
    assert_int_equal(out.len, 4 + 103 + 6 + 1 + 6);
    assert_memory_equal(out.p + 107, "  one\n\n  two\n", 13);
    buffer_deinit(&out);
}
