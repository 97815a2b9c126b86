/* net_group.h - which addresses one operator is likely to hold, and what counts as reachable.
 *
 * Layer: p2p. Groups are what buckets of the address book, outbound slots and eviction are shared
 * out by: by autonomous system where a map of these is loaded (-asmap), else by the first bits.
 * Spec: Core NetGroupManager */
#ifndef P2P_CORE_NET_GROUP_H
#define P2P_CORE_NET_GROUP_H

#include "p2p/core/net_address.h"
#include "util/span.h"

#define NET_GROUP_BYTES_MAX 20

/* What a group is made of: the network and the first bits. Unused bytes are zero. */
struct net_group {
    uint8_t len;
    uint8_t bytes[NET_GROUP_BYTES_MAX];
};

/* How addresses are grouped. Zero: by their bits, private ones left out. */
struct net_grouping {
    struct span asmap;         /* a sane one, or empty */
    uint8_t asmap_version[32]; /* zero without */
    /* -privateroutable: private addresses and those of this machine can be anybody's, and each of
     * them, with its port, is a group of its own. For laboratories. */
    bool has_private;
};

/* Group by a map, which asmap_is_sane() let through; it is borrowed. */
void net_grouping_use_asmap(struct net_grouping *grouping, struct span asmap);

/* The autonomous system of an address; 0: unknown, no map, or not of the Internet. */
uint32_t net_grouping_asn(const struct net_grouping *grouping, const struct net_address *address);
/* Can it be a node that others reach: net_address_is_routable(), or private where that is allowed.
 */
bool net_grouping_is_routable(const struct net_grouping *grouping,
                              const struct net_address *address);
/* The group of addresses that one operator is likely to hold: its autonomous system; else IPv4 /16,
 * also of IPv6 addresses that hold an IPv4 one (6to4, Teredo, translation), IPv6 /32 (/36 of
 * Hurricane Electric's tunnels), 4 bits of the hidden networks, each name of
 * net_address_of_internal() alone, and one for all that is not routable. */
struct net_group net_grouping_of(const struct net_grouping *grouping,
                                 const struct net_address *address);

/* The same group. */
bool net_group_equal(const struct net_group *a, const struct net_group *b);
/* A keyed hash of a group. */
uint64_t net_group_hash(struct siphash_key key, const struct net_group *group);

#endif
