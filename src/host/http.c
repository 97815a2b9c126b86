/* http.c - see http.h
 *
 * One connection is a state machine over its input buffer. libevent's evhttp is not used: it has
 * no deadline for a whole request, and notices a client that left only when it is written to. */
#include "host/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "host/http_internal.h"
#include "host/loop.h"
#include "util/alloc.h"
#include "util/log.h"
#include "util/planted.h"

#define UNSENT_BYTES_MAX  (128 * 1024) /* beyond, the next request waits */
#define READ_ONCE_BYTES   (16 * 1024)
#define LINE_BYTES_MAX    1024    /* a chunk's size line, a trailer */
#define LINGER_US         2000000 /* after the last answer, for the client to read it */
#define REFUSAL_BYTES     512
#define DISCARD_BYTES_MAX (64 * 1024) /* of a refused body: beyond, the connection ends */

static void process(struct connection *connection);

static struct evbuffer *input_of(struct connection *connection)
{
    return connection->input;
}

/* -- Requests ------------------------------------------------------------------------------- */

static void request_free(struct request *request)
{
    ASSERT(!request->http || request->http->body_bytes >= request->body_bytes);
    if (request->http)
        request->http->body_bytes -= request->body_bytes;
    buffer_deinit(&request->body);
    buffer_deinit(&request->response_body);
    xfree(request->head_text);
    xfree(request);
}

/* It is no longer one of those that it was counted among. */
static void uncount(struct request *request)
{
    struct http *http = request->http;
    if (!http)
        return;
    ASSERT(request->is_counted + request->is_parked + request->is_delayed <= 1);
    ASSERT(http->n_pending >= request->is_counted && http->n_parked >= request->is_parked &&
           http->n_delayed >= request->is_delayed);
    http->n_pending -= request->is_counted;
    http->n_parked -= request->is_parked;
    http->n_delayed -= request->is_delayed;
    request->is_counted = request->is_parked = request->is_delayed = false;
}

/* The connection ends: a request that waits for its answer lives on without it. */
static void request_orphan(struct request *request, bool tell)
{
    struct http *http = request->http;
    request->connection = NULL;
    if (request->is_delayed) {
        loop_timer_cancel(http->loop, request->delay_timer);
        uncount(request);
        request_free(request);
    } else if (tell) {
        http->options.on_cancel(http->options.ctx, &request->public);
    }
}

/* -- Connections ---------------------------------------------------------------------------- */

void http_connection_close(struct connection *connection, bool tell)
{
    ASSERT(connection);
    struct http *http = connection->http;
    list_remove(&http->connections, &connection->link);
    struct request *request = connection->request;
    bool is_waiting = connection->state == STATE_WAITING;
    loop_timer_cancel(http->loop, connection->timer);
    event_free(connection->readable); /* before its descriptor is closed */
    bufferevent_free(connection->bufferevent);
    evbuffer_free(connection->input);
    xfree(connection);
    if (request && is_waiting)
        request_orphan(request, tell);
    else if (request)
        request_free(request);
}

static bool is_in_parts(const struct connection *connection)
{
    return connection->state == STATE_WAITING && connection->request->in_parts;
}

static void on_deadline(void *arg)
{
    struct connection *connection = arg;
    connection->timer = 0;
    size_t untaken = http_untaken(connection);
    /* A slow reader of a large answer is fine as long as it reads. */
    bool reads =
        connection->state != STATE_LINGER && untaken > 0 && untaken != connection->untaken_before;
    bool waits_for_us = is_in_parts(connection) && untaken == 0;
    if (reads || waits_for_us) {
        connection->untaken_before = untaken;
        connection->timer = loop_timer_start(
            connection->http->loop, connection->http->options.timeout_us, on_deadline, connection);
        return;
    }
    http_connection_close(connection, true);
}

