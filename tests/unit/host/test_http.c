/* test_http.c - the server against a client that behaves, dawdles, floods, leaves, or lies. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/http_head.h"
#include "host/http_internal.h"
#include "host/loop.h"
#include "support/unit.h"
#include "util/alloc.h"

#define HELD_MAX 32
#define DELAY_MS 60

struct world {
    struct loop *loop;
    struct http *http;
    struct http_options options;
    struct http_request *held[HELD_MAX]; /* not answered yet */
    int n_held, n_requests, n_cancelled, n_heads;
    bool hold; /* keep requests instead of answering at once */
    char last_body[256], last_uri[64];
    size_t last_body_len;
    int port;
    bool timed_out;
};

static void answer(struct http_request *request, const char *text)
{
    struct buffer body;
    buffer_init(&body);
    buffer_append_string(&body, text);
    struct http_response response = {
        .status = 200, .content_type = "application/json", .body_take = &body};
    http_reply(request, &response);
    assert_null(body.p);
}

static void on_request(void *ctx, struct http_request *request)
{
    struct world *w = ctx;
    w->n_requests++;
    w->last_body_len = request->body.len;
    snprintf(w->last_body, sizeof w->last_body, "%.*s", (int)request->body.len,
             request->body.len ? (const char *)request->body.p : "");
    snprintf(w->last_uri, sizeof w->last_uri, "%s", request->uri);
    assert_true(strncmp(request->peer, "127.0.0.1:", 10) == 0);
    if (w->hold) {
        assert_true(w->n_held < HELD_MAX);
        w->held[w->n_held++] = request;
    } else {
        answer(request, "{}\n");
    }
}

static void on_cancel(void *ctx, struct http_request *request)
{
    struct world *w = ctx;
    (void)request;
    w->n_cancelled++;
}

/* End a connection so that the other side hears of it: what a plain close looks like, a client
 * that only shuts its side does too. */
static void reset(int fd)
{
    const struct linger now = {.l_onoff = 1};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    close(fd);
}

static void begin(struct world *w)
{
    w->options.ctx = w;
    w->options.on_request = on_request;
    w->options.on_cancel = on_cancel;
    if (!w->options.timeout_us)
        w->options.timeout_us = 5000000;
    if (!w->options.pending_max)
        w->options.pending_max = 4;
    w->http = http_new(w->loop, &w->options);
    w->port = http_listen(w->http, "127.0.0.1", 0);
    assert_true(w->port > 0);
}

static int setup(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);
    w->loop = loop_new();
    loop_ignore_signals();
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

static void set_timed_out(void *arg)
{
    struct world *w = arg;
    w->timed_out = true;
}

static void run_for(struct world *w, int64_t us)
{
    w->timed_out = false;
    loop_timer_start(w->loop, us, set_timed_out, w);
    while (!w->timed_out)
        loop_run_once(w->loop, true);
    w->timed_out = false;
}

static int dial(struct world *w)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)w->port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* Run the loop and read until the wanted text is seen, or the end if want is NULL. */
static void hear(struct world *w, int fd, const char *want, char *out, size_t size)
{
    size_t len = 0;
    out[0] = '\0';
    int64_t end_us = loop_now_us() + 5000000;
    while (loop_now_us() < end_us) {
        loop_run_once(w->loop, false);
        ssize_t n = read(fd, out + len, size - 1 - len);
        if (n == 0 || (n < 0 && errno != EAGAIN)) {
            assert_null(want);
            return;
        }
        if (n > 0) {
            len += (size_t)n;
            out[len] = '\0';
        }
        if (want && strstr(out, want))
            return;
    }
    fail_msg("not heard: %s; but: %s", want ? want : "the end", out);
}

#define HOST_LINE "Host: localhost\r\n"

static int count_of(const char *text, const char *part)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, part)); at++)
        n++;
    return n;
}

