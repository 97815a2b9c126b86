/* bench_v2.c - how fast messages become encrypted packets and the other way round (BIP324).
 *
 * In Gbit of payload for each second of one core's time: processor time is counted, so that other
 * programs disturb less. Small messages are timed many at once, since to ask for the time takes as
 * long as to encrypt one. Decrypting has the bytes in pieces, as a socket gives them. */
#include <stdio.h>
#include <time.h>

#include "crypto/ellswift.h"
#include "crypto/key.h"
#include "p2p/core/v2.h"
#include "util/alloc.h"

enum {
    PIECE_BYTES = 64 << 10, /* at most, of one call that brings bytes in */
    TOTAL_BYTES = 200 << 20,
    BATCH_BYTES = 64 << 10, /* of messages that are timed at once; one at least */
    RUNS = 3,
};

static const uint8_t magic[4] = {0xfa, 0xbf, 0xb5, 0xda};

struct end {
    struct v2 *v2;
    struct frame_reader reader;
};

static void end_init(struct end *end, bool initiating)
{
    struct v2_own own = {.garbage = span_of(NULL, 0)};
    uint8_t seed[32] = {7}, random[32] = {(uint8_t)(initiating + 1)};
    struct ec_context *ec = ec_context_new(seed);
    memset(own.key, initiating ? 0x11 : 0x22, sizeof own.key);
    bool ok = ellswift_create(ec, own.key, random, own.encoding);
    ASSERT(ok);
    ec_context_free(ec);
    end->v2 = v2_new(magic, initiating, &own);
    frame_reader_init(&end->reader, magic);
}

static void pass(struct end *to, struct span bytes, struct buffer *out)
{
    while (bytes.len > 0)
        (void)v2_read(to->v2, &to->reader, &bytes, NULL, NULL, out);
}

/* Keys, terminators, version packets. */
static void shake_hands(struct end *a, struct end *b)
{
    struct buffer from_a, from_b;
    buffer_init(&from_a);
    buffer_init(&from_b);
    struct span greeting = v2_greeting(a->v2);
    buffer_append(&from_a, greeting.p, greeting.len);
    greeting = v2_greeting(b->v2);
    buffer_append(&from_b, greeting.p, greeting.len);
    struct buffer more_a, more_b;
    buffer_init(&more_a);
    buffer_init(&more_b);
    pass(b, buffer_span(&from_a), &more_b);
    pass(a, buffer_span(&from_b), &more_a);
    pass(b, buffer_span(&more_a), &more_b);
    pass(a, buffer_span(&more_b), &more_a);
    ASSERT(v2_is_established(a->v2) && v2_is_established(b->v2));
    buffer_deinit(&from_a);
    buffer_deinit(&from_b);
    buffer_deinit(&more_a);
    buffer_deinit(&more_b);
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void read_all(struct end *to, struct span bytes)
{
    struct buffer out;
    buffer_init(&out);
    while (bytes.len > 0) {
        size_t n = bytes.len < PIECE_BYTES ? bytes.len : PIECE_BYTES;
        struct span piece = span_of(bytes.p, n);
        enum frame_result result = v2_read(to->v2, &to->reader, &piece, NULL, NULL, &out);
        ASSERT(result == FRAME_MESSAGE || result == FRAME_MORE);
        if (result == FRAME_MESSAGE)
            frame_reader_trim(&to->reader);
        bytes = span_of(bytes.p + (n - piece.len), bytes.len - (n - piece.len));
    }
    buffer_deinit(&out);
}

/* Encrypt the payload n times, one message behind the other. */
static void encode_batch(struct end *from, const char *name, struct span payload, size_t n,
                         struct buffer *out)
{
    for (size_t i = 0; i < n; i++) {
        size_t len;
        uint8_t *bytes = v2_encode(from->v2, name, payload, &len);
        buffer_append(out, bytes, len);
        xfree(bytes);
    }
}

static void measure(struct end *from, struct end *to, const char *name, size_t payload_len)
{
    uint8_t *payload = xcalloc(1, payload_len);
    double encrypt_s = 0, decrypt_s = 0;
    size_t batch = payload_len < BATCH_BYTES ? BATCH_BYTES / payload_len : 1;
    size_t times = TOTAL_BYTES / (payload_len + 1000) / batch + 1; /* fewer of what costs more */
    for (size_t i = 0; i < times; i++) {
        struct buffer bytes;
        buffer_init(&bytes);
        double start_s = now_s();
        encode_batch(from, name, span_of(payload, payload_len), batch, &bytes);
        double middle_s = now_s();
        read_all(to, buffer_span(&bytes));
        decrypt_s += now_s() - middle_s;
        encrypt_s += middle_s - start_s;
        buffer_deinit(&bytes);
    }
    double gbit = (double)payload_len * (double)(times * batch) * 8e-9;
    printf("%-6s of %7zu bytes: encrypt %6.2f Gbit/s, decrypt %6.2f Gbit/s\n", name, payload_len,
           gbit / encrypt_s, gbit / decrypt_s);
    xfree(payload);
}

int main(void)
{
    struct end a, b;
    end_init(&a, true);
    end_init(&b, false);
    shake_hands(&a, &b);
    for (int run = 0; run < RUNS; run++) {
        measure(&a, &b, "block", 3900000);
        measure(&a, &b, "block", 1000000);
        measure(&a, &b, "inv", 36000);
        measure(&a, &b, "tx", 400);
    }
    v2_free(a.v2);
    v2_free(b.v2);
    frame_reader_deinit(&a.reader);
    frame_reader_deinit(&b.reader);
    return 0;
}
