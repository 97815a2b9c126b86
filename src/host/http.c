/* http.c - see http.h
 *
 * One connection is a state machine over its input buffer. libevent's evhttp is not used: it has
 * no deadline for a whole request, and notices a client that left only when it is written to. */
#include "host/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "host/http_head.h"
#include "host/loop.h"
#include "util/alloc.h"

#define READ_BYTES_MAX   (64 * 1024)   /* taken from the kernel ahead of use */
#define UNSENT_BYTES_MAX (1024 * 1024) /* beyond, the next request waits */
#define LINE_BYTES_MAX   1024          /* a chunk's size line, a trailer */
#define LINGER_US        2000000       /* after the last answer, for the client to read it */
#define ACCEPT_PAUSE_US  100000
#define LISTENERS_MAX    16

enum state {
    STATE_HEAD,
    STATE_BODY,       /* by Content-Length */
    STATE_CHUNK_SIZE, /* a line with the next chunk's size */
    STATE_CHUNK_DATA,
    STATE_CHUNK_END, /* the line end after a chunk */
    STATE_TRAILER,   /* lines after the last chunk */
    STATE_WAITING,   /* the handler has the request */
    STATE_FLUSH,     /* the last answer is on its way; then the connection ends */
    STATE_LINGER,    /* sent and our side shut; what still comes is thrown away */
};

struct request {
    struct http_request public;    /* first: the handler's pointer is to this */
    struct http *http;             /* NULL: the server is gone */
    struct connection *connection; /* NULL: the client is gone */
    char *head_text;
    struct buffer body;
    bool is_head; /* method HEAD: the answer has no body */
    bool keep_alive;
    bool answered; /* http_reply() came, the answer is being delayed */
    uint64_t delay_timer;
    struct http_response response; /* of a delayed answer */
    struct buffer response_body;
};

struct connection {
    struct http *http;
    struct connection *next, *previous;
    struct bufferevent *bufferevent;
    struct request *request; /* being read or answered */
    enum state state;
    uint64_t left; /* of the body or chunk */
    size_t trailer_bytes;
    size_t unsent_before; /* at the last look of the deadline */
    int64_t since_us;     /* when the state became head, or the head's first byte came */
    uint64_t timer;
    bool has_bytes;  /* the first byte of a request has come */
    bool has_ended;  /* the client has shut its side */
    bool is_busy;    /* inside process() */
    bool is_allowed; /* the peer's address */
    char peer[INET6_ADDRSTRLEN + 8];
};

struct listener {
    struct http *http;
    struct evconnlistener *listener;
    uint64_t timer;
};

struct http {
    struct loop *loop;
    struct http_options options;
    struct listener listeners[LISTENERS_MAX];
    int n_listeners;
    struct connection *connections;
    size_t n_connections, n_pending;
    size_t body_bytes; /* of all requests being read or answered */
    bool stopping;
};

static void process(struct connection *connection);

static struct evbuffer *input_of(struct connection *connection)
{
    return bufferevent_get_input(connection->bufferevent);
}

static size_t unsent(struct connection *connection)
{
    return evbuffer_get_length(bufferevent_get_output(connection->bufferevent));
}

/* -- Requests ------------------------------------------------------------------------------- */

static void request_free(struct request *request)
{
    if (request->http)
        request->http->body_bytes -= request->body.len;
    buffer_deinit(&request->body);
    buffer_deinit(&request->response_body);
    xfree(request->head_text);
    xfree(request);
}

/* The connection ends: a request that waits for its answer lives on without it. */
static void request_orphan(struct request *request, bool tell)
{
    struct http *http = request->http;
    request->connection = NULL;
    if (request->answered) {
        loop_timer_cancel(http->loop, request->delay_timer);
        http->n_pending--;
        request_free(request);
    } else if (tell) {
        http->options.on_cancel(http->options.ctx, &request->public);
    }
}

/* -- Connections ---------------------------------------------------------------------------- */

