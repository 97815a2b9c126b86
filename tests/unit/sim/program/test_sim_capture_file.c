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

/* A node that is killed leaves a message of which the end is missing: the others may show why. */
TEST(what_stands_before_a_message_cut_short_is_played, struct capture_fixture *f)
{
    struct player_message message;
    struct sim_capture_file *file = sim_capture_file_open(f->path);
    assert_non_null(file);
    struct player_source source = sim_capture_file_source(file);
    long bytes = 0;
    for (int i = 0; i < 3 && source.next(source.ctx, &message); i++)
        bytes += 24 + (long)message.payload.len;
    sim_capture_file_close(file);
    for (long cut = 1; cut < 24; cut += 22) {
        capture_rewrite(f, bytes - cut, "");
        file = sim_capture_file_open(f->path);
        assert_non_null(file);
        assert_int_equal(sim_capture_file_count(file), 2);
        source = sim_capture_file_source(file);
        assert_true(source.next(source.ctx, &message) && source.next(source.ctx, &message));
        assert_false(source.next(source.ctx, &message));
        sim_capture_file_close(file);
    }
}

TEST(what_is_no_capture_is_refused, struct capture_fixture *f)
{
    assert_null(sim_capture_file_open("no/such/file"));
    capture_rewrite(f, 23, ""); /* cut short, and no message is whole */
    assert_null(sim_capture_file_open(f->path));
    capture_rewrite(f, 0, "this is not a capture but a text of its own");
    assert_null(sim_capture_file_open(f->path));
    capture_rewrite(f, 0, "");
    assert_null(sim_capture_file_open(f->path));
}
