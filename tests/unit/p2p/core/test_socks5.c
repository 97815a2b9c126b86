/* test_socks5.c - what is asked of a SOCKS5 proxy, and every answer that it can give. */
#include "p2p/core/socks5.h"

#include "support/unit.h"

/* One conversation. */
struct talk {
    struct socks5 socks5;
    struct buffer out;
    size_t looked_at; /* of out */
};

static int setup(void **state)
{
    struct talk *talk = test_calloc(1, sizeof *talk);
    buffer_init(&talk->out);
    *state = talk;
    return 0;
}

static int teardown(void **state)
{
    struct talk *talk = *state;
    buffer_deinit(&talk->out);
    test_free(talk);
    return 0;
}

FIXTURE(setup, teardown)

static void begin(struct talk *talk, const char *host, const char *credential)
{
    talk->out.len = talk->looked_at = 0;
    socks5_begin(&talk->socks5, host, 0x1234, credential, &talk->out);
}

/* What was sent since the last look. */
static void expect_sent(struct talk *talk, const void *bytes, size_t len)
{
    assert_int_equal(talk->out.len - talk->looked_at, len);
    if (len > 0)
        assert_memory_equal(talk->out.p + talk->looked_at, bytes, len);
    talk->looked_at = talk->out.len;
}

/* Give it bytes, as many at a time. Returns: how many it has left */
static size_t give(struct talk *talk, const uint8_t *bytes, size_t len, size_t piece)
{
    size_t at = 0;
    while (at < len && talk->socks5.step < SOCKS5_UP) {
        struct span part = span_of(bytes + at, len - at < piece ? len - at : piece);
        const uint8_t *end = part.p + part.len;
        (void)socks5_read(&talk->socks5, &part, &talk->out);
        at += (size_t)(part.p - (bytes + at));
        if (part.len > 0) {
            assert_true(talk->socks5.step >= SOCKS5_UP);
            assert_ptr_equal(part.p + part.len, end);
        }
    }
    return len - at;
}

#define GIVE(talk, ...)                                                                            \
    give(talk, (const uint8_t[]){__VA_ARGS__}, sizeof(const uint8_t[]){__VA_ARGS__}, 1000)

TEST(a_name_is_asked_for_without_credentials, struct talk *talk)
{
    begin(talk, "a.b", NULL);
    expect_sent(talk, "\x05\x01\x00", 3);
    assert_int_equal(GIVE(talk, 5, 0), 0);
    expect_sent(talk,
                "\x05\x01\x00\x03\x03"
                "a.b\x12\x34",
                10);
    assert_int_equal(GIVE(talk, 5, 0, 0, 1, 127, 0, 0, 1, 0, 80), 0);
    assert_int_equal(talk->socks5.step, SOCKS5_UP);
    expect_sent(talk, "", 0);
}

TEST(credentials_are_offered_and_given, struct talk *talk)
{
    begin(talk, "a.b", "k7");
    expect_sent(talk, "\x05\x02\x00\x02", 4);
    assert_int_equal(GIVE(talk, 5, 2), 0);
    expect_sent(talk, "\x01\x02k7\x02k7", 7);
    assert_int_equal(GIVE(talk, 1, 0), 0);
    assert_int_equal(talk->socks5.step, SOCKS5_REQUEST);
    assert_int_equal(talk->out.len - talk->looked_at, 10);
}

TEST(credentials_are_not_given_to_who_wants_none, struct talk *talk)
{
    begin(talk, "a.b", "k7");
    talk->looked_at = talk->out.len;
    assert_int_equal(GIVE(talk, 5, 0), 0);
    assert_int_equal(talk->socks5.step, SOCKS5_REQUEST);
    assert_int_equal(talk->out.p[talk->looked_at + 3], 3);
}

TEST(the_longest_host_and_credential_are_sent_whole, struct talk *talk)
{
    char host[SOCKS5_TEXT_MAX + 1], credential[SOCKS5_TEXT_MAX + 1];
    memset(host, 'h', SOCKS5_TEXT_MAX);
    memset(credential, 'c', SOCKS5_TEXT_MAX);
    host[SOCKS5_TEXT_MAX] = credential[SOCKS5_TEXT_MAX] = '\0';
    begin(talk, host, credential);
    assert_int_equal(GIVE(talk, 5, 2, 1, 0), 0);
    assert_int_equal(talk->out.len, 4 + (1 + 256 + 256) + (4 + 256 + 2));
    assert_int_equal(talk->out.p[5], 255);
    assert_memory_equal(talk->out.p + 6, credential, SOCKS5_TEXT_MAX);
    assert_int_equal(talk->out.p[517 + 4], 255);
    assert_memory_equal(talk->out.p + 517 + 5, host, SOCKS5_TEXT_MAX);
}

