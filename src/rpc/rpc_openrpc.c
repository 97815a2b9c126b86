/* rpc_openrpc.c - the table of methods as an OpenRPC document, for tools that make clients of it.
 *
 * Kinds of arguments come from the table, and what a result consists of in a notation of its own.
 * Spec: OpenRPC 1.4.1; JSON Schema, draft 7 */
#include "rpc/json_write.h"
#include "rpc/method_table.h"
#include "rpc/methods.h"
#include "rpc/result_shape.h"
#include "util/version.h"

/* To whom a transaction pays. The words are Core's: its own test compares them. */
#define OUTPUTS_SCHEMA                                                                             \
    "\"oneOf\":[{\"type\":\"array\",\"items\":{\"anyOf\":[{\"type\":\"object\","                   \
    "\"additionalProperties\":{\"oneOf\":[{\"type\":\"number\"},{\"type\":\"string\"}]},"          \
    "\"description\":\"A key-value pair. The key (string) is the bitcoin address, the value "      \
    "(float or string) is the amount in BTC\"},{\"type\":\"object\",\"properties\":{\"data\":"     \
    "{\"type\":\"string\",\"pattern\":\"^[0-9a-fA-F]+$\",\"description\":\"A key-value pair. "     \
    "The key must be \\\"data\\\", the value is hex-encoded data that becomes a part of "          \
    "an OP_RETURN output\"}},\"additionalProperties\":false,\"required\":[\"data\"]}]}},"          \
    "{\"type\":\"object\"}]"

/* Schemas that say more than the kind does. */
static const struct {
    const char *method, *param, *schema;
} known[] = {
    {"getblockstats", "hash_or_height", "\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}]"},
    {"gettxoutsetinfo", "hash_or_height",
     "\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}]"},
    {"deriveaddresses", "range",
     "\"oneOf\":[{\"type\":\"number\"},{\"type\":\"array\",\"items\":[{\"type\":\"number\"},"
     "{\"type\":\"number\"}],\"additionalItems\":false,\"minItems\":2,\"maxItems\":2}]"},
};

static const char *schema_of(const struct rpc_method *method, struct span name, enum rpc_type type)
{
    static const char *const typed[] = {
        [RPC_TYPE_NONE] = "",
        [RPC_TYPE_STRING] = "\"type\":\"string\"",
        [RPC_TYPE_HEX] = "\"type\":\"string\",\"pattern\":\"^[0-9a-fA-F]*$\"",
        [RPC_TYPE_NUMBER] = "\"type\":\"number\"",
        [RPC_TYPE_BOOL] = "\"type\":\"boolean\"",
        [RPC_TYPE_OBJECT] = "\"type\":\"object\"",
        [RPC_TYPE_ARRAY] = "\"type\":\"array\"",
        [RPC_TYPE_AMOUNT] = "\"oneOf\":[{\"type\":\"number\"},{\"type\":\"string\"}]",
        [RPC_TYPE_VERBOSITY] = "\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"boolean\"}]",
        [RPC_TYPE_OUTPUTS] = OUTPUTS_SCHEMA,
        [RPC_TYPE_LIST] = "\"type\":\"array\"",
        [RPC_TYPE_OPTIONS] = "\"type\":\"object\"",
        [RPC_TYPE_ANY] = "",
    };
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (strcmp(known[i].method, method->name) == 0 &&
            span_equal(name, span_of_string(known[i].param)))
            return known[i].schema;
    ASSERT((size_t)type < COUNT_OF(typed));
    return typed[type];
}

/* What holds where the argument is left out: a value, if the table has one, else words about it.
 * Amounts are strings, as in Core, whose framework cannot write the document back otherwise. */
static void put_default(struct json_out *out, struct arena *arena, const struct rpc_param *param)
{
    const char *fallback = param->fallback;
    struct json_value *value;
    if (!fallback || !*fallback)
        return;
    if (param->type == RPC_TYPE_AMOUNT) {
        json_field_string(out, "default", fallback);
    } else if (json_parse(span_of_string(fallback), arena, &value)) {
        json_put_key(out, "default");
        json_put_value(out, value);
    } else {
        json_field_string(out, "x-bitcoin-default-hint", fallback);
    }
}

static void put_param(struct rpc_call *call, const struct rpc_method *method,
                      const struct rpc_param *param)
{
    struct json_out *out = &call->out;
    struct span name = span_of(param->name, strcspn(param->name, "|:"));
    const char *schema = schema_of(method, name, param->type);
    json_open_object(out);
    json_put_key(out, "name");
    json_put_text(out, name);
    json_field_string(out, "description", param->help);
    json_field_bool(out, "required", param->fallback == NULL);
    json_field_object(out, "schema");
    if (*schema)
        json_put_raw(out, span_of_string(schema));
    put_default(out, &call->arena, param);
    json_close_object(out);
    json_close_object(out);
}

static void put_result(struct json_out *out, const struct rpc_method *method)
{
    json_field_object(out, "result");
    json_field_string(out, "name", "result");
    json_put_key(out, "schema");
    const char *words = result_shape_put_schema(out, method->result);
    if (*words)
        json_field_string(out, "description", words);
    json_close_object(out);
}

static void put_method(struct rpc_call *call, const struct rpc_method *method, bool with_hidden)
{
    struct json_out *out = &call->out;
    bool hides_args = (method->flags & RPC_HIDES_ARGS) && !with_hidden;
    size_t n = hides_args ? 0 : method_params_max(method);
    json_open_object(out);
    json_field_string(out, "name", method->name);
    json_field_string(out, "description", method->help);
    json_field_string(out, "x-bitcoin-category", method->category);
    json_field_array(out, "params");
    for (size_t i = 0; i < n; i++)
        put_param(call, method, &method->params[i]);
    json_close_array(out);
    put_result(out, method);
    json_close_object(out);
}

static void put_document(struct rpc_call *call, bool with_hidden)
{
    const struct rpc_methods *methods = call->rpc->methods;
    struct json_out *out = &call->out;
    json_open_object(out);
    json_field_string(out, "openrpc", "1.4.1");
    json_field_object(out, "info");
    json_field_string(out, "title", CAIRN_NAME " JSON-RPC");
    json_field_string(out, "version", "v" CAIRN_VERSION);
    json_close_object(out);
    json_field_array(out, "methods");
    for (size_t i = 0; i < methods->n; i++) {
        const struct rpc_method *method = &methods->at[i];
        if (!(method->flags & RPC_GONE) && (with_hidden || !(method->flags & RPC_HIDDEN)))
            put_method(call, method, with_hidden);
    }
    json_close_array(out);
    json_close_object(out);
}

enum rpc_progress rpc_getopenrpcinfo(struct rpc_call *call)
{
    put_document(call, rpc_arg_bool(call, 0, false));
    return RPC_DONE;
}

enum rpc_progress rpc_discover(struct rpc_call *call)
{
    put_document(call, false);
    return RPC_DONE;
}
