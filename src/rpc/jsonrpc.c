/* jsonrpc.c - the envelope: what a request object says, what a reply object looks like. */
#include "rpc/jsonrpc.h"

#include "rpc/method_table.h"
#include "util/assert.h"

static bool is_absent(const struct json_value *value)
{
    return !value || value->kind == JSON_KIND_NULL;
}

/* A string of the request for an error message: as text of at most 127 bytes. */
struct shown {
    char text[128];
};

static struct shown show(struct span s)
{
    struct shown shown;
    size_t len = s.len < sizeof shown.text ? s.len : sizeof shown.text - 1;
    while (len < s.len && len > 0 && (s.p[len] & 0xc0) == 0x80)
        len--; /* not within a character */
    memcpy(shown.text, s.p, len);
    shown.text[len] = 0;
    return shown;
}

static bool read_version(struct rpc_call *call, const struct json_value *version)
{
    if (is_absent(version))
        return true;
    if (version->kind != JSON_KIND_STRING)
        return rpc_refuse(call, RPC_INVALID_REQUEST, "jsonrpc field must be a string");
    /* "1.0" stood in many 1.1 clients' requests although that version has no such field. */
    if (json_text_is(version, "1.0") || json_text_is(version, "1.1"))
        return true;
    if (json_text_is(version, "2.0")) {
        call->is_v2 = true;
        return true;
    }
    return rpc_refuse(call, RPC_INVALID_REQUEST, "JSON-RPC version not supported");
}

/* -- Parameters --------------------------------------------------------------------------- */

/* Members of an options object that were given by name like parameters. */
struct named_options {
    struct json_value *object; /* NULL: none yet */
    size_t at;                 /* the parameter that it is */
};

/* Arguments by position. More than there is room for are counted only: their number is wrong. */
static void read_positional(struct rpc_call *call, const struct json_value *array)
{
    call->n_args = array->n;
    size_t i = 0;
    for (const struct json_value *v = array->first; v && i < RPC_ARGS_MAX; v = v->next)
        call->args[i++] = v;
}

/* Put a member of an options object, given by name like a parameter, into one made for these. False
 * if name is no such member; *is_twice if it or the object was given before. */
static bool take_option(struct rpc_call *call, const struct json_value *v,
                        struct named_options *options, bool *is_twice)
{
    int at = method_option_find(call->method, v->name);
    if (at < 0)
        return false;
    if (!options->object) {
        options->object = json_new(&call->arena, JSON_KIND_OBJECT);
        options->at = (size_t)at;
    }
    ASSERT(options->at == (size_t)at); /* no method has two objects of options */
    struct json_value *copy = arena_alloc(&call->arena, sizeof *copy);
    *copy = *v;
    char *name = arena_alloc(&call->arena, v->name.len + 1);
    memcpy(name, v->name.p, v->name.len);
    name[v->name.len] = 0;
    *is_twice = json_find(options->object, name) != NULL;
    copy->next = NULL;
    json_add(options->object, name, copy);
    return true;
}

/* Each name once, known to the method or "args". named[i] becomes the argument at position i. */
static bool sort_named(struct rpc_call *call, const struct json_value *params,
                       const struct json_value *named[RPC_ARGS_MAX], const struct json_value **args)
{
    struct named_options options = {0};
    for (const struct json_value *v = params->first; v; v = v->next) {
        int at = method_param_find(call->method, v->name);
        const struct json_value **slot = at >= 0 ? &named[at] : NULL;
        bool is_twice = false;
        if (!slot && take_option(call, v, &options, &is_twice)) {
            if (!is_twice)
                continue;
            return rpc_refuse(call, RPC_INVALID_PARAMETER, "Parameter %s specified multiple times",
                              show(v->name).text);
        }
        if (!slot && v->kind == JSON_KIND_ARRAY && span_equal(v->name, span_of_string("args")))
            slot = args;
        if (!slot)
            return rpc_refuse(call, RPC_INVALID_PARAMETER, "Unknown named parameter %s",
                              show(v->name).text);
        if (*slot)
            return rpc_refuse(call, RPC_INVALID_PARAMETER, "Parameter %s specified multiple times",
                              show(v->name).text);
        *slot = v;
    }
    if (!options.object)
        return true;
    if (named[options.at])
        return rpc_refuse(
            call, RPC_INVALID_PARAMETER, "Parameter %.*s conflicts with parameter %.*s",
            (int)strcspn(call->method->params[options.at].name, "|:"),
            call->method->params[options.at].name, (int)options.object->first->name.len,
            (const char *)options.object->first->name.p);
    named[options.at] = options.object;
    return true;
}

/* Arguments by name, some perhaps by position in a member "args". Those left out before one that
 * is given are null, those behind the last are absent: some methods count. */
