/* snapshot_reader.h - a set of coins from a file in Core's format (snapshot_file.h), coin by coin.
 *
 * Layer: chain. Any thread, one at a time. The file may come from anybody: each coin is looked at
 * before it is handed out, and what is wrong is told in Core's words, which tools look for. Spec:
 * Core SnapshotMetadata, PopulateAndValidateSnapshot() */
#ifndef CHAIN_COINS_SNAPSHOT_READER_H
#define CHAIN_COINS_SNAPSHOT_READER_H

#include "chain/coins/coin.h"
#include "chain/coins/snapshot_file.h"
#include "consensus/network.h"
#include "util/env.h"

#define SNAPSHOT_WHY_BYTES    320
#define SNAPSHOT_BUFFER_BYTES (1u << 20) /* read at once */
#define SNAPSHOT_SCRIPT_MAX   10000      /* bytes; a longer one can never be spent. Core */

/* What a file says of itself. */
struct snapshot_head {
    struct block_hash base; /* the set is as of this block */
    uint64_t n_coins;
};

/* Read the head of a file for this network.
 *
 * Out:      why  what is wrong with it
 * Returns:  0, -EBADMSG with *why, or what reading says */
NODISCARD int snapshot_head_read(const struct env *env, struct env_file *file,
                                 const struct network *network, struct snapshot_head *head,
                                 char why[SNAPSHOT_WHY_BYTES]);

struct snapshot_reader {
    const struct env *env;
    struct env_file *file; /* borrowed */
    struct snapshot_head head;
    int32_t height; /* of the base: no coin is younger */
    uint64_t offset; /* in the file, of what is read next into ... */
    uint8_t *buffer; /* ... this; owned */
    size_t at, len;  /* in the buffer */
    struct txid txid;
    uint64_t n_of_txid; /* coins of it that are still to come */
    uint64_t n_read;
    uint8_t script[SNAPSHOT_SCRIPT_MAX]; /* of the last coin */
    int error;                           /* of the disk; -ENODATA: the file has ended */
    char why[SNAPSHOT_WHY_BYTES];
};

/* Read the coins behind the head of a file. Owns: nothing of what it is given. */
void snapshot_reader_init(struct snapshot_reader *reader, const struct env *env,
                          struct env_file *file, const struct snapshot_head *head, int32_t height);
/* Free what it took. */
void snapshot_reader_deinit(struct snapshot_reader *reader);
/* The next coin, whose script is the reader's until the next call.
 *
 * Returns:  1, 0 at the end, -EBADMSG with reader->why, or what reading says */
NODISCARD int snapshot_reader_next(struct snapshot_reader *reader, struct outpoint *outpoint,
                                   struct coin *coin);

#endif
