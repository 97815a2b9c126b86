/* test_http_listen.c - which connections are taken in, and which leave for others. */
#include <errno.h>

#include "host/http_internal.h"
#include "host/loop.h"
#include "http_client.h"
#include "support/unit.h"
#include "util/alloc.h"

struct world {
    struct loop *loop;
    struct http *http;
    struct http_request *held;
    int port, n_cancelled;
    bool may_cancel, is_parked, answers_at_once;
};

static void on_request(void *ctx, struct http_request *request)
{
    struct world *w = ctx;
    w->held = request;
    if (w->answers_at_once)
        http_reply(request, &(struct http_response){.status = 204});
}

static void on_cancel(void *ctx, struct http_request *request)
{
    struct world *w = ctx;
    if (!w->may_cancel)
        fail_msg("nobody has gone");
    w->n_cancelled++;
    http_drop(request);
}

static int setup(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);
    w->loop = loop_new();
    loop_ignore_signals();
    const struct http_options options = {.timeout_us = 5000000,
                                         .pending_max = 4,
                                         .ctx = w,
                                         .on_request = on_request,
                                         .on_cancel = on_cancel};
    w->http = http_new(w->loop, &options);
    w->port = http_listen(w->http, "127.0.0.1", 0);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    http_free(w->http);
    loop_free(w->loop);
    xfree(w);
    return 0;
}

FIXTURE(setup, teardown)

TEST(a_taken_port_is_an_error, struct world *w)
{
    assert_true(w->port > 0);
    assert_int_equal(http_listen(w->http, "127.0.0.1", (uint16_t)w->port), -EADDRINUSE);
    assert_int_equal(http_listen(w->http, "nowhere", 0), -EINVAL);
}

/* One more client whose call is to wait. */
static int ask_and_park(struct world *w)
{
    int fd = client_dial(w->port);
    assert_int_equal(write(fd, "GET / HTTP/1.1\r\n\r\n", 18), 18);
    w->held = NULL;
    while (!w->held)
        loop_run_once(w->loop, true);
    w->is_parked = http_park(w->held);
    return fd;
}

/* All places are taken by connections that say nothing; a call that waits has its own. */
TEST(a_parked_call_keeps_its_connection_beside_the_others, struct world *w)
{
    int waiting = client_dial(w->port);
    assert_int_equal(write(waiting, "GET / HTTP/1.1\r\n\r\n", 18), 18);
    while (!w->held)
        loop_run_once(w->loop, true);
    assert_true(http_park(w->held));
    static int idle[HTTP_CONNECTIONS_MAX + 1];
    for (int i = 0; i <= HTTP_CONNECTIONS_MAX; i++) {
        idle[i] = client_dial(w->port);
        assert_true(idle[i] >= 0);
        size_t want = i < HTTP_CONNECTIONS_MAX ? (size_t)i + 2 : HTTP_CONNECTIONS_MAX + 1;
        for (int turn = 0; turn < 20 || (turn < 200 && w->http->connections.count != want); turn++)
            loop_run_once(w->loop, false);
        assert_int_equal(w->http->connections.count, want);
    }
    /* The oldest idle one made room for the last. */
    char byte;
    assert_int_equal(read(idle[0], &byte, 1), 0);
    http_drop(w->held);
    for (int i = 0; i <= HTTP_CONNECTIONS_MAX; i++)
        close(idle[i]);
    close(waiting);
}

/* A call whose client has shut its side, and may be gone, leaves its place to others. */
TEST(a_parked_call_of_who_may_have_gone_gives_way, struct world *w)
{
    w->may_cancel = true;
    static int fds[HTTP_PARKED_MAX];
    static struct http_request *held[HTTP_PARKED_MAX];
    for (int i = 0; i < HTTP_PARKED_MAX; i++) {
        fds[i] = ask_and_park(w);
        held[i] = w->held;
        assert_true(w->is_parked);
    }
    close(ask_and_park(w));
    assert_false(w->is_parked); /* all of them may still be there */
    http_drop(w->held);
    shutdown(fds[7], SHUT_WR);
    shutdown(fds[9], SHUT_WR);
    for (int i = 0; i < 100; i++)
        loop_run_once(w->loop, false);
    assert_int_equal(w->n_cancelled, 0);
    int fd = ask_and_park(w);
    assert_true(w->is_parked);
    assert_int_equal(w->n_cancelled, 1);
    loop_run_once(w->loop, false);
    char c;
    assert_int_equal(read(fds[7], &c, 1), 0); /* it came before */
    http_drop(w->held);
    for (int i = 0; i < HTTP_PARKED_MAX; i++) {
        if (i != 7) /* on_cancel() did */
            http_drop(held[i]);
        close(fds[i]);
    }
    close(fd);
}

TEST(who_finds_no_place_is_told_to_come_again, struct world *w)
{
    char heard[512] = "";
    w->http->options.connections_max = 1;
    int waiting = client_dial(w->port);
    assert_int_equal(write(waiting, "GET / HTTP/1.1\r\n\r\n", 18), 18);
    while (!w->held)
        loop_run_once(w->loop, true);
    int fd = client_dial(w->port);
    loop_run_once(w->loop, true);
    assert_true(read(fd, heard, sizeof heard - 1) > 0);
    assert_int_equal(strncmp(heard, "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n", 50),
                     0);
    assert_non_null(strstr(heard, "\r\n\r\nToo many clients are connected"));
    assert_int_equal(w->http->connections.count, 1);
    close(fd);
    close(waiting);
    http_drop(w->held);
}

/* They have all said what they want before the loop looks: each is answered, though there is no
 * place for all of them at once. */
TEST(a_crowd_is_heard_as_it_comes_in, struct world *w)
{
    enum { PLACES = 80, CLIENTS = 100 };
    int fds[CLIENTS];
    w->http->options.connections_max = PLACES;
    w->answers_at_once = true;
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = client_dial(w->port);
        assert_int_equal(write(fds[i], "GET / HTTP/1.1\r\n\r\n", 18), 18);
    }
    for (int turn = 0; turn < 200; turn++)
        loop_run_once(w->loop, false);
    for (int i = 0; i < CLIENTS; i++) {
        char heard[512] = "";
        assert_true(read(fds[i], heard, sizeof heard - 1) > 0);
        assert_int_equal(strncmp(heard, "HTTP/1.1 204 ", 13), 0);
        close(fds[i]);
    }
    assert_int_equal(w->http->connections.count, PLACES);
}
