/* buffer.c - bytes that grow at the end. */
#include "util/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/alloc.h"

enum { BUFFER_FIRST_BYTES = 64 };

void buffer_init(struct buffer *buffer)
{
    *buffer = (struct buffer){0};
}

void buffer_deinit(struct buffer *buffer)
{
    xfree(buffer->p);
    *buffer = (struct buffer){0};
}

uint8_t *buffer_grow(struct buffer *buffer, size_t extra)
{
    ASSERT(buffer->len <= buffer->capacity);
    ASSERT(extra <= SIZE_MAX / 2 - buffer->len);
    size_t need = buffer->len + extra;
    /* Doubling: n appended bytes cost O(n) copying altogether. */
    size_t capacity = buffer->capacity ? 2 * buffer->capacity : BUFFER_FIRST_BYTES;
    capacity = MAX_OF(capacity, need);
    buffer->p = xrealloc(buffer->p, capacity, 1);
    buffer->capacity = capacity;
    return buffer->p + buffer->len;
}

void buffer_append_string(struct buffer *buffer, const char *s)
{
    buffer_append(buffer, s, strlen(s));
}

void buffer_append_format(struct buffer *buffer, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    ASSERT(buffer->len <= buffer->capacity);
    size_t room = buffer->capacity - buffer->len;
    int len = vsnprintf(room ? (char *)buffer->p + buffer->len : NULL, room, format, args);
    va_end(args);
    ASSERT(len >= 0);

    /* vsnprintf also wants room for a terminating zero, which is not counted in len. */
    if ((size_t)len >= room) {
        char *at = (char *)buffer_reserve(buffer, (size_t)len + 1);
        vsnprintf(at, (size_t)len + 1, format, again);
    }
    va_end(again);
    ASSERT((size_t)len < buffer->capacity - buffer->len);
    buffer->len += (size_t)len;
}

static void append_piece(void *ctx, const void *p, size_t len)
{
    buffer_append(ctx, p, len);
}

struct writer writer_to_growing(struct buffer *buffer)
{
    ASSERT(buffer);
    return (struct writer){.sink = append_piece, .sink_ctx = buffer};
}