TEST(a_request_is_answered_and_the_connection_kept, struct world *w)
{
    begin(w);
    char heard[2048];
    int fd = dial(w);
    for (int i = 0; i < 3; i++) {
        say(fd, "POST /x HTTP/1.1\r\n" HOST_LINE "Content-Length: 5\r\n\r\nhello");
        hear(w, fd, "{}\n", heard, sizeof heard);
        assert_int_equal(strncmp(heard, "HTTP/1.1 200 OK\r\n", 17), 0);
        assert_non_null(strstr(heard, "\r\nContent-Type: application/json\r\n"));
        assert_non_null(strstr(heard, "\r\nContent-Length: 3\r\n"));
        assert_non_null(strstr(heard, "\r\nConnection: keep-alive\r\n"));
        assert_non_null(strstr(heard, "\r\nDate: "));
        assert_string_equal(w->last_body, "hello");
        assert_string_equal(w->last_uri, "/x");
    }
    assert_int_equal(w->n_requests, 3);
    assert_int_equal(w->http->connections.count, 1);
    assert_int_equal(w->http->n_pending, 0);
    close(fd);
}

/* Turns of the loop in a while: it may wake for each of a few things, but must not spin. */
static int turns_within(struct world *w, int64_t us)
{
    int n = 0;
    w->timed_out = false;
    loop_timer_start(w->loop, us, set_timed_out, w);
    for (; !w->timed_out; n++)
        loop_run_once(w->loop, true);
    return n;
}

/* Much is pipelined behind a request that takes its time: the loop rests meanwhile, and all are
 * answered in the end. */
TEST(the_loop_rests_while_a_full_connection_waits, struct world *w)
{
    static const char request[] = "POST /x HTTP/1.1\r\n" HOST_LINE "Content-Length: 5\r\n\r\nhello";
    static char text[256 * 1024], heard[1 << 16];
    const size_t request_bytes = sizeof request - 1, n = sizeof text / request_bytes;
    begin(w);
    w->hold = true;
    int fd = dial(w);
    for (size_t i = 0; i < n; i++)
        memcpy(text + i * request_bytes, request, request_bytes);
    ssize_t sent = write(fd, text, n * request_bytes);
    assert_true(sent >= 2 * READ_BYTES_MAX);
    run_for(w, 50000);
    assert_int_equal(w->n_requests, 1);
    assert_in_range(turns_within(w, 50000), 1, 20);
    w->hold = false;
    answer(w->held[0], "{}\n");
    int want = (int)((size_t)sent / request_bytes);
    for (int64_t end_us = loop_now_us() + 5000000; w->n_requests < want;) {
        assert_true(loop_now_us() < end_us);
        loop_run_once(w->loop, false);
        (void)!read(fd, heard, sizeof heard);
    }
    close(fd);
}

/* Its words are kept for answers of the same second. */
TEST(an_answer_has_the_date_of_its_second, struct world *w)
{
    begin(w);
    char heard[2048];
    int fd = dial(w);
    w->http->date_s = 1;
    snprintf(w->http->date, sizeof w->http->date, "Thu, 01 Jan 1970 00:00:01 GMT");
    for (int i = 0; i < 2; i++) {
        say(fd, "POST /x HTTP/1.1\r\n" HOST_LINE "Content-Length: 5\r\n\r\nhello");
        hear(w, fd, "{}\n", heard, sizeof heard);
        assert_null(strstr(heard, "1970"));
        assert_non_null(strstr(heard, " GMT\r\n"));
    }
    assert_true(loop_unix_s() - w->http->date_s <= 1);
    close(fd);
}

TEST(a_request_that_comes_byte_by_byte_is_the_same, struct world *w)
{
    begin(w);
    char heard[2048];
    int fd = dial(w);
    const char *text = "POST / HTTP/1.1\r\n" HOST_LINE "Content-Length: 5\r\n\r\nhello";
    for (const char *c = text; *c; c++) {
        assert_int_equal(write(fd, c, 1), 1);
        loop_run_once(w->loop, false);
    }
    hear(w, fd, "{}\n", heard, sizeof heard);
    assert_string_equal(w->last_body, "hello");
    close(fd);
}

