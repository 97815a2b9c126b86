/* block_filter.c - see block_filter.h. */
#include "chain/ask/block_filter.h"

#include "consensus/opcodes.h"
#include "crypto/gcs.h"
#include "crypto/hash.h"
#include "util/alloc.h"
#include "util/array.h"

/* BIP-158, Construction */
struct siphash_key block_filter_key(const struct block_hash *hash)
{
    struct reader r = reader_of(span_of(hash->b, 16));
    struct siphash_key key;
    key.k0 = read_u64(&r);
    key.k1 = read_u64(&r);
    return key;
}

/* Scripts of outputs that can carry money, and of those spent; never an empty one.
 * BIP-158, Contents */
void block_filter_build(const struct block *block, const struct undo *undo, struct buffer *out)
{
    ASSERT(block->n_tx > 0);
    ARRAY(struct span) items = {0};
    for (uint32_t i = 0; i < block->n_tx; i++) {
        for (uint32_t k = 0; k < block->tx[i].n_out; k++) {
            struct span script = block->tx[i].out[k].script_pubkey;
            if (script.len > 0 && script.p[0] != OP_RETURN)
                *ARRAY_ADD(&items) = script;
        }
    }
    for (size_t i = 0; i < undo->n_spent; i++)
        if (undo->spent[i].script_pubkey.len > 0)
            *ARRAY_ADD(&items) = undo->spent[i].script_pubkey;
    gcs_build(block_filter_key(&block->hash), items.at, items.n, out);
    ARRAY_FREE(&items);
}

void block_filter_hash(struct span filter, uint8_t hash[32])
{
    sha256d(filter, hash);
}

void block_filter_header(const uint8_t hash[32], const uint8_t prev[32], uint8_t out[32])
{
    uint8_t both[64];
    memcpy(both, hash, 32);
    memcpy(both + 32, prev, 32);
    sha256d(span_of(both, sizeof both), out);
}
