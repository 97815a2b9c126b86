/* sim_trace_file.c - see sim_trace_file.h */
#include "sim/program/sim_trace_file.h"

#include <errno.h>
#include <stdio.h>

#include "sim/report/trace_reader.h"

#define CHUNK_BYTES 65536

/* All of an open file into the reader. */
static bool feed_file(struct trace_reader *reader, FILE *file)
{
    uint8_t chunk[CHUNK_BYTES];
    size_t n;
    while ((n = fread(chunk, 1, sizeof chunk, file)) > 0)
        if (!trace_reader_feed(reader, span_of(chunk, n)))
            return false;
    if (ferror(file))
        return fail_with(&reader->error, "%s", strerror(errno));
    return trace_reader_finish(reader);
}

struct run *sim_trace_load(const char *path)
{
    ASSERT(path);
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "rb"); /* lint: the command is the outer world */
    if (!file) {
        fprintf(stderr, "cairn-sim: %s: %s\n", path, strerror(errno));
        return NULL;
    }
    struct run *run = run_new();
    struct trace_reader reader;
    trace_reader_init(&reader, run);
    bool ok = feed_file(&reader, file);
    if (!ok)
        fprintf(stderr, "cairn-sim: %s: %s\n", path, reader.error);
    else if (!run->has_ended)
        fprintf(stderr, "cairn-sim: %s has no end: it is read as far as it goes\n", path);
    trace_reader_deinit(&reader);
    if (!is_stdin)
        fclose(file);
    if (ok)
        return run;
    run_free(run);
    return NULL;
}

bool sim_file_write(const char *path, struct span bytes)
{
    ASSERT(path);
    FILE *file = fopen(path, "wb"); /* lint: the command is the outer world */
    bool ok = file && fwrite(bytes.p, 1, bytes.len, file) == bytes.len;
    ok = file && fclose(file) == 0 && ok;
    if (!ok)
        fprintf(stderr, "cairn-sim: %s: %s\n", path, strerror(errno));
    return ok;
}
