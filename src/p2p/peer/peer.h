/* peer.h - one peer: what is known of it, what it is for.
 *
 * Layer: p2p, internal. connect -> NEW -> (version) GREETED -> (verack) READY -> GONE. Each part of
 * the mesh keeps here what it knows of this peer; others look, but do not touch. */
#ifndef P2P_PEER_PEER_H
#define P2P_PEER_PEER_H

#include "p2p/addr/addr_relay.h"
#include "p2p/blocks/block_fetch.h"
#include "p2p/core/peer_class.h"
#include "p2p/core/transport.h"
#include "p2p/headers/header_sync.h"
#include "p2p/headers/laggards.h"
#include "p2p/peer/message.h"
#include "p2p/peer/ping.h"
#include "p2p/peer/score.h"
#include "p2p/serve/relay.h"
#include "p2p/serve/serve.h"
#include "p2p/txs/tx_relay.h"
#include "util/net_view.h"

struct p2p_listener;
struct peer_snapshot;
struct snapshots;
struct tunnel;

#define PEER_TEXT_MAX 320 /* of an address, or a name of at most SOCKS5_TEXT_MAX with its port */

/* Only forward, one at a time; from each of them to GONE. A message out of its state is passed over
 * unread, so that none can set a peer back or greet twice (hazard 42). */
enum peer_state {
    PEER_CONNECTING, /* dialled: nothing is sent, RPC does not show it. Inbound ones begin as NEW */
    PEER_NEW,        /* the stream is up, the peer's version is not here */
    PEER_GREETED,    /* its version is here, its verack not */
    PEER_READY,      /* messages.c's handlers are called, ours are sent */
    PEER_GONE,       /* in no list or map but p2p->gone, until p2p_leave() frees it */
};

/* Made by peer_new(), ended by peer_drop() alone. Who keeps a peer over a call that may come back
 * keeps its id: the pointer is good only until the outermost p2p_leave(). */
struct peer {
    struct peer *next, *prev;      /* oldest first */
    uint64_t id;                   /* from 1, never used again: what others remember of it */
    uint64_t stream;               /* env's */
    struct p2p_listener *listener; /* that it came in by; NULL: we dialled */
    enum peer_class class;
    enum peer_state state;
    struct net_address address;
    char text[PEER_TEXT_MAX]; /* of address; the name, where only a proxy knows that */
    struct tunnel *tunnel;    /* owned: through a proxy; NULL: directly */
    unsigned permissions;
    bool is_inbound_onion; /* came in by -bind=ADDR=onion: its own address is unknown */
    bool is_private_up;    /* private: its handshake is done, and it is never READY to the others */
    bool is_discouraged; /* its host misbehaved before it came: first to go where room is needed */
    bool was_ready;      /* when it went */

    /* Bytes in. */
    struct transport transport;
    struct frame_reader frame;
    struct buffer waiting;            /* read, not yet handled: reading is paused meanwhile */
    size_t turn_messages, turn_bytes; /* what it has had of this turn */
    bool is_paused, is_handling;
    bool is_large; /* it sends something large unasked, and has a place for that, since then */
    int64_t large_since_us;
    unsigned bad_messages; /* at most PEER_BAD_MESSAGES_MAX: peer_passes_over() */

    /* Handshake. */
    struct wire_version version; /* the peer's; zero before it is here */
    uint64_t nonce;              /* ours: to find connections to ourselves */
    uint64_t our_services;       /* as we told it: it is held to those, whatever they are later */
    /* It has sent sendheaders, wtxidrelay, sendaddrv2: the last two count before verack only. */
    bool wants_headers, wants_wtxid, wants_addrv2;
    uint32_t features; /* a bit for each row of features.c that both have */
    struct peer_reconciliation reconciliation;
    /* Its sendcmpct: it knows compact blocks; it wants to be told of new blocks by them. */
    bool knows_compact, wants_compact;
    bool is_relay_admitted;         /* inbound, and has a place for relaying transactions */
    bool is_greeting_sent;          /* our version: who dials speaks first */
    int64_t fee_filter_sat_per_kvb; /* it wants nothing cheaper; 0: it has not said */

