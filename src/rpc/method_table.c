/* method_table.c - what follows from the table: look-up, argument checks, help. */
#include "rpc/method_table.h"

#include "rpc/result_shape.h"
#include "util/assert.h"

static bool is_required(const struct rpc_param *param)
{
    return param->fallback == NULL;
}

const struct rpc_method *method_find(const struct rpc_methods *methods, struct span name)
{
    ASSERT(methods);
    for (size_t i = 0; i < methods->n; i++)
        if (span_equal(name, span_of_string(methods->at[i].name)))
            return &methods->at[i];
    return NULL;
}

size_t method_params_max(const struct rpc_method *method)
{
    ASSERT(method->params[RPC_ARGS_MAX].type == RPC_TYPE_NONE);
    ASSERT(method);
    size_t n = 0;
    while (method->params[n].type != RPC_TYPE_NONE)
        n++;
    return n;
}

size_t method_params_required(const struct rpc_method *method)
{
    ASSERT(method);
    size_t n = method_params_max(method);
    while (n > 0 && !is_required(&method->params[n - 1]))
        n--;
    return n;
}

/* Is name among names separated by '|', of which len bytes count? */
static bool is_among(struct span name, const char *names, size_t len)
{
    for (size_t at = 0; at < len;) {
        size_t end = at;
        while (end < len && names[end] != '|')
            end++;
        if (span_equal(name, span_of(names + at, end - at)))
            return true;
        at = end + 1;
    }
    return false;
}

int method_param_find(const struct rpc_method *method, struct span name)
{
    size_t n = method_params_max(method);
    for (size_t i = 0; i < n; i++) {
        const char *names = method->params[i].name;
        if (is_among(name, names, strcspn(names, ":")))
            return (int)i;
    }
    return -1;
}

int method_option_find(const struct rpc_method *method, struct span name)
{
    size_t n = method_params_max(method);
    for (size_t i = 0; i < n; i++) {
        const char *members = strchr(method->params[i].name, ':');
        if (members && is_among(name, members + 1, strlen(members + 1)))
            return (int)i;
    }
    return -1;
}

/* -- Help --------------------------------------------------------------------------------- */

/* The first of a parameter's names. */
static struct span shown_name(const struct rpc_param *param)
{
    return span_of(param->name, strcspn(param->name, "|:"));
}

static void append_span(struct buffer *buffer, struct span s)
{
    buffer_append(buffer, s.p, s.len);
}

/* A parameter in the usage line: in the shape of its JSON. */
static void write_param_shape(const struct rpc_param *param, struct buffer *buffer)
{
    const char *before = "", *after = "";
    switch (param->type) {
    case RPC_TYPE_STRING:
    case RPC_TYPE_HEX:
        before = after = "\"";
        break;
    case RPC_TYPE_OBJECT:
        before = "{";
        after = ",...}";
        break;
    case RPC_TYPE_ARRAY:
    case RPC_TYPE_OUTPUTS:
        before = "[";
        after = ",...]";
        break;
    case RPC_TYPE_NONE:
    case RPC_TYPE_NUMBER:
    case RPC_TYPE_BOOL:
    case RPC_TYPE_AMOUNT:
    case RPC_TYPE_VERBOSITY:
    case RPC_TYPE_LIST:
    case RPC_TYPE_OPTIONS:
    case RPC_TYPE_ANY:
        break;
    }
    buffer_append_string(buffer, before);
    append_span(buffer, shown_name(param));
    buffer_append_string(buffer, after);
}

static void write_usage(const struct rpc_method *method, struct buffer *buffer)
{
    buffer_append_string(buffer, method->name);
    size_t n = method->flags & RPC_HIDES_ARGS ? 0 : method_params_max(method);
    bool in_optional = false;
    for (size_t i = 0; i < n; i++) {
        const struct rpc_param *param = &method->params[i];
        if (!is_required(param) && !in_optional)
            buffer_append_string(buffer, " (");
        if (is_required(param) && in_optional)
            buffer_append_string(buffer, " )");
        in_optional = !is_required(param);
        buffer_append_string(buffer, " ");
        write_param_shape(param, buffer);
    }
    if (in_optional)
        buffer_append_string(buffer, " )");
}

