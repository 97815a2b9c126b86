/* http_echo.c - the least that an answer by HTTP costs: one thread, epoll, the same bytes for each
 * request.
 *
 *   http_echo PORT BODY_BYTES
 *
 * The yardstick of rpc_load on this machine at this moment. A request is read to its end, by its
 * Content-Length, and nothing else is done with it. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FDS_MAX = 1024, IN_BYTES = 4096, EVENTS_MAX = 64 };

struct connection {
    char in[IN_BYTES];
    size_t n;
};

static const char tail[] = ",\"error\":null,\"id\":1}\n";

static void fail(const char *why)
{
    fprintf(stderr, "http_echo: %s\n", why);
    exit(1);
}

static int listen_at(const char *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 64))
        fail("cannot listen");
    return fd;
}

/* Returns: the answer, of *n bytes. */
static char *make_answer(const char *body_bytes, size_t *n)
{
    size_t body = strtoul(body_bytes, NULL, 10);
    if (body < sizeof tail || body > (16u << 20))
        fail("how many bytes?");
    char *answer = malloc(body + 512);
    if (!answer)
        fail("no memory");
    int head = sprintf(answer,
                       "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
                       "Content-Type: application/json\r\nContent-Length: %zu\r\n"
                       "Connection: keep-alive\r\n\r\n",
                       body);
    memset(answer + head, 'x', body);
    memcpy(answer + head + body - (sizeof tail - 1), tail, sizeof tail - 1);
    *n = (size_t)head + body;
    return answer;
}

/* Returns: 1 if a request is whole. */
static int read_request(int fd, struct connection *c)
{
    ssize_t got = read(fd, c->in + c->n, sizeof c->in - c->n - 1);
    if (got <= 0) {
        close(fd);
        c->n = 0;
        return 0;
    }
    c->n += (size_t)got;
    c->in[c->n] = 0;
    const char *end = strstr(c->in, "\r\n\r\n"), *length = strstr(c->in, "Content-Length: ");
    if (!end || !length || c->n < (size_t)(end + 4 - c->in) + strtoul(length + 16, NULL, 10))
        return 0;
    c->n = 0;
    return 1;
}

/* Watch a socket for what comes. */
static void watch(int loop, int fd)
{
    epoll_ctl(loop, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.fd = fd});
}

static void take_in(int loop, int listener)
{
    int fd = accept(listener, NULL, NULL), one = 1;
    if (fd < 0 || fd >= FDS_MAX)
        fail("cannot accept");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    watch(loop, fd);
}

int main(int argc, char *argv[])
{
    static struct connection connections[FDS_MAX];
    struct epoll_event events[EVENTS_MAX];
    size_t len;
    if (argc != 3)
        fail("PORT BODY_BYTES");
    char *answer = make_answer(argv[2], &len);
    int listener = listen_at(argv[1]), loop = epoll_create1(0);
    watch(loop, listener);
    for (;;) {
        int n = epoll_wait(loop, events, EVENTS_MAX, -1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == listener)
                take_in(loop, listener);
            else if (read_request(fd, &connections[fd]) && write(fd, answer, len) != (ssize_t)len)
                fail("cannot answer at once");
        }
    }
}
