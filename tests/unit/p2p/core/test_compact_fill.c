/* test_compact_fill.c - blocks put together from short ids: what is found, asked for and refused.
 */
#include "p2p/core/compact_fill.h"
#include "support/chain_builder.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/buffer.h"

#define N_TXS 6 /* beside the coinbase */

struct fixture {
    struct chain_builder builder;
    const struct block *block; /* N_TXS + 1 transactions with witnesses */
    struct tx *txs;            /* those after the coinbase */
    struct buffer bytes;
    struct compact_block message;
    struct compact_fill fill;
};

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    chain_builder_init(&f->builder);
    buffer_init(&f->bytes);
    const struct built_block *base = builder_blocks(&f->builder, f->builder.genesis, 101, NULL);
    struct builder_coin coin = builder_coinbase_coin(built_ancestor(base, 1));
    struct tx txs[N_TXS];
    for (int i = 0; i < N_TXS; i++) {
        txs[i] = builder_spend(&f->builder, &coin, 1, 1, 0, BUILDER_WSH_TRUE);
        coin = builder_coin_of(&txs[i], 0, BUILDER_WSH_TRUE);
    }
    struct builder_spec spec = {.tx = txs, .n_tx = N_TXS};
    f->block = &builder_block(&f->builder, base, &spec)->block;
    f->txs = &f->block->tx[1];
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    compact_fill_deinit(&f->fill);
    buffer_deinit(&f->bytes);
    chain_builder_deinit(&f->builder);
    xfree(f);
    return 0;
}

FIXTURE(setup, teardown)

/* Begin with the bytes that the fixture has. */
static enum compact_result begin(struct fixture *f)
{
    struct arena arena;
    struct reader r = reader_of(buffer_span(&f->bytes));
    arena_init(&arena, 4096);
    assert_true(compact_block_decode(&r, &arena, &f->message));
    return compact_fill_begin(&f->fill, &f->message, &arena, UINT64_C(0x9e3779b97f4a7c15));
}

/* Begin with the block, its coinbase told whole. */
static void begin_block(struct fixture *f)
{
    const bool is_prefilled[N_TXS + 1] = {true};
    struct writer w = writer_to_growing(&f->bytes);
    compact_block_encode(&w, f->block, 99, is_prefilled);
    assert_int_equal(begin(f), COMPACT_OK);
    assert_int_equal(f->fill.n_missing, N_TXS);
}

/* The message goes away. */
static void keep(struct fixture *f)
{
    compact_fill_keep(&f->fill);
    buffer_deinit(&f->bytes);
}

static enum compact_result finish(struct fixture *f)
{
    struct arena scratch;
    arena_init(&scratch, 4096);
    enum compact_result result = compact_fill_finish(&f->fill, true, &scratch);
    arena_deinit(&scratch);
    return result;
}

static void assert_is_block(struct fixture *f)
{
    assert_int_equal(finish(f), COMPACT_OK);
    size_t len = compact_fill_len(&f->fill);
    uint8_t *bytes = xmalloc(len);
    compact_fill_write(&f->fill, bytes, len);
    assert_true(span_equal(span_of(bytes, len), f->block->raw));
    xfree(bytes);
    struct tx_ids *ids = compact_fill_ids(&f->fill);
    for (uint32_t i = 0; i < f->block->n_tx; i++) {
        assert_memory_equal(&ids[i].txid, &f->block->tx[i].txid, 32);
        assert_memory_equal(&ids[i].wtxid, &f->block->tx[i].wtxid, 32);
    }
    xfree(ids);
}

TEST(what_is_here_makes_the_block, struct fixture *f)
{
    begin_block(f);
    for (int i = N_TXS - 1; i > 0; i--)
        assert_true(compact_fill_offer(&f->fill, &f->txs[i], COMPACT_FROM_POOL));
    /* With the last one nothing more is wanted. */
    assert_false(compact_fill_offer(&f->fill, &f->txs[0], COMPACT_FROM_EXTRA));
    assert_int_equal(f->fill.n_missing, 0);
    assert_int_equal(f->fill.n_extra, 1);
    assert_is_block(f);
}

