/* connect.h - whom to connect to, whom to let in, whom to let go.
 *
 * Layer: p2p. Outbound peers are chosen by us at random, at most one of a network group, so that
 * filling our slots takes an attacker many networks. When the inbound slots are full, peers that
 * an attacker would find hard to imitate keep theirs. Spec: Core ThreadOpenConnections(),
 * SelectNodeToEvict() */
#ifndef P2P_CONNECT_H
#define P2P_CONNECT_H

#include "p2p/address_book.h"

struct p2p;
struct peer;

#define CONNECT_INTERVAL_US    INT64_C(500000)    /* between attempts at random addresses */
#define CONNECT_FEELER_US      INT64_C(120000000) /* mean time between feelers */
#define CONNECT_RETRY_FIRST_US INT64_C(1000000)   /* for manual nodes; doubles */
#define CONNECT_RETRY_MAX_US   INT64_C(60000000)
#define CONNECT_TIMEOUT_US     INT64_C(10000000) /* for a stream to come up */
#define CONNECT_ANCHORS_MAX    2
#define CONNECT_DUMP_US        INT64_C(900000000) /* between writings of peers.dat */

/* A node that the user wants us connected to. */
struct manual_node {
    char *text;
    struct net_address address;
    int64_t retry_us, next_us; /* how long to wait after the next failure; when to try */
    uint64_t peer;             /* id while there is one */
    bool is_added;             /* -addnode or addnode, as opposed to -connect */
};

struct connect {
    struct manual_node *manual;
    size_t n_manual, manual_capacity;
    int64_t next_outbound_us, next_feeler_us, next_dump_us;
    struct net_address anchors[CONNECT_ANCHORS_MAX]; /* to be tried first */
    size_t n_anchors;
    bool is_dumping;
};

/* The user's nodes and the anchors; the book is there already. */
void connect_init(struct p2p *p2p);
void connect_deinit(struct p2p *p2p);

/* A stream has come in: may it stay? May drop another peer to make room. */
bool connect_admit(struct p2p *p2p, const struct net_address *address, unsigned permissions);
void connect_peer_ready(struct p2p *p2p, struct peer *peer);
void connect_peer_gone(struct p2p *p2p, struct peer *peer);

/* Open a stream. Returns: the new peer, or NULL if the address cannot be dialled. */
struct peer *connect_to(struct p2p *p2p, const struct net_address *address, int class);
/* Add to the list of manual nodes; remove it; -1 if it is not there. */
struct manual_node *connect_add(struct p2p *p2p, const char *text,
                                const struct net_address *address, bool is_added);
struct manual_node *connect_find(struct p2p *p2p, const struct net_address *address);
void connect_remove(struct p2p *p2p, struct manual_node *node);

/* Write peers.dat and anchors.dat: now, or by a job. */
void connect_save(struct p2p *p2p);

/* Returns: when it wants to be called again, INT64_MAX: never. */
int64_t connect_tick(struct p2p *p2p, int64_t now_us);

#endif
