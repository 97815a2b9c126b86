/* sim_trace.c - see sim_trace.h */
#include "support/sim_trace.h"

#include <stdarg.h>
#include <stdio.h>

#include "sim/report/trace_reader.h"
#include "util/alloc.h"
#include "util/hex.h"

char *sim_trace_hash(char out[SIM_TRACE_HASH_BYTES], unsigned number)
{
    snprintf(out, SIM_TRACE_HASH_BYTES, "%064x", number * 2654435761u);
    return out;
}

void sim_trace_begin(struct buffer *trace, unsigned n_nodes)
{
    buffer_init(trace);
    sim_trace_add(trace, 0, "run",
                  ",\"format\":1,\"name\":\"by hand\",\"seed\":7,\"nodes\":%u,\"interval_s\":600",
                  n_nodes);
}

void sim_trace_add(struct buffer *trace, double t_s, const char *event, const char *format, ...)
{
    char rest[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(rest, sizeof rest, format, args);
    va_end(args);
    buffer_append_format(trace, "{\"t\":%.6f,\"ev\":\"%s\"%s}\n", t_s, event, rest);
}

void sim_trace_mined(struct buffer *trace, double t_s, unsigned node, unsigned height,
                     const unsigned block_parent[2])
{
    char hash[SIM_TRACE_HASH_BYTES], parent[SIM_TRACE_HASH_BYTES];
    sim_trace_add(trace, t_s, "mined",
                  ",\"node\":%u,\"height\":%u,\"hash\":\"%s\",\"parent\":\"%s\",\"txs\":10,"
                  "\"bytes\":4000",
                  node, height, sim_trace_hash(hash, block_parent[0]),
                  sim_trace_hash(parent, block_parent[1]));
    sim_trace_tip(trace, t_s, node, block_parent[0]);
}

void sim_trace_tip(struct buffer *trace, double t_s, unsigned node, unsigned block)
{
    char hash[SIM_TRACE_HASH_BYTES];
    sim_trace_add(trace, t_s, "tip", ",\"node\":%u,\"height\":1,\"hash\":\"%s\"", node,
                  sim_trace_hash(hash, block));
}

void sim_trace_end(struct buffer *trace, double t_s)
{
    uint8_t digest[32];
    char hex[HEX_ID_BYTES];
    sha256(buffer_span(trace), digest);
    sim_trace_add(trace, t_s, "end",
                  ",\"agreed\":true,\"height\":2,\"stale\":1,\"txs_mined\":18,\"bytes\":123456,"
                  "\"hash\":\"%s\"",
                  hex_encode(hex, span_of(digest, sizeof digest)));
}

/* Read the trace in pieces of 7 bytes, so that each line comes in some. */
static bool feed(struct trace_reader *reader, struct span bytes)
{
    for (size_t at = 0; at < bytes.len; at += 7)
        if (!trace_reader_feed(reader, span_of(bytes.p + at, MIN_OF(bytes.len - at, (size_t)7))))
            return false;
    return trace_reader_finish(reader);
}

static struct run *read_trace(struct buffer *trace, char **error)
{
    struct run *run = run_new();
    struct trace_reader reader;
    trace_reader_init(&reader, run);
    bool ok = feed(&reader, buffer_span(trace));
    *error = ok ? NULL : xstrdup(reader.error);
    trace_reader_deinit(&reader);
    buffer_deinit(trace);
    if (ok)
        return run;
    run_free(run);
    return NULL;
}

struct run *sim_trace_read(struct buffer *trace)
{
    char *error;
    struct run *run = read_trace(trace, &error);
    if (error)
        fprintf(stderr, "%s\n", error);
    xfree(error);
    return run;
}

char *sim_trace_error(struct buffer *trace)
{
    char *error;
    run_free(read_trace(trace, &error));
    return error;
}

static void add_nodes(struct buffer *trace)
{
    static const struct {
        const char *place;
        double lat, lon;
    } places[] = {
        {"Frankfurt", 50.11, 8.68}, {"New York", 40.71, -74.01}, {"T<o>kyo & co", 35.68, 139.69}};
    for (unsigned i = 0; i < 6; i++)
        sim_trace_add(trace, 0, "node",
                      ",\"node\":%u,\"place\":\"%s\",\"lat\":%.2f,\"lon\":%.2f,\"power\":1.5,"
                      "\"role\":\"%s\"",
                      i, places[i % 3].place, places[i % 3].lat, places[i % 3].lon,
                      i == 5 ? "selfish" : "honest");
    for (unsigned i = 0; i < 6; i++)
        sim_trace_add(trace, 0, "link", ",\"from\":%u,\"to\":%u", i, (i + 1) % 6);
}

static void add_sample(struct buffer *trace, double t_s, unsigned n)
{
    sim_trace_add(
        trace, t_s, "sample",
        ",\"tips\":%u,\"mempool\":[%u,%u,%u],\"agreement\":0.9%u,\"traffic\":{\"block\":%u,"
        "\"inv\":%u,\"tx\":%u}",
        n % 2 + 1, n, 2 * n, 3 * n, n, 1000 * n, 50 * n, 400);
}

struct run *sim_trace_sample(unsigned seed)
{
    struct buffer trace;
    sim_trace_begin(&trace, 6);
    add_nodes(&trace);
    sim_trace_mined(&trace, 10, 0, 1, (unsigned[]){seed + 1, 0});
    for (unsigned i = 1; i < 6; i++)
        sim_trace_tip(&trace, 10 + 0.1 * i, i, seed + 1);
    add_sample(&trace, 60, 1);
    sim_trace_add(&trace, 70, "partition", ",\"groups\":[[0,1,2],[3,4,5]]");
    sim_trace_mined(&trace, 80, 1, 2, (unsigned[]){seed + 2, seed + 1});
    sim_trace_mined(&trace, 81, 4, 2, (unsigned[]){seed + 3, seed + 1});
    sim_trace_tip(&trace, 81.5, 0, seed + 2);
    add_sample(&trace, 120, 2);
    sim_trace_add(&trace, 121, "attack", ",\"node\":5,\"kind\":\"selfish\",\"what\":\"withholds\"");
    sim_trace_add(&trace, 130, "heal", "%s", "");
    for (unsigned i = 2; i < 6; i++)
        sim_trace_tip(&trace, 140 + i, i, seed + 2);
    add_sample(&trace, 180, 3);
    sim_trace_end(&trace, 180);
    return sim_trace_read(&trace);
}
