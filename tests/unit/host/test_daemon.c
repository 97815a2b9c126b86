/* test_daemon.c - cairnd as a process: started, asked, signalled, stopped, refused. */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "host/daemon.h"
#include "host/sockets.h"
#include "http_client.h"
#include "support/unit.h"
#include "temp_dir.h"
#include "util/alloc.h"

#define ARGS_MAX 16

struct world {
    struct temp_dir dir;
    int port;
    pid_t child;
};

static int setup(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);
    temp_dir_make(&w->dir);
    int fd = sockets_listen("127.0.0.1", 0);
    w->port = sockets_local_port(fd);
    close(fd);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    if (w->child > 0) {
        kill(w->child, SIGKILL);
        waitpid(w->child, NULL, 0);
    }
    temp_dir_remove(&w->dir);
    xfree(w);
    return 0;
}

FIXTURE(setup, teardown)

/* Run cairnd in a child with these arguments besides directory and port; its output goes to the
 * file "out", but for the log. */
static pid_t launch(struct world *w, char **more)
{
    char datadir[128], port[32], regtest[] = "-regtest", name[] = "cairnd";
    char quiet[] = "-printtoconsole=0", deaf[] = "-listen=0"; /* another node may have the port */
    char *argv[ARGS_MAX] = {name, datadir, port, regtest, quiet, deaf};
    int argc = 6;
    snprintf(datadir, sizeof datadir, "-datadir=%s", w->dir.path);
    snprintf(port, sizeof port, "-rpcport=%d", w->port);
    while (more && *more)
        argv[argc++] = *more++;
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int out = open(temp_path(&w->dir, "out"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(out, STDOUT_FILENO);
        dup2(out, STDERR_FILENO);
        close(out);
        int status = daemon_main(argc, argv);
        fflush(NULL);
        _exit(status);
    }
    return pid;
}

static int exit_status(pid_t pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Call a method with the cookie. Returns: the whole answer, "" if nobody is there yet. free() */
static char *call(struct world *w, const char *method)
{
    char body[128], basic[256], *text = calloc(1, 65536);
    char *cookie = temp_read(&w->dir, "regtest/.cookie");
    int fd = cookie ? client_dial(w->port) : -1;
    if (fd >= 0) {
        size_t len = 0;
        ssize_t n;
        client_basic(cookie, basic, sizeof basic);
        snprintf(body, sizeof body, "{\"method\":\"%s\",\"id\":1}", method);
        client_post(fd, basic, body);
        while ((n = read(fd, text + len, 65535 - len)) > 0)
            len += (size_t)n;
        close(fd);
    }
    free(cookie);
    return text;
}

static void wait_until_ready(struct world *w)
{
    for (int i = 0; i < 2000; i++) {
        char *answer = call(w, "getblockcount");
        bool is_ready = strstr(answer, "\"result\":0");
        free(answer);
        if (is_ready)
            return;
        usleep(5000);
    }
    fail_msg("not ready");
}

static void start(struct world *w, char **more)
{
    w->child = launch(w, more);
    wait_until_ready(w);
}

static int stop(struct world *w, int signal_number)
{
    assert_int_equal(kill(w->child, signal_number), 0);
    int status = exit_status(w->child);
    w->child = 0;
    return status;
}

static bool exists(struct world *w, const char *name)
{
    struct stat st;
    return stat(temp_path(&w->dir, name), &st) == 0;
}

static void assert_says(struct world *w, const char *part)
{
    char *text = temp_read(&w->dir, "out");
    if (!strstr(text, part))
        fail_msg("%s", text);
    free(text);
}

TEST(a_node_starts_answers_and_leaves_nothing_behind, struct world *w)
{
    start(w, NULL);
    char *pid = temp_read(&w->dir, "regtest/cairnd.pid");
    assert_int_equal(atol(pid), w->child);
    free(pid);
    assert_int_equal(stop(w, SIGTERM), 0);
    assert_false(exists(w, "regtest/.cookie"));
    assert_false(exists(w, "regtest/cairnd.pid"));
    char *log = temp_read(&w->dir, "regtest/debug.log");
    assert_non_null(strstr(log, "Shutdown done"));
    free(log);
    /* Nothing to say on a terminal that is none. */
    char *out = temp_read(&w->dir, "out");
    assert_string_equal(out, "");
    free(out);
}

TEST(the_stop_call_gets_its_answer, struct world *w)
{
    start(w, NULL);
    char *answer = call(w, "stop");
    assert_non_null(strstr(answer, "Cairn stopping"));
    free(answer);
    assert_int_equal(exit_status(w->child), 0);
    w->child = 0;
}

TEST(a_second_node_is_refused_and_spares_the_first, struct world *w)
{
    start(w, NULL);
    assert_int_equal(exit_status(launch(w, NULL)), 1);
    assert_says(w, "Error: Cannot obtain a lock on directory ");
    assert_true(exists(w, "regtest/.cookie"));
    char *answer = call(w, "getblockcount");
    assert_non_null(strstr(answer, "\"result\":0"));
    free(answer);
    assert_int_equal(stop(w, SIGINT), 0);
}

TEST(taken_ports_are_refused_and_nothing_is_left, struct world *w)
{
    int v4 = sockets_listen("127.0.0.1", (uint16_t)w->port);
    int v6 = sockets_listen("::1", (uint16_t)w->port);
    assert_int_equal(exit_status(launch(w, NULL)), 1);
    assert_says(w, "Error: Unable to start HTTP server. See debug log for details.");
    char *log = temp_read(&w->dir, "regtest/debug.log");
    assert_non_null(strstr(log, "Unable to bind any endpoint for RPC server: 127.0.0.1 port "));
    free(log);
    assert_false(exists(w, "regtest/.cookie"));
    assert_false(exists(w, "regtest/cairnd.pid"));
    close(v4);
    close(v6);
}

TEST(mistakes_are_one_line_and_status_1, struct world *w)
{
    char unknown[] = "-nosuchoption", auth[] = "-rpcauth=nonsense";
    char *rows[] = {unknown, auth};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *more[] = {rows[i], NULL};
        assert_int_equal(exit_status(launch(w, more)), 1);
        char *out = temp_read(&w->dir, "out");
        assert_int_equal(strncmp(out, "Error: ", 7), 0);
        assert_ptr_equal(strchr(out, '\n'), out + strlen(out) - 1);
        free(out);
    }
}

TEST(help_and_version_are_printed, struct world *w)
{
    char help[] = "-help", version[] = "-version", debug[] = "-help-debug";
    static const char *const parts[] = {"-datadir=<dir>", "Cairn version v", "-checkblocks"};
    char *rows[] = {help, version, debug};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *more[] = {rows[i], NULL};
        assert_int_equal(exit_status(launch(w, more)), 0);
        assert_says(w, parts[i]);
    }
    assert_false(exists(w, "regtest"));
}

