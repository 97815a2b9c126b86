/* relay.h - telling peers of new blocks and transactions, and hearing of theirs.
 *
 * Layer: p2p. Blocks are announced at once, by headers to those who asked for it
 * (BIP-130, Specification).
 * Transactions wait for each peer's timer, whose intervals are random, so that who heard it first
 * cannot be told from the times. */
#ifndef P2P_SERVE_RELAY_H
#define P2P_SERVE_RELAY_H

#include "mempool/mempool.h"
#include "p2p/core/known_by.h"
#include "p2p/core/wire.h"
#include "p2p/peer/score.h"
#include "p2p/txs/tx_tell.h"
#include "util/array.h"
#include "util/reader.h"

struct p2p;
struct peer;

#define RELAY_TRICKLE_MAX   1000  /* told in one message */
#define RELAY_BLOCKS_MAX    8     /* told by headers; more are told by the last one's hash */
#define RELAY_KNOWN_MAX     50000 /* transactions of which is known which peers know them */
#define RELAY_FEE_FILTER_US INT64_C(600000000)
#define RELAY_AGAIN_US      INT64_C(600000000) /* and up to half of it more */

struct peer_relay {
    bool tells_txs;            /* we tell it of transactions: it wants them, and they are on */
    bool has_place;            /* in the table of who knows which transaction ... */
    size_t place;              /* ... this one */
    ARRAY(struct wtxid) queue; /* to be told */
    bool wants_mempool;        /* all of the mempool is to be told */
    int64_t next_us;           /* when, if there is something */
    uint64_t told_sequence; /* entries up to here may be fetched by it. Core m_last_inv_sequence */
    int64_t next_fee_filter_us;
    int64_t fee_filter_sent;                         /* -1: none */
    const struct block_node *tips[RELAY_BLOCKS_MAX]; /* new blocks to be told, oldest first */
    size_t n_tips;                                   /* with those that there is no room for */
};

struct relay {
    struct known_by known; /* ids of transactions that peers have told us of, or we them */
    int64_t next_in_us;    /* the trickle of all inbound peers */
    int64_t next_again_us; /* our user's transactions that nobody has fetched */
    const struct block_node *last_tip;
};

/* Before all others. */
void relay_init(struct p2p *p2p);
/* After them: no peer is there any more. */
void relay_deinit(struct p2p *p2p);

/* A peer is ready. */
void relay_peer_ready(struct p2p *p2p, struct peer *peer);
/* A peer is gone. */
void relay_peer_gone(struct p2p *p2p, struct peer *peer);

/* The tip has moved to node by way of these events. */
void relay_tip_changed(struct p2p *p2p, const struct block_node *tip);

/* Returns: when it wants to be called again, INT64_MAX: never. */
int64_t relay_tick(struct p2p *p2p, int64_t now_us);

/* The handler of "inv". */
enum fault relay_on_inv(struct p2p *p2p, struct peer *peer, struct reader *r);
/* The handler of "feefilter". Spec: BIP-133, Specification */
enum fault relay_on_fee_filter(struct p2p *p2p, struct peer *peer, struct reader *r);
/* The handler of "mempool", for who has that permission or was offered filters: told once, when it
 * is the peer's time to be told of transactions. Spec: BIP-35, Specification */
enum fault relay_on_mempool(struct p2p *p2p, struct peer *peer, struct reader *r);

#endif
