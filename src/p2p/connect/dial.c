/* dial.c - see dial.h. */
#include "p2p/connect/dial.h"

#include <stdio.h>

#include "p2p/core/tunnel.h"
#include "p2p/state.h"

/* Whom to call. */
struct call {
    const struct net_address *address; /* network NET_NONE: the name counts */
    const char *host;
    uint16_t port;
    const struct reach_proxy *proxy; /* NULL: directly */
};

static uint64_t open_stream(struct p2p *p2p, const struct call *call)
{
    const char *host = call->proxy ? call->proxy->address : call->host;
    uint16_t port = call->proxy ? call->proxy->port : call->port;
    return env_stream_connect(p2p->env, host, port, p2p->up->outbound, p2p);
}

static struct peer *open_call(struct p2p *p2p, const struct call *call, enum peer_class class,
                              bool use_v2)
{
    ASSERT(class < PEER_CLASS_COUNT && class != PEER_INBOUND);
    const struct reach_proxy *proxy = call->proxy;
    bool is_i2p = proxy && call->address->network == NET_I2P;
    char way[REACH_PROXY_TEXT_MAX + 16] = "";
    uint64_t stream = is_i2p ? 0 : open_stream(p2p, call);
    struct peer *peer = peer_new(p2p, class, call->address, stream);
    if (call->address->network == NET_NONE)
        snprintf(peer->text, sizeof peer->text, "%s:%u", call->host, call->port);
    if (use_v2 && p2p->options.v2_transport)
        peer->transport.kind = TRANSPORT_V2;
    if (proxy) {
        char credential[TUNNEL_CREDENTIAL_MAX];
        peer->tunnel =
            tunnel_new(call->host, call->port, reach_credential(&p2p->reach, proxy, credential));
        reach_format_proxy(proxy, way, sizeof way);
    }
    peer->permissions = permissions_of(p2p->rules, p2p->n_rules, call->address, false);
    if (is_i2p)
        p2p->up->dialled_i2p(p2p, peer);
    log_printf(p2p->log, LOG_NET, "trying %s connection (%s) to %s, %s %s",
               peer->transport.kind == TRANSPORT_V2 ? "v2" : "v1", peer_class_name(class),
               peer->text, proxy ? "through the proxy" : "directly", way);
    return peer->state == PEER_GONE ? NULL : peer; /* there may be no session for it */
}

struct peer *dial(struct p2p *p2p, const struct net_address *address, enum peer_class class,
                  bool use_v2)
{
    char host[NET_ADDRESS_TEXT_MAX];
    bool is_ordered = class == PEER_MANUAL;
    if (address->network == NET_I2P && address->port != 0)
        log_printf(p2p->log, LOG_NET,
                   "Error connecting to %s:%u, connection refused due to arbitrary port %u",
                   net_address_format_host(address, host), address->port, address->port);
    if (!reach_can_dial(&p2p->reach, address) || (!is_ordered && p2p_is_unwelcome(p2p, address)))
        return NULL;
    /* By an exit of Tor, whatever others of its network are reached by. */
    bool is_by_exit = class == PEER_PRIVATE && address->network <= NET_IPV6;
    const struct reach_proxy *proxy =
        is_by_exit ? &p2p->reach.by_network[NET_TORV3] : reach_proxy_of(&p2p->reach, address);
    ASSERT(!is_by_exit || proxy->address[0] != '\0'); /* there is no way back from Tor's proxy */
    const struct call call = {.address = address,
                              .host = net_address_format_host(address, host),
                              .port = address->port,
                              .proxy = proxy};
    struct peer *peer = open_call(p2p, &call, class, use_v2);
    if (peer && !peer->tunnel)
        dial_attempted(p2p, peer);
    return peer;
}

struct peer *dial_name(struct p2p *p2p, const char *host, uint16_t port, enum peer_class class,
                       bool use_v2)
{
    static const struct net_address nowhere;
    ASSERT(reach_name_proxy(&p2p->reach));
    if (strlen(host) > SOCKS5_TEXT_MAX)
        return NULL;
    const struct call call = {
        .address = &nowhere, .host = host, .port = port, .proxy = reach_name_proxy(&p2p->reach)};
    return open_call(p2p, &call, class, use_v2);
}

struct peer *dial_again(struct p2p *p2p, const struct peer *peer)
{
    if (peer->address.network != NET_NONE)
        return dial(p2p, &peer->address, peer->class, false);
    ASSERT(peer->tunnel);
    return dial_name(p2p, peer->tunnel->host, peer->tunnel->port, peer->class, false);
}

void dial_attempted(struct p2p *p2p, const struct peer *peer)
{
    /* A failure counts against an address only if we seem to be online: another one is out there
     * beside this. Else an hour without a network would spoil the whole book. */
    bool is_online = p2p->n_out > 1;
    address_book_attempt(p2p->book, &peer->address, is_online, p2p_now_s(p2p));
}

bool dial_has(const struct p2p *p2p, const struct net_address *address)
{
    for (const struct peer *peer = p2p->peers; peer; peer = peer->next)
        if (net_address_equal(&peer->address, address))
            return true;
    return false;
}

size_t dial_count_full(const struct p2p *p2p)
{
    size_t n = 0;
    for (const struct peer *peer = p2p->peers; peer; peer = peer->next)
        n += peer->class == PEER_FULL && peer->state == PEER_READY;
    return n;
}
