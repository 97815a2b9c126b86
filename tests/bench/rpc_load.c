/* rpc_load.c - a load generator: the same RPC method over kept connections, without pause or at a
 * rate.
 *
 *   rpc_load PORT AUTHORIZATION CONNECTIONS SECONDS METHOD TAIL [RATE] < ARGUMENTS
 *
 * ARGUMENTS are words, one a line; each call takes the next one as its first parameter, in quotes,
 * and TAIL, such as ",2", after it. Without any, TAIL is all of the parameters. Each connection has
 * one call under way. What answers the same argument must be the same bytes each time. With RATE,
 * so many calls a second are due in all, whether or not those before are answered (an open loop):
 * a call's time counts from when it was due.
 *
 * Prints five words: calls answered a second, mean bytes of an answer's body, the median and the
 * 99th percentile of the time for a call in microseconds, and a hash of the answers to all
 * arguments, whatever their order (0 if some were not asked for). Ends with an error where an
 * answer has one. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
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
    TIMES_MAX = 1 << 22,
    LANES = 4,
};
#define FACTOR UINT64_C(0x9e3779b97f4a7c15)

struct connection {
    char *in;
    size_t n, want; /* want: of the whole answer; 0 until its head is here */
    size_t body, hashed;
    uint64_t lanes[LANES], hash; /* of the answer so far */
    size_t argument;
    double due;
    bool is_busy;
};

static char arguments[ARGUMENTS_MAX][ARGUMENT_BYTES];
static uint64_t golden[ARGUMENTS_MAX]; /* the hash of the first answer; 0: none yet */
static float times_us[TIMES_MAX];
static size_t n_arguments, next_argument, n_times;
static uint64_t n_bytes;

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
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one))
        fail("cannot connect");
    return fd;
}

static void send_call(int fd, struct connection *c, char *const argv[], double due)
{
    char body[ARGUMENT_BYTES + 100], text[ARGUMENT_BYTES + 600], quoted[ARGUMENT_BYTES + 2] = "";
    if (n_arguments) {
        c->argument = next_argument++ % n_arguments;
        snprintf(quoted, sizeof quoted, "\"%s\"", arguments[c->argument]);
    }
    int len = snprintf(body, sizeof body, "{\"id\":1,\"method\":\"%s\",\"params\":[%s%s]}", argv[5],
                       quoted, argv[6]);
    int n = snprintf(text, sizeof text,
                     "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic %s\r\n"
                     "Content-Length: %d\r\n\r\n%s",
                     argv[2], len, body);
    if (n >= (int)sizeof text || len >= (int)sizeof body || write(fd, text, (size_t)n) != n)
        fail("cannot send a call");
    c->due = due;
    c->is_busy = true;
}

/* Add what has come of the body to the hash, while it is in the cache. In lanes, which do not wait
 * for one another: the client must not be what is measured. */
static void hash_more(struct connection *c, bool is_all)
{
    uint64_t words[LANES];
    for (; c->n - c->hashed >= sizeof words; c->hashed += sizeof words) {
        memcpy(words, c->in + c->hashed, sizeof words);
        for (int i = 0; i < LANES; i++)
            c->lanes[i] = (c->lanes[i] ^ words[i]) * FACTOR;
    }
    if (!is_all)
        return;
    for (; c->hashed < c->n; c->hashed++)
        c->lanes[0] = (c->lanes[0] ^ (uint8_t)c->in[c->hashed]) * FACTOR;
    c->hash = 1;
    for (int i = 0; i < LANES; i++)
        c->hash = (c->hash ^ c->lanes[i] ^ c->lanes[i] >> 32) * FACTOR;
}

/* An answer is whole: is it what it was before? */
static void compare(struct connection *c)
{
    hash_more(c, true);
    uint64_t *first = &golden[c->argument];
    if (!memmem(c->in + c->n - 40, 40, "\"error\":null", 12))
        fail(c->in);
    if (n_arguments && *first && *first != c->hash)
        fail("the same question had two answers");
    *first = c->hash;
}

