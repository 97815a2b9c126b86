/* test_compact.c - cmpctblock, getblocktxn and blocktxn there and back, and what is refused. */
#include "p2p/core/compact.h"
#include "support/arena_fixture.h"
#include "support/chain_builder.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/buffer.h"

struct fixture {
    struct chain_builder builder;
    struct arena arena;
    struct buffer bytes;
};

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    chain_builder_init(&f->builder);
    arena_init(&f->arena, 4096);
    buffer_init(&f->bytes);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    buffer_deinit(&f->bytes);
    arena_deinit(&f->arena);
    chain_builder_deinit(&f->builder);
    xfree(f);
    return 0;
}

FIXTURE(setup, teardown)

static struct writer writer_anew(struct fixture *f)
{
    f->bytes.len = 0;
    return writer_to_growing(&f->bytes);
}

static bool decode_block(struct fixture *f, struct compact_block *block)
{
    struct reader r = reader_of(buffer_span(&f->bytes));
    return compact_block_decode(&r, &f->arena, block);
}

/* A header of zeros and a nonce of zero. */
static struct writer write_start(struct fixture *f)
{
    static const uint8_t zeros[BLOCK_HEADER_BYTES + 8] = {0};
    struct writer w = writer_anew(f);
    write_bytes(&w, zeros, sizeof zeros);
    return w;
}

/* The smallest there is: nothing in it but a version and a lock time. */
static void write_smallest_tx(struct writer *w)
{
    static const uint8_t tx[COMPACT_TX_BYTES_MIN] = {1};
    write_bytes(w, tx, sizeof tx);
}

TEST(a_block_goes_there_and_back, struct fixture *f)
{
    const struct built_block *base = builder_blocks(&f->builder, f->builder.genesis, 101, NULL);
    struct builder_coin coin = builder_coinbase_coin(built_ancestor(base, 1));
    struct tx txs[3];
    for (int i = 0; i < 3; i++) {
        txs[i] = builder_spend(&f->builder, &coin, 1, 1, 0, BUILDER_WSH_TRUE);
        coin = builder_coin_of(&txs[i], 0, BUILDER_WSH_TRUE);
    }
    struct builder_spec spec = {.tx = txs, .n_tx = 3};
    const struct block *block = &builder_block(&f->builder, base, &spec)->block;
    const bool is_prefilled[4] = {true, false, true, false};
    struct writer w = writer_anew(f);
    compact_block_encode(&w, block, 0x1122334455667788, is_prefilled);
    /* Header, nonce, one byte for each count and each distance. */
    assert_int_equal(w.len,
                     80 + 8 + 1 + 2 * 6 + 1 + 2 + block->tx[0].raw.len + block->tx[2].raw.len);
    struct compact_block back;
    assert_true(decode_block(f, &back));
    assert_memory_equal(back.hash.b, block->hash.b, 32);
    assert_true(back.nonce == 0x1122334455667788);
    assert_int_equal(back.n_short, 2);
    assert_int_equal(back.n_prefilled, 2);
    assert_int_equal(compact_n_tx(&back), 4);
    assert_int_equal(back.prefilled[0].index, 0);
    assert_int_equal(back.prefilled[1].index, 2);
    assert_true(span_equal(back.prefilled[1].tx.raw, block->tx[2].raw));
    struct siphash_key key = compact_key(&block->header, back.nonce);
    uint64_t id = compact_short_id(key, &block->tx[3].wtxid);
    assert_true(id < UINT64_C(1) << 48);
    for (int i = 0; i < 6; i++)
        assert_int_equal(back.short_ids.p[6 + i], id >> (8 * i) & 0xff);
}

/* The key is of the header and the nonce: each changes all ids. */
TEST(another_nonce_makes_other_ids, struct fixture *f)
{
    const struct block *block = &f->builder.genesis->block;
    uint64_t a = compact_short_id(compact_key(&block->header, 1), &block->tx[0].wtxid);
    uint64_t b = compact_short_id(compact_key(&block->header, 2), &block->tx[0].wtxid);
    struct block_header header = block->header;
    header.nonce++;
    uint64_t c = compact_short_id(compact_key(&header, 1), &block->tx[0].wtxid);
    assert_true(a != b && a != c && b != c);
}

