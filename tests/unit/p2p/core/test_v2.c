/* test_v2.c - two ends of an encrypted stream, whatever the pieces; and the vectors of BIP324. */
#include "p2p/core/v2.h"

#include "crypto/ellswift.h"
#include "crypto/key.h"
#include "support/csv.h"
#include "support/frame_header.h"
#include "support/hex_bytes.h"
#include "support/unit.h"
#include "support/vectors.h"
#include "util/alloc.h"

static const uint8_t magic[4] = {0xfa, 0xbf, 0xb5, 0xda};

/* One end, what it has read, and what it would send. */
struct end {
    struct v2 *v2;
    struct frame_reader reader;
    struct buffer out;
};

/* Always the same for each side: made once. */
static const uint8_t *encoding_of(const uint8_t key[32], bool initiating)
{
    static uint8_t encodings[2][V2_KEY_BYTES];
    static bool is_made[2];
    uint8_t seed[32] = {7}, random[32] = {(uint8_t)(initiating + 1)};
    if (!is_made[initiating]) {
        struct ec_context *ec = ec_context_new(seed);
        is_made[initiating] = ellswift_create(ec, key, random, encodings[initiating]);
        assert_true(is_made[initiating]);
        ec_context_free(ec);
    }
    return encodings[initiating];
}

static void end_init(struct end *end, bool initiating, size_t garbage_len)
{
    static uint8_t garbage[V2_GARBAGE_MAX];
    struct v2_own own = {.garbage = span_of(garbage, garbage_len)};
    for (size_t i = 0; i < garbage_len; i++)
        garbage[i] = (uint8_t)(i * 7 + initiating);
    memset(own.key, initiating ? 0x11 : 0x22, sizeof own.key);
    memcpy(own.encoding, encoding_of(own.key, initiating), sizeof own.encoding);
    *end = (struct end){.v2 = v2_new(magic, initiating, &own)};
    frame_reader_init(&end->reader, magic);
    buffer_init(&end->out);
    struct span greeting = v2_greeting(end->v2);
    assert_int_equal(greeting.len, V2_KEY_BYTES + garbage_len);
    buffer_append(&end->out, greeting.p, greeting.len);
}

static void end_deinit(struct end *end)
{
    v2_free(end->v2);
    frame_reader_deinit(&end->reader);
    buffer_deinit(&end->out);
}

/* Hand over what the one sends, in pieces, until a message or an error comes out. */
static enum frame_result pass(struct end *from, struct end *to, size_t piece, frame_rule_fn *rule)
{
    struct buffer bytes = from->out;
    enum frame_result result = FRAME_MORE;
    buffer_init(&from->out);
    for (size_t at = 0; at < bytes.len && result == FRAME_MORE;) {
        size_t n = MIN_OF(piece, bytes.len - at);
        struct span part = span_of(bytes.p + at, n);
        result = v2_read(to->v2, &to->reader, &part, rule, NULL, &to->out);
        at += n - part.len;
    }
    buffer_deinit(&bytes);
    return result;
}

static void send(struct end *end, const char *name, struct span payload)
{
    size_t len;
    uint8_t *bytes = v2_encode(end->v2, name, payload, &len);
    buffer_append(&end->out, bytes, len);
    xfree(bytes);
}

static void greet(struct end *a, struct end *b, size_t garbage_a, size_t garbage_b, size_t piece)
{
    end_init(a, true, garbage_a);
    end_init(b, false, garbage_b);
    assert_true(v2_is_refused(b->v2)); /* so far */
    assert_int_equal(pass(a, b, piece, NULL), FRAME_MORE);
    assert_true(v2_can_send(b->v2) && !v2_is_established(b->v2));
    assert_int_equal(pass(b, a, piece, NULL), FRAME_MORE);
    assert_true(v2_is_established(a->v2));
    assert_int_equal(pass(a, b, piece, NULL), FRAME_MORE);
    assert_true(v2_is_established(b->v2));
    assert_memory_equal(v2_session_id(a->v2), v2_session_id(b->v2), V2_SESSION_BYTES);
}

static void assert_message(const struct end *end, const char *name, const void *payload, size_t len)
{
    struct span got = frame_payload(&end->reader);
    assert_string_equal(end->reader.name, name);
    assert_int_equal(got.len, len);
    assert_memory_equal(got.p, payload, len);
}

