/* test_tor_control.c - what is said to Tor's control port, and every answer that it can give. */
#include "p2p/core/tor_control.h"

#include "crypto/hmac.h"
#include "support/unit.h"
#include "util/hex.h"

#define SERVICE  "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd"
#define ADD(pow) "ADD_ONION NEW:ED25519-V3" pow " Port=8333,127.0.0.1:8334\r\n"
#define POW      " PoWDefensesEnabled=1"

static const uint8_t nonce[TOR_NONCE_BYTES] = {1, 2, 3};

/* One conversation. */
struct talk {
    struct tor_control_options options;
    struct tor_control tor;
    struct buffer out;
};

static int setup(void **state)
{
    struct talk *talk = test_calloc(1, sizeof *talk);
    talk->options = (struct tor_control_options){.port = 8333, .target = "127.0.0.1:8334"};
    buffer_init(&talk->out);
    *state = talk;
    return 0;
}

static int teardown(void **state)
{
    struct talk *talk = *state;
    tor_control_deinit(&talk->tor);
    buffer_deinit(&talk->out);
    test_free(talk);
    return 0;
}

FIXTURE(setup, teardown)

static void begin(struct talk *talk, const char *key)
{
    tor_control_deinit(&talk->tor);
    talk->out.len = 0;
    tor_control_init(&talk->tor, &talk->options, key, nonce, &talk->out);
}

/* What was sent since the last look. */
static void expect_sent(struct talk *talk, const char *text)
{
    buffer_append(&talk->out, "", 1);
    assert_string_equal((const char *)talk->out.p, text);
    talk->out.len = 0;
}

/* Give it text. Returns: the last event that was something */
static enum tor_event say(struct talk *talk, const char *text)
{
    struct span bytes = span_of_string(text);
    enum tor_event last = TOR_NOTHING;
    while (bytes.len > 0) {
        enum tor_event event = tor_control_read(&talk->tor, &bytes, &talk->out);
        if (event != TOR_NOTHING)
            last = event;
        if (event == TOR_BROKEN)
            break;
    }
    return last;
}

static enum tor_event offer(struct talk *talk, const char *methods)
{
    char text[300];
    snprintf(text, sizeof text, "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=%s\r\n250 OK\r\n", methods);
    begin(talk, "");
    talk->out.len = 0;
    return say(talk, text);
}

TEST(a_service_is_made_without_a_password, struct talk *talk)
{
    talk->options.asks_for_proxy = true;
    begin(talk, "");
    expect_sent(talk, "PROTOCOLINFO 1\r\n");
    assert_int_equal(say(talk, "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL\r\n"
                               "250-VERSION Tor=\"0.4.7\"\r\n250 OK\r\n"),
                     TOR_NOTHING);
    expect_sent(talk, "AUTHENTICATE\r\n");
    assert_int_equal(say(talk, "250 OK\r\n"), TOR_NOTHING);
    expect_sent(talk, "GETINFO net/listeners/socks\r\n" ADD(POW));
    assert_int_equal(say(talk, "250-net/listeners/socks=\"127.0.0.1:9050\"\r\n250 OK\r\n"),
                     TOR_HAS_PROXY);
    assert_string_equal(talk->tor.text, "127.0.0.1:9050");
    assert_int_equal(say(talk, "250-ServiceID=" SERVICE "\r\n"
                               "250-PrivateKey=ED25519-V3:abcd==\r\n250 OK\r\n"),
                     TOR_HAS_SERVICE);
    assert_string_equal(talk->tor.text, SERVICE);
    assert_string_equal(talk->tor.key, "ED25519-V3:abcd==");
    expect_sent(talk, "");
}

TEST(a_key_of_before_is_used_again, struct talk *talk)
{
    begin(talk, "ED25519-V3:old=");
    (void)say(talk, "250-AUTH METHODS=NULL\r\n250 OK\r\n250 OK\r\n");
    expect_sent(talk, "PROTOCOLINFO 1\r\nAUTHENTICATE\r\nADD_ONION ED25519-V3:old=" POW
                      " Port=8333,127.0.0.1:8334\r\n");
    assert_int_equal(say(talk, "250-ServiceID=" SERVICE "\r\n250 OK\r\n"), TOR_HAS_SERVICE);
    assert_string_equal(talk->tor.key, "ED25519-V3:old=");
}

