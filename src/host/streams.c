/* streams.c - see streams.h */
#include "host/streams.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/loop.h"
#include "host/sockets.h"
#include "util/alloc.h"
#include "util/hash_map.h"

/* With no descriptor left, accepting rests this long instead of spinning on the same error. */
#define ACCEPT_PAUSE_US 100000

struct stream {
    struct streams *owner;
    uint64_t id;
    struct bufferevent *bufferevent; /* NULL: a listener, or it never got a socket */
    struct evconnlistener *listener;
    const struct env_stream_events *events;
    void *arg;
    char address[INET6_ADDRSTRLEN];
    uint16_t port;
    uint64_t timer; /* late report of a failed connect, or accepting resumes */
    int error;      /* for that report */
    bool connecting;
    bool in_callback; /* closing waits until the callback has returned */
    bool closed;
};

struct streams {
    struct loop *loop;
    struct hash_map map; /* by id */
    uint64_t last_id;
};

/* -- Finding ------------------------------------------------------------------------------- */

/* Ids are ours and sequential: spread them so that they do not probe in one run. */
static uint64_t hash_id(uint64_t id)
{
    return id * UINT64_C(0x9e3779b97f4a7c15);
}

static bool has_id(const void *value, const void *key)
{
    const struct stream *stream = value;
    const uint64_t *id = key;
    return stream->id == *id;
}

static struct stream *find(struct streams *streams, uint64_t id)
{
    return hash_map_find(&streams->map, hash_id(id), has_id, &id);
}

static struct stream *stream_new(struct streams *streams, const struct env_stream_events *events,
                                 void *arg)
{
    struct stream *stream = xcalloc(1, sizeof *stream);
    stream->owner = streams;
    stream->id = ++streams->last_id;
    stream->events = events;
    stream->arg = arg;
    hash_map_insert(&streams->map, hash_id(stream->id), stream);
    return stream;
}

/* One try to send what is queued. What the kernel does not take stays, and so does an error for the
 * loop to find. libevent keeps the front of its queue from all but its own writing. */
static void offer(struct stream *stream)
{
    struct evbuffer *output = bufferevent_get_output(stream->bufferevent);
    evutil_socket_t fd = bufferevent_getfd(stream->bufferevent);
    if (fd < 0 || stream->connecting || evbuffer_get_length(output) == 0)
        return;
    evbuffer_unfreeze(output, 1);
    (void)evbuffer_write(output, fd);
    evbuffer_freeze(output, 1);
}

static void stream_release(struct stream *stream)
{
    loop_timer_cancel(stream->owner->loop, stream->timer);
    if (stream->bufferevent) {
        /* A last message has its chance, a stuck peer none. */
        offer(stream);
        bufferevent_free(stream->bufferevent);
    }
    if (stream->listener)
        evconnlistener_free(stream->listener);
    xfree(stream);
}

/* Forget the id now; release now, or when the running callback has returned. */
static void stream_drop(struct stream *stream)
{
    hash_map_remove(&stream->owner->map, hash_id(stream->id), has_id, &stream->id);
    if (stream->bufferevent)
        bufferevent_disable(stream->bufferevent, EV_READ | EV_WRITE);
    if (stream->in_callback)
        stream->closed = true;
    else
        stream_release(stream);
}

/* After a callback, in which the stream may have been closed: then it is gone now. */
static void callback_end(struct stream *stream)
{
    stream->in_callback = false;
    if (stream->closed)
        stream_release(stream);
}

static void report_close(struct stream *stream, int error)
{
    const struct env_stream_events *events = stream->events;
    void *arg = stream->arg;
    uint64_t id = stream->id;
    stream_drop(stream);
    events->on_close(arg, id, error);
}

/* -- libevent's callbacks ------------------------------------------------------------------ */

/* [block 1] Bytes come from the kernel. */
static void on_read(struct bufferevent *bufferevent, void *arg)
{
    struct stream *stream = arg;
    struct evbuffer *input = bufferevent_get_input(bufferevent);
    struct evbuffer_iovec piece;
    /* Piece by piece as libevent holds them: nothing is copied to make it contiguous. */
    while ((bufferevent_get_enabled(bufferevent) & EV_READ) &&
           evbuffer_peek(input, -1, NULL, &piece, 1) > 0 && piece.iov_len > 0) {
        stream->in_callback = true;
        stream->events->on_bytes(stream->arg, stream->id, span_of(piece.iov_base, piece.iov_len));
        bool closed = stream->closed;
        if (!closed)
            evbuffer_drain(input, piece.iov_len);
        stream->in_callback = false;
        if (closed) {
            stream_release(stream);
            return;
        }
    }
}

