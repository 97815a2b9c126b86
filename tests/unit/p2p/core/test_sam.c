/* test_sam.c - what is said to I2P's bridge, and every answer that it can give. */
#include "p2p/core/sam.h"

#include "crypto/hash.h"
#include "support/unit.h"

#define HELLO_OK "HELLO REPLY RESULT=OK VERSION=3.1\n"

/* One conversation. */
struct talk {
    struct sam sam;
    struct buffer out;
    char key[SAM_KEY_MAX + 1]; /* 391 bytes of a destination, and what is private */
};

/* A key whose destination has a certificate of that many bytes. */
static void make_key(char out[SAM_KEY_MAX + 1], size_t certificate_len, size_t private_len)
{
    uint8_t bytes[2000] = {0};
    struct buffer text;
    for (size_t i = 0; i < 385; i++)
        bytes[i] = (uint8_t)(i * 7);
    bytes[385] = (uint8_t)(certificate_len >> 8);
    bytes[386] = (uint8_t)certificate_len;
    buffer_init(&text);
    sam_base64_append(&text, span_of(bytes, 387 + certificate_len + private_len));
    assert_true(text.len <= SAM_KEY_MAX);
    memcpy(out, text.p, text.len);
    out[text.len] = '\0';
    buffer_deinit(&text);
}

static int setup(void **state)
{
    struct talk *talk = test_calloc(1, sizeof *talk);
    buffer_init(&talk->out);
    make_key(talk->key, 4, 288);
    *state = talk;
    return 0;
}

static int teardown(void **state)
{
    struct talk *talk = *state;
    sam_deinit(&talk->sam);
    buffer_deinit(&talk->out);
    test_free(talk);
    return 0;
}

FIXTURE(setup, teardown)

static void expect_sent(struct talk *talk, const char *text)
{
    buffer_append(&talk->out, "", 1);
    assert_string_equal((const char *)talk->out.p, text);
    talk->out.len = 0;
}

/* Give it text. Returns: the step that it is at */
static enum sam_step say(struct talk *talk, const char *text)
{
    struct span bytes = span_of_string(text);
    enum sam_step step = sam_read(&talk->sam, &bytes, &talk->out);
    assert_true(bytes.len == 0 || step >= SAM_UP);
    return step;
}

static enum sam_step say_line(struct talk *talk, const char *before, const char *value,
                              const char *after)
{
    char text[2 * SAM_KEY_MAX];
    snprintf(text, sizeof text, "%s%s%s\n", before, value, after);
    return say(talk, text);
}

TEST(a_session_of_a_kept_key_is_made, struct talk *talk)
{
    char want[2 * SAM_KEY_MAX];
    sam_begin_session(&talk->sam, "id7", talk->key, &talk->out);
    expect_sent(talk, "HELLO VERSION MIN=3.1 MAX=3.1\n");
    assert_int_equal(say(talk, HELLO_OK), SAM_CREATE);
    snprintf(want, sizeof want,
             "SESSION CREATE STYLE=STREAM ID=id7 DESTINATION=%s i2cp.leaseSetEncType=4,0 "
             "inbound.quantity=3 outbound.quantity=3\n",
             talk->key);
    expect_sent(talk, want);
    assert_int_equal(say_line(talk, "SESSION STATUS RESULT=OK DESTINATION=", talk->key, ""),
                     SAM_UP);
    assert_string_equal(talk->sam.key, talk->key);
}

TEST(a_key_is_made_where_there_is_none, struct talk *talk)
{
    sam_begin_session(&talk->sam, "a", "", &talk->out);
    (void)say(talk, HELLO_OK);
    expect_sent(talk, "HELLO VERSION MIN=3.1 MAX=3.1\nDEST GENERATE SIGNATURE_TYPE=7\n");
    assert_int_equal(say_line(talk, "DEST REPLY PUB=abc PRIV=", talk->key, ""), SAM_CREATE);
    assert_string_equal(talk->sam.key, talk->key);
    assert_memory_equal(talk->out.p, "SESSION CREATE", 14);
}

