/* rpc.c - the life of a call: taken, executed entry by entry, answered once. */
#include "rpc/rpc.h"

#include "crypto/key.h"
#include "rpc/event_log.h"
#include "rpc/jsonrpc.h"
#include "rpc/method_table.h"
#include "rpc/rest.h"
#include "rpc/ui.h"
#include "util/alloc.h"

enum {
    ARENA_CHUNK_BYTES = 4096,
    TURN_US = 2000,          /* a batch gives way to other work after this long */
    AUTH_DELAY_MS = 250,     /* against guessing. Core: 250 ms too, but it blocks its thread */
    PARSE_NOW_BYTES = 65536, /* a millisecond; larger bodies take a job */
    QUICK_BYTES_MAX = 4096,  /* of a request that is done although the server is full */
};

/* -- Life of the whole -------------------------------------------------------------------- */

static void call_run(struct rpc_call *call);
static void entry_ended(struct rpc_call *call);

/* Tells cursors of this life of the node from those of others. */
static uint32_t random_life(const struct env *env)
{
    uint32_t life;
    env_random(env, &life, sizeof life);
    return life;
}

struct rpc *rpc_new(const struct rpc_node *node, const struct rpc_methods *methods,
                    const struct rpc_auth_options *auth, char **error)
{
    ASSERT(node && methods->n > 0);
    struct auth *checked = auth_new(auth, error);
    if (!checked)
        return NULL;
    struct rpc *rpc = xcalloc(1, sizeof *rpc);
    rpc->node = node;
    rpc->methods = methods;
    rpc->auth = checked;
    rpc->run = call_run;
    rpc->entry_ended = entry_ended;
    rpc->next_token = 1;
    rpc->has_rest = auth->rest;
    rpc->events = event_log_new(auth->event_log_max ? auth->event_log_max : EVENT_LOG_DEFAULT,
                                random_life(node->env));
    rpc->warnings_as_string = auth->deprecated_warnings_string;
    rpc->shows_start_height = auth->deprecated_start_height;
    if (auth->ui_address)
        rpc->ui = ui_new(node->env, auth->ui_address, auth->ui_mesh_path);
    return rpc;
}

bool rpc_set_auth(struct rpc *rpc, const struct rpc_auth_options *auth, char **error)
{
    ASSERT(auth && error);
    ASSERT(rpc);
    struct auth *checked = auth_new(auth, error);
    if (!checked)
        return false;
    auth_free(rpc->auth);
    rpc->auth = checked;
    if (rpc->ui)
        ui_end_all(rpc->ui); /* who had a login may have none now */
    return true;
}

void rpc_free(struct rpc *rpc)
{
    if (!rpc)
        return;
    ASSERT(rpc->calls.count == 0 && rpc->loads.count == 0);
    if (rpc->room_timer)
        env_timer_cancel(rpc->node->env, rpc->room_timer);
    template_cache_drop(&rpc->template);
    dev_purse_deinit(&rpc->purse);
    event_log_free(rpc->events);
    ui_free(rpc->ui);
    auth_free(rpc->auth);
    ec_context_free(rpc->ec);
    xfree(rpc);
}

size_t rpc_pending(const struct rpc *rpc)
{
    return rpc->calls.count;
}

/* -- Life of a call ----------------------------------------------------------------------- */

static struct rpc_call *call_new(struct rpc *rpc, rpc_reply_fn *reply, void *arg)
{
    ASSERT(rpc && reply);
    struct rpc_call *call = xcalloc(1, sizeof *call);
    call->rpc = rpc;
    call->token = rpc->next_token++;
    call->reply = reply;
    call->reply_arg = arg;
    call->status = 200;
    arena_init(&call->arena, ARENA_CHUNK_BYTES);
    buffer_init(&call->answer);
    call->out = json_out_to(&call->answer);
    list_add_first(&rpc->calls, &call->link);
    return call;
}

/* The memory of a long request: to give it back takes as long as to parse it. */
struct free_job {
    struct env_job job;
    struct arena arena;
};

static void run_free(struct env_job *job)
{
    arena_deinit(&CONTAINER_OF(job, struct free_job, job)->arena);
}