TEST(pipelined_requests_are_answered_in_order, struct world *w)
{
    begin(w);
    char heard[65536];
    char text[16384] = "";
    for (int i = 0; i < 100; i++)
        strcat(text, "GET / HTTP/1.1\r\n" HOST_LINE "\r\n");
    strcat(text, "GET /last HTTP/1.1\r\n" HOST_LINE "Connection: close\r\n\r\n");
    int fd = dial(w);
    say(fd, text);
    hear(w, fd, NULL, heard, sizeof heard);
    assert_int_equal(w->n_requests, 101);
    assert_int_equal(count_of(heard, "HTTP/1.1 200 OK"), 101);
    assert_string_equal(w->last_uri, "/last");
    close(fd);
}

TEST(an_answer_may_come_later_and_holds_the_next_request_back, struct world *w)
{
    begin(w);
    w->hold = true;
    char heard[2048];
    int fd = dial(w);
    say(fd, "GET /1 HTTP/1.1\r\n" HOST_LINE "\r\nGET /2 HTTP/1.1\r\n" HOST_LINE "\r\n");
    run_for(w, 20000);
    assert_int_equal(w->n_requests, 1);
    assert_int_equal(w->http->n_pending, 1);
    answer(w->held[0], "first");
    hear(w, fd, "first", heard, sizeof heard);
    assert_int_equal(w->n_requests, 2);
    answer(w->held[1], "second");
    hear(w, fd, "second", heard, sizeof heard);
    close(fd);
}

/* Refuses the path "/no" at once and "/wrong" late. */
static bool on_head(void *ctx, struct http_request *request, struct http_response *response)
{
    struct world *w = ctx;
    w->n_heads++;
    if (request->uri[1] == '\0')
        return true;
    response->status = 401;
    response->delay_ms = strcmp(request->uri, "/wrong") == 0 ? DELAY_MS : 0;
    buffer_append_string(response->body_take, "who are you");
    return false;
}

TEST(a_late_refusal_holds_up_nobody_else, struct world *w)
{
    w->options.on_head = on_head;
    begin(w);
    char heard[2048];
    int slow = dial(w), quick = dial(w);
    int64_t began_us = loop_now_us();
    say(slow, "POST /wrong HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc");
    say(quick, "GET / HTTP/1.1\r\n" HOST_LINE "\r\n");
    hear(w, quick, "{}\n", heard, sizeof heard);
    assert_int_equal(w->http->n_pending, 0); /* it takes nobody's place */
    hear(w, slow, "who are you", heard, sizeof heard);
    assert_true(loop_now_us() - began_us >= DELAY_MS * 1000);
    /* Its short body was read past: the connection goes on. */
    say(slow, "\r\nGET / HTTP/1.1\r\n\r\n");
    hear(w, slow, "{}\n", heard, sizeof heard);
    close(slow);
    close(quick);
}

TEST(late_refusals_have_few_places, struct world *w)
{
    w->options.on_head = on_head;
    begin(w);
    char heard[2048];
    int fds[HTTP_DELAYED_MAX + 1];
    for (int i = 0; i <= HTTP_DELAYED_MAX; i++) {
        fds[i] = dial(w);
        say(fds[i], "GET /wrong HTTP/1.1\r\n\r\n");
        while (w->n_heads <= i)
            loop_run_once(w->loop, true);
    }
    hear(w, fds[HTTP_DELAYED_MAX], NULL, heard, sizeof heard);
    assert_string_equal(heard, ""); /* one too many: no word at all */
    hear(w, fds[HTTP_DELAYED_MAX - 1], "who are you", heard, sizeof heard);
    for (int i = 0; i <= HTTP_DELAYED_MAX; i++)
        close(fds[i]);
}

/* Who does not know the password fills nobody's memory. */
TEST(the_long_body_of_a_refused_head_is_not_read, struct world *w)
{
    w->options.on_head = on_head;
    begin(w);
    char heard[2048];
    int fd = dial(w);
    say(fd, "POST /no HTTP/1.1\r\nContent-Length: 30000000\r\n\r\nabc");
    hear(w, fd, NULL, heard, sizeof heard); /* answered and ended, long before the body's end */
    assert_non_null(strstr(heard, "HTTP/1.1 401 "));
    assert_non_null(strstr(heard, "Connection: close"));
    assert_int_equal(w->n_requests, 0);
    close(fd);
}

