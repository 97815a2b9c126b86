/* gcs.h - Golomb-coded sets: small sets that never miss a member, and take few others for one.
 *
 * Layer: crypto. Pure. With the parameters of basic block filters: one of 784,931 others passes.
 * Spec: BIP-158, Golomb-Coded Sets */
#ifndef CRYPTO_GCS_H
#define CRYPTO_GCS_H

#include "crypto/siphash.h"
#include "util/buffer.h"
#include "util/span.h"

/* BIP-158, Construction */
#define GCS_REMAINDER_BITS 19
#define GCS_INVERSE_RATE   784931

enum gcs_match { GCS_MATCH_NO, GCS_MATCH_YES, GCS_MATCH_MALFORMED };

/* Append the set of n items to out: how many there are, each different one once, and their codes.
 *
 * In:     items  in any order; those that are met again count once
 * Units:  n is below 2^32 */
void gcs_build(struct siphash_key key, const struct span *items, size_t n, struct buffer *out);

/* Is one of n items in the set? Never NO for a member.
 *
 * In:       set      what gcs_build() made, or anything: nothing is allocated by what it says
 *           scratch  n numbers, to work with
 * Returns:  MALFORMED if the set is cut short or goes on behind its last item, in what was
 *           decoded: up to the first match or to the largest of the items */
enum gcs_match gcs_match_any(struct span set, struct siphash_key key, const struct span *items,
                             size_t n, uint64_t *scratch);

#endif
