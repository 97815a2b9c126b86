/* rest.c - see rest.h */
#include "rpc/rest.h"

#include <string.h>

#include "rpc/ui.h"
#include "util/alloc.h"

#define REST_PROBE (REST_EXACT | REST_OPEN | REST_QUICK | REST_IN_WARMUP)

/* The first that fits is meant: longer ones come first. */
/* clang-format off */
static const struct rest_route routes[] = {
    {"/rest/tx/",                 REST_LARGE, rest_tx},
    {"/rest/block/notxdetails/",  REST_LARGE, rest_block_notxdetails},
    {"/rest/block/",              REST_LARGE, rest_block},
    {"/rest/blockpart/",          REST_LARGE, rest_blockpart},
    {"/rest/blockfilter/",        0,          rest_blockfilter},
    {"/rest/blockfilterheaders/", 0,          rest_blockfilterheaders},
    {"/rest/chaininfo",           0,          rest_chaininfo},
    {"/rest/mempool/",            REST_LARGE, rest_mempool},
    {"/rest/headers/",            0,          rest_headers},
    {"/rest/getutxos",            0,          rest_getutxos},
    {"/rest/deploymentinfo/",     0,          rest_deploymentinfo},
    {"/rest/deploymentinfo",      0,          rest_deploymentinfo},
    {"/rest/blockhashbyheight/",  0,          rest_blockhashbyheight},
    {"/rest/spenttxouts/",        REST_LARGE, rest_spenttxouts},
    {"/events",                   REST_EXACT | REST_LOGIN, rest_events},
    {"/ui",                       REST_EXACT | REST_UI | REST_IN_WARMUP, rest_ui_page},
    {"/ui/",                      REST_EXACT | REST_UI | REST_IN_WARMUP, rest_ui_page},
    {"/ui/rpc",                   REST_EXACT | REST_UI | REST_SESSION, NULL},
    {"/ui/events",                REST_EXACT | REST_UI | REST_SESSION, rest_events},
    {"/ui/mesh",                  REST_EXACT | REST_UI | REST_SESSION, rest_ui_mesh},
    {"/livez",                    REST_PROBE | REST_TO_THE_END, rest_livez},
    {"/readyz",                   REST_PROBE | REST_TO_THE_END, rest_readyz},
    {"/metrics",                  REST_PROBE, rest_metrics},
};
/* clang-format on */

const struct rest_route *rest_find(const char *uri)
{
    /* Calls come by "/", and none of them should be held against each route. */
    if (!uri || uri[0] != '/' || uri[1] == '\0')
        return NULL;
    for (size_t i = 0; i < COUNT_OF(routes); i++) {
        size_t len = strlen(routes[i].prefix);
        if (strncmp(uri, routes[i].prefix, len) != 0)
            continue;
        if (!(routes[i].flags & REST_EXACT) || uri[len] == '\0' || uri[len] == '?')
            return &routes[i];
    }
    return NULL;
}

/* Cut the format off the path's end; what is no format stays. */
static enum rest_format cut_format(char *param)
{
    static const char *const names[] = {
        [REST_FORMAT_BIN] = "bin", [REST_FORMAT_HEX] = "hex", [REST_FORMAT_JSON] = "json"};
    char *dot = strrchr(param, '.');
    for (int i = REST_FORMAT_BIN; dot && i <= REST_FORMAT_JSON; i++) {
        if (strcmp(dot + 1, names[i]) != 0)
            continue;
        *dot = '\0';
        return (enum rest_format)i;
    }
    return REST_FORMAT_NONE;
}

static char *copy_text(struct arena *arena, const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(arena_alloc(arena, size), text, size);
}

void rest_read(struct rpc_call *call, const struct rest_route *route,
               const struct rpc_request *request)
{
    ASSERT(route && request->body.len <= REST_BODY_BYTES_MAX);
    static const char *const types[] = {[REST_FORMAT_NONE] = "text/plain",
                                        [REST_FORMAT_BIN] = "application/octet-stream",
                                        [REST_FORMAT_HEX] = "text/plain",
                                        [REST_FORMAT_JSON] = "application/json"};
    struct rest_request *rest = arena_calloc(&call->arena, 1, sizeof *rest);
    const char *query = strchr(request->uri, '?');
    rest->route = route;
    rest->param = copy_text(&call->arena, request->uri + strlen(route->prefix));
    rest->param[strcspn(rest->param, "?")] = '\0';
    rest->query = copy_text(&call->arena, query ? query + 1 : "");
    rest->format = cut_format(rest->param);
    rest->content_type = types[rest->format];
    rest->is_get = request->http_method && strcmp(request->http_method, "GET") == 0;
    rest->is_from_elsewhere = ui_is_from_elsewhere(request);
    if (request->last_event_id)
        rest->last_event_id = copy_text(&call->arena, request->last_event_id);
    if (request->host)
        rest->host = copy_text(&call->arena, request->host);
    uint8_t *body = arena_alloc(&call->arena, request->body.len + 1);
    if (request->body.len)
        memcpy(body, request->body.p, request->body.len);
    rest->body = span_of(body, request->body.len);
    call->rest = rest;
}

enum rpc_progress rest_run(struct rpc_call *call)
{
    ASSERT(call->rest && call->rest->route);
    const struct rest_route *route = call->rest->route;
    const char *doing = rpc_warmup(call->rpc);
    call->result_mark = json_out_mark(&call->out);
    if (doing && !(route->flags & REST_IN_WARMUP))
        return rest_fail(call, 503, "Service temporarily unavailable: %s", doing);
    return route->handler(call);
}

void rest_close(struct rpc_call *call)
{
    struct rest_request *rest = call->rest;
    ASSERT(rest && (call->error_code == 0 || call->error_message));
    if (call->error_code == 0) {
        call->status = rest->status ? rest->status : 200;
        if (rest->format == REST_FORMAT_HEX || rest->format == REST_FORMAT_JSON)
            buffer_append_string(&call->answer, "\n");
        return;
    }
    /* An error of the method that stands behind the route has no status of its own. */
    call->status = rest->status ? rest->status : 500;
    rest->content_type = "text/plain";
    json_out_rewind(&call->out, call->result_mark);
    buffer_append_string(&call->answer, call->error_message);
    buffer_append_string(&call->answer, "\r\n");
}