TEST(a_transient_session_asks_for_no_key, struct talk *talk)
{
    sam_begin_session(&talk->sam, "a", NULL, &talk->out);
    (void)say(talk, HELLO_OK);
    expect_sent(talk, "HELLO VERSION MIN=3.1 MAX=3.1\nSESSION CREATE STYLE=STREAM ID=a "
                      "DESTINATION=TRANSIENT SIGNATURE_TYPE=7 i2cp.leaseSetEncType=4,0 "
                      "inbound.quantity=1 outbound.quantity=1\n");
    assert_int_equal(say_line(talk, "SESSION STATUS RESULT=OK DESTINATION=", talk->key, ""),
                     SAM_UP);
}

TEST(a_destination_is_found_and_connected_to, struct talk *talk)
{
    struct span rest = span_of_string("NAMING REPLY RESULT=OK NAME=x VALUE=dest~-=\n");
    sam_begin_connect(&talk->sam, "a", "name.b32.i2p", &talk->out);
    (void)say(talk, HELLO_OK);
    expect_sent(talk, "HELLO VERSION MIN=3.1 MAX=3.1\nNAMING LOOKUP NAME=name.b32.i2p\n");
    assert_int_equal(sam_read(&talk->sam, &rest, &talk->out), SAM_STREAM);
    expect_sent(talk, "STREAM CONNECT ID=a DESTINATION=dest~-= SILENT=false\n");
    rest = span_of_string("STREAM STATUS RESULT=OK\npeer");
    assert_int_equal(sam_read(&talk->sam, &rest, &talk->out), SAM_UP);
    assert_int_equal(rest.len, 4); /* the peer's */
}

TEST(a_caller_is_known_by_his_destination, struct talk *talk)
{
    struct net_address address;
    sam_begin_accept(&talk->sam, "a", &talk->out);
    (void)say(talk, HELLO_OK);
    expect_sent(talk, "HELLO VERSION MIN=3.1 MAX=3.1\nSTREAM ACCEPT ID=a SILENT=false\n");
    assert_int_equal(say(talk, "STREAM STATUS RESULT=OK\n"), SAM_CALLER);
    assert_int_equal(say_line(talk, "", talk->key, " FROM_PORT=0 TO_PORT=0"), SAM_UP);
    assert_true(sam_address_of(talk->key, &address));
    assert_true(net_address_equal(&address, &talk->sam.caller));
    assert_int_equal(talk->sam.caller.port, 0);
    assert_int_equal(talk->sam.caller.network, NET_I2P);
}

TEST(a_caller_without_a_destination_is_refused, struct talk *talk)
{
    sam_begin_accept(&talk->sam, "a", &talk->out);
    (void)say(talk, HELLO_OK);
    (void)say(talk, "STREAM STATUS RESULT=OK\n");
    assert_int_equal(say(talk, "abc\n"), SAM_FAILED);
}

