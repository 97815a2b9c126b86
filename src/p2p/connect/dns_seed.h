/* dns_seed.h - addresses of peers from the network's DNS seeds, when few are known.
 *
 * Layer: p2p. Seeds are asked only by a node that has nobody to talk to: each question tells
 * somebody that a node starts here. A seed that does not answer, or is a node with an address or a
 * port, is connected to for its addresses instead. Needs a world with names (env.names). */
#ifndef P2P_CONNECT_DNS_SEED_H
#define P2P_CONNECT_DNS_SEED_H

#include <stddef.h>
#include <stdint.h>

struct p2p;

#define DNS_SEED_WAIT_US     INT64_C(11000000) /* if addresses are known: try those first */
#define DNS_SEED_LAST_US     INT64_C(30000000) /* if -seednode names some: those first. Core */
#define DNS_SEED_PEERS_MIN   2                 /* with so many peers nobody is asked */
#define DNS_SEED_LOOKUPS_MAX 16

/* A question to one seed. */
struct dns_seed_lookup {
    struct dns_seed *seed;
    const char *name; /* of the network's table */
    uint64_t id;      /* 0: answered */
};

struct dns_seed {
    struct p2p *p2p;
    uint64_t timer;
    struct dns_seed_lookup lookups[DNS_SEED_LOOKUPS_MAX];
    size_t n_lookups;
};

/* Begin to watch whether seeds are needed; does nothing if they are not to be asked. */
void dns_seed_start(struct dns_seed *seed, struct p2p *p2p);
/* Forget everything that is under way. */
void dns_seed_stop(struct dns_seed *seed);

#endif
