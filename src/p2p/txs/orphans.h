/* orphans.h - transactions whose parents are not here yet.
 *
 * Layer: p2p. Bounded in number and bytes; each peer has its fair share, and who has taken most of
 * it loses his oldest first. One that others have announced too passes to them then, and when its
 * sender goes: an attacker who sends it first cannot take it away again. When a parent arrives, its
 * children are tried again one per turn of the loop, peers taking turns, so that costly ones cannot
 * stop the node. Hazard 53: CVE-2024-52914. */
#ifndef P2P_TXS_ORPHANS_H
#define P2P_TXS_ORPHANS_H

#include "consensus/tx.h"
#include "crypto/siphash.h"
#include "util/array.h"
#include "util/hash_map.h"
#include "util/list.h"

#define ORPHANS_MAX            3000
#define ORPHANS_BYTES_MAX      (8u << 20)
#define ORPHANS_PEER_MAX       200 /* of one peer */
#define ORPHANS_PEER_BYTES_MAX (1u << 20)
#define ORPHANS_HEIRS_MAX      128 /* other peers that have announced one; more are not noted */
#define ORPHANS_LIFE_US        (INT64_C(1200) * 1000000)

struct orphan {
    struct list_link link; /* all, oldest first */
    struct list_link work; /* to be tried again, in order */
    bool has_work;
    uint64_t peer;         /* who sent it, and is charged for it */
    ARRAY(uint64_t) heirs; /* who has announced it too */
    uint8_t *raw;          /* owned */
    size_t raw_len;
    uint32_t weight_wu;
    struct txid txid;
    struct wtxid wtxid;
    struct txid *parents; /* distinct txids that it spends */
    size_t n_parents;
    int64_t until_us;
};

/* What one peer has in there. */
struct orphan_share {
    uint64_t peer;
    size_t count, bytes;
    struct list work; /* of struct orphan */
};

struct orphans {
    struct siphash_key key;
    struct hash_map by_wtxid;
    struct list all; /* of struct orphan, oldest first */
    size_t bytes;
    ARRAY(struct orphan_share) shares;
    size_t turn; /* whose work is next */
};

/* Make an empty store. */
void orphans_init(struct orphans *orphans, struct siphash_key key);
/* Free it with all that is in it. */
void orphans_deinit(struct orphans *orphans);

/* Keep a copy of a transaction. Returns: false if it is here already or is too large. */
bool orphans_add(struct orphans *orphans, uint64_t peer, const struct tx *tx, int64_t now_us);
/* Another peer has announced it. Returns: the orphan, if that is new; NULL if it is not here, or
 * that was known, or there is no room to note it. */
const struct orphan *orphans_announced(struct orphans *orphans, const struct wtxid *wtxid,
                                       uint64_t peer);
/* By wtxid; NULL if it is not here. */
const struct orphan *orphans_find(const struct orphans *orphans, const struct wtxid *wtxid);
/* Remove one, if it is here. */
void orphans_remove(struct orphans *orphans, const struct wtxid *wtxid);
/* Forget a peer: its orphans pass to others who have announced them. */
void orphans_peer_gone(struct orphans *orphans, uint64_t peer);
/* A block has these transactions: orphans that are among them go, children are tried again. */
void orphans_block(struct orphans *orphans, const struct tx *tx, size_t n);

/* A transaction was accepted: its children are worth another try. */
void orphans_parent_arrived(struct orphans *orphans, const struct txid *parent);
/* The next one to try, peers taking turns; NULL if there is none. It stays here. */
const struct orphan *orphans_next(struct orphans *orphans);
/* Drop what is too old. Returns: when the next one is, INT64_MAX: never. */
int64_t orphans_expire(struct orphans *orphans, int64_t now_us);

#endif
