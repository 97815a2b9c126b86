/* test_streams.c - bytes go both ways, ends are told once, closing inside a callback is safe. */
#include <errno.h>

#include "host/loop.h"
#include "host/streams.h"
#include "support/unit.h"
#include "util/alloc.h"

struct world {
    struct loop *loop;
    struct streams *streams;
    uint64_t listener, client, server;
    int connects, closes, writables;
    int last_error;
    size_t got_server, got_client;
    char last[64];
    bool close_on_bytes, pause_on_bytes, close_on_accept, close_on_connect, close_on_writable;
    bool timed_out;
};

static void on_connect(void *arg, uint64_t id, const char *address, uint16_t port)
{
    struct world *w = arg;
    assert_string_equal(address, "127.0.0.1");
    assert_int_not_equal(port, 0);
    w->connects++;
    if (id != w->client)
        w->server = id;
    if (id == w->client ? w->close_on_connect : w->close_on_accept)
        streams_close(w->streams, id);
}

static void on_bytes(void *arg, uint64_t id, struct span bytes)
{
    struct world *w = arg;
    if (id == w->client)
        w->got_client += bytes.len;
    else
        w->got_server += bytes.len;
    snprintf(w->last, sizeof w->last, "%.*s", (int)bytes.len, (const char *)bytes.p);
    if (w->close_on_bytes) {
        streams_close(w->streams, id);
        /* The bytes stay readable until the callback returns. */
        assert_true(bytes.p[bytes.len - 1] != 0);
    }
    if (w->pause_on_bytes)
        streams_pause(w->streams, id, true);
}

static void on_writable(void *arg, uint64_t id)
{
    struct world *w = arg;
    w->writables++;
    if (w->close_on_writable && id == w->client)
        streams_close(w->streams, id);
}

static void on_close(void *arg, uint64_t id, int error)
{
    (void)id;
    struct world *w = arg;
    w->closes++;
    w->last_error = error;
}

static const struct env_stream_events events = {.on_connect = on_connect,
                                                .on_bytes = on_bytes,
                                                .on_writable = on_writable,
                                                .on_close = on_close};

static int setup(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);
    w->loop = loop_new();
    w->streams = streams_new(w->loop);
    int error = 1;
    w->listener = streams_listen(w->streams, "127.0.0.1", 0, &events, w, &error);
    assert_int_equal(error, 0);
    assert_int_not_equal(w->listener, 0);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    streams_free(w->streams);
    loop_free(w->loop);
    xfree(w);
    return 0;
}

FIXTURE(setup, teardown)

static void set_timed_out(void *arg)
{
    struct world *w = arg;
    w->timed_out = true;
}

/* Run until the condition holds; a failure of the test after five seconds. */
#define RUN_UNTIL(w, condition)                                                                    \
    do {                                                                                           \
        uint64_t limit_ = loop_timer_start((w)->loop, 5000000, set_timed_out, (w));                \
        while (!(condition) && !(w)->timed_out)                                                    \
            loop_run_once((w)->loop, true);                                                        \
        assert_false((w)->timed_out);                                                              \
        loop_timer_cancel((w)->loop, limit_);                                                      \
    } while (0)

/* Our own port of a stream or listener. */
static uint16_t port_of(struct world *w, uint64_t id)
{
    char address[64];
    return streams_local(w->streams, id, address, sizeof address);
}

static void join(struct world *w)
{
    uint16_t port = port_of(w, w->listener);
    w->client = streams_connect(w->streams, "127.0.0.1", port, &events, w);
    assert_int_not_equal(w->client, 0);
    /* Never told from inside the call. */
    assert_int_equal(w->connects, 0);
    RUN_UNTIL(w, w->connects == 2);
}

TEST(bytes_go_both_ways, struct world *w)
{
    join(w);
    assert_int_not_equal(w->server, w->client);
    streams_send(w->streams, w->client, span_of_string("ping"));
    RUN_UNTIL(w, w->got_server == 4);
    assert_string_equal(w->last, "ping");
    streams_send(w->streams, w->server, span_of_string("pong!"));
    RUN_UNTIL(w, w->got_client == 5);
    assert_string_equal(w->last, "pong!");
    assert_true(w->writables > 0);
}

/* Before the loop comes round; and again, when there is nothing. */
TEST(what_is_flushed_is_on_its_way_at_once, struct world *w)
{
    join(w);
    streams_send(w->streams, w->client, span_of_string("now"));
    assert_int_equal(streams_queued_bytes(w->streams, w->client), 3);
    for (int i = 0; i < 2; i++) {
        streams_flush(w->streams, w->client);
        assert_int_equal(streams_queued_bytes(w->streams, w->client), 0);
    }
    streams_send(w->streams, w->client, span_of_string(" then"));
    RUN_UNTIL(w, w->got_server == 8);
    assert_string_equal(w->last, "now then");
    streams_flush(w->streams, w->client + 100); /* gone, or never there */
    assert_true(w->writables > 0);
}

static void count_release(void *arg)
{
    ++*(int *)arg;
}

TEST(shared_bytes_are_given_back_when_they_are_sent, struct world *w)
{
    int given_back = 0;
    join(w);
    streams_send(w->streams, w->client, span_of_string("one "));
    streams_send_shared(w->streams, w->client, span_of_string("two "), count_release, &given_back);
    streams_send(w->streams, w->client, span_of_string("three"));
    assert_int_equal(given_back, 0);
    assert_int_equal(streams_queued_bytes(w->streams, w->client), 13);
    RUN_UNTIL(w, w->got_server == 13);
    assert_string_equal(w->last, "one two three");
    assert_int_equal(given_back, 1);
}

