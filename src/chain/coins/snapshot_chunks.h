/* snapshot_chunks.h - a file of coins in chunks, each of which can be proved alone.
 *
 * Layer: chain. Pure; any thread. The file of dumptxoutset is cut into chunks of one size. Their
 * hashes are the leaves of a tree, whose root stands for the file: who knows it and the file's size
 * can tell a good chunk from a bad one by the hashes beside its way to the root. Whether the file
 * is what it should be, the root does not say: that is for whoever loads it. The tree is that of
 * RFC 6962, so that leaves and nodes cannot be mistaken for each other and no two lists have the
 * same root. doc/mesh.md has the bytes. */
#ifndef CHAIN_COINS_SNAPSHOT_CHUNKS_H
#define CHAIN_COINS_SNAPSHOT_CHUNKS_H

#include "chain/coins/snapshot_file.h"
#include "consensus/block.h"
#include "util/reader.h"

#define SNAPSHOT_CHUNK_BYTES (256u << 10)
/* What a file may have: four times what the coins of the main network take. */
#define SNAPSHOT_BYTES_MAX  (UINT64_C(40) << 30)
#define SNAPSHOT_CHUNKS_MAX ((uint32_t)(SNAPSHOT_BYTES_MAX / SNAPSHOT_CHUNK_BYTES))
/* Hashes on the way from a leaf to the root: no tree of so many leaves is higher. */
#define SNAPSHOT_BRANCH_MAX  18
#define SNAPSHOT_OFFER_BYTES 72

/* What somebody says that he has. */
struct snapshot_offer {
    struct block_hash base; /* the coins are as of this block */
    uint64_t n_bytes;
    uint8_t root[32];
};

/* The base, the size and the root. */
void snapshot_offer_encode(struct writer *w, const struct snapshot_offer *offer);
/* Returns: false if bytes are missing, or of a size that no file of coins has */
NODISCARD bool snapshot_offer_decode(struct reader *r, struct snapshot_offer *offer);
/* Are they of the same file? */
bool snapshot_offer_equal(const struct snapshot_offer *a, const struct snapshot_offer *b);

/* How many chunks a file has. */
uint32_t snapshot_chunk_count(uint64_t n_bytes);
/* Bytes of one of them: the last may be short. */
size_t snapshot_chunk_len(uint64_t n_bytes, uint32_t index);
/* Hashes that prove one of them. */
size_t snapshot_branch_len(uint64_t n_bytes, uint32_t index);

/* The hash of a chunk. */
void snapshot_leaf(struct span chunk, uint8_t out[32]);
/* Does the chunk belong there, in the file of that offer?
 *
 * In:  branch  snapshot_branch_len() hashes, from the leaf upwards */
NODISCARD bool snapshot_chunk_is_of(const struct snapshot_offer *offer, uint32_t index,
                                    struct span branch, struct span chunk);

/* All hashes of a file. */
struct snapshot_tree {
    uint64_t n_bytes;
    uint8_t (*nodes)[32]; /* level by level, from the leaves to the root; owned */
};

/* Make a tree for a file of that size; its leaves are still unset. */
void snapshot_tree_init(struct snapshot_tree *tree, uint64_t n_bytes);
/* Free it. */
void snapshot_tree_deinit(struct snapshot_tree *tree);
/* Set the hash of a chunk. */
void snapshot_tree_set(struct snapshot_tree *tree, uint32_t index, struct span chunk);
/* All chunks are set: the root. */
void snapshot_tree_root(struct snapshot_tree *tree, uint8_t root[32]);
/* After that: the hashes that prove a chunk. */
void snapshot_tree_branch(const struct snapshot_tree *tree, uint32_t index, struct writer *w);

#endif
