/* tx_queue.h - transactions that peers have sent, until the mempool has judged them; turns.
 *
 * Layer: p2p. Scripts cost processor time that the sender does not pay for, so no peer may decide
 * how long the others wait. Each has a short queue; when it is full nothing more is read from that
 * peer. Few are being judged at once. The turn is that of the peer whose transactions have cost us
 * least in vain lately, and among equals of the one served longest ago. Who goes on with scripts
 * that fail is told by tx_queue_charge(). The design: doc/decisions/0080-turns-for-checks.md */
#ifndef P2P_TXS_TX_QUEUE_H
#define P2P_TXS_TX_QUEUE_H

#include "consensus/tx.h"
#include "util/list.h"

#define TX_QUEUE_PEER_MAX         32          /* of one peer, waiting or being judged */
#define TX_QUEUE_PEER_BYTES       200000      /* so many wait: nothing more is read from it */
#define TX_QUEUE_BYTES_MAX        (16u << 20) /* of all: then each may have one that waits */
#define TX_QUEUE_CHECKS_MAX       32          /* being judged */
#define TX_QUEUE_CHECKS_BYTES_MAX (4u << 20)
#define TX_QUEUE_DOUBTFUL_MAX     4     /* of these, from peers that have cost us in vain */
#define TX_QUEUE_DOUBT_VB         50000 /* wasted: one turn later than those with less */
/* Scripts that fail cost about 1 ms each 1,000 vbytes. So much at once from one peer, and so much
 * a second for ever, are put up with: policies differ. */
#define TX_QUEUE_BLAME_MAX_VB   200000.0
#define TX_QUEUE_FORGIVE_VB_S   500.0
#define TX_QUEUE_WASTED_MAX_VB  4000000.0 /* more is not remembered: the turn comes back */
#define TX_QUEUE_REFUSED_DIVIDE 20        /* refused without scripts: cost of its bytes by this */

/* A transaction on its way. */
struct tx_queue_item {
    struct list_link link; /* of its peer's */
    uint8_t *raw;          /* owned */
    size_t len;
    struct txid txid;
    struct wtxid wtxid;
    uint64_t peer;
    bool is_doubtful; /* its peer was when it was taken */
};

/* One peer's part. Embedded in struct peer. */
struct tx_queue_peer {
    struct list_link link; /* of those that have something waiting */
    struct list items;     /* waiting */
    size_t bytes;          /* theirs */
    size_t n_checking;
    uint64_t id;
    uint64_t turn; /* when it was served last */
    double wasted_vb, blamed_vb;
    int64_t at_us; /* of these two */
};

struct tx_queue {
    struct list peers; /* that have something waiting */
    uint64_t turn;
    size_t bytes; /* waiting, of all */
    size_t n_checking, n_doubtful, checking_bytes;
};

/* Begin a peer's part. */
void tx_queue_peer_init(struct tx_queue_peer *peer, uint64_t id);
/* End it: what waits is forgotten, what is being judged goes on. */
void tx_queue_peer_deinit(struct tx_queue *queue, struct tx_queue_peer *peer);

/* Keep a copy of a transaction until its turn. There is always room for one: ask
 * tx_queue_is_full() before more is read. */
void tx_queue_add(struct tx_queue *queue, struct tx_queue_peer *peer, const struct tx *tx);
/* Nothing more may be read from this peer for now. */
bool tx_queue_is_full(const struct tx_queue *queue, const struct tx_queue_peer *peer);

/* The next one to be judged, of the peer whose turn it is; NULL: nothing waits, or enough are
 * being judged. It counts as being judged until tx_queue_done(). */
struct tx_queue_item *tx_queue_take(struct tx_queue *queue, int64_t now_us);
/* It has been judged. peer: NULL if it is gone. Takes item and frees it. */
void tx_queue_done(struct tx_queue *queue, struct tx_queue_peer *peer,
                   struct tx_queue_item *item_take);

/* A transaction of this peer cost so much and was of no use; is_blamed: no honest peer would have
 * sent it. Returns: true if it has done so too often. */
bool tx_queue_charge(struct tx_queue_peer *peer, double cost_vb, bool is_blamed, int64_t now_us);
/* How many turns later than others: 0 for who has wasted little. */
unsigned tx_queue_level(const struct tx_queue_peer *peer, int64_t now_us);

#endif
