/* test_upload.c - the target of a day: both sides of each of its limits. */
#include "p2p/peer/upload.h"
#include "support/unit.h"

#define MIB UINT64_C(1048576)
#define NOW INT64_C(1700000000)
/* One block of 4 MB in each of the 144 tenths of an hour. */
#define DAY_OF_BLOCKS UINT64_C(576000000)

TEST(without_a_target_there_is_no_limit)
{
    struct upload upload = {0};
    upload_count(&upload, UINT64_C(1) << 62, NOW);
    assert_false(upload_is_reached(&upload));
    assert_true(upload_serves_historical(&upload, NOW));
    assert_int_equal(upload_bytes_left(&upload), 0);
    assert_int_equal(upload_time_left_s(&upload, NOW), 0);
}

TEST(new_blocks_of_the_day_are_kept_room_for)
{
    struct upload upload = {.spacing_s = 600, .target_bytes = 800 * MIB};
    uint64_t old_bytes = 800 * MIB - DAY_OF_BLOCKS;
    assert_int_equal(upload_time_left_s(&upload, NOW), UPLOAD_CYCLE_S);
    upload_count(&upload, old_bytes - 1, NOW);
    assert_true(upload_serves_historical(&upload, NOW));
    upload_count(&upload, 1, NOW);
    assert_false(upload_serves_historical(&upload, NOW));
    assert_false(upload_is_reached(&upload));
    /* The later, the fewer are to come. */
    assert_true(upload_serves_historical(&upload, NOW + 1));
    upload_count(&upload, DAY_OF_BLOCKS - 1, NOW + 1);
    assert_false(upload_is_reached(&upload));
    assert_int_equal(upload_bytes_left(&upload), 1);
    upload_count(&upload, 2, NOW + 1);
    assert_true(upload_is_reached(&upload));
    assert_int_equal(upload_bytes_left(&upload), 0);
    assert_int_equal(upload_time_left_s(&upload, NOW + 1), UPLOAD_CYCLE_S - 1);
}

TEST(a_small_target_leaves_nothing_for_old_blocks)
{
    struct upload upload = {.spacing_s = 600, .target_bytes = DAY_OF_BLOCKS};
    assert_false(upload_serves_historical(&upload, NOW));
    upload.target_bytes++;
    assert_true(upload_serves_historical(&upload, NOW));
}

TEST(the_next_day_counts_anew)
{
    struct upload upload = {.spacing_s = 600, .target_bytes = 10};
    upload_count(&upload, 10, NOW);
    upload_count(&upload, 1, NOW + UPLOAD_CYCLE_S);
    assert_int_equal(upload.sent_bytes, 11);
    assert_int_equal(upload_time_left_s(&upload, NOW + UPLOAD_CYCLE_S), 0);
    assert_int_equal(upload_time_left_s(&upload, NOW + 2 * UPLOAD_CYCLE_S), 0);
    upload_count(&upload, 1, NOW + UPLOAD_CYCLE_S + 1);
    assert_int_equal(upload.sent_bytes, 1);
    assert_false(upload_is_reached(&upload));
}
