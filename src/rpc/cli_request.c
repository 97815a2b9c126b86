/* cli_request.c - command line arguments to a JSON-RPC request. */
#include "rpc/cli_request.h"

#include "rpc/method_table.h"
#include "util/alloc.h"

/* How an argument's text is taken. */
enum conversion {
    AS_TEXT,
    AS_JSON,
    AS_EITHER, /* JSON if it is, else text */
};

static enum conversion conversion_of(const struct rpc_method *method, int param)
{
    if (!method || param < 0 || method->flags & RPC_TEXT_ARGS)
        return AS_TEXT;
    switch (method->params[param].type) {
    case RPC_TYPE_NONE:
    case RPC_TYPE_STRING:
    case RPC_TYPE_HEX:
        return AS_TEXT;
    case RPC_TYPE_NUMBER:
    case RPC_TYPE_BOOL:
    case RPC_TYPE_OBJECT:
    case RPC_TYPE_ARRAY:
    case RPC_TYPE_AMOUNT:
    case RPC_TYPE_VERBOSITY:
    case RPC_TYPE_OUTPUTS:
    case RPC_TYPE_LIST:
    case RPC_TYPE_OPTIONS:
        return AS_JSON;
    case RPC_TYPE_ANY:
        return method->flags & RPC_JSON_ARGS ? AS_JSON : AS_EITHER;
    }
    return AS_TEXT;
}

/* NULL with *error set if text has to be JSON and is none. */
static struct json_value *convert(struct arena *arena, enum conversion conversion, const char *text,
                                  char **error)
{
    struct json_value *value;
    if (conversion != AS_TEXT && json_parse(span_of_string(text), arena, &value))
        return value;
    if (conversion == AS_JSON) {
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

static bool add_named(struct arena *arena, const struct rpc_method *method, const char *arg,
                      struct json_value *object, char **error)
{
    size_t len = strcspn(arg, "=");
    int param = method ? method_param_find(method, span_of(arg, len)) : -1;
    /* "args" holds positional ones; names that the table does not have are the node's to refuse. */
    bool is_args = len == 4 && memcmp(arg, "args", 4) == 0;
    struct json_value *value =
        convert(arena, is_args ? AS_JSON : conversion_of(method, param), arg + len + 1, error);
    if (!value)
        return false;
    json_add(object, copy_name(arena, arg, len), value);
    return true;
}

bool cli_params(struct arena *arena, const char *method_name, const char *const *args, size_t n,
                bool named, struct json_value **params, char **error)
{
    const struct rpc_method *method = method_find(span_of_string(method_name));
    int n_params = method ? (int)method_params_max(method) : 0;
    struct json_value *list = json_new(arena, JSON_KIND_ARRAY);
    struct json_value *object = json_new(arena, JSON_KIND_OBJECT);
    for (size_t i = 0; i < n; i++) {
        if (named && strchr(args[i], '=')) {
            if (!add_named(arena, method, args[i], object, error))
                return false;
            continue;
        }
        int at = (int)list->n < n_params ? (int)list->n : -1;
        struct json_value *value = convert(arena, conversion_of(method, at), args[i], error);
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