TEST(shared_bytes_are_given_back_when_nobody_takes_them, struct world *w)
{
    enum { MUCH = 8 << 20 };
    int given_back = 0;
    uint8_t *much = xcalloc(1, MUCH);
    join(w);
    w->pause_on_bytes = true; /* the server reads the first piece and no more */
    streams_send_shared(w->streams, w->client, span_of(much, MUCH), count_release, &given_back);
    RUN_UNTIL(w, w->got_server > 0);
    assert_int_equal(given_back, 0);
    streams_close(w->streams, w->client);
    RUN_UNTIL(w, given_back == 1);
    streams_send_shared(w->streams, w->client, span_of(much, 1), count_release, &given_back);
    assert_int_equal(given_back, 2); /* it is gone: at once */
    xfree(much);
}

TEST(an_orderly_end_is_told_once_with_no_error, struct world *w)
{
    join(w);
    streams_send(w->streams, w->client, span_of_string("last words"));
    streams_close(w->streams, w->client);
    RUN_UNTIL(w, w->closes == 1);
    assert_int_equal(w->last_error, 0);
    assert_string_equal(w->last, "last words");
    /* Both ids are dead now. */
    streams_send(w->streams, w->client, span_of_string("x"));
    streams_send(w->streams, w->server, span_of_string("x"));
    streams_close(w->streams, w->server);
    streams_pause(w->streams, w->server, true);
    assert_int_equal(streams_queued_bytes(w->streams, w->server), 0);
    assert_int_equal(port_of(w, w->server), 0);
    assert_int_equal(w->closes, 1);
}

TEST(a_refused_connection_is_told_later, struct world *w)
{
    uint16_t port = port_of(w, w->listener);
    streams_close(w->streams, w->listener);
    uint64_t id = streams_connect(w->streams, "127.0.0.1", port, &events, w);
    assert_int_not_equal(id, 0);
    assert_int_equal(w->closes, 0);
    RUN_UNTIL(w, w->closes == 1);
    assert_int_equal(w->last_error, -ECONNREFUSED);
    assert_int_equal(w->connects, 0);
}

TEST(a_name_is_not_an_address, struct world *w)
{
    streams_connect(w->streams, "localhost", 1, &events, w);
    assert_int_equal(w->closes, 0);
    RUN_UNTIL(w, w->closes == 1);
    assert_int_equal(w->last_error, -EINVAL);
}

TEST(a_connect_that_was_closed_again_tells_nothing, struct world *w)
{
    uint64_t id = streams_connect(w->streams, "localhost", 1, &events, w);
    streams_close(w->streams, id);
    loop_run_once(w->loop, false);
    assert_int_equal(w->closes, 0);
}

TEST(a_stream_may_be_closed_while_its_bytes_are_delivered, struct world *w)
{
    join(w);
    w->close_on_bytes = true;
    streams_send(w->streams, w->client, span_of_string("close me"));
    RUN_UNTIL(w, w->closes == 1);
    assert_int_equal(w->got_server, 8);
}

/* A node that is full, or has left the network, refuses in just this way. */
TEST(a_stream_may_be_closed_as_soon_as_it_is_there, struct world *w)
{
    w->close_on_accept = true;
    join(w);
    RUN_UNTIL(w, w->closes == 1); /* the client is told */
    assert_int_equal(w->last_error, 0);
    w->close_on_accept = false;
    w->close_on_connect = true;
    w->connects = 0;
    join(w);
    RUN_UNTIL(w, w->closes == 2); /* the server is */
    assert_int_equal(w->connects, 2);
}

TEST(a_stream_may_be_closed_when_its_queue_is_empty, struct world *w)
{
    join(w);
    w->close_on_writable = true;
    streams_send(w->streams, w->client, span_of_string("the end"));
    RUN_UNTIL(w, w->closes == 1);
    assert_int_equal(w->got_server, 7);
    assert_int_equal(w->last_error, 0);
}

TEST(a_paused_stream_holds_its_bytes_and_a_bounded_number, struct world *w)
{
    join(w);
    streams_pause(w->streams, w->server, true);
    char block[1000];
    memset(block, 'b', sizeof block);
    for (int i = 0; i < 200; i++)
        streams_send(w->streams, w->client, span_of(block, sizeof block));
    assert_int_equal(streams_queued_bytes(w->streams, w->client), 200000);
    for (int i = 0; i < 20; i++)
        loop_run_once(w->loop, false);
    assert_int_equal(w->got_server, 0);
    streams_pause(w->streams, w->server, false);
    RUN_UNTIL(w, w->got_server == 200000);
    assert_int_equal(streams_queued_bytes(w->streams, w->client), 0);
}

TEST(pausing_inside_a_delivery_keeps_the_rest_for_later, struct world *w)
{
    join(w);
    w->pause_on_bytes = true;
    char block[1000];
    memset(block, 'b', sizeof block);
    for (int i = 0; i < 60; i++)
        streams_send(w->streams, w->client, span_of(block, sizeof block));
    RUN_UNTIL(w, w->got_server > 0);
    for (int i = 0; i < 20; i++)
        loop_run_once(w->loop, false);
    while (w->got_server < 60000) {
        size_t before = w->got_server;
        streams_pause(w->streams, w->server, false);
        RUN_UNTIL(w, w->got_server > before);
    }
    assert_int_equal(w->got_server, 60000);
}

TEST(listening_says_why_it_failed, struct world *w)
{
    int error = 0;
    uint16_t port = port_of(w, w->listener);
    assert_int_equal(streams_listen(w->streams, "127.0.0.1", port, &events, w, &error), 0);
    assert_int_equal(error, -EADDRINUSE);
    assert_int_equal(streams_listen(w->streams, "nowhere", 0, &events, w, &error), 0);
    assert_int_equal(error, -EINVAL);
}
