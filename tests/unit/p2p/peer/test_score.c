/* test_score.c - what faults lead to, and how rates are measured. */
#include "p2p/peer/score.h"
#include "support/unit.h"

TEST(every_fault_but_none_has_a_text_and_an_action)
{
    assert_int_equal(fault_action(FAULT_NONE), FAULT_ACTION_NONE);
    for (int i = 1; i < FAULT_COUNT; i++) {
        assert_true(fault_text((enum fault)i)[0] != '\0');
        assert_int_not_equal(fault_action((enum fault)i), FAULT_ACTION_NONE);
    }
    assert_int_equal(fault_action(FAULT_BLOCK_INVALID), FAULT_ACTION_DISCOURAGE);
    assert_int_equal(fault_action(FAULT_MALFORMED), FAULT_ACTION_DROP);
}

TEST(the_shortest_round_trip_is_kept)
{
    struct score score;
    score_init(&score);
    assert_int_equal(score.min_ping_us, -1);
    score_ping(&score, 300);
    score_ping(&score, 100);
    score_ping(&score, 200);
    score_ping(&score, -5); /* a clock that went back says nothing */
    assert_int_equal(score.ping_us, 200);
    assert_int_equal(score.min_ping_us, 100);
}

TEST(bursts_of_blocks_are_averaged)
{
    struct score score;
    score_init(&score);
    /* 100 blocks of 10 kB in one second, all of each ten at once. */
    for (int i = 0; i < 100; i++)
        score_block(&score, 10000, i % 10 == 0 ? 100000 : 0, i);
    assert_in_range((uint64_t)score.rate_bytes_s, 900000, 1100000);
    assert_int_equal(score.useful_bytes, 1000000);
    /* It slows down to a tenth: the rate follows. */
    for (int i = 0; i < 20; i++)
        score_block(&score, 10000, 100000, i);
    assert_in_range((uint64_t)score.rate_bytes_s, 90000, 200000);
}

TEST(only_new_transactions_are_useful)
{
    struct score score;
    score_init(&score);
    score_tx(&score, 100, true, 5);
    score_tx(&score, 200, false, 9);
    assert_int_equal(score.useful_bytes, 100);
    assert_int_equal(score.wasted_bytes, 200);
    assert_int_equal(score.first_txs, 1);
    assert_int_equal(score.last_tx_us, 5);
}
