/* method_table.c - what follows from the table: look-up, argument checks, help. */
#include "rpc/method_table.h"

#include "rpc/methods.h"

static bool is_required(const struct rpc_param *param)
{
    return param->fallback == NULL;
}

const struct rpc_method *method_find(struct span name)
{
    size_t count;
    const struct rpc_method *table = method_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (span_equal(name, span_of_string(table[i].name)))
            return &table[i];
    }
    return NULL;
}

size_t method_params_max(const struct rpc_method *method)
{
    size_t n = 0;
    while (method->params[n].type != RPC_TYPE_NONE)
        n++;
    return n;
}

size_t method_params_required(const struct rpc_method *method)
{
    size_t n = method_params_max(method);
    while (n > 0 && !is_required(&method->params[n - 1]))
        n--;
    return n;
}

int method_param_find(const struct rpc_method *method, struct span name)
{
    size_t n = method_params_max(method);
    for (size_t i = 0; i < n; i++) {
        const char *names = method->params[i].name;
        while (*names) {
            size_t len = strcspn(names, "|");
            if (span_equal(name, span_of(names, len)))
                return (int)i;
            names += len + (names[len] == '|');
        }
    }
    return -1;
}

/* -- Help --------------------------------------------------------------------------------- */

/* The first of a parameter's names. */
static struct span shown_name(const struct rpc_param *param)
{
    return span_of(param->name, strcspn(param->name, "|"));
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
    case RPC_TYPE_ANY:
        break;
    }
    buffer_append_string(buffer, before);
    append_span(buffer, shown_name(param));
    buffer_append_string(buffer, after);
}

void method_write_usage(const struct rpc_method *method, struct buffer *buffer)
{
    buffer_append_string(buffer, method->name);
    size_t n = method_params_max(method);
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
        [RPC_TYPE_ANY] = "any",
    };
    ASSERT((size_t)type < COUNT_OF(texts));
    return texts[type];
}

void method_write_help(const struct rpc_method *method, struct buffer *buffer)
{
    method_write_usage(method, buffer);
    buffer_append_format(buffer, "\n\n%s\n", method->help);
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
    buffer_append_format(buffer, "\nResult:\n%s\n", method->result);
}

void method_write_list(struct buffer *buffer)
{
    size_t count;
    const struct rpc_method *table = method_table(&count);
    const char *category = "";
    for (size_t i = 0; i < count; i++) {
        if (table[i].flags & RPC_HIDDEN)
            continue;
        if (strcmp(category, table[i].category) != 0) {
            buffer_append_format(buffer, "%s== %s ==\n", *category ? "\n" : "", table[i].category);
            category = table[i].category;
        }
        method_write_usage(&table[i], buffer);
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
        *kind = JSON_KIND_OBJECT;
        return true;
    case RPC_TYPE_ARRAY:
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
        buffer_append_format(&text, "Position %zu (%s)", i + 1, param->name);
        struct json_value *name = json_new_text(&call->arena, JSON_KIND_STRING, buffer_span(&text));
        json_add(list, (const char *)name->text.p, item);
    }
    buffer_deinit(&text);
    return list;
}

bool method_check_args(struct rpc_call *call)
{
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
