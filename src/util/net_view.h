/* net_view.h - the mesh as it is shown to users, and what they can order.
 *
 * Layer: util, since p2p/ fills in what rpc/ prints, and neither includes the other: node/ joins
 * them by a struct net_view. Plain values and text only. Everything is on the loop thread; pointers
 * in a struct are borrowed for the callback that it is handed to. */
#ifndef UTIL_NET_VIEW_H
#define UTIL_NET_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/span.h"

struct block_hash;
struct txid;
struct wtxid;

/* Bytes of one kind of message, with their headers. */
struct net_message_bytes {
    const char *name; /* "*other*" for those we do not know */
    uint64_t sent, received;
};

/* One peer. Times are seconds of the wall clock, 0: never. */
struct net_peer_info {
    uint64_t id;
    bool is_ready;             /* the handshake is done */
    const char *address;       /* "host:port" */
    const char *address_bind;  /* our end of the connection; NULL: unknown */
    const char *address_local; /* what the peer says that our address is; NULL: nothing */
    const char *network;       /* "ipv4", ..., "not_publicly_routable" */
    uint32_t asn;              /* of its operator, by -asmap; 0: unknown */
    uint64_t services;
    bool relays_txs;
    uint64_t last_inv_sequence;
    size_t n_inv_to_send;
    int64_t last_send_s, last_recv_s, last_tx_s, last_block_s, connected_s;
    uint64_t bytes_sent, bytes_received;
    int64_t time_offset_s;
    int64_t ping_us, min_ping_us, ping_wait_us; /* -1: none */
    int32_t version;
    struct span user_agent; /* as the peer sent it: any bytes */
    bool is_inbound;
    bool is_high_bandwidth_to, is_high_bandwidth_from; /* BIP152 */
    int32_t start_height;                              /* -1 before the handshake */
    int32_t presynced_headers, synced_headers, synced_blocks;
    const int32_t *in_flight; /* heights */
    size_t n_in_flight;
    bool is_addr_relay;
    uint64_t addr_processed, addr_rate_limited;
    const char *const *permissions; /* names */
    size_t n_permissions;
    int64_t fee_filter_sat_per_kvb;
    const struct net_message_bytes *per_message; /* sorted by name */
    size_t n_per_message;
    const char *connection_type; /* "inbound", "outbound-full-relay", "block-relay-only", ... */
    const char *transport;       /* "v1", "v2" or "detecting" */
    const char *session_id;      /* hex, BIP324; "" without */
};

/* An address that we tell others is ours. */
struct net_local_address {
    const char *host;
    uint16_t port;
    int32_t score;
};

/* One network of getnetworkinfo. */
struct net_network_state {
    const char *name; /* "ipv4", ... */
    bool is_limited;  /* by -onlynet */
    bool is_reachable;
    const char *proxy; /* "host:port", or "" */
    bool randomizes_credentials;
};

/* -maxuploadtarget: how much may still be sent today. */
struct net_upload_info {
    uint64_t target_bytes; /* 0: no limit */
    bool is_reached, serves_historical;
    uint64_t bytes_left;
    int64_t time_left_s;
};

/* The whole. */
struct net_info {
    const char *user_agent; /* ours, BIP14 */
    int32_t protocol_version;
    uint64_t local_services;
    bool is_active, relays_txs;
    size_t n_in, n_out;
    int64_t time_offset_s;
    uint64_t bytes_received, bytes_sent;
    struct net_upload_info upload;
    int64_t min_relay_sat_per_kvb, incremental_sat_per_kvb;
    const struct net_network_state *networks;
    size_t n_networks;
    const struct net_local_address *local;
    size_t n_local;
};

/* An address of the address book. */
struct net_node_address {
    int64_t time_s;
    uint64_t services;
    const char *host, *network;
    uint16_t port;
};

