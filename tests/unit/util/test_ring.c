/* test_ring.c - order, bound and wrap-around of the queue. */
#include "support/unit.h"
#include "util/ring.h"

TEST(elements_leave_in_the_order_they_came)
{
    /* Capacities on both sides of a power of two; enough rounds to go round many times. */
    for (size_t capacity = 1; capacity <= 9; capacity++) {
        struct ring ring;
        ring_init(&ring, capacity, sizeof(uint32_t));
        uint32_t in = 0, out = 0, got;
        for (int round = 0; round < 100; round++) {
            for (size_t n = (size_t)round % (capacity + 1); n > 0 && !ring_is_full(&ring); n--) {
                assert_true(ring_push(&ring, &in));
                in++;
            }
            for (int n = round % 3; n > 0 && ring.count > 0; n--) {
                assert_true(ring_pop(&ring, &got));
                assert_int_equal(got, out);
                out++;
            }
        }
        assert_true(out > 40);
        ring_deinit(&ring);
    }
}

TEST(a_full_ring_refuses_and_keeps_what_it_has)
{
    struct ring ring;
    ring_init(&ring, 2, 1);
    assert_true(ring_push(&ring, "a"));
    assert_false(ring_is_full(&ring));
    assert_true(ring_push(&ring, "b"));
    assert_true(ring_is_full(&ring));
    assert_false(ring_push(&ring, "c"));
    char got = 0;
    assert_true(ring_pop(&ring, &got));
    assert_int_equal(got, 'a');
    assert_true(ring_pop(&ring, NULL));
    assert_false(ring_pop(&ring, &got));
    assert_int_equal(got, 'a');
    ring_deinit(&ring);
}

TEST(a_ring_without_room_is_a_bug)
{
    struct ring ring;
    expect_assert_failure(ring_init(&ring, 0, 1));
    expect_assert_failure(ring_init(&ring, 1, 0));
}
