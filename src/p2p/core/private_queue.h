/* private_queue.h - our own transactions that are sent by -privatebroadcast, until they come back.
 *
 * Layer: p2p. Pure. Each is given to a few peers, one connection each, and is done with when the
 * network has given it back to us. Whose turn it is: who was given to the fewest, and then who has
 * waited longest. Spec: Core PrivateBroadcast */
#ifndef P2P_CORE_PRIVATE_QUEUE_H
#define P2P_CORE_PRIVATE_QUEUE_H

#include "consensus/ids.h"
#include "crypto/siphash.h"
#include "util/array.h"
#include "util/hash_map.h"
#include "util/span.h"

#define PRIVATE_LIFETIME_US   INT64_C(180000000) /* of a connection for one of them. Core */
#define PRIVATE_QUEUE_MAX     10000              /* transactions. Core */
#define PRIVATE_SENDS_MAX     100 /* of one transaction, that are remembered; the oldest go */
#define PRIVATE_ADDRESS_MAX   80  /* of a peer, as text */
#define PRIVATE_STALE_FIRST_S 300 /* no peer has had it yet: to be looked at again. Core */
#define PRIVATE_STALE_S       60  /* since one had it last. Core */

/* One connection that a transaction was given to. */
struct private_send {
    uint64_t peer; /* its id */
    char address[PRIVATE_ADDRESS_MAX];
    int64_t sent_s, received_s; /* received 0: it has not said so */
};

struct private_tx {
    struct txid txid;
    struct wtxid wtxid;
    uint8_t *raw; /* owned */
    size_t raw_len;
    int64_t added_s;
    ARRAY(struct private_send) sends; /* the oldest first */
    size_t n_picked, n_confirmed;     /* in all */
    int64_t picked_us, confirmed_us;  /* the last time; INT64_MIN: never */
    int64_t confirmed_s;
    uint64_t order; /* in which it came */
};

struct private_queue {
    struct siphash_key key; /* of by_wtxid */
    struct hash_map by_wtxid;
    ARRAY(struct private_tx *) txs;
    uint64_t n_added;
};

enum private_added {
    PRIVATE_ADDED,
    PRIVATE_KNOWN, /* it is here already */
    PRIVATE_FULL,
};

/* Make an empty queue. */
void private_queue_init(struct private_queue *queue, struct siphash_key key);
/* Free all that wait. */
void private_queue_deinit(struct private_queue *queue);

/* Add a transaction. Copies raw. */
enum private_added private_queue_add(struct private_queue *queue, const struct txid *txid,
                                     const struct wtxid *wtxid, struct span raw, int64_t now_s);
/* The one of that name; NULL: none. */
struct private_tx *private_queue_find(const struct private_queue *queue, const struct wtxid *wtxid);
/* It is done with. Returns: its index in txs; those behind it have moved up */
size_t private_queue_remove(struct private_queue *queue, struct private_tx *tx);

/* The one whose turn it is, given to that peer; NULL: there is none. */
struct private_tx *private_queue_pick(struct private_queue *queue, uint64_t peer,
                                      const char *address, int64_t now_s, int64_t now_us);
/* The one that the peer was given; NULL: none, or it is done with.
 *
 * Out:      send  when; may be NULL. Borrowed until the queue changes */
struct private_tx *private_queue_of_peer(const struct private_queue *queue, uint64_t peer,
                                         struct private_send **send);
/* The peer says that it has what it was given. */
void private_queue_confirm(struct private_queue *queue, uint64_t peer, int64_t now_s,
                           int64_t now_us);

/* It should have come back by now. */
bool private_tx_is_stale(const struct private_tx *tx, int64_t now_s);

#endif
