/* reach.h - which networks can be reached, and through which proxy.
 *
 * Layer: p2p. Pure. A network is reachable if -onlynet leaves it in and there is a way: IPv4 and
 * IPv6 have one always, Tor through its proxy, I2P through its bridge, CJDNS where -cjdnsreachable
 * says so. What is not reachable is dialled only if the user names it. The way to Tor can come
 * later, from Tor itself. Spec: Core ReachableNets, SetProxy(), GetProxy() */
#ifndef P2P_CORE_REACH_H
#define P2P_CORE_REACH_H

#include "p2p/core/net_address.h"

#define REACH_PROXY_TEXT_MAX                                                                       \
    128                        /* a numeric address, or "unix:" and a path that a socket can have */
#define REACH_PROXY_PORT  9050 /* where Tor's proxy is, unless somebody says otherwise */
#define REACH_PREFIX_TEXT 17   /* 16 hex digits, and the end */

/* A proxy; address "" is none. */
struct reach_proxy {
    char address[REACH_PROXY_TEXT_MAX]; /* numeric, or "unix:/path" */
    uint16_t port;                      /* 0 for a path */
    bool randomizes;                    /* another credential for each connection */
};

/* The same as it is ordered; zero is none. */
struct reach_order {
    const char *address; /* shorter than REACH_PROXY_TEXT_MAX; NULL: none */
    uint16_t port;
    bool randomizes; /* -proxyrandomize */
};

struct reach_options {
    struct reach_order proxies[NET_CJDNS + 1]; /* by enum net_network: -proxy, -onion, -i2psam */
    struct reach_order name_proxy;             /* for names; they are not looked up then */
    unsigned only_networks; /* -onlynet: a bit 1 << enum net_network for each; 0: all */
    bool cjdns_reachable;   /* -cjdnsreachable: fc00::/8 is CJDNS */
};

struct reach {
    struct reach_proxy by_network[NET_CJDNS + 1]; /* that of I2P is its SAM bridge */
    struct reach_proxy names;                     /* for names: they are not looked up here */
    char prefix[REACH_PREFIX_TEXT];               /* of credentials: as good as unguessable */
    uint64_t n_credentials;
    unsigned only_networks;
    bool cjdns_reachable;
};

/* As the options say.
 *
 * In:       random  for what nobody may guess */
void reach_init(struct reach *reach, const struct reach_options *options, uint64_t random);
/* The way to Tor, found later. */
void reach_set_onion_proxy(struct reach *reach, const struct reach_proxy *proxy);

/* Is this network (enum net_network) reachable? */
bool reach_has_network(const struct reach *reach, uint8_t network);
/* Could it be dialled at all, whatever -onlynet says? */
bool reach_can_dial(const struct reach *reach, const struct net_address *address);
/* Would we dial it of our own accord? */
bool reach_may_dial(const struct reach *reach, const struct net_address *address);

/* The proxy for an address; NULL: it is dialled directly, as everything on this machine or in a
 * private network is. */
const struct reach_proxy *reach_proxy_of(const struct reach *reach,
                                         const struct net_address *address);
/* The proxy that takes names; NULL: they are looked up. */
const struct reach_proxy *reach_name_proxy(const struct reach *reach);
/* A user name and password that no connection had before; NULL: this proxy gets none. */
const char *reach_credential(struct reach *reach, const struct reach_proxy *proxy, char out[64]);
/* Write "host:port", "[v6]:port" or "unix:/path"; "" is none. */
void reach_format_proxy(const struct reach_proxy *proxy, char *out, size_t size);

/* What stands for IPv6 below fc00::/8 where that is CJDNS. Spec: Core MaybeFlipIPv6toCJDNS() */
struct net_address reach_flip(const struct reach *reach, const struct net_address *address);
/* net_address_parse(), and CJDNS where it is reachable. */
NODISCARD bool reach_parse(const struct reach *reach, const char *text, uint16_t default_port,
                           struct net_address *out);

#endif
