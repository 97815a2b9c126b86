/* http_internal.h - the server's and its connections' state, for the files http*.c of this layer.
 *
 * Layer: host. http.c reads requests and decides, http_answer.c writes answers, http_listen.c takes
 * connections in. */
#ifndef HOST_HTTP_INTERNAL_H
#define HOST_HTTP_INTERNAL_H

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <time.h>

#include "host/http.h"
#include "host/http_head.h"
#include "util/buffer.h"
#include "util/list.h"

#define READ_BYTES_MAX (64 * 1024) /* taken from the kernel ahead of use */
/* Given to the kernel in one go, if it takes them: the loop is away for some 100 us. By libevent's
 * 16 KB an answer of megabytes takes hundreds of turns. */
#define WRITE_BYTES_MAX (512 * 1024)
#define LISTENERS_MAX   16

/* HEAD, then BODY, or CHUNK_SIZE, CHUNK_DATA and CHUNK_END in turn up to TRAILER; then WAITING.
 * After the answer HEAD again where the connection is kept, else FLUSH and LINGER. Those up to
 * TRAILER have a deadline for the client's bytes; while an answer goes out it is for the client's
 * reading, and each byte that is taken renews it. */
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
    bool is_counted;   /* in n_pending */
    bool is_parked;    /* in n_parked */
    bool is_refused;   /* by its head: the answer is known, the body is thrown away */
    bool is_1_0;       /* understands no chunks */
    bool in_parts;     /* a part of the answer has been queued: http_reply_part() */
    size_t body_bytes; /* of http->body_bytes; the body itself may have been taken */
    bool is_delayed;   /* in n_delayed: the refusal waits for its time */
    uint64_t delay_timer;
    struct http_response response; /* of a refusal */
    struct buffer response_body;
};

struct connection {
    struct http *http;
    struct list_link link;
    struct bufferevent *bufferevent; /* what is sent; reads nothing */
    struct event *readable;          /* something has come; added while there is room for it */
    struct evbuffer *input;          /* what has come and is not taken yet */
    struct request *request;         /* being read or answered */
    enum state state;
    uint64_t left; /* of the body or chunk */
    size_t trailer_bytes;
    size_t untaken_before; /* at the last look of the deadline */
    size_t answer_bytes;   /* of the last answer; SIZE_MAX: of parts */
    int64_t since_us;      /* when the state became head, or the head's first byte came */
    uint64_t timer;
    bool has_bytes; /* the first byte of a request has come */
    bool has_ended; /* the client has shut its side */
    bool is_busy;   /* inside process() */
    bool is_local;  /* by a path of this machine */
    char peer[INET6_ADDRSTRLEN + 8];
};

struct listener {
    struct http *http;
    struct evconnlistener *listener;
    unsigned n_accepted; /* since its last rest */
    uint64_t timer;      /* the end of a rest */
};

/* The bodies of answers that wait to be read by their clients. It outlives the server as long as
 * libevent holds one of them. */
struct unread {
    struct http *http; /* NULL: the server is gone */
    size_t bytes, n_bodies;
};

struct http {
    struct loop *loop;
    struct unread *unread;
    struct http_options options;
    struct listener listeners[LISTENERS_MAX];
    int n_listeners;
    struct list connections;               /* newest first */
    size_t n_pending, n_parked, n_delayed; /* requests: see their limits in http.h */
    size_t body_bytes;                     /* of all requests being read or answered */
    bool stopping;
    time_t date_s; /* that date tells; 0: none yet */
    char date[64];
};

/* A connection that was taken in: its first deadline begins. */
void http_connection_start(struct connection *connection);
/* End a connection. tell: the handler of a request that it waits with hears of it. */
void http_connection_close(struct connection *connection, bool tell);
/* libevent's callbacks of a connection: something came, all is sent, sending failed. */
void http_on_readable(int fd, short what, void *arg);
void http_on_written(struct bufferevent *bufferevent, void *arg);
void http_on_event(struct bufferevent *bufferevent, short what, void *arg);
/* Bytes queued for the client that the kernel has not taken yet; and with those that the kernel
 * could not hand over. */
size_t http_unsent(const struct connection *connection);
size_t http_untaken(const struct connection *connection);

/* Queue a whole answer, without its body if is_head. Takes the bytes of body. */
void http_write_response(struct connection *connection, const struct http_response *response,
                         struct buffer *body, bool is_head, bool keep_alive);
/* Queue a part of the answer to the connection's request: its head before the first, in chunks for
 * who understands them. Takes the bytes of body. */
void http_write_part(struct connection *connection, const struct http_response *response,
                     struct buffer *body);
/* The last part has been queued. */
void http_write_last(struct connection *connection);
/* Open the account of what is unread. */
struct unread *http_unread_new(struct http *http);
/* The server's end lets go of the account; it is freed with the last body that libevent holds. */
void http_unread_free(struct unread *unread);
/* End the connection of the parked call that is the first of those whose clients have shut their
 * side. Returns: false if there is none. */
bool http_evict_parked(struct http *http);
/* Stop listening, for good. */
void http_stop_listening(struct http *http);

#endif