static void on_freed(struct env_job *job)
{
    struct free_job *free_job = CONTAINER_OF(job, struct free_job, job);
    arena_deinit(&free_job->arena); /* of a job that was cancelled */
    xfree(free_job);
}

static void free_arena(struct rpc_call *call)
{
    const struct env *env = call->rpc->node->env;
    if (!call->is_long) {
        arena_deinit(&call->arena);
        return;
    }
    struct free_job *free_job = xcalloc(1, sizeof *free_job);
    free_job->job = (struct env_job){.run = run_free, .done = on_freed};
    free_job->arena = call->arena;
    env_job_submit(env, ENV_POOL_COMPUTE, ENV_PRIORITY_LOW, &free_job->job);
}

static void call_free(struct rpc_call *call)
{
    ASSERT(!call->is_running && call->timer == 0);
    struct rpc *rpc = call->rpc;
    list_remove(&rpc->calls, &call->link);
    if (call->turn_timer)
        env_timer_cancel(rpc->node->env, call->turn_timer);
    xfree(call->error_message);
    xfree(call->headers);
    buffer_deinit(&call->answer);
    rpc_room_forget(call);
    free_arena(call);
    xfree(call);
}

/* Send what is in answer and forget the call. */
static void call_answer(struct rpc_call *call)
{
    ASSERT(!call->waits_for_room);
    struct rpc_reply reply = {
        .status = call->status,
        .content_type = call->rest ? call->rest->content_type : "application/json",
        .headers = call->headers,
        .body = call->answer,
    };
    rpc_reply_fn *fn = call->reply;
    void *arg = call->reply_arg;
    char *headers = call->headers;
    buffer_init(&call->answer);
    call->headers = NULL;
    call_free(call);
    if (fn)
        fn(arg, &reply);
    buffer_deinit(&reply.body);
    xfree(headers);
}

/* A refusal without JSON. The body is the caller's to free. */
static struct rpc_reply refusal(int status, const char *text)
{
    struct rpc_reply reply = {.status = status, .content_type = "text/plain; charset=utf-8"};
    if (status == 401) {
        reply.www_authenticate = "Basic realm=\"jsonrpc\"";
        reply.delay_ms = *text ? AUTH_DELAY_MS : 0;
        text = "";
    }
    buffer_init(&reply.body);
    buffer_append_string(&reply.body, text);
    return reply;
}

/* Refuse without JSON. */
static void call_refuse(struct rpc_call *call, int status, const char *text)
{
    ASSERT(status >= 400 && call->reply && !call->in_parts);
    struct rpc_reply reply = refusal(status, text);
    rpc_reply_fn *fn = call->reply;
    void *arg = call->reply_arg;
    call_free(call);
    fn(arg, &reply);
    buffer_deinit(&reply.body);
}

/* Forget what belonged to the entry before, and give back what it has taken of the arena: the undo
 * of a thousand blocks is too much for one batch. */
static void entry_reset(struct rpc_call *call)
{
    arena_rewind(&call->arena, call->request_end);
    call->id = NULL;
    call->is_v2 = false;
    call->method = NULL;
    memset(call->args, 0, sizeof call->args);
    call->n_args = 0;
    call->entry_done = false;
    call->error_code = 0;
    call->state = NULL;
    call->on_tip = NULL;
    call->on_event = NULL;
    call->on_interrupt = NULL;
}

/* The entry has its result or error: write its end. */
static void entry_close(struct rpc_call *call)
{
    const struct env *env = call->rpc->node->env;
    if (call->timer)
        env_timer_cancel(env, call->timer);
    call->timer = 0;
    call->on_tip = NULL;
    call->on_event = NULL;
    call->on_interrupt = NULL;
    if (call->rest)
        rest_close(call);
    else
        jsonrpc_close_reply(call);
    rpc_room_give(call);
}

static void run_pure(struct env_job *job)
{
    struct rpc_call *call = rpc_job_call(job);
    enum rpc_progress progress = call->method->handler(call);
    ASSERT(progress == RPC_DONE);
}

