/* test_frame.c - messages out of a stream, whatever the pieces; memory follows the data. */
#include "p2p/core/frame.h"
#include "support/frame_header.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/assert.h"

static const uint8_t magic[4] = {0xfa, 0xbf, 0xb5, 0xda};

static size_t put(uint8_t *out, const char *name, const void *payload, size_t len)
{
    frame_header_of(out, magic, name, span_of(payload, len));
    if (len)
        memcpy(out + FRAME_HEADER_BYTES, payload, len);
    return FRAME_HEADER_BYTES + len;
}

TEST(a_header_is_as_the_protocol_has_it)
{
    uint8_t out[FRAME_HEADER_BYTES];
    /* The checksum of an empty payload is known: 5df6e0e2. */
    static const uint8_t want[FRAME_HEADER_BYTES] = {
        0xfa, 0xbf, 0xb5, 0xda, 'v', 'e', 'r', 'a', 'c',  'k',  0,    0,
        0,    0,    0,    0,    0,   0,   0,   0,   0x5d, 0xf6, 0xe0, 0xe2};
    frame_header_of(out, magic, "verack", span_of(NULL, 0));
    assert_memory_equal(out, want, sizeof out);
}

TEST(messages_come_out_whatever_the_pieces)
{
    uint8_t stream[400], payload[100];
    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (uint8_t)i;
    size_t n = put(stream, "inv", payload, 100);
    n += put(stream + n, "verack", NULL, 0);
    n += put(stream + n, "twelve_chars", payload, 1);
    static const char *const names[] = {"inv", "verack", "twelve_chars"};
    static const size_t lens[] = {100, 0, 1};
    for (size_t piece = 1; piece <= n; piece++) {
        struct frame_reader reader;
        size_t found = 0;
        frame_reader_init(&reader, magic);
        for (size_t at = 0; at < n; at += piece) {
            struct span bytes = span_of(stream + at, piece < n - at ? piece : n - at);
            while (bytes.len > 0) {
                enum frame_result result = frame_read(&reader, &bytes, NULL, NULL);
                if (result == FRAME_MORE)
                    continue;
                assert_int_equal(result, FRAME_MESSAGE);
                assert_string_equal(reader.name, names[found]);
                assert_int_equal(frame_payload(&reader).len, lens[found]);
                assert_memory_equal(frame_payload(&reader).p, payload, lens[found]);
                found++;
            }
        }
        assert_int_equal(found, 3);
        frame_reader_deinit(&reader);
    }
}

static enum frame_result read_header(uint8_t header[FRAME_HEADER_BYTES], frame_rule_fn *rule)
{
    struct frame_reader reader;
    struct span bytes = span_of(header, FRAME_HEADER_BYTES);
    frame_reader_init(&reader, magic);
    enum frame_result result = frame_read(&reader, &bytes, rule, NULL);
    assert_int_equal(reader.capacity, 0); /* nothing is allocated for a header alone */
    frame_reader_deinit(&reader);
    return result;
}

static struct frame_rule ping_is_short(void *arg, const char *name)
{
    (void)arg;
    return (struct frame_rule){.max_bytes = strcmp(name, "ping") == 0 ? 8 : FRAME_PAYLOAD_MAX,
                               .is_discarded = strcmp(name, "junk") == 0};
}

static void header(uint8_t out[FRAME_HEADER_BYTES], const char *name, uint32_t len)
{
    frame_header_of(out, magic, name, span_of(NULL, 0));
    for (int i = 0; i < 4; i++)
        out[16 + i] = (uint8_t)(len >> 8 * i);
}

TEST(a_header_is_refused_before_anything_is_allocated)
{
    uint8_t h[FRAME_HEADER_BYTES];
    header(h, "block", FRAME_PAYLOAD_MAX);
    assert_int_equal(read_header(h, NULL), FRAME_MORE);
    header(h, "block", FRAME_PAYLOAD_MAX + 1);
    assert_int_equal(read_header(h, NULL), FRAME_TOO_LARGE);
    header(h, "ping", 8);
    assert_int_equal(read_header(h, ping_is_short), FRAME_MORE);
    header(h, "ping", 9);
    assert_int_equal(read_header(h, ping_is_short), FRAME_TOO_LARGE);
    header(h, "block", 1);
    h[0] ^= 1;
    assert_int_equal(read_header(h, NULL), FRAME_BAD_MAGIC);
    header(h, "block", 1);
}

TEST(a_message_without_a_right_name_is_thrown_away)
{
    uint8_t stream[4 * FRAME_HEADER_BYTES + 16], payload[8] = {7};
    size_t n = put(stream, "block", payload, 8);
    stream[15] = 'x'; /* behind the name's end */
    n += put(stream + n, "bl\x01ck", payload, 0);
    n += put(stream + n, "ping", payload, 8);
    struct frame_reader reader;
    frame_reader_init(&reader, magic);
    struct span rest = span_of(stream, n);
    assert_int_equal(frame_read(&reader, &rest, NULL, NULL), FRAME_DISCARDED);
    assert_string_equal(reader.name, "");
    assert_int_equal(frame_read(&reader, &rest, NULL, NULL), FRAME_DISCARDED);
    assert_int_equal(frame_read(&reader, &rest, NULL, NULL), FRAME_MESSAGE);
    assert_string_equal(reader.name, "ping");
    frame_reader_deinit(&reader);
}