/* What has come. Returns 1 if the answer is whole. */
static int take(int fd, struct connection *c)
{
    ssize_t got = read(fd, c->in + c->n, IN_BYTES - c->n - 1);
    if (got <= 0)
        fail("the connection ended, or an answer is too large");
    c->n += (size_t)got;
    if (!c->want) {
        c->in[c->n] = 0;
        const char *end = strstr(c->in, "\r\n\r\n"), *length = strstr(c->in, "Content-Length: ");
        if (!end)
            return 0;
        if (!length || length > end)
            fail("an answer without its length");
        c->body = c->hashed = (size_t)(end + 4 - c->in);
        c->want = c->body + strtoul(length + 16, NULL, 10);
        memset(c->lanes, 0, sizeof c->lanes);
    }
    hash_more(c, false);
    if (c->n < c->want)
        return 0;
    c->in[c->n] = 0;
    if (c->n > c->want)
        fail(c->in);
    compare(c);
    n_bytes += c->n - c->body;
    if (n_times < TIMES_MAX)
        times_us[n_times++] = (float)((now() - c->due) * 1e6);
    c->n = c->want = 0;
    c->is_busy = false;
    return 1;
}

static int compare_times(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void report(uint64_t answered, double seconds)
{
    uint64_t all = 0;
    bool is_known = true;
    for (size_t i = 0; i < n_arguments; i++) {
        all += golden[i];
        is_known = is_known && golden[i];
    }
    qsort(times_us, n_times, sizeof *times_us, compare_times);
    double mean_bytes = answered ? (double)n_bytes / (double)answered : 0;
    float p50_us = times_us[n_times / 2];
    float p99_us = times_us[n_times - n_times / 100 - (n_times > 0)];
    printf("%.1f %.0f %.0f %.0f %016llx\n", (double)answered / seconds, mean_bytes, (double)p50_us,
           (double)p99_us, (unsigned long long)(is_known ? all : 0));
}

/* Send what is due now. Returns: seconds until more is. */
static double send_due(struct pollfd *polls, struct connection *c, int n, char *const argv[],
                       double *next_due)
{
    double rate = argv[7] ? atof(argv[7]) : 0, at = now();
    for (int i = 0; i < n && (!argv[7] || *next_due <= at); i++) {
        if (c[i].is_busy)
            continue;
        send_call(polls[i].fd, &c[i], argv, argv[7] ? *next_due : at);
        *next_due += argv[7] ? 1 / rate : 0;
    }
    /* With all of them busy the next answer is waited for. */
    return argv[7] && *next_due > at ? *next_due - at : 5;
}

int main(int argc, char *argv[])
{
    static struct connection connections[CONNECTIONS_MAX];
    struct pollfd polls[CONNECTIONS_MAX];
    if (argc != 7 && argc != 8)
        fail("PORT AUTHORIZATION CONNECTIONS SECONDS METHOD TAIL [RATE]");
    int n = atoi(argv[3]);
    if (n < 1 || n > CONNECTIONS_MAX)
        fail("how many connections?");
    read_arguments();
    for (int i = 0; i < n; i++) {
        polls[i] = (struct pollfd){.fd = connect_to(argv[1]), .events = POLLIN};
        connections[i].in = malloc(IN_BYTES);
        if (!connections[i].in)
            fail("no memory");
    }
    uint64_t answered = 0;
    double begin = now(), end = begin + atof(argv[4]), at = begin, next_due = begin;
    while ((at = now()) < end) {
        double wait = send_due(polls, connections, n, argv, &next_due);
        struct timespec timeout = {(time_t)wait, (long)((wait - (double)(time_t)wait) * 1e9)};
        int n_ready = ppoll(polls, (nfds_t)n, &timeout, NULL);
        if (n_ready < 0 || (n_ready == 0 && wait >= 5))
            fail("no answer within 5 seconds");
        for (int i = 0; i < n && n_ready > 0; i++)
            answered += polls[i].revents && take(polls[i].fd, &connections[i]);
    }
    report(answered, at - begin);
    return 0;
}
