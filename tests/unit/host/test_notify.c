/* test_notify.c - commands run, in bounded number, and strangers' text is never shell syntax. */
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "host/loop.h"
#include "host/notify.h"
#include "support/unit.h"
#include "temp_dir.h"
#include "util/alloc.h"

struct world {
    struct temp_dir dir;
    struct loop *loop;
    struct notify *notify;
    bool timed_out;
};

static int setup(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);
    temp_dir_make(&w->dir);
    w->loop = loop_new();
    w->notify = notify_new(w->loop, NULL);
    assert_non_null(w->notify);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    notify_free(w->notify);
    loop_free(w->loop);
    temp_dir_remove(&w->dir);
    xfree(w);
    return 0;
}

FIXTURE(setup, teardown)

static void set_timed_out(void *arg)
{
    ((struct world *)arg)->timed_out = true;
}

static void run_until_idle(struct world *w)
{
    uint64_t limit = loop_timer_start(w->loop, 10000000, set_timed_out, w);
    while (notify_pending(w->notify) > 0 && !w->timed_out)
        loop_run_once(w->loop, true);
    assert_false(w->timed_out);
    loop_timer_cancel(w->loop, limit);
}

TEST(text_is_put_in_place_and_cleaned)
{
    static const struct {
        const char *command, *text;
        bool quoted;
        const char *want;
    } rows[] = {
        {"echo %s", "00ff", false, "echo 00ff"},
        {"echo %s %s!", "a", false, "echo a a!"},
        {"echo %s", "disk is low", true, "echo 'disk is low'"},
        {"echo", "x", false, "echo"},
        {"%s", "", true, "''"},
        {"100% of %d", "x", false, "100% of %d"},
        {"echo %s", "$(rm -rf /) `x` ; 'a' \"b\" | c > d \n e & \\", true,
         "echo '(rm -rf /) x ; a b  c  d  e  '"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *line = notify_format(rows[i].command, rows[i].text, rows[i].quoted);
        assert_string_equal(line, rows[i].want);
        xfree(line);
    }
}

TEST(a_command_runs_and_is_reaped, struct world *w)
{
    char command[256];
    snprintf(command, sizeof command, "printf %%s >%s/out", w->dir.path);
    notify_run(w->notify, command, "abc", false);
    assert_int_equal(notify_pending(w->notify), 1);
    run_until_idle(w);
    char *text = temp_read(&w->dir, "out");
    assert_string_equal(text, "abc");
    free(text);
}

TEST(many_commands_wait_their_turn, struct world *w)
{
    char command[256];
    snprintf(command, sizeof command, "sleep 0.02; echo x >>%s/out", w->dir.path);
    for (int i = 0; i < 3 * NOTIFY_RUNNING_MAX; i++)
        notify_run(w->notify, command, "", false);
    assert_int_equal(notify_pending(w->notify), 3 * NOTIFY_RUNNING_MAX);
    run_until_idle(w);
    char *text = temp_read(&w->dir, "out");
    assert_int_equal(strlen(text), 2 * 3 * NOTIFY_RUNNING_MAX);
    free(text);
}

TEST(the_queue_is_bounded, struct world *w)
{
    for (int i = 0; i < NOTIFY_RUNNING_MAX + NOTIFY_WAITING_MAX + 10; i++)
        notify_run(w->notify, "sleep 0.1", "", false);
    assert_int_equal(notify_pending(w->notify), NOTIFY_RUNNING_MAX + NOTIFY_WAITING_MAX);
}

TEST(a_command_that_fails_is_no_trouble, struct world *w)
{
    notify_run(w->notify, "exit 3", "", false);
    notify_run(w->notify, "kill -9 $$", "", false);
    run_until_idle(w);
    assert_int_equal(notify_pending(w->notify), 0);
}

TEST(commands_get_ordinary_signals_back, struct world *w)
{
    char command[256];
    loop_ignore_signals();
    /* With SIGPIPE ignored, yes would complain for ever instead of ending. */
    snprintf(command, sizeof command, "(yes; echo $? >%s/out) | head -1 >/dev/null", w->dir.path);
    notify_run(w->notify, command, "", false);
    run_until_idle(w);
    for (int i = 0; i < 100 && access(temp_path(&w->dir, "out"), F_OK) != 0; i++)
        usleep(10000);
    char *text = temp_read(&w->dir, "out");
    assert_non_null(text);
    assert_int_equal(atoi(text), 128 + SIGPIPE);
    free(text);
}

TEST(systemd_is_told, struct world *w)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s/socket", w->dir.path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    setenv("NOTIFY_SOCKET", at.sun_path, 1);
    notify_systemd("READY=1");
    char got[32] = "";
    assert_int_equal(recv(fd, got, sizeof got, 0), 7);
    assert_string_equal(got, "READY=1");
    setenv("NOTIFY_SOCKET", "relative", 1);
    notify_systemd("READY=1");
    unsetenv("NOTIFY_SOCKET");
    notify_systemd("READY=1");
    assert_int_equal(recv(fd, got, sizeof got, 0), -1);
    close(fd);
}
