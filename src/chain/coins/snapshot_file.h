/* snapshot_file.h - a set of coins as a file, in Core's format.
 *
 * Layer: chain. Any thread. "utxo", ff; version (16 bits) and magic of the network; the block that
 * the set is as of, and how many coins there are (64 bits); then for each transaction its txid, how
 * many of its outputs are there, and these, compressed as in Core's own store, which is not quite
 * as in ours. Spec: Core SnapshotMetadata, WriteUTXOSnapshot(), Coin::Serialize() */
#ifndef CHAIN_COINS_SNAPSHOT_FILE_H
#define CHAIN_COINS_SNAPSHOT_FILE_H

#include "chain/coins/coin.h"
#include "crypto/hash.h"
#include "util/array.h"
#include "util/buffer.h"
#include "util/env.h"

#define SNAPSHOT_HEADER_BYTES 51
#define SNAPSHOT_FILE_MAGIC   "utxo\xff"
#define SNAPSHOT_FILE_VERSION 2

/* An output of the transaction that is being written. */
struct snapshot_out {
    uint32_t vout;
    size_t at, len; /* in the writer's outs_raw */
};

/* A file that is being written. */
struct snapshot_writer {
    const struct env *env;
    struct env_file *file;
    uint64_t offset; /* written so far */
    struct buffer out;
    struct txid txid; /* of the transaction whose outputs are gathered */
    ARRAY(struct snapshot_out) outs;
    struct buffer outs_raw;
    struct sha256 hash; /* hash_serialized_3 */
    uint64_t n_coins;
    int error;
};

/* Begin a file at path; what was there is gone. Returns 0 or a negative errno. */
NODISCARD int snapshot_writer_open(struct snapshot_writer *writer, const struct env *env,
                                   const char *path);
/* One more coin, in the order of txids' bytes, then of outputs. An error comes at the end. */
void snapshot_writer_add(struct snapshot_writer *writer, const struct outpoint *outpoint,
                         const struct coin *coin);
/* All are there: write the rest and the head, synced. hash: hash_serialized_3 of them. Returns 0
 * or a negative errno. */
NODISCARD int snapshot_writer_finish(struct snapshot_writer *writer, const uint8_t magic[4],
                                     const struct block_hash *base, uint8_t hash[32]);
/* Close the file, finished or not. */
void snapshot_writer_close(struct snapshot_writer *writer);

/* A coin in the form of the file: as Core's Coin. */
void snapshot_coin_encode(struct writer *w, const struct coin *coin);

#endif