/* SHA-256 of the genesis header of regtest and a nonce of 0, worked out with Python's hashlib. */
TEST(the_key_is_the_first_two_words_of_the_hash, struct fixture *f)
{
    struct siphash_key key = compact_key(&f->builder.genesis->block.header, 0);
    assert_true(key.k0 == UINT64_C(0xb702fd8897be37d9));
    assert_true(key.k1 == UINT64_C(0xf030e8a081be0526));
}

/* clang-format off */
/* How many short ids and prefilled transactions are told of, of which only those counted as here
 * follow. Counts are looked at before there is memory for what they count. */
static const struct {
    uint64_t n_short; size_t short_here; uint64_t n_prefilled; size_t prefilled_here; bool ok;
} counts[] = {
    {0,               0,     0,               0, true}, /* no block, but none that is malformed */
    {1,               1,     0,               0, true},
    {0,               0,     1,               1, true},
    {2,               2,     2,               2, true},
    {2,               1,     0,               0, false},
    {0,               0,     2,               1, false},
    {65535,           65535, 0,               0, true},
    {65536,           65536, 0,               0, false},
    {65534,           65534, 1,               1, true},
    {65535,           65535, 1,               1, false},
    {0xffffffff,      0,     0,               0, false},
    {UINT64_MAX,      0,     0,               0, false},
    {UINT64_MAX / 6 + 2, 2,  0,               0, false}, /* times six: a few bytes */
    {0,               0,     65536,           0, false},
    {0,               0,     UINT64_MAX,      0, false},
};
/* clang-format on */

TEST(counts_are_bounded, struct fixture *f)
{
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        struct writer w = write_start(f);
        write_compact_size(&w, counts[i].n_short);
        for (size_t k = 0; k < 6 * counts[i].short_here; k++)
            write_u8(&w, (uint8_t)k);
        write_compact_size(&w, counts[i].n_prefilled);
        for (size_t k = 0; k < counts[i].prefilled_here; k++) {
            write_compact_size(&w, 0);
            write_smallest_tx(&w);
        }
        struct compact_block block;
        assert_int_equal(decode_block(f, &block), counts[i].ok);
    }
}

/* clang-format off */
/* Distances in a row, and where the last one leads. */
static const struct { uint64_t distance[3]; size_t n; bool ok; uint32_t last; } distances[] = {
    {{0},                     1, true,  0},
    {{5, 0, 0},               3, true,  7},
    {{65535},                 1, true,  65535},
    {{65536},                 1, false, 0},
    {{65534, 0},              2, true,  65535},
    {{65534, 1},              2, false, 0},
    {{65535, 0},              2, false, 0},
    {{0, UINT64_MAX},         2, false, 0}, /* would lead back to where it was */
    {{10, UINT64_MAX - 5},    2, false, 0},
    {{UINT64_MAX},            1, false, 0},
};
/* clang-format on */

TEST(indexes_have_16_bits, struct fixture *f)
{
    for (size_t i = 0; i < COUNT_OF(distances); i++) {
        struct writer w = write_start(f);
        write_compact_size(&w, 0);
        write_compact_size(&w, distances[i].n);
        for (size_t k = 0; k < distances[i].n; k++) {
            write_compact_size(&w, distances[i].distance[k]);
            write_smallest_tx(&w);
        }
        struct compact_block block;
        assert_int_equal(decode_block(f, &block), distances[i].ok);
        if (distances[i].ok)
            assert_int_equal(block.prefilled[distances[i].n - 1].index, distances[i].last);

        static const uint8_t hash[32] = {1};
        w = writer_anew(f);
        write_bytes(&w, hash, 32);
        write_compact_size(&w, distances[i].n);
        for (size_t k = 0; k < distances[i].n; k++)
            write_compact_size(&w, distances[i].distance[k]);
        struct compact_request request;
        struct reader r = reader_of(buffer_span(&f->bytes));
        assert_int_equal(compact_request_decode(&r, &f->arena, &request), distances[i].ok);
        if (distances[i].ok)
            assert_int_equal(request.indexes[request.n - 1], distances[i].last);
    }
}

