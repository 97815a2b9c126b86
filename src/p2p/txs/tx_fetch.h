/* tx_fetch.h - which peer to ask for which transaction.
 *
 * Layer: p2p. Many peers announce the same transaction. It is asked of one: outbound peers go
 * first, then those that have kept us waiting least, then by lot, so that coming first is worth
 * nothing. If nothing has come after a few seconds one more is asked, then two more, four, ...: who
 * announces and says nothing delays a transaction that an outbound peer has by one such time, and
 * one that n inbound peers have by log n of them. Hazards 50 and 55: CVE-2018-17145,
 * CVE-2024-52913. Spec: Core TxRequestTracker, which waits a minute for each */
#ifndef P2P_TXS_TX_FETCH_H
#define P2P_TXS_TX_FETCH_H

#include "crypto/siphash.h"
#include "util/hash_map.h"
#include "util/list.h"

#define TX_FETCH_ANNOUNCEMENTS_MAX 5000  /* of one peer, waiting or asked */
#define TX_FETCH_TOTAL_MAX         80000 /* of all; then inbound peers share it evenly */
#define TX_FETCH_IN_FLIGHT_MAX     100   /* asked of one peer */
#define TX_FETCH_TIMEOUT_US        INT64_C(60000000) /* an answer after that is none */
#define TX_FETCH_PATIENCE_US       INT64_C(6000000)  /* then more peers are asked as well */
#define TX_FETCH_ROUNDS_MAX        5                 /* doublings of how many more */
#define TX_FETCH_MISSED_MAX        1000
#define TX_FETCH_INBOUND_DELAY_US  INT64_C(2000000)
#define TX_FETCH_TXID_DELAY_US     INT64_C(2000000) /* while other peers announce by wtxid */

/* One peer's part. Embedded in struct peer, initialised by tx_fetch_peer_init(). */
struct tx_fetch_peer {
    struct list candidates; /* of struct tx_announcement, in order of when it may be asked */
    struct list all;        /* every one of it */
    size_t n_in_flight;
    uint64_t id;
    bool is_preferred, is_unlimited;
    unsigned missed; /* answers that were not there in time; halved by each that comes */
};

struct tx_fetch {
    struct siphash_key key;
    struct hash_map wants; /* struct tx_want by id */
    struct list asked;     /* of struct tx_announcement, in order of their timeouts */
    struct list patient;   /* of struct tx_want, of which one is asked; in order of time */
    size_t n_total, n_peers;
};

/* Begin without peers; end when all have been taken out. */
void tx_fetch_init(struct tx_fetch *fetch, struct siphash_key key);
/* Free all. */
void tx_fetch_deinit(struct tx_fetch *fetch);

/* preferred: outbound, or trusted. unlimited: whitelisted for relay. */
void tx_fetch_peer_init(struct tx_fetch *fetch, struct tx_fetch_peer *peer, uint64_t id,
                        bool is_preferred, bool is_unlimited);
/* Forget a peer; what was asked of it may be asked of others at once. */
void tx_fetch_peer_deinit(struct tx_fetch *fetch, struct tx_fetch_peer *peer, int64_t now_us);

/* A peer announced a transaction that we lack. delay_us: ask it no sooner than that.
 * Returns: false if it was announced before by that peer, or there is no room for more. */
bool tx_fetch_announced(struct tx_fetch *fetch, struct tx_fetch_peer *peer, const uint8_t id[32],
                        bool is_wtxid, int64_t delay_us, int64_t now_us);

/* False if nothing more is heard from this peer for now. */
bool tx_fetch_has_room(const struct tx_fetch *fetch, const struct tx_fetch_peer *peer);

struct tx_fetch_id {
    uint8_t id[32];
    bool is_wtxid;
};

/* What to ask this peer now: at most max; they count as asked. Returns how many. */
size_t tx_fetch_next(struct tx_fetch *fetch, struct tx_fetch_peer *peer, int64_t now_us,
                     struct tx_fetch_id *out, size_t max);
/* When there may be something to ask of this peer; INT64_MAX: never. */
int64_t tx_fetch_next_us(const struct tx_fetch_peer *peer);

/* The peer answered for that id: it delivered, or said it has not got it. */
void tx_fetch_answered(struct tx_fetch *fetch, struct tx_fetch_peer *peer, const uint8_t id[32],
                       int64_t now_us);
/* Who has announced it, whatever came of it: at most max peers' ids. Returns: how many. */
size_t tx_fetch_announcers(const struct tx_fetch *fetch, const uint8_t id[32], uint64_t *out,
                           size_t max);
/* The peer delivered something that it was asked for. */
void tx_fetch_delivered(struct tx_fetch_peer *peer);
/* Nobody need be asked any more: it is here, or known to be bad. */
void tx_fetch_forget(struct tx_fetch *fetch, const uint8_t id[32]);

/* Was this id asked of this peer, without an answer so far? */
bool tx_fetch_is_asked(const struct tx_fetch *fetch, const struct tx_fetch_peer *peer,
                       const uint8_t id[32]);

/* Let what was asked too long ago be asked of others. Returns: when the next runs out, by either
 * limit. */
int64_t tx_fetch_expire(struct tx_fetch *fetch, int64_t now_us);

/* Assert that lists and counts agree. Costly. */
void tx_fetch_check(const struct tx_fetch *fetch);

#endif
