/* p2p.h - the mesh, as the node sees it: start it, tell it what the chain did, look at its peers.
 *
 * Layer: p2p. Sans I/O: everything goes through struct env. All calls on the loop thread.
 *
 * Start here: p2p.c (streams in, timers), peer.h (one peer), messages.c (what is understood), then
 * header_sync, block_fetch, tx_fetch, relay. */
#ifndef P2P_P2P_H
#define P2P_P2P_H

#include "chain/chain.h"
#include "mempool/mempool.h"
#include "p2p/addr/address_book.h"
#include "p2p/addr/ban_list.h"
#include "p2p/addr/local_list.h"
#include "p2p/blocks/compact_extra.h"
#include "p2p/core/net_address.h"
#include "p2p/core/peer_class.h"
#include "p2p/core/permissions.h"
#include "p2p/core/reach.h"
#include "p2p/core/wire.h"
#include "p2p/snapshot/snapshot_fetch.h"
#include "util/net_view.h"

struct p2p;

#define P2P_MAX_CONNECTIONS_DEFAULT 125
#define P2P_FULL_OUTBOUND           8
#define P2P_BLOCK_ONLY_OUTBOUND     2
#define P2P_MANUAL_MAX              8  /* -addnode and addnode add */
#define P2P_ONCE_MAX                64 /* addnode onetry, under way */

struct p2p_bind {
    const char *address;  /* numeric, with or without port */
    unsigned permissions; /* -whitebind */
    bool is_onion;        /* -bind=ADDR=onion: who connects here comes through Tor */
    bool is_untold;       /* others are not told that we listen here */
};

/* Tor's control port, which makes us an onion service; zero is none. */
struct p2p_onion_options {
    const char *control_address; /* -torcontrol, numeric, where -listenonion is on */
    uint16_t control_port;
    const char *password; /* -torpassword; NULL: none */
    bool asks_for_proxy;  /* no -onion says where Tor's proxy is */
};

/* Copied by p2p_new(), strings too. Zero is the default of every field but those named. */
struct p2p_options {
    const char *data_dir;   /* where peers.dat and anchors.dat are; NULL: nothing is kept */
    const char *user_agent; /* "/Cairn:0.1.0/"; not NULL */
    const char *asmap;      /* -asmap: a file, relative to data_dir; NULL: none */
    bool private_routable;  /* -privateroutable: see struct net_grouping */
    bool test_address_book; /* -test=addrman: its key is 1 */
    bool listen;
    uint16_t port;                /* 0: the network's */
    uint16_t own_port;            /* of addresses that this machine has; 0: port */
    const struct p2p_bind *binds; /* none: all interfaces */
    size_t n_binds;
    bool dns_seed;              /* -dnsseed: ask the network's DNS seeds if need be */
    bool dns_seed_forced;       /* -forcednsseed: ask them in any case */
    bool fixed_seeds;           /* -fixedseeds: the network's, if all else fails */
    bool no_dns;                /* -dns=0: names are not looked up */
    struct reach_options reach; /* -proxy, -onlynet and their like */
    struct p2p_onion_options onion;
    bool map_port;          /* -natpmp: while every interface is listened on */
    bool private_broadcast; /* -privatebroadcast: what our user sends goes to strangers first */
    bool i2p_accepts;       /* -i2pacceptincoming: one destination, which others may call */
    bool connect_only;      /* -connect was given: only to these, "0" is none */
    const char *const *connect;
    size_t n_connect;
    const char *const *add_nodes;
    size_t n_add_nodes;
    const char *const *seed_nodes; /* as add_nodes: of at most NAMED_TEXT_MAX bytes, not empty */
    size_t n_seed_nodes;
    int max_connections;          /* 0: P2P_MAX_CONNECTIONS_DEFAULT */
    int inbound_reserved_percent; /* of inbound peers: for those that relay no transactions */
    const char *const *whitelist; /* "[permissions@]range" each; checked by permissions_parse() */
    size_t n_whitelist;
    unsigned implicit_permissions; /* what PERMISSION_IMPLICIT grants; 0: PERMISSION_DEFAULT */
    bool blocks_only;        /* -blocksonly: no transactions asked for, relayed or taken */
    int extra_txs;           /* see compact_extra.h; 0: COMPACT_EXTRA_TXS; -1: none */
    bool is_inactive;        /* -networkactive=0 */
    bool peer_bloom_filters; /* -peerbloomfilters: BIP37 */
    bool peer_block_filters; /* -peerblockfilters: BIP157; the chain has the index */
    bool tx_reconciliation;  /* -txreconciliation: BIP330 */
    bool v2_transport;       /* -v2transport: BIP324 with whom speaks it */
    bool no_discover;        /* -discover=0: no address but these is advertised, see discover.h */
    const char *const *external; /* -externalip: addresses of ours to advertise */
    size_t n_external;
    bool capture_messages;             /* -capturemessages: below data_dir, if there is one */
    const char *serve_snapshot;        /* -servesnapshot: a file of coins for peers; NULL: none */
    uint64_t upload_target_bytes;      /* -maxuploadtarget, of a day; 0: no limit */
    int64_t peer_timeout_s;            /* -peertimeout: for the handshake; 0: 60 */
    const struct u256 *min_chain_work; /* as in chain_options; NULL: the network's */
};

