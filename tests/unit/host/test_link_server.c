/* test_link_server.c - how the program is called; tests/functional/test_lab.py has packets. */
#include "host/link_server.h"

#include <sys/wait.h>
#include <unistd.h>

#include "support/unit.h"
#include "util/alloc.h"

/* In a child, which "run" turns into a program. Returns: its exit status, or 128 and the signal */
static int status_of(const char *const *argv, int argc)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(link_main(argc, argv));
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST(bad_calls_are_told_how)
{
    const char *const none[] = {"cairn-link", NULL};
    const char *const odd[] = {"cairn-link", "fly", "x", NULL};
    const char *const seed[] = {"cairn-link", "serve", "x", "y", NULL};
    const char *const few[] = {"cairn-link", "run", "1", "-", NULL};
    assert_int_equal(status_of(none, 1), 2);
    assert_int_equal(status_of(odd, 3), 2);
    assert_int_equal(status_of(seed, 4), 2);
    assert_int_equal(status_of(few, 4), 2);
}

TEST(a_program_runs_only_for_who_started_it)
{
    char *parent = xasprintf("%ld", (long)getpid());
    const char *const yes[] = {"cairn-link", "run", parent, "-", "/bin/sh", "-c", "exit 9", NULL};
    const char *const orphan[] = {"cairn-link", "run", "1", "-", "/bin/sh", "-c", "exit 9", NULL};
    const char *const nobody[] = {"cairn-link", "run", "me", "-", "/bin/true", NULL};
    const char *const nowhere[] = {"cairn-link", "run", parent, "/nowhere", "/bin/true", NULL};
    const char *const nothing[] = {"cairn-link", "run", parent, "-", "/no/program", NULL};
    assert_int_equal(status_of(yes, 7), 9);
    assert_int_equal(status_of(orphan, 7), 1);
    assert_int_equal(status_of(nobody, 5), 1);
    assert_int_equal(status_of(nowhere, 5), 1);
    assert_int_equal(status_of(nothing, 5), 1);
    xfree(parent);
}

TEST(a_path_that_is_no_socket_s_is_refused)
{
    char longest[200];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    const char *const too_long[] = {"cairn-link", "serve", longest, NULL};
    const char *const nowhere[] = {"cairn-link", "serve", "/nowhere/socket", "7", NULL};
    assert_int_equal(status_of(too_long, 3), 1);
    assert_int_equal(status_of(nowhere, 4), 1);
}
