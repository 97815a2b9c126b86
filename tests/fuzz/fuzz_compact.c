/* fuzz_compact.c - what decodes as a message of compact blocks encodes to the same bytes, and a
 * block that lacks everything asks for just that.
 *
 * Input: a byte that says which message, then its payload. */
#include <stddef.h>
#include <stdint.h>

#include "p2p/core/compact_fill.h"
#include "util/alloc.h"
#include "util/buffer.h"

static void assert_same(const struct reader *r, const uint8_t *data, const struct buffer *bytes)
{
    size_t used = (size_t)(r->at - data);
    ASSERT(bytes->len == used && (used == 0 || memcmp(bytes->p, data, used) == 0));
}

/* What is asked for is not beyond the block, and with as many transactions of any kind it is either
 * that block or not. */
static void check_fill(struct compact_fill *fill)
{
    struct buffer bytes;
    struct compact_request request;
    struct arena arena;
    arena_init(&arena, 4096);
    buffer_init(&bytes);
    if (fill->n_missing > 0) {
        struct writer w = writer_to_growing(&bytes);
        compact_fill_request(fill, &w);
        struct reader r = reader_of(buffer_span(&bytes));
        ASSERT(compact_request_decode(&r, &arena, &request) && reader_finish(&r));
        ASSERT(request.n == fill->n_missing && request.indexes[request.n - 1] < fill->block.n_tx);
        static const uint8_t one_input[51] = {[0] = 1, [4] = 1};
        struct tx *txs = arena_calloc(&arena, request.n, sizeof *txs);
        struct reader input = reader_of(span_of(one_input, sizeof one_input));
        ASSERT(tx_decode(&input, &arena, true, &txs[0]));
        for (uint32_t i = 1; i < request.n; i++)
            txs[i] = txs[0];
        ASSERT(compact_fill_supply(fill, txs, request.n - 1) == COMPACT_INVALID);
        ASSERT(compact_fill_supply(fill, txs, request.n) == COMPACT_OK);
    }
    if (compact_fill_finish(fill, true, &arena) == COMPACT_OK) {
        size_t len = compact_fill_len(fill);
        uint8_t *block = xmalloc(len);
        compact_fill_write(fill, block, len);
        xfree(block);
        xfree(compact_fill_ids(fill));
        ASSERT(len <= COMPACT_FILL_BYTES_MAX + BLOCK_HEADER_BYTES + 9);
    }
    buffer_deinit(&bytes);
    arena_deinit(&arena);
}

static void check_block(struct span in)
{
    struct compact_block block;
    struct compact_fill fill;
    struct arena arena;
    struct reader r = reader_of(in);
    arena_init(&arena, 4096);
    if (!compact_block_decode(&r, &arena, &block)) {
        arena_deinit(&arena);
        return;
    }
    ASSERT(compact_n_tx(&block) <= COMPACT_TXS_MAX);
    enum compact_result result =
        compact_fill_begin(&fill, &block, &arena, UINT64_C(0x9e3779b97f4a7c15));
    if (result == COMPACT_OK)
        check_fill(&fill);
    compact_fill_deinit(&fill);
}

static void check_request(struct span in, struct arena *arena, struct buffer *bytes)
{
    struct compact_request request;
    struct reader r = reader_of(in);
    if (!compact_request_decode(&r, arena, &request))
        return;
    struct writer w = writer_to_growing(bytes);
    compact_request_encode(&w, &request);
    assert_same(&r, in.p, bytes);
}

static void check_txs(struct span in, struct arena *arena, struct buffer *bytes)
{
    struct compact_txs txs;
    struct reader r = reader_of(in);
    if (!compact_txs_decode(&r, arena, &txs))
        return;
    struct writer w = writer_to_growing(bytes);
    compact_txs_encode_head(&w, &txs.hash, txs.n);
    for (uint32_t i = 0; i < txs.n; i++)
        write_span(&w, txs.txs[i].raw);
    assert_same(&r, in.p, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct span in = span_of(data + 1, size - 1);
    struct arena arena;
    struct buffer bytes;
    arena_init(&arena, 4096);
    buffer_init(&bytes);
    if (data[0] % 3 == 0)
        check_block(in);
    else if (data[0] % 3 == 1)
        check_request(in, &arena, &bytes);
    else
        check_txs(in, &arena, &bytes);
    buffer_deinit(&bytes);
    arena_deinit(&arena);
    return 0;
}
