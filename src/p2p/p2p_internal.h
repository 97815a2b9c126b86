/* p2p_internal.h - the mesh as its own modules see it.
 *
 * Layer: p2p, internal. */
#ifndef P2P_P2P_INTERNAL_H
#define P2P_P2P_INTERNAL_H

#include "p2p/addr/addr_cache.h"
#include "p2p/connect/connect.h"
#include "p2p/connect/dns_seed.h"
#include "p2p/connect/named_node.h"
#include "p2p/connect/seed_node.h"
#include "p2p/core/permissions.h"
#include "p2p/headers/stale_tip.h"
#include "p2p/p2p.h"
#include "p2p/peer/peer.h"
#include "p2p/peer/upload.h"

#define P2P_LOCAL_MAX 8 /* addresses of ours that we advertise */

/* One -bind. Its events come with it as arg. */
struct p2p_listener {
    struct p2p *p2p;
    uint64_t stream;
    unsigned permissions;
    bool is_onion;
};

struct p2p {
    const struct env *env;
    const struct log *log;
    const struct network *network;
    struct chain *chain;
    struct mempool *mempool; /* NULL: no transactions */
    struct p2p_options options;
    struct arena arena; /* strings and lists of options */
    struct p2p_events events;

    bool is_running, is_active;
    unsigned depth; /* entries under way: peers that are gone are freed when it is 0 again */
    struct u256 min_chain_work;
    struct siphash_key key;
    struct peer *peers, *peers_last;
    struct peer *gone;
    struct hash_map by_id, by_stream;
    size_t n_large;     /* peers that are sending us something large */
    size_t n_in, n_out; /* connected or connecting */
    uint64_t last_id;
    uint64_t timer; /* 0: none */
    int64_t timer_us;

    struct p2p_listener *listeners;
    size_t n_listeners;
    struct permission_rule *rules;
    size_t n_rules;
    struct net_address local[P2P_LOCAL_MAX];
    size_t n_local;
    struct recent_set discouraged; /* hosts */
    struct ban_list bans;
    struct addr_caches addr_caches; /* answers to getaddr */
    bool has_warned_time;

    uint64_t bytes_sent, bytes_received;
    struct upload upload;

    struct address_book *book;
    struct connect connect;
    struct named_nodes named;
    struct seed_node seed_nodes;
    struct stale_tip stale;
    size_t n_spared; /* peers that may lag */
    struct header_sync headers;
    struct block_fetch fetch;
    struct relay relay;
    struct tx_relay txs;
    struct serve serve;
    struct dns_seed seed;
    size_t n_operations; /* callbacks of chain and mempool that are under way */
};

/* Clocks. */
int64_t p2p_now_us(const struct p2p *p2p);
int64_t p2p_now_s(const struct p2p *p2p);
/* Random numbers: 0 .. below - 1; a waiting time whose mean is that (a Poisson process). */
uint64_t p2p_random(const struct p2p *p2p, uint64_t below);
int64_t p2p_random_wait_us(const struct p2p *p2p, int64_t mean_us);

/* Have everything looked at no later than that; at once, but from a turn of its own. */
void p2p_schedule(struct p2p *p2p, int64_t at_us);
void p2p_schedule_now(struct p2p *p2p);

/* The peer of an id, if it is still here; NULL otherwise. */
struct peer *p2p_find_peer(const struct p2p *p2p, uint64_t id);
/* Between these, peers that are dropped stay in memory. Every entry from outside has both. */
void p2p_enter(struct p2p *p2p);
void p2p_leave(struct p2p *p2p);

/* Our end of a peer's connection; network NET_NONE: unknown. */
struct net_address p2p_own_end(const struct p2p *p2p, const struct peer *peer);
/* The host as an id for a recent_set. */
void p2p_host_id(const struct net_address *address, uint8_t out[32]);
/* Is the host banned by hand now; or does it misbehave? */
bool p2p_is_banned(const struct p2p *p2p, const struct net_address *address);
bool p2p_is_discouraged(const struct p2p *p2p, const struct net_address *address);
/* Either: it is not dialled of our own accord, nor told to others. */
bool p2p_is_unwelcome(const struct p2p *p2p, const struct net_address *address);
/* What -whitelist grants to a peer at that address. */
unsigned p2p_permissions_of(const struct p2p *p2p, const struct net_address *address, bool inbound);
/* Our services, as in version. */
uint64_t p2p_local_services(const struct p2p *p2p);
/* All that streams tell. */
extern const struct env_stream_events p2p_inbound_events, p2p_outbound_events;
/* Fill in what getpeerinfo shows. */
void p2p_show_peer(const struct p2p *p2p, const struct peer *peer, struct p2p_peer_info *info);

#endif