static bool read_named(struct rpc_call *call, const struct json_value *params)
{
    const struct json_value *named[RPC_ARGS_MAX] = {0}, *args = NULL;
    if (!sort_named(call, params, named, &args))
        return false;
    if (args)
        read_positional(call, args);
    for (size_t i = 0; i < RPC_ARGS_MAX; i++) {
        if (!named[i])
            continue;
        if (i < call->n_args) {
            const char *name = call->method->params[i].name;
            return rpc_refuse(
                call, RPC_INVALID_PARAMETER,
                "Parameter %.*s specified twice both as positional and named argument",
                (int)strcspn(name, "|:"), name);
        }
        call->args[i] = named[i];
    }
    for (size_t i = RPC_ARGS_MAX; i > call->n_args; i--) {
        if (named[i - 1])
            call->n_args = i;
    }
    return true;
}

static bool read_params(struct rpc_call *call, const struct json_value *params)
{
    if (is_absent(params))
        return true;
    if (params->kind == JSON_KIND_OBJECT)
        return read_named(call, params);
    read_positional(call, params);
    return true;
}

/* -- Request ------------------------------------------------------------------------------ */

static bool is_warming_up(struct rpc_call *call)
{
    const char *doing = rpc_warmup(call->rpc);
    if (doing)
        rpc_fail(call, RPC_IN_WARMUP, "%s", doing);
    return doing != NULL;
}

bool jsonrpc_read_request(struct rpc_call *call, const struct json_value *request)
{
    ASSERT(request);
    if (request->kind != JSON_KIND_OBJECT) {
        call->id = json_new(&call->arena, JSON_KIND_NULL);
        return rpc_refuse(call, RPC_INVALID_REQUEST, "Invalid Request object");
    }
    /* The id before anything that can fail, so that errors carry it. */
    call->id = json_find(request, "id");
    if (!read_version(call, json_find(request, "jsonrpc")))
        return false;
    const struct json_value *method = json_find(request, "method");
    if (is_absent(method))
        return rpc_refuse(call, RPC_INVALID_REQUEST, "Missing method");
    if (method->kind != JSON_KIND_STRING)
        return rpc_refuse(call, RPC_INVALID_REQUEST, "Method must be a string");
    const struct json_value *params = json_find(request, "params");
    if (!is_absent(params) && params->kind != JSON_KIND_ARRAY && params->kind != JSON_KIND_OBJECT)
        return rpc_refuse(call, RPC_INVALID_REQUEST, "Params must be an array or object");
    if (is_warming_up(call))
        return false;
    call->method = method_find(call->rpc->methods, method->text);
    if (!call->method)
        return rpc_refuse(call, RPC_METHOD_NOT_FOUND, "Method not found");
    return read_params(call, params) && method_check_args(call);
}

bool jsonrpc_is_notification(const struct rpc_call *call)
{
    return call->is_v2 && !call->id;
}

/* -- Reply -------------------------------------------------------------------------------- */

void jsonrpc_open_reply(struct rpc_call *call)
{
    ASSERT(call);
    struct json_out *out = &call->out;
    call->entry_mark = json_out_mark(out);
    json_open_object(out);
    if (call->is_v2)
        json_field_string(out, "jsonrpc", "2.0");
    json_put_key(out, "result");
    call->result_mark = json_out_mark(out);
}

static void write_error(struct rpc_call *call)
{
    ASSERT(call->error_message);
    struct json_out *out = &call->out;
    json_out_rewind(out, call->entry_mark);
    json_open_object(out);
    if (call->is_v2)
        json_field_string(out, "jsonrpc", "2.0");
    else
        json_field_null(out, "result");
    json_field_object(out, "error");
    json_field_int(out, "code", call->error_code);
    json_field_string(out, "message", call->error_message);
    json_close_object(out);
}

void jsonrpc_close_reply(struct rpc_call *call)
{
    ASSERT(call->error_code == 0 || call->error_message);
    struct json_out *out = &call->out;
    if (jsonrpc_is_notification(call)) {
        json_out_rewind(out, call->entry_mark);
        return;
    }
    if (call->error_code) {
        write_error(call);
    } else {
        if (call->answer.len == call->result_mark.len)
            json_put_null(out);
        ASSERT(out->depth == call->result_mark.depth);
        if (!call->is_v2)
            json_field_null(out, "error");
    }
    if (call->id) {
        json_put_key(out, "id");
        json_put_value(out, call->id);
    }
    json_close_object(out);
}

int jsonrpc_http_status(const struct rpc_call *call)
{
    ASSERT(call);
    if (!call->error_code || call->is_v2)
        return 200;
    if (call->error_code == RPC_INVALID_REQUEST)
        return 400;
    return call->error_code == RPC_METHOD_NOT_FOUND ? 404 : 500;
}
