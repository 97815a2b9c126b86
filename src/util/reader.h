/* reader.h - decode little-endian wire data straight through, ask once whether it was all there.
 *
 * Layer: util. The reader is sticky: after the first read past the end, failed stays set and
 * every further read gives zeros and moves nothing. Callers test reader_finish() at the end,
 * or failed before they trust a count. */
#ifndef UTIL_READER_H
#define UTIL_READER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "util/span.h"

/* Borrows the bytes. at <= end at any time. */
struct reader {
    const uint8_t *at;  /* the next byte */
    const uint8_t *end; /* behind the last one */
    bool failed;        /* never taken back; may be set by who finds that what was read is wrong */
};

static inline struct reader reader_of(struct span s)
{
    return (struct reader){.at = s.p, .end = s.p ? s.p + s.len : s.p, .failed = false};
}

/* Bytes not yet read; 0 after a failure. */
static inline size_t reader_left(const struct reader *r)
{
    return r->failed ? 0 : (size_t)(r->end - r->at);
}

/* True if everything was read and nothing is left. */
static inline bool reader_finish(const struct reader *r)
{
    return !r->failed && r->at == r->end;
}

/* Borrow the next len bytes; an empty span after a failure. */
static inline struct span read_span(struct reader *r, size_t len)
{
    if (len > reader_left(r)) {
        r->failed = true;
        return span_of(NULL, 0);
    }
    struct span s = span_of(r->at, len);
    r->at += len;
    return s;
}

/* Copy the next len bytes to out; zeros after a failure. */
static inline void read_bytes(struct reader *r, void *out, size_t len)
{
    struct span s = read_span(r, len);
    if (r->failed)
        memset(out, 0, len);
    else if (len)
        memcpy(out, s.p, len);
}

static inline uint8_t read_u8(struct reader *r)
{
    struct span s = read_span(r, 1);
    return r->failed ? 0 : s.p[0];
}

static inline uint16_t read_u16(struct reader *r)
{
    uint8_t b[2];
    read_bytes(r, b, sizeof b);
    return (uint16_t)(b[0] | b[1] << 8);
}

static inline uint32_t read_u32(struct reader *r)
{
    uint8_t b[4];
    read_bytes(r, b, sizeof b);
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static inline uint64_t read_u64(struct reader *r)
{
    uint64_t low = read_u32(r);
    return low | (uint64_t)read_u32(r) << 32;
}

/* A CompactSize. The shortest form is the only one accepted: any other fails the reader, or one
 * transaction could have two sets of bytes (hazard 22). */
static inline uint64_t read_compact_size(struct reader *r)
{
    uint8_t first = read_u8(r);
    uint64_t value = first, least = 0;
    if (first == 253) {
        value = read_u16(r);
        least = 253;
    } else if (first == 254) {
        value = read_u32(r);
        least = 0x10000;
    } else if (first == 255) {
        value = read_u64(r);
        least = 0x100000000;
    }
    if (value < least)
        r->failed = true;
    return r->failed ? 0 : value;
}

/* A CompactSize followed by that many bytes (a script, a witness item). Bounded by what is left and
 * by nothing else: a cap of our own would split us from the others (hazard 15). */
static inline struct span read_var_span(struct reader *r)
{
    uint64_t len = read_compact_size(r);
    if (len > reader_left(r)) {
        r->failed = true;
        return span_of(NULL, 0);
    }
    return read_span(r, (size_t)len);
}

#endif