    /* Ping. */
    uint64_t ping_nonce; /* 0: none under way */
    uint8_t held_pings[PEER_HELD_PINGS_MAX]
                      [8]; /* to be answered when what came before is decided */
    size_t n_held_pings;
    int64_t held_since_us;
    int64_t ping_us; /* when that was sent; -1: none is */
    int64_t next_ping_us;

    /* For getpeerinfo. Times in seconds are of the wall clock, 0 for never. */
    int64_t connected_us, connected_s, last_send_s, last_recv_s, last_tx_s, last_block_s;
    int64_t last_recv_us;
    uint64_t bytes_sent, bytes_received;
    struct net_message_bytes per_message[MESSAGES_COUNT + 1]; /* as messages.c, then all others */
    int64_t time_offset_s; /* its clock less ours; any 64 bits, so never added to anything */

    struct score score;
    struct peer_headers headers;
    struct peer_lag lag;
    struct peer_fetch fetch;
    struct compact_pending *compact; /* NULL: it completes no block for us */
    struct peer_serve serve;
    struct peer_relay relay;
    struct peer_light light;
    struct peer_filters filters;
    struct peer_snapshot *snapshot; /* NULL: nothing of snapshots was said */
    struct peer_addr addr;
    struct tx_fetch_peer txs;
    struct orphans_peer orphans;
    bool has_txs; /* these two are initialised */
    struct tx_queue_peer tx_queue;
};

/* As getpeerinfo names it: "inbound", "outbound-full-relay", ...
 * Spec: Core ConnectionTypeAsString() */
const char *peer_class_name(enum peer_class class);
/* We have connected to it. */
bool peer_is_outbound(const struct peer *peer);
/* It is given one of our transactions, and told nothing else. */
bool peer_is_private(const struct peer *peer);
/* It is told of no transactions and addresses. */
bool peer_is_block_only(const struct peer *peer);
/* It offers the service of whole or of recent blocks, with witnesses, and is here for that. */
bool peer_has_blocks(const struct peer *peer);
/* It has announced some, with witnesses. */
bool peer_announces_blocks(const struct peer *peer);
/* The node's block is among those that it offers or has just announced. */
bool peer_can_serve(const struct peer *peer, const struct block_node *node);
/* It has recent blocks alone, and what follows tip is older: what it has could not be connected.
 * Core asks nobody for such while it catches up. */
bool peer_lacks_next(const struct peer *peer, const struct block_node *tip);
/* It has told us of the block's header, or of one that builds on it, or we it. */
bool peer_has_header(const struct peer *peer, const struct block_node *node);
/* We take transactions from this peer at all. */
bool peer_may_send_txs(const struct p2p *p2p, const struct peer *peer);
/* It may be told of transactions, if it wants to. */
bool peer_may_hear_txs(const struct p2p *p2p, const struct peer *peer);
/* It asks for what needs a Bloom filter. Returns: its fault, if we did not offer that to it */
enum fault peer_asks_filter(const struct p2p *p2p, const struct peer *peer);
/* Our end of its connection; network NET_NONE: unknown. */
struct net_address peer_own_end(const struct p2p *p2p, const struct peer *peer);
/* What the user chose. */
const struct p2p_options *p2p_options_of(const struct p2p *p2p);
/* The chain. Borrowed. */
struct chain *p2p_chain_of(const struct p2p *p2p);
/* What all peers share of block_fetch.c. */
struct block_fetch *p2p_fetch_of(struct p2p *p2p);
/* What all peers share of filters.c. */
struct filters *p2p_filters_of(struct p2p *p2p);
/* What the folder snapshot keeps. */
struct snapshots *p2p_snapshots_of(const struct p2p *p2p);
/* Where lines go; NULL: nowhere. */
const struct log *p2p_log_of(const struct p2p *p2p);
/* What the folder txs keeps. */
struct tx_relay *p2p_txs_of(struct p2p *p2p);
/* Our services, as in version. */
uint64_t p2p_local_services(const struct p2p *p2p);

#endif
