/* dial.c - see dial.h. */
#include "p2p/connect/dial.h"

#include "p2p/state.h"

struct peer *dial(struct p2p *p2p, const struct net_address *address, enum peer_class class,
                  bool use_v2)
{
    ASSERT(class < PEER_CLASS_COUNT && class != PEER_INBOUND);
    char host[NET_ADDRESS_TEXT_MAX];
    bool is_ordered = class == PEER_MANUAL;
    if (!net_address_is_dialable(address) || (!is_ordered && p2p_is_unwelcome(p2p, address)))
        return NULL;
    net_address_format_host(address, host);
    uint64_t stream = env_stream_connect(p2p->env, host, address->port, p2p->up->outbound, p2p);
    struct peer *peer = peer_new(p2p, class, address, stream);
    if (use_v2 && p2p->options.v2_transport)
        peer->transport.kind = TRANSPORT_V2;
    peer->permissions = permissions_of(p2p->rules, p2p->n_rules, address, false);
    /* A failure counts against an address only if we seem to be online: another one is out there
     * beside this. Else an hour without a network would spoil the whole book. */
    bool is_online = p2p->n_out > 1;
    address_book_attempt(p2p->book, address, is_online, p2p_now_s(p2p));
    return peer;
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