/* Have handler answer. Returns true if it has already. */
static bool entry_handle(struct rpc_call *call, enum rpc_progress (*handler)(struct rpc_call *call))
{
    call->is_running = true;
    if (handler(call) == RPC_DONE)
        call->entry_done = true;
    call->is_running = false;
    return call->entry_done;
}

/* Start the current entry. Returns true if it is done already. */
static bool entry_start(struct rpc_call *call)
{
    ASSERT((call->entry || call->rest) && !call->is_running);
    if (call->rest)
        return entry_handle(call, rest_run);
    bool valid = jsonrpc_read_request(call, call->entry);
    jsonrpc_open_reply(call);
    call->started_us = env_now_us(call->rpc->node->env);
    if (!valid)
        return true;
    if (call->rpc->is_interrupted && !(call->method->flags & RPC_QUICK)) {
        (void)rpc_fail(call, RPC_CLIENT_NOT_CONNECTED, "Shutting down");
        return true;
    }
    log_printf(call->rpc->node->log, LOG_RPC, "ThreadRPCServer method=%s user=%s",
               call->method->name, call->user);
    if (call->is_long && (call->method->flags & RPC_PURE)) {
        rpc_run_job(call, run_pure, NULL);
        return false;
    }
    return entry_handle(call, call->method->handler);
}

/* All entries are done. */
static void call_complete(struct rpc_call *call)
{
    ASSERT(!call->waits_for_room && call->turn_timer == 0);
    if (call->is_queue_full && !call->is_batch) {
        call_refuse(call, 503, "Work queue depth exceeded");
        return;
    }
    if (call->rest) {
        call_answer(call);
        return;
    }
    if (call->is_batch) {
        bool is_empty = call->answer.len == 1 && !call->in_parts;
        json_close_array(&call->out);
        /* A batch of notifications only gets no answer; an empty batch gets an empty one. */
        if (is_empty && call->entry)
            call->status = 204;
    } else {
        call->status = jsonrpc_http_status(call);
        if (jsonrpc_is_notification(call))
            call->status = 204;
    }
    if (call->status == 204)
        call->answer.len = 0;
    else
        buffer_append(&call->answer, "\n", 1);
    call_answer(call);
}

static void on_turn(void *arg);

/* The end of a call that is answered no more, or no further. */
static void call_end_waiting(struct rpc_call *call)
{
    ASSERT(call->waits_for_room && call->reply);
    rpc_room_leave(call);
    if (!call->in_parts) {
        call_refuse(call, 503, "Shutting down");
        return;
    }
    struct rpc_reply reply = {.is_cut = true};
    rpc_reply_fn *fn = call->reply;
    void *arg = call->reply_arg;
    call_free(call);
    fn(arg, &reply);
}

static void call_run(struct rpc_call *call)
{
    ASSERT(call->turn_timer == 0 && !call->is_running);
    const struct env *env = call->rpc->node->env;
    int64_t start_us = env_now_us(env);
    for (;;) {
        entry_reset(call); /* before it waits */
        if (!rpc_room_take(call)) {
            if (call->rpc->is_interrupted)
                call_end_waiting(call);
            return; /* rpc_on_room() goes on */
        }
        if (!entry_start(call))
            return; /* rpc_finish() goes on */
        entry_close(call);
        if (!call->is_batch || !call->entry->next)
            break;
        call->entry = call->entry->next;
        if (env_now_us(env) - start_us > TURN_US) {
            call->turn_timer = env_timer_start(env, 0, on_turn, call);
            return;
        }
    }
    call_complete(call);
}

/* The request is read: run its first entry. */
static void call_begin(struct rpc_call *call)
{
    call->request_end = arena_mark(&call->arena);
    call_run(call);
}

static void on_turn(void *arg)
{
    ASSERT(arg);
    struct rpc_call *call = arg;
    call->turn_timer = 0;
    call_run(call);
}

static void entry_ended(struct rpc_call *call)
{
    ASSERT(call->entry_done && !call->is_running);
    entry_close(call);
    if (call->is_batch && call->entry->next && call->reply) {
        call->entry = call->entry->next;
        call_run(call);
    } else {
        call_complete(call);
    }
}

/* -- Waiting ------------------------------------------------------------------------------ */

