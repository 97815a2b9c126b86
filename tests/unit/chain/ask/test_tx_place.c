/* test_tx_place.c - rows of the transaction index: both forms, and damage. */
#include "chain/ask/tx_place.h"
#include "consensus/block.h"
#include "support/unit.h"

static const uint8_t bytes[] = "the bytes of a transaction";

static const struct tx_place somewhere = {
    .height = 700123,
    .tag = {1, 2, 3, 4},
    .pos = {.file = 4711, .offset = 0x81020304, .len = sizeof bytes},
    .first_spent = 70000,
};

TEST(a_row_comes_back)
{
    uint8_t row[TX_PLACE_BYTES];
    struct tx_place got;
    tx_place_encode(&somewhere, span_of(bytes, sizeof bytes), row);
    assert_true(tx_place_decode(span_of(row, sizeof row), &got));
    assert_int_equal(got.height, somewhere.height);
    assert_memory_equal(got.tag, somewhere.tag, sizeof got.tag);
    assert_int_equal(got.pos.file, somewhere.pos.file);
    assert_int_equal(got.pos.offset, somewhere.pos.offset);
    assert_int_equal(got.pos.len, somewhere.pos.len);
    assert_int_equal(got.first_spent, somewhere.first_spent);
    assert_true(tx_place_proves(&got, span_of(bytes, sizeof bytes)));
}

TEST(a_row_of_before_tells_the_block_alone)
{
    uint8_t row[TX_PLACE_BYTES + 1] = {0};
    struct tx_place got;
    tx_place_encode(&somewhere, span_of(bytes, sizeof bytes), row);
    assert_true(tx_place_decode(span_of(row, TX_PLACE_OLD_BYTES), &got));
    assert_int_equal(got.height, somewhere.height);
    assert_memory_equal(got.tag, somewhere.tag, sizeof got.tag);
    assert_int_equal(got.pos.file, -1);
    assert_false(tx_place_proves(&got, span_of(bytes, 0)));
    for (size_t len = 0; len <= sizeof row; len++)
        assert_int_equal(tx_place_decode(span_of(row, len), &got),
                         len == TX_PLACE_OLD_BYTES || len == TX_PLACE_BYTES);
}

TEST(any_flipped_bit_of_row_or_transaction_is_no_proof)
{
    uint8_t row[TX_PLACE_BYTES], raw[sizeof bytes];
    struct tx_place got;
    for (size_t bit = 0; bit < 8 * (sizeof row + sizeof raw); bit++) {
        tx_place_encode(&somewhere, span_of(bytes, sizeof bytes), row);
        memcpy(raw, bytes, sizeof raw);
        uint8_t *at = bit / 8 < sizeof row ? &row[bit / 8] : &raw[bit / 8 - sizeof row];
        *at ^= (uint8_t)(1u << bit % 8);
        assert_true(tx_place_decode(span_of(row, sizeof row), &got));
        assert_false(tx_place_proves(&got, span_of(raw, sizeof raw)));
    }
}

TEST(a_length_beyond_any_block_is_no_place)
{
    static uint8_t big[BLOCK_SERIALIZED_MAX_BYTES + 1];
    uint8_t row[TX_PLACE_BYTES];
    for (uint32_t len = sizeof big - 1; len <= sizeof big; len++) {
        struct tx_place place = somewhere, got;
        place.pos.len = len;
        tx_place_encode(&place, span_of(big, len), row);
        assert_true(tx_place_decode(span_of(row, sizeof row), &got));
        assert_int_equal(got.pos.file, len < sizeof big ? place.pos.file : -1);
    }
}
