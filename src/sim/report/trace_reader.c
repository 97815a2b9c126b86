/* trace_reader.c - see trace_reader.h */
#include "sim/report/trace_reader.h"

#include "rpc/json_in.h"
#include "sim/report/run_events.h"
#include "util/hex.h"

#define ARENA_CHUNK_BYTES 65536

void trace_reader_init(struct trace_reader *reader, struct run *run)
{
    ASSERT(reader && run && !run->has_begun);
    *reader = (struct trace_reader){.run = run};
    buffer_init(&reader->line);
    sha256_init(&reader->hash);
    arena_init(&reader->arena, ARENA_CHUNK_BYTES);
}

void trace_reader_deinit(struct trace_reader *reader)
{
    ASSERT(reader);
    buffer_deinit(&reader->line);
    arena_deinit(&reader->arena);
    xfree(reader->error);
    reader->error = NULL;
}

/* Give what is wrong with the current line its number. */
static bool fail_line(struct trace_reader *reader, char *what)
{
    fail_with(&reader->error, "line %llu: %s", (unsigned long long)reader->n_lines, what);
    xfree(what);
    return false;
}

/* The last line holds the hash of all others. */
static bool has_right_hash(struct trace_reader *reader, const struct json_value *line)
{
    uint8_t told[32], real[32];
    const struct json_value *hash = json_find(line, "hash");
    if (!hash || hash->kind != JSON_KIND_STRING ||
        !hex_decode(told, sizeof told, (const char *)hash->text.p, hash->text.len))
        return false;
    sha256_final(&reader->hash, real);
    return memcmp(told, real, sizeof real) == 0;
}

static bool read_line(struct trace_reader *reader, struct span text)
{
    reader->n_lines++;
    char *what = NULL;
    struct json_value *json;
    struct arena_mark mark = arena_mark(&reader->arena);
    bool ok = json_parse(text, &reader->arena, &json);
    if (!ok)
        fail_with(&what, "this is no JSON");
    ok = ok && run_apply(reader->run, json, &what);
    if (ok && reader->run->has_ended && !has_right_hash(reader, json))
        ok = fail_with(&what, "the hash of the lines above is another one: the trace was changed");
    arena_rewind(&reader->arena, mark);
    if (!ok)
        return fail_line(reader, what);
    sha256_update(&reader->hash, text.p, text.len);
    sha256_update(&reader->hash, "\n", 1);
    return true;
}

bool trace_reader_feed(struct trace_reader *reader, struct span bytes)
{
    ASSERT(reader && !reader->error);
    const uint8_t *at = bytes.p, *end = bytes.p + bytes.len;
    while (at < end) {
        const uint8_t *newline = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((newline ? newline : end) - at);
        if (reader->line.len + len > TRACE_LINE_BYTES_MAX) {
            reader->n_lines++;
            return fail_line(reader, xasprintf("longer than %d bytes", TRACE_LINE_BYTES_MAX));
        }
        buffer_append(&reader->line, at, len);
        if (!newline)
            return true;
        at = newline + 1;
        bool ok = read_line(reader, buffer_span(&reader->line));
        reader->line.len = 0;
        if (!ok)
            return false;
    }
    return true;
}

bool trace_reader_finish(struct trace_reader *reader)
{
    ASSERT(reader && !reader->error);
    /* The end of a run that was stopped may lack a half of its last line. */
    if (!reader->run->has_begun)
        return fail_with(&reader->error, "this is no trace of cairn-sim: it is empty");
    run_finish(reader->run);
    return true;
}
