/* tx_fetch.h - which peer to ask for which transaction.
 *
 * Layer: p2p. Many peers announce the same transaction. It is asked of one at a time: outbound
 * peers have two seconds' start, and go first whenever somebody else has to be asked; then come
 * those that have failed us least, then the lot decides, so that coming first is worth nothing. Who
 * says nothing for a minute, says that he has not got it, or goes, makes room for the next. Hazards
 * 50 and 55: CVE-2018-17145, CVE-2024-52913. Spec: Core TxRequestTracker; why a minute:
 * doc/decisions/0230-transactions-are-asked-for-as-core-does.md */
#ifndef P2P_TXS_TX_FETCH_H
#define P2P_TXS_TX_FETCH_H

#include "crypto/siphash.h"
#include "util/hash_map.h"
#include "util/list.h"

#define TX_FETCH_ANNOUNCEMENTS_MAX 5000  /* of one peer, waiting or asked */
#define TX_FETCH_TOTAL_MAX         80000 /* of all; then inbound peers share it evenly */
#define TX_FETCH_TIMEOUT_US        INT64_C(60000000)
#define TX_FETCH_MISSED_MAX        1000
/* Each of these makes an announcement wait so long, added up: who announced it is inbound; it is by
 * txid while others announce by wtxid; so much is asked of the peer already. */
#define TX_FETCH_DELAY_US   INT64_C(2000000)
#define TX_FETCH_DELAYS_MAX 3
#define TX_FETCH_OVERLOADED 100

/* What is special about a peer. */
enum tx_fetch_traits {
    TX_FETCH_PREFERRED = 1, /* outbound, or trusted */
    TX_FETCH_UNLIMITED = 2, /* whitelisted for relay */
    TX_FETCH_BY_WTXID = 4,  /* it announces by wtxid. BIP-339 */
};

/* One peer's part. Embedded in struct peer, initialised by tx_fetch_peer_init(). */
struct tx_fetch_peer {
    struct list_link link;
    struct list best;                         /* of struct tx_announcement: to be asked now */
    struct list delayed[TX_FETCH_DELAYS_MAX]; /* by the number of delays, in order of time */
    struct list all;                          /* every one of it */
    size_t n_in_flight;
    uint64_t id;
    int traits;
    unsigned missed; /* answers that were not there in time; halved by each that comes */
};

struct tx_fetch {
    struct siphash_key key;
    struct hash_map wants; /* struct tx_want by id */
    struct list asked;     /* of struct tx_announcement, in order of their timeouts */
    struct list peers;     /* of struct tx_fetch_peer */
    size_t n_total, n_by_wtxid;
    size_t n_best;         /* in the peers' lists of what is to be asked now */
    int64_t next_delay_us; /* no delay ends sooner; exact unless is_delay_gone */
    bool is_delay_gone;    /* the announcement that would end first may be no longer there */
};

/* Begin without peers; end when all have been taken out. */
void tx_fetch_init(struct tx_fetch *fetch, struct siphash_key key);
/* Free all. */
void tx_fetch_deinit(struct tx_fetch *fetch);

/* Begin a peer's part. id: not 0. */
void tx_fetch_peer_init(struct tx_fetch *fetch, struct tx_fetch_peer *peer, uint64_t id,
                        int traits);
/* Forget a peer; what was asked of it may be asked of others at once. */
void tx_fetch_peer_deinit(struct tx_fetch *fetch, struct tx_fetch_peer *peer);

/* A peer announced a transaction that we lack, or one that spends from it.
 * Returns: false if it was announced before by that peer, or there is no room for more. */
bool tx_fetch_announced(struct tx_fetch *fetch, struct tx_fetch_peer *peer, const uint8_t id[32],
                        bool is_wtxid, int64_t now_us);

/* Is there room for so many more of this peer? */
bool tx_fetch_has_room(const struct tx_fetch *fetch, const struct tx_fetch_peer *peer, size_t n);

struct tx_fetch_id {
    uint8_t id[32];
    bool is_wtxid;
};

/* Time goes on: delays end, and what was asked too long ago may be asked of others. */
void tx_fetch_advance(struct tx_fetch *fetch, int64_t now_us);
/* What to ask this peer now, as of the last tx_fetch_advance(): at most max; they count as asked.
 * Returns how many. */
size_t tx_fetch_next(struct tx_fetch *fetch, struct tx_fetch_peer *peer, int64_t now_us,
                     struct tx_fetch_id *out, size_t max);
/* When tx_fetch_advance() has something to do; INT64_MAX: never. */
int64_t tx_fetch_next_us(const struct tx_fetch *fetch);

/* The peer answered for that id: it delivered, or said it has not got it. */
void tx_fetch_answered(struct tx_fetch *fetch, struct tx_fetch_peer *peer, const uint8_t id[32]);
/* Who has announced it and may still deliver: at most max peers' ids. Returns: how many. */
size_t tx_fetch_announcers(const struct tx_fetch *fetch, const uint8_t id[32], uint64_t *out,
                           size_t max);
/* The peer delivered something that it was asked for. */
void tx_fetch_delivered(struct tx_fetch_peer *peer);
/* Nobody need be asked any more: it is here, or known to be bad. */
void tx_fetch_forget(struct tx_fetch *fetch, const uint8_t id[32]);

/* Was this id asked of this peer, without an answer so far? */
bool tx_fetch_is_asked(const struct tx_fetch *fetch, const struct tx_fetch_peer *peer,
                       const uint8_t id[32]);

/* Assert that lists and counts agree. Costly. */
void tx_fetch_check(const struct tx_fetch *fetch);

#endif
