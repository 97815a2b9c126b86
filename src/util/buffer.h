/* buffer.h - bytes that grow at the end: answers, records, batches.
 *
 * Layer: util. Whoever fills one from outside input bounds it first. */
#ifndef UTIL_BUFFER_H
#define UTIL_BUFFER_H

#include <stdint.h>
#include <string.h>

#include "util/span.h"
#include "util/writer.h"

/* Pointers into it are void after each call that appends. It never shrinks: who uses it again sets
 * len to 0 and keeps its memory. */
struct buffer {
    uint8_t *p;      /* owned; NULL while capacity is 0 */
    size_t len;      /* bytes in use */
    size_t capacity; /* bytes there is room for */
};

/* Make an empty buffer, which owns no memory yet. */
void buffer_init(struct buffer *buffer);
/* Free what it owns; it is empty then. */
void buffer_deinit(struct buffer *buffer);

/* The slow half of buffer_reserve(): get more memory. */
uint8_t *buffer_grow(struct buffer *buffer, size_t extra);

/* Make room for extra more bytes and return where they start; len does not change. Here, as the
 * next one: an answer of megabytes is written in pieces of a few bytes. */
static inline uint8_t *buffer_reserve(struct buffer *buffer, size_t extra)
{
    if (extra > buffer->capacity - buffer->len || !buffer->p)
        return buffer_grow(buffer, extra);
    return buffer->p + buffer->len;
}

/* Append bytes. */
static inline void buffer_append(struct buffer *buffer, const void *p, size_t len)
{
    if (len == 0)
        return;
    memcpy(buffer_reserve(buffer, len), p, len);
    buffer->len += len;
}

/* Append a zero-terminated string without its end. */
void buffer_append_string(struct buffer *buffer, const char *s);
/* Append what a printf format makes, without a zero. */
void buffer_append_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A writer whose sink appends to buffer. Borrows buffer for the writer's life. */
struct writer writer_to_growing(struct buffer *buffer);

/* What is in it, borrowed until the next change. */
static inline struct span buffer_span(const struct buffer *buffer)
{
    return span_of(buffer->p, buffer->len);
}

#endif
