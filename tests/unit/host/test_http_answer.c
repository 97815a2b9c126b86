/* test_http_answer.c - answers in parts, and the account of what nobody has read yet. */
#include <errno.h>
#include <fcntl.h>

#include "host/http.h"
#include "host/loop.h"
#include "http_client.h"
#include "support/unit.h"
#include "util/alloc.h"

#define LARGE_BYTES ((size_t)20 << 20) /* more than the kernel takes */

struct world {
    struct loop *loop;
    struct http *http;
    struct http_request *held;
    int n_cancelled, n_rooms;
    int port;
};

static void on_request(void *ctx, struct http_request *request)
{
    struct world *w = ctx;
    w->held = request;
}

static void on_cancel(void *ctx, struct http_request *request)
{
    struct world *w = ctx;
    w->n_cancelled++;
    http_drop(request);
}

static void on_room(void *ctx)
{
    struct world *w = ctx;
    w->n_rooms++;
}

static int setup(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);
    w->loop = loop_new();
    loop_ignore_signals();
    const struct http_options options = {.timeout_us = 200000,
                                         .pending_max = 4,
                                         .ctx = w,
                                         .on_request = on_request,
                                         .on_cancel = on_cancel,
                                         .on_room = on_room};
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

/* Send a request and wait until the handler holds it. */
static int ask(struct world *w, const char *text)
{
    int fd = client_dial(w->port);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    w->held = NULL;
    while (!w->held)
        loop_run_once(w->loop, true);
    return fd;
}

/* Run the loop and read until the end of the connection, or until the text ends so. Returns: how
 * many bytes came, of which the first size are in out. */
static size_t hear(struct world *w, int fd, const char *end, char *out, size_t size)
{
    static char piece[1 << 20];
    size_t len = 0;
    int64_t end_us = loop_now_us() + 5000000;
    for (;;) {
        assert_true(loop_now_us() < end_us);
        loop_run_once(w->loop, false);
        ssize_t n = read(fd, piece, sizeof piece);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return len;
        for (ssize_t i = 0; i < n; i++, len++)
            if (len < size)
                out[len] = piece[i];
        if (end && len >= strlen(end) && len < size &&
            memcmp(out + len - strlen(end), end, strlen(end)) == 0)
            return len;
    }
}

static void send_part(struct world *w, const char *text, bool is_last)
{
    struct buffer body;
    buffer_init(&body);
    buffer_append_string(&body, text);
    const struct http_response part = {
        .status = 200, .content_type = "application/json", .body_take = &body};
    if (is_last)
        http_reply(w->held, &part);
    else
        http_reply_part(w->held, &part);
    assert_null(body.p);
}

static void send_large(struct world *w, bool is_last)
{
    char *text = xmalloc(LARGE_BYTES + 1);
    memset(text, 'y', LARGE_BYTES);
    text[LARGE_BYTES] = 0;
    send_part(w, text, is_last);
    xfree(text);
}

TEST(parts_are_chunks_and_the_connection_is_kept, struct world *w)
{
    char heard[4096] = "";
    int fd = ask(w, "GET / HTTP/1.1\r\n\r\n");
    send_part(w, "[1", false);
    send_part(w, "", false); /* no chunk: it would be the last */
    send_part(w, ",234567890,234567", false);
    send_part(w, "]", true);
    hear(w, fd, "\r\n0\r\n\r\n", heard, sizeof heard);
    assert_non_null(strstr(heard, "\r\nTransfer-Encoding: chunked\r\n"));
    assert_null(strstr(heard, "Content-Length"));
    assert_non_null(
        strstr(heard, "\r\n\r\n2\r\n[1\r\n11\r\n,234567890,234567\r\n1\r\n]\r\n0\r\n\r\n"));
    memset(heard, 0, sizeof heard);
    assert_int_equal(write(fd, "GET / HTTP/1.1\r\n\r\n", 18), 18);
    w->held = NULL;
    while (!w->held)
        loop_run_once(w->loop, true);
    send_part(w, "{}", true);
    hear(w, fd, "{}", heard, sizeof heard);
    assert_non_null(strstr(heard, "Content-Length: 2\r\n"));
    close(fd);
}

TEST(a_client_of_1_0_gets_them_up_to_the_end, struct world *w)
{
    char heard[4096] = "";
    int fd = ask(w, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    send_part(w, "[1", false);
    send_part(w, ",2]", true);
    hear(w, fd, NULL, heard, sizeof heard);
    assert_non_null(strstr(heard, "Connection: close\r\n\r\n[1,2]"));
    assert_null(strstr(heard, "chunked"));
    close(fd);
}

TEST(unread_answers_are_counted_until_they_are_read, struct world *w)
{
    int fd = ask(w, "GET / HTTP/1.1\r\n\r\n");
    assert_int_equal(http_unread(w->held), 0);
    send_large(w, false);
    assert_int_equal(http_unread_all(w->http), LARGE_BYTES);
    assert_true(http_unread(w->held) > LARGE_BYTES / 2);
    struct http_request *first = w->held;
    int other = ask(w, "GET / HTTP/1.1\r\n\r\n");
    send_large(w, true);
    assert_int_equal(http_unread_all(w->http), 2 * LARGE_BYTES);
    w->n_rooms = 0;
    w->held = first;
    send_part(w, "]", true);
    assert_true(hear(w, fd, NULL, NULL, 0) > LARGE_BYTES); /* let go when it says no more */
    assert_true(w->n_rooms >= 2);
    close(other);
    for (int i = 0; i < 100 && http_unread_all(w->http) > 0; i++)
        loop_run_once(w->loop, false);
    assert_int_equal(http_unread_all(w->http), 0);
    close(fd);
}

TEST(who_reads_nothing_is_let_go_in_the_middle, struct world *w)
{
    int fd = ask(w, "GET / HTTP/1.1\r\n\r\n");
    send_large(w, false);
    int64_t begin_us = loop_now_us();
    while (w->n_cancelled == 0)
        loop_run_once(w->loop, true);
    int64_t took_us = loop_now_us() - begin_us;
    assert_true(took_us >= 150000 && took_us < 3000000);
    close(fd);
}

TEST(who_waits_for_the_next_part_is_not_let_go, struct world *w)
{
    char heard[4096] = "";
    int fd = ask(w, "GET / HTTP/1.1\r\n\r\n");
    send_part(w, "[", false);
    int64_t end_us = loop_now_us() + 700000; /* more than three times the deadline */
    while (loop_now_us() < end_us)
        loop_run_once(w->loop, false);
    assert_int_equal(w->n_cancelled, 0);
    send_part(w, "]", true);
    hear(w, fd, "\r\n0\r\n\r\n", heard, sizeof heard);
    close(fd);
}

TEST(a_part_for_nobody_is_thrown_away, struct world *w)
{
    int fd = ask(w, "GET / HTTP/1.1\r\n\r\n");
    http_free(w->http);
    w->http = NULL;
    send_part(w, "[", false);
    assert_int_equal(http_unread(w->held), 0);
    send_part(w, "]", true);
    close(fd);
}