TEST(messages_come_out_whatever_the_pieces)
{
    static uint8_t large[100000];
    struct end a, b;
    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (uint8_t)(i * i);
    for (size_t piece = 1; piece < 3000; piece = piece * 3 + 1) {
        greet(&a, &b, 40, 999, piece);
        for (int i = 0; i < 3; i++) {
            send(&a, "block", span_of(large, sizeof large));
            assert_int_equal(pass(&a, &b, piece, NULL), FRAME_MESSAGE);
            assert_message(&b, "block", large, sizeof large);
            send(&b, "version", span_of("hello", 5)); /* its name has no short form */
            assert_int_equal(pass(&b, &a, piece, NULL), FRAME_MESSAGE);
            assert_message(&a, "version", "hello", 5);
            assert_int_equal(a.reader.overhead, V2_EXPANSION_BYTES + 1 + FRAME_NAME_BYTES);
            send(&b, "verack", span_of(NULL, 0));
            assert_int_equal(pass(&b, &a, piece, NULL), FRAME_MESSAGE);
            assert_message(&a, "verack", "", 0);
            send(&b, "ping", span_of("12345678", 8));
            assert_int_equal(pass(&b, &a, piece, NULL), FRAME_MESSAGE);
            assert_message(&a, "ping", "12345678", 8);
            assert_int_equal(a.reader.overhead, V2_EXPANSION_BYTES + 1);
        }
        end_deinit(&a);
        end_deinit(&b);
    }
}

/* Beyond the change of keys, in both directions. */
TEST(keys_change_as_the_stream_goes_on)
{
    struct end a, b;
    greet(&a, &b, 0, 0, 500);
    for (uint32_t i = 0; i < 1000; i++) {
        send(&a, "inv", span_of(&i, sizeof i));
        assert_int_equal(pass(&a, &b, 500, NULL), FRAME_MESSAGE);
        assert_message(&b, "inv", &i, sizeof i);
        send(&b, "tx", span_of(&i, sizeof i));
        assert_int_equal(pass(&b, &a, 500, NULL), FRAME_MESSAGE);
        assert_message(&a, "tx", &i, sizeof i);
    }
    end_deinit(&a);
    end_deinit(&b);
}

/* Every length that there may be; one byte more is too much, as is garbage without end. */
TEST(garbage_is_passed_over_and_proven)
{
    struct end a, b;
    for (size_t n = 0; n <= V2_GARBAGE_MAX; n++) {
        greet(&a, &b, n, V2_GARBAGE_MAX - n, 100000);
        end_deinit(&a);
        end_deinit(&b);
    }
    end_init(&a, true, 20);
    end_init(&b, false, 20);
    a.out.p[V2_KEY_BYTES + 7] ^= 1; /* on the way */
    assert_int_equal(pass(&a, &b, 1000, NULL), FRAME_MORE);
    assert_int_equal(pass(&b, &a, 1000, NULL), FRAME_MORE);
    assert_int_equal(pass(&a, &b, 1000, NULL), FRAME_BAD_PACKET);
    end_deinit(&a);
    end_deinit(&b);
    end_init(&a, true, 20);
    end_init(&b, false, 20);
    a.out.len = V2_KEY_BYTES;
    buffer_reserve(&a.out, 5000);
    memset(a.out.p + V2_KEY_BYTES, 'g', 5000);
    a.out.len += V2_GARBAGE_MAX + V2_TERMINATOR_BYTES - 1;
    assert_int_equal(pass(&a, &b, 100, NULL), FRAME_MORE);
    buffer_append(&a.out, "g", 1);
    assert_int_equal(pass(&a, &b, 100, NULL), FRAME_NO_TERMINATOR);
    end_deinit(&a);
    end_deinit(&b);
}

TEST(any_change_ends_it)
{
    for (size_t at = 0; at < 60; at += 7) {
        struct end a, b;
        greet(&a, &b, 3, 3, 1000);
        send(&a, "headers", span_of("0123456789012345678901234567890123456789", 40));
        a.out.p[at] ^= 0x40;
        enum frame_result result = pass(&a, &b, 1000, NULL);
        /* In the length: it waits for what never comes, or knows that nothing is so long. */
        if (at >= 3)
            assert_int_equal(result, FRAME_BAD_PACKET);
        else
            assert_true(result != FRAME_MESSAGE && result != FRAME_DISCARDED);
        end_deinit(&a);
        end_deinit(&b);
    }
}

static struct frame_rule at_most_ten(void *arg, const char *name)
{
    (void)arg;
    return (struct frame_rule){.max_bytes = 10, .is_discarded = strcmp(name, "reject") == 0};
}

/* What nobody knows or wants is passed over; what is too long ends the connection, if only when it
 * is here. */
