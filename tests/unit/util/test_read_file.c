/* test_read_file.c - the whole of a file, or an error and nothing of it. */
#include <errno.h>

#include "support/unit.h"
#include "util/read_file.h"

/* A world of one file of that size; each call may fail. */
struct world {
    int64_t size;
    int open_error, read_error;
    int n_open; /* opened and not closed */
};

static int open_it(void *ctx, const char *path, int flags, struct env_file **out)
{
    struct world *w = ctx;
    assert_string_equal(path, "a/b.dat");
    assert_int_equal(flags, ENV_OPEN_READ);
    *out = NULL;
    w->n_open += w->open_error == 0;
    return w->open_error;
}

static int64_t size_of_it(void *ctx, struct env_file *file)
{
    (void)file;
    return ((struct world *)ctx)->size;
}

static int64_t read_it(void *ctx, struct env_file *file, uint64_t offset, void *p, size_t n)
{
    struct world *w = ctx;
    (void)file;
    assert_int_equal(offset, 0);
    assert_int_equal(n, w->size);
    memset(p, 'x', n);
    return w->read_error ? w->read_error : (int64_t)n;
}

static void close_it(void *ctx, struct env_file *file)
{
    (void)file;
    ((struct world *)ctx)->n_open--;
}

/* Its answer; of out's bytes "ab" stand before. */
static int read_with(struct world *w, size_t want_len)
{
    const struct env env = {.files = {.ctx = w,
                                      .open = open_it,
                                      .size = size_of_it,
                                      .read_at = read_it,
                                      .close = close_it}};
    struct buffer out;
    buffer_init(&out);
    buffer_append(&out, "ab", 2);
    int error = read_file(&env, "a/b.dat", 10, &out);
    assert_int_equal(out.len, 2 + want_len);
    assert_memory_equal(out.p, "abxxxxxxxxxx", out.len);
    assert_int_equal(w->n_open, 0);
    buffer_deinit(&out);
    return error;
}

TEST(all_of_it_is_appended_up_to_the_limit)
{
    for (int64_t size = 0; size <= 10; size++)
        assert_int_equal(read_with(&(struct world){.size = size}, (size_t)size), 0);
    assert_int_equal(read_with(&(struct world){.size = 11}, 0), -EFBIG);
}

TEST(an_error_leaves_what_was_there)
{
    assert_int_equal(read_with(&(struct world){.size = 3, .open_error = -ENOENT}, 0), -ENOENT);
    assert_int_equal(read_with(&(struct world){.size = -EIO}, 0), -EIO);
    assert_int_equal(read_with(&(struct world){.size = 3, .read_error = -EIO}, 0), -EIO);
}