/* CVE-2017-18350, hazard 38: lengths from 128 on were negative. */
TEST(an_answer_with_a_name_of_any_length_is_read_to_its_end, struct talk *talk)
{
    uint8_t reply[2 + SOCKS5_REPLY_MAX + 3] = {5, 0, 5, 0, 0, 3};
    for (size_t len = 0; len <= 255; len++) {
        for (size_t piece = 1; piece <= 300; piece += 37) {
            size_t size = 2 + 4 + 1 + len + 2;
            reply[6] = (uint8_t)len;
            memset(reply + 7, 0xee, sizeof reply - 7);
            begin(talk, "x", NULL);
            assert_int_equal(give(talk, reply, size - 1, piece), 0);
            assert_int_equal(talk->socks5.step, SOCKS5_REQUEST);
            begin(talk, "x", NULL);
            size_t left = give(talk, reply, size + 3, piece);
            assert_int_equal(talk->socks5.step, SOCKS5_UP);
            assert_int_equal(left, 3); /* the peer's first bytes */
        }
    }
}

TEST(an_answer_with_an_address_is_read_to_its_end, struct talk *talk)
{
    static const struct {
        uint8_t type;
        size_t len;
    } rows[] = {{1, 4}, {4, 16}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t reply[64] = {5, 0, 5, 0, 0, rows[i].type};
        size_t size = 6 + rows[i].len + 2;
        begin(talk, "x", NULL);
        assert_int_equal(give(talk, reply, size - 1, 1), 0);
        assert_int_equal(talk->socks5.step, SOCKS5_REQUEST);
        begin(talk, "x", NULL);
        assert_int_equal(give(talk, reply, sizeof reply, 1000), sizeof reply - size);
        assert_int_equal(talk->socks5.step, SOCKS5_UP);
    }
}

TEST(every_first_answer_but_two_ends_it, struct talk *talk)
{
    for (unsigned version = 0; version < 256; version++) {
        for (unsigned method = 0; method < 256; method++) {
            enum socks5_step want = SOCKS5_FAILED;
            if (version == 5 && method == 0)
                want = SOCKS5_REQUEST;
            if (version == 5 && method == 2)
                want = SOCKS5_LOGIN;
            begin(talk, "x", "k");
            (void)GIVE(talk, (uint8_t)version, (uint8_t)method);
            assert_int_equal(talk->socks5.step, want);
            assert_true((want == SOCKS5_FAILED) == (talk->socks5.error != NULL));
        }
    }
    begin(talk, "x", NULL); /* not offered */
    (void)GIVE(talk, 5, 2);
    assert_int_equal(talk->socks5.step, SOCKS5_FAILED);
}

TEST(every_answer_to_the_login_but_one_ends_it, struct talk *talk)
{
    for (unsigned version = 0; version < 256; version++) {
        for (unsigned result = 0; result < 256; result++) {
            bool is_good = version == 1 && result == 0;
            begin(talk, "x", "k");
            (void)GIVE(talk, 5, 2, (uint8_t)version, (uint8_t)result);
            assert_int_equal(talk->socks5.step, is_good ? SOCKS5_REQUEST : SOCKS5_FAILED);
        }
    }
}

/* Each byte of the head, with the others as they should be. */
TEST(every_other_head_of_the_last_answer_ends_it, struct talk *talk)
{
    for (size_t at = 0; at < 4; at++) {
        for (unsigned value = 0; value < 256; value++) {
            uint8_t reply[6] = {5, 0, 5, 0, 0, 1};
            reply[2 + at] = (uint8_t)value;
            bool is_good = (at == 0 && value == 5) || (at != 0 && at != 3 && value == 0) ||
                           (at == 3 && (value == 1 || value == 3 || value == 4));
            begin(talk, "x", NULL);
            (void)give(talk, reply, sizeof reply, 1);
            assert_int_equal(talk->socks5.step, is_good ? SOCKS5_REQUEST : SOCKS5_FAILED);
            assert_true(is_good == (talk->socks5.error == NULL));
        }
    }
}

TEST(a_refusal_says_why, struct talk *talk)
{
    static const struct {
        uint8_t result;
        const char *error;
    } rows[] = {
        {1, "general failure"},
        {5, "connection refused"},
        {8, "type of address unknown"},
        {9, "unknown failure"},
        {0xef, "unknown failure"},
        {0xf0, "the onion service has no descriptor"},
        {0xf7, "introducing to the onion service took too long"},
        {0xf8, "unknown failure"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        begin(talk, "x", NULL);
        (void)GIVE(talk, 5, 0, 5, rows[i].result, 0, 1);
        assert_string_equal(talk->socks5.error, rows[i].error);
    }
}

TEST(what_comes_after_a_failure_is_left, struct talk *talk)
{
    begin(talk, "x", NULL);
    assert_int_equal(GIVE(talk, 4, 0, 1, 2, 3), 3);
    assert_int_equal(talk->socks5.step, SOCKS5_FAILED);
}
