/* test_event_log.c - what is held, how it is numbered, how it is written. */
#include "rpc/event_log.h"

#include "support/unit.h"

static void add(struct event_log *log, int n)
{
    for (int i = 0; i < n; i++) {
        struct event *event = event_log_add(log);
        event->height = (int32_t)event_log_next(log) - 1;
    }
}

TEST(so_many_are_held_and_no_more)
{
    struct event_log *log = event_log_new(1000, 1);
    assert_null(event_log_find(log, 0));
    assert_null(event_log_find(log, 1));
    add(log, 1000);
    assert_int_equal(event_log_next(log), 1001);
    for (uint64_t n = 1; n <= 1000; n++)
        assert_int_equal(event_log_find(log, n)->height, n);
    add(log, 1);
    assert_null(event_log_find(log, 1));
    assert_int_equal(event_log_find(log, 2)->height, 2);
    assert_int_equal(event_log_find(log, 1001)->height, 1001);
    assert_null(event_log_find(log, 1002));
    event_log_free(log);
}

TEST(one_that_holds_a_single_event_works_too)
{
    struct event_log *log = event_log_new(1, 1);
    add(log, 3);
    assert_null(event_log_find(log, 2));
    assert_int_equal(event_log_find(log, 3)->height, 3);
    event_log_free(log);
}

TEST(cursors_are_of_one_life)
{
    struct event_log *log = event_log_new(10, 0xab), *other = event_log_new(10, 0xac);
    char cursor[EVENT_CURSOR_BYTES];
    uint64_t number;
    add(log, 12);
    assert_string_equal(event_log_cursor(log, 12, cursor), "000000ab-12");
    assert_true(event_log_read_cursor(log, cursor, &number));
    assert_int_equal(number, 12);
    assert_true(event_log_read_cursor(log, "000000ab-2", &number)); /* 3 to 12 are held */
    assert_false(event_log_read_cursor(log, "000000ab-1", &number));
    assert_false(event_log_read_cursor(log, "000000ab-13", &number));
    static const char *const bad[] = {"",
                                      "12",
                                      "000000ab",
                                      "000000ab-",
                                      "000000ab-x",
                                      "000000ac-12",
                                      "000000ab-18446744073709551615"};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(event_log_read_cursor(log, bad[i], &number));
    assert_false(event_log_read_cursor(other, cursor, &number));
    event_log_free(log);
    event_log_free(other);
}

TEST(events_are_written_as_lines)
{
    struct event_log *log = event_log_new(10, 1);
    struct buffer out;
    buffer_init(&out);
    *event_log_add(log) =
        (struct event){.kind = EVENT_BLOCK_CONNECTED, .id = {1}, .height = 7, .n_tx = 2};
    *event_log_add(log) = (struct event){.kind = EVENT_TX_REMOVED,
                                         .reason = MEMPOOL_REMOVED_EXPIRY,
                                         .vbytes = 100,
                                         .fee_sat = 1000,
                                         .sequence = 9};
    *event_log_add(log) = (struct event){.kind = EVENT_TX_REPLACED, .by = {2}};
#define ZEROS "00000000000000000000000000000000000000000000000000000000000000"
    event_log_write(log, 1, &out);
    event_log_write(log, 2, &out);
    event_log_write(log, 3, &out);
    buffer_append(&out, "", 1);
    assert_string_equal((const char *)out.p,
                        "id: 00000001-1\nevent: block_connected\n"
                        "data: {\"hash\":\"" ZEROS
                        "01\",\"height\":7,\"previousblockhash\":\"" ZEROS "00\",\"nTx\":2}\n\n"
                        "id: 00000001-2\nevent: tx_removed\n"
                        "data: {\"txid\":\"" ZEROS "00\",\"wtxid\":\"" ZEROS
                        "00\",\"vsize\":100,\"fee\":0.00001000,\"mempool_sequence\":9,"
                        "\"reason\":\"expiry\"}\n\n"
                        "id: 00000001-3\nevent: tx_replaced\n"
                        "data: {\"txid\":\"" ZEROS "00\",\"wtxid\":\"" ZEROS
                        "00\",\"vsize\":0,\"fee\":0.00000000,\"mempool_sequence\":0,"
                        "\"replaced_by\":\"" ZEROS "02\"}\n\n");
    buffer_deinit(&out);
    event_log_free(log);
}