static void connection_close(struct connection *connection, bool tell)
{
    struct http *http = connection->http;
    if (connection->next)
        connection->next->previous = connection->previous;
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        http->connections = connection->next;
    http->n_connections--;

    struct request *request = connection->request;
    bool is_waiting = connection->state == STATE_WAITING;
    loop_timer_cancel(http->loop, connection->timer);
    bufferevent_free(connection->bufferevent);
    xfree(connection);
    if (request && is_waiting)
        request_orphan(request, tell);
    else if (request)
        request_free(request);
}

static void on_deadline(void *arg)
{
    struct connection *connection = arg;
    connection->timer = 0;
    size_t now_unsent = unsent(connection);
    /* A slow reader of a large answer is fine as long as it reads. */
    if (connection->state != STATE_LINGER && now_unsent > 0 &&
        now_unsent != connection->unsent_before) {
        connection->unsent_before = now_unsent;
        connection->timer = loop_timer_start(
            connection->http->loop, connection->http->options.timeout_us, on_deadline, connection);
        return;
    }
    connection_close(connection, true);
}

static void set_deadline(struct connection *connection, int64_t delay_us)
{
    struct loop *loop = connection->http->loop;
    loop_timer_cancel(loop, connection->timer);
    connection->unsent_before = unsent(connection);
    connection->timer = delay_us ? loop_timer_start(loop, delay_us, on_deadline, connection) : 0;
}

static void enter_head(struct connection *connection)
{
    connection->state = STATE_HEAD;
    connection->has_bytes = false;
    connection->since_us = loop_now_us();
    set_deadline(connection, connection->http->options.timeout_us);
}

/* Send what is queued, then say that nothing more follows, then wait a little for the client to
 * do the same: a plain close could make the kernel throw the answer away. */
static void enter_flush(struct connection *connection)
{
    connection->state = STATE_FLUSH;
    set_deadline(connection, connection->http->options.timeout_us);
}

static void linger(struct connection *connection)
{
    shutdown(bufferevent_getfd(connection->bufferevent), SHUT_WR);
    connection->state = STATE_LINGER;
    set_deadline(connection, LINGER_US);
}

/* -- Answers -------------------------------------------------------------------------------- */

static void free_body(const void *p, size_t len, void *arg)
{
    (void)p;
    (void)len;
    xfree(arg);
}

/* Queue an answer. Takes the bytes of body. */
static void write_response(struct connection *connection, const struct http_response *response,
                           struct buffer *body, bool is_head, bool keep_alive)
{
    struct evbuffer *output = bufferevent_get_output(connection->bufferevent);
    char date[64] = "";
    time_t now = (time_t)loop_unix_s();
    struct tm tm;
    if (gmtime_r(&now, &tm))
        strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    evbuffer_add_printf(output, "HTTP/1.1 %d %s\r\nDate: %s\r\n", response->status,
                        http_reason(response->status), date);
    if (response->www_authenticate)
        evbuffer_add_printf(output, "WWW-Authenticate: %s\r\n", response->www_authenticate);
    /* 204 has no body by definition, and must not name a length. RFC 9110 8.6 */
    if (response->status != 204)
        evbuffer_add_printf(output, "Content-Type: %s\r\nContent-Length: %zu\r\n",
                            response->content_type ? response->content_type : "text/plain",
                            body->len);
    evbuffer_add_printf(output, "Connection: %s\r\n\r\n", keep_alive ? "keep-alive" : "close");
    if (body->len > 0 && !is_head && response->status != 204) {
        evbuffer_add_reference(output, body->p, body->len, free_body, body->p);
        buffer_init(body);
    }
    buffer_deinit(body);
}

/* Refuse what is being read and end the connection: what follows cannot be trusted to be the
 * start of a request. */
static void refuse(struct connection *connection, int status, const char *text)
{
    struct buffer body;
    buffer_init(&body);
    buffer_append_string(&body, text ? text : http_reason(status));
    const struct http_response response = {.status = status};
    bool is_head = connection->request && connection->request->is_head;
    write_response(connection, &response, &body, is_head, false);
    if (connection->request)
        request_free(connection->request);
    connection->request = NULL;
    enter_flush(connection);
}

