/* block.c - block headers and blocks: one pass over the bytes. */
#include "consensus/block.h"

#include "crypto/hash.h"
#include "util/assert.h"

/* Least bytes of a transaction (no inputs, no outputs); it bounds a claimed count. No valid one is
 * so short, but the format allows it. */
#define TX_MIN_BYTES 10

/* Longer input is refused before anything is added up, so that weights fit 32 bits
 * (CVE-2025-46597). Far above what the rules allow: those give the verdict. Core: MAX_SIZE */
#define BLOCK_DECODE_MAX_BYTES UINT32_C(0x02000000)

bool block_header_decode(struct reader *r, struct block_header *header)
{
    ASSERT(r && header);
    header->version = (int32_t)read_u32(r);
    read_bytes(r, header->prev.b, 32);
    read_bytes(r, header->merkle_root, 32);
    header->time = read_u32(r);
    header->bits = read_u32(r);
    header->nonce = read_u32(r);
    return !r->failed;
}

void block_header_encode(struct writer *w, const struct block_header *header)
{
    ASSERT(header);
    write_u32(w, (uint32_t)header->version);
    write_bytes(w, header->prev.b, 32);
    write_bytes(w, header->merkle_root, 32);
    write_u32(w, header->time);
    write_u32(w, header->bits);
    write_u32(w, header->nonce);
}

/* Header hash and block hash are one: transactions come in through the merkle root alone. That is
 * why a block's bytes can be altered without altering its name, see REJECT_CLASS_MUTATED. */
struct block_hash block_header_hash(const struct block_header *header)
{
    uint8_t raw[BLOCK_HEADER_BYTES];
    struct writer w = writer_to_buffer(raw, sizeof raw);
    block_header_encode(&w, header);
    ASSERT(w.len == sizeof raw);

    struct block_hash hash;
    sha256d(span_of(raw, sizeof raw), hash.b);
    return hash;
}

/* The transactions, whose ids are those or, without, found by hashing. */
static bool txs_decode(struct reader *r, struct arena *arena, const struct tx_ids *ids,
                       struct block *block)
{
    block->tx = arena_alloc(arena, block->n_tx * sizeof *block->tx);
    block->txids = arena_alloc(arena, block->n_tx * sizeof *block->txids);
    for (uint32_t i = 0; i < block->n_tx; i++) {
        struct tx *tx = &block->tx[i];
        if (!(ids ? tx_decode_known(r, arena, &ids[i], tx) : tx_decode(r, arena, true, tx)))
            return false;
        block->txids[i] = tx->txid;
        block->base_bytes += tx->base_bytes;
    }
    return true;
}

/* ids of n transactions, or NULL. */
static bool decode(struct span raw, struct arena *arena, const struct tx_ids *ids, uint32_t n,
                   struct block *block)
{
    memset(block, 0, sizeof *block);
    if (raw.len > BLOCK_DECODE_MAX_BYTES)
        return false;

    struct reader r = reader_of(raw);
    if (!block_header_decode(&r, &block->header))
        return false;
    sha256d(span_of(raw.p, BLOCK_HEADER_BYTES), block->hash.b);

    const uint8_t *after_header = r.at;
    uint64_t claimed = read_compact_size(&r);
    /* The count is no promise that memory may be taken for: the bytes that are there bound it. */
    if (r.failed || claimed > reader_left(&r) / TX_MIN_BYTES)
        return false;
    if (ids && claimed != n)
        return false;
    block->n_tx = (uint32_t)claimed;
    block->base_bytes = BLOCK_HEADER_BYTES + (uint32_t)(r.at - after_header);
    if (!txs_decode(&r, arena, ids, block))
        return false;
    ASSERT(block->base_bytes <= (size_t)(r.at - raw.p));
    block->raw = span_of(raw.p, (size_t)(r.at - raw.p));
    return true;
}

bool block_decode_head(struct span raw, struct arena *arena, struct block *block)
{
    return decode(raw, arena, NULL, 0, block);
}

bool block_decode_known(struct span raw, struct arena *arena, const struct tx_ids *ids, uint32_t n,
                        struct block *block)
{
    ASSERT(ids);
    return decode(raw, arena, ids, n, block) && block->raw.len == raw.len;
}

/* For bytes that are meant to be one block and nothing else. */
bool block_decode(struct span raw, struct arena *arena, struct block *block)
{
    return block_decode_head(raw, arena, block) && block->raw.len == raw.len;
}

void block_encode(struct writer *w, const struct block *block, bool with_witness)
{
    ASSERT(block);
    block_header_encode(w, &block->header);
    write_compact_size(w, block->n_tx);
    for (uint32_t i = 0; i < block->n_tx; i++)
        tx_encode(w, &block->tx[i], with_witness);
}