TEST(what_is_not_the_blocks_has_no_place, struct fixture *f)
{
    begin_block(f);
    struct tx other = f->txs[0];
    other.wtxid.b[9] ^= 0x55;
    for (int i = 0; i < 100; i++) {
        other.wtxid.b[5] = (uint8_t)i;
        assert_true(compact_fill_offer(&f->fill, &other, COMPACT_FROM_POOL));
    }
    assert_int_equal(f->fill.n_missing, N_TXS);
}

TEST(the_same_twice_is_one, struct fixture *f)
{
    begin_block(f);
    (void)compact_fill_offer(&f->fill, &f->txs[2], COMPACT_FROM_POOL);
    (void)compact_fill_offer(&f->fill, &f->txs[2], COMPACT_FROM_EXTRA);
    assert_int_equal(f->fill.n_missing, N_TXS - 1);
    assert_int_equal(f->fill.n_extra, 0);
}

static struct compact_request request_of(struct fixture *f, struct arena *arena)
{
    struct buffer bytes;
    struct compact_request request;
    buffer_init(&bytes);
    struct writer w = writer_to_growing(&bytes);
    compact_fill_request(&f->fill, &w);
    struct reader r = reader_of(buffer_span(&bytes));
    assert_true(compact_request_decode(&r, arena, &request));
    assert_true(reader_finish(&r));
    buffer_deinit(&bytes);
    return request;
}

TEST(what_is_missing_is_asked_for_and_supplied, struct fixture *f)
{
    struct arena arena;
    arena_init(&arena, 4096);
    begin_block(f);
    static const int known[] = {4, 1, 2};
    uint8_t *copies[3];
    for (int i = 0; i < 3; i++) {
        /* Gone by the time of the answer. */
        struct tx tx = f->txs[known[i]];
        copies[i] = xmalloc(tx.raw.len);
        memcpy(copies[i], tx.raw.p, tx.raw.len);
        tx.raw.p = copies[i];
        (void)compact_fill_offer(&f->fill, &tx, COMPACT_FROM_POOL);
    }
    keep(f);
    for (int i = 0; i < 3; i++)
        xfree(copies[i]);
    struct compact_request request = request_of(f, &arena);
    assert_memory_equal(request.hash.b, f->block->hash.b, 32);
    assert_int_equal(request.n, 3);
    assert_int_equal(request.indexes[0], 1);
    assert_int_equal(request.indexes[1], 4);
    assert_int_equal(request.indexes[2], 6);
    const struct tx supply[] = {f->txs[0], f->txs[3], f->txs[5]};
    assert_int_equal(compact_fill_supply(&f->fill, supply, 3), COMPACT_OK);
    assert_is_block(f);
    arena_deinit(&arena);
}

/* clang-format off */
static const struct { uint32_t n; enum compact_result want; } supplies[] = {
    {0,         COMPACT_INVALID},
    {N_TXS - 1, COMPACT_INVALID},
    {N_TXS + 1, COMPACT_INVALID},
    {N_TXS,     COMPACT_OK},
};
/* clang-format on */

TEST(too_many_and_too_few_are_refused, struct fixture *f)
{
    begin_block(f);
    keep(f);
    struct tx more[N_TXS + 1];
    memcpy(more, f->txs, N_TXS * sizeof *more);
    more[N_TXS] = f->txs[0];
    for (size_t i = 0; i < COUNT_OF(supplies); i++)
        assert_int_equal(compact_fill_supply(&f->fill, more, supplies[i].n), supplies[i].want);
    assert_is_block(f);
}

