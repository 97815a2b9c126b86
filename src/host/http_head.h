/* http_head.h - the head of an HTTP/1.1 request: request line and headers, in place.
 *
 * Layer: host. Pure: no I/O and no memory of its own. What a reader and a proxy could understand
 * differently (two lengths, folded lines) is refused, or ends the connection (a length beside
 * chunks). Spec: RFC 9112 */
#ifndef HOST_HTTP_HEAD_H
#define HOST_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/assert.h"

#define HTTP_HEAD_BYTES_MAX 8192 /* of one head */

/* Strings point into the text that was parsed; NULL where a header is absent. */
struct http_head {
    const char *method, *uri;
    const char *host, *origin, *authorization, *content_type, *last_event_id, *cookie;
    const char *fetch_site, *fetch_mode, *fetch_dest; /* Sec-Fetch-... */
    const char *target_host; /* of a request line with a whole URL: host is the same then */
    uint64_t content_length; /* 0 without one */
    bool has_length, is_chunked, expects_continue;
    bool keep_alive; /* may the connection be used again: by version and Connection */
    bool is_1_0;
};

/* The bytes of empty lines at the start of text: to be passed over before a request line.
 * Spec: RFC 9112, 2.2 */
size_t http_blank_lines(const char *text, size_t len);

/* The length of a head at the start of text, its blank line included; 0 if it is not complete. */
size_t http_head_length(const char *text, size_t len);

/* Parse a head of exactly len bytes, as http_head_length() measured it. Changes text.
 * Returns: 0, or the HTTP status of the refusal: 400, 417, 501. */
NODISCARD int http_head_parse(struct http_head *head, char *text, size_t len);

/* Is the host of a Host header ("name", "name:port") one that no foreign web page can make a
 * browser send: localhost, an IP literal, or a name in allowed? This is what stops DNS rebinding:
 * the attacker's name stays in the header. */
bool http_host_is_allowed(const char *host, const char *const *allowed, size_t n_allowed);
/* Is an Origin ("http://name:port") our own machine's: localhost, a loopback address, or a name in
 * allowed? */
bool http_origin_is_allowed(const char *origin, const char *const *allowed, size_t n_allowed);

/* Parse the line before a chunk, "1a2b" or "1a2b;extension". Returns: false if it is none, or
 * beyond 32 bits. */
NODISCARD bool http_chunk_size_parse(const char *line, uint64_t *size);

/* The words that go with a status, "Not Found" for 404. */
const char *http_reason(int status);

#endif