static void on_write(struct bufferevent *bufferevent, void *arg)
{
    (void)bufferevent;
    struct stream *stream = arg;
    if (stream->connecting)
        return;
    stream->in_callback = true;
    stream->events->on_writable(stream->arg, stream->id);
    callback_end(stream);
}

static void on_event(struct bufferevent *bufferevent, short what, void *arg)
{
    struct stream *stream = arg;
    if (what & BEV_EVENT_CONNECTED) {
        stream->connecting = false;
        sockets_no_delay(bufferevent_getfd(bufferevent));
        stream->in_callback = true;
        stream->events->on_connect(stream->arg, stream->id, stream->address, stream->port);
        callback_end(stream);
        return;
    }
    int error = 0;
    if (what & BEV_EVENT_ERROR) {
        int socket_error = EVUTIL_SOCKET_ERROR();
        error = socket_error ? -socket_error : -ECONNRESET;
    }
    report_close(stream, error);
}

static void start(struct stream *stream, struct bufferevent *bufferevent)
{
    stream->bufferevent = bufferevent;
    bufferevent_setcb(bufferevent, on_read, on_write, on_event, stream);
    bufferevent_setwatermark(bufferevent, EV_READ, 0, STREAMS_READ_BYTES_MAX);
    bufferevent_enable(bufferevent, EV_READ | EV_WRITE);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
                      int len, void *arg)
{
    (void)len;
    struct stream *parent = arg;
    struct bufferevent *bufferevent =
        bufferevent_socket_new(evconnlistener_get_base(listener), fd, BEV_OPT_CLOSE_ON_FREE);
    if (!bufferevent) {
        close(fd);
        return;
    }
    sockets_no_delay(fd);
    struct stream *stream = stream_new(parent->owner, parent->events, parent->arg);
    stream->port = sockets_format(address, stream->address, sizeof stream->address);
    start(stream, bufferevent);
    stream->in_callback = true;
    stream->events->on_connect(stream->arg, stream->id, stream->address, stream->port);
    callback_end(stream);
}

static void resume_accepting(void *arg)
{
    struct stream *stream = arg;
    stream->timer = 0;
    evconnlistener_enable(stream->listener);
}

static void on_accept_error(struct evconnlistener *listener, void *arg)
{
    struct stream *stream = arg;
    evconnlistener_disable(listener);
    loop_timer_cancel(stream->owner->loop, stream->timer);
    stream->timer =
        loop_timer_start(stream->owner->loop, ACCEPT_PAUSE_US, resume_accepting, stream);
}

/* -- Public ------------------------------------------------------------------------------- */

struct streams *streams_new(struct loop *loop)
{
    struct streams *streams = xcalloc(1, sizeof *streams);
    streams->loop = loop;
    hash_map_init(&streams->map);
    return streams;
}

void streams_free(struct streams *streams)
{
    if (!streams)
        return;
    for (;;) {
        size_t at = 0;
        struct stream *stream = hash_map_next(&streams->map, &at);
        if (!stream)
            break;
        stream_drop(stream);
    }
    hash_map_deinit(&streams->map);
    xfree(streams);
}

static void report_failed_connect(void *arg)
{
    struct stream *stream = arg;
    stream->timer = 0;
    report_close(stream, stream->error);
}

