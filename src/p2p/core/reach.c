/* reach.c - see reach.h. */
#include "p2p/core/reach.h"

#include <stdio.h>
#include <string.h>

static void set_proxy(struct reach_proxy *to, const struct reach_order *from)
{
    *to = (struct reach_proxy){.port = from->port, .randomizes = from->randomizes};
    if (!from->address)
        return;
    ASSERT(strlen(from->address) < sizeof to->address);
    memcpy(to->address, from->address, strlen(from->address) + 1);
}

void reach_init(struct reach *reach, const struct reach_options *options, uint64_t random)
{
    *reach = (struct reach){.only_networks = options->only_networks,
                            .cjdns_reachable = options->cjdns_reachable};
    for (size_t i = 0; i < COUNT_OF(reach->by_network); i++)
        set_proxy(&reach->by_network[i], &options->proxies[i]);
    set_proxy(&reach->names, &options->name_proxy);
    snprintf(reach->prefix, sizeof reach->prefix, "%016llx", (unsigned long long)random);
}

void reach_set_onion_proxy(struct reach *reach, const struct reach_proxy *proxy)
{
    ASSERT(proxy->address[0] != '\0');
    reach->by_network[NET_TORV3] = *proxy;
}

static const struct reach_proxy *find_proxy(const struct reach *reach, uint8_t network)
{
    ASSERT(network <= NET_CJDNS);
    const struct reach_proxy *proxy = &reach->by_network[network];
    return proxy->address[0] != '\0' ? proxy : NULL;
}

static bool has_way(const struct reach *reach, uint8_t network)
{
    switch (network) {
    case NET_IPV4:
    case NET_IPV6:
        return true;
    case NET_TORV3:
    case NET_I2P:
        return find_proxy(reach, network) != NULL;
    case NET_CJDNS:
        return reach->cjdns_reachable;
    }
    return false;
}

bool reach_has_network(const struct reach *reach, uint8_t network)
{
    unsigned only = reach->only_networks;
    return has_way(reach, network) && (only == 0 || (only & 1u << network));
}

bool reach_can_dial(const struct reach *reach, const struct net_address *address)
{
    switch (address->network) {
    case NET_IPV4:
    case NET_IPV6:
    case NET_CJDNS:
        return address->port != 0;
    case NET_TORV3:
        return address->port != 0 && find_proxy(reach, NET_TORV3);
    case NET_I2P: /* SAM 3.1 knows no ports: with one it would be another service */
        return address->port == 0 && find_proxy(reach, NET_I2P);
    }
    return false;
}

bool reach_may_dial(const struct reach *reach, const struct net_address *address)
{
    return reach_can_dial(reach, address) && reach_has_network(reach, address->network);
}

const struct reach_proxy *reach_proxy_of(const struct reach *reach,
                                         const struct net_address *address)
{
    bool is_far = net_address_is_valid(address) && net_address_is_routable(address);
    return is_far ? find_proxy(reach, address->network) : NULL;
}

const struct reach_proxy *reach_name_proxy(const struct reach *reach)
{
    return reach->names.address[0] != '\0' ? &reach->names : NULL;
}

const char *reach_credential(struct reach *reach, const struct reach_proxy *proxy, char out[64])
{
    if (!proxy->randomizes)
        return NULL;
    snprintf(out, 64, "%s-%llu", reach->prefix, (unsigned long long)reach->n_credentials++);
    return out;
}

void reach_format_proxy(const struct reach_proxy *proxy, char *out, size_t size)
{
    ASSERT(size > REACH_PROXY_TEXT_MAX + 8);
    bool is_v6 = strchr(proxy->address, ':') != NULL;
    if (proxy->address[0] == '\0' || proxy->port == 0)
        snprintf(out, size, "%s", proxy->address);
    else
        snprintf(out, size, is_v6 ? "[%s]:%u" : "%s:%u", proxy->address, proxy->port);
}

struct net_address reach_flip(const struct reach *reach, const struct net_address *address)
{
    struct net_address flipped = *address;
    if (flipped.network == NET_IPV6 && flipped.bytes[0] == 0xfc &&
        reach_has_network(reach, NET_CJDNS))
        flipped.network = NET_CJDNS;
    return flipped;
}

bool reach_parse(const struct reach *reach, const char *text, uint16_t default_port,
                 struct net_address *out)
{
    if (!net_address_parse(text, default_port, out) &&
        !net_address_parse_short(text, default_port, out))
        return false;
    *out = reach_flip(reach, out);
    return true;
}
