/* ui_page.c - see ui_page.h */
#include "rpc/ui_page.h"

#include <string.h>

#include "crypto/hash.h"
#include "util/alloc.h"
#include "util/base64.h"

/* The three files of src/rpc/ui/, by tools/embed.cmake. */
static const uint8_t html[] = {
#include "rpc/ui/ui.html.inc"
};
static const uint8_t css[] = {
#include "rpc/ui/ui.css.inc"
};
static const uint8_t js[] = {
#include "rpc/ui/ui.js.inc"
};

/* Append at up to and with the mark, which is there. Returns: what is behind it */
static struct span append_up_to(struct buffer *out, struct span at, const char *mark)
{
    size_t len = strlen(mark);
    const uint8_t *found = memmem(at.p, at.len, mark, len);
    ASSERT(found);
    size_t n = (size_t)(found - at.p) + len;
    buffer_append(out, at.p, n);
    return span_of(at.p + n, at.len - n);
}

/* "'sha256-...'", with which a policy names a text. Spec: CSP 3, 6.6.2.3 */
static void append_digest(struct buffer *out, struct span text)
{
    uint8_t digest[32];
    sha256(text, digest);
    buffer_append_string(out, "'sha256-");
    base64_append(out, span_of(digest, sizeof digest));
    buffer_append_string(out, "'");
}

void ui_page_init(struct ui_page *page)
{
    ASSERT(page && !page->headers);
    struct span rest = span_of(html, sizeof html);
    buffer_init(&page->html);
    rest = append_up_to(&page->html, rest, "<style>");
    buffer_append(&page->html, css, sizeof css);
    rest = append_up_to(&page->html, rest, "<script>");
    buffer_append(&page->html, js, sizeof js);
    buffer_append(&page->html, rest.p, rest.len);
    struct buffer headers;
    buffer_init(&headers);
    buffer_append_string(&headers, "Content-Security-Policy: default-src 'none'; script-src ");
    append_digest(&headers, span_of(js, sizeof js));
    buffer_append_string(&headers, "; style-src ");
    append_digest(&headers, span_of(css, sizeof css));
    buffer_append_string(&headers, "; img-src data:; connect-src 'self'; base-uri 'none'; "
                                   "form-action 'none'; frame-ancestors 'none'\r\n"
                                   "X-Frame-Options: DENY\r\n"
                                   "Cross-Origin-Opener-Policy: same-origin\r\n");
    buffer_append(&headers, "", 1);
    page->headers = xstrdup((const char *)headers.p);
    buffer_deinit(&headers);
}

void ui_page_deinit(struct ui_page *page)
{
    ASSERT(page);
    buffer_deinit(&page->html);
    xfree(page->headers);
    *page = (struct ui_page){0};
}