/* It may be that the wrong one had the short id of the right one: nobody is to blame. */
TEST(a_wrong_transaction_is_no_proof_of_bad_will, struct fixture *f)
{
    begin_block(f);
    keep(f);
    struct tx swapped[N_TXS];
    memcpy(swapped, f->txs, sizeof swapped);
    swapped[0] = f->txs[1];
    swapped[1] = f->txs[0];
    assert_int_equal(compact_fill_supply(&f->fill, swapped, N_TXS), COMPACT_OK);
    assert_int_equal(finish(f), COMPACT_FAILED);
}

/* Nor does the merkle root cover witnesses. */
TEST(another_witness_is_seen, struct fixture *f)
{
    begin_block(f);
    keep(f);
    struct tx other[N_TXS];
    memcpy(other, f->txs, sizeof other);
    other[3].wtxid.b[0] ^= 1;
    assert_int_equal(compact_fill_supply(&f->fill, other, N_TXS), COMPACT_OK);
    assert_int_equal(finish(f), COMPACT_FAILED);
}

/* A second one with the same short id: found by trying, which the length of six bytes forbids. So
 * the table is told that the first one has the id of the second. */
TEST(two_with_one_short_id_are_asked_for, struct fixture *f)
{
    begin_block(f);
    struct tx first = f->txs[2], second = f->txs[2];
    /* Two of different wtxid and like short id: the id is a function of the wtxid alone, so the one
     * that is found is changed behind the table's back. */
    (void)compact_fill_offer(&f->fill, &first, COMPACT_FROM_EXTRA);
    f->fill.block.tx[3].wtxid.b[0] ^= 1;
    assert_true(compact_fill_offer(&f->fill, &second, COMPACT_FROM_POOL));
    assert_int_equal(f->fill.n_missing, N_TXS);
    assert_int_equal(f->fill.n_extra, 0);
    /* Neither is taken again. */
    assert_true(compact_fill_offer(&f->fill, &second, COMPACT_FROM_POOL));
    assert_int_equal(f->fill.n_missing, N_TXS);
    keep(f);
    assert_int_equal(compact_fill_supply(&f->fill, f->txs, N_TXS), COMPACT_OK);
    assert_is_block(f);
}

/* -- What messages may not say ------------------------------------------------------------------
 */

/* One input, so that it is not the transaction that has nothing; no output. */
#define PREFILLED_BYTES 51

static void write_prefilled(struct writer *w)
{
    static const uint8_t tx[PREFILLED_BYTES] = {[0] = 1, [4] = 1};
    write_bytes(w, tx, sizeof tx);
}

static void write_message(struct fixture *f, uint32_t n_short, const uint64_t *ids,
                          uint32_t n_prefilled, const uint32_t *distances)
{
    f->bytes.len = 0;
    struct writer w = writer_to_growing(&f->bytes);
    block_header_encode(&w, &f->block->header);
    write_u64(&w, 0);
    write_compact_size(&w, n_short);
    for (uint32_t i = 0; i < n_short; i++) {
        write_u32(&w, (uint32_t)ids[i]);
        write_u16(&w, (uint16_t)(ids[i] >> 32));
    }
    write_compact_size(&w, n_prefilled);
    for (uint32_t i = 0; i < n_prefilled; i++) {
        write_compact_size(&w, distances[i]);
        write_prefilled(&w);
    }
}

/* clang-format off */
static const struct {
    uint32_t n_short; uint64_t ids[3]; uint32_t n_prefilled, distances[3]; enum compact_result want;
} messages[] = {
    {0, {0},                 0, {0},       COMPACT_INVALID}, /* nothing at all */
    {1, {7},                 0, {0},       COMPACT_OK},
    {0, {0},                 1, {0},       COMPACT_OK},
    {0, {0},                 1, {1},       COMPACT_INVALID}, /* nothing is told of the first */
    {1, {7},                 1, {1},       COMPACT_OK},
    {1, {7},                 1, {2},       COMPACT_INVALID},
    {2, {7, 8},              2, {1, 1},    COMPACT_OK},
    {2, {7, 8},              2, {1, 2},    COMPACT_INVALID}, /* CVE-2024-35202 */
    {2, {7, 8},              2, {0, 65534}, COMPACT_INVALID},
    {0, {0},                 3, {0, 0, 0}, COMPACT_OK},
    {2, {7, 7},              0, {0},       COMPACT_FAILED},  /* the block's own ids collide */
    {3, {1, 0xffffffffffff, 1}, 0, {0},    COMPACT_FAILED},
    {3, {1, 0xffffffffffff, 0}, 0, {0},    COMPACT_OK},
};
/* clang-format on */

