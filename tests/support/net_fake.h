/* net_fake.h - a network that exists only as the structs a test fills in.
 *
 * For tests of rpc/. Orders are written down and answered with the result that the test set. */
#ifndef TESTS_SUPPORT_NET_FAKE_H
#define TESTS_SUPPORT_NET_FAKE_H

#include "consensus/ids.h"
#include "util/net_view.h"

struct net_fake_added {
    const char *address;
    const struct net_peer_info *peer;
};

struct net_fake {
    struct net_view view;
    struct net_info info;
    const struct net_peer_info *peers;
    size_t n_peers;
    struct net_fake_added added[4];
    size_t n_added;
    const struct net_node_address *addresses;
    size_t n_addresses;
    const struct net_addrman_count *counts;
    size_t n_counts;
    const struct net_book_place *places;
    size_t n_places;
    struct net_eclipse_risk risk;
    const struct net_orphan *orphans;
    size_t n_orphans;
    const struct net_private_tx *privates;
    size_t n_privates;
    bool is_private_reachable;
    struct txid sent; /* privately: the last one */
    size_t n_sent;
    const struct net_ban *bans;
    size_t n_bans;

    char order[64]; /* the last one: "add 1.2.3.4" */
    int n_pings;
    struct block_hash asked;
    enum net_result result; /* of the orders */
    int n_dialling;         /* questions to which a connection is still being made */
    const char *error;      /* of get_block */
    size_t n_saves;
    int save_error;
};

/* An empty network; rig->node.net is &fake->view. Nothing to free. */
void net_fake_init(struct net_fake *fake);

#endif