static struct rpc_call *first_call(const struct rpc *rpc)
{
    return LIST_FIRST(struct rpc_call, &rpc->calls, link);
}

void rpc_on_tip_changed(struct rpc *rpc, const struct block_node *tip)
{
    ASSERT(rpc);
    (void)tip; /* waiting calls ask the chain */
    rpc->tip_sequence++;
    template_cache_drop(&rpc->template); /* nobody will ask for it again */
    /* Answering may change the list: start again after each. */
    struct rpc_call *call = first_call(rpc);
    while (call) {
        if (call->on_tip && call->tip_seen != rpc->tip_sequence) {
            call->tip_seen = rpc->tip_sequence;
            call->on_tip(call);
            call = first_call(rpc);
        } else {
            call = LIST_NEXT(struct rpc_call, call, link);
        }
    }
}

/* Make a waiting call end. */
static void interrupt(struct rpc_call *call)
{
    ASSERT(call->on_interrupt);
    void (*fn)(struct rpc_call *) = call->on_interrupt;
    call->on_interrupt = NULL;
    fn(call);
}

void rpc_interrupt(struct rpc *rpc)
{
    ASSERT(rpc);
    rpc->is_interrupted = true;
    struct rpc_call *call = first_call(rpc);
    while (call) {
        if (call->on_interrupt || call->waits_for_room) {
            if (call->on_interrupt)
                interrupt(call);
            else
                call_end_waiting(call);
            call = first_call(rpc);
        } else {
            call = LIST_NEXT(struct rpc_call, call, link);
        }
    }
}

void rpc_cancel(struct rpc *rpc, uint64_t token)
{
    struct rpc_call *call = first_call(rpc);
    while (call && call->token != token)
        call = LIST_NEXT(struct rpc_call, call, link);
    if (!call)
        return;
    call->reply = NULL;
    if (call->turn_timer || call->waits_for_room)
        call_free(call);
    else if (call->on_interrupt)
        interrupt(call);
    /* Else an order or job is under way: the call goes when that is done. */
}

/* -- Requests ----------------------------------------------------------------------------- */

static bool may_call(const struct rpc_call *call, const char *method)
{
    return (!call->is_ui || ui_method_is_safe(method)) &&
           auth_may_call(call->rpc->auth, call->user, method);
}

/* May the user call all that the request wants? Malformed entries are refused later, in order. */
static bool is_allowed(const struct rpc_call *call, const struct json_value *root)
{
    const struct auth *auth = call->rpc->auth;
    if (!auth_may_call_any(auth, call->user))
        return false;
    const struct json_value *entry = root->kind == JSON_KIND_ARRAY ? root->first : root;
    while (entry) {
        const struct json_value *method = json_find(entry, "method");
        if (method && method->kind == JSON_KIND_STRING &&
            !may_call(call, (const char *)method->text.p))
            return false;
        entry = entry == root ? NULL : entry->next;
    }
    return true;
}

/* Where the server is full, what is quick is done all the same: who is locked out must be able to
 * look and to stop the node. */
static bool is_quick(const struct rpc_call *call, const struct json_value *root)
{
    const struct json_value *name = json_find(root, "method");
    const struct rpc_method *method =
        name && name->kind == JSON_KIND_STRING ? method_find(call->rpc->methods, name->text) : NULL;
    return method && (method->flags & RPC_QUICK);
}

/* A body that is no request: the error as in version 1, without id. */
static void call_parse_error(struct rpc_call *call, const char *message)
{
    call->id = json_new(&call->arena, JSON_KIND_NULL);
    rpc_fail(call, RPC_PARSE_ERROR, "%s", message);
    jsonrpc_open_reply(call);
    entry_close(call);
    call_complete(call);
}

/* The request, parsed (or NULL if it cannot be), may be answered at once: the caller must not touch
 * call afterwards. */
