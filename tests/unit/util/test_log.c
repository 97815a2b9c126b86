/* test_log.c - which lines are written, at which level, and how outside text is escaped. */
#include "support/unit.h"
#include "util/log.h"

struct capture {
    int lines;
    enum log_level level;
    enum log_category category;
    char last[2048];
};

static void capture_line(void *ctx, enum log_level level, enum log_category category,
                         const char *line)
{
    struct capture *capture = ctx;
    capture->lines++;
    capture->level = level;
    capture->category = category;
    strncpy(capture->last, line, sizeof capture->last - 1);
}

TEST(only_enabled_categories_are_written)
{
    struct capture capture = {0};
    struct log log = {.categories = 1u << LOG_RPC, .write = capture_line, .ctx = &capture};
    log_printf(&log, LOG_NET, "from the net");
    assert_int_equal(capture.lines, 0);
    log_printf(&log, LOG_RPC, "method=%s", "stop");
    assert_int_equal(capture.lines, 1);
    assert_string_equal(capture.last, "method=stop");
    assert_int_equal(capture.level, LOG_LEVEL_DEBUG);
    assert_int_equal(capture.category, LOG_RPC);
    log_printf(&log, LOG_ALWAYS, "always");
    assert_int_equal(capture.lines, 2);
    assert_int_equal(capture.level, LOG_LEVEL_INFO);
}

TEST(warnings_and_errors_are_always_written)
{
    struct capture capture = {0};
    struct log log = {.write = capture_line, .ctx = &capture};
    log_warning(&log, "disk at %d%%", 99);
    assert_string_equal(capture.last, "disk at 99%");
    assert_int_equal(capture.level, LOG_LEVEL_WARNING);
    log_error(&log, "disk full");
    assert_int_equal(capture.level, LOG_LEVEL_ERROR);
    assert_int_equal(capture.lines, 2);
}

TEST(no_log_is_a_log_that_is_off)
{
    assert_false(log_is_on(NULL, LOG_ALWAYS));
    log_printf(NULL, LOG_ALWAYS, "nowhere");
    log_warning(NULL, "nowhere");
    log_error(NULL, "nowhere");
}

TEST(long_lines_are_whole)
{
    /* Both sides of the size that fits on the stack. */
    for (int len = 510; len <= 514; len++) {
        struct capture capture = {0};
        struct log log = {.write = capture_line, .ctx = &capture};
        log_printf(&log, LOG_ALWAYS, "%0*d", len, 5);
        assert_int_equal(strlen(capture.last), len);
        assert_int_equal(capture.last[len - 1], '5');
    }
}

/* clang-format off */
static const struct { const char *in; size_t len; size_t out_len; const char *want; } escapes[] = {
    {"/Satoshi:31.0/", 14, 64, "/Satoshi:31.0/"},
    {"a\nb\x7f\xff", 5, 64, "a\\x0ab\\x7f\\xff"},  /* CVE-2018-20586: forged log lines */
    {"\0z", 2, 64, "\\x00z"},
    {"\\x0a", 4, 64, "\\x5cx0a"},
    {"abcdef", 6, 4, "abc"},
    {"ab\n", 3, 6, "ab"},                           /* an escape is whole or absent */
    {"ab\n", 3, 7, "ab\\x0a"},
    {"abc", 3, 1, ""},
};
/* clang-format on */

TEST(outside_text_is_escaped_and_cut)
{
    for (size_t i = 0; i < COUNT_OF(escapes); i++) {
        char out[64];
        memset(out, '#', sizeof out);
        assert_ptr_equal(log_escape(out, escapes[i].out_len, escapes[i].in, escapes[i].len), out);
        assert_string_equal(out, escapes[i].want);
    }
}

TEST(category_names_go_both_ways)
{
    for (int i = 0; i < LOG_CATEGORY_COUNT; i++)
        assert_int_equal(log_category_find(log_category_name((enum log_category)i)), i);
    assert_int_equal(log_category_find("net"), LOG_NET);
    assert_int_equal(log_category_find("nosuch"), -1);
    assert_int_equal(log_category_find(""), -1);
}
