/* test_replace_file.c - in which order a file is replaced, and what an error at each step leaves.
 */
#include <errno.h>

#include "support/unit.h"
#include "util/assert.h"
#include "util/replace_file.h"

/* A world that notes the calls; the fail_at-th (from 1) fails. */
struct world {
    char calls[400];
    int n_calls, fail_at;
};

struct env_file {
    int unused;
};

static struct env_file the_file;

static int note(struct world *w, const char *call, const char *path)
{
    size_t at = strlen(w->calls);
    snprintf(w->calls + at, sizeof w->calls - at, "%s %s\n", call, path);
    return ++w->n_calls == w->fail_at ? -EIO : 0;
}

static int file_open(void *ctx, const char *path, int flags, struct env_file **out)
{
    assert_int_equal(flags, ENV_OPEN_WRITE | ENV_OPEN_CREATE | ENV_OPEN_TRUNCATE);
    *out = &the_file;
    return note(ctx, "open", path);
}

static int file_write_at(void *ctx, struct env_file *file, uint64_t offset, const void *p, size_t n)
{
    char text[20];
    assert_ptr_equal(file, &the_file);
    assert_int_equal(offset, 0);
    snprintf(text, sizeof text, "%.*s", (int)n, (const char *)p);
    return note(ctx, "write", text);
}

static int file_sync(void *ctx, struct env_file *file)
{
    assert_ptr_equal(file, &the_file);
    return note(ctx, "sync", "it");
}

static void file_close(void *ctx, struct env_file *file)
{
    struct world *w = ctx;
    assert_ptr_equal(file, &the_file);
    int n_calls = w->n_calls;
    (void)note(w, "close", "it");
    w->n_calls = n_calls; /* cannot fail */
}

static int rename_file(void *ctx, const char *from, const char *to)
{
    char both[100];
    snprintf(both, sizeof both, "%s to %s", from, to);
    return note(ctx, "rename", both);
}

static int sync_dir(void *ctx, const char *path)
{
    return note(ctx, "sync_dir", path);
}

static int replace(struct world *w, const char *path)
{
    const struct env env = {.files = {.ctx = w,
                                      .open = file_open,
                                      .write_at = file_write_at,
                                      .sync = file_sync,
                                      .close = file_close,
                                      .rename = rename_file,
                                      .sync_dir = sync_dir}};
    return replace_file(&env, path, span_of("abc", 3));
}

TEST(bytes_then_name_then_directory)
{
    struct world w = {0};
    assert_int_equal(replace(&w, "a/b/c.dat"), 0);
    assert_string_equal(w.calls, "open a/b/c.dat.new\nwrite abc\nsync it\nclose it\n"
                                 "rename a/b/c.dat.new to a/b/c.dat\nsync_dir a/b\n");
}

TEST(every_path_has_a_directory)
{
    static const char *const rows[][2] = {{"c.dat", "sync_dir .\n"}, {"/c.dat", "sync_dir /\n"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world w = {0};
        assert_int_equal(replace(&w, rows[i][0]), 0);
        assert_non_null(strstr(w.calls, rows[i][1]));
    }
}

TEST(an_error_ends_it_there)
{
    static const char *const last[] = {"open", "write", "sync", "rename", "sync_dir"};
    for (int i = 0; i < (int)COUNT_OF(last); i++) {
        struct world w = {.fail_at = i + 1};
        assert_int_equal(replace(&w, "d/c.dat"), -EIO);
        assert_int_equal(w.n_calls, i + 1);
        assert_non_null(strstr(w.calls, last[i]));
        assert_true((strstr(w.calls, "close") != NULL) == (i > 0));
    }
}
