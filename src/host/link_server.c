/* link_server.c - see link_server.h */
#include "host/link_server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "host/link_command.h"
#include "host/link_net.h"
#include "util/alloc.h"
#include "util/parse.h"

#define EVENTS_MAX 256
/* What epoll says of what is no node: a client's or the listener's descriptor is added to these. */
#define LISTENER UINT64_C(0x100000000)
#define CLIENT   UINT64_C(0x200000000)

struct server {
    int epoll, listener;
    unsigned n_clients;
    struct link_net net;
    char line[LINK_COMMAND_BYTES_MAX + 1];
};

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "cairn-link: %s: %s\n", what, why);
    return 1;
}

static int watch(const struct server *server, int fd, uint64_t what)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = what};
    return epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event);
}

static void on_listener(struct server *server)
{
    int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    if (server->n_clients == LINK_CLIENTS_MAX || watch(server, fd, CLIENT + (unsigned)fd) != 0) {
        close(fd);
        return;
    }
    server->n_clients++;
}

static void on_client(struct server *server, int fd)
{
    ssize_t got = recv(fd, server->line, LINK_COMMAND_BYTES_MAX, MSG_TRUNC);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0 || got > LINK_COMMAND_BYTES_MAX) {
        close(fd);
        server->n_clients--;
        return;
    }
    server->line[got] = '\0';
    struct buffer answer;
    buffer_init(&answer);
    link_command(&server->net, server->line, &answer);
    /* A client that does not read its answers gets none. */
    (void)!send(fd, answer.p, answer.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    buffer_deinit(&answer);
}

static void on_event(struct server *server, uint64_t what, int64_t now)
{
    if (what >= CLIENT)
        on_client(server, (int)(what - CLIENT));
    else if (what >= LISTENER)
        on_listener(server);
    else
        link_net_read(&server->net, (uint32_t)what, now);
}

/* Milliseconds to wait, rounded up: packets are never early. */
static int wait_ms(int64_t next_us, int64_t now)
{
    return next_us < 0 ? -1 : next_us <= now ? 0 : (int)((next_us - now + 999) / 1000);
}

/* Until a signal comes, of which the default is the end. */
static int serve(struct server *server)
{
    struct epoll_event events[EVENTS_MAX];
    int64_t next_us = -1;
    for (;;) {
        int n = epoll_wait(server->epoll, events, EVENTS_MAX, wait_ms(next_us, now_us()));
        if (n < 0 && errno != EINTR)
            return fail("epoll_wait", strerror(errno));
        int64_t now = now_us();
        for (int i = 0; i < n; i++)
            on_event(server, events[i].data.u64, now);
        next_us = link_net_deliver(&server->net, now_us());
    }
}

static int run_server(const char *path, uint64_t seed)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return fail(path, "the path is too long for a socket");
    memcpy(address.sun_path, path, strlen(path));
    struct server *server = xcalloc(1, sizeof *server);
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    server->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    link_net_init(&server->net, seed, server->epoll);
    int status;
    if (bind(server->listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(server->listener, LINK_CLIENTS_MAX) != 0 ||
        watch(server, server->listener, LISTENER) != 0)
        status = fail(path, strerror(errno));
    else
        status = serve(server);
    link_net_deinit(&server->net);
    close(server->listener);
    close(server->epoll);
    xfree(server);
    return status;
}

/* In: argv, of PARENT NS PROGRAM... */
static int run_program(const char *const *argv)
{
    int64_t parent;
    if (!parse_int64(argv[0], &parent))
        return fail(argv[0], "no process");
    int error = strcmp(argv[1], "-") == 0 ? 0 : link_enter(argv[1]);
    if (error < 0)
        return fail(argv[1], strerror(-error));
    /* It may have ended before it could be watched. */
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent)
        return fail(argv[2], "who started it is gone");
    /* execvp() changes none of them; its type is older than const. */
    execvp(argv[2], (char *const *)(uintptr_t)(argv + 2));
    return fail(argv[2], strerror(errno));
}

int link_main(int argc, const char *const *argv)
{
    ASSERT(argc >= 0 && argv);
    uint64_t seed = 0;
    if (argc >= 5 && strcmp(argv[1], "run") == 0)
        return run_program(argv + 2);
    if ((argc == 3 || (argc == 4 && parse_uint64(argv[3], &seed))) && strcmp(argv[1], "serve") == 0)
        return run_server(argv[2], seed);
    fputs("usage: cairn-link serve SOCKET [SEED]\n"
          "       cairn-link run PARENT NS PROGRAM [ARGUMENT...]\n",
          stderr);
    return 2;
}
