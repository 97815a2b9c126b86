/* datagrams.c - see datagrams.h */
#include "host/datagrams.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <ifaddrs.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/sockets.h"
#include "util/alloc.h"
#include "util/hex.h"
#include "util/list.h"

#define ROUTES_BYTES_MAX 65536
#define FLAG_UP          1u
#define FLAG_GATEWAY     2u
#define FLAG_REJECT      0x200u

struct datagram_socket {
    struct datagrams *owner;
    struct list_link link;
    uint64_t id;
    int fd;
    struct event *event;
    env_datagram_fn *fn;
    void *arg;
};

struct datagrams {
    struct loop *loop;
    struct list sockets;
    uint64_t last_id;
};

struct datagrams *datagrams_new(struct loop *loop)
{
    struct datagrams *datagrams = xcalloc(1, sizeof *datagrams);
    datagrams->loop = loop;
    return datagrams;
}

static struct datagram_socket *find(struct datagrams *datagrams, uint64_t id)
{
    LIST_EACH (struct datagram_socket, one, &datagrams->sockets, link)
        if (one->id == id)
            return one;
    return NULL;
}

static void close_socket(struct datagram_socket *one)
{
    list_remove(&one->owner->sockets, &one->link);
    if (one->event)
        event_free(one->event);
    close(one->fd);
    xfree(one);
}

void datagrams_free(struct datagrams *datagrams)
{
    if (!datagrams)
        return;
    for (uint64_t id = 1; id <= datagrams->last_id; id++)
        datagrams_close(datagrams, id);
    xfree(datagrams);
}

/* One a call: fn may close the socket. */
static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct datagram_socket *one = arg;
    uint8_t bytes[DATAGRAMS_BYTES_MAX];
    (void)what;
    ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n > 0)
        one->fn(one->arg, span_of(bytes, (size_t)n));
}

/* A numeric address, of which a link may be named: "fe80::1%eth0". Returns: the length of *out, 0
 * if it is none */
static int parse_scoped(const char *address, uint16_t port, struct sockaddr_storage *out)
{
    char alone[INET6_ADDRSTRLEN];
    size_t len = strcspn(address, "%");
    unsigned link = address[len] == '%' ? if_nametoindex(address + len + 1) : 0;
    if (len >= sizeof alone || (address[len] == '%' && link == 0))
        return 0;
    memcpy(alone, address, len);
    alone[len] = '\0';
    int size = sockets_parse(alone, port, out);
    if (size > 0 && out->ss_family == AF_INET6)
        ((struct sockaddr_in6 *)out)->sin6_scope_id = link;
    return size;
}

/* Returns: the descriptor, or a negative errno */
static int connect_way(const struct env_datagram_way *way)
{
    struct sockaddr_storage to, from;
    int to_len = parse_scoped(way->to, way->port, &to);
    int from_len = way->from ? parse_scoped(way->from, 0, &from) : 0;
    if (to_len == 0 || (way->from && from_len == 0))
        return -EINVAL;
    int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if ((from_len > 0 && bind(fd, (struct sockaddr *)&from, (socklen_t)from_len) != 0) ||
        connect(fd, (struct sockaddr *)&to, (socklen_t)to_len) != 0) {
        int error = -errno;
        close(fd);
        return error;
    }
    return fd;
}

uint64_t datagrams_open(void *ctx, const struct env_datagram_way *way, env_datagram_fn *fn,
                        void *arg, int *error)
{
    struct datagrams *datagrams = ctx;
    ASSERT(way->to && fn && error);
    int fd = connect_way(way);
    *error = MIN_OF(fd, 0);
    if (fd < 0)
        return 0;
    struct datagram_socket *one = xcalloc(1, sizeof *one);
    *one = (struct datagram_socket){
        .owner = datagrams, .id = ++datagrams->last_id, .fd = fd, .fn = fn, .arg = arg};
    list_add_first(&datagrams->sockets, &one->link);
    one->event = event_new(loop_base(datagrams->loop), fd, EV_READ | EV_PERSIST, on_readable, one);
    if (!one->event || event_add(one->event, NULL) != 0) {
        close_socket(one);
        *error = -ENOMEM;
        return 0;
    }
    return one->id;
}

