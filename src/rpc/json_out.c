/* json_out.c - JSON written straight into a buffer, with no tree in between. */
#include "rpc/json_out.h"

#include <math.h>
#include <string.h>

#include "util/assert.h"
#include "util/hex.h"
#include "util/utf8.h"

#define SAT_PER_COIN UINT64_C(100000000)

struct json_out json_out_to(struct buffer *buffer)
{
    ASSERT(buffer);
    return (struct json_out){.buffer = buffer};
}

struct json_mark json_out_mark(const struct json_out *out)
{
    return (struct json_mark){out->buffer->len, out->need_comma, out->depth};
}

void json_out_rewind(struct json_out *out, struct json_mark mark)
{
    ASSERT(mark.len <= out->buffer->len);
    out->buffer->len = mark.len;
    out->need_comma = mark.need_comma;
    out->depth = mark.depth;
}

/* The comma that a value or key needs before it. */
static void begin_item(struct json_out *out)
{
    if (out->need_comma)
        buffer_append(out->buffer, ",", 1);
    out->need_comma = true;
}

static void open_container(struct json_out *out, uint8_t bracket)
{
    uint8_t *to = buffer_reserve(out->buffer, 2);
    size_t n = out->need_comma;
    to[0] = ','; /* or what is written over */
    to[n] = bracket;
    out->buffer->len += n + 1;
    out->need_comma = false;
    out->depth++;
}

static void close_container(struct json_out *out, uint8_t bracket)
{
    ASSERT(out->depth > 0);
    *buffer_reserve(out->buffer, 1) = bracket;
    out->buffer->len++;
    out->need_comma = true;
    out->depth--;
}

void json_open_object(struct json_out *out)
{
    open_container(out, '{');
}

void json_close_object(struct json_out *out)
{
    close_container(out, '}');
}

void json_open_array(struct json_out *out)
{
    open_container(out, '[');
}

void json_close_array(struct json_out *out)
{
    close_container(out, ']');
}

void json_put_id_key(struct json_out *out, const uint8_t id[32])
{
    json_put_id(out, id);
    buffer_append(out->buffer, ":", 1);
    out->need_comma = false;
}

void json_put_null(struct json_out *out)
{
    json_put_raw(out, span_of("null", 4));
}

void json_put_bool(struct json_out *out, bool value)
{
    json_put_raw(out, value ? span_of("true", 4) : span_of("false", 5));
}

/* The magnitude is unsigned: INT64_MIN has no positive counterpart. */
static uint64_t magnitude_of(int64_t value)
{
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

/* clang-format off */
#define TENS(d) d"0" d"1" d"2" d"3" d"4" d"5" d"6" d"7" d"8" d"9"
/* The numbers below 100 with two digits each. */
static const char pairs[] = TENS("0") TENS("1") TENS("2") TENS("3") TENS("4")
                            TENS("5") TENS("6") TENS("7") TENS("8") TENS("9");
/* clang-format on */
_Static_assert(sizeof pairs == 2 * 100 + 1, "two digits for each");

static unsigned count_digits(uint64_t value)
{
    unsigned n = 1;
    for (; value >= 10000; value /= 10000)
        n += 4;
    return n + (value >= 10) + (value >= 100) + (value >= 1000);
}

/* Write the last n digits of value. To where they stay: what is written byte by byte and copied at
 * once has the processor wait for the bytes. */
static uint8_t *write_digits(uint8_t *at, uint64_t value, unsigned n)
{
    uint8_t *end = at + n;
    for (at = end; n >= 2; n -= 2, value /= 100)
        memcpy(at -= 2, pairs + 2 * (value % 100), 2);
    if (n)
        at[-1] = (uint8_t)('0' + value % 10);
    return end;
}

uint8_t *json_write_uint(uint8_t *at, uint64_t value)
{
    return write_digits(at, value, count_digits(value));
}

uint8_t *json_write_int(uint8_t *at, int64_t value)
{
    *at = '-'; /* or what is written over */
    return json_write_uint(at + (value < 0), magnitude_of(value));
}

uint8_t *json_write_amount(uint8_t *at, int64_t value_sat)
{
    uint64_t magnitude = magnitude_of(value_sat);
    *at = '-';
    at = json_write_uint(at + (value_sat < 0), magnitude / SAT_PER_COIN);
    *at++ = '.';
    return write_digits(at, magnitude % SAT_PER_COIN, 8);
}

void json_put_int(struct json_out *out, int64_t value)
{
    json_text_end(out, json_write_int(json_text_begin(out, JSON_NUMBER_ROOM), value));
}

void json_put_double(struct json_out *out, double value)
{
    ASSERT(out);
    ASSERT(isfinite(value));
    begin_item(out);
    buffer_append_format(out->buffer, "%.16g", value);
}

void json_put_amount(struct json_out *out, int64_t value_sat)
{
    json_text_end(out, json_write_amount(json_text_begin(out, JSON_NUMBER_ROOM), value_sat));
}

void json_put_string(struct json_out *out, const char *s)
{
    json_put_text(out, span_of_string(s));
}

/* The letter of a two-character escape, or 0. */
static char short_escape(uint8_t c)
{
    switch (c) {
    case '"':
        return '"';
    case '\\':
        return '\\';
    case '\b':
        return 'b';
    case '\t':
        return 't';
    case '\n':
        return 'n';
    case '\f':
        return 'f';
    case '\r':
        return 'r';
    default:
        return 0;
    }
}

static void put_escaped(struct buffer *buffer, uint8_t c)
{
    char letter = short_escape(c);
    if (letter)
        buffer_append(buffer, (char[2]){'\\', letter}, 2);
    else
        buffer_append_format(buffer, "\\u%04x", c);
}

/* Are the next 8 bytes plain: no controls, quotes, backslashes, nothing beyond ASCII? Texts of
 * megabytes are, and are gone through eight times as fast. */
static bool is_plain_word(const uint8_t *p)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = UINT64_C(0x8080808080808080);
    uint64_t v;
    memcpy(&v, p, sizeof v);
    uint64_t quote = v ^ ones * '"', slash = v ^ ones * '\\', del = v ^ ones * 0x7f;
    /* The high bit of a byte that is less than the number taken away; a borrow from a neighbour can
     * only add one, which costs time alone. */
    uint64_t special = (v - ones * 0x20) | (quote - ones) | (slash - ones) | (del - ones) | v;
    return (special & highs) == 0;
}

