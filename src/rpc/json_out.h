/* json_out.h - JSON written straight into a buffer, with no tree in between.
 *
 * Layer: rpc. Any thread, one at a time. No spaces, no line breaks, as UniValue writes. A mark
 * remembers a point; rewinding to it lets an error replace a half-written answer. */
#ifndef RPC_JSON_OUT_H
#define RPC_JSON_OUT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "util/buffer.h"

struct json_out {
    struct buffer *buffer; /* borrowed */
    bool need_comma;       /* a value precedes in this array or object */
    uint32_t depth;        /* open arrays and objects */
};

struct json_mark {
    size_t len;
    bool need_comma;
    uint32_t depth;
};

/* Write behind what buffer holds already. */
struct json_out json_out_to(struct buffer *buffer);

/* Remember a point. */
struct json_mark json_out_mark(const struct json_out *out);
/* Take back everything written since: an error may replace an answer. */
void json_out_rewind(struct json_out *out, struct json_mark mark);

/* Begin an object: keys follow, each with one value. */
void json_open_object(struct json_out *out);
/* End the innermost object. */
void json_close_object(struct json_out *out);
/* Begin an array: values follow. */
void json_open_array(struct json_out *out);
/* End the innermost array. */
void json_close_array(struct json_out *out);
/* The name of the value that comes next, in an object: len characters that need no escapes. In one
 * go, since a list of the mempool has twenty for each transaction. */
static inline void json_put_key_of(struct json_out *out, const char *key, size_t len)
{
    uint8_t *to = buffer_reserve(out->buffer, len + 4);
    size_t n = out->need_comma;
    to[0] = ','; /* or what is written over */
    to[n] = '"';
    memcpy(to + n + 1, key, len);
    to[n + 1 + len] = '"';
    to[n + 2 + len] = ':';
    out->buffer->len += n + len + 3;
    out->need_comma = false;
}
/* The same, zero-terminated. Here, as the fields below, so that the compiler knows a literal's
 * characters: a block's answer has a hundred thousand names. */
static inline void json_put_key(struct json_out *out, const char *key)
{
    json_put_key_of(out, key, strlen(key));
}
/* The same, where an id is the name. */
void json_put_id_key(struct json_out *out, const uint8_t id[32]);

/* The value null. */
void json_put_null(struct json_out *out);
/* The value true or false. */
void json_put_bool(struct json_out *out, bool value);
/* A whole number. */
void json_put_int(struct json_out *out, int64_t value);
/* 16 significant digits, as Core prints difficulties. Must be finite. */
void json_put_double(struct json_out *out, double value);
/* Coins with exactly 8 decimals from satoshi. */
void json_put_amount(struct json_out *out, int64_t value_sat);
/* A zero-terminated string, as json_put_text() writes it. */
void json_put_string(struct json_out *out, const char *s);
/* Bytes of valid UTF-8 as a string; escapes as UniValue does. */
void json_put_text(struct json_out *out, struct span text);
/* Text that needs no escapes, such as an address. */
void json_put_plain(struct json_out *out, struct span text);
/* Bytes as hex. */
void json_put_hex(struct json_out *out, struct span bytes);
/* Bytes as hex in reverse order, as ids are shown. */
void json_put_id(struct json_out *out, const uint8_t id[32]);
/* JSON text that is one value already. */
void json_put_raw(struct json_out *out, struct span text);

/* -- Several fields in one go: a block's answer has a hundred thousand ----------------------- */

enum { JSON_NUMBER_ROOM = 24 }; /* more than a number has characters */

/* Room for so many characters of text to come, behind the comma if one is due. Returns: where they
 * go. */
static inline uint8_t *json_text_begin(struct json_out *out, size_t room)
{
    uint8_t *to = buffer_reserve(out->buffer, room + 1);
    to[0] = ','; /* or what is written over */
    return to + out->need_comma;
}

/* They end at end. What is opened among them is closed by such text, too. */
static inline void json_text_end(struct json_out *out, const uint8_t *end)
{
    ASSERT(end <= out->buffer->p + out->buffer->capacity);
    out->buffer->len = (size_t)(end - out->buffer->p);
    out->need_comma = true;
}

/* A literal there. Is: what is behind. */
#define JSON_WRITE(at, literal)                                                                    \
    ((uint8_t *)memcpy(at, literal, sizeof(literal) - 1) + sizeof(literal) - 1)
/* A number there, of JSON_NUMBER_ROOM characters at most. Returns: what is behind. */
uint8_t *json_write_uint(uint8_t *at, uint64_t value);
/* The same of a number that may be negative. */
uint8_t *json_write_int(uint8_t *at, int64_t value);
/* The same of coins, as json_put_amount() writes them. */
uint8_t *json_write_amount(uint8_t *at, int64_t value_sat);

/* json_field_what(): the key, then the value by json_put_what(). */
#define FIELD(what, type)                                                                          \
    static inline void json_field_##what(struct json_out *out, const char *key, type value)        \
    {                                                                                              \
        json_put_key(out, key);                                                                    \
        json_put_##what(out, value);                                                               \
    }
FIELD(bool, bool)
FIELD(int, int64_t)
FIELD(double, double)
FIELD(amount, int64_t)
FIELD(string, const char *)
FIELD(plain, struct span)
FIELD(hex, struct span)
FIELD(id, const uint8_t *)
#undef FIELD

/* json_put_key() and json_open_object(). */
static inline void json_field_object(struct json_out *out, const char *key)
{
    json_put_key(out, key);
    json_open_object(out);
}

/* json_put_key() and json_open_array(). */
static inline void json_field_array(struct json_out *out, const char *key)
{
    json_put_key(out, key);
    json_open_array(out);
}

/* json_put_key() and json_put_null(). */
static inline void json_field_null(struct json_out *out, const char *key)
{
    json_put_key(out, key);
    json_put_null(out);
}

#endif
