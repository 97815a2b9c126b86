/* fuzz_http_head.c - any bytes as the head of a request: parsed in bounds, or refused. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "host/http_head.h"
#include "util/alloc.h"
#include "util/assert.h"

static bool is_inside(const char *s, const char *text, size_t len)
{
    return !s || (s >= text && s < text + len && memchr(s, '\0', (size_t)(text + len - s)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t len = http_head_length((const char *)data, size);
    ASSERT(len <= size);
    if (len == 0 || len > HTTP_HEAD_BYTES_MAX)
        return 0;
    char *text = xmemdup(data, len);
    struct http_head head;
    int status = http_head_parse(&head, text, len);
    ASSERT(status == 0 || (status >= 400 && status < 600));
    if (status == 0) {
        ASSERT(is_inside(head.method, text, len));
        /* The path of an absolute target that has none is a constant. */
        ASSERT(is_inside(head.uri, text, len) || strcmp(head.uri, "/") == 0);
        ASSERT(is_inside(head.host, text, len) && is_inside(head.origin, text, len));
        ASSERT(is_inside(head.authorization, text, len));
        ASSERT(is_inside(head.content_type, text, len));
        ASSERT(!(head.is_chunked && head.has_length));
        if (head.host)
            (void)http_host_is_allowed(head.host, NULL, 0);
        if (head.origin)
            (void)http_origin_is_allowed(head.origin, NULL, 0);
    }
    xfree(text);
    return 0;
}
