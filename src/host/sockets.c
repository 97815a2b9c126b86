/* sockets.c - see sockets.h */
#include "host/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/parse.h"

#define LISTEN_BACKLOG 128

static const uint8_t v4_mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool sockets_is_path(const char *address)
{
    size_t prefix = strlen(SOCKETS_UNIX_PREFIX);
    return strncmp(address, SOCKETS_UNIX_PREFIX, prefix) == 0 &&
           strlen(address + prefix) < sizeof(((struct sockaddr_un *)NULL)->sun_path);
}

int sockets_parse(const char *address, uint16_t port, struct sockaddr_storage *out)
{
    ASSERT(address && out);
    memset(out, 0, sizeof *out);
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    if (inet_pton(AF_INET, address, &v4.sin_addr) == 1) {
        memcpy(out, &v4, sizeof v4);
        return (int)sizeof v4;
    }
    if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1) {
        memcpy(out, &v6, sizeof v6);
        return (int)sizeof v6;
    }
    return 0;
}

int sockets_parse_path(const char *address, struct sockaddr_storage *out)
{
    ASSERT(address && out);
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    memset(out, 0, sizeof *out);
    if (!sockets_is_path(address))
        return 0;
    snprintf(path.sun_path, sizeof path.sun_path, "%s", address + strlen(SOCKETS_UNIX_PREFIX));
    memcpy(out, &path, sizeof path);
    return (int)sizeof path;
}

uint16_t sockets_format(const struct sockaddr *address, char *out, size_t size)
{
    ASSERT(address && size > 0);
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        if (!inet_ntop(AF_INET, &v4.sin_addr, out, (socklen_t)size))
            snprintf(out, size, "?");
        return ntohs(v4.sin_port);
    }
    out[0] = '\0';
    if (address->sa_family == AF_UNIX)
        return 0;
    ASSERT(address->sa_family == AF_INET6);
    struct sockaddr_in6 v6;
    memcpy(&v6, address, sizeof v6);
    const char *text = IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)
                           ? inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], out, (socklen_t)size)
                           : inet_ntop(AF_INET6, &v6.sin6_addr, out, (socklen_t)size);
    if (!text)
        snprintf(out, size, "?");
    return ntohs(v6.sin6_port);
}

static bool parse_port(const char *s, uint16_t *port)
{
    uint64_t value;
    if (strlen(s) > 5 || !parse_uint64(s, &value) || value < 1 || value > 65535)
        return false;
    *port = (uint16_t)value;
    return true;
}

bool sockets_split(const char *s, char *host, size_t size, uint16_t *port)
{
    ASSERT(s && size > 0 && port);
    const char *begin = s, *end, *rest;
    const char *colon = strrchr(s, ':');
    if (s[0] == '[') {
        begin = s + 1;
        end = strchr(s, ']');
        if (!end)
            return false;
        rest = end + 1;
    } else if (colon && strchr(s, ':') == colon) {
        end = rest = colon;
    } else {
        end = rest = s + strlen(s); /* no port, or an IPv6 address without brackets */
    }
    size_t len = (size_t)(end - begin);
    if (len == 0 || len >= size)
        return false;
    memcpy(host, begin, len);
    host[len] = '\0';
    if (rest[0] == '\0')
        return true;
    return rest[0] == ':' && parse_port(rest + 1, port);
}

int sockets_listen(const char *address, uint16_t port)
{
    struct sockaddr_storage at;
    int len = sockets_parse(address, port, &at);
    if (len == 0)
        return -EINVAL;
    int fd = socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int on = 1;
    /* On Linux this only skips the wait after a close: two listeners still exclude each other. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    /* No IPv4 through it, whatever the system's default: 0.0.0.0 can be bound beside ::. */
    if (at.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&at, (socklen_t)len) != 0 || listen(fd, LISTEN_BACKLOG) != 0) {
        int error = -errno;
        close(fd);
        return error;
    }
    return fd;
}

uint16_t sockets_local(int fd, char *address, size_t size)
{
    struct sockaddr_storage at;
    socklen_t len = sizeof at;
    if (getsockname(fd, (struct sockaddr *)&at, &len) != 0)
        return 0;
    return sockets_format((struct sockaddr *)&at, address, size);
}

/* Is there a socket that nobody listens at? Where so many wait that no one more can, somebody does:
 * connect() would wait for him. */
static bool is_left_over(const struct sockaddr_un *path)
{
    struct stat stat;
    if (lstat(path->sun_path, &stat) != 0 || !S_ISSOCK(stat.st_mode))
        return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    int rc = connect(fd, (const struct sockaddr *)path, sizeof *path);
    int error = rc == 0 ? 0 : errno;
    close(fd);
    return error == ECONNREFUSED;
}