/* Not in its shortest form: hazard 22. */
TEST(a_count_is_in_its_shortest_form, struct fixture *f)
{
    struct compact_block block;
    struct writer w = write_start(f);
    write_u8(&w, 253);
    write_u16(&w, 1);
    for (int i = 0; i < 7; i++)
        write_u8(&w, 0);
    assert_false(decode_block(f, &block));
}

TEST(every_cut_is_refused, struct fixture *f)
{
    const struct block *block = &f->builder.genesis->block;
    const bool is_prefilled[1] = {true};
    struct writer w = writer_anew(f);
    compact_block_encode(&w, block, 7, is_prefilled);
    struct compact_block back;
    assert_true(decode_block(f, &back));
    for (; f->bytes.len > 0;) {
        f->bytes.len--;
        assert_false(decode_block(f, &back));
    }
}

TEST(a_request_goes_there_and_back, struct fixture *f)
{
    uint32_t indexes[] = {0, 1, 300, 65535};
    struct compact_request request = {.hash = {{3}}, .n = 4, .indexes = indexes}, back;
    struct writer w = writer_anew(f);
    compact_request_encode(&w, &request);
    assert_int_equal(w.len, 32 + 1 + 1 + 1 + 3 + 3);
    struct reader r = reader_of(buffer_span(&f->bytes));
    assert_true(compact_request_decode(&r, &f->arena, &back));
    assert_true(reader_finish(&r));
    assert_memory_equal(back.hash.b, request.hash.b, 32);
    assert_int_equal(back.n, 4);
    assert_memory_equal(back.indexes, indexes, sizeof indexes);
    for (size_t len = 0; len < f->bytes.len; len++) {
        r = reader_of(span_of(f->bytes.p, len));
        assert_false(compact_request_decode(&r, &f->arena, &back));
    }
}

TEST(transactions_go_there_and_back, struct fixture *f)
{
    const struct tx *tx = &f->builder.genesis->block.tx[0];
    struct block_hash hash = {{9}};
    struct compact_txs back;
    struct writer w = writer_anew(f);
    compact_txs_encode_head(&w, &hash, 2);
    write_span(&w, tx->raw);
    write_span(&w, tx->raw);
    struct reader r = reader_of(buffer_span(&f->bytes));
    assert_true(compact_txs_decode(&r, &f->arena, &back));
    assert_int_equal(back.n, 2);
    assert_memory_equal(back.hash.b, hash.b, 32);
    assert_memory_equal(back.txs[1].wtxid.b, tx->wtxid.b, 32);
    for (size_t len = 0; len < f->bytes.len; len++) {
        r = reader_of(span_of(f->bytes.p, len));
        assert_false(compact_txs_decode(&r, &f->arena, &back));
    }
}

/* clang-format off */
/* Counts of transactions of ten bytes, of which only some are here. */
static const struct { uint64_t n; size_t here; bool ok; } txs_counts[] = {
    {0,          0,     true},
    {3,          3,     true},
    {4,          3,     false},
    {65535,      65535, true},
    {65536,      65536, false},
    {UINT64_MAX, 1,     false},
};
/* clang-format on */

TEST(counts_of_transactions_are_bounded, struct fixture *f)
{
    for (size_t i = 0; i < COUNT_OF(txs_counts); i++) {
        static const uint8_t hash[32] = {1};
        struct writer w = writer_anew(f);
        write_bytes(&w, hash, 32);
        write_compact_size(&w, txs_counts[i].n);
        for (size_t k = 0; k < txs_counts[i].here; k++)
            write_smallest_tx(&w);
        struct compact_txs back;
        struct reader r = reader_of(buffer_span(&f->bytes));
        assert_int_equal(compact_txs_decode(&r, &f->arena, &back), txs_counts[i].ok);
    }
}
