/* http_head.c - see http_head.h */
#include "host/http_head.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "host/sockets.h"

#define HOST_NAME_MAX_BYTES 256

size_t http_blank_lines(const char *text, size_t len)
{
    size_t n = 0;
    while (n < len && (text[n] == '\n' || (text[n] == '\r' && n + 1 < len && text[n + 1] == '\n')))
        n += text[n] == '\n' ? 1 : 2;
    return n;
}

size_t http_head_length(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\n')
            continue;
        if (i + 1 < len && text[i + 1] == '\n')
            return i + 2;
        if (i + 2 < len && text[i + 1] == '\r' && text[i + 2] == '\n')
            return i + 3;
    }
    return 0;
}

/* Cut the next line off *at and end it with a zero. Returns NULL if there is none. */
static char *take_line(char **at, char *end)
{
    char *line = *at;
    char *newline = memchr(line, '\n', (size_t)(end - line));
    if (!newline)
        return NULL;
    *at = newline + 1;
    *newline = '\0';
    if (newline > line && newline[-1] == '\r')
        newline[-1] = '\0';
    return line;
}

/* Letters, digits and the marks of RFC 9110's token. */
static bool is_token(const char *s)
{
    if (*s == '\0')
        return false;
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        bool is_alnum = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
        if (!is_alnum && !strchr("!#$%&'*+-.^_`|~", c))
            return false;
    }
    return true;
}

static bool has_control(const char *s)
{
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if ((c < 32 && c != '\t') || c == 127)
            return true;
    }
    return false;
}

/* Of "http://host/path" leave the path and keep the host, which outranks the header. In place: the
 * host moves over a slash, to make room for its end. RFC 9112, 3.2.2 */
static const char *strip_authority(struct http_head *head, char *uri)
{
    char *host = strstr(uri, "://");
    if (uri[0] == '/' || !host ||
        (strncasecmp(uri, "http://", 7) != 0 && strncasecmp(uri, "https://", 8) != 0))
        return uri;
    host += 3;
    size_t len = strcspn(host, "/?");
    if (len == 0)
        return uri; /* no host at all: refused, since it begins with no slash */
    char *path = host + len;
    memmove(host - 1, host, len);
    host[len - 1] = '\0';
    head->target_host = host - 1;
    return *path == '/' ? path : "/";
}

static int parse_request_line(struct http_head *head, char *line)
{
    char *uri = strchr(line, ' ');
    if (!uri)
        return 400;
    *uri++ = '\0';
    char *version = strchr(uri, ' ');
    if (!version)
        return 400;
    *version++ = '\0';
    const char *path = strip_authority(head, uri);
    if (!is_token(line) || path[0] != '/' || has_control(path))
        return 400;
    if (strncmp(version, "HTTP/", 5) != 0)
        return 400;
    if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
        return 400; /* as Core */
    head->method = line;
    head->uri = path;
    head->is_1_0 = version[7] == '0';
    head->keep_alive = !head->is_1_0;
    return 0;
}

/* True if the comma-separated list has the word. */
static bool has_word(const char *list, const char *word)
{
    size_t n = strlen(word);
    while (*list) {
        list += strspn(list, " \t,");
        size_t len = strcspn(list, " \t,");
        if (len == n && strncasecmp(list, word, n) == 0)
            return true;
        list += len;
    }
    return false;
}

static int parse_content_length(struct http_head *head, const char *value)
{
    size_t digits = strspn(value, "0123456789");
    if (digits == 0 || digits > 18 || value[digits] != '\0')
        return 400;
    uint64_t length = 0;
    for (size_t i = 0; i < digits; i++)
        length = length * 10 + (uint64_t)(value[i] - '0');
    if (head->has_length && head->content_length != length)
        return 400;
    head->has_length = true;
    head->content_length = length;
    return 0;
}

/* Keep the value of a header that may come once only. */
static int keep_once(const char **slot, const char *value)
{
    if (*slot)
        return 400;
    *slot = value;
    return 0;
}

