/* known_by.h - which peers know which of many 32-byte ids, in bounded memory.
 *
 * Layer: p2p. One table for all peers, since most of them know the same: of each id a keyed hash of
 * 64 bits, and a bit for each peer. Two generations: the last n ids are surely remembered, older
 * ones up to 2n may be. A false yes has a chance of about 2n in 2^64. Nothing is allocated before
 * the first id. */
#ifndef P2P_CORE_KNOWN_BY_H
#define P2P_CORE_KNOWN_BY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/siphash.h"
#include "util/array.h"

/* Rows of a hash, 0: a free one, and of the bits. */
struct known_by_rows {
    uint64_t *at;
    size_t slots; /* a power of two, or 0 */
    size_t count;
};

struct known_by {
    struct siphash_key key;
    size_t n_max;               /* ids of one generation, of all peers together */
    ARRAY(uint64_t) places;     /* a bit for each that is taken; a row has as many words of them */
    struct known_by_rows young; /* grows as it fills */
    struct known_by_rows old;
};

/* Make an empty table that remembers at least the last n_max ids that anybody got to know. */
void known_by_init(struct known_by *known, struct siphash_key key, size_t n_max);
/* Free what it holds. */
void known_by_deinit(struct known_by *known);

/* A peer comes, and knows nothing yet. Returns: its place, until it leaves */
size_t known_by_join(struct known_by *known);
/* It goes: another one may have its place. */
void known_by_leave(struct known_by *known, size_t place);

/* The peer at that place knows the id. */
void known_by_add(struct known_by *known, size_t place, const uint8_t id[32]);
/* Does it? */
bool known_by_has(const struct known_by *known, size_t place, const uint8_t id[32]);

/* The same in two steps, where many peers are asked for one id. Returns: never 0 */
uint64_t known_by_hash(const struct known_by *known, const uint8_t id[32]);
/* hash is known_by_hash() of this table. */
bool known_by_has_hash(const struct known_by *known, size_t place, uint64_t hash);

#endif
