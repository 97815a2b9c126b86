/* http_client.h - just enough of an HTTP client for the tests of the servers. */
#ifndef TESTS_UNIT_HOST_HTTP_CLIENT_H
#define TESTS_UNIT_HOST_HTTP_CLIENT_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connect to a local port; -1 if nobody listens. */
static inline int client_dial(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Write a POST of body with an Authorization header (authorization may be NULL). */
static inline void client_post(int fd, const char *authorization, const char *body)
{
    char text[4096];
    int n = snprintf(text, sizeof text,
                     "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s%s%s"
                     "Content-Length: %zu\r\n\r\n%s",
                     authorization ? "Authorization: " : "", authorization ? authorization : "",
                     authorization ? "\r\n" : "", strlen(body), body);
    if (write(fd, text, (size_t)n) != n)
        perror("write");
}

/* The Basic credentials of "user:password". */
static inline void client_basic(const char *credentials, char *out, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len = strlen(credentials), n = (size_t)snprintf(out, size, "Basic ");
    for (size_t i = 0; i < len; i += 3) {
        uint32_t v = (uint32_t)(uint8_t)credentials[i] << 16;
        v |= i + 1 < len ? (uint32_t)(uint8_t)credentials[i + 1] << 8 : 0;
        v |= i + 2 < len ? (uint32_t)(uint8_t)credentials[i + 2] : 0;
        if (n + 5 > size)
            break;
        out[n++] = digits[v >> 18 & 63];
        out[n++] = digits[v >> 12 & 63];
        out[n++] = i + 1 < len ? digits[v >> 6 & 63] : '=';
        out[n++] = i + 2 < len ? digits[v & 63] : '=';
    }
    out[n] = '\0';
}

#endif