uint64_t streams_connect(void *ctx, const char *address, uint16_t port,
                         const struct env_stream_events *events, void *arg)
{
    ASSERT(address && events);
    struct streams *streams = ctx;
    struct stream *stream = stream_new(streams, events, arg);
    stream->connecting = true;
    stream->port = port;
    struct sockaddr_storage to;
    int len = sockets_parse(address, port, &to);
    if (len == 0)
        len = sockets_parse_path(address, &to);
    if (len == 0) {
        stream->error = -EINVAL;
    } else {
        sockets_format((struct sockaddr *)&to, stream->address, sizeof stream->address);
        struct bufferevent *bufferevent = bufferevent_socket_new(
            loop_base(streams->loop), -1, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
        if (!bufferevent) {
            stream->error = -ENOMEM;
        } else {
            start(stream, bufferevent);
            /* A refusal that comes at once is reported as an event too, later. */
            if (bufferevent_socket_connect(bufferevent, (struct sockaddr *)&to, len) != 0)
                stream->error = errno ? -errno : -ECONNREFUSED;
        }
    }
    if (stream->error && stream->bufferevent)
        bufferevent_setcb(stream->bufferevent, NULL, NULL, NULL, NULL);
    if (stream->error)
        stream->timer = loop_timer_start(streams->loop, 0, report_failed_connect, stream);
    return stream->id;
}

uint64_t streams_listen(void *ctx, const char *address, uint16_t port,
                        const struct env_stream_events *events, void *arg, int *error)
{
    ASSERT(address && events && error);
    struct streams *streams = ctx;
    int fd = sockets_listen(address, port);
    if (fd < 0) {
        *error = fd;
        return 0;
    }
    struct stream *stream = stream_new(streams, events, arg);
    /* The backlog of 0 says that the socket listens already. */
    stream->listener = evconnlistener_new(loop_base(streams->loop), on_accept, stream,
                                          LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    if (!stream->listener) {
        close(fd);
        stream_drop(stream);
        *error = -ENOMEM;
        return 0;
    }
    evconnlistener_set_error_cb(stream->listener, on_accept_error);
    *error = 0;
    return stream->id;
}

uint16_t streams_local(void *ctx, uint64_t id, char *address, size_t size)
{
    struct streams *streams = ctx;
    struct stream *stream = find(streams, id);
    if (!stream || !(stream->listener || stream->bufferevent))
        return 0;
    return sockets_local(stream->listener ? evconnlistener_get_fd(stream->listener)
                                          : bufferevent_getfd(stream->bufferevent),
                         address, size);
}

/* [tx 13] And given to the kernel. */
void streams_send(void *ctx, uint64_t id, struct span bytes)
{
    struct streams *streams = ctx;
    struct stream *stream = find(streams, id);
    if (!stream || !stream->bufferevent || stream->error)
        return;
    int rc = bufferevent_write(stream->bufferevent, bytes.p, bytes.len);
    ASSERT(rc == 0);
}

struct lent {
    void (*release)(void *arg);
    void *arg;
};

static void give_back(const void *bytes, size_t len, void *arg)
{
    (void)bytes, (void)len;
    struct lent lent = *(struct lent *)arg;
    xfree(arg);
    lent.release(lent.arg);
}

void streams_send_shared(void *ctx, uint64_t id, struct span bytes, void (*release)(void *arg),
                         void *arg)
{
    struct streams *streams = ctx;
    struct stream *stream = find(streams, id);
    if (!stream || !stream->bufferevent || stream->error) {
        release(arg);
        return;
    }
    struct lent *lent = xmalloc(sizeof *lent);
    *lent = (struct lent){release, arg};
    struct evbuffer *output = bufferevent_get_output(stream->bufferevent);
    int rc = evbuffer_add_reference(output, bytes.p, bytes.len, give_back, lent);
    ASSERT(rc == 0);
}

void streams_flush(void *ctx, uint64_t id)
{
    struct streams *streams = ctx;
    struct stream *stream = find(streams, id);
    if (stream && stream->bufferevent && !stream->error)
        offer(stream);
}

size_t streams_queued_bytes(void *ctx, uint64_t id)
{
    struct streams *streams = ctx;
    struct stream *stream = find(streams, id);
    if (!stream || !stream->bufferevent)
        return 0;
    return evbuffer_get_length(bufferevent_get_output(stream->bufferevent));
}

/* Resuming hands out what was left by on_read() when it was paused in the middle: libevent calls
 * only for new bytes, so ask it to. */
void streams_pause(void *ctx, uint64_t id, bool paused)
{
    struct streams *streams = ctx;
    struct stream *stream = find(streams, id);
    if (!stream || !stream->bufferevent)
        return;
    if (paused) {
        bufferevent_disable(stream->bufferevent, EV_READ);
        return;
    }
    bufferevent_enable(stream->bufferevent, EV_READ);
    if (evbuffer_get_length(bufferevent_get_input(stream->bufferevent)) > 0)
        bufferevent_trigger(stream->bufferevent, EV_READ, BEV_OPT_DEFER_CALLBACKS);
}

void streams_close(void *ctx, uint64_t id)
{
    struct streams *streams = ctx;
    struct stream *stream = find(streams, id);
    if (stream)
        stream_drop(stream);
}
