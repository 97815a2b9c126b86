/* dns_seed.c - see dns_seed.h. */
#include "p2p/connect/dns_seed.h"

#include "p2p/connect/dial.h"
#include "p2p/core/wire.h"
#include "p2p/state.h"
#include "util/alloc.h"

/* Seeds answer with nodes of given services when the name begins with x and those bits in hex. */
#define SEED_SERVICES (NODE_NETWORK | NODE_WITNESS)
/* Addresses from DNS have no time: between three and seven days old, as Core takes them. */
#define SEED_AGE_LEAST_S  (3 * 24 * 3600)
#define SEED_AGE_SPREAD_S (4 * 24 * 3600)

static void on_answer(void *arg, const char *const *addresses, size_t n)
{
    struct dns_seed_lookup *lookup = arg;
    struct p2p *p2p = lookup->seed->p2p;
    lookup->id = 0;
    /* A seed whose name server fails is a node too: it is dialled, to be asked for addresses. */
    if (n == 0) {
        (void)named_node_add(p2p, lookup->name, NAMED_SEED);
        return;
    }
    int64_t now_s = p2p_now_s(p2p);
    size_t n_new = 0;
    for (size_t i = 0; i < n; i++) {
        struct net_peer_address address = {.services = SEED_SERVICES};
        uint32_t spread;
        if (!net_address_parse(addresses[i], p2p->network->p2p_port, &address.at))
            continue;
        env_random(p2p->env, &spread, sizeof spread);
        address.time = (uint32_t)(now_s - SEED_AGE_LEAST_S - (int64_t)(spread % SEED_AGE_SPREAD_S));
        n_new += address_book_add(p2p->book, &address, ADDRESS_SOURCE_DNS, &address.at, 0, now_s);
    }
    log_printf(p2p->log, LOG_NET, "%zu addresses from DNS, %zu of them new", n, n_new);
    p2p_schedule_now(p2p);
}

static void ask_one(struct dns_seed *seed, const char *name)
{
    ASSERT(seed->n_lookups < DNS_SEED_LOOKUPS_MAX);
    struct p2p *p2p = seed->p2p;
    struct net_address address;
    /* -signetseednode; and what a proxy looks up is not looked up here: the proxy connects us. */
    if (strchr(name, ':') || net_address_parse(name, 0, &address) ||
        reach_name_proxy(&p2p->reach)) {
        (void)named_node_add(p2p, name, NAMED_SEED);
        return;
    }
    struct dns_seed_lookup *lookup = &seed->lookups[seed->n_lookups++];
    *lookup = (struct dns_seed_lookup){.seed = seed, .name = name};
    char *question = xasprintf("x%x.%s", (unsigned)SEED_SERVICES, name);
    lookup->id = env_resolve(p2p->env, question, on_answer, lookup);
    xfree(question);
}

/* Seeds see who asks, and could answer with nodes of one party's choice: so only where the peers
 * that the address book gave are too few, after a while (hazard 70). */
static void ask(void *arg)
{
    struct dns_seed *seed = arg;
    struct p2p *p2p = seed->p2p;
    seed->timer = 0;
    if (!p2p->options.dns_seed_forced && dial_count_full(p2p) >= DNS_SEED_PEERS_MIN)
        return;
    log_printf(p2p->log, LOG_ALWAYS, "Loading addresses from DNS seeds");
    for (uint32_t i = 0; i < p2p->network->n_dns_seeds && i < DNS_SEED_LOOKUPS_MAX; i++)
        ask_one(seed, p2p->network->dns_seeds[i]);
}

void dns_seed_start(struct dns_seed *seed, struct p2p *p2p)
{
    *seed = (struct dns_seed){.p2p = p2p};
    const struct p2p_options *options = &p2p->options;
    if (!options->dns_seed)
        log_printf(p2p->log, LOG_ALWAYS, "DNS seeding disabled");
    if (!options->dns_seed || !p2p->env->names.resolve || p2p->network->n_dns_seeds == 0)
        return; /* -connect turns it off, where it is not asked for by name */
    int64_t wait_us = address_book_count(p2p->book) > 0 ? DNS_SEED_WAIT_US : 0;
    if (options->n_seed_nodes > 0)
        wait_us = DNS_SEED_LAST_US;
    if (options->dns_seed_forced)
        wait_us = 0;
    seed->timer = env_timer_start(p2p->env, wait_us, ask, seed);
}

void dns_seed_stop(struct dns_seed *seed)
{
    if (!seed->p2p)
        return;
    const struct env *env = seed->p2p->env;
    if (seed->timer)
        env_timer_cancel(env, seed->timer);
    for (size_t i = 0; i < seed->n_lookups; i++)
        if (seed->lookups[i].id)
            env_resolve_cancel(env, seed->lookups[i].id);
    *seed = (struct dns_seed){0};
}