static const char *type_text(enum rpc_type type)
{
    static const char *const texts[] = {
        [RPC_TYPE_NONE] = "",
        [RPC_TYPE_STRING] = "string",
        [RPC_TYPE_HEX] = "string",
        [RPC_TYPE_NUMBER] = "numeric",
        [RPC_TYPE_BOOL] = "boolean",
        [RPC_TYPE_OBJECT] = "json object",
        [RPC_TYPE_ARRAY] = "json array",
        [RPC_TYPE_AMOUNT] = "numeric or string",
        [RPC_TYPE_VERBOSITY] = "numeric or boolean",
        [RPC_TYPE_OUTPUTS] = "json array",
        [RPC_TYPE_LIST] = "json array",
        [RPC_TYPE_OPTIONS] = "json object",
        [RPC_TYPE_ANY] = "any",
    };
    ASSERT((size_t)type < COUNT_OF(texts));
    return texts[type];
}

/* A value that an argument may have, as JSON. */
static const char *sample_of(const struct rpc_param *param)
{
    static const struct {
        const char *name, *json;
    } named[] = {
        {"address", "\"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4\""},
        {"blockhash", "\"000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f\""},
        {"txid", "\"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b\""},
        {"node", "\"192.0.2.6:8333\""},
        {"subnet", "\"192.0.2.6\""},
        {"command", "\"add\""},
        {"action", "\"start\""},
        {"height", "1000"},
        {"hash_or_height", "1000"},
        {"conf_target", "6"},
        {"rawtxs", "[\"hexstring\"]"},
        {"template_request", "{\"rules\": [\"segwit\"]}"},
        {"descriptor", "\"raw(51)\""},
        {"txids", "[\"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b\"]"},
    };
    static const char *const typed[] = {
        [RPC_TYPE_NONE] = "null",         [RPC_TYPE_STRING] = "\"text\"",
        [RPC_TYPE_HEX] = "\"hexstring\"", [RPC_TYPE_NUMBER] = "1",
        [RPC_TYPE_BOOL] = "true",         [RPC_TYPE_OBJECT] = "{}",
        [RPC_TYPE_ARRAY] = "[]",          [RPC_TYPE_AMOUNT] = "0.1",
        [RPC_TYPE_VERBOSITY] = "1",       [RPC_TYPE_OUTPUTS] = "[]",
        [RPC_TYPE_LIST] = "[]",           [RPC_TYPE_OPTIONS] = "{}",
        [RPC_TYPE_ANY] = "\"value\"",
    };
    struct span name = shown_name(param);
    for (size_t i = 0; i < COUNT_OF(named); i++) {
        if (span_equal(name, span_of_string(named[i].name)))
            return named[i].json;
    }
    ASSERT((size_t)param->type < COUNT_OF(typed));
    return typed[param->type];
}

/* The same call on the command line and over HTTP, with the arguments that it must have. */
static void write_examples(const struct rpc_method *method, struct buffer *buffer)
{
    size_t n = method_params_required(method);
    buffer_append_format(buffer, "\nExamples:\n> cairn-cli %s", method->name);
    for (size_t i = 0; i < n; i++) {
        const char *sample = sample_of(&method->params[i]);
        bool is_tree = *sample == '[' || *sample == '{';
        buffer_append_format(buffer, " %s%s%s", is_tree ? "'" : "", sample, is_tree ? "'" : "");
    }
    buffer_append_format(buffer,
                         "\n> curl --user myusername --data-binary '{\"jsonrpc\": \"2.0\", \"id\": "
                         "\"curltest\", \"method\": \"%s\", \"params\": [",
                         method->name);
    for (size_t i = 0; i < n; i++)
        buffer_append_format(buffer, "%s%s", i > 0 ? ", " : "", sample_of(&method->params[i]));
    buffer_append_string(buffer,
                         "]}' -H 'content-type: application/json' http://127.0.0.1:8332/\n");
}

void method_write_help(const struct rpc_method *method, struct buffer *buffer)
{
    ASSERT(method && method->help);
    ASSERT(method);
    write_usage(method, buffer);
    buffer_append_format(buffer, "\n\n%s\n", method->help);
    if (method->flags & RPC_GONE)
        return;
    size_t n = method_params_max(method);
    if (n > 0)
        buffer_append_string(buffer, "\nArguments:\n");
    for (size_t i = 0; i < n; i++) {
        const struct rpc_param *param = &method->params[i];
        struct span name = shown_name(param);
        buffer_append_format(buffer, "%zu. %.*s    (%s, ", i + 1, (int)name.len,
                             (const char *)name.p, type_text(param->type));
        if (is_required(param))
            buffer_append_string(buffer, "required");
        else if (*param->fallback)
            buffer_append_format(buffer, "optional, default=%s", param->fallback);
        else
            buffer_append_string(buffer, "optional");
        buffer_append_format(buffer, ") %s\n", param->help);
    }
    buffer_append_string(buffer, "\nResult:\n");
    result_shape_write(buffer, method->result);
    buffer_append_string(buffer, "\n");
    if (strstr(method->result, "\"?:"))
        buffer_append_string(buffer, "?: where there is such\n");
    write_examples(method, buffer);
}

