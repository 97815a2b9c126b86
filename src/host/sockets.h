/* sockets.h - addresses and listening sockets, IPv4 and IPv6 alike.
 *
 * Layer: host. Addresses are numeric: no name is ever looked up here. */
#ifndef HOST_SOCKETS_H
#define HOST_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/assert.h"

struct sockaddr;
struct sockaddr_storage;

#define SOCKETS_UNIX_PREFIX "unix:"

/* Does "unix:/path" name a socket in the file system: is the path short enough? */
bool sockets_is_path(const char *address);
/* Parse it. Returns: the length of *out, 0 if it is none. */
NODISCARD int sockets_parse_path(const char *address, struct sockaddr_storage *out);
/* Parse a numeric address ("127.0.0.1", "::1"). Returns: the length of *out, 0 if it is none. */
NODISCARD int sockets_parse(const char *address, uint16_t port, struct sockaddr_storage *out);
/* Write the numeric address (none of a path), IPv4 that is mapped into IPv6 as IPv4. Returns: the
 * port. */
uint16_t sockets_format(const struct sockaddr *address, char *out, size_t size);

/* Split "host", "host:port", "[v6]", "[v6]:port" or a bare IPv6 address; *port stays if absent.
 * Returns: false if it is malformed, the port is not 1..65535, or the host does not fit. */
NODISCARD bool sockets_split(const char *s, char *host, size_t size, uint16_t *port);

/* A bound, listening, non-blocking socket. Returns: the descriptor, or a negative errno
 * (-EADDRINUSE, -EADDRNOTAVAIL, -EACCES, -EINVAL for an address that is not numeric). */
NODISCARD int sockets_listen(const char *address, uint16_t port);
/* The same at a path, for those whom mode lets. What a process that is gone has left there goes.
 * Returns: -EADDRINUSE if somebody listens there, or it is no socket; -ENAMETOOLONG */
NODISCARD int sockets_listen_path(const char *path, unsigned mode);
/* The port that a socket is bound to, 0 if it has none. */
uint16_t sockets_local_port(int fd);
/* The same, with the numeric address in size bytes. */
uint16_t sockets_local(int fd, char *address, size_t size);
/* Send small pieces at once: answers and messages are written whole. */
void sockets_no_delay(int fd);

/* An address range, "192.168.0.0/16", "10.0.0.0/255.0.0.0", "fc00::/7" or one address. */
struct subnet {
    uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
    uint8_t mask[16];
    bool is_v4; /* an IPv6 range holds no IPv4, not even ::/0 */
};

/* Returns: false if s is not an address range (bits set beyond the mask are allowed, and a mask
 * must be ones followed by zeros). */
NODISCARD bool subnet_parse(struct subnet *subnet, const char *s);
/* True if the numeric address is this machine's own: 127.0.0.0/8, ::1. */
bool sockets_is_loopback(const char *address);
/* True if the numeric address lies in the range. */
bool subnet_contains(const struct subnet *subnet, const char *address);

#endif