static void call_start(struct rpc_call *call, const struct json_value *root, bool is_allowed)
{
    if (!root) {
        call_parse_error(call, "Parse error");
        return;
    }
    if (call->is_in_reserve && !is_quick(call, root)) {
        call_refuse(call, 503, "Work queue depth exceeded");
        return;
    }
    if (!is_allowed) {
        log_printf(call->rpc->node->log, LOG_ALWAYS,
                   "RPC User %s not allowed to call any methods of the request", call->user);
        call_refuse(call, 403, "");
        return;
    }
    if (root->kind == JSON_KIND_OBJECT) {
        call->entry = root;
        call_begin(call);
    } else if (root->kind == JSON_KIND_ARRAY) {
        call->is_batch = true;
        json_open_array(&call->out);
        call->entry = root->first;
        if (root->first)
            call_begin(call);
        else
            call_complete(call);
    } else {
        call_parse_error(call, "Top-level object parse error");
    }
}

/* -- Large requests are parsed off the loop ------------------------------------------------- */

struct parse_job {
    struct env_job job;
    struct rpc_call *call;
    struct buffer body;
    struct json_value *root; /* NULL if malformed */
    bool is_allowed;
};

static void run_parse(struct env_job *job)
{
    struct parse_job *parse = CONTAINER_OF(job, struct parse_job, job);
    if (!json_parse(buffer_span(&parse->body), &parse->call->arena, &parse->root))
        parse->root = NULL;
    parse->is_allowed = !parse->root || is_allowed(parse->call, parse->root);
    buffer_deinit(&parse->body);
}

static void on_parsed(struct env_job *job)
{
    struct parse_job *parse = CONTAINER_OF(job, struct parse_job, job);
    struct rpc_call *call = parse->call;
    buffer_deinit(&parse->body); /* of a job that was cancelled */
    if (!call->reply)
        call_free(call); /* the client has gone */
    else if (job->cancelled)
        call_refuse(call, 503, "Shutting down");
    else
        call_start(call, parse->root, parse->is_allowed);
}

static void call_parse(struct rpc_call *call, const struct rpc_request *request)
{
    struct span body = request->body;
    const struct env *env = call->rpc->node->env;
    struct json_value *root;
    if (call->is_in_reserve && body.len > QUICK_BYTES_MAX) {
        call_refuse(call, 503, "Work queue depth exceeded");
        return;
    }
    if (body.len <= PARSE_NOW_BYTES) {
        bool is_json = json_parse(body, &call->arena, &root);
        call_start(call, is_json ? root : NULL, !is_json || is_allowed(call, root));
        return;
    }
    call->is_long = true;
    struct parse_job *parse = arena_calloc(&call->arena, 1, sizeof *parse);
    if (request->body_take) {
        ASSERT(request->body_take->p == body.p);
        parse->body = *request->body_take;
        buffer_init(request->body_take);
    } else {
        buffer_append(&parse->body, body.p, body.len);
    }
    parse->job = (struct env_job){.run = run_parse, .done = on_parsed};
    parse->call = call;
    env_job_submit(env, ENV_POOL_COMPUTE, ENV_PRIORITY_NORMAL, &parse->job);
}

static void call_route(struct rpc_call *call, const struct rest_route *route,
                       const struct rpc_request *request)
{
    if (request->body.len > REST_BODY_BYTES_MAX) {
        call_refuse(call, 413, "");
    } else if (call->is_in_reserve && !(route->flags & REST_QUICK)) {
        call_refuse(call, 503, "Work queue depth exceeded");
    } else {
        rest_read(call, route, request);
        call_begin(call);
    }
}

/* "/", and "/wallet/NAME": there is no wallet, and the methods that are none of a wallet's answer
 * there as elsewhere. What follows a question mark does not count. */
static bool is_call_path(const char *uri)
{
    if (!uri || uri[0] != '/')
        return false;
    return uri[1] == '\0' || uri[1] == '?' || strncmp(uri, "/wallet/", 8) == 0;
}

bool rpc_has_path(const char *uri)
{
    return is_call_path(uri) || rest_find(uri);
}

/* The login that a request gives. Returns: 0, or 401 and the *text of the refusal. */
static int judge_login(const struct rpc *rpc, const struct rpc_request *request,
                       char user[AUTH_USER_MAX], const char **text)
{
    char peer[64];
    if (!request->authorization)
        return 401;
    if (auth_check(rpc->auth, request->authorization, user))
        return 0;
    log_warning(rpc->node->log, "ThreadRPCServer incorrect password attempt from %s",
                log_escape(peer, sizeof peer, request->peer ? request->peer : "?",
                           request->peer ? strlen(request->peer) : 1));
    *text = "incorrect password";
    return 401;
}