/* At each step. */
TEST(every_answer_but_the_right_one_ends_it, struct talk *talk)
{
    static const struct {
        const char *said, *error;
        bool is_no_session, is_peers;
    } rows[] = {
        {"HELLO REPLY RESULT=NOVERSION\n", "HELLO REPLY RESULT=NOVERSION", false, false},
        {"\n", "", false, false},
        {"nonsense\n", "nonsense", false, false},
        {HELLO_OK "NAMING REPLY RESULT=INVALID_KEY\n", "NAMING REPLY RESULT=INVALID_KEY", false,
         false},
        {HELLO_OK "NAMING REPLY RESULT=OK\n", "the bridge's answer has no destination", false,
         false},
        {HELLO_OK "NAMING REPLY RESULT=OK VALUE=d\nSTREAM STATUS RESULT=INVALID_ID\n",
         "STREAM STATUS RESULT=INVALID_ID", true, false},
        {HELLO_OK "NAMING REPLY RESULT=OK VALUE=d\nSTREAM STATUS RESULT=CANT_REACH_PEER\n",
         "STREAM STATUS RESULT=CANT_REACH_PEER", false, true},
        {HELLO_OK "NAMING REPLY RESULT=OK VALUE=d\nSTREAM STATUS RESULT=TIMEOUT M=\"a b\"\n",
         "STREAM STATUS RESULT=TIMEOUT M=\"a b\"", false, true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        sam_deinit(&talk->sam);
        sam_begin_connect(&talk->sam, "a", "x.b32.i2p", &talk->out);
        assert_int_equal(say(talk, rows[i].said), SAM_FAILED);
        assert_string_equal(talk->sam.error, rows[i].error);
        assert_int_equal(talk->sam.is_no_session, rows[i].is_no_session);
        assert_int_equal(talk->sam.is_peers, rows[i].is_peers);
    }
}

TEST(a_session_without_a_key_is_none, struct talk *talk)
{
    sam_begin_session(&talk->sam, "a", NULL, &talk->out);
    (void)say(talk, HELLO_OK);
    assert_int_equal(say(talk, "SESSION STATUS RESULT=OK\n"), SAM_FAILED);
    sam_deinit(&talk->sam);
    sam_begin_session(&talk->sam, "a", "", &talk->out);
    (void)say(talk, HELLO_OK);
    assert_int_equal(say(talk, "DEST REPLY PRIV=abcd\n"), SAM_FAILED);
    sam_deinit(&talk->sam);
    sam_begin_session(&talk->sam, "a", talk->key, &talk->out);
    (void)say(talk, HELLO_OK);
    assert_int_equal(say(talk, "SESSION STATUS RESULT=DUPLICATED_DEST\n"), SAM_FAILED);
}

TEST(answers_may_come_in_pieces, struct talk *talk)
{
    const char *text = HELLO_OK "NAMING REPLY RESULT=OK VALUE=d\nSTREAM STATUS RESULT=OK\n";
    sam_begin_connect(&talk->sam, "a", "x.b32.i2p", &talk->out);
    for (; *text; text++) {
        char piece[2] = {*text, '\0'};
        assert_true(talk->sam.step < SAM_UP);
        (void)say(talk, piece);
    }
    assert_int_equal(talk->sam.step, SAM_UP);
}

TEST(an_answer_has_a_limit, struct talk *talk)
{
    static char text[SAM_LINE_MAX + 3];
    for (size_t extra = 0; extra < 2; extra++) {
        sam_deinit(&talk->sam);
        sam_begin_connect(&talk->sam, "a", "x.b32.i2p", &talk->out);
        memset(text, 'A', sizeof text);
        memcpy(text, "X RESULT=OK ", 12);
        memcpy(text + SAM_LINE_MAX + extra, "\n", 2);
        assert_int_equal(say(talk, text), extra ? SAM_FAILED : SAM_NAMING);
    }
}

TEST(a_destination_has_a_limit, struct talk *talk)
{
    static char value[SAM_KEY_MAX + 2];
    for (size_t extra = 0; extra < 2; extra++) {
        sam_deinit(&talk->sam);
        sam_begin_connect(&talk->sam, "a", "x.b32.i2p", &talk->out);
        (void)say(talk, HELLO_OK);
        memset(value, 'A', SAM_KEY_MAX + extra);
        value[SAM_KEY_MAX + extra] = '\0';
        assert_int_equal(say_line(talk, "NAMING REPLY RESULT=OK VALUE=", value, ""),
                         extra ? SAM_FAILED : SAM_STREAM);
    }
}

/* The certificate says how long the destination is; what follows it is private. */
TEST(an_address_is_the_hash_of_a_destination, struct talk *talk)
{
    uint8_t bytes[SAM_KEY_MAX], hash[32];
    struct net_address address;
    char key[SAM_KEY_MAX + 1];
    size_t n = sam_base64_decode(talk->key, bytes);
    assert_int_equal(n, 387 + 4 + 288);
    sha256(span_of(bytes, 391), hash);
    assert_true(sam_address_of(talk->key, &address));
    assert_memory_equal(address.bytes, hash, 32);
    make_key(key, 0, 0);
    assert_true(sam_address_of(key, &address));
    make_key(key, 300, 0);
    assert_true(sam_address_of(key, &address));
    key[strlen(key) - 4] = '\0'; /* three bytes short of what the certificate says */
    assert_false(sam_address_of(key, &address));
    assert_false(sam_address_of("", &address));
    assert_false(sam_address_of("AAA+", &address)); /* not I2P's alphabet */
}
