/* snapshot_part.h - the part of a file of coins that has come so far.
 *
 * Layer: chain. Two files: the chunks that have come, each at its place, and beside it (path.state)
 * which file it is to be and which of them are durable. That is written after they are, as a whole:
 * a kill at any moment loses chunks that came after, and never counts one that is not there. Each
 * call may block; one at a time. */
#ifndef CHAIN_COINS_SNAPSHOT_PART_H
#define CHAIN_COINS_SNAPSHOT_PART_H

#include "chain/coins/snapshot_chunks.h"
#include "util/env.h"

#define SNAPSHOT_PART_SUFFIX ".state"
/* What is left free on the disk, for the chain. */
#define SNAPSHOT_PART_FREE_MIN (INT64_C(1) << 30)

struct snapshot_part {
    const struct env *env;
    char *path, *state_path; /* owned */
    struct snapshot_offer offer;
    struct env_file *file; /* NULL: there is none */
    uint8_t *have;         /* a bit for each chunk that is written; owned */
    uint32_t n_have;
};

/* No file yet. Copies path. */
void snapshot_part_init(struct snapshot_part *part, const struct env *env, const char *path);
/* Close the file, which stays, and free the rest. */
void snapshot_part_deinit(struct snapshot_part *part);

/* Open what is left of an earlier run. Returns 0, -ENOENT if there is nothing of use, or another
 * negative errno */
NODISCARD int snapshot_part_recall(struct snapshot_part *part);
/* Begin a file, and forget one that is there. Returns 0, -ENOSPC if the disk has no room for all of
 * it, or another negative errno */
NODISCARD int snapshot_part_begin(struct snapshot_part *part, const struct snapshot_offer *offer);
/* Write a chunk. It does not count until snapshot_part_add(). Returns 0 or a negative errno */
NODISCARD int snapshot_part_write(const struct snapshot_part *part, uint32_t index,
                                  struct span chunk);
/* All that counts becomes durable. Returns 0 or a negative errno; then nothing was noted. */
NODISCARD int snapshot_part_save(const struct snapshot_part *part);
/* Close the file. */
void snapshot_part_close(struct snapshot_part *part);
/* Away with both files. Returns 0 or a negative errno */
NODISCARD int snapshot_part_remove(struct snapshot_part *part);

/* A chunk is written: it counts. Not while one of the above is under way. */
void snapshot_part_add(struct snapshot_part *part, uint32_t index);
/* Is it written? */
bool snapshot_part_has(const struct snapshot_part *part, uint32_t index);
/* Are all of them? */
bool snapshot_part_is_whole(const struct snapshot_part *part);

#endif