/* Junk, a ping, junk without a byte, a ping: in pieces of any size. */
TEST(what_nobody_wants_is_thrown_away_as_it_comes)
{
    uint8_t stream[1200], payload[1000] = {7};
    size_t n = put(stream, "junk", payload, sizeof payload);
    stream[20] ^= 1; /* nobody looks at its checksum */
    n += put(stream + n, "ping", payload, 8);
    n += put(stream + n, "junk", NULL, 0);
    n += put(stream + n, "ping", payload, 8);
    for (size_t piece = 1; piece <= n; piece++) {
        struct frame_reader reader;
        enum frame_result got[4];
        size_t found = 0;
        frame_reader_init(&reader, magic);
        for (size_t at = 0; at < n; at += piece) {
            struct span bytes = span_of(stream + at, piece < n - at ? piece : n - at);
            while (bytes.len > 0) {
                enum frame_result result = frame_read(&reader, &bytes, ping_is_short, NULL);
                if (result != FRAME_MORE)
                    got[found++] = result;
                if (found == 0)
                    assert_int_equal(reader.capacity, 0);
                if (reader.is_discarded)
                    assert_int_equal(frame_payload(&reader).len, 0);
            }
        }
        assert_int_equal(found, 4);
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(got[i], i % 2 ? FRAME_MESSAGE : FRAME_DISCARDED);
        frame_reader_deinit(&reader);
    }
}

TEST(a_message_can_be_given_up_in_the_middle)
{
    uint8_t stream[1200], payload[1000] = {7};
    size_t n = put(stream, "tx", payload, sizeof payload);
    size_t end = n + put(stream + n, "ping", payload, 8);
    struct frame_reader reader;
    frame_reader_init(&reader, magic);
    struct span bytes = span_of(stream, 500);
    assert_false(frame_is_open(&reader));
    assert_int_equal(frame_read(&reader, &bytes, NULL, NULL), FRAME_MORE);
    assert_true(frame_is_open(&reader));
    frame_discard(&reader);
    assert_int_equal(reader.capacity, 0);
    bytes = span_of(stream + 500, end - 500);
    assert_int_equal(frame_read(&reader, &bytes, NULL, NULL), FRAME_DISCARDED);
    assert_int_equal(reader.payload_size, 1000);
    assert_false(frame_is_open(&reader));
    assert_int_equal(frame_read(&reader, &bytes, NULL, NULL), FRAME_MESSAGE);
    assert_string_equal(reader.name, "ping");
    frame_reader_deinit(&reader);
}

/* Hazard 46: 4 MB announced, one byte sent. */
TEST(memory_follows_the_data_not_the_announcement)
{
    struct frame_reader reader;
    uint8_t h[FRAME_HEADER_BYTES], *bytes = xcalloc(1, 1 << 20);
    header(h, "block", FRAME_PAYLOAD_MAX);
    frame_reader_init(&reader, magic);
    struct span s = span_of(h, sizeof h);
    assert_int_equal(frame_read(&reader, &s, NULL, NULL), FRAME_MORE);
    s = span_of(bytes, 1);
    assert_int_equal(frame_read(&reader, &s, NULL, NULL), FRAME_MORE);
    assert_in_range(reader.capacity, 1, 4096);
    s = span_of(bytes, 1 << 20);
    assert_int_equal(frame_read(&reader, &s, NULL, NULL), FRAME_MORE);
    assert_in_range(reader.capacity, 1 << 20, 2 << 20);
    frame_reader_deinit(&reader);
    xfree(bytes);
}

TEST(a_wrong_checksum_loses_one_message_only)
{
    struct frame_reader reader;
    uint8_t stream[200];
    size_t n = put(stream, "tx", "hello", 5);
    stream[n - 1] ^= 1;
    n += put(stream + n, "ping", "12345678", 8);
    struct span bytes = span_of(stream, n);
    frame_reader_init(&reader, magic);
    assert_int_equal(frame_read(&reader, &bytes, NULL, NULL), FRAME_BAD_CHECKSUM);
    assert_int_equal(frame_read(&reader, &bytes, NULL, NULL), FRAME_MESSAGE);
    assert_string_equal(reader.name, "ping");
    assert_int_equal(bytes.len, 0);
    frame_reader_deinit(&reader);
}

TEST(a_payload_can_be_taken_over)
{
    struct frame_reader reader;
    uint8_t stream[200];
    size_t n = put(stream, "block", "some block", 10), len;
    n += put(stream + n, "verack", NULL, 0);
    struct span bytes = span_of(stream, n);
    frame_reader_init(&reader, magic);
    assert_int_equal(frame_read(&reader, &bytes, NULL, NULL), FRAME_MESSAGE);
    uint8_t *payload = frame_payload_take(&reader, &len);
    assert_int_equal(len, 10);
    assert_memory_equal(payload, "some block", 10);
    assert_int_equal(frame_payload(&reader).len, 0);
    xfree(payload);
    assert_int_equal(frame_read(&reader, &bytes, NULL, NULL), FRAME_MESSAGE);
    assert_string_equal(reader.name, "verack");
    frame_reader_deinit(&reader);
}

TEST(a_large_buffer_is_not_kept)
{
    struct frame_reader reader;
    uint8_t *stream = xcalloc(1, 300000), *payload = xcalloc(1, 200000);
    size_t n = put(stream, "block", payload, 200000);
    n += put(stream + n, "ping", "12345678", 8);
    struct span bytes = span_of(stream, n);
    frame_reader_init(&reader, magic);
    assert_int_equal(frame_read(&reader, &bytes, NULL, NULL), FRAME_MESSAGE);
    assert_true(reader.capacity >= 200000);
    frame_reader_trim(&reader);
    assert_int_equal(reader.capacity, 0);
    assert_int_equal(frame_payload(&reader).len, 0);
    assert_int_equal(frame_read(&reader, &bytes, NULL, NULL), FRAME_MESSAGE);
    assert_string_equal(reader.name, "ping");
    assert_in_range(reader.capacity, 8, 16384);
    frame_reader_deinit(&reader);
    xfree(stream);
    xfree(payload);
}
