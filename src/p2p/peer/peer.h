/* peer.h - one peer: what is known of it, what it is for.
 *
 * Layer: p2p, internal. connect -> NEW -> (version) GREETED -> (verack) READY -> GONE. Each part of
 * the mesh keeps here what it knows of this peer; others look, but do not touch. */
#ifndef P2P_PEER_PEER_H
#define P2P_PEER_PEER_H

#include "p2p/addr/addr_relay.h"
#include "p2p/blocks/block_fetch.h"
#include "p2p/core/frame.h"
#include "p2p/headers/header_sync.h"
#include "p2p/headers/laggards.h"
#include "p2p/p2p.h"
#include "p2p/peer/message.h"
#include "p2p/peer/ping.h"
#include "p2p/peer/score.h"
#include "p2p/serve/relay.h"
#include "p2p/serve/serve.h"
#include "p2p/txs/tx_relay.h"

struct p2p_listener;

enum peer_state {
    PEER_CONNECTING,
    PEER_NEW,     /* the stream is up, the peer's version is not here */
    PEER_GREETED, /* its version is here, its verack not */
    PEER_READY,
    PEER_GONE,
};

struct peer {
    struct peer *next, *prev; /* oldest first */
    uint64_t id, stream;
    struct p2p_listener *listener; /* that it came in by; NULL: we dialled */
    enum peer_class class;
    enum peer_state state;
    struct net_address address;
    char text[NET_ADDRESS_TEXT_MAX]; /* of address */
    unsigned permissions;
    bool is_inbound_onion; /* came in by -bind=ADDR=onion: its own address is unknown */
    bool is_discouraged;
    bool was_ready; /* when it went */

    /* Bytes in. */
    struct frame_reader frame;
    struct buffer waiting;            /* read, not yet handled: reading is paused meanwhile */
    size_t turn_messages, turn_bytes; /* what it has had of this turn */
    bool is_paused, is_handling;
    bool is_large; /* it sends something large unasked, and has a place for that, since then */
    int64_t large_since_us;
    unsigned bad_messages; /* with a wrong checksum, or that could not be decoded */

    /* Handshake. */
    struct wire_version version; /* the peer's; zero before it is here */
    uint64_t nonce;              /* ours: to find connections to ourselves */
    uint64_t our_services;
    bool wants_headers, wants_wtxid, wants_addrv2;
    bool is_greeting_sent;
    int64_t fee_filter_sat_per_kvb;

    /* Ping. */
    uint64_t ping_nonce; /* 0: none under way */
    uint8_t held_pings[PEER_HELD_PINGS_MAX]
                      [8]; /* to be answered when what came before is decided */
    size_t n_held_pings;
    int64_t held_since_us;
    int64_t ping_us, next_ping_us;

    /* For getpeerinfo. */
    int64_t connected_us, connected_s, last_send_s, last_recv_s, last_tx_s, last_block_s;
    int64_t last_recv_us;
    uint64_t bytes_sent, bytes_received;
    struct net_message_bytes per_message[MESSAGES_COUNT + 1];
    int64_t time_offset_s;

    struct score score;
    struct peer_headers headers;
    struct peer_lag lag;
    struct peer_fetch fetch;
    struct peer_serve serve;
    struct peer_relay relay;
    struct peer_addr addr;
    struct tx_fetch_peer txs;
    bool has_txs; /* txs is initialised */
    struct tx_queue_peer tx_queue;
};

/* We have connected to it. */
bool peer_is_outbound(const struct peer *peer);
/* It is told of no transactions and addresses. */
bool peer_is_block_only(const struct peer *peer);
/* It offers the service of whole or of recent blocks, with witnesses, and is here for that. */
bool peer_has_blocks(const struct peer *peer);
/* It has announced some, with witnesses. */
bool peer_announces_blocks(const struct peer *peer);
/* The node's block is among those that it offers or has just announced. */
bool peer_can_serve(const struct peer *peer, const struct block_node *node);
/* We take transactions from this peer at all. */
bool peer_may_send_txs(const struct p2p *p2p, const struct peer *peer);
/* It asks for what needs a Bloom filter, which we do not make. Returns: its fault, if it is one */
enum fault peer_asks_filter(const struct peer *peer);
/* Our end of its connection; network NET_NONE: unknown. */
struct net_address peer_own_end(const struct p2p *p2p, const struct peer *peer);
/* Our services, as in version. */
uint64_t p2p_local_services(const struct p2p *p2p);

#endif
