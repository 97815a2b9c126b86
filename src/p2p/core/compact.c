/* compact.c - see compact.h. */
#include "p2p/core/compact.h"

#include "crypto/hash.h"

/* Least bytes of a prefilled transaction: its index and itself. */
#define PREFILLED_BYTES_MIN (1 + COMPACT_TX_BYTES_MIN)

/* A count in front of things that take at least item_bytes each. */
static uint32_t read_count(struct reader *r, size_t max, size_t item_bytes)
{
    uint64_t n = read_compact_size(r);
    if (n > max || n > reader_left(r) / item_bytes)
        r->failed = true;
    return r->failed ? 0 : (uint32_t)n;
}

/* The next of indexes that are told by their distance. The first has the distance from -1, which is
 * what *next is one more than. Without bounds the sum would overflow to an index that was had
 * before. BIP-152, New data structures */
static uint32_t read_index(struct reader *r, uint64_t *next)
{
    uint64_t distance = read_compact_size(r);
    if (distance > COMPACT_TXS_MAX || *next + distance > COMPACT_TXS_MAX) {
        r->failed = true;
        return 0;
    }
    uint64_t index = *next + distance;
    *next = index + 1;
    return (uint32_t)index;
}

bool compact_block_decode(struct reader *r, struct arena *arena, struct compact_block *block)
{
    *block = (struct compact_block){0};
    struct span header = span_of(r->at, BLOCK_HEADER_BYTES);
    if (!block_header_decode(r, &block->header))
        return false;
    sha256d(header, block->hash.b);
    block->nonce = read_u64(r);
    /* BIP-152, HeaderAndShortIDs */
    block->n_short = read_count(r, COMPACT_TXS_MAX, COMPACT_SHORT_ID_BYTES);
    block->short_ids = read_span(r, (size_t)block->n_short * COMPACT_SHORT_ID_BYTES);
    uint32_t n = read_count(r, COMPACT_TXS_MAX - block->n_short, PREFILLED_BYTES_MIN);
    block->prefilled = arena_calloc(arena, n, sizeof *block->prefilled);
    uint64_t next = 0;
    for (; block->n_prefilled < n && !r->failed; block->n_prefilled++) {
        struct compact_prefilled *prefilled = &block->prefilled[block->n_prefilled];
        prefilled->index = read_index(r, &next);
        if (!tx_decode(r, arena, true, &prefilled->tx))
            r->failed = true;
    }
    return !r->failed;
}

void compact_block_encode(struct writer *w, const struct block *block, uint64_t nonce,
                          const bool *is_prefilled)
{
    ASSERT(block->n_tx <= COMPACT_TXS_MAX && is_prefilled);
    struct siphash_key key = compact_key(&block->header, nonce);
    uint32_t n_prefilled = 0, next = 0;
    for (uint32_t i = 0; i < block->n_tx; i++)
        n_prefilled += is_prefilled[i];
    block_header_encode(w, &block->header);
    write_u64(w, nonce);
    write_compact_size(w, block->n_tx - n_prefilled);
    for (uint32_t i = 0; i < block->n_tx; i++) {
        if (is_prefilled[i])
            continue;
        uint64_t id = compact_short_id(key, &block->tx[i].wtxid);
        write_u32(w, (uint32_t)id);
        write_u16(w, (uint16_t)(id >> 32));
    }
    write_compact_size(w, n_prefilled);
    for (uint32_t i = 0; i < block->n_tx; i++) {
        if (!is_prefilled[i])
            continue;
        write_compact_size(w, i - next);
        write_span(w, block->tx[i].raw);
        next = i + 1;
    }
}

bool compact_request_decode(struct reader *r, struct arena *arena, struct compact_request *request)
{
    uint64_t next = 0;
    read_bytes(r, request->hash.b, sizeof request->hash.b);
    request->n = read_count(r, COMPACT_TXS_MAX + 1, 1);
    request->indexes = arena_calloc(arena, request->n, sizeof *request->indexes);
    for (uint32_t i = 0; i < request->n && !r->failed; i++)
        request->indexes[i] = read_index(r, &next);
    return !r->failed;
}

void compact_request_encode(struct writer *w, const struct compact_request *request)
{
    uint32_t next = 0;
    write_bytes(w, request->hash.b, sizeof request->hash.b);
    write_compact_size(w, request->n);
    for (uint32_t i = 0; i < request->n; i++) {
        ASSERT(request->indexes[i] >= next);
        write_compact_size(w, request->indexes[i] - next);
        next = request->indexes[i] + 1;
    }
}

bool compact_txs_decode(struct reader *r, struct arena *arena, struct compact_txs *txs)
{
    read_bytes(r, txs->hash.b, sizeof txs->hash.b);
    txs->n = read_count(r, COMPACT_TXS_MAX, COMPACT_TX_BYTES_MIN);
    txs->txs = arena_calloc(arena, txs->n, sizeof *txs->txs);
    for (uint32_t i = 0; i < txs->n && !r->failed; i++)
        if (!tx_decode(r, arena, true, &txs->txs[i]))
            r->failed = true;
    return !r->failed;
}

void compact_txs_encode_head(struct writer *w, const struct block_hash *hash, uint32_t n)
{
    write_bytes(w, hash->b, sizeof hash->b);
    write_compact_size(w, n);
}

struct siphash_key compact_key(const struct block_header *header, uint64_t nonce)
{
    uint8_t bytes[BLOCK_HEADER_BYTES + 8], digest[32];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    block_header_encode(&w, header);
    write_u64(&w, nonce);
    sha256(span_of(bytes, sizeof bytes), digest);
    struct reader r = reader_of(span_of(digest, sizeof digest));
    /* BIP-152, Short transaction IDs */
    uint64_t k0 = read_u64(&r), k1 = read_u64(&r);
    return (struct siphash_key){.k0 = k0, .k1 = k1};
}
