/* notify.c - see notify.h */
#include "host/notify.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/loop.h"
#include "util/alloc.h"
#include "util/buffer.h"
#include "util/ring.h"

struct notify {
    const struct log *log;
    struct loop_signal *child_signal;
    pid_t running[NOTIFY_RUNNING_MAX];
    size_t n_running;
    struct ring waiting; /* command lines, char * */
};

extern char **environ;

/* A warning may quote what a peer sent, and all of this becomes a line for the shell: letters, and
 * signs that mean nothing to it within quotes. Spec: Core SanitizeString() */
static bool is_harmless(char c)
{
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return true;
    return c != '\0' && strchr(" .,;-_/:?@()", c);
}

char *notify_format(const char *command, const char *text, bool quoted)
{
    struct buffer line;
    buffer_init(&line);
    const char *at;
    while ((at = strstr(command, "%s"))) {
        buffer_append(&line, command, (size_t)(at - command));
        buffer_append_string(&line, quoted ? "'" : "");
        for (const char *c = text; *c; c++) {
            if (is_harmless(*c))
                buffer_append(&line, c, 1);
        }
        buffer_append_string(&line, quoted ? "'" : "");
        command = at + 2;
    }
    buffer_append_string(&line, command);
    buffer_append(&line, "", 1);
    return (char *)line.p;
}

/* Start one command. Returns: 0 or an errno. Not by fork(), which copies the page tables of all the
 * memory that a node has, and the locks that its other threads hold. */
static int spawn(const char *line, pid_t *pid)
{
    posix_spawnattr_t attr;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    char shell[] = "sh", option[] = "-c";
    char *copy = xstrdup(line);
    char *argv[] = {shell, option, copy, NULL};
    int rc = posix_spawnattr_init(&attr);
    ASSERT(rc == 0);
    /* The command gets ordinary signals back, in a group of its own: Ctrl-C is meant for us. */
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                        POSIX_SPAWN_SETPGROUP);
    rc = posix_spawn(pid, "/bin/sh", NULL, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    xfree(copy);
    return rc;
}

static void start_waiting(struct notify *notify)
{
    ASSERT(notify->n_running <= NOTIFY_RUNNING_MAX);
    char *line;
    while (notify->n_running < NOTIFY_RUNNING_MAX && ring_pop(&notify->waiting, &line)) {
        pid_t pid;
        int error = spawn(line, &pid);
        if (error)
            log_warning(notify->log, "cannot run a command: %s", strerror(error));
        else
            notify->running[notify->n_running++] = pid;
        xfree(line);
    }
}

/* Some child has ended, ours or not; signals of several may have come as one, so all are asked. By
 * their ids: those that somebody else started are his to wait for. */
static void on_child(void *arg)
{
    struct notify *notify = arg;
    for (size_t i = 0; i < notify->n_running;) {
        int status = 0;
        pid_t pid = waitpid(notify->running[i], &status, WNOHANG);
        if (pid == 0) {
            i++;
            continue;
        }
        if (pid > 0 && status != 0)
            log_warning(notify->log, "a notification command ended with status %d",
                        WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
        notify->running[i] = notify->running[--notify->n_running];
    }
    start_waiting(notify);
}

struct notify *notify_new(struct loop *loop, const struct log *log)
{
    struct notify *notify = xcalloc(1, sizeof *notify);
    notify->log = log;
    ring_init(&notify->waiting, NOTIFY_WAITING_MAX, sizeof(char *));
    notify->child_signal = loop_signal_new(loop, SIGCHLD, on_child, notify);
    if (notify->child_signal)
        return notify;
    notify_free(notify);
    return NULL;
}

void notify_free(struct notify *notify)
{
    if (!notify)
        return;
    loop_signal_free(notify->child_signal);
    char *line;
    while (ring_pop(&notify->waiting, &line))
        xfree(line);
    ring_deinit(&notify->waiting);
    xfree(notify);
}

void notify_run(struct notify *notify, const char *command, const char *text, bool quoted)
{
    ASSERT(notify);
    char *line;
    if (ring_is_full(&notify->waiting) && ring_pop(&notify->waiting, &line)) {
        log_warning(notify->log, "notification commands take too long: one was left out");
        xfree(line);
    }
    line = notify_format(command, text, quoted);
    bool has_room = ring_push(&notify->waiting, &line);
    ASSERT(has_room);
    start_waiting(notify);
}

size_t notify_pending(const struct notify *notify)
{
    return notify->n_running + notify->waiting.count;
}

void notify_systemd(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof to.sun_path)
        return;
    memcpy(to.sun_path, path, strlen(path));
    /* An abstract socket's name begins with a zero byte. */
    if (path[0] == '@')
        to.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    ssize_t sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to, len);
    (void)sent; /* nobody to tell that nobody listens */
    close(fd);
}