/* The answer to a request that was handed out. */
static void finish(struct request *request)
{
    struct connection *connection = request->connection;
    struct http *http = request->http;
    bool keep_alive = request->keep_alive && !http->stopping;
    write_response(connection, &request->response, &request->response_body, request->is_head,
                   keep_alive);
    http->n_pending--;
    connection->request = NULL;
    request_free(request);
    if (keep_alive)
        enter_head(connection);
    else
        enter_flush(connection);
    if (!connection->is_busy)
        process(connection);
}

static void on_delay_over(void *arg)
{
    struct request *request = arg;
    finish(request);
}

void http_reply(struct http_request *public, const struct http_response *response)
{
    struct request *request = (struct request *)public;
    ASSERT(!request->answered);
    request->response = *response;
    if (response->body_take) {
        request->response_body = *response->body_take;
        buffer_init(response->body_take);
    }
    request->response.body_take = NULL;
    if (!request->connection) {
        if (request->http)
            request->http->n_pending--;
        request_free(request);
        return;
    }
    request->answered = true;
    if (response->delay_ms > 0)
        request->delay_timer = loop_timer_start(request->http->loop, response->delay_ms * 1000,
                                                on_delay_over, request);
    else
        finish(request);
}

void http_drop(struct http_request *public)
{
    struct request *request = (struct request *)public;
    ASSERT(!request->answered);
    struct connection *connection = request->connection;
    if (request->http)
        request->http->n_pending--;
    if (connection) {
        connection->request = NULL;
        enter_flush(connection);
    }
    request_free(request);
    if (connection && !connection->is_busy)
        process(connection);
}

/* -- Reading requests ------------------------------------------------------------------------ */

/* Hand a complete request to the handler. */
static void dispatch(struct connection *connection)
{
    struct http *http = connection->http;
    struct request *request = connection->request;
    if (http->n_pending >= http->options.pending_max) {
        /* As Core: the caller may try again on the same connection. */
        static const char text[] = "Work queue depth exceeded";
        const struct http_response response = {.status = 503};
        struct buffer body;
        buffer_init(&body);
        buffer_append_string(&body, text);
        write_response(connection, &response, &body, request->is_head, request->keep_alive);
        bool keep_alive = request->keep_alive;
        request_free(request);
        connection->request = NULL;
        if (keep_alive)
            enter_head(connection);
        else
            enter_flush(connection);
        return;
    }
    request->public.body = buffer_span(&request->body);
    connection->state = STATE_WAITING;
    set_deadline(connection, 0);
    http->n_pending++;
    http->options.on_request(http->options.ctx, &request->public);
}

static int check_access(const struct connection *connection, const struct http_head *head)
{
    const struct http_options *options = &connection->http->options;
    if (!connection->is_allowed)
        return 403;
    if (head->host &&
        !http_host_is_allowed(head->host, options->allowed_hosts, options->n_allowed_hosts))
        return 403;
    if (head->origin &&
        !http_origin_is_allowed(head->origin, options->allowed_hosts, options->n_allowed_hosts))
        return 403;
    if (head->content_length > HTTP_BODY_BYTES_MAX)
        return 413;
    return 0;
}

static void begin_request(struct connection *connection, const struct http_head *head, char *text)
{
    struct request *request = xcalloc(1, sizeof *request);
    request->http = connection->http;
    request->connection = connection;
    request->head_text = text;
    request->keep_alive = head->keep_alive;
    request->is_head = strcmp(head->method, "HEAD") == 0;
    buffer_init(&request->body);
    buffer_init(&request->response_body);
    request->public = (struct http_request){
        .method = head->method,
        .uri = head->uri,
        .host = head->host,
        .origin = head->origin,
        .authorization = head->authorization,
        .content_type = head->content_type,
        .peer = connection->peer,
    };
    connection->request = request;
    connection->left = head->content_length;
    connection->trailer_bytes = 0;
    if (head->is_chunked)
        connection->state = STATE_CHUNK_SIZE;
    else
        connection->state = STATE_BODY;
    if (head->expects_continue && (head->is_chunked || head->content_length > 0))
        evbuffer_add_printf(bufferevent_get_output(connection->bufferevent),
                            "HTTP/1.1 100 Continue\r\n\r\n");
}