TEST(rules_hold_when_the_name_is_known)
{
    struct end a, b;
    greet(&a, &b, 3, 3, 1000);
    send(&a, "reject", span_of("what", 4));
    assert_int_equal(pass(&a, &b, 9, at_most_ten), FRAME_DISCARDED);
    send(&a, "inv", span_of("0123456789", 10));
    assert_int_equal(pass(&a, &b, 9, at_most_ten), FRAME_MESSAGE);
    send(&a,
         "b\x01"
         "d",
         span_of("x", 1));
    assert_int_equal(pass(&a, &b, 9, at_most_ten), FRAME_DISCARDED);
    assert_string_equal(b.reader.name, "");
    send(&a, "inv", span_of("0123456789a", 11));
    assert_int_equal(pass(&a, &b, 9, at_most_ten), FRAME_TOO_LARGE);
    end_deinit(&a);
    end_deinit(&b);
}

/* Given up in its middle, it still counts: what follows can be read. */
TEST(a_message_may_be_given_up)
{
    static uint8_t large[50000];
    struct end a, b;
    greet(&a, &b, 3, 3, 1000);
    send(&a, "block", span_of(large, sizeof large));
    struct span half = span_of(a.out.p, 20000);
    assert_int_equal(v2_read(b.v2, &b.reader, &half, NULL, NULL, &b.out), FRAME_MORE);
    assert_true(frame_is_open(&b.reader) && b.reader.is_sealed && b.reader.name[0] == '\0');
    frame_discard(&b.reader);
    struct span rest = span_of(a.out.p + 20000, a.out.len - 20000);
    assert_int_equal(v2_read(b.v2, &b.reader, &rest, NULL, NULL, &b.out), FRAME_DISCARDED);
    a.out.len = 0;
    send(&a, "ping", span_of("12345678", 8));
    assert_int_equal(pass(&a, &b, 9, NULL), FRAME_MESSAGE);
    assert_message(&b, "ping", "12345678", 8);
    end_deinit(&a);
    end_deinit(&b);
}

TEST(v1_of_another_network_is_known)
{
    struct end b;
    uint8_t bytes[V2_KEY_BYTES] = {1, 2, 3, 4, 'v', 'e', 'r', 's', 'i', 'o', 'n'};
    struct span most = span_of(bytes, 15), last = span_of(bytes + 15, 1);
    end_init(&b, false, 0);
    assert_int_equal(v2_read(b.v2, &b.reader, &most, NULL, NULL, &b.out), FRAME_MORE);
    assert_int_equal(v2_read(b.v2, &b.reader, &last, NULL, NULL, &b.out), FRAME_OTHER_NETWORK);
    end_deinit(&b);
}

/* bcoin does not hang up at our key: it says reject, and goes on waiting. */
TEST(an_answer_in_v1_is_known)
{
    struct end a;
    uint8_t bytes[FRAME_HEADER_BYTES];
    frame_header_of(bytes, magic, "reject", span_of("x", 1));
    for (size_t n = 4; n <= sizeof bytes; n += 10) {
        struct span all = span_of(bytes, n);
        end_init(&a, true, 0);
        enum frame_result result = v2_read(a.v2, &a.reader, &all, NULL, NULL, &a.out);
        assert_int_equal(result, n < 16 ? FRAME_MORE : FRAME_BAD_MAGIC);
        assert_int_equal(v2_is_refused(a.v2), n >= 16);
        end_deinit(&a);
    }
}

/* Keys, terminators and session ids, from both encodings and one secret. */
TEST(the_vectors_agree)
{
    static const uint8_t mainnet[4] = {0xf9, 0xbe, 0xb4, 0xd9};
    char *text = vectors_read("bips/0324/packet_encoding_test_vectors.csv", NULL);
    char *fields[CSV_FIELDS_MAX];
    if (!text)
        skip();
    size_t n = 0;
    for (char *at = csv_row(text, fields); (at = csv_row(at, fields)); n++) {
        struct v2_own own = {.garbage = span_of(NULL, 0)};
        uint8_t theirs[64];
        struct frame_reader reader;
        struct buffer out;
        hex_bytes_exactly(fields[1], own.key, 32);
        hex_bytes_exactly(fields[2], own.encoding, 64);
        hex_bytes_exactly(fields[3], theirs, 64);
        struct v2 *v2 = v2_new(mainnet, fields[4][0] == '1', &own);
        struct span bytes = span_of(theirs, sizeof theirs);
        frame_reader_init(&reader, mainnet);
        buffer_init(&out);
        assert_int_equal(v2_read(v2, &reader, &bytes, NULL, NULL, &out), FRAME_MORE);
        assert_hex(out.p, V2_TERMINATOR_BYTES, fields[17]);
        assert_hex(v2_session_id(v2), V2_SESSION_BYTES, fields[19]);
        v2_free(v2);
        buffer_deinit(&out);
        frame_reader_deinit(&reader);
    }
    assert_int_equal(n, 7);
    xfree(text);
}
