/* evict.h - which inbound peer goes when there is no room for another.
 *
 * Layer: p2p. Pure. Peers that are hard to imitate keep their places: by keyed network group, by
 * low latency, by transactions and blocks they gave first, by useful bytes; half of the rest by how
 * long they have been here, of which up to a half is for those on this machine and those that come
 * through Tor: all of them are in one group, and the latter are slow. Of the others, the youngest
 * of the largest group goes. Spec: Core SelectNodeToEvict() */
#ifndef P2P_CONNECT_EVICT_H
#define P2P_CONNECT_EVICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An inbound peer, as far as it matters here. Times are monotonic microseconds. */
struct evict_candidate {
    uint64_t id;
    uint64_t group_hash; /* keyed: cannot be predicted */
    int64_t connected_us;
    int64_t min_ping_us; /* -1: unknown, the worst */
    int64_t last_block_us, last_tx_us;
    uint64_t useful_bytes; /* blocks and transactions that were new to us. Not in Core */
    bool relays_txs;
    bool is_protected;   /* by permission: never chosen, and takes no place from the others */
    bool is_discouraged; /* chosen first, if nothing else protects it */
    bool is_local, is_onion;
};

/* The id of who shall go; 0 if nobody may. Reorders the candidates. */
uint64_t evict_choose(struct evict_candidate *candidates, size_t n);

#endif