static int parse_field(struct http_head *head, const char *name, const char *value)
{
    if (strcasecmp(name, "Host") == 0)
        return keep_once(&head->host, value);
    if (strcasecmp(name, "Origin") == 0)
        return keep_once(&head->origin, value);
    if (strcasecmp(name, "Authorization") == 0)
        return keep_once(&head->authorization, value);
    if (strcasecmp(name, "Content-Type") == 0)
        return keep_once(&head->content_type, value);
    if (strcasecmp(name, "Last-Event-ID") == 0)
        return keep_once(&head->last_event_id, value);
    if (strcasecmp(name, "Sec-Fetch-Site") == 0)
        return keep_once(&head->fetch_site, value);
    if (strcasecmp(name, "Sec-Fetch-Mode") == 0)
        return keep_once(&head->fetch_mode, value);
    if (strcasecmp(name, "Sec-Fetch-Dest") == 0)
        return keep_once(&head->fetch_dest, value);
    if (strcasecmp(name, "Content-Length") == 0)
        return parse_content_length(head, value);
    if (strcasecmp(name, "Transfer-Encoding") == 0) {
        if (head->is_chunked || strcasecmp(value, "chunked") != 0)
            return 501;
        head->is_chunked = true;
    } else if (strcasecmp(name, "Connection") == 0) {
        if (has_word(value, "close"))
            head->keep_alive = false;
        else if (has_word(value, "keep-alive"))
            head->keep_alive = true;
    } else if (strcasecmp(name, "Cookie") == 0) {
        head->cookie = head->cookie ? head->cookie : value;
    } else if (strcasecmp(name, "Expect") == 0) {
        if (strcasecmp(value, "100-continue") != 0)
            return 417;
        head->expects_continue = true;
    }
    return 0;
}

static int parse_line(struct http_head *head, char *line)
{
    /* A line that continues the one before, or a blank before the colon, hides a header from
     * some readers. */
    char *colon = strchr(line, ':');
    if (!colon)
        return 400;
    *colon = '\0';
    char *value = colon + 1 + strspn(colon + 1, " \t");
    size_t len = strlen(value);
    while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
        value[--len] = '\0';
    if (!is_token(line) || has_control(value))
        return 400;
    return parse_field(head, line, value);
}

int http_head_parse(struct http_head *head, char *text, size_t len)
{
    *head = (struct http_head){0};
    char *at = text, *end = text + len;
    if (memchr(text, '\0', len))
        return 400;
    char *line = take_line(&at, end);
    if (!line)
        return 400;
    int status = parse_request_line(head, line);
    while (status == 0 && (line = take_line(&at, end)) && *line)
        status = parse_line(head, line);
    if (status != 0)
        return status;
    if (head->is_chunked && head->is_1_0)
        return 400;
    /* As Core the chunks count. A proxy that believed the length would see other requests than we
     * do from here on, so there are none: RFC 9112, 6.3 */
    if (head->is_chunked && head->has_length) {
        head->keep_alive = false;
        head->has_length = false;
        head->content_length = 0;
    }
    /* HTTP/1.1 demands a Host, electrs and esplora send none: only browsers need be told by it what
     * page they show, and they always send one. */
    if (head->target_host)
        head->host = head->target_host;
    return 0;
}

/* -- Hosts --------------------------------------------------------------------------------- */

static bool is_ip_literal(const char *host)
{
    uint8_t address[16];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static bool is_listed(const char *name, const char *const *allowed, size_t n_allowed)
{
    for (size_t i = 0; i < n_allowed; i++)
        if (strcasecmp(name, allowed[i]) == 0)
            return true;
    return false;
}

bool http_host_is_allowed(const char *host, const char *const *allowed, size_t n_allowed)
{
    char name[HOST_NAME_MAX_BYTES];
    uint16_t port;
    if (!sockets_split(host, name, sizeof name, &port))
        return false;
    if (strcasecmp(name, "localhost") == 0 || is_ip_literal(name))
        return true;
    return is_listed(name, allowed, n_allowed);
}

bool http_origin_is_allowed(const char *origin, const char *const *allowed, size_t n_allowed)
{
    /* "null" is what sandboxed frames and files send: anybody's. */
    const char *host = strstr(origin, "://");
    char name[HOST_NAME_MAX_BYTES];
    uint16_t port;
    if (!host || !sockets_split(host + 3, name, sizeof name, &port))
        return false;
    /* Not every IP literal: a page may well be served from one, a router's or an attacker's. */
    return strcasecmp(name, "localhost") == 0 || sockets_is_loopback(name) ||
           is_listed(name, allowed, n_allowed);
}

/* -- Small parts ---------------------------------------------------------------------------- */

bool http_chunk_size_parse(const char *line, uint64_t *size)
{
    size_t digits = strspn(line, "0123456789abcdefABCDEF");
    if (digits == 0 || digits > 8 || (line[digits] != '\0' && line[digits] != ';'))
        return false;
    *size = 0;
    for (size_t i = 0; i < digits; i++) {
        unsigned c = (unsigned char)line[i];
        *size = *size * 16 + (c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
    }
    return true;
}

const char *http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {204, "No Content"},
        {303, "See Other"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {413, "Content too large"},
        {417, "Expectation Failed"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
    };
    for (size_t i = 0; i < COUNT_OF(reasons); i++) {
        if (reasons[i].status == status)
            return reasons[i].reason;
    }
    return "Unknown";
}
