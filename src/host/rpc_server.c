/* rpc_server.c - see rpc_server.h */
#include "host/rpc_server.h"

#include <string.h>
#include <unistd.h>

#include "host/http.h"
#include "host/loop.h"
#include "util/alloc.h"
#include "util/list.h"

/* One call, from its request to its answer. Whoever comes last frees it: the answer, or the return
 * of rpc_handle(), within which the answer may come already. */
struct call {
    struct rpc_server *server;
    struct list_link link;
    struct http_request *request;
    uint64_t token;
    bool in_handle; /* rpc_handle() has not returned yet */
    bool is_answered;
};

struct rpc_server {
    struct http *http;
    struct rpc *rpc;
    struct list calls;
    char *path; /* of the socket that is removed at the end, or NULL */
};

static void call_free(struct call *call)
{
    list_remove(&call->server->calls, &call->link);
    xfree(call);
}

static struct http_response response_of(struct rpc_reply *reply)
{
    return (struct http_response){
        .status = reply->status,
        .content_type = reply->content_type,
        .www_authenticate = reply->www_authenticate,
        .headers = reply->headers,
        .body_take = &reply->body,
    };
}

static void on_reply(void *arg, struct rpc_reply *reply)
{
    struct call *call = arg;
    const struct http_response response = response_of(reply);
    if (reply->is_cut)
        http_drop(call->request);
    else
        http_reply(call->request, &response);
    call->is_answered = true;
    if (!call->in_handle)
        call_free(call);
}

static bool on_park(void *arg)
{
    const struct call *call = arg;
    return http_park(call->request);
}

static void on_part(void *arg, struct rpc_reply *part)
{
    const struct call *call = arg;
    const struct http_response response = response_of(part);
    http_reply_part(call->request, &response);
}

static size_t unread_of(void *arg)
{
    const struct call *call = arg;
    return http_unread(call->request);
}

static size_t unread_of_all(void *arg)
{
    const struct call *call = arg;
    return http_unread_all(call->server->http);
}

static const struct rpc_client http_client = {
    .park = on_park, .send_part = on_part, .unread = unread_of, .unread_all = unread_of_all};

static void on_room(void *ctx)
{
    const struct rpc_server *server = ctx;
    rpc_on_room(server->rpc);
}

static bool on_head(void *ctx, struct http_request *request, struct http_response *response)
{
    const struct rpc_server *server = ctx;
    const struct rpc_request rpc_request = {
        .http_method = request->method,
        .uri = request->uri,
        .authorization = request->authorization,
        .content_type = request->content_type,
        .host = request->host,
        .origin = request->origin,
        .cookie = request->cookie,
        .fetch_site = request->fetch_site,
        .fetch_mode = request->fetch_mode,
        .fetch_dest = request->fetch_dest,
        .peer = request->peer,
    };
    struct rpc_reply reply;
    size_t body_max;
    bool is_admitted = rpc_admit(server->rpc, &rpc_request, &body_max, &reply);
    request->body_bytes_max = MIN_OF(request->body_bytes_max, body_max);
    if (is_admitted)
        return true;
    response->status = reply.status;
    response->content_type = reply.content_type;
    response->www_authenticate = reply.www_authenticate;
    response->delay_ms = reply.delay_ms;
    *response->body_take = reply.body;
    return false;
}

/* [tx 1] A call has come by HTTP. */
static void on_request(void *ctx, struct http_request *request)
{
    struct rpc_server *server = ctx;
    struct call *call = xcalloc(1, sizeof *call);
    *call = (struct call){.server = server, .request = request};
    list_add_first(&server->calls, &call->link);
    request->user = call;
    const struct rpc_request rpc_request = {
        .http_method = request->method,
        .uri = request->uri,
        .authorization = request->authorization,
        .content_type = request->content_type,
        .last_event_id = request->last_event_id,
        .host = request->host,
        .origin = request->origin,
        .cookie = request->cookie,
        .fetch_site = request->fetch_site,
        .fetch_mode = request->fetch_mode,
        .fetch_dest = request->fetch_dest,
        .peer = request->peer,
        .body = request->body,
        .body_take = request->body_take,
        .is_in_reserve = request->is_in_reserve,
        .client = &http_client,
    };
    call->in_handle = true;
    call->token = rpc_handle(server->rpc, &rpc_request, on_reply, call);
    call->in_handle = false;
    if (call->is_answered)
        call_free(call);
}

