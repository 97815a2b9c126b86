/* rest_call.c - see rest_call.h */
#include "rpc/rest_call.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "util/alloc.h"
#include "util/hex.h"
#include "util/parse.h"

enum {
    HEADERS_MAX = 2000,   /* of one answer. Core: MAX_REST_HEADERS_RESULTS */
    MESSAGE_BYTES = 16384 /* of an error: heads of requests are no longer */
};

static void set_error(struct rpc_call *call, int status, const char *format, va_list args)
{
    ASSERT(status >= 400 && call->rest);
    char text[MESSAGE_BYTES];
    vsnprintf(text, sizeof text, format, args);
    call->rest->status = status;
    rpc_fail(call, RPC_MISC_ERROR, "%s", text);
}

enum rpc_progress rest_fail(struct rpc_call *call, int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_error(call, status, format, args);
    va_end(args);
    return RPC_DONE;
}

bool rest_refuse(struct rpc_call *call, int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_error(call, status, format, args);
    va_end(args);
    return false;
}

enum rpc_progress rest_fail_format(struct rpc_call *call)
{
    return rest_fail(call, 404, "output format not found (available: .bin, .hex, .json)");
}

bool rest_need_json(struct rpc_call *call)
{
    ASSERT(call->rest);
    return call->rest->format == REST_FORMAT_JSON ||
           rest_refuse(call, 404, "output format not found (available: json)");
}

/* -- What the path says ----------------------------------------------------------------------- */

size_t rest_split(char *path, char **parts)
{
    ASSERT(path && parts);
    size_t n = 0;
    parts[n++] = path;
    for (char *at = path; *at && n < REST_PARTS_MAX; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        parts[n++] = at + 1;
    }
    return n;
}

/* RFC 3986, sections 2.1 to 2.3: what a query may consist of. */
static bool is_query_valid(const char *query)
{
    for (const char *c = query; *c; c++) {
        if (*c == '%' && (hex_digit(c[1]) < 0 || hex_digit(c[2]) < 0))
            return false;
        bool is_plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                        (*c >= '0' && *c <= '9') || strchr("-._~!$&'()*+,;=:@/?%", *c);
        if (!is_plain)
            return false;
    }
    return true;
}

static char *decode(struct arena *arena, const char *text, size_t len)
{
    char *out = arena_alloc(arena, len + 1), *to = out;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '%') {
            *to++ = (char)(hex_digit(text[i + 1]) << 4 | hex_digit(text[i + 2]));
            i += 2;
        } else {
            *to++ = text[i] == '+' ? ' ' : text[i];
        }
    }
    *to = '\0';
    return out;
}

bool rest_query(struct rpc_call *call, const char *name, const char *fallback, const char **value)
{
    ASSERT(call->rest && name);
    const char *at = call->rest->query;
    size_t name_len = strlen(name);
    *value = fallback;
    if (!is_query_valid(at))
        return rest_refuse(call, 400,
                           "URI parsing failed, it likely contained RFC 3986 invalid characters");
    while (*at) {
        size_t len = strcspn(at, "&");
        if (len > name_len && at[name_len] == '=' && strncasecmp(at, name, name_len) == 0) {
            *value = decode(&call->arena, at + name_len + 1, len - name_len - 1);
            return true;
        }
        at += len + (at[len] == '&');
    }
    return true;
}

bool rest_read_id(struct rpc_call *call, const char *text, uint8_t id[32])
{
    ASSERT(text);
    return hex_decode_reversed(id, 32, text, strlen(text)) ||
           rest_refuse(call, 400, "Invalid hash: %s", text);
}

bool rest_read_number(const char *text, uint64_t *number)
{
    ASSERT(text && number);
    return *text >= '0' && *text <= '9' && parse_uint64(text, number);
}

bool rest_read_count(struct rpc_call *call, const char *text, size_t *count)
{
    ASSERT(count);
    uint64_t n = 0;
    bool is_good = rest_read_number(text, &n) && n >= 1 && n <= HEADERS_MAX;
    *count = (size_t)n;
    return is_good ||
           rest_refuse(call, 400, "Header count is invalid or out of acceptable range (1-%d): %s",
                       HEADERS_MAX, text);
}

/* -- Answers ---------------------------------------------------------------------------------- */

void rest_put_bytes(struct rpc_call *call, struct span bytes)
{
    ASSERT(call->rest && call->rest->format != REST_FORMAT_JSON);
    if (call->rest->format == REST_FORMAT_BIN) {
        buffer_append(&call->answer, bytes.p, bytes.len);
        return;
    }
    char *to = (char *)buffer_reserve(&call->answer, 2 * bytes.len + 1);
    hex_encode(to, bytes);
    call->answer.len += 2 * bytes.len;
}

void rest_put_id(struct rpc_call *call, const uint8_t id[32])
{
    ASSERT(call->rest && id);
    char text[HEX_ID_BYTES];
    buffer_append_string(&call->answer, hex_encode_reversed(text, span_of(id, 32)));
}

/* -- Arguments of methods --------------------------------------------------------------------- */

static void set_arg(struct rpc_call *call, size_t index, struct json_value *value)
{
    ASSERT(index < RPC_ARGS_MAX);
    call->args[index] = value;
    if (call->n_args <= index)
        call->n_args = index + 1;
}

void rest_arg_text(struct rpc_call *call, size_t index, const char *text)
{
    ASSERT(text);
    set_arg(call, index, json_new_text(&call->arena, JSON_KIND_STRING, span_of_string(text)));
}

void rest_arg_number(struct rpc_call *call, size_t index, const char *number)
{
    ASSERT(number);
    set_arg(call, index, json_new_text(&call->arena, JSON_KIND_NUMBER, span_of_string(number)));
}

void rest_arg_bool(struct rpc_call *call, size_t index, bool value)
{
    struct json_value *json = json_new(&call->arena, JSON_KIND_BOOL);
    ASSERT(json);
    json->boolean = value;
    set_arg(call, index, json);
}
