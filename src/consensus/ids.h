/* ids.h - the 32-byte names of things, as distinct types.
 *
 * Layer: consensus. Bytes are in hash order; people read them reversed (see hex_reverse).
 *
 * A hash is a number to whoever measures work by it, and a name to everybody else: it is never
 * compared for order, but for work (u256.h), in the merkle branches of taproot and where an order
 * is free and Core's can be seen (txid_compare()). */
#ifndef CONSENSUS_IDS_H
#define CONSENSUS_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Three names of like form that must never be mixed up: as types of their own, a compiler
 * notices. */
struct txid {
    uint8_t b[32];
};
struct wtxid {
    uint8_t b[32];
};
struct block_hash {
    uint8_t b[32];
};

/* An output by the transaction that made it and its number there. */
struct outpoint {
    struct txid txid;
    uint32_t vout;
};

/* By their bytes as they are sent, not as they are shown: the order in which Core keeps sets of
 * ids, and so tells them. Returns: below, above or 0, as memcmp() */
static inline int txid_compare(const struct txid *a, const struct txid *b)
{
    return memcmp(a->b, b->b, sizeof a->b);
}

/* The same for qsort() and bsearch() over txids. */
int txids_compare(const void *a, const void *b);
/* Sort n ids (ids may be NULL if there are none), and keep each once. Returns: how many are left */
size_t txids_sort_unique(struct txid *ids, size_t n);

static inline bool txid_equal(const struct txid *a, const struct txid *b)
{
    return memcmp(a->b, b->b, 32) == 0;
}
static inline bool block_hash_equal(const struct block_hash *a, const struct block_hash *b)
{
    return memcmp(a->b, b->b, 32) == 0;
}
static inline bool outpoint_equal(const struct outpoint *a, const struct outpoint *b)
{
    return a->vout == b->vout && txid_equal(&a->txid, &b->txid);
}

#endif
