/* http_answer.c - what goes to the client: whole answers and parts of long ones, and an account of
 * the memory that answers hold until they are read. */
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/sockios.h>
#endif

#include "host/http_internal.h"
#include "host/loop.h"
#include "util/alloc.h"

#define SMALL_BYTES_MAX ((size_t)64 * 1024)

/* One body on its way. libevent gives it back when its last byte is with the kernel. */
struct body {
    struct unread *unread;
    uint8_t *p;
};

/* -- The account ---------------------------------------------------------------------------- */

struct unread *http_unread_new(struct http *http)
{
    struct unread *unread = xcalloc(1, sizeof *unread);
    unread->http = http;
    return unread;
}

void http_unread_free(struct unread *unread)
{
    ASSERT(unread);
    unread->http = NULL;
    if (unread->n_bodies == 0)
        xfree(unread);
}

static void free_body(const void *p, size_t len, void *arg)
{
    (void)p;
    struct body *body = arg;
    struct unread *unread = body->unread;
    ASSERT(unread->n_bodies > 0 && unread->bytes >= len);
    unread->n_bodies--;
    unread->bytes -= len;
    xfree(body->p);
    xfree(body);
    const struct http *http = unread->http;
    if (!http && unread->n_bodies == 0)
        xfree(unread);
    else if (http && http->options.on_room)
        http->options.on_room(http->options.ctx);
}

/* Queue the bytes of a buffer, which is left empty. */
static void queue_body(struct connection *connection, struct buffer *buffer)
{
    struct unread *unread = connection->http->unread;
    ASSERT(buffer->len > 0);
    struct body *body = xmalloc(sizeof *body);
    *body = (struct body){.unread = unread, .p = buffer->p};
    unread->n_bodies++;
    unread->bytes += buffer->len;
    evbuffer_add_reference(bufferevent_get_output(connection->bufferevent), buffer->p, buffer->len,
                           free_body, body);
    buffer_init(buffer);
}

size_t http_unsent(const struct connection *connection)
{
    return evbuffer_get_length(bufferevent_get_output(connection->bufferevent));
}

size_t http_untaken(const struct connection *connection)
{
    ASSERT(connection);
    int in_kernel = 0;
#ifdef SIOCOUTQ
    /* A slow reader may leave megabytes with the kernel for minutes: that it reads shows there. */
    if (ioctl(bufferevent_getfd(connection->bufferevent), SIOCOUTQ, &in_kernel) != 0)
        in_kernel = 0;
#endif
    return http_unsent(connection) + (size_t)in_kernel;
}

size_t http_unread(const struct http_request *public)
{
    const struct request *request = (const struct request *)public;
    return request->connection ? http_unsent(request->connection) : 0;
}

size_t http_unread_all(const struct http *http)
{
    return http->unread->bytes;
}

/* -- Answers -------------------------------------------------------------------------------- */

/* Have libevent send what is queued, and tell when it is gone. */
static void send_when_it_can(struct connection *connection)
{
    bufferevent_enable(connection->bufferevent, EV_WRITE);
}

/* Give the kernel what it takes now of what is queued, but for the first n bytes, which it has. By
 * way of libevent an answer takes another turn of the loop, and three system calls to be told that
 * the socket has room, which it has. The output is libevent's, so it is unlocked for the moment as
 * libevent itself does it. */
static void send_rest(struct connection *connection, size_t n)
{
    struct evbuffer *output = bufferevent_get_output(connection->bufferevent);
    evbuffer_unfreeze(output, 1);
    evbuffer_drain(output, n);
    /* What goes wrong goes wrong again when libevent sends the rest, and is told then. */
    (void)evbuffer_write_atmost(output, bufferevent_getfd(connection->bufferevent),
                                WRITE_BYTES_MAX);
    evbuffer_freeze(output, 1);
    if (http_unsent(connection) > 0)
        send_when_it_can(connection);
}

/* Give the kernel a small answer without libevent, which takes four allocations for it. Returns:
 * how many bytes it took. What goes wrong goes wrong again when libevent sends the rest. */
static size_t send_small(const struct connection *connection, struct span head, struct span body)
{
    struct iovec parts[] = {{(void *)(uintptr_t)head.p, head.len},
                            {(void *)(uintptr_t)body.p, body.len}};
    if (head.len + body.len > SMALL_BYTES_MAX)
        return 0;
    ssize_t n = writev(bufferevent_getfd(connection->bufferevent), parts, body.len > 0 ? 2 : 1);
    return n > 0 ? (size_t)n : 0;
}

/* Of an answer: all that varies in it is ours and short. */
enum { HEAD_BYTES_MAX = 1024 + HTTP_HEADERS_MAX };

/* The head of an answer, put together here so that libevent gets it in one piece. */
struct head {
    char text[HEAD_BYTES_MAX];
    size_t len;
};

