/* frame.c - see frame.h. */
#include "p2p/core/frame.h"

#include "crypto/hash.h"
#include "util/alloc.h"
#include "util/reader.h"
#include "util/writer.h"

#define FRAME_FIRST_BYTES 4096  /* allocated at once for a message of any length above that */
#define FRAME_LEAST_BYTES 128   /* or of any below: pings and most of what an idle peer says */
#define FRAME_KEEP_BYTES  16384 /* a larger buffer is not kept for the next message */
#define FRAME_BUFFER_MAX  (FRAME_PAYLOAD_MAX + 64) /* with what encryption adds */

void frame_reader_init(struct frame_reader *reader, const uint8_t magic[4])
{
    *reader = (struct frame_reader){0};
    memcpy(reader->magic, magic, 4);
}

void frame_reader_deinit(struct frame_reader *reader)
{
    xfree(reader->payload);
    reader->payload = NULL;
    reader->capacity = reader->payload_len = 0;
}

/* Printable ASCII, then zeros up to the end. So a name can be logged as it is (hazard 75). */
bool frame_name_decode(const uint8_t from[FRAME_NAME_BYTES], char name[FRAME_NAME_BYTES + 1])
{
    size_t n = 0;
    name[0] = '\0';
    while (n < FRAME_NAME_BYTES && from[n] >= 0x20 && from[n] <= 0x7e)
        n++;
    for (size_t i = n; i < FRAME_NAME_BYTES; i++)
        if (from[i] != 0)
            return false;
    memcpy(name, from, n);
    name[n] = '\0';
    return true;
}

/* All that is wrong with a message before its first byte of payload: nothing is allocated for one
 * that is too long for its kind (hazard 46). */
static enum frame_result check_header(struct frame_reader *reader, frame_rule_fn *rule, void *arg)
{
    struct reader r = reader_of(span_of(reader->header + 16, 4));
    if (memcmp(reader->header, reader->magic, 4) != 0)
        return FRAME_BAD_MAGIC;
    reader->payload_size = read_u32(&r);
    if (reader->payload_size > FRAME_PAYLOAD_MAX)
        return FRAME_TOO_LARGE;
    reader->overhead = FRAME_HEADER_BYTES;
    if (!frame_name_decode(reader->header + 4, reader->name)) {
        /* Of no message that anybody knows; the stream goes on, as in Core. */
        reader->is_discarded = true;
        return FRAME_MORE;
    }
    if (!rule)
        return FRAME_MORE;
    struct frame_rule is = rule(arg, reader->name);
    reader->is_discarded = is.is_discarded;
    return reader->payload_size > is.max_bytes ? FRAME_TOO_LARGE : FRAME_MORE;
}

static void take(struct span *bytes, uint8_t *to, uint32_t *len, uint32_t want)
{
    size_t n = want - *len;
    n = MIN_OF(n, bytes->len);
    if (n)
        memcpy(to + *len, bytes->p, n);
    *len += (uint32_t)n;
    bytes->p += n;
    bytes->len -= n;
}

/* Room for what is here and what has arrived, doubling, so that memory follows the data: a length
 * alone, which costs 24 bytes to send, fills nobody's memory (hazard 46). */
static void grow(struct frame_reader *reader, size_t arrived)
{
    size_t need = reader->payload_len + arrived;
    need = MIN_OF(need, reader->payload_size);
    if (need <= reader->capacity)
        return;
    size_t first = MIN_OF(MAX_OF(reader->payload_size, FRAME_LEAST_BYTES), FRAME_FIRST_BYTES);
    size_t capacity = MAX_OF(reader->capacity, first);
    while (capacity < need)
        capacity *= 2;
    capacity = MIN_OF(capacity, FRAME_BUFFER_MAX);
    reader->payload = xrealloc(reader->payload, capacity, 1);
    reader->capacity = (uint32_t)capacity;
}

void frame_reader_trim(struct frame_reader *reader)
{
    ASSERT(reader->payload_len == reader->payload_size);
    reader->payload_len = reader->payload_size = 0;
    if (reader->capacity > FRAME_KEEP_BYTES)
        frame_reader_deinit(reader);
}

static void start_message(struct frame_reader *reader)
{
    frame_reader_trim(reader);
    reader->header_len = 0;
    reader->is_discarded = false;
}

/* Pass over what belongs to a message that nobody wants. */
static enum frame_result discard(struct frame_reader *reader, struct span *bytes)
{
    size_t n = reader->payload_size - reader->payload_len;
    n = MIN_OF(n, bytes->len);
    reader->payload_len += (uint32_t)n;
    bytes->p += n;
    bytes->len -= n;
    return reader->payload_len < reader->payload_size ? FRAME_MORE : FRAME_DISCARDED;
}

bool frame_is_open(const struct frame_reader *reader)
{
    return reader->header_len == FRAME_HEADER_BYTES && reader->payload_len < reader->payload_size;
}

void frame_discard(struct frame_reader *reader)
{
    ASSERT(frame_is_open(reader));
    xfree(reader->payload);
    reader->payload = NULL;
    reader->capacity = 0;
    reader->is_discarded = true;
}

