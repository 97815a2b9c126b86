/* flood.c - a load generator: many peers announce transactions that do not exist, without pause.
 *
 *   flood HOST PORT PEERS SECONDS ENTRIES
 *
 * Shakes hands as each peer, then sends inv messages of ENTRIES made-up wtxids as fast as the other
 * side takes them; what it is sent is read and dropped. Prints how much was announced. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/sha.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PEERS_MAX 1000

struct peer {
    int fd;
    uint8_t *out; /* the message under way */
    size_t len, at;
    int greeted;
};

static uint64_t salt = 88172645463325252u;
static uint64_t announced;

static uint64_t draw(void)
{
    salt ^= salt << 13, salt ^= salt >> 7, salt ^= salt << 17;
    return salt;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t frame(uint8_t *out, const char *name, const uint8_t *payload, size_t len)
{
    uint8_t hash[32];
    memset(out, 0, 24);
    memcpy(out, "\xfa\xbf\xb5\xda", 4);
    strncpy((char *)out + 4, name, 12);
    for (int i = 0; i < 4; i++)
        out[16 + i] = (uint8_t)(len >> 8 * i);
    SHA256(payload, len, hash);
    SHA256(hash, 32, hash);
    memcpy(out + 20, hash, 4);
    if (len)
        memmove(out + 24, payload, len);
    return 24 + len;
}

static void greet(struct peer *peer)
{
    uint8_t version[86] = {0};
    version[0] = 0x80, version[1] = 0x11, version[2] = 0x01; /* 70016 */
    version[4] = 9;
    uint64_t nonce = draw();
    memcpy(version + 72, &nonce, 8);
    version[85] = 1;
    peer->len = frame(peer->out, "version", version, sizeof version);
    peer->len += frame(peer->out + peer->len, "wtxidrelay", NULL, 0);
    peer->len += frame(peer->out + peer->len, "verack", NULL, 0);
    peer->at = 0;
    peer->greeted = 1;
}

static void announce(struct peer *peer, size_t entries)
{
    uint8_t *p = peer->out + 24;
    size_t at = 0;
    if (entries < 253) {
        p[at++] = (uint8_t)entries;
    } else {
        p[at++] = 253;
        p[at++] = (uint8_t)entries;
        p[at++] = (uint8_t)(entries >> 8);
    }
    for (size_t i = 0; i < entries; i++) {
        p[at] = 5, p[at + 1] = p[at + 2] = p[at + 3] = 0;
        for (int j = 0; j < 4; j++) {
            uint64_t r = draw();
            memcpy(p + at + 4 + 8 * j, &r, 8);
        }
        at += 36;
    }
    peer->len = frame(peer->out, "inv", p, at);
    peer->at = 0;
    announced += entries;
}

static int dial(const char *host, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    inet_pton(AF_INET, host, &address.sin_addr);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("connect");
        exit(1);
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

/* Returns 0 if the other side has closed. */
static int serve(struct peer *peer, short events, size_t entries)
{
    static uint8_t sink[65536];
    if (events & POLLIN) {
        ssize_t n = read(peer->fd, sink, sizeof sink);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return 0;
    }
    if (!(events & POLLOUT))
        return !(events & (POLLERR | POLLHUP));
    if (peer->at == peer->len) {
        if (peer->greeted)
            announce(peer, entries);
        else
            greet(peer);
    }
    ssize_t n = send(peer->fd, peer->out + peer->at, peer->len - peer->at, MSG_NOSIGNAL);
    if (n < 0)
        return errno == EAGAIN;
    peer->at += (size_t)n;
    return 1;
}

int main(int argc, char **argv)
{
    static struct peer peers[PEERS_MAX];
    static struct pollfd polls[PEERS_MAX];
    if (argc != 6) {
        fprintf(stderr, "flood HOST PORT PEERS SECONDS ENTRIES\n");
        return 2;
    }
    int n = atoi(argv[3]), gone = 0;
    size_t entries = (size_t)atoi(argv[5]);
    double end = now() + atof(argv[4]);
    if (n < 1 || n > PEERS_MAX || entries < 1 || entries > 50000)
        return 2;
    for (int i = 0; i < n; i++) {
        peers[i].fd = dial(argv[1], atoi(argv[2]));
        peers[i].out = malloc(24 + 3 + 36 * entries + 400);
        polls[i] = (struct pollfd){.fd = peers[i].fd, .events = POLLIN | POLLOUT};
    }
    while (now() < end && gone < n) {
        if (poll(polls, (nfds_t)n, 100) < 0)
            break;
        for (int i = 0; i < n; i++)
            if (polls[i].fd >= 0 && polls[i].revents &&
                !serve(&peers[i], polls[i].revents, entries)) {
                close(polls[i].fd);
                polls[i].fd = -1;
                gone++;
            }
    }
    printf("%llu announced by %d peers, %d were dropped\n", (unsigned long long)announced, n, gone);
    return 0;
}
