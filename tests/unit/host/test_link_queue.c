/* test_link_queue.c - packets arrive in the order of their times. */
#include "host/link_queue.h"

#include "support/unit.h"
#include "util/alloc.h"

static void add(struct link_queue *queue, uint8_t mark, int64_t due_us)
{
    assert_true(link_queue_add(queue, mark, span_of(&mark, 1), due_us));
}

TEST(the_earliest_is_first_and_equals_keep_their_order)
{
    struct link_queue queue = {0};
    assert_int_equal(link_queue_next_us(&queue), -1);
    uint32_t random = 1;
    for (unsigned i = 0; i < 250; i++) {
        random = random * 1664525 + 1013904223;
        add(&queue, (uint8_t)i, random >> 28);
    }
    assert_int_equal(queue.bytes, 250);
    struct link_packet packet, last = {.due_us = -1};
    for (unsigned i = 0; i < 250; i++) {
        assert_true(link_queue_next_us(&queue) >= last.due_us);
        assert_true(link_queue_take(&queue, 100, &packet));
        assert_true(packet.due_us > last.due_us || packet.number > last.number);
        assert_int_equal(packet.len, 1);
        assert_int_equal(packet.bytes[0], packet.to);
        last = packet;
        xfree(packet.bytes);
    }
    assert_false(link_queue_take(&queue, 100, &packet));
    assert_int_equal(queue.bytes, 0);
    link_queue_deinit(&queue);
}

TEST(nothing_is_early)
{
    struct link_queue queue = {0};
    struct link_packet packet;
    add(&queue, 1, 1000);
    assert_false(link_queue_take(&queue, 999, &packet));
    assert_true(link_queue_take(&queue, 1000, &packet));
    xfree(packet.bytes);
    link_queue_deinit(&queue);
}

TEST(bytes_on_their_way_have_a_limit)
{
    struct link_queue queue = {.bytes = LINK_QUEUE_BYTES_MAX - 1};
    add(&queue, 1, 5);
    uint8_t mark = 2;
    assert_false(link_queue_add(&queue, 0, span_of(&mark, 1), 5));
    struct link_packet packet;
    assert_true(link_queue_take(&queue, 5, &packet));
    xfree(packet.bytes);
    add(&queue, 3, 6);
    link_queue_deinit(&queue);
    assert_int_equal(queue.heap.n, 0);
}