/* A place of one of the book's tables, and what stands there. */
struct net_book_place {
    bool is_tried;
    unsigned bucket, position;
    struct net_node_address address;
    uint32_t asn, source_asn; /* 0: unknown */
    const char *source, *source_network;
};

/* How likely it is that all whom we hear are one party. Shares are of 0 to 1. */
struct net_eclipse_risk {
    const char *level; /* "low", "elevated" or "high" */
    bool has_asmap;
    size_t n_outbound, n_outbound_groups; /* peers that we chose or the user named; ready */
    size_t n_new, n_tried;                /* places taken */
    double new_source_share;              /* of new: what the group that told most has told */
    double tried_group_share;             /* of tried: what the largest group has */
    int32_t header_lag;                   /* blocks that somebody knows of and we do not have */
    size_t n_forked;                      /* outbound peers whose best block is not on our chain */
    int64_t tip_age_s;                    /* since a block came */
    const char *const *reasons;           /* why it is not low */
    size_t n_reasons;
};

/* How many addresses of a network the book holds; name NULL: of all networks. */
struct net_addrman_count {
    const char *name;
    size_t n_new, n_tried;
};

/* A transaction that waits for its parents, and the peers that have sent or announced it. */
struct net_orphan {
    const struct txid *txid;
    const struct wtxid *wtxid;
    struct span raw; /* as on the wire */
    uint32_t weight_wu;
    const uint64_t *peers; /* the one that is charged comes first */
    size_t n_peers;
};

/* A peer that one of our own transactions was given to. Times are seconds of the wall clock. */
struct net_private_peer {
    const char *address;
    int64_t sent_s, received_s; /* received 0: it has not said that it has it */
};

/* One of our own transactions that is sent by -privatebroadcast. */
struct net_private_tx {
    const struct txid *txid;
    const struct wtxid *wtxid;
    struct span raw; /* as on the wire */
    int64_t added_s;
    const struct net_private_peer *peers;
    size_t n_peers;
};

/* A ban by hand. Times are seconds of the wall clock. */
struct net_ban {
    const char *subnet; /* "1.2.3.0/24" */
    int64_t created_s, until_s;
};

enum net_result {
    NET_RESULT_OK,
    NET_RESULT_UNKNOWN,     /* no such node or peer */
    NET_RESULT_EXISTS,      /* is in the list already */
    NET_RESULT_BAD_ADDRESS, /* cannot be a name */
    NET_RESULT_FULL,        /* the list is full */
    NET_RESULT_IN_PAST,     /* a ban that ends before it begins */
};

/* A peer, one after the other. */
typedef void net_peer_fn(void *arg, const struct net_peer_info *peer);
/* A node of the list of -addnode and addnode; peer NULL: not connected. */
typedef void net_added_fn(void *arg, const char *address, const struct net_peer_info *peer);
/* The whole. */
typedef void net_info_fn(void *arg, const struct net_info *info);
/* An address of the book, one after the other. */
typedef void net_node_address_fn(void *arg, const struct net_node_address *address);
/* A place of the book, one after the other: new first, each table in its order. */
typedef void net_book_place_fn(void *arg, const struct net_book_place *place);
/* What is known of the risk. */
typedef void net_eclipse_risk_fn(void *arg, const struct net_eclipse_risk *risk);
/* An orphan, one after the other. */
typedef void net_orphan_fn(void *arg, const struct net_orphan *orphan);
/* A transaction that is sent privately, one after the other. */
typedef void net_private_fn(void *arg, const struct net_private_tx *tx);
/* A ban, one after the other. */
typedef void net_ban_fn(void *arg, const struct net_ban *ban);
/* What was ordered is durable (error 0), or is not (a negative errno). */
typedef void net_saved_fn(void *arg, int error);
/* The counts of one network; that of all comes last. */
typedef void net_addrman_fn(void *arg, const struct net_addrman_count *count);

/* The mesh, in the hands of those who look at it. All members are set. Callbacks handed in are
 * called before the call returns. */
