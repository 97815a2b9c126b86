/* net_address.h - where a node can be reached: network, address, port; as bytes and as text.
 *
 * Layer: p2p. Pure values. Networks are numbered as in BIP155; all can be stored and gossiped,
 * reach_can_dial() says which can be connected to. */
#ifndef P2P_CORE_NET_ADDRESS_H
#define P2P_CORE_NET_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/siphash.h"
#include "util/assert.h"

#define NET_ADDRESS_BYTES_MAX 32
#define NET_ADDRESS_TEXT_MAX  80 /* "[v6]:port", or a hidden service's name and port */

/* BIP-155, Specification */
enum net_network {
    NET_NONE = 0,
    NET_IPV4 = 1,
    NET_IPV6 = 2,
    NET_TORV2 = 3, /* gone from the network: never stored */
    NET_TORV3 = 4,
    NET_I2P = 5,
    NET_CJDNS = 6,
};

/* An address and port. Unused bytes are zero, so that two of them compare with memcmp. */
struct net_address {
    uint8_t network; /* enum net_network */
    uint8_t bytes[NET_ADDRESS_BYTES_MAX];
    uint16_t port;
};

/* An address as peers gossip it. */
struct net_peer_address {
    struct net_address at;
    uint64_t services;
    uint32_t time; /* when it was last seen, by somebody's clock */
};

/* Address length of a network in bytes; 0 if it is none that we know. */
size_t net_network_bytes(uint8_t network);
/* "ipv4", "ipv6", "onion", "i2p", "cjdns", as Core calls them; "" for another one. */
const char *net_network_name(uint8_t network);
/* The network of that name, in any case; NET_NONE: there is none. */
enum net_network net_network_of(const char *name);
/* The network's name, "internal", or "not_publicly_routable". Spec: Core GetNetworkName() */
const char *net_address_network_name(const struct net_address *address);

/* Make an address from 4 bytes. */
struct net_address net_address_of_ipv4(const uint8_t bytes[4], uint16_t port);
/* Make one from 16 bytes, IPv4 told by its prefix ::ffff:0:0/96. */
struct net_address net_address_of_16(const uint8_t bytes[16], uint16_t port);

/* Read "1.2.3.4", "1.2.3.4:8333", "::1", "[::1]" or "[::1]:8333", or the name of a hidden service
 * with or without a port.
 *
 * In:       default_port  for text without one; in I2P that is 0
 * Returns:  false if it is anything else: names are resolved before they come here */
NODISCARD bool net_address_parse(const char *text, uint16_t default_port, struct net_address *out);
/* The same for IPv4 of fewer than four numbers, of which the last fills what is left: "127.1". What
 * a user may write where Core asks inet_aton(). */
NODISCARD bool net_address_parse_short(const char *text, uint16_t default_port,
                                       struct net_address *out);

/* Write the host alone.
 *
 * Out:      out  NET_ADDRESS_TEXT_MAX
 * Returns:  out */
char *net_address_format_host(const struct net_address *address, char *out);
/* Write "host:port", IPv6 in brackets.
 *
 * Out:      out  NET_ADDRESS_TEXT_MAX
 * Returns:  out */
char *net_address_format(const struct net_address *address, char *out);

/* The same address and port. */
bool net_address_equal(const struct net_address *a, const struct net_address *b);
/* The same address, whatever the port. */
bool net_address_same_host(const struct net_address *a, const struct net_address *b);

/* Could be anybody's. */
bool net_address_is_valid(const struct net_address *address);
/* Could be reached over the public Internet or its network. */
bool net_address_is_routable(const struct net_address *address);
/* Is on this machine. */
bool net_address_is_local(const struct net_address *address);
/* Is in an address range of somebody's own. */
bool net_address_is_private(const struct net_address *address);

/* Is this port known for another service? We dial such ones only where there is little else, so
 * that gossip cannot turn nodes into a flood of connections on somebody's mail server. Spec: the
 * list of Core's doc/p2p-bad-ports.md */
bool net_port_is_bad(uint16_t port);

/* The IPv4 address that one stands for, itself or behind a prefix of IPv6: whoever has the one has
 * the other. Returns: false if there is none */
bool net_address_linked_ipv4(const struct net_address *address, uint8_t out[4]);

/* What stands for a name, such as a DNS seed's, where an address is wanted that told of others.
 * Spec: Core CNetAddr::SetInternal() */
struct net_address net_address_of_internal(const char *name);
/* Is it such a one? */
bool net_address_is_internal(const struct net_address *address);

/* A keyed hash of address and port. */
uint64_t net_address_hash(struct siphash_key key, const struct net_address *address);
/* A range of addresses: "10.0.0.0/8", "fc00::/7", "1.2.3.0/255.255.255.0" or one address, which may
 * be a hidden service's name. */
struct net_range {
    struct net_address base;
    unsigned bits; /* of base that must agree */
};
/* Read one. Returns: false if malformed */
NODISCARD bool net_range_parse(const char *text, struct net_range *out);
/* Is the address in the range? */
bool net_range_contains(const struct net_range *range, const struct net_address *address);

/* The host, without its port, as an id for a recent_set. */
void net_address_host_id(const struct net_address *address, uint8_t out[32]);

#endif
