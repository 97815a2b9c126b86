/* port_map.c - see port_map.h. */
#include "p2p/port_map.h"

#include "p2p/state.h"

static void close_socket(struct port_map *map)
{
    if (map->socket)
        env_datagram_close(map->p2p->env, map->socket);
    map->socket = 0;
}

static void tell(struct port_map *map, const struct net_address *external)
{
    if (net_address_equal(&map->external, external))
        return;
    if (map->external.network != NET_NONE)
        local_list_remove(&map->p2p->local, LOCAL_MAPPED, &map->external);
    map->external = *external;
    if (external->network != NET_NONE)
        addr_relay_add_local(map->p2p, LOCAL_MAPPED, external);
}

static void finish(struct port_map *map, int64_t now_us)
{
    const struct log *log = map->p2p->log;
    const struct net_address nothing = {0};
    char own[NET_ADDRESS_TEXT_MAX], external[NET_ADDRESS_TEXT_MAX];
    close_socket(map);
    if (map->pcp.step == PCP_DONE) {
        log_printf(log, LOG_ALWAYS, "portmap: Added mapping %s -> %s for %u seconds",
                   net_address_format(&map->pcp.external, external),
                   net_address_format(&map->pcp.own, own), map->pcp.lifetime_s);
        tell(map, &map->pcp.external);
        map->next_us = now_us + MIN_OF((int64_t)map->pcp.lifetime_s * 500000, PORT_MAP_RENEW_US);
    } else {
        log_printf(log, LOG_NET, "portmap: %s (%u)", map->pcp.error, map->pcp.code);
        tell(map, &nothing);
        map->next_us = now_us + PORT_MAP_RETRY_US;
    }
    p2p_schedule(map->p2p, map->next_us);
}

static void ask(struct port_map *map, int64_t now_us)
{
    uint8_t bytes[PCP_REQUEST_BYTES];
    size_t n = pcp_ask(&map->pcp, bytes);
    if (n == 0) {
        finish(map, now_us);
        return;
    }
    env_datagram_send(map->p2p->env, map->socket, span_of(bytes, n));
    map->next_us = now_us + PCP_TRY_US;
    p2p_schedule(map->p2p, map->next_us);
}

static void on_datagram(void *arg, struct span bytes)
{
    struct port_map *map = arg;
    struct p2p *p2p = map->p2p;
    p2p_enter(p2p);
    if (map->socket && pcp_hear(&map->pcp, bytes)) {
        if (map->pcp.step < PCP_DONE)
            ask(map, p2p_now_us(p2p));
        else
            finish(map, p2p_now_us(p2p));
    }
    p2p_leave(p2p);
}

/* Returns: false if there is no gateway by IPv4. */
static bool begin(struct port_map *map)
{
    struct p2p *p2p = map->p2p;
    char gateway[NET_ADDRESS_TEXT_MAX], text[NET_ADDRESS_TEXT_MAX];
    struct net_address own;
    uint8_t nonce[PCP_NONCE_BYTES];
    int error;
    if (!env_datagram_gateway(p2p->env, gateway, sizeof gateway))
        return false;
    map->socket = env_datagram_open(p2p->env, gateway, PCP_PORT, on_datagram, map, &error);
    if (!map->socket)
        return false;
    bool is_known = env_datagram_local(p2p->env, map->socket, text, sizeof text) &&
                    net_address_parse(text, p2p->options.port, &own) && own.network == NET_IPV4;
    if (!is_known) {
        close_socket(map);
        return false;
    }
    own.port = p2p->options.port;
    env_random(p2p->env, nonce, sizeof nonce);
    pcp_begin(&map->pcp, &own, nonce);
    return true;
}

void port_map_start(struct p2p *p2p)
{
    struct port_map *map = &p2p->port_map;
    const struct p2p_options *options = &p2p->options;
    *map = (struct port_map){.p2p = NULL};
    if (options->map_port && options->listen && options->n_binds == 0 && p2p->env->datagrams.open)
        map->p2p = p2p;
}

void port_map_stop(struct p2p *p2p)
{
    struct port_map *map = &p2p->port_map;
    if (map->p2p)
        close_socket(map);
    map->p2p = NULL;
}

int64_t port_map_tick(struct p2p *p2p, int64_t now_us)
{
    struct port_map *map = &p2p->port_map;
    const struct net_address nothing = {0};
    if (!map->p2p)
        return INT64_MAX;
    if (now_us < map->next_us)
        return map->next_us;
    if (map->socket || begin(map)) {
        ask(map, now_us);
    } else {
        tell(map, &nothing);
        map->next_us = now_us + PORT_MAP_RETRY_US;
    }
    return map->next_us;
}
