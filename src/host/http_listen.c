/* http_listen.c - the server's sockets: who may connect, and who makes room for whom. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/http_internal.h"
#include "host/loop.h"
#include "util/alloc.h"
#include "util/log.h"

#define ACCEPT_PAUSE_US  100000
#define ACCEPTS_PER_TURN 32 /* then those who are in have their turn */

/* Make room: end the connection that has been longest at an unfinished request. */
static bool evict_one(struct http *http)
{
    struct connection *oldest = NULL;
    LIST_EACH (struct connection, c, &http->connections, link) {
        bool is_waiting = c->state == STATE_WAITING && !c->request->is_delayed;
        if (is_waiting || (http_unsent(c) > 0 && c->state != STATE_LINGER))
            continue;
        if (!oldest || c->since_us < oldest->since_us)
            oldest = c;
    }
    if (!oldest)
        return false;
    http_connection_close(oldest, true);
    return true;
}

bool http_evict_parked(struct http *http)
{
    struct connection *first = NULL;
    LIST_EACH (struct connection, c, &http->connections, link) {
        bool is_parked = c->state == STATE_WAITING && c->request->is_parked;
        if (is_parked && c->has_ended && (!first || c->since_us < first->since_us))
            first = c;
    }
    if (first)
        http_connection_close(first, true);
    return first != NULL;
}

static bool address_is_allowed(const struct http *http, const char *address)
{
    if (sockets_is_loopback(address))
        return true;
    for (size_t i = 0; i < http->options.n_allowed; i++)
        if (subnet_contains(&http->options.allowed[i], address))
            return true;
    return false;
}

/* There is no place for one more client: it is told so, as far as that goes without waiting. */
static void turn_away(int fd)
{
    static const char text[] = "Too many clients are connected";
    char answer[256];
    int len = snprintf(answer, sizeof answer,
                       "HTTP/1.1 503 %s\r\nRetry-After: %d\r\nContent-Type: text/plain\r\n"
                       "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                       http_reason(503), HTTP_RETRY_AFTER_S, strlen(text), text);
    ASSERT(len > 0 && (size_t)len < sizeof answer);
    (void)!send(fd, answer, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(fd, SHUT_WR);
}

/* Is there a place for one more? Calls that are parked keep their connections beside the others'
 * places. */
static bool make_place(struct http *http)
{
    size_t most = http->options.connections_max;
    bool has_place = http->connections.count - http->n_parked < HTTP_CONNECTIONS_MAX;
    bool has_descriptor = most == 0 || http->connections.count < most;
    return (has_place && has_descriptor) || evict_one(http) ||
           (has_place && http_evict_parked(http));
}

/* "127.0.0.1:50000", "[::1]:50000", or what stands for a path. */
static void name_peer(struct connection *connection, const char *address, uint16_t port)
{
    if (connection->is_local)
        snprintf(connection->peer, sizeof connection->peer, "-rpcsocket");
    else
        snprintf(connection->peer, sizeof connection->peer,
                 strchr(address, ':') ? "[%s]:%u" : "%s:%u", address, (unsigned)port);
}

static void resume_accepting(void *arg)
{
    struct listener *listener = arg;
    listener->timer = 0;
    listener->n_accepted = 0;
    evconnlistener_enable(listener->listener);
}

static void rest(struct listener *listener, int64_t delay_us)
{
    struct loop *loop = listener->http->loop;
    evconnlistener_disable(listener->listener);
    loop_timer_cancel(loop, listener->timer);
    listener->timer = loop_timer_start(loop, delay_us, resume_accepting, listener);
}

/* libevent goes on until nobody waits any more. Of a crowd that comes faster than that all would be
 * let in before one is heard, and the first ones, whose requests lie there unread, would make room
 * for the last. */
static void count_accepted(struct listener *listener)
{
    listener->n_accepted++;
    ASSERT(listener->n_accepted <= ACCEPTS_PER_TURN);
    if (listener->n_accepted == ACCEPTS_PER_TURN)
        rest(listener, 0);
}

/* Have libevent tell of what comes, and send what is queued. */
static void start_io(struct connection *connection, int fd)
{
    struct event_base *base = loop_base(connection->http->loop);
    struct bufferevent *bufferevent = connection->bufferevent;
    bufferevent_setcb(bufferevent, NULL, http_on_written, http_on_event, connection);
    bufferevent_set_max_single_write(bufferevent, WRITE_BYTES_MAX);
    bufferevent_enable(bufferevent, EV_WRITE);
    connection->input = evbuffer_new();
    connection->readable = event_new(base, fd, EV_READ | EV_PERSIST, http_on_readable, connection);
    ASSERT(connection->input && connection->readable); /* memory alone could lack */
    event_add(connection->readable, NULL);
}

static void on_accept(struct evconnlistener *evlistener, evutil_socket_t fd,
                      struct sockaddr *address, int len, void *arg)
{
    (void)evlistener;
    (void)len;
    struct listener *listener = arg;
    struct http *http = listener->http;
    struct bufferevent *bufferevent = NULL;
    count_accepted(listener);
    char text[INET6_ADDRSTRLEN];
    uint16_t port = sockets_format(address, text, sizeof text);
    /* Whom -rpcallowip excludes takes no place, and learns no more than that. */
    bool is_local = address->sa_family == AF_UNIX;
    bool is_allowed = is_local || address_is_allowed(http, text);
    if (!is_allowed)
        log_printf(http->options.log, LOG_HTTP, "a connection from %s is refused: -rpcallowip",
                   text);
    if (is_allowed && make_place(http))
        bufferevent = bufferevent_socket_new(loop_base(http->loop), fd, BEV_OPT_CLOSE_ON_FREE);
    if (!bufferevent) {
        if (is_allowed)
            turn_away(fd);
        close(fd);
        return;
    }
    sockets_no_delay(fd);
    struct connection *connection = xcalloc(1, sizeof *connection);
    *connection =
        (struct connection){.http = http, .bufferevent = bufferevent, .is_local = is_local};
    name_peer(connection, text, port);
    list_add_first(&http->connections, &connection->link);
    start_io(connection, fd);
    http_connection_start(connection);
}

/* No descriptor left: rest a little instead of spinning on the same error. */
static void on_accept_error(struct evconnlistener *evlistener, void *arg)
{
    (void)evlistener;
    rest(arg, ACCEPT_PAUSE_US);
}

/* Take connections from a socket, which is taken over. Returns: 0 or a negative errno */
static int listen_with(struct http *http, int fd)
{
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
    return 0;
}

int http_listen(struct http *http, const char *address, uint16_t port)
{
    ASSERT(http);
    if (http->n_listeners == LISTENERS_MAX)
        return -EMFILE;
    int fd = sockets_listen(address, port);
    if (fd < 0)
        return fd;
    int rc = listen_with(http, fd);
    return rc < 0 ? rc : sockets_local_port(fd);
}

int http_listen_path(struct http *http, const char *path, unsigned mode)
{
    ASSERT(http && path);
    if (http->n_listeners == LISTENERS_MAX)
        return -EMFILE;
    int fd = sockets_listen_path(path, mode);
    return fd < 0 ? fd : listen_with(http, fd);
}

void http_stop_listening(struct http *http)
{
    ASSERT(http);
    for (int i = 0; i < http->n_listeners; i++) {
        loop_timer_cancel(http->loop, http->listeners[i].timer);
        evconnlistener_free(http->listeners[i].listener);
    }
    http->n_listeners = 0;
}
