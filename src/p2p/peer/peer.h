/* peer.h - one peer, from connect to gone: version handshake, pings, what is sent to it.
 *
 * Layer: p2p, internal. connect -> NEW -> (version) GREETED -> (verack) READY -> GONE. A peer that
 * is GONE is freed at the end of the entry that dropped it, so handlers may drop any peer. */
#ifndef P2P_PEER_PEER_H
#define P2P_PEER_PEER_H

#include "p2p/addr/addr_relay.h"
#include "p2p/blocks/block_fetch.h"
#include "p2p/core/frame.h"
#include "p2p/headers/header_sync.h"
#include "p2p/headers/laggards.h"
#include "p2p/p2p.h"
#include "p2p/peer/score.h"
#include "p2p/serve/relay.h"
#include "p2p/serve/serve.h"
#include "p2p/session/messages.h"
#include "p2p/session/receive.h"
#include "p2p/txs/tx_relay.h"

#define PEER_SEND_QUEUE_PAUSE (1000 * 1000) /* queued bytes above which we stop reading */
#define PEER_PING_US          INT64_C(120000000)
#define PEER_HELD_PINGS_MAX   8
#define PEER_HELD_PING_US     INT64_C(10000000)         /* answered then, whatever is undecided */
#define PEER_SILENCE_US       (INT64_C(1200) * 1000000) /* no byte, or no pong: gone */

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

    /* Bytes in. */
    struct frame_reader frame;
    struct buffer waiting;            /* read, not yet handled: reading is paused meanwhile */
    size_t turn_messages, turn_bytes; /* what it has had of this turn */
    bool is_paused, is_handling;
    bool is_large; /* it sends something large unasked, and has a place for that, since then */
    int64_t large_since_us;
    unsigned bad_checksums;

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
    struct p2p_message_bytes per_message[MESSAGES_COUNT + 1];
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

/* Make a peer at the end of the list. Owns: p2p. */
struct peer *peer_new(struct p2p *p2p, enum peer_class class, const struct net_address *address,
                      uint64_t stream);
/* The stream is up: greet, if it is up to us to begin. */
void peer_connected(struct p2p *p2p, struct peer *peer);
/* Close its stream and forget it. why is for the log: "" says nothing. */
void peer_drop(struct p2p *p2p, struct peer *peer, const char *why);
/* It has done something wrong: what the table of faults says happens, unless it is protected. */
void peer_fault(struct p2p *p2p, struct peer *peer, enum fault fault, const char *detail);
/* Free it. Only for p2p.c, when nobody uses it any more. */
void peer_free(struct p2p *p2p, struct peer *peer);

/* Queue a message of the table. Nothing is sent to a peer that is gone, or whose version is older
 * than the message: see struct message. */
void peer_send(struct p2p *p2p, struct peer *peer, const char *name, struct span payload);
/* The same of the bytes of a block, whose checksum is known: held until they are sent, not copied.
 */
void peer_send_block(struct p2p *p2p, struct peer *peer, struct block_ref *block,
                     const uint8_t checksum[4]);
/* Room in the peer's queue, so that more may be put into it. */
bool peer_has_room(const struct p2p *p2p, const struct peer *peer);

/* Outbound; wants no transactions; offers the service of whole or of recent blocks; has announced
 * some, with witnesses; the node's block is among those that it offers or has just announced. */
bool peer_is_outbound(const struct peer *peer);
bool peer_is_block_only(const struct peer *peer);
bool peer_has_blocks(const struct peer *peer);
bool peer_announces_blocks(const struct peer *peer);
bool peer_can_serve(const struct peer *peer, const struct block_node *node);

/* Something of this peer's has been decided: answer the pings that waited for it, if all has. */
void peer_decided(struct p2p *p2p, struct peer *peer);
/* Send a ping now. */
void peer_ping(struct p2p *p2p, struct peer *peer);
/* Returns: when it wants to be called again. */
int64_t peer_tick(struct p2p *p2p, struct peer *peer, int64_t now_us);

/* Handlers. */
enum fault peer_on_version(struct p2p *p2p, struct peer *peer, struct reader *r);
enum fault peer_on_verack(struct p2p *p2p, struct peer *peer, struct reader *r);
enum fault peer_on_wtxidrelay(struct p2p *p2p, struct peer *peer, struct reader *r);
enum fault peer_on_sendaddrv2(struct p2p *p2p, struct peer *peer, struct reader *r);
enum fault peer_on_sendheaders(struct p2p *p2p, struct peer *peer, struct reader *r);
enum fault peer_on_ping(struct p2p *p2p, struct peer *peer, struct reader *r);
enum fault peer_on_pong(struct p2p *p2p, struct peer *peer, struct reader *r);
enum fault peer_on_not_found(struct p2p *p2p, struct peer *peer, struct reader *r);
enum fault peer_on_filter(struct p2p *p2p, struct peer *peer, struct reader *r);
enum fault peer_on_ignored(struct p2p *p2p, struct peer *peer, struct reader *r);

#endif
