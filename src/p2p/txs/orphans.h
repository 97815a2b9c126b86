/* orphans.h - transactions whose parents are not here yet.
 *
 * Layer: p2p. An orphan is kept once, for each of the peers that have announced it: it stays as
 * long as one of them has it. What all together may take grows with their number, so that each has
 * a share that nobody else can fill; beyond that who exceeds his share most loses his oldest. When
 * an output comes that one spends, it is tried again: one per turn of the loop, peers taking turns,
 * so that costly ones cannot stop the node. Hazards 53 and 54: CVE-2024-52914. Spec: Core
 * TxOrphanage */
#ifndef P2P_TXS_ORPHANS_H
#define P2P_TXS_ORPHANS_H

#include "consensus/tx.h"
#include "crypto/siphash.h"
#include "util/hash_map.h"
#include "util/list.h"
#include "util/log.h"

/* What bounds the work: announcements, and inputs of orphans by ten. Of a peer as many, by the
 * number of peers that have some. Core: DEFAULT_MAX_ORPHANAGE_LATENCY_SCORE */
#define ORPHANS_SCORE_MAX        3000
#define ORPHANS_INPUTS_PER_SCORE 10
/* For each peer that has some: a package of the greatest size. Core:
 * DEFAULT_RESERVED_ORPHAN_WEIGHT_PER_PEER */
#define ORPHANS_PEER_WEIGHT_WU 404000
#define ORPHANS_TX_WEIGHT_WU   400000 /* of one: what is heavier would not be relayed anyway */

/* One peer's part. Embedded in struct peer; zeros, but for the id, are an empty one. */
struct orphans_peer {
    uint64_t id;
    struct list_link link; /* of those that have announced some */
    struct list claims;    /* of struct orphan_claim: all, oldest first */
    struct list work;      /* of these, to be tried again, in order */
    size_t score;
    uint64_t weight_wu;
    size_t n_trying; /* in the mempool's hands */
};

/* One peer has announced one orphan. */
struct orphan_claim {
    struct list_link of_orphan, of_peer, work;
    struct orphan *orphan;
    struct orphans_peer *peer;
    bool has_work;
};

struct orphan {
    struct list_link link; /* all, oldest first */
    struct list claims;    /* of struct orphan_claim, oldest first; never empty */
    uint8_t *raw;          /* owned */
    size_t raw_len;
    uint32_t weight_wu, n_in;
    struct txid txid;
    struct wtxid wtxid;
    struct txid *parents; /* distinct txids that it spends */
    size_t n_parents;
    struct orphan_input *inputs; /* n_in of them */
    unsigned n_held;             /* packages under way that it is in: it is not tried meanwhile */
};

struct orphans {
    struct siphash_key key;
    const struct log *log;
    struct hash_map by_wtxid;
    struct hash_map by_outpoint; /* of struct orphan_coin */
    struct list all;             /* of struct orphan, oldest first */
    struct list peers;           /* of struct orphans_peer, in order of their turns */
    size_t n_claims, input_score;
    uint64_t weight_wu, n_lots;
};

/* Make an empty store. Borrows log, which may be NULL. */
void orphans_init(struct orphans *orphans, struct siphash_key key, const struct log *log);
/* Free it; no peer has anything in it any more. */
void orphans_deinit(struct orphans *orphans);

/* Keep a copy of a transaction, if it is not here yet, for a peer.
 *
 * Returns:  true if it was not here, and there is room for it */
bool orphans_add(struct orphans *orphans, struct orphans_peer *peer, const struct tx *tx);
/* Another peer has announced it. Returns: true if that is new. Others may go for it, or itself. */
bool orphans_announced(struct orphans *orphans, const struct wtxid *wtxid,
                       struct orphans_peer *peer);
/* By wtxid; NULL if it is not here. */
const struct orphan *orphans_find(const struct orphans *orphans, const struct wtxid *wtxid);
/* Is it here, and has that peer announced it? */
bool orphans_has_from(const struct orphans *orphans, const struct wtxid *wtxid,
                      const struct orphans_peer *peer);
/* Remove one, if it is here. Returns: whether it was. */
bool orphans_remove(struct orphans *orphans, const struct wtxid *wtxid);
/* Forget a peer: what nobody else has announced goes. */
void orphans_peer_deinit(struct orphans *orphans, struct orphans_peer *peer);
/* A block has these transactions: orphans that are among them or spend the same coins go, children
 * are tried again. */
void orphans_block(struct orphans *orphans, const struct tx *tx, size_t n);

/* A transaction was accepted: what spends its outputs is worth another try. */
void orphans_parent_arrived(struct orphans *orphans, const struct tx *parent);
/* The next one to try, peers taking turns; NULL if there is none. It stays here, and counts as
 * being tried for *peer. */
const struct orphan *orphans_next(struct orphans *orphans, struct orphans_peer **peer);

/* The newest child of a transaction that a peer has announced and that fits; NULL if there is none.
 */
const struct orphan *orphans_find_child(const struct orphans *orphans, const struct txid *parent,
                                        const struct orphans_peer *peer,
                                        bool (*fits)(void *arg, const struct orphan *child),
                                        void *arg);
/* A package that it is in is under way: it is not tried before that is over ... */
void orphans_hold(struct orphans *orphans, const struct wtxid *wtxid);
/* ... as it is now. It may be gone. */
void orphans_release(struct orphans *orphans, const struct wtxid *wtxid);

/* Assert that all sums and limits are kept. Costly. */
void orphans_check(const struct orphans *orphans);

#endif