TEST(an_older_tor_is_asked_without_defences, struct talk *talk)
{
    (void)offer(talk, "NULL");
    (void)say(talk, "250 OK\r\n");
    expect_sent(talk, "AUTHENTICATE\r\n" ADD(POW));
    assert_int_equal(say(talk, "512 Unrecognized option\r\n"), TOR_NOTHING);
    expect_sent(talk, ADD(""));
    assert_int_equal(say(talk, "512 Bad\r\n"), TOR_WARNING);
    assert_string_equal(talk->tor.text, "tor: Add onion failed; error code 512");
}

TEST(what_tor_refuses_is_told, struct talk *talk)
{
    static const struct {
        const char *said, *text;
    } rows[] = {
        {"510 Unrecognized command\r\n", "tor: Requesting protocol info failed"},
        {"250-AUTH METHODS=NULL\r\n250 OK\r\n515 Bad\r\n", "tor: Authentication failed"},
        {"250-AUTH METHODS=NULL\r\n250 OK\r\n250 OK\r\n510 No\r\n",
         "tor: Add onion failed with unrecognized command (You probably need to upgrade Tor)"},
        {"250-AUTH METHODS=NULL\r\n250 OK\r\n250 OK\r\n551 No\r\n",
         "tor: Add onion failed; error code 551"},
        {"250-AUTH METHODS=NULL\r\n250 OK\r\n250 OK\r\n250 OK\r\n",
         "tor: Error parsing ADD_ONION parameters"},
        {"250-AUTH METHODS=COOKIE\r\n250 OK\r\n", "tor: No supported authentication method"},
        {"250 OK\r\n", "tor: No supported authentication method"},
        {"250-AUTH METHODS=HASHEDPASSWORD\r\n250 OK\r\n",
         "tor: The only supported authentication mechanism left is password, but no password "
         "provided with -torpassword"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        begin(talk, "");
        assert_int_equal(say(talk, rows[i].said), TOR_WARNING);
        assert_string_equal(talk->tor.text, rows[i].text);
    }
}

TEST(a_password_is_quoted, struct talk *talk)
{
    talk->options.password = "a\"b\\c d";
    assert_int_equal(offer(talk, "NULL,HASHEDPASSWORD"), TOR_NOTHING);
    expect_sent(talk, "AUTHENTICATE \"a\\\"b\\\\c d\"\r\n");
    assert_int_equal(offer(talk, "NULL,SAFECOOKIE"), TOR_WARNING);
    assert_string_equal(talk->tor.text, "tor: Password provided with -torpassword, but "
                                        "HASHEDPASSWORD authentication is not available");
}

/* Both sides show that they know the cookie, and neither shows it. */
static void give_challenge(struct talk *talk, char server_hash[65])
{
    static const uint8_t cookie[TOR_COOKIE_BYTES] = {9, 8, 7};
    uint8_t message[96] = {9, 8, 7}, hash[32];
    assert_int_equal(offer(talk, "COOKIE,SAFECOOKIE COOKIEFILE=\"/run/a \\\"b\\\"\\101\""),
                     TOR_WANTS_COOKIE);
    assert_string_equal(talk->tor.text, "/run/a \"b\"A");
    assert_int_equal(tor_control_cookie(&talk->tor, span_of(cookie, sizeof cookie), &talk->out),
                     TOR_NOTHING);
    expect_sent(talk,
                "AUTHCHALLENGE SAFECOOKIE 0102030000000000000000000000000000000000000000000000"
                "000000000000\r\n");
    memcpy(message + 32, nonce, sizeof nonce);
    memset(message + 64, 0xab, 32);
    hmac_sha256(span_of_string("Tor safe cookie authentication server-to-controller hash"),
                span_of(message, sizeof message), hash);
    hex_encode(server_hash, span_of(hash, 32));
}

static enum tor_event answer_challenge(struct talk *talk, const char *server_hash)
{
    char text[300], server_nonce[65];
    memset(server_nonce, 'a', 64);
    for (size_t i = 1; i < 64; i += 2)
        server_nonce[i] = 'b';
    server_nonce[64] = '\0';
    snprintf(text, sizeof text, "250 AUTHCHALLENGE SERVERHASH=%s SERVERNONCE=%s\r\n", server_hash,
             server_nonce);
    return say(talk, text);
}

TEST(the_cookie_is_known_but_not_shown, struct talk *talk)
{
    char server_hash[65], want[200], hex[65];
    uint8_t message[96] = {9, 8, 7}, hash[32];
    give_challenge(talk, server_hash);
    assert_int_equal(answer_challenge(talk, server_hash), TOR_NOTHING);
    memcpy(message + 32, nonce, sizeof nonce);
    memset(message + 64, 0xab, 32);
    hmac_sha256(span_of_string("Tor safe cookie authentication controller-to-server hash"),
                span_of(message, sizeof message), hash);
    hex_encode(hex, span_of(hash, 32));
    snprintf(want, sizeof want, "AUTHENTICATE %s\r\n", hex);
    expect_sent(talk, want);
}

TEST(who_does_not_know_the_cookie_gets_nothing, struct talk *talk)
{
    char server_hash[65];
    give_challenge(talk, server_hash);
    server_hash[0] = server_hash[0] == '0' ? '1' : '0';
    assert_int_equal(answer_challenge(talk, server_hash), TOR_WARNING);
    expect_sent(talk, "");
    give_challenge(talk, server_hash);
    assert_int_equal(answer_challenge(talk, "00"), TOR_WARNING);
    assert_string_equal(talk->tor.text, "tor: Invalid reply to AUTHCHALLENGE");
    give_challenge(talk, server_hash);
    assert_int_equal(say(talk, "513 No\r\n"), TOR_WARNING);
    assert_string_equal(talk->tor.text, "tor: SAFECOOKIE authentication challenge failed");
}

TEST(a_file_that_is_no_cookie_is_not_used, struct talk *talk)
{
    static const uint8_t bytes[TOR_COOKIE_BYTES + 1] = {1};
    for (size_t len = TOR_COOKIE_BYTES - 1; len <= TOR_COOKIE_BYTES + 1; len += 2) {
        (void)offer(talk, "SAFECOOKIE COOKIEFILE=\"/c\"");
        assert_int_equal(tor_control_cookie(&talk->tor, span_of(bytes, len), &talk->out),
                         TOR_WARNING);
    }
    (void)offer(talk, "SAFECOOKIE COOKIEFILE=\"/c\"");
    assert_int_equal(tor_control_cookie(&talk->tor, span_of(NULL, 0), &talk->out), TOR_WARNING);
    assert_string_equal(talk->tor.text, "tor: Authentication cookie /c could not be opened (check "
                                        "permissions)");
    expect_sent(talk, "");
}

TEST(the_proxy_on_this_machine_is_preferred, struct talk *talk)
{
    static const struct {
        const char *list, *proxy;
    } rows[] = {
        {"\"10.0.0.1:1\" \"127.0.0.1:2\" \"10.0.0.3:3\"", "127.0.0.1:2"},
        {"\"10.0.0.1:1\" '10.0.0.3:3'", "10.0.0.3:3"},
        {"10.0.0.1:1", "10.0.0.1:1"},
        {"\"\"", ""},
        {"", ""},
    };
    talk->options.asks_for_proxy = true;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[200];
        (void)offer(talk, "NULL");
        (void)say(talk, "250 OK\r\n");
        snprintf(text, sizeof text, "250-net/listeners/socks=%s\r\n250 OK\r\n", rows[i].list);
        assert_int_equal(say(talk, text), TOR_HAS_PROXY);
        assert_string_equal(talk->tor.text, rows[i].proxy);
    }
    (void)offer(talk, "NULL");
    assert_int_equal(say(talk, "250 OK\r\n510 What\r\n"), TOR_HAS_PROXY);
    assert_string_equal(talk->tor.text, "");
}