/* Returns: false if more input is needed. */
static bool read_head(struct connection *connection)
{
    struct evbuffer *input = input_of(connection);
    size_t len = evbuffer_get_length(input);
    if (len == 0)
        return false;
    if (!connection->has_bytes) {
        /* The deadline of a request begins with its first byte. */
        connection->has_bytes = true;
        connection->since_us = loop_now_us();
        set_deadline(connection, connection->http->options.timeout_us);
    }
    if (len > HTTP_HEAD_BYTES_MAX)
        len = HTTP_HEAD_BYTES_MAX;
    const char *bytes = (const char *)evbuffer_pullup(input, (ev_ssize_t)len);
    ASSERT(bytes);
    size_t head_len = http_head_length(bytes, len);
    if (head_len == 0 && len < HTTP_HEAD_BYTES_MAX)
        return false;
    if (head_len == 0) {
        refuse(connection, 431, NULL);
        return true;
    }
    char *text = xmemdup(bytes, head_len);
    evbuffer_drain(input, head_len);
    struct http_head head;
    int status = http_head_parse(&head, text, head_len);
    if (status == 0)
        status = check_access(connection, &head);
    if (status != 0) {
        xfree(text);
        refuse(connection, status, NULL);
        return true;
    }
    begin_request(connection, &head, text);
    return true;
}

/* Move up to left bytes of input to the body. Returns: false if more input is needed. */
static bool read_body(struct connection *connection)
{
    struct evbuffer *input = input_of(connection);
    struct request *request = connection->request;
    while (connection->left > 0) {
        struct evbuffer_iovec piece;
        if (evbuffer_peek(input, -1, NULL, &piece, 1) < 1 || piece.iov_len == 0)
            return false;
        size_t n = piece.iov_len < connection->left ? piece.iov_len : (size_t)connection->left;
        if (n > HTTP_BODIES_BYTES_MAX - connection->http->body_bytes) {
            refuse(connection, 503, "Too much data waits to be handled");
            return true;
        }
        buffer_append(&request->body, piece.iov_base, n);
        connection->http->body_bytes += n;
        connection->left -= n;
        evbuffer_drain(input, n);
    }
    if (connection->state == STATE_CHUNK_DATA)
        connection->state = STATE_CHUNK_END;
    else
        dispatch(connection);
    return true;
}

/* A line of the chunked form has come. */
static void on_chunk_line(struct connection *connection, const char *line)
{
    uint64_t size;
    if (connection->state == STATE_CHUNK_SIZE) {
        if (!http_chunk_size_parse(line, &size)) {
            refuse(connection, 400, NULL);
        } else if (size > HTTP_BODY_BYTES_MAX - connection->request->body.len) {
            refuse(connection, 413, NULL);
        } else {
            connection->left = size;
            connection->state = size ? STATE_CHUNK_DATA : STATE_TRAILER;
        }
    } else if (connection->state == STATE_CHUNK_END) {
        if (*line)
            refuse(connection, 400, NULL);
        else
            connection->state = STATE_CHUNK_SIZE;
    } else {
        connection->trailer_bytes += strlen(line);
        if (connection->trailer_bytes > HTTP_HEAD_BYTES_MAX)
            refuse(connection, 431, NULL);
        else if (*line == '\0')
            dispatch(connection);
    }
}

/* Returns: false if more input is needed. */
static bool read_chunk_line(struct connection *connection)
{
    struct evbuffer *input = input_of(connection);
    struct evbuffer_ptr end = evbuffer_search_eol(input, NULL, NULL, EVBUFFER_EOL_CRLF);
    if (end.pos < 0 && evbuffer_get_length(input) <= LINE_BYTES_MAX)
        return false;
    if (end.pos < 0 || end.pos > LINE_BYTES_MAX) {
        refuse(connection, 400, NULL);
        return true;
    }
    char *line = evbuffer_readln(input, NULL, EVBUFFER_EOL_CRLF);
    ASSERT(line);
    on_chunk_line(connection, line);
    free(line); /* lint: from libevent, so malloc's */
    return true;
}

