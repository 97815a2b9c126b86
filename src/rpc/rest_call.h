/* rest_call.h - what handlers of REST routes work with: a path taken apart, answers in three forms.
 *
 * Layer: rpc, for this layer only. A REST request is a struct rpc_call like any other, so that it
 * waits for jobs and for room as methods do; call->rest tells it from them. */
#ifndef RPC_REST_CALL_H
#define RPC_REST_CALL_H

#include "rpc/rpc_internal.h"

/* Of the end of a path: .bin, .hex, .json. */
enum rest_format { REST_FORMAT_NONE, REST_FORMAT_BIN, REST_FORMAT_HEX, REST_FORMAT_JSON };

enum rest_flag {
    REST_LARGE = 1,       /* the answer may have megabytes: it waits until there is room */
    REST_QUICK = 2,       /* done also where the server is full */
    REST_IN_WARMUP = 4,   /* done also while the node starts */
    REST_OPEN = 8,        /* there without -rest, for everybody */
    REST_LOGIN = 16,      /* there without -rest, but for who has a login */
    REST_EXACT = 32,      /* the prefix is all of the path */
    REST_TO_THE_END = 64, /* done also while the node stops */
    REST_UI = 128,        /* there without -rest, with -ui: the dashboard's page */
    REST_SESSION = 256,   /* and there but for who has a session of the dashboard */
};

struct rest_route {
    const char *prefix;
    int flags;
    enum rpc_progress (*handler)(struct rpc_call *call); /* NULL: calls of methods */
};

/* The request. In the call's arena. */
struct rest_request {
    const struct rest_route *route;
    enum rest_format format;
    char *param;       /* the path behind the prefix, without format and query */
    const char *query; /* behind the question mark; "" if there is none */
    struct span body;  /* at most REST_BODY_BYTES_MAX */
    bool is_get;
    bool is_from_elsewhere; /* a page of another origin has caused it: rpc/ui.h */
    const char *last_event_id; /* header value, or NULL */
    const char *host;          /* header value, or NULL */
    const char *content_type;  /* of the answer */
    int status;                /* 0: 200, or 500 with an error */
};

#define REST_BODY_BYTES_MAX ((size_t)16384) /* of a request; outpoints in hex take 1,100 */
#define REST_PARTS_MAX      32              /* of a path; more are refused with the last */

/* Make the answer a refusal in plain text. Returns: RPC_DONE */
enum rpc_progress rest_fail(struct rpc_call *call, int status, const char *format, ...)
    PRINTF(3, 4);
/* The same in what says whether it has succeeded. Returns: false */
bool rest_refuse(struct rpc_call *call, int status, const char *format, ...) PRINTF(3, 4);
/* There is no answer in the format that is asked for. */
enum rpc_progress rest_fail_format(struct rpc_call *call);
/* False, with the same error, unless the format is JSON, the only one of that route. */
NODISCARD bool rest_need_json(struct rpc_call *call);

/* Take the path apart at its slashes, in its place.
 *
 * Out:      parts  REST_PARTS_MAX at most; further slashes stay in the last
 * Returns:  how many, 1 at least */
size_t rest_split(char *path, char **parts);
/* The value that the query gives name, decoded; fallback if it is not there. False, with an error,
 * if the query is not as it should be. */
NODISCARD bool rest_query(struct rpc_call *call, const char *name, const char *fallback,
                          const char **value);
/* A block's hash or a transaction's id; false, with an error, unless it is 64 digits. */
NODISCARD bool rest_read_id(struct rpc_call *call, const char *text, uint8_t id[32]);
/* The number behind "count", 1 to 2000, given as text. */
NODISCARD bool rest_read_count(struct rpc_call *call, const char *text, size_t *count);
/* Digits that fit into 64 bits and nothing else; unlike parse_uint64() no sign. */
NODISCARD bool rest_read_number(const char *text, uint64_t *number);

/* The whole answer as bytes, or as their hex digits. Any thread. */
void rest_put_bytes(struct rpc_call *call, struct span bytes);
/* An id as it is shown, in plain text. */
void rest_put_id(struct rpc_call *call, const uint8_t id[32]);

/* Set an argument of the method that the route is answered by. */
void rest_arg_text(struct rpc_call *call, size_t index, const char *text);
void rest_arg_number(struct rpc_call *call, size_t index, const char *number);
void rest_arg_bool(struct rpc_call *call, size_t index, bool value);

#endif
