/* bloom.h - Bloom filters: what a light client watches for, more or less.
 *
 * Layer: p2p. Pure. A filter never misses what was put into it; how much else passes is the
 * client's choice. Spec: BIP-37, Bloom filter format */
#ifndef P2P_CORE_BLOOM_H
#define P2P_CORE_BLOOM_H

#include "consensus/tx.h"
#include "util/reader.h"

/* BIP-37, New messages */
#define BLOOM_BYTES_MAX     36000
#define BLOOM_FUNCTIONS_MAX 50
#define BLOOM_ELEMENT_MAX   520

/* What a match adds to the filter. BIP-37, Filter matching algorithm */
enum bloom_update {
    BLOOM_UPDATE_NONE = 0,
    BLOOM_UPDATE_ALL = 1,         /* the output, so that who spends it matches too */
    BLOOM_UPDATE_PUBKEY_ONLY = 2, /* that of outputs that name keys themselves */
    BLOOM_UPDATE_MASK = 3,
};

struct bloom {
    uint8_t *bits; /* owned */
    size_t len;    /* bytes; 0: everything matches, and nothing is divided by it (hazard 45) */
    uint32_t n_functions, tweak;
    uint8_t flags;
};

/* Read what filterload holds.
 *
 * Out:      is_too_large  it breaks a limit: false is returned then too
 * Returns:  owned by the caller, bloom_free(); NULL if malformed or too large */
NODISCARD struct bloom *bloom_read(struct reader *r, bool *is_too_large);
/* A copy to work on elsewhere. Owns: the caller, bloom_free() */
NODISCARD struct bloom *bloom_copy(const struct bloom *bloom);
/* What was put into a copy is put into the filter itself, which may have got more meanwhile. */
void bloom_merge(struct bloom *bloom, const struct bloom *copy);
/* NULL is allowed. */
void bloom_free(struct bloom *bloom);

/* Put an element in. */
void bloom_insert(struct bloom *bloom, struct span element);
/* Was it put in? Never false if it was. */
bool bloom_has(const struct bloom *bloom, struct span element);
/* Does a transaction concern the client? Outputs that do are put in as the flags say. */
bool bloom_matches_tx(struct bloom *bloom, const struct tx *tx);

#endif
