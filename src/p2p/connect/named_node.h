/* named_node.h - the nodes that somebody named: -connect, -addnode, addnode, -seednode.
 *
 * Layer: p2p. A node is named by an address or a host name; names are looked up anew at each round
 * of attempts, off the loop, so that one that is not known yet, or moves, is found in the end.
 * Nothing that is named here stops the start: what cannot be reached is tried again. Spec: Core
 * ThreadOpenAddedConnections(), ProcessAddrFetch() */
#ifndef P2P_CONNECT_NAMED_NODE_H
#define P2P_CONNECT_NAMED_NODE_H

#include "p2p/core/net_address.h"

struct p2p;
struct peer;

#define NAMED_RETRY_FIRST_US INT64_C(1000000) /* from one round to the next; doubles */
#define NAMED_RETRY_MAX_US   INT64_C(60000000)
#define NAMED_ADDRESSES_MAX  16  /* of one name; more are left out */
#define NAMED_TEXT_MAX       300 /* bytes of a name with its port: DNS has 253 at most */

enum named_purpose {
    NAMED_CONNECT, /* -connect: a peer for as long as we run */
    NAMED_ADDED,   /* -addnode, addnode add: the same, until it is removed */
    NAMED_ONCE,    /* addnode onetry: one round */
    NAMED_SEED,    /* -seednode: one round, for the addresses that the peer knows */
};

struct named_node {
    struct p2p *p2p;
    char *text; /* as it was given */
    char *host; /* to be looked up; NULL: text is an address */
    uint16_t port;
    enum named_purpose purpose;
    struct net_address addresses[NAMED_ADDRESSES_MAX]; /* of this round */
    size_t n_addresses, at;                            /* at: the next one to dial */
    int64_t retry_us, next_us; /* how long to wait after this round; when to go on */
    uint64_t lookup;           /* under way; 0: none */
    uint64_t peer;             /* id while there is one */
    bool use_v2;               /* it is dialled so; as -v2transport says, unless an order does */
    bool is_over;              /* to be forgotten at the next tick */
};

struct named_nodes {
    struct named_node **at;
    size_t n, capacity;
};

/* Those of the options. */
void named_nodes_init(struct p2p *p2p);
/* Forget the look-ups under way. */
void named_nodes_stop(struct p2p *p2p);
/* Free all. */
void named_nodes_deinit(struct p2p *p2p);

/* Add a node, to be tried at once.
 *
 * In:       text  "host", "host:port" or a numeric form; at most NAMED_TEXT_MAX bytes, not empty
 * Owns:     p2p; it may be gone after the next tick if it is for one round only */
struct named_node *named_node_add(struct p2p *p2p, const char *text, enum named_purpose purpose);
/* The one of that purpose that was given so, or as another form of the same address; NULL: none */
struct named_node *named_node_find(struct p2p *p2p, const char *text, enum named_purpose purpose);
/* Forget it; a connection that it has stays, as in Core. */
void named_node_remove(struct p2p *p2p, struct named_node *node);
/* The peer that it is connected to, by whatever way; NULL: none. */
struct peer *named_node_peer(const struct named_node *node);

/* Have all tried now. */
void named_nodes_wake(struct p2p *p2p);
/* A peer of ours has completed its handshake: its node waits no longer than at first. */
void named_nodes_peer_ready(struct p2p *p2p, const struct peer *peer);
/* A peer of ours is dialled once more under another id. */
void named_nodes_peer_again(struct p2p *p2p, uint64_t old_id, uint64_t new_id);
/* A peer of ours is gone: the next address of its node is tried, or another round begins. */
void named_nodes_peer_gone(struct p2p *p2p, const struct peer *peer);

/* Returns: when it wants to be called again, INT64_MAX: never. */
int64_t named_nodes_tick(struct p2p *p2p, int64_t now_us);

#endif
