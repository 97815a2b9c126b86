/* http.h - a small HTTP/1.1 server for RPC: bounded in every direction, answers may come later.
 *
 * Layer: host. Loop thread. Beyond limits the client is refused, never the node: heads of
 * HTTP_HEAD_BYTES_MAX, bodies of HTTP_BODY_BYTES_MAX (all together HTTP_BODIES_BYTES_MAX), a
 * deadline from the first byte of a request to its last, HTTP_CONNECTIONS_MAX connections, of
 * which the one that is longest at an unfinished request makes room for a new one, who else is told
 * 503. A client that
 * has not read a byte of its answer for timeout_us is let go. Requests from
 * addresses outside the allowed ranges, and those whose Host or Origin is a foreign name (DNS
 * rebinding, forms of other sites), get 403 before the handler sees them. */
#ifndef HOST_HTTP_H
#define HOST_HTTP_H

#include "host/sockets.h"
#include "util/buffer.h"
#include "util/log.h"
#include "util/span.h"

struct http;
struct loop;

#define HTTP_BODY_BYTES_MAX   ((size_t)32 << 20)
#define HTTP_BODIES_BYTES_MAX ((size_t)128 << 20)
#define HTTP_CONNECTIONS_MAX  256 /* but for those of parked calls */
#define HTTP_PARKED_MAX       512 /* calls that wait for something to happen: http_park() */
#define HTTP_RESERVE          16  /* requests above pending_max, for calls that are quick */
#define HTTP_RETRY_AFTER_S    1   /* said with each 503 */
#define HTTP_HEADERS_MAX     1024 /* bytes of an answer's headers that the handler adds */
#define HTTP_DELAYED_MAX      16  /* refusals that wait; beyond, the connection just ends */

/* A request, from the handler's call until its one answer: http_reply() or http_drop(). */
struct http_request {
    const char *method, *uri;
    /* NULL if absent. */
    const char *host, *origin, *authorization, *content_type, *last_event_id, *cookie;
    const char *fetch_site, *fetch_mode, *fetch_dest; /* Sec-Fetch-... */
    const char *peer; /* "127.0.0.1:50000" */
    struct span body;
    struct buffer *body_take; /* that holds body: the handler may take its bytes */
    size_t body_bytes_max;    /* on_head may lower it: more is refused with 413 */
    bool is_in_reserve;       /* above pending_max: only what is quick may be done */
    void *user;               /* the handler's */
};

struct http_response {
    int status;
    const char *content_type;     /* NULL: text/plain */
    const char *www_authenticate; /* NULL: none */
    const char *headers;          /* more, each with its line end; NULL: none. HTTP_HEADERS_MAX */
    int64_t delay_ms;             /* of on_head's refusals: answer only then */
    struct buffer *body_take;     /* NULL: empty; its bytes are taken, the buffer left empty */
};

struct http_options {
    const struct subnet *allowed; /* besides this, loopback always is */
    size_t n_allowed;
    const char *const *allowed_hosts; /* -rpcallowhost */
    size_t n_allowed_hosts;
    int64_t timeout_us;     /* -rpcservertimeout */
    size_t pending_max;     /* requests handed out and not answered; beyond: 503 */
    size_t parked_max;      /* of http_park(); 0: HTTP_PARKED_MAX */
    size_t connections_max; /* of all, parked or not, for want of descriptors; 0: no such limit */
    const struct log *log;  /* may be NULL */
    const struct env *env;  /* whose planted bugs it has (util/planted.h); may be NULL */
    void *ctx;              /* first argument of the functions below */
    /* Is there anything at that path? If not, on_head says so, to whoever asks. NULL: there is. */
    bool (*has_path)(const char *uri);
    /* A request's head has come, not its body. Returns: false to refuse it with *response, whose
     * strings must last; then nobody's memory is filled by its body. NULL: none is refused. */
    bool (*on_head)(void *ctx, struct http_request *request, struct http_response *response);
    void (*on_request)(void *ctx, struct http_request *request);
    /* The client has reset its connection before its answer, which http_reply() would throw away.
     * The handler still owes http_reply() or http_drop(). */
    void (*on_cancel)(void *ctx, struct http_request *request);
    /* A client has read an answer, or a part of one, or has gone: http_unread_all() is less than
     * it was. Call nothing of this server from here. May be NULL. */
    void (*on_room)(void *ctx);
};

/* Make a server that listens nowhere yet. Borrows what options point to. Owns: the caller. */
NODISCARD struct http *http_new(struct loop *loop, const struct http_options *options);
/* Close everything and free. Requests not answered yet stay valid until they are. */
void http_free(struct http *http);

/* Listen on a numeric address; port 0 takes a free one.
 * Returns: the port, or a negative errno as sockets_listen(). */
NODISCARD int http_listen(struct http *http, const char *address, uint16_t port);

/* Listen at a path, for those whom mode lets. Whoever can connect is on this machine: neither its
 * address nor the Host that it names is looked at. The caller removes the path at the end.
 * Returns: 0, or a negative errno as sockets_listen_path(). */
NODISCARD int http_listen_path(struct http *http, const char *path, unsigned mode);

/* Stop listening, end idle connections; the others end after their answer. */
void http_stop(struct http *http);
/* Connections with an answer that is still due or not wholly handed to the kernel. */
size_t http_unanswered(const struct http *http);

/* A request waits for something to happen, maybe for ever: it counts as parked from now on, no
 * longer as pending. Where HTTP_PARKED_MAX do, the first whose client has shut its side, and may be
 * gone, gives way. Returns: false if there is none. */
NODISCARD bool http_park(struct http_request *request);

/* Send a part of an answer whose length is not known yet: in chunks, or to a client of HTTP/1.0 up
 * to the end of the connection. http_reply() sends the last part; status and headers are those of
 * the first. How much a client has not read tells http_unread(). */
void http_reply_part(struct http_request *request, const struct http_response *part);
/* Bytes of answers that the kernel has not taken yet from the request's client's queue; none if the
 * client has gone. */
size_t http_unread(const struct http_request *request);
/* Bytes of memory held by answers to all clients, each until the last of its bytes is taken. */
size_t http_unread_all(const struct http *http);

/* Answer a request, exactly once; it is gone then. Also right after the client went away. */
void http_reply(struct http_request *request, const struct http_response *response);
/* Give a request up without an answer: its connection, if it still stands, is closed. */
void http_drop(struct http_request *request);

#endif
