/* rpc_load.c - a load generator: the same RPC method over kept connections, without pause.
 *
 *   rpc_load PORT AUTHORIZATION CONNECTIONS SECONDS METHOD TAIL < ARGUMENTS
 *
 * ARGUMENTS are words, one a line; each call takes the next one as its first parameter, in quotes,
 * and TAIL, such as ",2", after it. Without any, TAIL is all of the parameters. Each connection has
 * one call under way. Prints the calls answered a second; ends with an error where an answer has
 * one. */
#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 64,
    ARGUMENTS_MAX = 100000,
    ARGUMENT_BYTES = 600, /* a small transaction in hex and its end */
    IN_BYTES = 16 << 20,
};

struct connection {
    char *in;
    size_t n, want; /* want: of the whole answer; 0 until its head is here */
};

static char arguments[ARGUMENTS_MAX][ARGUMENT_BYTES];
static size_t n_arguments, next_argument;

static void fail(const char *why)
{
    fprintf(stderr, "rpc_load: %s\n", why);
    exit(1);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void read_arguments(void)
{
    while (n_arguments < ARGUMENTS_MAX && scanf("%599s", arguments[n_arguments]) == 1)
        n_arguments++;
}

static int connect_to(const char *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to))
        fail("cannot connect");
    return fd;
}

static void send_call(int fd, char *const argv[])
{
    char body[ARGUMENT_BYTES + 100], text[ARGUMENT_BYTES + 600], quoted[ARGUMENT_BYTES + 2] = "";
    if (n_arguments)
        snprintf(quoted, sizeof quoted, "\"%s\"", arguments[next_argument++ % n_arguments]);
    int len = snprintf(body, sizeof body, "{\"id\":1,\"method\":\"%s\",\"params\":[%s%s]}", argv[5],
                       quoted, argv[6]);
    int n = snprintf(text, sizeof text,
                     "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic %s\r\n"
                     "Content-Length: %d\r\n\r\n%s",
                     argv[2], len, body);
    if (n >= (int)sizeof text || len >= (int)sizeof body || write(fd, text, (size_t)n) != n)
        fail("cannot send a call");
}

/* What has come. Returns 1 if the answer is whole. */
static int take(int fd, struct connection *c)
{
    ssize_t got = read(fd, c->in + c->n, IN_BYTES - c->n - 1);
    if (got <= 0)
        fail("the connection ended, or an answer is too large");
    c->n += (size_t)got;
    c->in[c->n] = 0;
    if (!c->want) {
        const char *end = strstr(c->in, "\r\n\r\n"), *length = strstr(c->in, "Content-Length: ");
        if (!end)
            return 0;
        if (!length || length > end)
            fail("an answer without its length");
        c->want = (size_t)(end + 4 - c->in) + strtoul(length + 16, NULL, 10);
    }
    if (c->n < c->want)
        return 0;
    if (c->n > c->want || !strstr(c->in, "\"error\":null"))
        fail(c->in);
    c->n = c->want = 0;
    return 1;
}

int main(int argc, char *argv[])
{
    static struct connection connections[CONNECTIONS_MAX];
    struct pollfd polls[CONNECTIONS_MAX];
    if (argc != 7)
        fail("PORT AUTHORIZATION CONNECTIONS SECONDS METHOD TAIL");
    int n = atoi(argv[3]);
    if (n < 1 || n > CONNECTIONS_MAX)
        fail("how many connections?");
    read_arguments();
    for (int i = 0; i < n; i++) {
        polls[i] = (struct pollfd){.fd = connect_to(argv[1]), .events = POLLIN};
        connections[i].in = malloc(IN_BYTES);
        if (!connections[i].in)
            fail("no memory");
        send_call(polls[i].fd, argv);
    }
    uint64_t answered = 0;
    double begin = now(), end = begin + atof(argv[4]), at = begin;
    while ((at = now()) < end) {
        if (poll(polls, (nfds_t)n, 5000) <= 0)
            fail("no answer within 5 seconds");
        for (int i = 0; i < n; i++) {
            if (!polls[i].revents || !take(polls[i].fd, &connections[i]))
                continue;
            answered++;
            send_call(polls[i].fd, argv);
        }
    }
    printf("%.0f\n", (double)answered / (at - begin));
    return 0;
}