static void on_cancel(void *ctx, struct http_request *request)
{
    struct rpc_server *server = ctx;
    struct call *call = request->user;
    /* First, so that nobody answers a call that is freed: the method may still be at work for it.
     */
    rpc_cancel(server->rpc, call->token);
    http_drop(request);
    call_free(call);
}

/* One address that can't be had is logged, as in Core: the others serve. Returns: false with *error
 * if none can. */
static bool listen_all(struct rpc_server *server, const struct config *config,
                       const struct log *log, char **error)
{
    size_t n_bound = 0;
    char *why = NULL; /* of the first that failed */
    for (size_t i = 0; i < config->n_rpc_binds; i++) {
        const struct config_bind *bind = &config->rpc_binds[i];
        int rc = http_listen(server->http, bind->host, bind->port);
        if (rc > 0) {
            n_bound++;
            log_printf(log, LOG_HTTP, "RPC listens on %s port %d", bind->host, rc);
            continue;
        }
        log_warning(log, "Binding RPC on address %s port %u failed: %s", bind->host,
                    (unsigned)bind->port, strerror(-rc));
        if (!why)
            why = xasprintf("%s port %u: %s", bind->host, (unsigned)bind->port, strerror(-rc));
    }
    if (n_bound == 0)
        *error = xasprintf("Unable to bind any endpoint for RPC server: %s", why);
    xfree(why);
    return n_bound > 0;
}

/* The socket in the file system. Returns: false with *error */
static bool listen_at_path(struct rpc_server *server, const struct config *config,
                           const struct log *log, char **error)
{
    if (!config->rpc_socket_path)
        return true;
    int rc = http_listen_path(server->http, config->rpc_socket_path, config->rpc_socket_mode);
    if (rc < 0)
        return fail_with(error, "Unable to listen for RPC at '%s': %s", config->rpc_socket_path,
                         strerror(-rc));
    server->path = xstrdup(config->rpc_socket_path);
    log_printf(log, LOG_HTTP, "RPC listens at %s", server->path);
    return true;
}

struct rpc_server *rpc_server_new(struct loop *loop, const struct env *env, struct rpc *rpc,
                                  const struct config *config, const struct log *log, char **error)
{
    ASSERT(error);
    *error = NULL;
    struct rpc_server *server = xcalloc(1, sizeof *server);
    const struct http_options options = {
        .allowed = config->rpc_allowed,
        .n_allowed = config->n_rpc_allowed,
        .allowed_hosts = config->rpc_hosts.at,
        .n_allowed_hosts = config->rpc_hosts.n,
        .timeout_us = config->rpc_timeout_us,
        .pending_max = config->rpc_pending_max,
        .parked_max = config->rpc_parked_max,
        .connections_max = config->rpc_connections_max,
        .ctx = server,
        .log = log,
        .env = env,
        .has_path = rpc_has_path,
        .on_head = on_head,
        .on_request = on_request,
        .on_cancel = on_cancel,
        .on_room = on_room,
    };
    server->rpc = rpc;
    log_printf(log, LOG_ALWAYS, "Starting HTTP server");
    server->http = http_new(loop, &options);
    if (!listen_all(server, config, log, error) || !listen_at_path(server, config, log, error)) {
        rpc_server_free(server);
        return NULL;
    }
    return server;
}

void rpc_server_stop(struct rpc_server *server)
{
    http_stop(server->http);
}

bool rpc_server_is_idle(const struct rpc_server *server)
{
    return http_unanswered(server->http) == 0;
}

void rpc_server_free(struct rpc_server *server)
{
    if (!server)
        return;
    struct call *call;
    while ((call = LIST_FIRST(struct call, &server->calls, link))) {
        rpc_cancel(server->rpc, call->token);
        http_drop(call->request);
        call_free(call);
    }
    http_free(server->http);
    if (server->path)
        unlink(server->path);
    xfree(server->path);
    xfree(server);
}
