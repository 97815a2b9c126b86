/* rpc_args.c - what a handler reads of its arguments, with the errors that Core gives. */
#include <string.h>

#include "consensus/tx.h"
#include "rpc/rpc_internal.h"
#include "util/assert.h"
#include "util/hex.h"

const struct json_value *rpc_arg(const struct rpc_call *call, size_t index)
{
    ASSERT(call);
    ASSERT(index < RPC_ARGS_MAX);
    const struct json_value *arg = call->args[index];
    return arg && arg->kind != JSON_KIND_NULL ? arg : NULL;
}

bool rpc_arg_bool(const struct rpc_call *call, size_t index, bool fallback)
{
    const struct json_value *arg = rpc_arg(call, index);
    /* No kind is checked from here on: the table has said that it is a bool. */
    return arg ? arg->boolean : fallback;
}

const char *rpc_arg_string(const struct rpc_call *call, size_t index, const char *fallback)
{
    const struct json_value *arg = rpc_arg(call, index);
    if (!arg)
        return fallback;
    /* What has a zero byte must not be taken for its beginning: it names nothing (U+FFFD). */
    return memchr(arg->text.p, 0, arg->text.len) ? "\xef\xbf\xbd" : (const char *)arg->text.p;
}

bool rpc_expect_kind(struct rpc_call *call, const struct json_value *value, enum json_kind kind)
{
    enum json_kind have = value ? value->kind : JSON_KIND_NULL;
    if (have == kind)
        return true;
    return rpc_refuse(call, RPC_TYPE_ERROR, "JSON value of type %s is not of expected type %s",
                      json_kind_name(have), json_kind_name(kind));
}

static bool check_field(struct rpc_call *call, const struct json_value *object,
                        const struct rpc_field *field)
{
    const struct json_value *value = object ? json_find(object, field->name) : NULL;
    bool is_absent = !value || value->kind == JSON_KIND_NULL;
    if (is_absent && field->need == RPC_FIELD_OPTIONAL)
        return true;
    if (!value)
        return rpc_refuse(call, RPC_TYPE_ERROR, "Missing %s", field->name);
    if (value->kind == field->kind)
        return true;
    return rpc_refuse(call, RPC_TYPE_ERROR,
                      "JSON value of type %s for field %s is not of expected type %s",
                      json_kind_name(value->kind), field->name, json_kind_name(field->kind));
}

/* Known members first, in the table's order, then those that nobody knows: as Core tells of them.
 */
bool rpc_check_fields(struct rpc_call *call, const struct json_value *object,
                      const struct rpc_field *fields, size_t n)
{
    ASSERT(!object || object->kind == JSON_KIND_OBJECT);
    for (size_t i = 0; i < n; i++) {
        if (!check_field(call, object, &fields[i]))
            return false;
    }
    for (const struct json_value *v = object ? object->first : NULL; v; v = v->next) {
        size_t i = 0;
        while (i < n && !span_equal(v->name, span_of_string(fields[i].name)))
            i++;
        if (i < n)
            continue;
        return rpc_refuse(call, RPC_TYPE_ERROR, "Unexpected key %.*s", (int)v->name.len,
                          (const char *)v->name.p);
    }
    return true;
}

static bool read_integer(struct rpc_call *call, const struct json_value *value, int64_t min,
                         int64_t max, int64_t *out)
{
    ASSERT(min <= max && out);
    if (!rpc_expect_kind(call, value, JSON_KIND_NUMBER))
        return false;
    if (json_integer_in(value, min, max, out))
        return true;
    return rpc_refuse(call, RPC_MISC_ERROR, "JSON integer out of range");
}

bool rpc_arg_int64(struct rpc_call *call, size_t index, int64_t *out)
{
    const struct json_value *arg = rpc_arg(call, index);
    return !arg || read_integer(call, arg, INT64_MIN, INT64_MAX, out);
}

bool rpc_arg_int32(struct rpc_call *call, size_t index, int32_t *out)
{
    const struct json_value *arg = rpc_arg(call, index);
    int64_t value;
    if (!arg)
        return true;
    if (!read_integer(call, arg, INT32_MIN, INT32_MAX, &value))
        return false;
    *out = (int32_t)value;
    return true;
}

bool rpc_arg_verbosity(struct rpc_call *call, size_t index, bool allow_bool, int32_t *out)
{
    const struct json_value *arg = rpc_arg(call, index);
    if (!arg || arg->kind != JSON_KIND_BOOL)
        return rpc_arg_int32(call, index, out);
    if (!allow_bool)
        return rpc_refuse(call, RPC_TYPE_ERROR, "Verbosity was boolean but only integer allowed");
    *out = arg->boolean;
    return true;
}

bool rpc_read_id(struct rpc_call *call, const struct json_value *value, const char *name,
                 uint8_t id[32])
{
    ASSERT(name && id);
    if (!rpc_expect_kind(call, value, JSON_KIND_STRING))
        return false;
    const char *text = (const char *)value->text.p;
    if (value->text.len != 64)
        return rpc_refuse(call, RPC_INVALID_PARAMETER,
                          "%s must be of length 64 (not %zu, for '" RPC_TEXT "')", name,
                          value->text.len, text);
    if (!hex_decode_reversed(id, 32, text, 64))
        return rpc_refuse(call, RPC_INVALID_PARAMETER,
                          "%s must be hexadecimal string (not '" RPC_TEXT "')", name, text);
    return true;
}

bool rpc_read_hex(struct rpc_call *call, const struct json_value *value, const char *name,
                  struct span *bytes)
{
    ASSERT(name && bytes);
    if (!rpc_expect_kind(call, value, JSON_KIND_STRING))
        return false;
    size_t len = value->text.len / 2;
    uint8_t *decoded = arena_alloc(&call->arena, len + 1);
    if (!hex_decode(decoded, len, (const char *)value->text.p, value->text.len))
        return rpc_refuse(call, RPC_INVALID_PARAMETER,
                          "%s must be hexadecimal string (not '" RPC_TEXT "')", name,
                          (const char *)value->text.p);
    *bytes = span_of(decoded, len);
    return true;
}

bool rpc_read_amount(struct rpc_call *call, const struct json_value *value, int64_t *value_sat)
{
    ASSERT(value_sat);
    if (!value || (value->kind != JSON_KIND_NUMBER && value->kind != JSON_KIND_STRING))
        return rpc_refuse(call, RPC_TYPE_ERROR, "Amount is not a number or string");
    if (!json_fixed_point(value, 8, value_sat))
        return rpc_refuse(call, RPC_TYPE_ERROR, "Invalid amount");
    if (*value_sat < 0 || *value_sat > MAX_MONEY_SAT)
        return rpc_refuse(call, RPC_TYPE_ERROR, "Amount out of range");
    return true;
}
