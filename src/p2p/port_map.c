/* port_map.c - see port_map.h. */
#include "p2p/port_map.h"

#include "p2p/state.h"
#include "util/planted.h"

/* -- One mapping --------------------------------------------------------------------------------
 */

static void close_socket(struct port_mapping *one)
{
    if (one->socket)
        env_datagram_close(one->map->p2p->env, one->socket);
    one->socket = 0;
}

static void tell(struct port_mapping *one, const struct net_address *external)
{
    struct p2p *p2p = one->map->p2p;
    if (net_address_equal(&one->external, external))
        return;
    if (one->external.network != NET_NONE)
        local_list_remove(&p2p->local, LOCAL_MAPPED, &one->external);
    one->external = *external;
    if (external->network != NET_NONE)
        addr_relay_add_local(p2p, LOCAL_MAPPED, external);
}

static void finish(struct port_mapping *one, int64_t now_us)
{
    struct p2p *p2p = one->map->p2p;
    const struct net_address nothing = {0};
    char own[NET_ADDRESS_TEXT_MAX], external[NET_ADDRESS_TEXT_MAX];
    close_socket(one);
    if (one->pcp.step == PCP_DONE) {
        log_printf(p2p->log, LOG_ALWAYS, "portmap: Added mapping %s -> %s for %u seconds",
                   net_address_format(&one->pcp.external, external),
                   net_address_format(&one->pcp.own, own), one->pcp.lifetime_s);
        tell(one, &one->pcp.external);
        one->next_us = now_us + MIN_OF((int64_t)one->pcp.lifetime_s * 500000, PORT_MAP_RENEW_US);
    } else {
        log_printf(p2p->log, LOG_NET, "portmap: %s (%u)", one->pcp.error, one->pcp.code);
        tell(one, &nothing);
        one->next_us = now_us + PORT_MAP_RETRY_US;
    }
    p2p_schedule(p2p, one->next_us);
}

static void ask(struct port_mapping *one, int64_t now_us)
{
    struct p2p *p2p = one->map->p2p;
    uint8_t bytes[PCP_REQUEST_BYTES];
    if (PLANTED(p2p->env, GATEWAY_ASKED_ALWAYS))
        one->pcp.tries = 0;
    size_t n = pcp_ask(&one->pcp, bytes);
    if (n == 0) {
        finish(one, now_us);
        return;
    }
    env_datagram_send(p2p->env, one->socket, span_of(bytes, n));
    one->next_us = now_us + PCP_TRY_US;
    p2p_schedule(p2p, one->next_us);
}

static void on_datagram(void *arg, struct span bytes)
{
    struct port_mapping *one = arg;
    struct p2p *p2p = one->map->p2p;
    p2p_enter(p2p);
    if (one->socket && pcp_hear(&one->pcp, bytes)) {
        if (one->pcp.step < PCP_DONE)
            ask(one, p2p_now_us(p2p));
        else
            finish(one, p2p_now_us(p2p));
    }
    p2p_leave(p2p);
}

/* Returns: false if there is no gateway by this network. */
static bool begin(struct port_mapping *one)
{
    struct p2p *p2p = one->map->p2p;
    char gateway[NET_ADDRESS_TEXT_MAX], text[NET_ADDRESS_TEXT_MAX];
    bool is_ipv6 = one->own.network == NET_IPV6;
    struct env_datagram_way way = {.to = gateway, .port = PCP_PORT};
    struct net_address own;
    uint8_t nonce[PCP_NONCE_BYTES];
    int error;
    if (is_ipv6)
        way.from = net_address_format_host(&one->own, text);
    if (!env_datagram_gateway(p2p->env, is_ipv6, gateway, sizeof gateway))
        return false;
    one->socket = env_datagram_open(p2p->env, &way, on_datagram, one, &error);
    if (!one->socket)
        return false;
    bool is_known = env_datagram_local(p2p->env, one->socket, text, sizeof text) &&
                    net_address_parse(text, p2p->options.port, &own) &&
                    own.network == one->own.network;
    if (!is_known) {
        close_socket(one);
        return false;
    }
    own.port = p2p->options.port;
    env_random(p2p->env, nonce, sizeof nonce);
    pcp_begin(&one->pcp, &own, nonce);
    return true;
}

static int64_t tick_mapping(struct port_mapping *one, int64_t now_us)
{
    const struct net_address nothing = {0};
    if (!one->is_wanted)
        return INT64_MAX;
    if (now_us < one->next_us)
        return one->next_us;
    if (one->socket || begin(one)) {
        ask(one, now_us);
    } else {
        tell(one, &nothing);
        one->next_us = now_us + PORT_MAP_RETRY_US;
    }
    return one->next_us;
}

/* -- Our addresses by IPv6 -----------------------------------------------------------------------
 */

/* Those that we have now. */
struct look {
    struct port_map *map;
    bool is_there[1 + PORT_MAP_HOLES_MAX];
};

static void on_address(void *arg, const char *text)
{
    struct look *look = arg;
    struct port_map *map = look->map;
    struct net_address own;
    size_t found = 0;
    if (!net_address_parse(text, 0, &own) || own.network != NET_IPV6 ||
        !net_address_is_routable(&own))
        return;
    for (size_t i = 1; i < COUNT_OF(map->at); i++) {
        struct port_mapping *one = &map->at[i];
        if (one->is_wanted && net_address_same_host(&one->own, &own)) {
            look->is_there[i] = true;
            return;
        }
        if (!one->is_wanted && found == 0)
            found = i;
    }
    if (found == 0)
        return; /* there are too many */
    map->at[found] = (struct port_mapping){.map = map, .is_wanted = true, .own = own};
    look->is_there[found] = true;
}

static void look_around(struct port_map *map)
{
    struct look look = {.map = map};
    const struct net_address nothing = {0};
    env_own_addresses(map->p2p->env, on_address, &look);
    for (size_t i = 1; i < COUNT_OF(map->at); i++) {
        struct port_mapping *one = &map->at[i];
        if (!one->is_wanted || look.is_there[i])
            continue;
        close_socket(one);
        tell(one, &nothing);
        one->is_wanted = false;
    }
}

/* -- Start, stop and time ------------------------------------------------------------------------
 */

void port_map_start(struct p2p *p2p)
{
    struct port_map *map = &p2p->port_map;
    const struct p2p_options *options = &p2p->options;
    *map = (struct port_map){.p2p = NULL};
    if (!options->map_port || !options->listen || options->n_binds > 0 || !p2p->env->datagrams.open)
        return;
    map->p2p = p2p;
    map->at[0] = (struct port_mapping){.map = map, .is_wanted = true, .own = {.network = NET_IPV4}};
}

void port_map_stop(struct p2p *p2p)
{
    struct port_map *map = &p2p->port_map;
    for (size_t i = 0; map->p2p && i < COUNT_OF(map->at); i++)
        if (map->at[i].is_wanted)
            close_socket(&map->at[i]);
    map->p2p = NULL;
}

int64_t port_map_tick(struct p2p *p2p, int64_t now_us)
{
    struct port_map *map = &p2p->port_map;
    if (!map->p2p)
        return INT64_MAX;
    if (map->next_look_us <= now_us) {
        map->next_look_us = now_us + PORT_MAP_RETRY_US;
        look_around(map);
    }
    int64_t next_us = map->next_look_us;
    for (size_t i = 0; i < COUNT_OF(map->at); i++) {
        int64_t at_us = tick_mapping(&map->at[i], now_us);
        next_us = MIN_OF(next_us, at_us);
    }
    return next_us;
}
