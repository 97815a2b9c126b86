/* record_ring.h - the last so many records of one size, kept in a file that never grows beyond.
 *
 * Layer: chain. For notes about what happened, which no one else needs to be right: a record is
 * written into the place of the oldest, with its number and a checksum, so that a kill in the midst
 * of it costs that record alone. A record is told only when it is on the disk: what somebody has
 * been told survives. Loop thread only; the file is written by jobs. */
#ifndef CHAIN_ASK_RECORD_RING_H
#define CHAIN_ASK_RECORD_RING_H

#include "util/env.h"
#include "util/log.h"

struct record_ring;

/* Read what the file holds; records that are damaged are left out, without a file there are none.
 *
 * In:       env, log  borrowed for its life
 *           dir, name  where the file is or will be
 *           record_bytes, max  the size of a record, and how many are kept
 * Owns:     the caller, who frees it with record_ring_free() */
NODISCARD struct record_ring *record_ring_new(const struct env *env, const struct log *log,
                                              const char *dir, const char *name,
                                              size_t record_bytes, size_t max);
/* NULL is allowed. It must be at rest. */
void record_ring_free(struct record_ring *ring);
/* Is nothing on its way to the disk? */
bool record_ring_is_at_rest(const struct record_ring *ring);

/* Add a record, of record_bytes; the oldest goes if there are enough. */
void record_ring_add(struct record_ring *ring, const void *record);

/* How many are on the disk: not more than max. */
size_t record_ring_count(const struct record_ring *ring);
/* The record that has age newer ones on the disk; NULL if it is none of the count, or damaged.
 * Borrowed until the next call of record_ring_add(). */
const void *record_ring_at(const struct record_ring *ring, size_t age);

#endif
