/* wire_load.c - one peer that sends many transactions, all made before.
 *
 *   wire_load PORT LOAD inv|push
 *
 * LOAD is a file of bench_wire_make. Greets, says "ready", and begins when a line comes in. inv:
 * announces all and answers each getdata, as peers do; push: sends all unasked, as one with the
 * permission to relay may. Answers no ping and hashes nothing, so that it is not what limits.
 * Ends when its input does. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HEADER_BYTES = 24,
    INV_BYTES = 36,
    TABLE = 1 << 20,
    IN_BYTES = 8 << 20, /* more than any message */
    OUT_BYTES = 64 << 20,
};

struct part {
    const uint8_t *p;
    size_t len;
};

static uint8_t *file_bytes;
static size_t file_at;
static struct part table[TABLE]; /* of transactions, by their wtxid */
static uint8_t in[IN_BYTES], out[OUT_BYTES];
static size_t in_len, out_at, out_len;
static int peer, is_greeted;

static void fail(const char *why)
{
    fprintf(stderr, "wire_load: %s\n", why);
    exit(1);
}

static uint32_t u32_at(const uint8_t *p)
{
    uint32_t value;
    memcpy(&value, p, sizeof value);
    return value;
}

static uint32_t next_u32(void)
{
    file_at += 4;
    return u32_at(file_bytes + file_at - 4);
}

static struct part next_part(void)
{
    struct part part = {.len = next_u32()};
    part.p = file_bytes + file_at;
    file_at += part.len;
    return part;
}

static void read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END))
        fail("cannot open the load");
    long len = ftell(file);
    rewind(file);
    file_bytes = malloc((size_t)len);
    if (!file_bytes || fread(file_bytes, 1, (size_t)len, file) != (size_t)len)
        fail("cannot read the load");
    fclose(file);
}

/* Ids are hashes: their first bytes are as good as any hash of them. */
static struct part *slot_of(const uint8_t *wtxid)
{
    uint32_t at = u32_at(wtxid) % TABLE;
    while (table[at].p && memcmp(table[at].p, wtxid, 32) != 0)
        at = (at + 1) % TABLE;
    return &table[at];
}

static void connect_to(const char *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    int one = 1;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    peer = socket(AF_INET, SOCK_STREAM, 0);
    if (peer < 0 || connect(peer, (struct sockaddr *)&to, sizeof to))
        fail("cannot connect");
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static void queue(const uint8_t *p, size_t len)
{
    if (out_at == out_len)
        out_at = out_len = 0;
    if (out_len + len > OUT_BYTES)
        fail("the load is too large");
    memcpy(out + out_len, p, len);
    out_len += len;
}

static void answer_getdata(const uint8_t *payload, size_t len)
{
    size_t n = payload[0], at = 1;
    if (n == 253) {
        n = (size_t)payload[1] | (size_t)payload[2] << 8;
        at = 3;
    }
    if (n > 253 && at == 1)
        fail("a getdata that is too long");
    for (; n > 0 && at + INV_BYTES <= len; n--, at += INV_BYTES) {
        const struct part *tx = slot_of(payload + at + 4);
        if (tx->p)
            queue(tx->p + 32, tx->len - 32);
    }
}

/* Handle what is whole. */
static void take_messages(void)
{
    size_t at = 0;
    while (in_len - at >= HEADER_BYTES) {
        size_t len = u32_at(in + at + 16);
        if (in_len - at < HEADER_BYTES + len)
            break;
        if (strcmp((const char *)in + at + 4, "verack") == 0)
            is_greeted = 1;
        if (strcmp((const char *)in + at + 4, "getdata") == 0)
            answer_getdata(in + at + HEADER_BYTES, len);
        at += HEADER_BYTES + len;
    }
    memmove(in, in + at, in_len - at);
    in_len -= at;
}

/* One turn: send what is queued, take what has come. Returns 0 when the input has news. */
static int turn(int listens)
{
    struct pollfd polls[2] = {{.fd = peer, .events = POLLIN},
                              {.fd = listens ? 0 : -1, .events = POLLIN}};
    if (out_at < out_len)
        polls[0].events |= POLLOUT;
    if (poll(polls, 2, 60000) <= 0)
        fail("nothing happens");
    if (polls[0].revents & POLLOUT) {
        ssize_t n = send(peer, out + out_at, out_len - out_at, MSG_DONTWAIT);
        out_at += n > 0 ? (size_t)n : 0;
    }
    if (polls[0].revents & (POLLIN | POLLHUP | POLLERR)) {
        ssize_t n = recv(peer, in + in_len, IN_BYTES - in_len, MSG_DONTWAIT);
        if (n <= 0)
            fail("the node has closed the connection");
        in_len += (size_t)n;
        take_messages();
    }
    return !polls[1].revents;
}

int main(int argc, char *argv[])
{
    if (argc != 4)
        fail("PORT LOAD inv|push");
    read_file(argv[2]);
    struct part hello = next_part(), invs = next_part();
    uint32_t n = next_u32();
    int is_push = strcmp(argv[3], "push") == 0;
    connect_to(argv[1]);
    queue(hello.p, hello.len);
    while (!is_greeted)
        turn(0);
    printf("ready\n");
    fflush(stdout);
    while (turn(1))
        ;
    if (getchar() == EOF)
        return 0;
    if (!is_push)
        queue(invs.p, invs.len);
    for (uint32_t i = 0; i < n; i++) {
        struct part tx = next_part();
        *slot_of(tx.p) = tx;
        if (is_push)
            queue(tx.p + 32, tx.len - 32);
    }
    while (turn(1))
        ;
    return 0;
}
