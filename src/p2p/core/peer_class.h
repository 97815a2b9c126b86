/* peer_class.h - what a connection is for, and who has chosen it.
 *
 * Layer: p2p. */
#ifndef P2P_CORE_PEER_CLASS_H
#define P2P_CORE_PEER_CLASS_H

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

#endif