/* Take one step. Returns: false if it must wait for input, output or an answer. */
static bool step(struct connection *connection)
{
    switch (connection->state) {
    case STATE_HEAD:
        return unsent(connection) <= UNSENT_BYTES_MAX && read_head(connection);
    case STATE_BODY:
    case STATE_CHUNK_DATA:
        return read_body(connection);
    case STATE_CHUNK_SIZE:
    case STATE_CHUNK_END:
    case STATE_TRAILER:
        return read_chunk_line(connection);
    case STATE_WAITING:
        return false;
    case STATE_FLUSH:
        if (unsent(connection) == 0 && !connection->has_ended)
            linger(connection);
        break;
    case STATE_LINGER:
        break;
    }
    struct evbuffer *input = input_of(connection);
    evbuffer_drain(input, evbuffer_get_length(input));
    return false;
}

static void on_continue(void *arg)
{
    struct connection *connection = arg;
    connection->timer = 0;
    set_deadline(connection, connection->http->options.timeout_us);
    process(connection);
}

/* Do all that can be done now, but not for longer than a batch: a client that pipelines many
 * requests shares the loop with the others. */
static void process(struct connection *connection)
{
    struct http *http = connection->http;
    int64_t began_us = loop_now_us();
    connection->is_busy = true;
    while (step(connection)) {
        if (connection->state == STATE_HEAD && loop_now_us() - began_us > LOOP_BATCH_US) {
            loop_timer_cancel(http->loop, connection->timer);
            connection->timer = loop_timer_start(http->loop, 0, on_continue, connection);
            break;
        }
    }
    connection->is_busy = false;
    bool is_over = (http->stopping && connection->state == STATE_HEAD) ||
                   (connection->has_ended && connection->state == STATE_FLUSH);
    if (is_over && unsent(connection) == 0)
        connection_close(connection, true);
}

/* -- libevent's callbacks ------------------------------------------------------------------- */

static void on_read(struct bufferevent *bufferevent, void *arg)
{
    (void)bufferevent;
    process(arg);
}

static void on_written(struct bufferevent *bufferevent, void *arg)
{
    (void)bufferevent;
    process(arg);
}

static void on_event(struct bufferevent *bufferevent, short what, void *arg)
{
    (void)bufferevent;
    struct connection *connection = arg;
    /* A client that has said all it has to say may still read what is queued for it. One that
     * waits for an answer is taken for gone: keep-alive clients do not half-close. */
    if ((what & BEV_EVENT_EOF) && connection->state != STATE_WAITING &&
        connection->state != STATE_LINGER && unsent(connection) > 0) {
        if (connection->request)
            request_free(connection->request);
        connection->request = NULL;
        connection->has_ended = true;
        enter_flush(connection);
        return;
    }
    connection_close(connection, true);
}

/* Make room: end the connection that has been longest at an unfinished request. */
static bool evict_one(struct http *http)
{
    struct connection *oldest = NULL;
    for (struct connection *c = http->connections; c; c = c->next) {
        if (c->state == STATE_WAITING || (unsent(c) > 0 && c->state != STATE_LINGER))
            continue;
        if (!oldest || c->since_us < oldest->since_us)
            oldest = c;
    }
    if (!oldest)
        return false;
    connection_close(oldest, true);
    return true;
}

static bool address_is_allowed(const struct http *http, const char *address)
{
    static const char *const loopback[] = {"127.0.0.0/8", "::1"};
    struct subnet subnet;
    for (size_t i = 0; i < COUNT_OF(loopback); i++) {
        if (subnet_parse(&subnet, loopback[i]) && subnet_contains(&subnet, address))
            return true;
    }
    for (size_t i = 0; i < http->options.n_allowed; i++) {
        if (subnet_contains(&http->options.allowed[i], address))
            return true;
    }
    return false;
}

