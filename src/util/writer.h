/* writer.h - encode once, to a count, a buffer or a hash.
 *
 * Layer: util. Each type has one X_encode(struct writer *, ...), so size, wire form and hash
 * cannot disagree. A counting writer has neither buffer nor sink; a sink gets every piece. */
#ifndef UTIL_WRITER_H
#define UTIL_WRITER_H

#include <stdint.h>
#include <string.h>

#include "util/assert.h"
#include "util/span.h"

struct writer {
    uint8_t *buffer; /* NULL: count only, or sink */
    size_t capacity; /* of buffer; writing past it is a bug of ours and asserts */
    size_t len;      /* bytes written so far */
    void (*sink)(void *ctx, const void *p, size_t len);
    void *sink_ctx;
};

/* A writer that keeps nothing: len is how much room the same writes need. */
static inline struct writer writer_counting(void)
{
    return (struct writer){0};
}

/* A writer into capacity bytes, which it borrows; to be counted before. */
static inline struct writer writer_to_buffer(void *buffer, size_t capacity)
{
    return (struct writer){.buffer = buffer, .capacity = capacity};
}

/* The one that all others come to. Integers are little-endian, as on the wire. */
static inline void write_bytes(struct writer *w, const void *p, size_t len)
{
    if (len == 0)
        return;
    if (w->sink) {
        w->sink(w->sink_ctx, p, len);
    } else if (w->buffer) {
        ASSERT(len <= w->capacity - w->len);
        memcpy(w->buffer + w->len, p, len);
    }
    w->len += len;
}

static inline void write_span(struct writer *w, struct span s)
{
    write_bytes(w, s.p, s.len);
}

static inline void write_u8(struct writer *w, uint8_t v)
{
    write_bytes(w, &v, 1);
}

static inline void write_u16(struct writer *w, uint16_t v)
{
    uint8_t b[2] = {(uint8_t)v, (uint8_t)(v >> 8)};
    write_bytes(w, b, sizeof b);
}

static inline void write_u32(struct writer *w, uint32_t v)
{
    uint8_t b[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
    write_bytes(w, b, sizeof b);
}

static inline void write_u64(struct writer *w, uint64_t v)
{
    write_u32(w, (uint32_t)v);
    write_u32(w, (uint32_t)(v >> 32));
}

/* In its shortest form, the only one that readers take. */
static inline void write_compact_size(struct writer *w, uint64_t v)
{
    if (v < 253) {
        write_u8(w, (uint8_t)v);
    } else if (v <= 0xffff) {
        write_u8(w, 253);
        write_u16(w, (uint16_t)v);
    } else if (v <= 0xffffffff) {
        write_u8(w, 254);
        write_u32(w, (uint32_t)v);
    } else {
        write_u8(w, 255);
        write_u64(w, v);
    }
}

/* A CompactSize and the bytes. */
static inline void write_var_span(struct writer *w, struct span s)
{
    write_compact_size(w, s.len);
    write_span(w, s);
}

#endif
