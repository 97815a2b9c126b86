/* recent_set.h - which of many 32-byte ids were met lately, in bounded memory.
 *
 * Layer: p2p. Two generations of 64-bit keyed hashes: the last n ids are surely remembered, older
 * ones up to 2n may be. A false yes has a chance of about 2n in 2^64. Nothing is allocated before
 * the first id. */
#ifndef P2P_CORE_RECENT_SET_H
#define P2P_CORE_RECENT_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/siphash.h"

struct recent_set {
    struct siphash_key key;
    size_t n_max;    /* ids of one generation */
    size_t slots[2]; /* of each generation, a power of two; the younger grows as it fills */
    uint64_t *table[2];
    size_t count; /* in table[0], the younger */
};

/* Make an empty set that remembers at least the last n_max ids. */
void recent_set_init(struct recent_set *set, struct siphash_key key, size_t n_max);
/* Free what it holds. */
void recent_set_deinit(struct recent_set *set);

/* Forget everything. */
void recent_set_clear(struct recent_set *set);

/* Remember an id. Returns: true if it was not remembered before. */
bool recent_set_add(struct recent_set *set, const uint8_t id[32]);
/* Fetch what the two functions around this will read. */
void recent_set_prefetch(const struct recent_set *set, const uint8_t id[32]);
/* Is it remembered? */
bool recent_set_has(const struct recent_set *set, const uint8_t id[32]);

#endif
