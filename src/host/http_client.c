/* http_client.c - one HTTP request to an RPC server, waiting for the answer. */
#include "host/http_client.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/base64.h"

enum {
    HEAD_BYTES_MAX = 65536,
    READ_BYTES = 65536,
};

/* -- Connection --------------------------------------------------------------------------- */

static void set_timeout(int fd, int64_t timeout_s)
{
    struct timeval tv = {.tv_sec = (time_t)timeout_s};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
}

static int connect_to_path(const struct http_client_request *request, char **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool fits = strlen(request->socket_path) < sizeof address.sun_path;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", request->socket_path);
    errno = fits ? errno : ENAMETOOLONG;
    if (fd >= 0 && fits)
        set_timeout(fd, request->timeout_s);
    if (fd >= 0 && fits && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    *error = xstrdup(strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Connect to the first address that answers. Returns: the descriptor, or -1 with *error. */
static int connect_to(const struct http_client_request *request, char **error)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    char port[8];
    snprintf(port, sizeof port, "%u", (unsigned)request->port);
    int rc = getaddrinfo(request->host, port, &hints, &list);
    if (rc != 0) {
        *error = xstrdup(gai_strerror(rc));
        return -1;
    }
    int fd = -1, last = ECONNREFUSED;
    for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd < 0)
            continue;
        set_timeout(fd, request->timeout_s);
        if (connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
            last = errno;
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    if (fd < 0)
        *error = xstrdup(strerror(last));
    return fd;
}

static bool send_all(int fd, struct span s)
{
    while (s.len > 0) {
        ssize_t n = send(fd, s.p, s.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        s = span_of(s.p + n, s.len - (size_t)n);
    }
    return true;
}

/* Append what comes next. Returns: bytes, 0 at the end, or -1. */
static ssize_t receive(int fd, struct buffer *buffer)
{
    ssize_t n;
    do
        n = recv(fd, buffer_reserve(buffer, READ_BYTES), READ_BYTES, 0);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        buffer->len += (size_t)n;
    return n;
}

/* -- Request ------------------------------------------------------------------------------ */

static void write_request(struct buffer *out, const struct http_client_request *request)
{
    bool is_v6 = strchr(request->host, ':');
    buffer_append_format(out,
                         "POST %s HTTP/1.1\r\nHost: %s%s%s\r\nConnection: close\r\n"
                         "Content-Type: application/json\r\nContent-Length: %zu\r\n"
                         "Authorization: Basic ",
                         request->path, is_v6 ? "[" : "", request->host, is_v6 ? "]" : "",
                         request->body.len);
    base64_append(out, span_of_string(request->login));
    buffer_append_string(out, "\r\n\r\n");
    buffer_append(out, request->body.p, request->body.len);
}

/* -- Answer ------------------------------------------------------------------------------- */

/* The head is text from here on: find its end, end it with a zero. Returns: the length of the head
 * with the empty line, 0 if it is not complete. */
static size_t head_length(struct buffer *in)
{
    const uint8_t *end = in->len ? memmem(in->p, in->len, "\r\n\r\n", 4) : NULL;
    return end ? (size_t)(end - in->p) + 4 : 0;
}

/* The value of a header, or NULL. head is zero-terminated. */
static const char *find_header(const char *head, const char *name)
{
    size_t len = strlen(name);
    const char *line = head;
    while ((line = strstr(line, "\r\n"))) {
        line += 2;
        if (strncasecmp(line, name, len) == 0 && line[len] == ':')
            return line + len + 1 + strspn(line + len + 1, " \t");
    }
    return NULL;
}

/* The digits at s, up to the largest body. */
static size_t read_number(const char *s)
{
    size_t n = 0;
    for (; *s >= '0' && *s <= '9' && n < HTTP_CLIENT_BODY_MAX; s++)
        n = n * 10 + (size_t)(*s - '0');
    return n;
}

/* Read up to the end of the head, then what belongs to the body. */
static bool read_answer(int fd, int *status, struct buffer *body)
{
    struct buffer in;
    size_t head_len;
    buffer_init(&in);
    while ((head_len = head_length(&in)) == 0 && in.len < HEAD_BYTES_MAX && receive(fd, &in) > 0) {
    }
    if (head_len == 0 || in.len < 12 || memcmp(in.p, "HTTP/1.", 7) != 0) {
        buffer_deinit(&in);
        return false;
    }
    in.p[head_len - 1] = 0;
    const char *head = (const char *)in.p;
    *status = (int)read_number(head + 9);
    const char *length = find_header(head, "Content-Length");
    size_t want = length ? read_number(length) : HTTP_CLIENT_BODY_MAX;
    buffer_append(body, in.p + head_len, in.len - head_len);
    buffer_deinit(&in);
    ssize_t n = 1;
    while (body->len < want && body->len < HTTP_CLIENT_BODY_MAX && (n = receive(fd, body)) > 0) {
    }
    return n >= 0 && (!length || body->len == want);
}

enum http_client_outcome http_client_post(const struct http_client_request *request, int *status,
                                          struct buffer *body, char **error)
{
    struct buffer out;
    int fd = request->socket_path ? connect_to_path(request, error) : connect_to(request, error);
    if (fd < 0)
        return HTTP_CLIENT_NO_CONNECTION;
    buffer_init(&out);
    write_request(&out, request);
    errno = 0;
    /* A server that refuses a request answers without reading all of it. */
    (void)send_all(fd, buffer_span(&out));
    bool ok = read_answer(fd, status, body);
    if (!ok) {
        bool timed_out = errno == EAGAIN || errno == EWOULDBLOCK;
        *error = xstrdup(timed_out ? "timeout reached" : "EOF reached");
    }
    buffer_deinit(&out);
    close(fd);
    return ok ? HTTP_CLIENT_OK : HTTP_CLIENT_LOST;
}
