/* test_block.c - decoding and encoding blocks.
 *
 * hazards: rows 22, 33; the real blocks are of the main chain. */
#include "consensus/block.h"
#include "consensus/merkle.h"
#include "consensus/network.h"
#include "support/arena_fixture.h"
#include "support/build.h"
#include "support/hex_bytes.h"
#include "support/vectors.h"
#include "util/alloc.h"

FIXTURE(arena_setup, arena_teardown)

static void assert_round_trip(const struct block *block)
{
    uint8_t *copy = xmalloc(block->raw.len);
    struct writer w = writer_to_buffer(copy, block->raw.len);
    block_encode(&w, block, true);
    assert_int_equal(w.len, block->raw.len);
    assert_memory_equal(copy, block->raw.p, w.len);
    xfree(copy);

    struct writer count = writer_counting();
    block_encode(&count, block, false);
    assert_int_equal(count.len, block->base_bytes);
}

TEST(every_genesis_block_decodes_to_its_hash, struct arena *arena)
{
    for (int kind = 0; kind < NETWORK_COUNT; kind++) {
        const struct network *network = network_get((enum network_kind)kind);
        struct block block;
        assert_true(block_decode(network->genesis_raw, arena, &block));
        assert_true(block_hash_equal(&block.hash, &network->genesis_hash));
        struct block_hash again = block_header_hash(&block.header);
        assert_true(block_hash_equal(&block.hash, &again));
        assert_int_equal(block.n_tx, 1);
        assert_int_equal(block.base_bytes, network->genesis_raw.len);
        assert_int_equal(block_weight_wu(&block), 4 * network->genesis_raw.len);
        assert_round_trip(&block);
    }
}

TEST(real_block_413567_comes_back_byte_by_byte, struct arena *arena)
{
    size_t len;
    char *raw = vectors_read("mainnet/block413567.raw", &len);
    if (!raw)
        skip();
    struct block block;
    assert_true(block_decode(span_of(raw, len), arena, &block));
    assert_round_trip(&block);
    uint8_t root[32];
    assert_false(block_merkle_root(&block, arena, root));
    assert_memory_equal(root, block.header.merkle_root, 32);
    for (uint32_t i = 0; i < block.n_tx; i++)
        assert_true(txid_equal(&block.txids[i], &block.tx[i].txid));
    xfree(raw);
}

TEST(header_is_eighty_bytes_in_order)
{
    struct block_header header = {.version = -2, .time = 0x01020304, .bits = 5, .nonce = 6}, back;
    memset(header.prev.b, 0xaa, 32);
    memset(header.merkle_root, 0xbb, 32);
    uint8_t raw[BLOCK_HEADER_BYTES];
    struct writer w = writer_to_buffer(raw, sizeof raw);
    block_header_encode(&w, &header);
    assert_int_equal(w.len, BLOCK_HEADER_BYTES);
    assert_hex(raw, 8, "feffffffaaaaaaaa");
    assert_hex(raw + 68, 12, "040302010500000006000000");
    struct reader r = reader_of(span_of(raw, sizeof raw));
    assert_true(block_header_decode(&r, &back));
    assert_int_equal(back.version, -2);
    assert_true(block_hash_equal(&back.prev, &header.prev));
    assert_memory_equal(back.merkle_root, header.merkle_root, 32);
    assert_int_equal(back.nonce, 6);

    r = reader_of(span_of(raw, sizeof raw - 1));
    assert_false(block_header_decode(&r, &back));
}

TEST(every_cut_of_a_block_is_refused, struct arena *arena)
{
    struct tx txs[3] = {build_coinbase(arena, 5, 50 * COIN_SAT), build_tx(arena, 1, 2, 2),
                        build_tx(arena, 2, 1, 1)};
    tx_finish(&txs[1], arena);
    tx_finish(&txs[2], arena);
    struct block block = build_segwit_block(arena, txs, 3), cut;
    assert_round_trip(&block);
    for (size_t len = 0; len < block.raw.len; len++) {
        uint8_t *copy = xmemdup(block.raw.p, len);
        assert_false(block_decode(span_of(copy, len), arena, &cut));
        xfree(copy);
    }
    uint8_t *longer = xcalloc(1, block.raw.len + 1);
    memcpy(longer, block.raw.p, block.raw.len);
    assert_false(block_decode(span_of(longer, block.raw.len + 1), arena, &cut));
    assert_true(block_decode_head(span_of(longer, block.raw.len + 1), arena, &cut));
    assert_true(span_equal(cut.raw, block.raw));
    assert_false(block_decode_head(span_of(longer, block.raw.len - 1), arena, &cut));
    xfree(longer);
}

TEST(claimed_counts_are_bounded_by_the_bytes, struct arena *arena)
{
    /* 80 bytes of header, then a count and nothing that could be so many transactions */
    static const char *const counts[] = {"feffffffff", "ffffffffffffffffff", "fd0100", "02"};
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        uint8_t raw[100] = {0};
        struct block block;
        size_t len = hex_bytes(counts[i], raw + 80, 20);
        assert_false(block_decode(span_of(raw, 80 + len), arena, &block));
    }
    assert_true(arena->total_bytes < 1000000);
}

TEST(block_without_transactions_decodes, struct arena *arena)
{
    /* refusing it is the job of the rules, with their reject string */
    uint8_t raw[81] = {0};
    struct block block;
    assert_true(block_decode(span_of(raw, sizeof raw), arena, &block));
    assert_int_equal(block.n_tx, 0);
}

/* CVE-2025-46597, hazards row 33: sizes that would wrap 32 bits are refused before any sum. */
TEST(gigabytes_are_refused_before_they_are_read, struct arena *arena)
{
    uint8_t byte = 0;
    struct block block;
    assert_false(block_decode(span_of(&byte, (size_t)0x02000001), arena, &block));
    assert_false(block_decode(span_of(&byte, SIZE_MAX), arena, &block));
}