/* What p2p tells the node. Any member may be NULL. */
struct p2p_events {
    void *ctx;
    void (*peer_connected)(void *ctx, uint64_t peer);
    void (*peer_gone)(void *ctx, uint64_t peer);
    /* Most peers' clocks disagree with ours: check the date. "" clears. Hazard 73: warn only. */
    void (*warning)(void *ctx, const char *message);
};

/* Make a mesh; does nothing yet. Borrows env, log, network, chain and mempool (which may be NULL:
 * then no transactions are spoken of) for its life. Options must be valid: see permissions_parse()
 * and net_address_parse(). */
struct p2p *p2p_new(const struct env *env, const struct log *log, const struct network *network,
                    struct chain *chain, struct mempool *mempool, const struct p2p_options *options,
                    const struct p2p_events *events);
/* Read the address book, listen, start connecting. False with *error (free with xfree()): one line
 * for the user, such as an address that is in use. */
NODISCARD bool p2p_start(struct p2p *p2p, char **error);
/* Drop all peers, write the address book. Callbacks of the chain that are under way are awaited
 * by chain_close(), which comes next; p2p_free() comes after that, when nothing is pending. */
void p2p_stop(struct p2p *p2p);
/* Let this -whitelist count, for peers that come from now on. The texts are not kept. */
void p2p_set_whitelist(struct p2p *p2p, const char *const *whitelist, size_t n);
/* NULL is allowed. Nothing may be pending. */
void p2p_free(struct p2p *p2p);
/* mockscheduler: what is done every few minutes, whatever peers do, is due so much sooner. Core has
 * these in its scheduler; peers' own timeouts are not. */
void p2p_advance(struct p2p *p2p, int64_t delta_us);
/* Answers of chain, mempool and jobs that have not come yet. */
size_t p2p_pending(const struct p2p *p2p);

/* Assert that the parts agree with themselves. Costly. */
void p2p_check(const struct p2p *p2p);

/* -- What the chain and the mempool did: called by node from their events ---------------------- */

/* See struct chain_events. Blocks first, then one p2p_tip_changed(). */
void p2p_block_connected(struct p2p *p2p, const struct block_node *node, struct block_ref *block);
/* See struct chain_events: it may be told of. */
void p2p_block_checked(struct p2p *p2p, const struct block_node *node, struct block_ref *block);
/* A block was taken back; called like the last. */
void p2p_block_disconnected(struct p2p *p2p, struct block_ref *block);
/* The chain rests on a new tip. */
void p2p_tip_changed(struct p2p *p2p, const struct block_node *tip);
/* There are more headers than before. */
void p2p_header_tip_changed(struct p2p *p2p, const struct block_node *best_header);
/* A block was found to be invalid: others are asked for. */
void p2p_block_invalid(struct p2p *p2p, const struct block_hash *hash);
/* A stored block is damaged: it is fetched again, now or when a peer that has it is there. Or one
 * below a snapshot's was checked, and others are wanted. */
void p2p_block_lost(struct p2p *p2p, const struct block_node *node);
/* See struct mempool_events: new entries are announced to peers. */
void p2p_mempool_changed(struct p2p *p2p, const struct mempool_event *event);

/* The files of coins that we fetch and serve, for snapshot_fetch.h. */
struct snapshots *p2p_snapshots(struct p2p *p2p);

/* -- Looking: getpeerinfo, getnetworkinfo, getnettotals. A void *p2p is a struct p2p, as the
 * members of struct net_view hand it over ------------------------------------------------------ */

/* Call fn for every peer, oldest first, but for those that are being connected to. */
void p2p_each_peer(void *p2p, net_peer_fn *fn, void *arg);

typedef void p2p_message_fn(void *arg, const char *name, uint64_t received);
/* Call fn for each kind of message that has come, with the bytes of all of them, headers included,
 * from whoever is or was here. Sorted by name, "*other*" last. */
void p2p_each_message(const struct p2p *p2p, p2p_message_fn *fn, void *arg);

