/* cli_request.c - command line arguments to a JSON-RPC request. */
#include "rpc/cli_request.h"

#include "rpc/cli_methods.h"
#include "rpc/method_table.h"
#include "util/alloc.h"

/* The form of a parameter of a method that the node has itself. */
static enum cli_form form_of(const struct rpc_method *method, int param)
{
    if (param < 0 || method->flags & RPC_TEXT_ARGS)
        return CLI_TEXT;
    switch (method->params[param].type) {
    case RPC_TYPE_NONE:
    case RPC_TYPE_STRING:
    case RPC_TYPE_HEX:
        return CLI_TEXT;
    case RPC_TYPE_NUMBER:
    case RPC_TYPE_BOOL:
    case RPC_TYPE_OBJECT:
    case RPC_TYPE_ARRAY:
    case RPC_TYPE_AMOUNT:
    case RPC_TYPE_VERBOSITY:
    case RPC_TYPE_OUTPUTS:
    case RPC_TYPE_LIST:
    case RPC_TYPE_OPTIONS:
        return CLI_JSON;
    case RPC_TYPE_ANY:
        return method->flags & RPC_JSON_ARGS ? CLI_JSON : CLI_EITHER;
    }
    return CLI_TEXT;
}

/* NULL with *error set if text has to be JSON and is none. */
/* JSON where the method wants it, so that a number's digits reach the node as they were typed. */
static struct json_value *convert(struct arena *arena, enum cli_form form, const char *text,
                                  char **error)
{
    struct json_value *value;
    if (form != CLI_TEXT && json_parse(span_of_string(text), arena, &value))
        return value;
    if (form == CLI_JSON) {
        *error = xasprintf("Error parsing JSON: %s", text);
        return NULL;
    }
    return json_new_text(arena, JSON_KIND_STRING, span_of_string(text));
}

/* A name in an arena, zero-terminated. */
static const char *copy_name(struct arena *arena, const char *s, size_t len)
{
    const struct json_value *copy = json_new_text(arena, JSON_KIND_STRING, span_of(s, len));
    return (const char *)copy->text.p;
}

static enum cli_form form_named(struct span method_name, struct span name)
{
    const struct rpc_method *method = method_find(rpc_methods(), method_name);
    if (!method)
        return cli_form_named(method_name, name);
    if (method_option_find(method, name) >= 0)
        return method->flags & RPC_TEXT_OPTIONS ? CLI_EITHER : CLI_JSON;
    return form_of(method, method_param_find(method, name));
}

static enum cli_form form_at(struct span method_name, size_t position)
{
    const struct rpc_method *method = method_find(rpc_methods(), method_name);
    if (!method)
        return cli_form_at(method_name, position);
    return form_of(method, position < method_params_max(method) ? (int)position : -1);
}

static bool knows_name(struct span method_name, struct span name)
{
    const struct rpc_method *method = method_find(rpc_methods(), method_name);
    if (!method)
        return cli_knows_name(method_name, name);
    return method_option_find(method, name) >= 0 || method_param_find(method, name) >= 0;
}

static bool is_text_at(struct span method_name, size_t position)
{
    const struct rpc_method *method = method_find(rpc_methods(), method_name);
    if (!method)
        return cli_is_text_at(method_name, position);
    return !(method->flags & RPC_TEXT_ARGS) && position < method_params_max(method) &&
           method->params[position].type == RPC_TYPE_STRING;
}

/* Is it name=value? What has no name that the method knows may be a text, as base64 is, that ends
 * in '='. As Core's client */
static bool is_named(struct span method, const char *arg, size_t position)
{
    size_t len = strcspn(arg, "=");
    bool is_args = len == 4 && memcmp(arg, "args", 4) == 0;
    return arg[len] == '=' &&
           (is_args || knows_name(method, span_of(arg, len)) || !is_text_at(method, position));
}

static bool add_named(struct arena *arena, struct span method, const char *arg,
                      struct json_value *object, char **error)
{
    size_t len = strcspn(arg, "=");
    /* "args" holds positional ones; names that the table does not have are the node's to refuse. */
    bool is_args = len == 4 && memcmp(arg, "args", 4) == 0;
    struct json_value *value = convert(
        arena, is_args ? CLI_JSON : form_named(method, span_of(arg, len)), arg + len + 1, error);
    if (!value)
        return false;
    json_add(object, copy_name(arena, arg, len), value);
    return true;
}

bool cli_params(struct arena *arena, const char *method_name, const char *const *args, size_t n,
                bool named, struct json_value **params, char **error)
{
    struct span method = span_of_string(method_name);
    struct json_value *list = json_new(arena, JSON_KIND_ARRAY);
    struct json_value *object = json_new(arena, JSON_KIND_OBJECT);
    for (size_t i = 0; i < n; i++) {
        if (named && is_named(method, args[i], list->n)) {
            if (!add_named(arena, method, args[i], object, error))
                return false;
            continue;
        }
        struct json_value *value = convert(arena, form_at(method, list->n), args[i], error);
        if (!value)
            return false;
        json_add(list, NULL, value);
    }
    if (named && list->n > 0)
        json_add(object, "args", list);
    *params = named ? object : list;
    return true;
}

void cli_write_request(struct buffer *buffer, const char *method, const struct json_value *params,
                       int id)
{
    struct json_out out = json_out_to(buffer);
    json_open_object(&out);
    json_field_string(&out, "jsonrpc", "2.0");
    json_field_string(&out, "method", method);
    json_put_key(&out, "params");
    json_put_value(&out, params);
    json_field_int(&out, "id", id);
    json_close_object(&out);
}
