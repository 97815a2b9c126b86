/* rest_ui.c - the dashboard: its page, the address that opens it, the map that it shows. */
#include <errno.h>
#include <string.h>

#include "rpc/methods.h"
#include "rpc/rest.h"
#include "rpc/ui.h"
#include "rpc/ui_page.h"
#include "util/alloc.h"
#include "util/read_file.h"

enum { MESH_BYTES_MAX = 1 << 20 }; /* of -uimesh's file; a thousand nodes take half of it */

static void put_page(struct rpc_call *call)
{
    const struct ui_page *page = ui_page(call->rpc->ui);
    char *headers = xasprintf("%s%s", call->headers, page->headers);
    xfree(call->headers);
    call->headers = headers;
    call->rest->content_type = "text/html; charset=utf-8";
    buffer_append(&call->answer, page->html.p, page->html.len);
}

/* The answer is to go elsewhere. cookie: a header that goes with it, or "". Where another site's
 * link was followed it is our own page that goes on: what a browser is sent on to counts as the
 * other site's, and gets no cookie. */
static enum rpc_progress go_to_page(struct rpc_call *call, const char *cookie)
{
    bool goes_on = call->rest->is_from_elsewhere;
    char *headers = xasprintf("%s%s: %s/ui/\r\n%s", call->headers, goes_on ? "Refresh" : "Location",
                              goes_on ? "0; url=" : "", cookie);
    xfree(call->headers);
    call->headers = headers;
    call->rest->status = goes_on ? 200 : 303;
    return RPC_DONE;
}

/* Who has a right token gets a session; the address that stays in the browser has none in it. */
static enum rpc_progress log_in(struct rpc_call *call, const char *token)
{
    char session[UI_SECRET_TEXT], name[UI_COOKIE_NAME];
    if (!ui_redeem(call->rpc->ui, token, session)) {
        log_printf(call->rpc->node->log, LOG_HTTP,
                   "dashboard: an address was opened that is not good (any more)");
        call->rest->status = 403;
        put_page(call);
        return RPC_DONE;
    }
    ui_cookie_name(call->rest->host, name);
    char *cookie = xasprintf("Set-Cookie: %s=%s; Path=/ui/; Max-Age=%d; HttpOnly; "
                             "SameSite=Strict\r\n",
                             name, session, UI_SESSION_S);
    enum rpc_progress progress = go_to_page(call, cookie);
    xfree(cookie);
    return progress;
}

enum rpc_progress rest_ui_page(struct rpc_call *call)
{
    const char *token;
    ASSERT(call->rpc->ui && call->headers);
    if (!call->rest->is_get)
        return rest_fail(call, 405, "Only GET is handled here");
    if (!rest_query(call, "token", NULL, &token))
        return RPC_DONE;
    if (token)
        return log_in(call, token);
    if (strcmp(call->rest->route->prefix, "/ui") == 0)
        return go_to_page(call, "");
    put_page(call);
    return RPC_DONE;
}

enum rpc_progress rpc_ui(struct rpc_call *call)
{
    struct ui *ui = call->rpc->ui;
    char token[UI_SECRET_TEXT];
    if (!ui)
        return rpc_fail(call, RPC_MISC_ERROR, "The dashboard is off: start the node with -ui");
    ui_invite(ui, call->user, token);
    char *address = xasprintf("%s/ui/?token=%s", ui_address(ui), token);
    json_put_string(&call->out, address);
    xfree(address);
    return RPC_DONE;
}

/* -- The map of the mesh -------------------------------------------------------------------- */

static void run_read(struct env_job *job)
{
    struct rpc_call *call = rpc_job_call(job);
    const struct rpc *rpc = call->rpc;
    int error = read_file(rpc->node->env, ui_mesh_path(rpc->ui), MESH_BYTES_MAX, &call->answer);
    if (error == -EFBIG)
        rest_fail(call, 500, "The map of the mesh has more than %d bytes", MESH_BYTES_MAX);
    else if (error)
        rest_fail(call, 404, "There is no map of the mesh yet");
}

enum rpc_progress rest_ui_mesh(struct rpc_call *call)
{
    ASSERT(call->rpc->ui);
    if (!call->rest->is_get)
        return rest_fail(call, 405, "Only GET is handled here");
    if (!ui_mesh_path(call->rpc->ui))
        return rest_fail(call, 404, "The node knows no map of the mesh: see -uimesh");
    call->rest->content_type = "application/json";
    rpc_run_job(call, run_read, NULL);
    return RPC_PENDING;
}
