/* test_address_history.c - inputs find the outputs that they spend. */
#include "chain/ask/address_history.h"

#include "support/unit.h"

static struct address_history two_rows(void)
{
    struct address_history history = {.key = {1, 2}};
    for (uint8_t i = 0; i < 2; i++)
        *ARRAY_ADD(&history.rows) = (struct address_row){.txid.b = {i}};
    *ARRAY_ADD(&history.outs) = (struct address_out){.row = 0, .vout = 3, .value_sat = 70};
    *ARRAY_ADD(&history.outs) = (struct address_out){.row = 0, .vout = 4, .value_sat = 30};
    *ARRAY_ADD(&history.outs) = (struct address_out){.row = 1, .vout = 0, .value_sat = 5};
    return history;
}

static void add_spend(struct address_history *history, uint8_t txid, uint32_t vout)
{
    struct txid of = {.b = {txid}};
    *ARRAY_ADD(&history->spends) =
        (struct address_spend){.row = 1, .mark = address_mark(history->key, &of, vout)};
}

TEST(amounts_are_those_of_the_outputs)
{
    struct address_history history = two_rows();
    add_spend(&history, 0, 4);
    assert_true(address_history_match(&history));
    assert_int_equal(history.outs.at[0].spent_by, ADDRESS_UNSPENT);
    assert_int_equal(history.outs.at[1].spent_by, 1);
    assert_int_equal(history.outs.at[2].spent_by, ADDRESS_UNSPENT);
    assert_int_equal(history.rows.at[0].received_sat, 100);
    assert_int_equal(history.rows.at[0].spent_sat, 0);
    assert_int_equal(history.rows.at[1].received_sat, 5);
    assert_int_equal(history.rows.at[1].spent_sat, 30);
    address_history_deinit(&history);
}

TEST(an_input_without_its_output_shows_that_rows_are_missing)
{
    struct address_history history = two_rows();
    add_spend(&history, 0, 5);
    assert_false(address_history_match(&history));
    address_history_deinit(&history);
}

TEST(an_output_is_spent_once)
{
    struct address_history history = two_rows();
    add_spend(&history, 0, 4);
    add_spend(&history, 0, 4);
    assert_false(address_history_match(&history));
    address_history_deinit(&history);
}

TEST(nothing_is_fine_too)
{
    struct address_history history = {0};
    assert_true(address_history_match(&history));
    address_history_deinit(&history);
}