TEST(warnings_are_told_and_logged, struct world *w)
{
    char ignored[] = "-rpcbind=0.0.0.0";
    char *more[] = {ignored, NULL};
    start(w, more);
    assert_int_equal(stop(w, SIGTERM), 0);
    assert_says(w, "Warning: Option -rpcbind was ignored");
    char *log = temp_read(&w->dir, "regtest/debug.log");
    assert_non_null(strstr(log, "[warning] Option -rpcbind was ignored"));
    free(log);
}

TEST(a_hangup_opens_the_log_anew, struct world *w)
{
    char moved[256];
    start(w, NULL);
    snprintf(moved, sizeof moved, "%s/regtest/debug.log.1", w->dir.path);
    assert_int_equal(rename(temp_path(&w->dir, "regtest/debug.log"), moved), 0);
    assert_int_equal(kill(w->child, SIGHUP), 0);
    for (int i = 0; i < 1000 && !exists(w, "regtest/debug.log"); i++)
        usleep(2000);
    assert_true(exists(w, "regtest/debug.log"));
    assert_int_equal(stop(w, SIGTERM), 0);
    char *log = temp_read(&w->dir, "regtest/debug.log");
    assert_non_null(strstr(log, "Shutdown done"));
    free(log);
}

TEST(commands_run_at_start_and_stop, struct world *w)
{
    char at_start[256], at_stop[256], again[256];
    snprintf(at_start, sizeof at_start, "-startupnotify=echo up >%s/up", w->dir.path);
    snprintf(at_stop, sizeof at_stop, "-shutdownnotify=sleep 0.1; echo down >%s/down", w->dir.path);
    snprintf(again, sizeof again, "-shutdownnotify=echo too >%s/too", w->dir.path);
    char *more[] = {at_start, at_stop, again, NULL};
    start(w, more);
    for (int i = 0; i < 1000 && !exists(w, "up"); i++)
        usleep(2000);
    assert_true(exists(w, "up"));
    assert_false(exists(w, "down"));
    assert_int_equal(stop(w, SIGTERM), 0);
    assert_true(exists(w, "down"));
    assert_true(exists(w, "too"));
}

TEST(in_the_background_the_start_is_waited_for, struct world *w)
{
    char background[] = "-daemonwait";
    char *more[] = {background, NULL};
    assert_int_equal(exit_status(launch(w, more)), 0);
    char *answer = call(w, "getblockcount");
    assert_non_null(strstr(answer, "\"result\":0"));
    free(answer);
    assert_says(w, "Cairn starting");
    /* The lock went with the child. */
    assert_int_equal(exit_status(launch(w, more)), 1);
    char *text = temp_read(&w->dir, "regtest/cairnd.pid");
    pid_t pid = (pid_t)atol(text);
    free(text);
    assert_int_equal(kill(pid, SIGTERM), 0);
    for (int i = 0; i < 2000 && exists(w, "regtest/cairnd.pid"); i++)
        usleep(5000);
    assert_false(exists(w, "regtest/cairnd.pid"));
}

TEST(a_start_that_fails_in_the_background_is_reported, struct world *w)
{
    char background[] = "-daemonwait", auth[] = "-rpcauth=nonsense";
    char *more[] = {background, auth, NULL};
    assert_int_equal(exit_status(launch(w, more)), 1);
    assert_says(w, "Error: Unable to start HTTP server. See debug log for details.\n");
}

TEST(without_a_server_there_is_no_port_and_no_cookie, struct world *w)
{
    char no_server[] = "-server=0";
    char *more[] = {no_server, NULL};
    w->child = launch(w, more);
    for (int i = 0; i < 2000 && !exists(w, "regtest/cairnd.pid"); i++)
        usleep(2000);
    assert_false(exists(w, "regtest/.cookie"));
    assert_int_equal(client_dial(w->port), -1);
    usleep(50000);
    assert_int_equal(stop(w, SIGTERM), 0);
}
