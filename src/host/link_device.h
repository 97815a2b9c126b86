/* link_device.h - a network namespace with one interface, whose packets come to this process.
 *
 * Layer: host. The namespace has no name: it is gone with the last process in it and the last
 * descriptor of it, however these end, so that nothing needs to be tidied up. Needs root. */
#ifndef HOST_LINK_DEVICE_H
#define HOST_LINK_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/assert.h"
#include "util/span.h"

#define LINK_ADDRESS_BYTES 16 /* "255.255.255.255" and its zero fit */
#define LINK_MTU_BYTES     1500

struct link_device {
    int tun; /* each read and write is one packet; never blocks; -1: none */
    int ns;  /* the namespace, for setns() */
};

/* The address of a node, below 10.77.0.0/16. Out: out, at least LINK_ADDRESS_BYTES. Returns: out */
char *link_address(uint32_t node, char *out);

/* The node that a packet goes to, or UINT32_MAX if it is none of IPv4 to such an address. */
uint32_t link_packet_target(struct span packet);

/* Make the namespace of a node: loopback, and an interface "lab0" with the node's address.
 *
 * Returns:  false with *error set (xfree it); the calling thread stays where it is */
NODISCARD bool link_device_open(struct link_device *device, uint32_t node, char **error);
void link_device_close(struct link_device *device);

/* Enter a namespace. In: path of its descriptor. Returns: 0 or a negative errno */
int link_enter(const char *path);

#endif
