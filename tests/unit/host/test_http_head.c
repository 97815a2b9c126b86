/* test_http_head.c - request heads: what is taken, what is refused, and which hosts are ours. */
#include "host/http_head.h"
#include "support/unit.h"
#include "util/alloc.h"

TEST(a_head_ends_at_its_blank_line)
{
    static const struct {
        const char *text;
        size_t want;
    } rows[] = {
        {"", 0},
        {"GET / HTTP/1.1\r\n", 0},
        {"GET / HTTP/1.1\r\n\r", 0},
        {"GET / HTTP/1.1\r\n\r\n", 18},
        {"GET / HTTP/1.1\r\n\r\nbody", 18},
        {"GET / HTTP/1.1\n\n", 16},
        {"GET / HTTP/1.1\nA: b\r\n\r\nx\n\n", 23},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(http_head_length(rows[i].text, strlen(rows[i].text)), rows[i].want);
}

/* The caller frees *text; the head points into it. */
static int parse(struct http_head *head, const char *in, char **text)
{
    *text = xmemdup(in, strlen(in));
    return http_head_parse(head, *text, strlen(in));
}

TEST(an_ordinary_request_is_understood)
{
    struct http_head head;
    char *text;
    assert_int_equal(parse(&head,
                           "POST /wallet/a HTTP/1.1\r\nhOST: localhost:8332\r\n"
                           "Authorization:  Basic eDp5 \r\nContent-Type: application/json\r\n"
                           "Origin: http://localhost\r\nContent-Length: 17\r\n"
                           "Sec-Fetch-Site: none\r\nsec-fetch-mode: navigate\r\n"
                           "Sec-Fetch-Dest: document\r\nX-Other: ignored\r\n\r\n",
                           &text),
                     0);
    assert_string_equal(head.method, "POST");
    assert_string_equal(head.uri, "/wallet/a");
    assert_string_equal(head.host, "localhost:8332");
    assert_string_equal(head.authorization, "Basic eDp5");
    assert_string_equal(head.content_type, "application/json");
    assert_string_equal(head.origin, "http://localhost");
    assert_string_equal(head.fetch_site, "none");
    assert_string_equal(head.fetch_mode, "navigate");
    assert_string_equal(head.fetch_dest, "document");
    assert_true(head.has_length);
    assert_int_equal(head.content_length, 17);
    assert_true(head.keep_alive);
    assert_false(head.is_chunked || head.expects_continue || head.is_1_0);
    xfree(text);
}

TEST(keeping_the_connection_depends_on_version_and_header)
{
    static const struct {
        const char *text;
        bool keep;
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", true},
        {"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nHost: x\r\nConnection: Foo, CLOSE\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nHost: x\r\nConnection: closed\r\n\r\n", true},
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_head head;
        char *text;
        assert_int_equal(parse(&head, rows[i].text, &text), 0);
        assert_int_equal(head.keep_alive, rows[i].keep);
        xfree(text);
    }
}

TEST(bad_heads_are_refused_with_the_right_status)
{
    static const struct {
        const char *text;
        int status;
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 0},
        {"\r\n\r\n", 400},
        {"GET /\r\n\r\n", 400},
        {"GET  HTTP/1.1\r\n\r\n", 400},
        {"G(T / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {" / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 0},
        {"GET https:// HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET http:///x HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 400},
        {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 400},
        {"GET / ICY/1.1\r\nHost: x\r\n\r\n", 400},
        /* 1.1 needs a host (and 1.0 does not). RFC 9112 3.2 */
        {"GET / HTTP/1.1\r\n\r\n", 0}, /* electrs and esplora send no Host */
        {"GET / HTTP/1.0\r\n\r\n", 0},
        {"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\nnocolon\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\x02\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1x\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999999999\r\n\r\n", 0},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000000000000\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 0},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", 0},
        {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
        {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
         "Content-Length: 1\r\n\r\n",
         0},
        {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n", 0},
        {"POST / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n", 417},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_head head;
        char *text;
        int status = parse(&head, rows[i].text, &text);
        if (status != rows[i].status)
            print_message("%s", rows[i].text);
        assert_int_equal(status, rows[i].status);
        xfree(text);
    }
}

TEST(a_zero_byte_is_refused)
{
    char text[] = "GET / HTTP/1.1\r\nHost: x\0y\r\n\r\n";
    struct http_head head;
    assert_int_equal(http_head_parse(&head, text, sizeof text - 1), 400);
}

/* Two readers that believe different ones would see different requests behind it. */
TEST(chunks_count_before_a_length_and_end_the_connection)
{
    char text[] = "POST / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n";
    struct http_head head;
    assert_int_equal(http_head_parse(&head, text, strlen(text)), 0);
    assert_true(head.is_chunked);
    assert_false(head.keep_alive);
    assert_int_equal(head.content_length, 0);
}

TEST(as_many_lines_as_fit_are_read)
{
    char text[HTTP_HEAD_BYTES_MAX] = "GET / HTTP/1.1\r\n";
    for (int i = 0; i < 1000; i++)
        strcat(text, "A: b\r\n");
    strcat(text, "Host: x\r\n\r\n");
    struct http_head head;
    assert_int_equal(http_head_parse(&head, text, strlen(text)), 0);
    assert_string_equal(head.host, "x");
}

/* Only names that a web page of somebody else cannot have. */
TEST(foreign_hosts_are_told_from_ours)
{
    static const char *const allowed[] = {"node.example"};
    static const struct {
        const char *host;
        bool ok;
    } rows[] = {
        {"localhost", true},           {"LOCALHOST:8332", true},
        {"127.0.0.1:8332", true},      {"192.168.1.7", true},
        {"[::1]:8332", true},          {"[::1]", true},
        {"node.example:80", true},     {"Node.Example", true},
        {"evil.example", false},       {"localhost.evil.example", false},
        {"127.0.0.1.evil", false},     {"", false},
        {"localhost:notaport", false}, {"evil.node.example", false},
        {"localhost@evil", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(http_host_is_allowed(rows[i].host, allowed, 1), rows[i].ok);
        char origin[64] = "http://";
        strcat(origin, rows[i].host);
        bool is_elsewhere = strstr(rows[i].host, "192.168.") != NULL; /* anybody's page, maybe */
        assert_int_equal(http_origin_is_allowed(origin, allowed, 1), rows[i].ok && !is_elsewhere);
    }
    assert_false(http_host_is_allowed("node.example", NULL, 0));
    assert_false(http_origin_is_allowed("null", allowed, 1));
    assert_false(http_origin_is_allowed("", allowed, 1));
}

/* RFC 9112, 3.2.2: the host of the target outranks the header. */
TEST(a_whole_url_is_a_target)
{
    static const struct {
        const char *target, *host, *uri;
    } rows[] = {
        {"http://a.example:1/x/y?z", "a.example:1", "/x/y?z"},
        {"HTTPS://[::1]/", "[::1]", "/"},
        {"http://a", "a", "/"},
        {"/plain", "h", "/plain"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_head head;
        char *text, *line = xasprintf("POST %s HTTP/1.1\r\nHost: h\r\n\r\n", rows[i].target);
        assert_int_equal(parse(&head, line, &text), 0);
        assert_string_equal(head.uri, rows[i].uri);
        assert_string_equal(head.host, rows[i].host);
        xfree(text);
        xfree(line);
    }
}

TEST(empty_lines_before_a_request_are_counted)
{
    assert_int_equal(http_blank_lines("\r\n\nGET", 6), 3);
    assert_int_equal(http_blank_lines("GET\r\n", 5), 0);
    assert_int_equal(http_blank_lines("\r", 1), 0);
    assert_int_equal(http_blank_lines("\rG", 2), 0);
}

TEST(chunk_sizes_are_hexadecimal_with_extensions)
{
    static const struct {
        const char *line;
        bool ok;
        uint64_t size;
    } rows[] = {
        {"0", true, 0},     {"1aF", true, 0x1af},    {"ffffffff", true, 0xffffffff},
        {"5;a=b", true, 5}, {"100000000", false, 0}, {"", false, 0},
        {"x", false, 0},    {"5 ", false, 0},        {"-1", false, 0},
        {"0x5", false, 0},  {";", false, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint64_t size = 0;
        assert_int_equal(http_chunk_size_parse(rows[i].line, &size), rows[i].ok);
        if (rows[i].ok)
            assert_int_equal(size, rows[i].size);
    }
}

TEST(every_status_has_words)
{
    assert_string_equal(http_reason(404), "Not Found");
    assert_string_equal(http_reason(503), "Service Unavailable");
    assert_string_equal(http_reason(299), "Unknown");
}
