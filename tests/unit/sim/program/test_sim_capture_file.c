/* test_sim_capture_file.c - messages come as they were captured; what is damaged is refused. */
#include "sim/program/sim_capture_file.h"

#include "support/capture_fixture.h"

FIXTURE(capture_setup, capture_teardown)

TEST(messages_come_in_the_order_of_their_times, struct capture_fixture *f)
{
    struct sim_capture_file *file = sim_capture_file_open(f->path);
    assert_non_null(file);
    struct player_source source = sim_capture_file_source(file);
    struct player_message message;
    uint64_t n = 0, n_blocks = 0;
    int64_t last_us = sim_capture_file_begins_us(file);
    for (; source.next(source.ctx, &message); n++) {
        assert_true(message.unix_us >= last_us);
        if (n == 0)
            assert_string_equal(message.name, "version");
        n_blocks += strcmp(message.name, "block") == 0 || strcmp(message.name, "cmpctblock") == 0;
        last_us = message.unix_us;
    }
    assert_int_equal(n, sim_capture_file_count(file));
    assert_true(n_blocks >= CAPTURE_BLOCKS);
    sim_capture_file_close(file);
}

TEST(what_is_no_capture_is_refused, struct capture_fixture *f)
{
    assert_null(sim_capture_file_open("no/such/file"));
    capture_rewrite(f, 60, "");
    assert_null(sim_capture_file_open(f->path));
    capture_rewrite(f, 0, "this is not a capture but a text of its own");
    assert_null(sim_capture_file_open(f->path));
    capture_rewrite(f, 0, "");
    assert_null(sim_capture_file_open(f->path));
}
