/* peer_class.h - what a connection is for, who has chosen it, and what it is called.
 *
 * Layer: p2p. */
#ifndef P2P_CORE_PEER_CLASS_H
#define P2P_CORE_PEER_CLASS_H

#include <stdint.h>

enum peer_class {
    PEER_INBOUND,
    PEER_FULL,       /* outbound, chosen at random: blocks, transactions, addresses */
    PEER_BLOCK_ONLY, /* outbound, blocks only: hides the topology */
    PEER_FEELER,     /* outbound, short: does the address work? */
    PEER_ADDR_FETCH, /* outbound, short: asked for addresses; -seednode */
    PEER_MANUAL,     /* -connect, -addnode, addnode */
    PEER_PRIVATE,    /* outbound, short: given one of our transactions; -privatebroadcast */
    PEER_CLASS_COUNT,
};

/* What users and logs call the peer of that id: they count from 0, as Core does, and inside 0 is
 * nobody. */
static inline unsigned long long peer_shown(uint64_t id)
{
    return id - 1;
}

/* The id of the peer that users call so. */
static inline uint64_t peer_meant(uint64_t shown)
{
    return shown + 1;
}

#endif
