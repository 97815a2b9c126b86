/* state.h - the mesh as its own parts see it: what each of them keeps.
 *
 * Layer: p2p, internal. */
#ifndef P2P_STATE_H
#define P2P_STATE_H

#include "p2p/addr/addr_cache.h"
#include "p2p/addr/address_files.h"
#include "p2p/addr/local_list.h"
#include "p2p/addr/welcome.h"
#include "p2p/blocks/compact_extra.h"
#include "p2p/blocks/compact_peers.h"
#include "p2p/blocks/compact_take.h"
#include "p2p/connect/connect.h"
#include "p2p/connect/dns_seed.h"
#include "p2p/connect/named_node.h"
#include "p2p/connect/seed_node.h"
#include "p2p/core/capture.h"
#include "p2p/core/permissions.h"
#include "p2p/core/reach.h"
#include "p2p/core/turn.h"
#include "p2p/fixed_seed.h"
#include "p2p/headers/stale_tip.h"
#include "p2p/i2p.h"
#include "p2p/onion_service.h"
#include "p2p/p2p.h"
#include "p2p/peer/peer.h"
#include "p2p/peer/peers.h"
#include "p2p/peer/send.h"
#include "p2p/peer/upload.h"
#include "p2p/port_map.h"
#include "p2p/private_broadcast.h"

/* One -bind. Its events come with it as arg. */
struct p2p_listener {
    struct p2p *p2p;
    uint64_t stream;
    unsigned permissions;
    bool is_onion, is_untold;
    struct net_address address;
};

/* What the lower parts tell those above them, which they do not know: p2p.c fills it in, once. So
 * the folders stay in their order, and a peer's end reaches all that keep something of it. */
struct p2p_upward {
    void (*turn)(struct p2p *p2p); /* the timer has rung */
    void (*peer_ready)(struct p2p *p2p, struct peer *peer);
    void (*peer_gone)(struct p2p *p2p, struct peer *peer);
    /* It has told us of headers that are worth keeping, and that end with this one. */
    void (*headers_told)(struct p2p *p2p, struct peer *peer, const struct block_node *last);
    void (*peer_may_go_on)(struct p2p *p2p, struct peer *peer); /* what held its messages is over */
    /* A block on top of the tip was put together, and commits to all of its transactions; its bytes
     * are not decoded. Those that are missed had to be told. */
    void (*block_made)(struct p2p *p2p, const struct block_node *node, struct block_ref *ref,
                       const struct block *block, const bool *is_missed);
    /* A peer is dialled through I2P's bridge: a session is found for it, and then a stream. */
    void (*dialled_i2p)(struct p2p *p2p, struct peer *peer);
    /* Who calls us in a hidden network has come in; bytes are his first. */
    void (*accept_hidden)(struct p2p *p2p, uint64_t stream, const struct net_address *from,
                          struct span bytes);
    /* A private peer's handshake is done; it says something. */
    void (*private_greeted)(struct p2p *p2p, struct peer *peer);
    enum fault (*private_message)(struct p2p *p2p, struct peer *peer, const char *name,
                                  struct reader *r);
    const struct env_stream_events *outbound; /* of streams that we open */
};

/* On the loop thread, all of it. Each part below changes only its own members and what it has in
 * struct peer; the lists of peers are peers.c's. */
struct p2p {
    const struct p2p_upward *up;
    const struct message *messages; /* MESSAGES_COUNT */
    const struct feature *features; /* session/features.h */
    const struct env *env;
    const struct log *log;
    const struct network *network;
    struct chain *chain;
    struct mempool *mempool; /* NULL: no transactions */
    struct p2p_options options;
    struct arena arena; /* strings and lists of options */
    struct p2p_events events;

    bool is_running;            /* between start and stop */
    bool is_active;             /* setnetworkactive: no peers while it is false */
    unsigned depth;             /* entries under way: who is gone is freed when it is 0 again */
    struct u256 min_chain_work; /* of a chain whose blocks are worth fetching */
    struct transport_world transports; /* what their connections share */
    struct siphash_key key;            /* random: of every table that peers' bytes are keys of */
    struct peer *peers, *peers_last;
    struct peer *gone; /* by their prev, not yet freed */
    struct hash_map by_id, by_stream;
    size_t n_large;     /* peers that are sending us something large */
    size_t n_in, n_out; /* connected or connecting */
    uint64_t last_id;
    size_t n_paused; /* peers that are not read from: something of theirs waits */
    /* The one timer of all parts rings at the earliest of their wishes. In its turn a part is asked
     * anew when it wants the next one. */
    uint64_t timer; /* 0: none */
    int64_t timer_us;
    int64_t due_us[TURN_PARTS]; /* INT64_MAX: never */
    int64_t others_us;          /* when TURN_OTHERS had its last turn */

    struct reach reach;
    struct onion_service onion;
    struct i2p i2p;
    struct port_map port_map;
    struct private_broadcast private_txs;
    struct p2p_listener *listeners;
    size_t n_listeners;
    struct permission_rule *rules;
    size_t n_rules;
    struct local_list local;
    struct recent_set discouraged;  /* hosts; forgotten at the next start, as in Core */
    struct ban_list bans;           /* by hand. Kept on disk by the node, not here */
    struct addr_caches addr_caches; /* answers to getaddr */
    bool has_warned_time;           /* our clock differs from most peers': said once */

    uint64_t bytes_sent, bytes_received;
    uint64_t gone_received[MESSAGES_COUNT + 1]; /* bytes by message, of peers that have left */
    struct upload upload;

    struct net_grouping grouping; /* what a group of addresses is */
    struct address_book *book;
    struct address_files files;
    int64_t next_map_health_us;
    struct connect connect;
    struct named_nodes named;
    struct seed_node seed_nodes;
    struct fixed_seed fixed;
    struct stale_tip stale;
    size_t n_spared; /* peers that may lag */
    struct header_sync headers;
    struct block_fetch fetch;
    struct compact_peers compact_peers;
    struct compact_extra compact_extra;
    struct relay relay;
    struct tx_relay txs;
    struct serve serve;
    struct filters filters;
    struct snapshots *snapshots; /* owned */
    struct dns_seed seed;
    struct capture *capture; /* NULL: -capturemessages is off */
    size_t n_operations;     /* callbacks of chain and mempool that are under way */
};

#endif