/* Who may see the dashboard: the page, everybody who may connect; what it shows, its sessions. */
static int judge_ui(const struct rpc *rpc, const struct rest_route *route,
                    const struct rpc_request *request, char user[AUTH_USER_MAX], const char **text)
{
    ASSERT(rpc->ui);
    if (ui_is_from_elsewhere(request) && !ui_may_come_from_elsewhere(request)) {
        *text = "A page of another site may not ask here";
        return 403;
    }
    if (!(route->flags & REST_SESSION))
        return 0;
    int status = ui_judge(rpc->ui, request, user, text);
    bool may = !route->handler || auth_may_call(rpc->auth, user, route->prefix + strlen("/ui/"));
    return status == 0 && !may ? 403 : status;
}

/* Who may read by a route. */
static int judge_route(const struct rpc *rpc, const struct rest_route *route,
                       const struct rpc_request *request, char user[AUTH_USER_MAX],
                       const char **text)
{
    if (route->flags & REST_UI)
        return judge_ui(rpc, route, request, user, text);
    if (rpc->has_rest || (route->flags & REST_OPEN))
        return 0;
    if (!(route->flags & REST_LOGIN))
        return 404;
    int status = judge_login(rpc, request, user, text);
    /* A whitelist names it as it would a method: "events". */
    return status == 0 && !auth_may_call(rpc->auth, user, route->prefix + 1) ? 403 : status;
}

/* What the head alone tells. Returns: 0, or the status and *text of the refusal. */
static int judge_head(const struct rpc *rpc, const struct rpc_request *request,
                      char user[AUTH_USER_MAX], const char **text)
{
    *text = "";
    const struct rest_route *route = rest_find(request->uri);
    bool is_off = route && (route->flags & REST_UI) && !rpc->ui;
    if (is_off || (!route && !is_call_path(request->uri)))
        return 404;
    bool is_call = !route || !route->handler;
    if (is_call && (!request->http_method || strcmp(request->http_method, "POST") != 0)) {
        *text = "JSONRPC server handles only POST requests";
        return 405;
    }
    int status = route ? judge_route(rpc, route, request, user, text)
                       : judge_login(rpc, request, user, text);
    bool is_served = route && (route->flags & REST_TO_THE_END);
    if (status == 0 && rpc->is_interrupted && !is_served) {
        *text = "Shutting down";
        return 503;
    }
    return status;
}

bool rpc_admit(const struct rpc *rpc, const struct rpc_request *request, size_t *body_max,
               struct rpc_reply *reply)
{
    ASSERT(request && reply);
    *body_max = rest_find(request->uri) ? REST_BODY_BYTES_MAX : SIZE_MAX;
    char user[AUTH_USER_MAX];
    const char *text;
    int status = judge_head(rpc, request, user, &text);
    if (status != 0)
        *reply = refusal(status, text);
    return status == 0;
}

/* [tx 2] Its text becomes a call of a method. */
uint64_t rpc_handle(struct rpc *rpc, const struct rpc_request *request, rpc_reply_fn *reply,
                    void *arg)
{
    ASSERT(request && reply && (request->body.p || request->body.len == 0));
    ASSERT(request);
    struct rpc_call *call = call_new(rpc, reply, arg);
    const struct rest_route *route = rest_find(request->uri);
    uint64_t token = call->token;
    const char *text;
    call->client = request->client;
    call->is_in_reserve = request->is_in_reserve;
    call->is_ui = route && (route->flags & REST_UI);
    if (call->is_ui)
        call->headers = xstrdup(UI_HEADERS);
    int status = judge_head(rpc, request, call->user, &text);
    if (status == 0)
        rpc_room_of_client(call, call->user, request->peer);
    if (status != 0)
        call_refuse(call, status, text);
    else if (route && route->handler)
        call_route(call, route, request);
    else
        call_parse(call, request);
    return token;
}