TEST(a_client_that_shuts_its_side_gets_its_answer, struct world *w)
{
    begin(w);
    w->hold = true;
    char heard[2048];
    int fd = dial(w);
    say(fd, "GET / HTTP/1.1\r\n\r\n");
    while (w->n_held == 0)
        loop_run_once(w->loop, true);
    shutdown(fd, SHUT_WR);
    run_for(w, 20000);
    assert_int_equal(w->n_cancelled, 0);
    answer(w->held[0], "late");
    hear(w, fd, NULL, heard, sizeof heard);
    assert_non_null(strstr(heard, "late"));
    close(fd);
    /* All of a pipeline, too; but not what is cut off. */
    w->hold = false;
    fd = dial(w);
    say(fd, "GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\nGET / HT");
    shutdown(fd, SHUT_WR);
    hear(w, fd, NULL, heard, sizeof heard);
    assert_int_equal(w->n_requests, 3);
    close(fd);
    run_for(w, 20000);
    assert_int_equal(w->http->connections.count, 0);
}

TEST(parked_requests_take_no_place, struct world *w)
{
    w->options.pending_max = 1;
    begin(w);
    w->hold = true;
    int fds[4];
    for (int i = 0; i < 4; i++) {
        fds[i] = dial(w);
        say(fds[i], "GET / HTTP/1.1\r\n\r\n");
        while (w->n_held <= i)
            loop_run_once(w->loop, true);
        assert_false(w->held[i]->is_in_reserve);
        if (i < 3)
            assert_true(http_park(w->held[i]));
        assert_true(http_park(w->held[0])); /* again: nothing */
        assert_int_equal(w->http->n_pending, i < 3 ? 0 : 1);
    }
    answer(w->held[0], "x");
    answer(w->held[3], "x");
    assert_int_equal(w->http->n_pending, 0);
    http_drop(w->held[1]);
    http_drop(w->held[2]);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
}

TEST(above_the_limit_there_is_a_reserve, struct world *w)
{
    w->options.pending_max = 1;
    begin(w);
    w->hold = true;
    char heard[2048];
    int fds[HTTP_RESERVE + 2];
    for (int i = 0; i < HTTP_RESERVE + 1; i++) {
        fds[i] = dial(w);
        say(fds[i], "GET / HTTP/1.1\r\n\r\n");
        while (w->n_held <= i)
            loop_run_once(w->loop, true);
        assert_int_equal(w->held[i]->is_in_reserve, i > 0);
    }
    fds[HTTP_RESERVE + 1] = dial(w);
    say(fds[HTTP_RESERVE + 1], "GET / HTTP/1.1\r\n\r\n");
    hear(w, fds[HTTP_RESERVE + 1], "Work queue depth exceeded", heard, sizeof heard);
    assert_int_equal(strncmp(heard, "HTTP/1.1 503 Service Unavailable\r\n", 34), 0);
    /* It may try again, on the same connection. */
    answer(w->held[0], "x");
    w->hold = false;
    say(fds[HTTP_RESERVE + 1], "GET / HTTP/1.1\r\n\r\n");
    hear(w, fds[HTTP_RESERVE + 1], "{}\n", heard, sizeof heard);
    for (int i = 0; i < HTTP_RESERVE + 2; i++) {
        if (i > 0 && i < HTTP_RESERVE + 1)
            answer(w->held[i], "x");
        close(fds[i]);
    }
}

TEST(a_client_that_leaves_is_told_of_and_a_late_answer_is_harmless, struct world *w)
{
    begin(w);
    w->hold = true;
    int fd = dial(w);
    say(fd, "GET / HTTP/1.1\r\n" HOST_LINE "\r\n");
    while (w->n_held == 0)
        loop_run_once(w->loop, true);
    reset(fd);
    while (w->n_cancelled == 0)
        loop_run_once(w->loop, true);
    assert_int_equal(w->http->connections.count, 0);
    assert_int_equal(w->http->n_pending, 1);
    /* What the handler was given stays readable until it answers. */
    assert_string_equal(w->held[0]->uri, "/");
    answer(w->held[0], "nobody hears this");
    assert_int_equal(w->http->n_pending, 0);
}