struct p2p_info {
    const char *user_agent; /* ours; borrowed for the life of p2p */
    uint64_t local_services;
    bool is_active, relays_txs;
    bool is_private; /* -privatebroadcast */
    size_t n_in, n_out;
    int64_t time_offset_s; /* median of the outbound peers' */
    uint64_t bytes_received, bytes_sent;
    uint16_t port;
    const struct local_list *local; /* our addresses that we advertise */
    struct net_upload_info upload;
};
/* Describe the mesh as a whole. Pointers are borrowed until the next call into p2p. */
void p2p_info(const struct p2p *p2p, struct p2p_info *info);
/* A network as getnetworkinfo shows it. */
struct p2p_network_info {
    bool is_reachable;
    char proxy[REACH_PROXY_TEXT_MAX + 16]; /* "" without */
    bool randomizes_credentials;
};
/* Describe a network. */
void p2p_network_info(const struct p2p *p2p, enum net_network network,
                      struct p2p_network_info *info);

/* The book, borrowed. */
struct address_book *p2p_address_book(struct p2p *p2p);
/* address_book_sample() without those that are not welcome here. */
size_t p2p_sample_addresses(struct p2p *p2p, size_t max, unsigned percent, uint8_t network,
                            struct net_peer_address **list);

/* Tell the risk that all whom we hear are one party. p2p_risk.c says what counts. */
void p2p_eclipse_risk(void *p2p, net_eclipse_risk_fn *fn, void *arg);
/* The autonomous system of an address, by -asmap; 0: unknown. */
uint32_t p2p_asn(const struct p2p *p2p, const struct net_address *address);
/* -privatebroadcast: there is a network by which nobody learns who sends. */
bool p2p_is_private_reachable(const void *p2p);
/* Give a transaction to a few strangers until the network gives it back. NET_RESULT_EXISTS: that is
 * under way; NET_RESULT_FULL: there are too many. Copies raw. */
enum net_result p2p_send_privately(void *p2p, const struct txid *txid, const struct wtxid *wtxid,
                                   struct span raw);
/* Call fn for every transaction that is sent so, oldest first. */
void p2p_each_private(void *p2p, net_private_fn *fn, void *arg);
/* Let those of that txid or wtxid be; fn is called for each before it goes. Returns: how many */
size_t p2p_abort_private(void *p2p, const uint8_t id[32], net_private_fn *fn, void *arg);

/* Call fn for every orphan, oldest first. */
void p2p_each_orphan(void *p2p, net_orphan_fn *fn, void *arg);

/* -- Orders: addnode, disconnectnode, ... ------------------------------------------------------ */

/* addnode add. Names and addresses; NET_RESULT_BAD_ADDRESS only for what is empty or
 * longer than NAMED_TEXT_MAX. */
enum net_result p2p_add_node(void *p2p, const char *address, bool use_v2);
/* addnode remove. NET_RESULT_UNKNOWN: it was not added. */
enum net_result p2p_remove_node(void *p2p, const char *address);
/* addnode onetry: one round of attempts. */
enum net_result p2p_try_node(void *p2p, const char *address, bool use_v2);
/* addconnection, for tests: connect as an outbound peer of that class, though nothing was chosen at
 * random.
 *
 * In:       type  as in struct net_peer_info
 * Returns:  NET_RESULT_UNKNOWN: no type that we open; NET_RESULT_FULL: there are as many of them as
 *           there may be */
enum net_result p2p_open_connection(void *p2p, const char *address, const char *type, bool use_v2);
/* A connection to that address is being made: it is none yet. */
bool p2p_is_dialling(void *p2p, const char *address);
/* What stands for IPv6 below fc00::/8 where that is CJDNS (-cjdnsreachable). */
struct net_address p2p_flip_address(const struct p2p *p2p, const struct net_address *address);
/* getaddednodeinfo: peer NULL if not connected. */
void p2p_each_added(void *p2p, net_added_fn *fn, void *arg);
/* disconnectnode, by address text. */
enum net_result p2p_disconnect_address(void *p2p, const char *address);
/* disconnectnode, by id. */
enum net_result p2p_disconnect_id(void *p2p, uint64_t id);
/* setban: who is banned, for the caller to read and change. It holds from now on for who comes in,
 * unless he has the permission noban, and for whom we dial of our own accord; nodes that the user
 * names are dialled still, as in Core. */
struct ban_list *p2p_bans(struct p2p *p2p);
/* Drop all peers of that range, whatever their class and permissions. */
void p2p_disconnect_range(struct p2p *p2p, const struct net_range *range);
/* sendmsgtopeer: any message, whatever the peer may make of it.
 *
 * In:       name  of at most 12 bytes
 * Returns:  NET_RESULT_UNKNOWN: no peer of that id that is ready */
enum net_result p2p_send_message(void *p2p, uint64_t id, const char *name, struct span payload);
/* Ask every peer for a pong at once. */
void p2p_ping_all(void *p2p);
/* setnetworkactive: off drops everybody. */
void p2p_set_active(struct p2p *p2p, bool is_active);
/* getblockfrompeer, of a block whose header is known and whose data is not here. Returns NULL, or
 * Core's error message. The peer is looked up here and now: hazard 43. */
NODISCARD const char *p2p_get_block_from_peer(void *p2p, const struct block_hash *hash,
                                              uint64_t peer);

#endif
