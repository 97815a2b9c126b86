/* test_key_file.c - a key outlives the process, and is never written over if it cannot be read. */
#include "p2p/core/key_file.h"

#include "sim/sim_env.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/read_file.h"
#include "util/replace_file.h"

#define PATH    "dir/key"
#define KEY_MAX 16

struct world {
    struct sim_env *sim;
    const struct env *env;
    struct key_file file;
};

static int setup(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);
    w->sim = sim_env_new(5);
    w->env = sim_env_get(w->sim);
    assert_int_equal(env_make_dir(w->env, "dir"), 0);
    key_file_init(&w->file, w->env, NULL, "dir", "key", KEY_MAX);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    key_file_deinit(&w->file);
    sim_env_free(w->sim);
    xfree(w);
    return 0;
}

FIXTURE(setup, teardown)

/* text NULL: nothing is read. */
static void expect_read(struct world *w, const char *text)
{
    struct buffer bytes;
    buffer_init(&bytes);
    assert_int_equal(key_file_read(&w->file, &bytes), text != NULL);
    assert_int_equal(bytes.len, text ? strlen(text) : 0);
    if (text)
        assert_memory_equal(bytes.p, text, bytes.len);
    buffer_deinit(&bytes);
}

static void put(struct world *w, const char *text)
{
    assert_int_equal(replace_file(w->env, PATH, span_of_string(text)), 0);
}

TEST(a_key_is_read_as_it_was_kept, struct world *w)
{
    expect_read(w, NULL);
    assert_true(key_file_keep(&w->file, span_of_string("0123456789abcdef")));
    expect_read(w, "0123456789abcdef");
    assert_true(key_file_keep(&w->file, span_of_string("another")));
    expect_read(w, "another");
}

TEST(one_that_is_too_long_is_left_alone, struct world *w)
{
    struct buffer bytes;
    put(w, "0123456789abcdefg");
    expect_read(w, NULL);
    assert_false(key_file_keep(&w->file, span_of_string("another")));
    buffer_init(&bytes);
    assert_int_equal(read_file(w->env, PATH, KEY_MAX + 1, &bytes), 0);
    assert_int_equal(bytes.len, KEY_MAX + 1);
    buffer_deinit(&bytes);
}

TEST(one_that_the_caller_refuses_is_left_alone_until_it_is_mended, struct world *w)
{
    put(w, "no key");
    expect_read(w, "no key");
    key_file_refuse(&w->file);
    assert_false(key_file_keep(&w->file, span_of_string("another")));
    put(w, "a key");
    expect_read(w, "a key");
    assert_true(key_file_keep(&w->file, span_of_string("another")));
    expect_read(w, "another");
}

TEST(an_empty_file_holds_nothing_to_keep, struct world *w)
{
    put(w, "");
    expect_read(w, NULL);
    assert_true(key_file_keep(&w->file, span_of_string("another")));
    expect_read(w, "another");
}

TEST(without_a_directory_nothing_is_kept, struct world *w)
{
    struct key_file nowhere;
    struct buffer bytes;
    key_file_init(&nowhere, w->env, NULL, NULL, "key", KEY_MAX);
    buffer_init(&bytes);
    assert_false(key_file_keep(&nowhere, span_of_string("another")));
    assert_false(key_file_read(&nowhere, &bytes));
    assert_int_equal(bytes.len, 0);
    buffer_deinit(&bytes);
    key_file_deinit(&nowhere);
}
