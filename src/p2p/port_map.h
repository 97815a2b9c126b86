/* port_map.h - our port is opened at the gateway, and others are told the address that it gives.
 *
 * Layer: p2p, internal. -natpmp, while we listen on every interface. A mapping by IPv4 (PCP, and
 * NAT-PMP where the gateway knows only that), and by IPv6 a hole in its filter for each address of
 * this machine that others could reach; renewed at half of their time, asked for again after a
 * failure. Spec: Core ThreadMapPort() */
#ifndef P2P_PORT_MAP_H
#define P2P_PORT_MAP_H

#include "p2p/core/pcp.h"

struct p2p;
struct port_map;

#define PORT_MAP_RENEW_US  INT64_C(1200000000) /* at the latest. Core */
#define PORT_MAP_RETRY_US  INT64_C(300000000)  /* after a failure. Core */
#define PORT_MAP_HOLES_MAX 8                   /* addresses by IPv6 */

struct port_mapping {
    struct port_map *map;
    bool is_wanted;
    struct net_address own; /* by IPv4: any */
    struct pcp pcp;
    uint64_t socket;             /* 0: nothing is asked now */
    int64_t next_us;             /* to ask again, or anew */
    struct net_address external; /* that others are told; network NET_NONE: none */
};

struct port_map {
    struct p2p *p2p;                                /* NULL: it is not wanted */
    struct port_mapping at[1 + PORT_MAP_HOLES_MAX]; /* the one by IPv4 first */
    int64_t next_look_us;                           /* which addresses we have */
};

/* Begin, if it is wanted. */
void port_map_start(struct p2p *p2p);
/* Ask no more. Mappings are left: they end by themselves. */
void port_map_stop(struct p2p *p2p);
/* Returns: when it wants to be called again, INT64_MAX: never. */
int64_t port_map_tick(struct p2p *p2p, int64_t now_us);

#endif