void method_write_list(const struct rpc_methods *methods, bool with_dev, struct buffer *buffer)
{
    ASSERT(methods && buffer);
    const char *category = "";
    for (size_t i = 0; i < methods->n; i++) {
        const struct rpc_method *method = &methods->at[i];
        if ((method->flags & RPC_HIDDEN) || ((method->flags & RPC_OF_DEV) && !with_dev))
            continue;
        if (strcmp(category, method->category) != 0) {
            buffer_append_format(buffer, "%s== %s ==\n", *category ? "\n" : "", method->category);
            category = method->category;
        }
        write_usage(method, buffer);
        buffer_append_string(buffer, "\n");
    }
    /* The list ends without a line break. */
    if (buffer->len > 0)
        buffer->len--;
}

/* -- Argument checks ---------------------------------------------------------------------- */

/* Does the table demand one kind of value? */
static bool demands_kind(enum rpc_type type, enum json_kind *kind)
{
    switch (type) {
    case RPC_TYPE_STRING:
    case RPC_TYPE_HEX:
        *kind = JSON_KIND_STRING;
        return true;
    case RPC_TYPE_NUMBER:
        *kind = JSON_KIND_NUMBER;
        return true;
    case RPC_TYPE_BOOL:
        *kind = JSON_KIND_BOOL;
        return true;
    case RPC_TYPE_OBJECT:
    case RPC_TYPE_OPTIONS:
        *kind = JSON_KIND_OBJECT;
        return true;
    case RPC_TYPE_ARRAY:
    case RPC_TYPE_LIST:
        *kind = JSON_KIND_ARRAY;
        return true;
    case RPC_TYPE_NONE:
    case RPC_TYPE_AMOUNT:
    case RPC_TYPE_VERBOSITY:
    case RPC_TYPE_OUTPUTS:
    case RPC_TYPE_ANY:
        return false;
    }
    return false;
}

/* List the arguments of a wrong kind in an object. */
static struct json_value *find_mismatches(struct rpc_call *call)
{
    struct json_value *list = json_new(&call->arena, JSON_KIND_OBJECT);
    struct buffer text;
    buffer_init(&text);
    size_t n = method_params_max(call->method);
    for (size_t i = 0; i < n; i++) {
        const struct rpc_param *param = &call->method->params[i];
        const struct json_value *arg = call->args[i];
        enum json_kind have = arg ? arg->kind : JSON_KIND_NULL, want;
        if (!demands_kind(param->type, &want) || have == want ||
            (have == JSON_KIND_NULL && !is_required(param)))
            continue;
        text.len = 0;
        buffer_append_format(&text, "JSON value of type %s is not of expected type %s",
                             json_kind_name(have), json_kind_name(want));
        struct json_value *item = json_new_text(&call->arena, JSON_KIND_STRING, buffer_span(&text));
        text.len = 0;
        buffer_append_format(&text, "Position %zu (%.*s)", i + 1, (int)strcspn(param->name, ":"),
                             param->name);
        struct json_value *name = json_new_text(&call->arena, JSON_KIND_STRING, buffer_span(&text));
        json_add(list, (const char *)name->text.p, item);
    }
    buffer_deinit(&text);
    return list;
}

bool method_check_args(struct rpc_call *call)
{
    ASSERT(call->method);
    ASSERT(call);
    const struct rpc_method *method = call->method;
    if (call->n_args < method_params_required(method) || call->n_args > method_params_max(method)) {
        struct buffer help;
        buffer_init(&help);
        method_write_help(method, &help);
        rpc_fail(call, RPC_MISC_ERROR, "%.*s", (int)help.len, (const char *)help.p);
        buffer_deinit(&help);
        return false;
    }
    const struct json_value *mismatches = find_mismatches(call);
    if (mismatches->n > 0) {
        struct buffer text;
        buffer_init(&text);
        json_write(&text, mismatches, 4);
        rpc_fail(call, RPC_TYPE_ERROR, "Wrong type passed:\n%.*s", (int)text.len,
                 (const char *)text.p);
        buffer_deinit(&text);
        return false;
    }
    return true;
}
