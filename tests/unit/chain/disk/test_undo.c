/* test_undo.c - undo records: the order, the count that the block gives, and damage. */
#include "chain/disk/undo.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/buffer.h"

enum { N_SPENT = 5 };

/* A block of a coinbase and two transactions with 2 and 3 inputs: 5 coins are spent. */
struct fixture {
    struct tx tx[3];
    struct block block;
    struct coin spent[N_SPENT];
    uint8_t script[60];
    struct buffer buffer;
    struct arena arena;
};

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    f->tx[0].n_in = 1;
    f->tx[1].n_in = 2;
    f->tx[2].n_in = 3;
    f->block = (struct block){.tx = f->tx, .n_tx = 3};
    for (size_t i = 0; i < sizeof f->script; i++)
        f->script[i] = (uint8_t)i;
    for (uint32_t i = 0; i < N_SPENT; i++)
        f->spent[i] = (struct coin){.value_sat = 1000 * i + 1,
                                    .height = i,
                                    .coinbase = i % 2,
                                    .script_pubkey = span_of(f->script, i * 15)};
    buffer_init(&f->buffer);
    arena_init(&f->arena, 512);
    struct undo undo = {.spent = f->spent, .n_spent = N_SPENT};
    struct writer w = writer_to_growing(&f->buffer);
    undo_encode(&w, &undo);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    buffer_deinit(&f->buffer);
    arena_deinit(&f->arena);
    xfree(f);
    return 0;
}

FIXTURE(setup, teardown)

TEST(spent_coins_come_back_in_order, struct fixture *f)
{
    struct undo undo;
    assert_true(undo_decode(buffer_span(&f->buffer), &f->block, &f->arena, &undo));
    assert_int_equal(undo.n_spent, N_SPENT);
    for (size_t i = 0; i < N_SPENT; i++) {
        assert_int_equal(undo.spent[i].value_sat, f->spent[i].value_sat);
        assert_int_equal(undo.spent[i].height, f->spent[i].height);
        assert_int_equal(undo.spent[i].coinbase, f->spent[i].coinbase);
        assert_true(span_equal(undo.spent[i].script_pubkey, f->spent[i].script_pubkey));
    }
}

TEST(the_coins_of_one_transaction_are_taken_out, struct fixture *f)
{
    struct span raw = buffer_span(&f->buffer);
    struct undo undo;
    for (size_t first = 0; first <= N_SPENT; first++)
        for (size_t n = 0; n <= N_SPENT + 1; n++) {
            bool fits = first + n <= N_SPENT;
            assert_int_equal(undo_decode_part(raw, first, n, &f->arena, &undo), fits);
            for (size_t i = 0; fits && i < n; i++) {
                assert_int_equal(undo.spent[i].value_sat, f->spent[first + i].value_sat);
                assert_true(
                    span_equal(undo.spent[i].script_pubkey, f->spent[first + i].script_pubkey));
            }
        }
    assert_false(undo_decode_part(raw, SIZE_MAX, 2, &f->arena, &undo));
    assert_false(undo_decode_part(raw, 2, SIZE_MAX, &f->arena, &undo));
    for (size_t len = 0; len < raw.len; len++)
        assert_false(undo_decode_part(span_of(raw.p, len), 3, 2, &f->arena, &undo));
    /* A count that the bytes cannot hold allocates nothing. */
    static const uint8_t huge[] = {0xfe, 0xff, 0xff, 0xff, 0x7f, 0};
    assert_false(undo_decode_part(span_of(huge, sizeof huge), 0, 0x7fffffff, &f->arena, &undo));
}

TEST(a_record_must_have_one_coin_for_each_input_of_the_block, struct fixture *f)
{
    struct undo undo;
    f->tx[2].n_in = 2;
    assert_false(undo_decode(buffer_span(&f->buffer), &f->block, &f->arena, &undo));
    f->tx[2].n_in = 4;
    assert_false(undo_decode(buffer_span(&f->buffer), &f->block, &f->arena, &undo));
    f->tx[2].n_in = 3;
    f->tx[0].n_in = 7; /* the coinbase's input spends nothing */
    assert_true(undo_decode(buffer_span(&f->buffer), &f->block, &f->arena, &undo));
}

TEST(a_block_of_only_a_coinbase_has_an_empty_record, struct fixture *f)
{
    struct undo undo;
    f->block.n_tx = 1;
    static const uint8_t empty[] = {0};
    assert_true(undo_decode(span_of(empty, 1), &f->block, &f->arena, &undo));
    assert_int_equal(undo.n_spent, 0);
    assert_false(undo_decode(span_of(empty, 0), &f->block, &f->arena, &undo));
}

TEST(truncated_and_overlong_records_are_refused, struct fixture *f)
{
    struct undo undo;
    for (size_t len = 0; len < f->buffer.len; len++)
        assert_false(undo_decode(span_of(f->buffer.p, len), &f->block, &f->arena, &undo));
    buffer_append(&f->buffer, "", 1);
    assert_false(undo_decode(buffer_span(&f->buffer), &f->block, &f->arena, &undo));
}
