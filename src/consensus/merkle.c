/* merkle.c - merkle trees, a level at a time, so that hashes go through in batches.
 *
 *     root = H(ab|cc)      H is SHA-256 twice, over 64 bytes. Of three transactions the last
 *        /       \         stands on both sides of its node, as it would if it were there twice:
 *     H(ab)     H(cc)      the root does not tell.
 *     /   \     /   \
 * a b c (c) */
#include "consensus/merkle.h"

#include "crypto/hash.h"
#include "util/assert.h"

/* A level of odd length is filled up with its last hash. So the lists a b c and a b c c have one
 * root, and whoever sends the longer one makes a valid block look invalid, for good if its hash is
 * remembered as bad. Equal neighbours are what gives such a list away; they are looked for before
 * the level is filled up, as the filling itself is no fault. CVE-2012-2459 */
bool merkle_root(const uint8_t *ids, size_t n, struct arena *scratch, uint8_t root[32])
{
    ASSERT((ids || n == 0) && scratch);
    memset(root, 0, 32);
    if (n == 0)
        return false;

    struct arena_mark mark = arena_mark(scratch);
    uint8_t *level = arena_alloc(scratch, (n + 1) * 32);
    memcpy(level, ids, n * 32);
    bool mutated = false;
    while (n > 1) {
        for (size_t i = 0; i + 1 < n; i += 2)
            /* Nobody can make two different transactions of one id, so equal hashes are a
             * repetition. */
            mutated |= memcmp(level + i * 32, level + (i + 1) * 32, 32) == 0;
        if (n % 2) {
            memcpy(level + n * 32, level + (n - 1) * 32, 32);
            n++;
        }
        n /= 2;
        sha256d_64(level, level, n);
    }
    memcpy(root, level, 32);
    arena_rewind(scratch, mark);
    return mutated;
}

bool block_merkle_root(const struct block *block, struct arena *scratch, uint8_t root[32])
{
    return merkle_root((const uint8_t *)block->txids, block->n_tx, scratch, root);
}

/* A block with its coinbase alone has the root zero. */
void block_witness_merkle_root(const struct block *block, struct arena *scratch, uint8_t root[32])
{
    ASSERT(block);
    struct arena_mark mark = arena_mark(scratch);
    uint8_t *ids = arena_alloc(scratch, (size_t)block->n_tx * 32);
    for (uint32_t i = 0; i < block->n_tx; i++) {
        if (i == 0)
            memset(ids, 0, 32);
        else
            memcpy(ids + (size_t)i * 32, block->tx[i].wtxid.b, 32);
    }
    /* Equal wtxids mean equal txids: the txid tree has told that already. */
    bool mutated = merkle_root(ids, block->n_tx, scratch, root);
    (void)mutated;
    arena_rewind(scratch, mark);
}