enum frame_result frame_read(struct frame_reader *reader, struct span *bytes, frame_rule_fn *rule,
                             void *arg)
{
    ASSERT(reader->payload_len <= reader->payload_size);
    bool is_complete = reader->header_len == FRAME_HEADER_BYTES;
    if (is_complete && reader->payload_len == reader->payload_size)
        start_message(reader);
    if (reader->header_len < FRAME_HEADER_BYTES) {
        take(bytes, reader->header, &reader->header_len, FRAME_HEADER_BYTES);
        if (reader->header_len < FRAME_HEADER_BYTES)
            return FRAME_MORE;
        enum frame_result result = check_header(reader, rule, arg);
        if (result != FRAME_MORE)
            return result;
    }
    if (reader->is_discarded)
        return discard(reader, bytes);
    grow(reader, bytes->len);
    take(bytes, reader->payload, &reader->payload_len, reader->payload_size);
    if (reader->payload_len < reader->payload_size)
        return FRAME_MORE;
    uint8_t hash[32];
    sha256d(frame_payload(reader), hash);
    return memcmp(hash, reader->header + 20, 4) == 0 ? FRAME_MESSAGE : FRAME_BAD_CHECKSUM;
}

bool frame_take_header(struct frame_reader *reader, struct span *bytes, uint32_t n)
{
    ASSERT(n <= FRAME_HEADER_BYTES && reader->payload_len == reader->payload_size);
    if (reader->header_len == FRAME_HEADER_BYTES)
        start_message(reader);
    take(bytes, reader->header, &reader->header_len, n);
    return reader->header_len == n;
}

void frame_open_sealed(struct frame_reader *reader, uint32_t sealed_bytes)
{
    ASSERT(sealed_bytes <= FRAME_BUFFER_MAX && reader->payload_size == 0);
    reader->overhead = reader->header_len;
    reader->header_len = FRAME_HEADER_BYTES;
    reader->payload_size = sealed_bytes;
    reader->name[0] = '\0';
    reader->is_sealed = true;
}

bool frame_take_payload(struct frame_reader *reader, struct span *bytes)
{
    ASSERT(frame_is_open(reader));
    if (reader->is_discarded)
        return discard(reader, bytes) == FRAME_DISCARDED;
    grow(reader, bytes->len);
    take(bytes, reader->payload, &reader->payload_len, reader->payload_size);
    return reader->payload_len == reader->payload_size;
}

void frame_close_discarded(struct frame_reader *reader)
{
    ASSERT(reader->is_sealed && reader->payload_len == reader->payload_size);
    reader->is_sealed = false;
    reader->is_discarded = true;
}

enum frame_result frame_close(struct frame_reader *reader, struct span payload, frame_rule_fn *rule,
                              void *arg)
{
    struct frame_rule is = {.max_bytes = FRAME_PAYLOAD_MAX};
    ASSERT(reader->is_sealed && payload.len <= reader->payload_len);
    if (payload.len > 0)
        memmove(reader->payload, payload.p, payload.len);
    reader->overhead += reader->payload_size - (uint32_t)payload.len;
    reader->payload_len = reader->payload_size = (uint32_t)payload.len;
    reader->is_sealed = false;
    if (rule)
        is = rule(arg, reader->name);
    reader->is_discarded = is.is_discarded;
    if (payload.len > is.max_bytes)
        return FRAME_TOO_LARGE;
    return is.is_discarded ? FRAME_DISCARDED : FRAME_MESSAGE;
}

struct span frame_payload(const struct frame_reader *reader)
{
    return span_of(reader->payload, reader->is_discarded ? 0 : reader->payload_len);
}

uint8_t *frame_payload_take(struct frame_reader *reader, size_t *len)
{
    ASSERT(reader->payload_len == reader->payload_size);
    ASSERT(!reader->is_discarded);
    uint8_t *payload = reader->payload;
    *len = reader->payload_len;
    /* Doubling leaves up to as much again unused; a block is held for long. */
    if (payload && reader->capacity > *len + 4096)
        payload = xrealloc(payload, *len ? *len : 1, 1);
    reader->payload = NULL;
    reader->capacity = reader->payload_len = reader->payload_size = 0;
    return payload;
}

void frame_checksum(struct span payload, uint8_t out[4])
{
    uint8_t hash[32];
    sha256d(payload, hash);
    memcpy(out, hash, 4);
}

void frame_header_encode(uint8_t out[FRAME_HEADER_BYTES], const uint8_t magic[4], const char *name,
                         size_t len, const uint8_t checksum[4])
{
    ASSERT(len <= FRAME_PAYLOAD_MAX && strlen(name) <= FRAME_NAME_BYTES);
    uint8_t padded[FRAME_NAME_BYTES] = {0};
    size_t n = strlen(name);
    ASSERT(n <= FRAME_NAME_BYTES && len <= FRAME_PAYLOAD_MAX);
    memcpy(padded, name, n);
    struct writer w = writer_to_buffer(out, FRAME_HEADER_BYTES);
    write_bytes(&w, magic, 4);
    write_bytes(&w, padded, sizeof padded);
    write_u32(&w, (uint32_t)len);
    write_bytes(&w, checksum, 4);
    ASSERT(w.len == FRAME_HEADER_BYTES);
}