TEST(indexes_lie_within_the_block, struct fixture *f)
{
    for (size_t i = 0; i < COUNT_OF(messages); i++) {
        write_message(f, messages[i].n_short, messages[i].ids, messages[i].n_prefilled,
                      messages[i].distances);
        assert_int_equal(begin(f), messages[i].want);
        compact_fill_deinit(&f->fill);
    }
}

TEST(a_transaction_without_anything_is_none, struct fixture *f)
{
    static const uint32_t none[1] = {0};
    write_message(f, 0, NULL, 1, none);
    memset(f->bytes.p + f->bytes.len - PREFILLED_BYTES, 0, PREFILLED_BYTES);
    f->bytes.len -= PREFILLED_BYTES - COMPACT_TX_BYTES_MIN;
    assert_int_equal(begin(f), COMPACT_INVALID);
}

/* Ids that lie side by side in the table of one hash lie elsewhere in that of another. So many that
 * do make no block. */
TEST(ids_that_crowd_one_place_are_refused, struct fixture *f)
{
    uint64_t *ids = xmalloc((COMPACT_FILL_PROBES_MAX + 1) * sizeof *ids);
    for (uint32_t n = COMPACT_FILL_PROBES_MAX; n <= COMPACT_FILL_PROBES_MAX + 1; n++) {
        /* With the hash that multiplies by one (random 0) small ids share the first slot. */
        for (uint32_t i = 0; i < n; i++)
            ids[i] = i;
        write_message(f, n, ids, 0, NULL);
        struct arena arena;
        struct reader r = reader_of(buffer_span(&f->bytes));
        arena_init(&arena, 4096);
        assert_true(compact_block_decode(&r, &arena, &f->message));
        assert_int_equal(compact_fill_begin(&f->fill, &f->message, &arena, 0),
                         n <= COMPACT_FILL_PROBES_MAX ? COMPACT_OK : COMPACT_FAILED);
        compact_fill_deinit(&f->fill);
        assert_int_equal(begin(f), COMPACT_OK); /* by any other hash */
        compact_fill_deinit(&f->fill);
    }
    xfree(ids);
}

/* The most that a message can tell of: each id has its place. */
TEST(the_largest_message_is_taken, struct fixture *f)
{
    uint64_t *ids = xmalloc(COMPACT_TXS_MAX * sizeof *ids);
    for (uint32_t i = 0; i < COMPACT_TXS_MAX; i++)
        ids[i] = siphash24_id((struct siphash_key){.k0 = i, .k1 = 1}, f->block->hash.b) >> 16;
    write_message(f, COMPACT_TXS_MAX, ids, 0, NULL);
    assert_int_equal(begin(f), COMPACT_OK);
    assert_int_equal(f->fill.n_missing, COMPACT_TXS_MAX);
    xfree(ids);
}

/* More bytes than a block can have: before they are copied. */
TEST(a_block_is_not_longer_than_blocks_may_be, struct fixture *f)
{
    begin_block(f);
    keep(f);
    struct tx large[N_TXS];
    memcpy(large, f->txs, sizeof large);
    assert_int_equal(compact_fill_supply(&f->fill, large, N_TXS), COMPACT_OK);
    f->fill.bytes = COMPACT_FILL_BYTES_MAX + 1;
    assert_int_equal(finish(f), COMPACT_FAILED);
}