/* The mask of the process leaves it to its owner until the mode is set. */
static int bind_path(int fd, const struct sockaddr_un *path, unsigned mode)
{
    const struct sockaddr *address = (const struct sockaddr *)path;
    int error = bind(fd, address, sizeof *path) == 0 ? 0 : errno;
    if (error == EADDRINUSE && is_left_over(path) && unlink(path->sun_path) == 0)
        error = bind(fd, address, sizeof *path) == 0 ? 0 : errno;
    if (error)
        return -error;
    if (chmod(path->sun_path, mode) != 0 || listen(fd, LISTEN_BACKLOG) != 0) {
        error = errno;
        unlink(path->sun_path);
        return -error;
    }
    return 0;
}

int sockets_listen_path(const char *path, unsigned mode)
{
    ASSERT(path && mode <= 0777);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    int rc = bind_path(fd, &address, mode);
    if (rc == 0)
        return fd;
    close(fd);
    return rc;
}

uint16_t sockets_local_port(int fd)
{
    char address[INET6_ADDRSTRLEN];
    return sockets_local(fd, address, sizeof address);
}

void sockets_no_delay(int fd)
{
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* -- Subnets ------------------------------------------------------------------------------- */

static bool parse_16(const char *s, uint8_t out[16], bool *is_v4)
{
    memcpy(out, v4_mapped_prefix, sizeof v4_mapped_prefix);
    *is_v4 = inet_pton(AF_INET, s, out + 12) == 1;
    if (!*is_v4 && inet_pton(AF_INET6, s, out) != 1)
        return false;
    *is_v4 = *is_v4 || memcmp(out, v4_mapped_prefix, sizeof v4_mapped_prefix) == 0;
    return true;
}

/* Fill mask from "24", or for IPv4 from "255.255.255.0". */
static bool parse_mask(const char *s, bool is_v4, uint8_t mask[16])
{
    uint64_t bits;
    uint8_t dotted[4];
    if (strlen(s) <= 3 && parse_uint64(s, &bits)) {
        if (bits > (is_v4 ? 32u : 128u))
            return false;
    } else if (is_v4 && inet_pton(AF_INET, s, dotted) == 1) {
        uint32_t value = (uint32_t)dotted[0] << 24 | (uint32_t)dotted[1] << 16 |
                         (uint32_t)dotted[2] << 8 | dotted[3];
        /* Ones then zeros: the complement plus one is a power of two. */
        if (~value & (~value + 1))
            return false;
        bits = (uint64_t)__builtin_popcount(value);
    } else {
        return false;
    }
    if (is_v4)
        bits += 96;
    for (unsigned i = 0; i < 16; i++) {
        uint64_t here = bits > 8 * i ? bits - 8 * i : 0;
        unsigned byte = here >= 8 ? 0xffu : (0xff00u >> here) & 0xffu;
        mask[i] = (uint8_t)byte;
    }
    return true;
}

bool subnet_parse(struct subnet *subnet, const char *s)
{
    ASSERT(subnet && s);
    char address[INET6_ADDRSTRLEN];
    const char *slash = strchr(s, '/');
    size_t len = slash ? (size_t)(slash - s) : strlen(s);
    if (len >= sizeof address)
        return false;
    memcpy(address, s, len);
    address[len] = '\0';
    if (!parse_16(address, subnet->address, &subnet->is_v4))
        return false;
    memset(subnet->mask, 0xff, sizeof subnet->mask);
    return !slash || parse_mask(slash + 1, subnet->is_v4, subnet->mask);
}

bool subnet_contains(const struct subnet *subnet, const char *address)
{
    ASSERT(subnet && address);
    uint8_t bytes[16];
    bool is_v4;
    if (!parse_16(address, bytes, &is_v4))
        return false;
    if (is_v4 != subnet->is_v4)
        return false;
    for (int i = 0; i < 16; i++) {
        if ((bytes[i] & subnet->mask[i]) != (subnet->address[i] & subnet->mask[i]))
            return false;
    }
    return true;
}

bool sockets_is_loopback(const char *address)
{
    static const char *const loopback[] = {"127.0.0.0/8", "::1"};
    struct subnet subnet;
    for (size_t i = 0; i < COUNT_OF(loopback); i++)
        if (subnet_parse(&subnet, loopback[i]) && subnet_contains(&subnet, address))
            return true;
    return false;
}
