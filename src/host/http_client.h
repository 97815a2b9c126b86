/* http_client.h - one HTTP request to an RPC server, waiting for the answer.
 *
 * Layer: host. For the command line only: it blocks. */
#ifndef HOST_HTTP_CLIENT_H
#define HOST_HTTP_CLIENT_H

#include "util/buffer.h"

#define HTTP_CLIENT_BODY_MAX (512u << 20) /* larger answers are refused */

struct http_client_request {
    const char *host; /* name or address */
    uint16_t port;
    const char *socket_path; /* instead of these, or NULL */
    const char *login;       /* "user:password" */
    const char *path;        /* "/", or that of a wallet */
    struct span body;        /* JSON, sent by POST */
    int64_t timeout_s;       /* for each wait; 0: none */
};

enum http_client_outcome {
    HTTP_CLIENT_OK,
    HTTP_CLIENT_NO_CONNECTION, /* nobody listens there */
    HTTP_CLIENT_LOST,          /* timeout, or the connection ended too early */
};

/* Send and wait.
 *
 * Out:      *status  of HTTP; body gets the answer's body (owned by the caller, also on failure)
 *           error    a short reason if the outcome is not OK: xfree it */
enum http_client_outcome http_client_post(const struct http_client_request *request, int *status,
                                          struct buffer *body, char **error);

#endif