struct net_view {
    void *ctx, *mesh, *bans; /* handed to the members that name them */
    bool is_private;         /* -privatebroadcast */
    bool has_v2;             /* -v2transport: only then an order may ask for it */
    /* Looking. Peers come oldest first. */
    void (*each_peer)(void *mesh, net_peer_fn *fn, void *arg);
    void (*each_added)(void *mesh, net_added_fn *fn, void *arg);
    void (*info)(void *ctx, net_info_fn *fn, void *arg);
    /* Random addresses, at most max (0: all that are worth telling), of a network (NULL: any).
     * Returns: false if there is no network of that name */
    bool (*addresses)(void *ctx, size_t max, const char *network, net_node_address_fn *fn,
                      void *arg);
    void (*addrman)(void *ctx, net_addrman_fn *fn, void *arg);
    void (*book)(void *ctx, net_book_place_fn *fn, void *arg);
    void (*eclipse_risk)(void *mesh, net_eclipse_risk_fn *fn, void *arg);
    void (*each_orphan)(void *mesh, net_orphan_fn *fn, void *arg);
    /* Those that are sent by -privatebroadcast, oldest first. */
    void (*each_private)(void *mesh, net_private_fn *fn, void *arg);
    /* Is there a network by which it can be done? */
    bool (*is_private_reachable)(const void *mesh);
    /* The bans that hold, sorted. */
    void (*each_ban)(void *bans, net_ban_fn *fn, void *arg);

    /* Orders. */
    enum net_result (*add_node)(void *mesh, const char *address, bool use_v2);
    enum net_result (*remove_node)(void *mesh, const char *address);
    enum net_result (*try_node)(void *mesh, const char *address, bool use_v2);
    /* type: as in net_peer_info; NET_RESULT_UNKNOWN: none that we open */
    enum net_result (*open_connection)(void *mesh, const char *address, const char *type,
                                       bool use_v2);
    /* A connection to that address is being made: it is none yet. */
    bool (*is_dialling)(void *mesh, const char *address);
    /* Put an address into the book, among those that were tried if that is said. NET_RESULT_EXISTS:
     * it did not become new; NET_RESULT_FULL: nor tried */
    enum net_result (*add_address)(void *ctx, const char *host, uint16_t port, bool is_tried,
                                   int64_t now_s);
    /* Send a peer any message. NET_RESULT_UNKNOWN: no such peer */
    enum net_result (*send_message)(void *mesh, uint64_t peer, const char *name,
                                    struct span payload);
    enum net_result (*disconnect_address)(void *mesh, const char *address);
    enum net_result (*disconnect_id)(void *mesh, uint64_t id);
    /* Ban an address or range for seconds, or until then; 0: for the default time. */
    enum net_result (*ban)(void *bans, const char *subnet, int64_t seconds, bool is_absolute);
    enum net_result (*unban)(void *bans, const char *subnet);
    void (*clear_bans)(void *bans);
    /* done once, now or later: what was ordered of bans so far is on the disk. */
    void (*save_bans)(void *bans, net_saved_fn *done, void *arg);
    void (*ping_all)(void *mesh);
    /* Send a transaction by -privatebroadcast. NET_RESULT_EXISTS: that is under way;
     * NET_RESULT_FULL: there are too many */
    enum net_result (*send_privately)(void *mesh, const struct txid *txid,
                                      const struct wtxid *wtxid, struct span raw);
    /* Let those of that txid or wtxid be. Returns: how many */
    size_t (*abort_private)(void *mesh, const uint8_t id[32], net_private_fn *fn, void *arg);
    /* Returns: what it is then */
    bool (*set_active)(void *ctx, bool is_active);
    /* Of a block whose header alone is here. Returns: NULL, or the message of the error */
    const char *(*get_block)(void *mesh, const struct block_hash *hash, uint64_t peer);
};

#endif
