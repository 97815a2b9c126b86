/* block_ref.h - the decoded block that jobs and owners share.
 *
 * Layer: chain. The one reference-counted object: raw bytes, arena and decoded block in one,
 * freed when the last holder lets go (CVE-2024-52911 was a job outliving its block). Immutable
 * after block_ref_decode(), so any thread that holds a reference may read it. */
#ifndef CHAIN_DISK_BLOCK_REF_H
#define CHAIN_DISK_BLOCK_REF_H

#include <stdatomic.h>

#include "consensus/block.h"

struct block_ref {
    atomic_int holders; /* at least 1 */
    uint8_t *raw;       /* owned; the block's scripts are spans into it */
    size_t raw_len;
    struct arena arena; /* of the block's arrays */
    struct tx_ids *ids; /* of n_ids transactions, until they are decoded; mostly NULL. Owned */
    uint32_t n_ids;
    struct block block; /* valid after a successful block_ref_decode() */
};

/* Take ownership of raw (from xmalloc) and start with one holder. Nothing is decoded yet. */
NODISCARD struct block_ref *block_ref_take(uint8_t *raw, size_t len);

/* What its n transactions are called is known, and that they are the block's: both merkle roots
 * have been made of these ids. Nothing is hashed again when it is decoded. Takes ids (from
 * xmalloc). */
void block_ref_know_ids(struct block_ref *ref, struct tx_ids *ids_take, uint32_t n);

/* Decode in place; false if the bytes are not exactly one block. Any thread, once. */
NODISCARD bool block_ref_decode(struct block_ref *ref);

/* The same where bytes may follow the block: they are forgotten. */
NODISCARD bool block_ref_decode_head(struct block_ref *ref);

/* The block's bytes, decoded or not. */
static inline struct span block_ref_raw(const struct block_ref *ref)
{
    return span_of(ref->raw, ref->raw_len);
}

/* One more holder; returns ref. Any thread. */
struct block_ref *block_ref_hold(struct block_ref *ref);

/* One holder less; frees with the last. NULL is allowed. Any thread. */
void block_ref_drop(struct block_ref *ref);

#endif
