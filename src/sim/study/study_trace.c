/* study_trace.c - see study_trace.h */
#include "sim/study/study_trace.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/alloc.h"

void study_trace_init(struct study_trace *trace, study_line_fn *write, void *ctx)
{
    ASSERT(trace);
    *trace = (struct study_trace){.write = write, .ctx = ctx};
    sha256_init(&trace->hash);
    buffer_init(&trace->line);
}

void study_trace_deinit(struct study_trace *trace)
{
    ASSERT(trace);
    buffer_deinit(&trace->line);
}

void study_trace_line(struct study_trace *trace, int64_t now_us, const char *event,
                      const char *members, ...)
{
    ASSERT(trace && event && members);
    struct buffer *line = &trace->line;
    int64_t at_us = now_us > trace->begin_us ? now_us - trace->begin_us : 0;
    line->len = 0;
    buffer_append_format(line, "{\"t\":%" PRId64 ".%06" PRId64 ",\"ev\":\"%s\"", at_us / 1000000,
                         at_us % 1000000, event);
    va_list args, again;
    va_start(args, members);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, members, args);
    va_end(args);
    ASSERT(n >= 0);
    char *text = xmalloc((size_t)n + 1);
    vsnprintf(text, (size_t)n + 1, members, again);
    va_end(again);
    buffer_append(line, text, (size_t)n);
    xfree(text);
    buffer_append(line, "}\n", 2);
    sha256_update(&trace->hash, line->p, line->len);
    if (trace->write)
        trace->write(trace->ctx, (const char *)line->p, line->len);
}

void study_trace_hash(const struct study_trace *trace, char out[HEX_ID_BYTES])
{
    ASSERT(trace);
    struct sha256 copy = trace->hash;
    uint8_t digest[32];
    sha256_final(&copy, digest);
    hex_encode(out, span_of(digest, sizeof digest));
}
