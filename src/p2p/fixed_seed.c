/* fixed_seed.c - see fixed_seed.h. Messages are Core's. */
#include "p2p/fixed_seed.h"

#include "p2p/core/wire.h"
#include "p2p/state.h"

#define SEED_SERVICES (NODE_NETWORK | NODE_WITNESS)
#define WEEK_S        (7 * 24 * 3600)

void fixed_seed_start(struct p2p *p2p)
{
    const struct p2p_options *options = &p2p->options;
    if (!options->connect_only && !options->fixed_seeds)
        log_printf(p2p->log, LOG_ALWAYS, "Fixed seeds are disabled");
    p2p->fixed = (struct fixed_seed){.is_wanted = options->fixed_seeds && !options->connect_only,
                                     .until_us = p2p_now_us(p2p) + FIXED_SEED_WAIT_US};
}

/* Reachable networks without an address in the book, a bit each. */
static unsigned empty_networks(const struct p2p *p2p)
{
    unsigned networks = 0;
    for (uint8_t i = NET_IPV4; i <= NET_CJDNS; i++) {
        bool is_empty = address_book_count_of(p2p->book, i, false) == 0 &&
                        address_book_count_of(p2p->book, i, true) == 0;
        if (is_empty && reach_has_network(&p2p->reach, i))
            networks |= 1u << i;
    }
    return networks;
}

/* Somebody else may tell of addresses yet. */
static bool has_other_sources(const struct p2p *p2p)
{
    if (p2p->options.dns_seed || p2p->options.n_seed_nodes > 0)
        return true;
    for (size_t i = 0; i < p2p->named.n; i++)
        if (p2p->named.at[i]->purpose == NAMED_ADDED)
            return true;
    return false;
}

static void add_all(struct p2p *p2p, unsigned networks)
{
    const struct net_address told_by = net_address_of_internal("fixedseeds");
    const struct network *network = p2p->network;
    int64_t now_s = p2p_now_s(p2p);
    size_t n = 0;
    for (uint32_t i = 0; i < network->n_fixed_seeds; i++) {
        struct net_peer_address address = {.services = SEED_SERVICES};
        if (!reach_parse(&p2p->reach, network->fixed_seeds[i], network->p2p_port, &address.at) ||
            !(networks >> address.at.network & 1))
            continue;
        address.time = (uint32_t)(now_s - WEEK_S - (int64_t)p2p_random(p2p, WEEK_S));
        (void)address_book_add(p2p->book, &address, ADDRESS_SOURCE_DNS, &told_by, 0, now_s);
        n++;
    }
    log_printf(p2p->log, LOG_ALWAYS, "Added %zu fixed seeds from reachable networks.", n);
    p2p_schedule_now(p2p); /* there may be somebody to connect to */
}

int64_t fixed_seed_tick(struct p2p *p2p, int64_t now_us)
{
    struct fixed_seed *fixed = &p2p->fixed;
    if (!fixed->is_wanted)
        return INT64_MAX;
    unsigned networks = empty_networks(p2p);
    bool is_late = now_us >= fixed->until_us;
    if (networks == 0) /* that may change: each turn looks */
        return is_late ? INT64_MAX : fixed->until_us;
    if (!is_late && has_other_sources(p2p))
        return fixed->until_us;
    log_printf(p2p->log, LOG_ALWAYS,
               is_late ? "Adding fixed seeds as 60 seconds have passed and addrman is empty for at "
                         "least one reachable network"
                       : "Adding fixed seeds as -dnsseed=0 (or IPv4/IPv6 connections are disabled "
                         "via -onlynet) and neither -addnode nor -seednode are provided");
    fixed->is_wanted = false;
    add_all(p2p, networks);
    return INT64_MAX;
}
