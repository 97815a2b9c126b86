/* test_http_client.c - one request over a real socket, and servers that misbehave. */
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/http_client.h"
#include "support/unit.h"
#include "util/alloc.h"

/* A server that takes one connection, reads a request and sends a fixed answer. */
struct server {
    int fd;
    uint16_t port;
    const char *answer; /* NULL: close at once */
    bool hang;          /* send it, then neither more nor an end */
    char request[4096];
    size_t request_len;
    pthread_t thread;
    int release[2]; /* a pipe that ends a hanging server */
};

/* Is the whole body there? The tests' bodies end with '!'. */
static bool is_whole(const struct server *server)
{
    return server->request_len > 0 && server->request[server->request_len - 1] == '!';
}

static void *serve(void *arg)
{
    struct server *server = arg;
    int fd = accept(server->fd, NULL, NULL);
    while (fd >= 0 && server->answer && !is_whole(server)) {
        ssize_t n = recv(fd, server->request + server->request_len,
                         sizeof server->request - server->request_len - 1, 0);
        if (n <= 0)
            break;
        server->request_len += (size_t)n;
    }
    if (server->answer)
        (void)!send(fd, server->answer, strlen(server->answer), MSG_NOSIGNAL);
    char byte;
    if (server->hang)
        (void)!read(server->release[0], &byte, 1);
    close(fd);
    return NULL;
}

static void server_start(struct server *server, const char *answer, bool hang)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    *server = (struct server){.answer = answer, .hang = hang};
    server->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(server->fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(server->fd, 4), 0);
    assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &len), 0);
    assert_int_equal(pipe(server->release), 0);
    server->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void server_stop(struct server *server)
{
    close(server->release[1]);
    pthread_join(server->thread, NULL);
    close(server->release[0]);
    close(server->fd);
}

struct http_case {
    const char *answer;
    enum http_client_outcome outcome;
    int status;
    const char *body;
};

TEST(answers_are_read_to_their_end)
{
    /* clang-format off */
    static const struct http_case cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", HTTP_CLIENT_OK, 200, "hello"},
        {"HTTP/1.1 200 OK\r\ncontent-length:5\r\n\r\nhello", HTTP_CLIENT_OK, 200, "hello"},
        {"HTTP/1.1 500 Internal Server Error\r\nX: y\r\nContent-Length: 2\r\n\r\n{}",
         HTTP_CLIENT_OK, 500, "{}"},
        {"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", HTTP_CLIENT_OK, 401, ""},
        {"HTTP/1.0 200 OK\r\n\r\nto the end", HTTP_CLIENT_OK, 200, "to the end"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello", HTTP_CLIENT_LOST, 200, "hello"},
        {"HTTP/1.1 200 OK\r\nContent-Le", HTTP_CLIENT_LOST, 0, ""},
        {"SSH-2.0-OpenSSH_9.2\r\n\r\n", HTTP_CLIENT_LOST, 0, ""},
        {"", HTTP_CLIENT_LOST, 0, ""},
        {NULL, HTTP_CLIENT_LOST, 0, ""},
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct server server;
        struct buffer body;
        char *error = NULL;
        int status = 0;
        server_start(&server, cases[i].answer, false);
        buffer_init(&body);
        struct http_client_request request = {.host = "127.0.0.1",
                                              .path = "/",
                                              .port = server.port,
                                              .login = "user:pw",
                                              .body = span_of_string("{\"a\":1}!")};
        enum http_client_outcome outcome = http_client_post(&request, &status, &body, &error);
        if (outcome != cases[i].outcome)
            fail_msg("row %zu: %s", i, error ? error : "ok");
        assert_int_equal(status, cases[i].status);
        assert_true(span_equal(buffer_span(&body), span_of_string(cases[i].body)));
        assert_int_equal(error != NULL, outcome != HTTP_CLIENT_OK);
        xfree(error);
        buffer_deinit(&body);
        server_stop(&server);
    }
}

TEST(the_request_is_what_servers_expect)
{
    struct server server;
    struct buffer body;
    char *error = NULL, want[512];
    int status = 0;
    server_start(&server, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false);
    buffer_init(&body);
    struct http_client_request request = {.host = "localhost",
                                          .path = "/",
                                          .port = server.port,
                                          .login = "__cookie__:0123abcd",
                                          .body = span_of_string("[]!"),
                                          .timeout_s = 20};
    assert_int_equal(http_client_post(&request, &status, &body, &error), HTTP_CLIENT_OK);
    server_stop(&server);
    snprintf(want, sizeof want,
             "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
             "Content-Type: application/json\r\nContent-Length: 3\r\n"
             "Authorization: Basic X19jb29raWVfXzowMTIzYWJjZA==\r\n\r\n[]!");
    assert_string_equal(server.request, want);
    buffer_deinit(&body);
}

TEST(base64_is_padded)
{
    /* RFC 4648, section 10 */
    static const struct {
        const char *login, *want;
    } cases[] = {{"f", "Basic Zg==\r"},
                 {"fo", "Basic Zm8=\r"},
                 {"foo", "Basic Zm9v\r"},
                 {"foob", "Basic Zm9vYg==\r"},
                 {"fooba", "Basic Zm9vYmE=\r"},
                 {"foobar", "Basic Zm9vYmFy\r"},
                 {"", "Basic \r"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct server server;
        struct buffer body;
        char *error = NULL;
        int status = 0;
        server_start(&server, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false);
        buffer_init(&body);
        struct http_client_request request = {.host = "127.0.0.1",
                                              .path = "/",
                                              .port = server.port,
                                              .login = cases[i].login,
                                              .body = span_of_string("!")};
        assert_int_equal(http_client_post(&request, &status, &body, &error), HTTP_CLIENT_OK);
        server_stop(&server);
        assert_non_null(strstr(server.request, cases[i].want));
        buffer_deinit(&body);
    }
}

TEST(nobody_there_is_told_apart)
{
    struct server server;
    struct buffer body;
    char *error = NULL;
    int status = 0;
    server_start(&server, NULL, false);
    buffer_init(&body);
    struct http_client_request request = {.path = "/wallet/a%20b",
                                          .host = "127.0.0.1",
                                          .port = server.port,
                                          .login = "",
                                          .body = span_of_string("!")};
    assert_int_equal(http_client_post(&request, &status, &body, &error), HTTP_CLIENT_LOST);
    xfree(error);
    server_stop(&server);
    assert_int_equal(http_client_post(&request, &status, &body, &error), HTTP_CLIENT_NO_CONNECTION);
    assert_non_null(error);
    xfree(error);
    request.host = "no such host";
    assert_int_equal(http_client_post(&request, &status, &body, &error), HTTP_CLIENT_NO_CONNECTION);
    xfree(error);
    buffer_deinit(&body);
}

TEST(a_server_that_hangs_is_given_up)
{
    struct server server;
    struct buffer body;
    char *error = NULL;
    int status = 0;
    server_start(&server, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", true);
    buffer_init(&body);
    struct http_client_request request = {.host = "127.0.0.1",
                                          .path = "/",
                                          .port = server.port,
                                          .login = "",
                                          .body = span_of_string("!"),
                                          .timeout_s = 1};
    assert_int_equal(http_client_post(&request, &status, &body, &error), HTTP_CLIENT_LOST);
    assert_string_equal(error, "timeout reached");
    xfree(error);
    buffer_deinit(&body);
    server_stop(&server);
}
