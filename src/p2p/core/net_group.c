/* net_group.c - see net_group.h. */
#include "p2p/core/net_group.h"

#include <string.h>

#include "p2p/core/asmap.h"

/* Networks as they are numbered in groups: not as in BIP155, since what is hashed decides where an
 * address stands in peers.dat, which Core reads too. */
enum { CLASS_UNROUTABLE, CLASS_IPV4, CLASS_IPV6, CLASS_ONION, CLASS_I2P, CLASS_CJDNS, CLASS_NAME };
enum { INTERNAL_PREFIX_BYTES = 6, INTERNAL_NAME_BYTES = 10 };
enum { CLASS_PRIVATE = 0xff }; /* of -privateroutable. Not in Core */

void net_grouping_use_asmap(struct net_grouping *grouping, struct span asmap)
{
    ASSERT(grouping && asmap.len > 0);
    grouping->asmap = asmap;
    asmap_version(asmap, grouping->asmap_version);
}

static bool is_own(const struct net_address *address)
{
    return net_address_is_private(address) || net_address_is_local(address);
}

bool net_grouping_is_routable(const struct net_grouping *grouping,
                              const struct net_address *address)
{
    return net_address_is_routable(address) ||
           (grouping->has_private && is_own(address) && net_address_is_valid(address));
}

uint32_t net_grouping_asn(const struct net_grouping *grouping, const struct net_address *address)
{
    uint8_t bits[16] = {[10] = 0xff, 0xff}; /* IPv4 behind its prefix */
    if (grouping->asmap.len == 0 || !net_address_is_routable(address))
        return 0;
    if (!net_address_linked_ipv4(address, bits + 12)) {
        if (address->network != NET_IPV6)
            return 0;
        memcpy(bits, address->bytes, sizeof bits);
    }
    return asmap_lookup(grouping->asmap, bits);
}

static void append(struct net_group *group, const uint8_t *bytes, size_t n)
{
    ASSERT(group->len + n <= sizeof group->bytes);
    memcpy(group->bytes + group->len, bytes, n);
    group->len = (uint8_t)(group->len + n);
}

/* The class and the first bits; of a byte that is not taken whole the rest are ones. */
static struct net_group group_of_bits(uint8_t class, const uint8_t *bytes, unsigned n_bits)
{
    struct net_group group = {.len = 1, .bytes = {class}};
    append(&group, bytes, n_bits / 8);
    if (n_bits % 8) {
        uint8_t last = (uint8_t)(bytes[n_bits / 8] | (0xff >> n_bits % 8));
        append(&group, &last, 1);
    }
    return group;
}

static struct net_group group_of_private(const struct net_address *address)
{
    struct net_group group = {.len = 1, .bytes = {CLASS_PRIVATE}};
    const uint8_t port[2] = {(uint8_t)(address->port >> 8), (uint8_t)address->port};
    append(&group, address->bytes, net_network_bytes(address->network));
    append(&group, port, sizeof port);
    return group;
}

static struct net_group group_of_ipv6(const struct net_address *address)
{
    static const uint8_t tunnels[4] = {0x20, 0x01, 0x04, 0x70}; /* he.net gives them away */
    bool is_tunnel = memcmp(address->bytes, tunnels, sizeof tunnels) == 0;
    return group_of_bits(CLASS_IPV6, address->bytes, is_tunnel ? 36 : 32);
}

struct net_group net_grouping_of(const struct net_grouping *grouping,
                                 const struct net_address *address)
{
    ASSERT(grouping && address);
    uint32_t asn = net_grouping_asn(grouping, address);
    uint8_t ipv4[4];
    if (asn) {
        /* The same operator's IPv4 and IPv6 together. */
        const uint8_t le[4] = {(uint8_t)asn, (uint8_t)(asn >> 8), (uint8_t)(asn >> 16),
                               (uint8_t)(asn >> 24)};
        return group_of_bits(CLASS_IPV6, le, 32);
    }
    if (net_address_is_internal(address))
        return group_of_bits(CLASS_NAME, address->bytes + INTERNAL_PREFIX_BYTES,
                             8 * INTERNAL_NAME_BYTES);
    if (!net_address_is_routable(address))
        return grouping->has_private && is_own(address)
                   ? group_of_private(address)
                   : (struct net_group){.len = 1, .bytes = {CLASS_UNROUTABLE}};
    if (net_address_linked_ipv4(address, ipv4))
        return group_of_bits(CLASS_IPV4, ipv4, 16);
    switch ((enum net_network)address->network) {
    case NET_TORV3:
        return group_of_bits(CLASS_ONION, address->bytes, 4);
    case NET_I2P:
        return group_of_bits(CLASS_I2P, address->bytes, 4);
    case NET_CJDNS: /* all begin with the same 8 bits */
        return group_of_bits(CLASS_CJDNS, address->bytes, 12);
    case NET_IPV6:
        return group_of_ipv6(address);
    case NET_IPV4:
    case NET_TORV2:
    case NET_NONE:
        break;
    }
    ASSERT(!"a routable address of a network");
    return (struct net_group){0};
}

bool net_group_equal(const struct net_group *a, const struct net_group *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

uint64_t net_group_hash(struct siphash_key key, const struct net_group *group)
{
    ASSERT(group->len <= sizeof group->bytes);
    return siphash24(key, span_of(group->bytes, group->len));
}
