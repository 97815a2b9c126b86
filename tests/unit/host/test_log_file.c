/* test_log_file.c - lines arrive whole and dated, cannot be forged, and cannot fill the disk. */
#include <sys/stat.h>

#include "host/log_file.h"
#include "support/unit.h"
#include "temp_dir.h"
#include "util/alloc.h"

struct world {
    struct temp_dir dir;
    char path[128];
    struct log_file_options options;
    struct log_file *file;
};

static int setup(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);
    temp_dir_make(&w->dir);
    snprintf(w->path, sizeof w->path, "%s/debug.log", w->dir.path);
    w->options = (struct log_file_options){.path = w->path, .limit_rate = true};
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    log_file_close(w->file);
    temp_dir_remove(&w->dir);
    xfree(w);
    return 0;
}

FIXTURE(setup, teardown)

static struct log *open_log(struct world *w)
{
    char *error = NULL;
    w->file = log_file_open(&w->options, &error);
    assert_non_null(w->file);
    assert_null(error);
    return log_file_log(w->file);
}

static void assert_text(struct world *w, const char *name, const char *want)
{
    char *text = temp_read(&w->dir, name);
    assert_non_null(text);
    assert_string_equal(text, want);
    free(text);
}

TEST(lines_carry_category_or_level, struct world *w)
{
    w->options.categories = UINT32_C(1) << LOG_NET;
    struct log *log = open_log(w);
    log_printf(log, LOG_ALWAYS, "height %d", 7);
    log_printf(log, LOG_NET, "peer");
    log_printf(log, LOG_RPC, "off");
    log_warning(log, "low disk");
    log_error(log, "no disk");
    log->categories |= UINT32_C(1) << LOG_RPC;
    log_printf(log, LOG_RPC, "on");
    assert_text(w, "debug.log",
                "height 7\n[net] peer\n[warning] low disk\n[error] no disk\n[rpc] on\n");
}

TEST(times_are_iso_8601_with_or_without_microseconds, struct world *w)
{
    w->options.timestamps = true;
    log_printf(open_log(w), LOG_ALWAYS, "x");
    char *text = temp_read(&w->dir, "debug.log");
    int y, mo, d, h, mi, s, n = 0;
    assert_int_equal(sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2dZ x\n%n", &y, &mo, &d, &h, &mi, &s, &n),
                     6);
    assert_int_equal(n, strlen(text));
    assert_true(y >= 2024 && mo <= 12 && d <= 31);
    free(text);
    log_file_close(w->file);

    w->options.time_micros = true;
    log_printf(open_log(w), LOG_ALWAYS, "y");
    text = temp_read(&w->dir, "debug.log");
    const char *second = strchr(text, '\n') + 1;
    /* 2026-01-01T00:00:00.000000Z */
    assert_int_equal(second[19], '.');
    assert_int_equal(strspn(second + 20, "0123456789"), 6);
    assert_string_equal(second + 26, "Z y\n");
    free(text);
}

TEST(control_bytes_cannot_forge_a_line, struct world *w)
{
    log_printf(open_log(w), LOG_ALWAYS, "agent %s", "a\n2026 fake\r\x1b[2J\x7f\xc3\xa4");
    assert_text(w, "debug.log", "agent a\\x0a2026 fake\\x0d\\x1b[2J\\x7f\xc3\xa4\n");
}

static off_t size_of(struct world *w)
{
    struct stat st;
    assert_int_equal(stat(w->path, &st), 0);
    return st.st_size;
}

TEST(a_flood_of_one_kind_is_cut_but_others_pass, struct world *w)
{
    struct log *log = open_log(w);
    for (int i = 0; i < 30000; i++)
        log_printf(log, LOG_ALWAYS, "invalid block %d from somebody somewhere in the world", i);
    off_t flooded = size_of(w);
    assert_true(flooded <= LOG_FILE_LIMIT_BYTES + 1000);
    assert_true(flooded >= LOG_FILE_LIMIT_BYTES - 1000);
    log_printf(log, LOG_ALWAYS, "something else");
    assert_true(size_of(w) > flooded);
}