void datagrams_send(void *ctx, uint64_t id, struct span bytes)
{
    struct datagram_socket *one = find(ctx, id);
    if (one)
        (void)!send(one->fd, bytes.p, bytes.len, MSG_DONTWAIT);
}

bool datagrams_local(void *ctx, uint64_t id, char *address, size_t size)
{
    struct datagram_socket *one = find(ctx, id);
    return one && sockets_local(one->fd, address, size) != 0;
}

void datagrams_close(void *ctx, uint64_t id)
{
    struct datagram_socket *one = find(ctx, id);
    if (one)
        close_socket(one);
}

void datagrams_list_addresses(const struct ifaddrs *list, env_address_fn *fn, void *arg)
{
    char text[INET6_ADDRSTRLEN];
    ASSERT(fn);
    for (const struct ifaddrs *one = list; one; one = one->ifa_next) {
        bool is_wanted = (one->ifa_flags & IFF_UP) && !(one->ifa_flags & IFF_LOOPBACK);
        if (!is_wanted || !one->ifa_addr ||
            (one->ifa_addr->sa_family != AF_INET && one->ifa_addr->sa_family != AF_INET6))
            continue;
        (void)sockets_format(one->ifa_addr, text, sizeof text);
        fn(arg, text);
    }
}

void datagrams_own_addresses(void *ctx, env_address_fn *fn, void *arg)
{
    struct ifaddrs *list;
    (void)ctx;
    if (getifaddrs(&list) != 0)
        return;
    datagrams_list_addresses(list, fn, arg);
    freeifaddrs(list);
}

bool datagrams_find_gateway(const char *routes, char *address, size_t size)
{
    for (const char *line = strchr(routes, '\n'); line; line = strchr(line + 1, '\n')) {
        unsigned destination, gateway, flags;
        struct in_addr at;
        int n = sscanf(line + 1, "%*s %8x %8x %8x", /* lint: the kernel writes it, not a stranger */
                       &destination, &gateway, &flags);
        if (n != 3)
            continue;
        if (destination != 0 || (flags & (FLAG_UP | FLAG_GATEWAY)) != (FLAG_UP | FLAG_GATEWAY))
            continue;
        at.s_addr = gateway; /* the kernel writes it as it holds it */
        return inet_ntop(AF_INET, &at, address, (socklen_t)size) != NULL;
    }
    return false;
}

bool datagrams_find_gateway6(const char *routes, char *address, size_t size)
{
    static const char nowhere[] = "00000000000000000000000000000000";
    unsigned best = UINT_MAX;
    for (const char *line = routes; line; line = strchr(line, '\n')) {
        char to[33], hop[33], link[IF_NAMESIZE];
        unsigned bits, metric, flags;
        uint8_t at[16];
        line += *line == '\n';
        int n = sscanf(line, "%32s %2x %*s %*x %32s %8x %*x %*x %8x %15s", /* lint: the kernel's */
                       to, &bits, hop, &metric, &flags, link);
        bool is_way = n == 6 && bits == 0 && strcmp(to, nowhere) == 0 &&
                      (flags & (FLAG_UP | FLAG_GATEWAY | FLAG_REJECT)) == (FLAG_UP | FLAG_GATEWAY);
        if (!is_way || metric >= best || !hex_decode(at, sizeof at, hop, strlen(hop)) ||
            !inet_ntop(AF_INET6, at, address, (socklen_t)size))
            continue;
        best = metric;
        size_t len = strlen(address);
        if (IN6_IS_ADDR_LINKLOCAL((const struct in6_addr *)at))
            snprintf(address + len, size - len, "%%%s", link);
    }
    return best != UINT_MAX;
}

bool datagrams_gateway(void *ctx, bool is_ipv6, char *address, size_t size)
{
    (void)ctx;
    FILE *file = fopen(is_ipv6 ? "/proc/net/ipv6_route" : "/proc/net/route", "re");
    if (!file)
        return false;
    char *routes = xcalloc(1, ROUTES_BYTES_MAX + 1);
    (void)!fread(routes, 1, ROUTES_BYTES_MAX, file);
    fclose(file);
    bool is_found = is_ipv6 ? datagrams_find_gateway6(routes, address, size)
                            : datagrams_find_gateway(routes, address, size);
    xfree(routes);
    return is_found;
}