TEST(a_client_that_leaves_during_a_delay_is_forgotten, struct world *w)
{
    w->options.on_head = on_head;
    begin(w);
    int fd = dial(w);
    say(fd, "GET /wrong HTTP/1.1\r\n\r\n");
    while (w->n_heads == 0)
        loop_run_once(w->loop, true);
    reset(fd);
    run_for(w, 20000);
    assert_int_equal(w->n_cancelled, 0);
    assert_int_equal(w->http->connections.count, 0);
    run_for(w, DELAY_MS * 1000 + 20000);
}

TEST(a_dropped_request_ends_its_connection, struct world *w)
{
    begin(w);
    w->hold = true;
    char heard[256];
    int fd = dial(w);
    say(fd, "GET / HTTP/1.1\r\n" HOST_LINE "\r\n");
    while (w->n_held == 0)
        loop_run_once(w->loop, true);
    http_drop(w->held[0]);
    hear(w, fd, NULL, heard, sizeof heard);
    assert_string_equal(heard, "");
    assert_int_equal(w->http->n_pending, 0);
    close(fd);
}

TEST(chunked_bodies_are_put_together, struct world *w)
{
    begin(w);
    char heard[2048];
    int fd = dial(w);
    say(fd, "POST / HTTP/1.1\r\n" HOST_LINE "Transfer-Encoding: chunked\r\n\r\n"
            "5;ext=1\r\nhello\r\nA\r\n, world 12\r\n0\r\nTrailer: x\r\n\r\n");
    hear(w, fd, "{}\n", heard, sizeof heard);
    assert_string_equal(w->last_body, "hello, world 12");
    close(fd);
}

TEST(malformed_chunks_are_refused, struct world *w)
{
    begin(w);
    static const struct {
        const char *body;
        int status;
    } rows[] = {
        {"x\r\n", 400},           {"\r\n", 400},        {"-1\r\n", 400}, {"123456789\r\n", 400},
        {"5\r\nhelloX\r\n", 400}, {"2000001\r\n", 413},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char heard[2048], want[16];
        int fd = dial(w);
        say(fd, "POST / HTTP/1.1\r\n" HOST_LINE "Transfer-Encoding: chunked\r\n\r\n");
        say(fd, rows[i].body);
        hear(w, fd, NULL, heard, sizeof heard);
        snprintf(want, sizeof want, "HTTP/1.1 %d", rows[i].status);
        assert_int_equal(strncmp(heard, want, strlen(want)), 0);
        close(fd);
    }
    assert_int_equal(w->n_requests, 0);
}

