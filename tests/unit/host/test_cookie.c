/* test_cookie.c - the cookie is secret, whole, and gone when it should be. */
#include <sys/stat.h>

#include "host/cookie.h"
#include "host/env_host.h"
#include "support/unit.h"
#include "temp_dir.h"
#include "util/alloc.h"

struct world {
    struct temp_dir dir;
    struct env_host *host;
    const struct env *env;
};

static int setup(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);
    temp_dir_make(&w->dir);
    w->host = env_host_new(1);
    w->env = env_host_env(w->host);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    temp_dir_remove(&w->dir);
    env_host_free(w->host);
    xfree(w);
    return 0;
}

FIXTURE(setup, teardown)

static char *create(struct world *w, unsigned mode)
{
    char *error = NULL;
    char *cookie = cookie_create(w->env, temp_path(&w->dir, ".cookie"), mode, &error);
    assert_non_null(cookie);
    assert_null(error);
    return cookie;
}

TEST(a_cookie_is_256_random_bits_in_a_private_file, struct world *w)
{
    /* Even where new files would be open to all. */
    mode_t before = umask(0);
    char *cookie = create(w, 0600);
    umask(before);
    assert_int_equal(strlen(cookie), strlen("__cookie__:") + 64);
    assert_memory_equal(cookie, "__cookie__:", 11);
    assert_int_equal(strspn(cookie + 11, "0123456789abcdef"), 64);
    char *text = temp_read(&w->dir, ".cookie");
    assert_string_equal(text, cookie);
    free(text);
    struct stat st;
    assert_int_equal(stat(temp_path(&w->dir, ".cookie"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(temp_path(&w->dir, ".cookie.tmp"), &st), -1);

    char *second = create(w, 0600);
    assert_string_not_equal(cookie, second);
    cookie_free(cookie);
    cookie_free(second);
    cookie_free(NULL);
}

TEST(wider_permissions_are_given_only_when_asked_for, struct world *w)
{
    mode_t before = umask(0777);
    char *cookie = create(w, 0640);
    umask(before);
    struct stat st;
    assert_int_equal(stat(temp_path(&w->dir, ".cookie"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    cookie_free(cookie);
}

TEST(a_link_in_its_place_is_replaced_not_followed, struct world *w)
{
    temp_write(&w->dir, "victim", "precious");
    char target[256];
    strcpy(target, temp_path(&w->dir, "victim"));
    assert_int_equal(symlink(target, temp_path(&w->dir, ".cookie")), 0);
    assert_int_equal(symlink(target, temp_path(&w->dir, ".cookie.tmp")), 0);
    cookie_free(create(w, 0600));
    char *text = temp_read(&w->dir, "victim");
    assert_string_equal(text, "precious");
    free(text);
    struct stat st;
    assert_int_equal(lstat(temp_path(&w->dir, ".cookie"), &st), 0);
    assert_true(S_ISREG(st.st_mode));
}

TEST(removing_spares_the_cookie_of_another_node, struct world *w)
{
    struct stat st;
    char *old = create(w, 0600), *new = create(w, 0600);
    cookie_remove(temp_path(&w->dir, ".cookie"), old);
    assert_int_equal(stat(temp_path(&w->dir, ".cookie"), &st), 0);
    cookie_remove(temp_path(&w->dir, ".cookie"), new);
    assert_int_equal(stat(temp_path(&w->dir, ".cookie"), &st), -1);
    cookie_remove(temp_path(&w->dir, ".cookie"), new);
    cookie_free(old);
    cookie_free(new);
}

TEST(a_failure_names_the_file, struct world *w)
{
    char *error = NULL;
    assert_null(cookie_create(w->env, temp_path(&w->dir, "none/.cookie"), 0600, &error));
    assert_non_null(strstr(error, "none/.cookie: No such file"));
    xfree(error);
}