TEST(a_reply_in_pieces_is_one_reply, struct talk *talk)
{
    static const char text[] = "250-AUTH METHODS=NULL\r\n250 OK\r\n";
    begin(talk, "");
    talk->out.len = 0;
    for (size_t i = 0; i + 1 < sizeof text; i++) {
        char piece[2] = {text[i], '\0'};
        assert_int_equal(talk->out.len, 0);
        assert_int_equal(say(talk, piece), TOR_NOTHING);
    }
    expect_sent(talk, "AUTHENTICATE\r\n");
}

TEST(what_nobody_asked_for_is_passed_over, struct talk *talk)
{
    begin(talk, "");
    talk->out.len = 0;
    assert_int_equal(
        say(talk, "650 CIRC 1 BUILT\r\nabc\r\n\r\n65\r\n250-AUTH METHODS=NULL\n250 \n"),
        TOR_NOTHING);
    expect_sent(talk, "AUTHENTICATE\r\n");
    (void)say(talk, "250 OK\r\n250-ServiceID=" SERVICE "\r\n250 OK\r\n");
    assert_int_equal(say(talk, "250 OK\r\n515 no\r\n"), TOR_NOTHING);
}

TEST(a_line_has_a_limit, struct talk *talk)
{
    static char text[TOR_LINE_MAX + 3];
    for (size_t extra = 0; extra < 2; extra++) {
        begin(talk, "");
        memset(text, 'A', TOR_LINE_MAX + extra);
        memcpy(text, "250-", 4);
        memcpy(text + TOR_LINE_MAX + extra, "\n", 2);
        assert_int_equal(say(talk, text), extra ? TOR_BROKEN : TOR_NOTHING);
    }
}