static void on_accept(struct evconnlistener *evlistener, evutil_socket_t fd,
                      struct sockaddr *address, int len, void *arg)
{
    (void)evlistener;
    (void)len;
    struct listener *listener = arg;
    struct http *http = listener->http;
    struct bufferevent *bufferevent = NULL;
    if (http->n_connections < HTTP_CONNECTIONS_MAX || evict_one(http))
        bufferevent = bufferevent_socket_new(loop_base(http->loop), fd, BEV_OPT_CLOSE_ON_FREE);
    if (!bufferevent) {
        close(fd);
        return;
    }
    sockets_no_delay(fd);
    struct connection *connection = xcalloc(1, sizeof *connection);
    char text[INET6_ADDRSTRLEN];
    uint16_t port = sockets_format(address, text, sizeof text);
    snprintf(connection->peer, sizeof connection->peer,
             address->sa_family == AF_INET6 && strchr(text, ':') ? "[%s]:%u" : "%s:%u", text,
             (unsigned)port);
    connection->is_allowed = address_is_allowed(http, text);
    connection->http = http;
    connection->bufferevent = bufferevent;
    connection->next = http->connections;
    if (connection->next)
        connection->next->previous = connection;
    http->connections = connection;
    http->n_connections++;
    bufferevent_setcb(bufferevent, on_read, on_written, on_event, connection);
    bufferevent_setwatermark(bufferevent, EV_READ, 0, READ_BYTES_MAX);
    bufferevent_enable(bufferevent, EV_READ | EV_WRITE);
    enter_head(connection);
}

static void resume_accepting(void *arg)
{
    struct listener *listener = arg;
    listener->timer = 0;
    evconnlistener_enable(listener->listener);
}

/* No descriptor left: rest a little instead of spinning on the same error. */
static void on_accept_error(struct evconnlistener *evlistener, void *arg)
{
    struct listener *listener = arg;
    struct loop *loop = listener->http->loop;
    evconnlistener_disable(evlistener);
    loop_timer_cancel(loop, listener->timer);
    listener->timer = loop_timer_start(loop, ACCEPT_PAUSE_US, resume_accepting, listener);
}

/* -- Public --------------------------------------------------------------------------------- */

struct http *http_new(struct loop *loop, const struct http_options *options)
{
    struct http *http = xcalloc(1, sizeof *http);
    http->loop = loop;
    http->options = *options;
    return http;
}

int http_listen(struct http *http, const char *address, uint16_t port)
{
    if (http->n_listeners == LISTENERS_MAX)
        return -EMFILE;
    int fd = sockets_listen(address, port);
    if (fd < 0)
        return fd;
    struct listener *listener = &http->listeners[http->n_listeners];
    *listener = (struct listener){.http = http};
    listener->listener = evconnlistener_new(loop_base(http->loop), on_accept, listener,
                                            LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    if (!listener->listener) {
        close(fd);
        return -ENOMEM;
    }
    evconnlistener_set_error_cb(listener->listener, on_accept_error);
    http->n_listeners++;
    return sockets_local_port(fd);
}

static void stop_listening(struct http *http)
{
    for (int i = 0; i < http->n_listeners; i++) {
        loop_timer_cancel(http->loop, http->listeners[i].timer);
        evconnlistener_free(http->listeners[i].listener);
    }
    http->n_listeners = 0;
}

void http_stop(struct http *http)
{
    stop_listening(http);
    http->stopping = true;
    struct connection *next;
    for (struct connection *c = http->connections; c; c = next) {
        next = c->next;
        if (c->state < STATE_WAITING && unsent(c) == 0)
            connection_close(c, true);
        else if (c->state < STATE_WAITING)
            enter_flush(c);
    }
}

size_t http_connections(const struct http *http)
{
    return http->n_connections;
}

size_t http_pending(const struct http *http)
{
    return http->n_pending;
}

size_t http_unanswered(const struct http *http)
{
    size_t n = 0;
    for (struct connection *c = http->connections; c; c = c->next)
        n += c->state == STATE_WAITING || unsent(c) > 0;
    return n;
}

void http_free(struct http *http)
{
    if (!http)
        return;
    stop_listening(http);
    while (http->connections) {
        struct request *request = http->connections->request;
        bool is_owed = http->connections->state == STATE_WAITING && !request->answered;
        connection_close(http->connections, false);
        if (is_owed)
            request->http = NULL;
    }
    xfree(http);
}