static void set_deadline(struct connection *connection, int64_t delay_us)
{
    ASSERT(delay_us >= 0);
    struct loop *loop = connection->http->loop;
    loop_timer_cancel(loop, connection->timer);
    /* Of what is small enough to be with the kernel whole there is nothing to look at, and the look
     * would cost each small answer two system calls. */
    bool has_much = delay_us && connection->answer_bytes > UNSENT_BYTES_MAX;
    connection->untaken_before = has_much ? http_untaken(connection) : 0;
    connection->timer = delay_us ? loop_timer_start(loop, delay_us, on_deadline, connection) : 0;
}

static void enter_head(struct connection *connection)
{
    connection->state = STATE_HEAD;
    connection->has_bytes = false;
    connection->since_us = loop_now_us();
    set_deadline(connection, connection->http->options.timeout_us);
}

void http_connection_start(struct connection *connection)
{
    enter_head(connection);
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

/* Refuse what is being read and end the connection: what follows cannot be trusted to be the
 * start of a request. */
static void refuse(struct connection *connection, int status, const char *text)
{
    struct buffer body;
    buffer_init(&body);
    buffer_append_string(&body, text ? text : http_reason(status));
    const struct http_response response = {.status = status};
    bool is_head = connection->request && connection->request->is_head;
    http_write_response(connection, &response, &body, is_head, false);
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
    ASSERT(connection && connection->request == request);
    bool keep_alive = request->keep_alive && !http->stopping;
    if (request->in_parts) {
        http_write_part(connection, &request->response, &request->response_body);
        http_write_last(connection);
    } else {
        http_write_response(connection, &request->response, &request->response_body,
                            request->is_head, keep_alive);
    }
    uncount(request);
    connection->request = NULL;
    request_free(request);
    if (keep_alive)
        enter_head(connection);
    else
        enter_flush(connection);
    if (!connection->is_busy)
        process(connection);
}

void http_reply(struct http_request *public, const struct http_response *response)
{
    struct request *request = (struct request *)public;
    ASSERT(!request->is_refused && response->delay_ms == 0);
    request->response = *response; /* its headers: finish() is done with them below */
    if (response->body_take) {
        request->response_body = *response->body_take;
        buffer_init(response->body_take);
    }
    request->response.body_take = NULL;
    if (request->connection) {
        finish(request);
        return;
    }
    uncount(request);
    request_free(request);
}

void http_reply_part(struct http_request *public, const struct http_response *part)
{
    struct request *request = (struct request *)public;
    ASSERT(part->body_take && part->delay_ms == 0);
    if (!request->connection) {
        buffer_deinit(part->body_take);
        return;
    }
    http_write_part(request->connection, part, part->body_take);
    set_deadline(request->connection, request->http->options.timeout_us);
}

bool http_park(struct http_request *public)
{
    struct request *request = (struct request *)public;
    struct http *http = request->http;
    if (request->is_parked || !http)
        return true;
    size_t most = http->options.parked_max > 0 ? http->options.parked_max : HTTP_PARKED_MAX;
    size_t half = http->options.connections_max / 2; /* the other one is for who does not wait */
    if (half > 0 && half < most)
        most = half;
    if (http->n_parked >= most && !http_evict_parked(http))
        return false;
    uncount(request);
    request->is_parked = true;
    http->n_parked++;
    return true;
}

/* -- Refusals ------------------------------------------------------------------------------- */

static void on_delay_over(void *arg)
{
    finish(arg);
}

/* The refused request is here whole. Who guesses passwords waits for each answer, in a place that
 * takes nothing from those who know theirs. */
static void answer_refused(struct connection *connection)
{
    struct request *request = connection->request;
    struct http *http = connection->http;
    connection->state = STATE_WAITING;
    set_deadline(connection, 0);
    if (request->response.delay_ms == 0) {
        finish(request);
    } else if (http->n_delayed < HTTP_DELAYED_MAX) {
        request->is_delayed = true;
        http->n_delayed++;
        request->delay_timer =
            loop_timer_start(http->loop, request->response.delay_ms * 1000, on_delay_over, request);
    } else {
        connection->request = NULL;
        request_free(request);
        enter_flush(connection);
    }
}

/* Ask the handler what it thinks of the head. A short body of a refused request is read past, so
 * that the client may try again on the same connection; a long one ends it. */
static void judge_head(struct connection *connection, const struct http_head *head)
{
    struct http *http = connection->http;
    struct request *request = connection->request;
    struct buffer body;
    struct http_response response = {.body_take = &body};
    buffer_init(&body);
    if (!http->options.on_head ||
        http->options.on_head(http->options.ctx, &request->public, &response)) {
        buffer_deinit(&body);
        if (head->content_length > request->public.body_bytes_max)
            refuse(connection, 413, NULL);
        return;
    }
    request->is_refused = true;
    request->response = response;
    request->response.body_take = NULL;
    request->response_body = body;
    if (head->is_chunked || head->content_length > DISCARD_BYTES_MAX) {
        request->keep_alive = false;
        answer_refused(connection);
    }
}

void http_drop(struct http_request *public)
{
    struct request *request = (struct request *)public;
    struct connection *connection = request->connection;
    uncount(request);
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
    if (request->is_refused) {
        answer_refused(connection);
        return;
    }
    if (http->n_pending >= http->options.pending_max + HTTP_RESERVE) {
        /* As Core: the caller may try again on the same connection. */
        static const char text[] = "Work queue depth exceeded";
        const struct http_response response = {.status = 503};
        struct buffer body;
        buffer_init(&body);
        buffer_append_string(&body, text);
        http_write_response(connection, &response, &body, request->is_head, request->keep_alive);
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
    request->public.is_in_reserve = http->n_pending >= http->options.pending_max;
    request->is_counted = true;
    http->n_pending++;
    http->options.on_request(http->options.ctx, &request->public);
}

/* What a browser that shows a foreign page cannot help saying. Returns: 0, or 403 with a text that
 * names the remedy, in the answer and in the log; or 413. */
static int check_access(const struct connection *connection, const struct http_head *head,
                        char text[REFUSAL_BYTES])
{
    const struct http_options *options = &connection->http->options;
    /* Where others may call, they do so by names of their own: as Core, any will do. */
    bool any_host = options->n_allowed > 0 || connection->is_local;
    bool is_guarded = !options->has_path || options->has_path(head->uri);
    const char *what = NULL, *value = NULL;
    if (is_guarded && head->host && !any_host &&
        !http_host_is_allowed(head->host, options->allowed_hosts, options->n_allowed_hosts)) {
        what = "Host";
        value = head->host;
    } else if (is_guarded && head->origin &&
               !http_origin_is_allowed(head->origin, options->allowed_hosts,
                                       options->n_allowed_hosts)) {
        what = "Origin";
        value = head->origin;
    }
    if (what) {
        char shown[REFUSAL_BYTES / 2];
        log_escape(shown, sizeof shown, value, strlen(value));
        snprintf(
            text, REFUSAL_BYTES,
            "%s \"%s\" is not allowed here: start the node with -rpcallowhost=NAME to admit it",
            what, shown);
        log_warning(options->log, "RPC request of %s refused: %s", connection->peer, text);
        return 403;
    }
    return head->content_length > HTTP_BODY_BYTES_MAX ? 413 : 0;
}

static void begin_request(struct connection *connection, const struct http_head *head, char *text)
{
    struct request *request = xcalloc(1, sizeof *request);
    request->http = connection->http;
    request->connection = connection;
    request->head_text = text;
    request->keep_alive = head->keep_alive;
    request->is_head = strcmp(head->method, "HEAD") == 0;
    request->is_1_0 = head->is_1_0;
    buffer_init(&request->body);
    buffer_init(&request->response_body);
    request->public = (struct http_request){
        .method = head->method,
        .uri = head->uri,
        .host = head->host,
        .origin = head->origin,
        .authorization = head->authorization,
        .content_type = head->content_type,
        .last_event_id = head->last_event_id,
        .cookie = head->cookie,
        .fetch_site = head->fetch_site,
        .fetch_mode = head->fetch_mode,
        .fetch_dest = head->fetch_dest,
        .peer = connection->peer,
        .body_take = &request->body,
        .body_bytes_max = HTTP_BODY_BYTES_MAX,
    };
    connection->request = request;
    connection->left = head->content_length;
    connection->trailer_bytes = 0;
    if (head->is_chunked)
        connection->state = STATE_CHUNK_SIZE;
    else
        connection->state = STATE_BODY;
    if (head->expects_continue && (head->is_chunked || head->content_length > 0)) {
        evbuffer_add_printf(bufferevent_get_output(connection->bufferevent),
                            "HTTP/1.1 100 Continue\r\n\r\n");
        bufferevent_enable(connection->bufferevent, EV_WRITE);
    }
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
    len = MIN_OF(len, HTTP_HEAD_BYTES_MAX);
    const char *bytes = (const char *)evbuffer_pullup(input, (ev_ssize_t)len);
    ASSERT(bytes);
    size_t blank = http_blank_lines(bytes, len);
    if (blank > 0) {
        evbuffer_drain(input, blank);
        return true;
    }
    size_t head_len = http_head_length(bytes, len);
    if (head_len == 0 && len < HTTP_HEAD_BYTES_MAX)
        return false;
    if (head_len == 0) {
        refuse(connection, 400, NULL); /* as Core; 431 would say more */
        return true;
    }
    char *text = xmemdup(bytes, head_len), why[REFUSAL_BYTES] = "";
    evbuffer_drain(input, head_len);
    struct http_head head;
    int status = http_head_parse(&head, text, head_len);
    if (status == 0)
        status = check_access(connection, &head, why);
    if (status != 0) {
        xfree(text);
        refuse(connection, status, *why ? why : NULL);
        return true;
    }
    begin_request(connection, &head, text);
    judge_head(connection, &head);
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
        if (request->is_refused) {
            connection->left -= n;
            evbuffer_drain(input, n);
            continue;
        }
        if (n > HTTP_BODIES_BYTES_MAX - connection->http->body_bytes) {
            refuse(connection, 503, "Too much data waits to be handled");
            return true;
        }
        buffer_append(&request->body, piece.iov_base, n);
        connection->http->body_bytes += n;
        request->body_bytes += n;
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
        } else if (size >
                   connection->request->public.body_bytes_max - connection->request->body.len) {
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
            refuse(connection, 400, NULL);
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
        return http_unsent(connection) <= UNSENT_BYTES_MAX && read_head(connection);
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
        if (http_unsent(connection) == 0 && !connection->has_ended)
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

/* Nothing more will come: what is not here whole by now never will be. */
static void end_reading(struct connection *connection)
{
    if (connection->state >= STATE_WAITING)
        return;
    if (connection->request)
        request_free(connection->request);
    connection->request = NULL;
    enter_flush(connection);
}

/* What has come fills its room and cannot be taken yet: libevent would tell of more in each turn of
 * the loop, which never rests then. The next step takes some of it. */
static void rest_if_full(struct connection *connection)
{
    bool is_full = evbuffer_get_length(input_of(connection)) >= READ_BYTES_MAX;
    bool reads = event_pending(connection->readable, EV_READ, NULL);
    if (connection->has_ended)
        return; /* on_end() has stopped reading: the end would be told again and again */
    if (is_full && reads)
        event_del(connection->readable);
    else if (!is_full && !reads)
        event_add(connection->readable, NULL);
}

/* Do all that can be done now, but not for longer than a batch: a client that pipelines many
 * requests shares the loop with the others. */
static void process(struct connection *connection)
{
    struct http *http = connection->http;
    int64_t began_us = loop_now_us();
    bool goes_on = false; /* in another turn */
    connection->is_busy = true;
    while (!goes_on && step(connection)) {
        goes_on = connection->state == STATE_HEAD && loop_now_us() - began_us > LOOP_BATCH_US;
        if (goes_on) {
            loop_timer_cancel(http->loop, connection->timer);
            connection->timer = loop_timer_start(http->loop, 0, on_continue, connection);
        }
    }
    connection->is_busy = false;
    rest_if_full(connection);
    bool waits_for_room = connection->state == STATE_HEAD && http_unsent(connection) > 0;
    if (connection->has_ended && !goes_on && !waits_for_room)
        end_reading(connection);
    bool is_over = (http->stopping && connection->state == STATE_HEAD) ||
                   (connection->has_ended && connection->state == STATE_FLUSH);
    if (is_over && http_unsent(connection) == 0)
        http_connection_close(connection, true);
}

/* -- libevent's callbacks ------------------------------------------------------------------- */

/* A client that has said all it has to say (nc -N, socat) is owed its answers all the same. One
 * that has gone for good looks like it, until something is sent to it. */
static void on_end(struct connection *connection)
{
    if (connection->state == STATE_LINGER) {
        http_connection_close(connection, true);
        return;
    }
    event_del(connection->readable);
    connection->has_ended = true;
    process(connection);
}

/* Read here and not by a bufferevent, which asks the kernel first how much there is and then takes
 * less of it. */
void http_on_readable(int fd, short what, void *arg)
{
    (void)what;
    struct connection *connection = arg;
    uint8_t bytes[READ_ONCE_BYTES];
    size_t held = evbuffer_get_length(input_of(connection));
    ASSERT(held < READ_BYTES_MAX); /* see rest_if_full() */
    ssize_t n = recv(fd, bytes, MIN_OF(sizeof bytes, READ_BYTES_MAX - held), 0);
    if (n > 0) {
        evbuffer_add(input_of(connection), bytes, (size_t)n);
        process(connection);
    } else if (n == 0) {
        on_end(connection);
    } else if (errno != EAGAIN && errno != EINTR) {
        http_connection_close(connection, true);
    }
}

void http_on_written(struct bufferevent *bufferevent, void *arg)
{
    (void)bufferevent;
    const struct connection *connection = arg;
    const struct env *env = connection->http->options.env;
    if (env && PLANTED(env, PIPELINES_FORGOTTEN) && connection->state == STATE_HEAD)
        return;
    process(arg);
}

void http_on_event(struct bufferevent *bufferevent, short what, void *arg)
{
    (void)bufferevent;
    (void)what; /* it only writes: what happens is an error */
    http_connection_close(arg, true);
}

/* -- Public --------------------------------------------------------------------------------- */

struct http *http_new(struct loop *loop, const struct http_options *options)
{
    struct http *http = xcalloc(1, sizeof *http);
    http->loop = loop;
    http->options = *options;
    http->unread = http_unread_new(http);
    return http;
}

void http_stop(struct http *http)
{
    http_stop_listening(http);
    http->stopping = true;
    LIST_EACH_REMOVING (struct connection, c, &http->connections, link) {
        if (c->state < STATE_WAITING && http_unsent(c) == 0)
            http_connection_close(c, true);
        else if (c->state < STATE_WAITING)
            enter_flush(c);
    }
}

size_t http_unanswered(const struct http *http)
{
    size_t n = 0;
    LIST_EACH (struct connection, c, &http->connections, link)
        n += c->state == STATE_WAITING || http_unsent(c) > 0;
    return n;
}

void http_free(struct http *http)
{
    if (!http)
        return;
    http_stop_listening(http);
    LIST_EACH_REMOVING (struct connection, c, &http->connections, link) {
        struct request *request = c->request;
        bool is_owed = c->state == STATE_WAITING && !request->is_delayed;
        http_connection_close(c, false);
        if (is_owed)
            request->http = NULL;
    }
    http_unread_free(http->unread);
    xfree(http);
}
