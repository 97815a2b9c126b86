/* wire.h - the payloads of messages: decoded from bytes of a stranger, encoded from ours.
 *
 * Layer: p2p. Pure. Decoders read from a sticky reader and bound every count before they trust it;
 * whoever calls them asks reader_finish() where nothing may follow. */
#ifndef P2P_CORE_WIRE_H
#define P2P_CORE_WIRE_H

#include "consensus/block.h"
#include "p2p/core/net_address.h"
#include "util/reader.h"
#include "util/writer.h"

#define WIRE_PROTOCOL_VERSION 70017 /* what we speak: up to BIP434 */
#define WIRE_VERSION_MIN      31800 /* older peers know no headers: Core MIN_PEER_PROTO_VERSION */
#define WIRE_VERSION_BIP31    60001 /* answers ping. BIP-31, Specification */
#define WIRE_VERSION_WTXID    70016 /* BIP-339, Specification */

/* How many of each a message may have, as Core sends and takes them: more is malformed. */
#define WIRE_INV_MAX           50000
#define WIRE_HEADERS_MAX       2000
#define WIRE_LOCATOR_MAX       101
#define WIRE_ADDRESSES_MAX     1000
#define WIRE_USER_AGENT_MAX    256
#define WIRE_INV_BYTES         36
#define WIRE_VERSION_BYTES_MAX 512

enum wire_services {
    NODE_NETWORK = 1 << 0,          /* has all blocks */
    NODE_BLOOM = 1 << 2,            /* BIP-111, Specification */
    NODE_WITNESS = 1 << 3,          /* BIP-144, Handshake */
    NODE_COMPACT_FILTERS = 1 << 6,  /* BIP-158, Signaling */
    NODE_NETWORK_LIMITED = 1 << 10, /* has the last 288. BIP-159, New service bit */
    NODE_P2P_V2 = 1 << 11,          /* BIP-324, Signaling v2 support */
};

enum wire_inv_type {
    INV_TX = 1,
    INV_BLOCK = 2,
    INV_FILTERED_BLOCK = 3, /* BIP-37, Extensions to existing messages */
    INV_COMPACT_BLOCK = 4,  /* BIP-152, MSG_CMPCT_BLOCK */
    INV_WTX = 5,            /* BIP-339, Specification */
    INV_WITNESS = 1 << 30,  /* BIP-144, Relay */
    INV_WITNESS_TX = INV_TX | INV_WITNESS,
    INV_WITNESS_BLOCK = INV_BLOCK | INV_WITNESS,
};

/* One thing that a peer has or wants. */
struct wire_inv {
    uint32_t type; /* enum wire_inv_type, or anything: who handles it passes over what it is not */
    uint8_t hash[32];
};

/* The greeting. Nothing in it is proven: services are a promise, receiver and time mere opinions.
 */
/* In the user agent of a node by -chainfile, before network->rules_tag. */
#define WIRE_CHAIN_COMMENT "chain@"

struct wire_version {
    int32_t version;
    uint64_t services;          /* enum wire_services and bits that we do not know */
    int64_t time;               /* seconds of its wall clock, any 64 bits (hazard 41) */
    uint64_t receiver_services; /* what the sender believes of the receiver */
    struct net_address receiver;
    struct net_address sender;
    uint64_t nonce;
    char user_agent[WIRE_USER_AGENT_MAX + 1]; /* any bytes but zero: escape before showing */
    int32_t start_height;
    bool relay; /* announce transactions. BIP-37, Extensions to existing messages */
};

/* Where a peer stands: the first of the hashes that is in our chain is where we agree. */
struct wire_locator {
    uint32_t version;   /* not looked at, like Core */
    struct span hashes; /* n times 32 bytes, newest first; borrows the message */
    size_t n;
    struct block_hash stop; /* zero: as many as a message holds */
};

/* The version message. Fields behind the receiver's address were added over time: what an old peer
 * leaves out gets its default. Decoding fails if an element is cut short or the name too long. */
NODISCARD bool wire_version_decode(struct reader *r, struct wire_version *version);
/* Write one, with all its fields. */
void wire_version_encode(struct writer *w, const struct wire_version *version);

/* Read the count in front of a list of things of at least item_bytes; fails the reader if it is
 * above max or more than the bytes left can hold. */
size_t wire_count_decode(struct reader *r, size_t max, size_t item_bytes);
/* The count in front is above max, whatever follows it. */
bool wire_count_exceeds(struct reader r, size_t max);

/* One entry of addr (v2 false) or addrv2 (BIP155). An entry of a network that we do not know, or
 * whose length is not its network's, is skipped by setting network to NET_NONE. */
void wire_address_decode(struct reader *r, bool v2, struct net_peer_address *address);
/* Write one; for v2 false it must fit: wire_address_fits_v1(). */
void wire_address_encode(struct writer *w, bool v2, const struct net_peer_address *address);
/* Can be told in an addr message, which has room for 16 bytes only. */
bool wire_address_fits_v1(const struct net_address *address);

/* One entry of inv, getdata or notfound. */
void wire_inv_decode(struct reader *r, struct wire_inv *inv);
/* Write one. */
void wire_inv_encode(struct writer *w, const struct wire_inv *inv);

/* getheaders and getblocks. */
NODISCARD bool wire_locator_decode(struct reader *r, struct wire_locator *locator);

#endif