/* By hand, as the number below: printf would cost a light call more than its method does. */
static void add(struct head *head, const char *text)
{
    size_t len = strlen(text);
    ASSERT(len <= sizeof head->text - head->len);
    memcpy(head->text + head->len, text, len);
    head->len += len;
}

static void add_number(struct head *head, size_t number)
{
    char text[24], *start = text + sizeof text - 1;
    *start = '\0';
    do
        *--start = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    add(head, start);
}

/* A whole line: a name with its colon, and a value. */
static void add_field(struct head *head, const char *name, const char *value)
{
    add(head, name);
    add(head, value);
    add(head, "\r\n");
}

/* What follows for the connection, and the end of the head. */
static void end_head(struct head *head, bool keep_alive)
{
    add_field(head, "Connection: ", keep_alive ? "keep-alive" : "close");
    add(head, "\r\n");
}

/* Queue a whole answer, and send what can be sent of it now. */
static void send_whole(struct connection *connection, const struct head *head, struct buffer *body)
{
    struct evbuffer *output = bufferevent_get_output(connection->bufferevent);
    bool is_first = http_unsent(connection) == 0;
    size_t len = head->len + body->len, n = 0;
    if (is_first)
        n = send_small(connection, span_of(head->text, head->len), buffer_span(body));
    if (n == len)
        return;
    if (is_first) /* else it would be told of each piece */
        bufferevent_disable(connection->bufferevent, EV_WRITE);
    evbuffer_add(output, head->text, head->len);
    if (body->len > 0)
        queue_body(connection, body);
    if (is_first)
        send_rest(connection, n);
}

/* The time in words, which are made once a second. */
static const char *date_of(struct http *http)
{
    time_t now = (time_t)loop_unix_s();
    struct tm tm;
    if (now != http->date_s && gmtime_r(&now, &tm)) {
        strftime(http->date, sizeof http->date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        http->date_s = now;
    }
    return http->date;
}

/* All of a head but what tells the body's length. */
static void begin_head(struct head *head, struct http *http, const struct http_response *response)
{
    head->len = 0;
    add(head, "HTTP/1.1 ");
    add_number(head, (size_t)response->status);
    add_field(head, " ", http_reason(response->status));
    add_field(head, "Date: ", date_of(http));
    if (response->status == 503) {
        add(head, "Retry-After: ");
        add_number(head, HTTP_RETRY_AFTER_S);
        add(head, "\r\n");
    }
    if (response->www_authenticate)
        add_field(head, "WWW-Authenticate: ", response->www_authenticate);
    if (response->headers)
        add(head, response->headers);
    /* 204 has no body by definition, and must not name a length. RFC 9110 8.6 */
    if (response->status != 204)
        add_field(head,
                  "Content-Type: ", response->content_type ? response->content_type : "text/plain");
}

void http_write_response(struct connection *connection, const struct http_response *response,
                         struct buffer *body, bool is_head, bool keep_alive)
{
    ASSERT(connection && response);
    struct head head;
    connection->answer_bytes = body->len;
    begin_head(&head, connection->http, response);
    if (response->status != 204) {
        add(&head, "Content-Length: ");
        add_number(&head, body->len);
        add(&head, "\r\n");
    }
    end_head(&head, keep_alive);
    if (is_head || response->status == 204)
        body->len = 0;
    send_whole(connection, &head, body);
    buffer_deinit(body);
}

void http_write_part(struct connection *connection, const struct http_response *response,
                     struct buffer *body)
{
    ASSERT(connection && body);
    struct evbuffer *output = bufferevent_get_output(connection->bufferevent);
    struct request *request = connection->request;
    ASSERT(request && !request->is_head && response->status != 204);
    if (!request->in_parts) {
        struct head head;
        begin_head(&head, connection->http, response);
        /* RFC 9112 6.1: no chunks for who may not know them; there the end of the connection tells
         * the end of the body. */
        request->keep_alive = request->keep_alive && !request->is_1_0;
        if (!request->is_1_0)
            add(&head, "Transfer-Encoding: chunked\r\n");
        end_head(&head, request->keep_alive);
        evbuffer_add(output, head.text, head.len);
        request->in_parts = true;
    }
    if (body->len > 0) {
        if (!request->is_1_0)
            evbuffer_add_printf(output, "%zx\r\n", body->len);
        queue_body(connection, body);
        if (!request->is_1_0)
            evbuffer_add(output, "\r\n", 2);
    }
    buffer_deinit(body);
    connection->answer_bytes = SIZE_MAX; /* as far as is known */
    send_when_it_can(connection);
}

void http_write_last(struct connection *connection)
{
    ASSERT(connection->request && connection->request->in_parts);
    if (!connection->request->is_1_0)
        evbuffer_add_printf(bufferevent_get_output(connection->bufferevent), "0\r\n\r\n");
}