TEST(debug_categories_and_an_unlimited_log_are_not_cut, struct world *w)
{
    w->options.categories = UINT32_MAX;
    struct log *log = open_log(w);
    char line[1000];
    memset(line, 'd', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    for (int i = 0; i < 1200; i++)
        log_printf(log, LOG_NET, "%s", line);
    assert_true(size_of(w) > 1200 * 1000);
    log_file_close(w->file);
    w->options.limit_rate = false;
    log = open_log(w);
    for (int i = 0; i < 1200; i++)
        log_printf(log, LOG_ALWAYS, "%s", line);
    assert_true(size_of(w) > 2 * 1200 * 1000);
}

TEST(a_moved_file_is_opened_anew, struct world *w)
{
    struct log *log = open_log(w);
    log_printf(log, LOG_ALWAYS, "before");
    assert_int_equal(rename(w->path, temp_path(&w->dir, "debug.log.1")), 0);
    log_printf(log, LOG_ALWAYS, "still the old one");
    log_file_reopen(w->file);
    log_printf(log, LOG_ALWAYS, "after");
    assert_text(w, "debug.log.1", "before\nstill the old one\n");
    assert_text(w, "debug.log", "after\n");
}

TEST(a_large_file_is_cut_to_its_end_when_opened, struct world *w)
{
    for (int extra = 0; extra <= 1; extra++) {
        FILE *f = fopen(w->path, "wb");
        assert_int_equal(ftruncate(fileno(f), LOG_FILE_SHRINK_BYTES / 10 * 11 + extra - 5), 0);
        fseek(f, 0, SEEK_END);
        fputs("last\n", f);
        fclose(f);
        w->options.shrink = true;
        log_file_close(w->file);
        open_log(w);
        assert_int_equal(size_of(w),
                         extra ? LOG_FILE_SHRINK_BYTES : LOG_FILE_SHRINK_BYTES / 10 * 11);
    }
    char end[8] = "";
    FILE *f = fopen(w->path, "rb");
    fseek(f, -5, SEEK_END);
    assert_int_equal(fread(end, 1, 5, f), 5);
    fclose(f);
    assert_string_equal(end, "last\n");
}

TEST(a_log_without_a_file_is_fine_and_one_that_cannot_be_opened_is_named, struct world *w)
{
    w->options.path = NULL;
    log_printf(open_log(w), LOG_ALWAYS, "nowhere");
    log_file_reopen(w->file);
    char *error = NULL;
    w->options.path = w->dir.path;
    assert_null(log_file_open(&w->options, &error));
    assert_non_null(strstr(error, "Could not open debug log file"));
    xfree(error);
    log_file_close(NULL);
}

TEST(category_names_are_parsed)
{
    uint32_t bits = 7;
    assert_true(log_file_parse_category("net", &bits));
    assert_int_equal(bits, UINT32_C(1) << LOG_NET);
    assert_true(log_file_parse_category("1", &bits));
    assert_int_equal(bits, UINT32_MAX);
    assert_true(log_file_parse_category("all", &bits));
    assert_true(log_file_parse_category("0", &bits));
    assert_int_equal(bits, 0);
    assert_true(log_file_parse_category("none", &bits));
    assert_false(log_file_parse_category("nets", &bits));
}

TEST(lines_may_be_json, struct world *w)
{
    w->options.as_json = true;
    w->options.categories = UINT32_C(1) << LOG_NET;
    struct log *log = open_log(w);
    log_printf(log, LOG_NET, "a \"peer\"\n\\ \x7f \xc3\xa4 \xff\xc3");
    log_error(log, "gone");
    char *text = temp_read(&w->dir, "debug.log");
    assert_non_null(text);
    char *second = strchr(text, '\n') + 1;
    assert_memory_equal(text, "{\"time\":\"2", 10);
    assert_non_null(strstr(text, "Z\",\"level\":\""));
    assert_non_null(strstr(text, "\",\"category\":\"net\",\"message\":\"a \\\"peer\\\"\\u000a\\\\ "
                                 "\\u007f \xc3\xa4 \\ufffd\\ufffd\"}\n"));
    assert_non_null(strstr(second, "Z\",\"level\":\"error\",\"category\":\"main\",\"message\":"
                                   "\"gone\"}\n"));
    free(text);
}