TEST(a_client_that_asks_first_is_told_to_continue, struct world *w)
{
    begin(w);
    char heard[2048];
    int fd = dial(w);
    say(fd, "POST / HTTP/1.1\r\n" HOST_LINE "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    hear(w, fd, "100 Continue\r\n\r\n", heard, sizeof heard);
    say(fd, "ab");
    hear(w, fd, "{}\n", heard, sizeof heard);
    assert_string_equal(w->last_body, "ab");
    close(fd);
}

TEST(heads_and_bodies_have_limits_on_both_sides, struct world *w)
{
    begin(w);
    char heard[2048], text[3 * HTTP_HEAD_BYTES_MAX];
    for (int extra = 0; extra <= 1; extra++) {
        /* A head of exactly the limit, and one byte more. */
        int len = snprintf(text, sizeof text, "GET / HTTP/1.1\r\n" HOST_LINE "A: ");
        memset(text + len, 'a', sizeof text - (size_t)len);
        strcpy(text + HTTP_HEAD_BYTES_MAX + extra - 4, "\r\n\r\n");
        int fd = dial(w);
        say(fd, text);
        hear(w, fd, extra ? NULL : "{}\n", heard, sizeof heard);
        assert_int_equal(strncmp(heard, extra ? "HTTP/1.1 400" : "HTTP/1.1 200", 12), 0);
        close(fd);
    }
    int fd = dial(w);
    say(fd, "POST / HTTP/1.1\r\n" HOST_LINE "Content-Length: 33554433\r\n\r\n");
    hear(w, fd, NULL, heard, sizeof heard);
    assert_int_equal(strncmp(heard, "HTTP/1.1 413", 12), 0);
    close(fd);
    assert_int_equal(w->n_requests, 1);
}

TEST(a_body_of_the_full_size_arrives, struct world *w)
{
    begin(w);
    char heard[2048];
    int fd = dial(w);
    say(fd, "POST / HTTP/1.1\r\n" HOST_LINE "Content-Length: 33554432\r\n\r\n");
    size_t len = HTTP_BODY_BYTES_MAX, sent = 0;
    char *body = xcalloc(1, len);
    memset(body, 'z', len);
    while (sent < len) {
        ssize_t n = write(fd, body + sent, len - sent);
        if (n > 0)
            sent += (size_t)n;
        loop_run_once(w->loop, false);
    }
    xfree(body);
    hear(w, fd, "{}\n", heard, sizeof heard);
    assert_int_equal(w->last_body_len, HTTP_BODY_BYTES_MAX);
    close(fd);
}

TEST(foreign_hosts_and_origins_are_forbidden, struct world *w)
{
    static const char *const hosts[] = {"my.node"};
    w->options.allowed_hosts = hosts;
    w->options.n_allowed_hosts = 1;
    begin(w);
    static const struct {
        const char *lines;
        bool ok;
    } rows[] = {
        {"Host: localhost\r\n", true},
        {"Host: 127.0.0.1:8332\r\n", true},
        {"Host: my.node\r\n", true},
        {"Host: attacker.example\r\n", false},
        {"Host: localhost\r\nOrigin: http://localhost:3000\r\n", true},
        {"Host: localhost\r\nOrigin: https://attacker.example\r\n", false},
        {"Host: localhost\r\nOrigin: null\r\n", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char heard[2048], text[256];
        int fd = dial(w);
        snprintf(text, sizeof text, "POST / HTTP/1.1\r\n%s\r\n", rows[i].lines);
        say(fd, text);
        hear(w, fd, rows[i].ok ? "{}\n" : NULL, heard, sizeof heard);
        assert_int_equal(strncmp(heard, rows[i].ok ? "HTTP/1.1 200" : "HTTP/1.1 403", 12), 0);
        close(fd);
    }
    assert_int_equal(w->n_requests, 4);
}

TEST(a_head_request_gets_no_body_and_204_no_length, struct world *w)
{
    begin(w);
    char heard[2048];
    int fd = dial(w);
    say(fd, "HEAD / HTTP/1.1\r\n" HOST_LINE "Connection: close\r\n\r\n");
    hear(w, fd, NULL, heard, sizeof heard);
    assert_non_null(strstr(heard, "Content-Length: 3\r\n"));
    assert_null(strstr(heard, "{}"));
    close(fd);

    w->hold = true;
    fd = dial(w);
    say(fd, "POST / HTTP/1.1\r\n" HOST_LINE "\r\n");
    while (w->n_held == 0)
        loop_run_once(w->loop, true);
    const struct http_response none = {.status = 204};
    http_reply(w->held[0], &none);
    hear(w, fd, "\r\n\r\n", heard, sizeof heard);
    assert_int_equal(strncmp(heard, "HTTP/1.1 204 No Content", 23), 0);
    assert_null(strstr(heard, "Content-Length"));
    close(fd);
}

/* A drop of a byte now and then must not extend the deadline of the whole request. */
TEST(a_dawdler_is_ended_at_its_deadline, struct world *w)
{
    w->options.timeout_us = 100000;
    begin(w);
    int fd = dial(w);
    int64_t began_us = loop_now_us();
    const char *text = "POST / HTTP/1.1\r\nHost: localhost\r\nX: aaaaaaaaaaaaaaaaaaaaaaa";
    while (w->http->connections.count > 0 || loop_now_us() - began_us < 20000) {
        if (*text && write(fd, text, 1) == 1)
            text++;
        run_for(w, 10000);
        assert_true(loop_now_us() - began_us < 1000000);
    }
    assert_true(loop_now_us() - began_us >= 100000);
    close(fd);
}

TEST(an_idle_connection_is_ended_but_a_waiting_one_is_not, struct world *w)
{
    w->options.timeout_us = 50000;
    begin(w);
    w->hold = true;
    char heard[2048];
    int idle = dial(w), waiting = dial(w);
    say(waiting, "GET / HTTP/1.1\r\n" HOST_LINE "\r\n");
    run_for(w, 150000);
    assert_int_equal(w->http->connections.count, 1);
    answer(w->held[0], "long awaited");
    hear(w, waiting, "long awaited", heard, sizeof heard);
    close(idle);
    close(waiting);
}

TEST(a_flood_of_dawdlers_does_not_keep_a_good_client_out, struct world *w)
{
    begin(w);
    enum { N = HTTP_CONNECTIONS_MAX + 50 };
    static int fd[N];
    char heard[2048];
    for (int i = 0; i < N; i++) {
        fd[i] = dial(w);
        say(fd[i], "POST / HT");
        loop_run_once(w->loop, false);
    }
    run_for(w, 10000);
    assert_true(w->http->connections.count <= HTTP_CONNECTIONS_MAX);
    int good = dial(w);
    say(good, "GET / HTTP/1.1\r\n" HOST_LINE "\r\n");
    hear(w, good, "{}\n", heard, sizeof heard);
    for (int i = 0; i < N; i++)
        close(fd[i]);
    close(good);
}

TEST(a_large_answer_reaches_a_slow_reader_whole, struct world *w)
{
    w->options.timeout_us = 100000;
    begin(w);
    w->hold = true;
    int fd = dial(w);
    say(fd, "GET / HTTP/1.1\r\n" HOST_LINE "Connection: close\r\n\r\n");
    while (w->n_held == 0)
        loop_run_once(w->loop, true);
    struct buffer body;
    buffer_init(&body);
    memset(buffer_reserve(&body, 20000000), 'y', 20000000);
    body.len = 20000000;
    const struct http_response response = {.status = 200, .body_take = &body};
    http_reply(w->held[0], &response);
    size_t total = 0;
    static char block[500000];
    for (;;) {
        /* Pieces with pauses: longer than the timeout in sum, never without progress in it. */
        run_for(w, 5000);
        ssize_t n = read(fd, block, sizeof block);
        if (n == 0)
            break;
        if (n > 0)
            total += (size_t)n;
        else
            assert_int_equal(errno, EAGAIN);
    }
    assert_true(total > 20000000);
    close(fd);
}

TEST(stopping_answers_what_waits_and_takes_nothing_new, struct world *w)
{
    begin(w);
    w->hold = true;
    char heard[2048];
    int idle = dial(w), waiting = dial(w);
    say(waiting, "GET / HTTP/1.1\r\n" HOST_LINE "\r\n");
    while (w->n_held == 0 || w->http->connections.count < 2)
        loop_run_once(w->loop, true);
    http_stop(w->http);
    assert_int_equal(w->http->connections.count, 1);
    answer(w->held[0], "stopping");
    hear(w, waiting, NULL, heard, sizeof heard);
    assert_non_null(strstr(heard, "Connection: close"));
    assert_non_null(strstr(heard, "stopping"));
    close(waiting);
    close(idle);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)w->port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), -1);
    close(fd);
}

TEST(requests_outlive_the_server, struct world *w)
{
    begin(w);
    w->hold = true;
    int fd = dial(w);
    say(fd, "GET / HTTP/1.1\r\n" HOST_LINE "\r\n");
    while (w->n_held == 0)
        loop_run_once(w->loop, true);
    http_free(w->http);
    w->http = NULL;
    assert_int_equal(w->n_cancelled, 0);
    answer(w->held[0], "nobody hears this");
    close(fd);
}
