/* choose.h - which address of the book is called next.
 *
 * Layer: p2p. Knows the book and what its caller says of an address, nothing of peers: so that
 * tests/sim/sim_eclipse.c attacks the choice that nodes make. Spec: Core ThreadOpenConnections(),
 * but for choose_for_slot()'s first draws */
#ifndef P2P_CONNECT_CHOOSE_H
#define P2P_CONNECT_CHOOSE_H

#include "p2p/addr/address_book.h"

#define CHOOSE_TRIES          100
#define CHOOSE_EVEN_TRIES     50  /* of these, among the groups of tried */
#define CHOOSE_BAD_PORT_TRIES 50  /* pass over ports of other services. Core */
#define CHOOSE_TRIED_LATELY_S 600 /* not again so soon, unless nothing else is found */

struct choose {
    struct address_book *book;
    unsigned networks;        /* that can be reached, as in address_book_select_of(); 0: all */
    uint64_t services_needed; /* of who gets a slot */
    void *ctx;
    /* It is not connected, not ours, not unwelcome. */
    bool (*may_call)(void *ctx, const struct net_address *address);
    /* It is connected, and has greeted. */
    bool (*is_up)(void *ctx, const struct net_address *address);
    /* A slot is somebody's of its network group. */
    bool (*has_group)(void *ctx, const struct net_address *address);
};

/* An address for a slot that is kept: of a group that has none. Tested ones first, every group
 * alike, where enough groups are known; then as Core draws. Returns: false if none is found */
NODISCARD bool choose_for_slot(const struct choose *choose, int64_t now_s,
                               struct net_peer_address *out);
/* One to be tested: whose place in tried another one wants, or one that was only heard of. */
NODISCARD bool choose_for_feeler(const struct choose *choose, int64_t now_s,
                                 struct net_peer_address *out);

#endif
