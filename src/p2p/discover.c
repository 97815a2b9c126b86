/* discover.c - see discover.h. */
#include "p2p/discover.h"

#include "p2p/state.h"

static void on_address(void *arg, const char *text)
{
    struct p2p *p2p = arg;
    struct net_address address;
    if (reach_parse(&p2p->reach, text, p2p->options.own_port, &address))
        addr_relay_add_local(p2p, LOCAL_INTERFACE, &address);
}

/* Every interface of its kind; as in Core those of the other kind are looked for too. */
static bool is_any(const struct net_address *address)
{
    static const uint8_t zeros[NET_ADDRESS_BYTES_MAX];
    return memcmp(address->bytes, zeros, sizeof zeros) == 0;
}

void discover_start(struct p2p *p2p)
{
    bool has_any = false;
    ASSERT(p2p->local.n <= LOCAL_LIST_MAX);
    if (p2p->options.no_discover)
        return;
    for (size_t i = 0; i < p2p->n_listeners; i++) {
        const struct p2p_listener *listener = &p2p->listeners[i];
        struct net_address address = reach_flip(&p2p->reach, &listener->address);
        if (listener->is_onion || listener->is_untold)
            continue;
        has_any |= is_any(&address);
        addr_relay_add_local(p2p, LOCAL_BIND, &address);
    }
    if (has_any)
        env_own_addresses(p2p->env, on_address, p2p);
}
