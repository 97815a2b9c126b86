/* welcome.c - see welcome.h. */
#include "p2p/addr/welcome.h"

#include "p2p/state.h"

bool p2p_is_banned(const struct p2p *p2p, const struct net_address *address)
{
    return ban_list_has(&p2p->bans, address, p2p_now_s(p2p));
}

bool p2p_is_discouraged(const struct p2p *p2p, const struct net_address *address)
{
    uint8_t id[32];
    net_address_host_id(address, id);
    return recent_set_has(&p2p->discouraged, id);
}

bool p2p_is_unwelcome(const struct p2p *p2p, const struct net_address *address)
{
    return p2p_is_discouraged(p2p, address) || p2p_is_banned(p2p, address);
}

size_t p2p_sample_addresses(struct p2p *p2p, size_t max, unsigned percent, uint8_t network,
                            struct net_peer_address **list)
{
    ASSERT(list);
    size_t kept = 0,
           n = address_book_sample(p2p->book, max, percent, network, p2p_now_s(p2p), list);
    for (size_t i = 0; i < n; i++)
        if (!p2p_is_unwelcome(p2p, &(*list)[i].at))
            (*list)[kept++] = (*list)[i];
    return kept;
}