void json_put_text(struct json_out *out, struct span text)
{
    ASSERT(out);
    begin_item(out);
    buffer_append(out->buffer, "\"", 1);
    size_t plain = 0, len;
    for (size_t i = 0; i < text.len; i += len) {
        len = sizeof(uint64_t);
        if (text.len - i >= len && is_plain_word(text.p + i))
            continue;
        uint8_t c = text.p[i];
        len = utf8_sequence_bytes(span_of(text.p + i, text.len - i));
        if (len > 0 && c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
            continue;
        buffer_append(out->buffer, text.p + plain, i - plain);
        if (len > 0) {
            put_escaped(out->buffer, c);
        } else { /* JSON is UTF-8, file names need not be: the replacement character. RFC 8259, 8.1
                  */
            len = 1;
            buffer_append_string(out->buffer, "\xef\xbf\xbd");
        }
        plain = i + len;
    }
    if (plain < text.len)
        buffer_append(out->buffer, text.p + plain, text.len - plain);
    buffer_append(out->buffer, "\"", 1);
}

void json_put_hex(struct json_out *out, struct span bytes)
{
    ASSERT(out);
    begin_item(out);
    /* hex_encode() ends the text with a zero, which the quote takes the place of. */
    char *to = (char *)buffer_reserve(out->buffer, 2 * bytes.len + 2);
    to[0] = '"';
    hex_encode(to + 1, bytes);
    to[1 + 2 * bytes.len] = '"';
    out->buffer->len += 2 * bytes.len + 2;
}

void json_put_id(struct json_out *out, const uint8_t id[32])
{
    ASSERT(out);
    begin_item(out);
    char *to = (char *)buffer_reserve(out->buffer, 2 * 32 + 2);
    to[0] = '"';
    hex_encode_reversed(to + 1, span_of(id, 32));
    to[1 + 2 * 32] = '"';
    out->buffer->len += 2 * 32 + 2;
}

void json_put_plain(struct json_out *out, struct span text)
{
    ASSERT(out);
    begin_item(out);
    uint8_t *to = buffer_reserve(out->buffer, text.len + 2);
    to[0] = '"';
    memcpy(to + 1, text.p, text.len);
    to[1 + text.len] = '"';
    out->buffer->len += text.len + 2;
}

void json_put_raw(struct json_out *out, struct span text)
{
    ASSERT(out);
    begin_item(out);
    buffer_append(out->buffer, text.p, text.len);
}