TEST(a_reply_has_a_limit_of_lines, struct talk *talk)
{
    begin(talk, "");
    for (size_t i = 0; i < TOR_LINES_MAX; i++)
        assert_int_equal(say(talk, "250-X\r\n"), TOR_NOTHING);
    assert_int_equal(say(talk, "250-X\r\n"), TOR_BROKEN);
    assert_string_equal(talk->tor.text, "tor: Error processing receive buffer: Control port reply "
                                        "exceeded 1000 lines, disconnecting");
    begin(talk, "");
    for (size_t i = 0; i < 3 * TOR_LINES_MAX; i++) /* each a reply of its own */
        assert_int_equal(say(talk, "650 X\r\n"), TOR_NOTHING);
}

TEST(values_are_found_by_their_keys)
{
    static const struct {
        const char *text, *key, *value; /* value NULL: none */
    } rows[] = {
        {"A=1 B=2", "A", "1"},
        {"A=1 B=2", "B", "2"},
        {"A=1 B=2", "C", NULL},
        {"A=\"x y\" B=2", "B", "2"},
        {"A=\"x y\" B=2", "A", "x y"},
        {"A=\"\\\\\\\"\\n\\t\\r\\60\\0607\"", "A", "\\\"\n\t\r007"},
        {"A=\"\\477\"", "A", "'7"}, /* no byte has the value of the three */
        {"A=\"\\0\"", "A", NULL},
        {"A=\"x", "A", NULL},
        {"A=\"x\\", "A", NULL},
        {"A=\"x\"y", "A", NULL},
        {"A", "A", NULL},
        {"word A=1", "A", NULL},
        {"A=", "A", ""},
        {"", "A", NULL},
        {"AA=1 A=2", "A", "2"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char value[TOR_TEXT_MAX];
        bool is_found = tor_find_value(rows[i].text, rows[i].key, value);
        if (is_found != (rows[i].value != NULL))
            fail_msg("%s", rows[i].text);
        if (is_found)
            assert_string_equal(value, rows[i].value);
    }
}

TEST(a_value_is_as_long_as_there_is_room)
{
    char text[TOR_TEXT_MAX + 3], value[TOR_TEXT_MAX];
    memset(text, 'v', sizeof text);
    memcpy(text, "A=", 2);
    text[2 + TOR_TEXT_MAX] = '\0';
    assert_false(tor_find_value(text, "A", value));
    text[2 + TOR_TEXT_MAX - 1] = '\0';
    assert_true(tor_find_value(text, "A", value));
    assert_int_equal(strlen(value), TOR_TEXT_MAX - 1);
}
