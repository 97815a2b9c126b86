/* sim_capture_file.c - see sim_capture_file.h. Read twice: once to count, once to be played. */
#include "sim/program/sim_capture_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "p2p/core/frame.h"
#include "util/alloc.h"
#include "util/endian.h"

#define RECORD_HEADER_BYTES 24
#define YEAR_2100_US        INT64_C(4102444800000000)

struct sim_capture_file {
    FILE *file;
    const char *path; /* borrowed */
    uint64_t at;      /* bytes read */
    uint64_t count;
    int64_t begins_us;
    char name[FRAME_NAME_BYTES + 1];
    uint8_t *payload;
};

/* READ_CUT: as a node leaves it that is killed. */
enum read_result { READ_MESSAGE, READ_END, READ_CUT, READ_BAD };

static enum read_result fail(const struct sim_capture_file *file, const char *what)
{
    fprintf(stderr, "cairn-sim: %s: at byte %" PRIu64 ": %s\n", file->path, file->at, what);
    return READ_BAD;
}

static enum read_result read_payload(struct sim_capture_file *file, uint32_t len)
{
    xfree(file->payload);
    file->payload = xmalloc(len + 1);
    if (fread(file->payload, 1, len, file->file) != len)
        return ferror(file->file) ? fail(file, strerror(errno)) : READ_CUT;
    file->at += RECORD_HEADER_BYTES + len;
    return READ_MESSAGE;
}

static enum read_result read_message(struct sim_capture_file *file, struct player_message *out)
{
    uint8_t header[RECORD_HEADER_BYTES];
    size_t n = fread(header, 1, sizeof header, file->file);
    if (n == 0 && !ferror(file->file))
        return READ_END;
    if (n < sizeof header)
        return ferror(file->file) ? fail(file, strerror(errno)) : READ_CUT;
    uint64_t us = load_le64(header);
    uint32_t len = load_le32(header + 20);
    if (!frame_name_decode(header + 8, file->name) || us == 0 || us > YEAR_2100_US)
        return fail(file, "no message of a capture (msgs_recv.dat of -capturemessages) is here");
    if (len > FRAME_PAYLOAD_MAX)
        return fail(file, "the message is longer than one may be");
    *out = (struct player_message){.unix_us = (int64_t)us, .name = file->name};
    enum read_result result = read_payload(file, len);
    out->payload = span_of(file->payload, len);
    return result;
}

static bool look_through(struct sim_capture_file *file)
{
    struct player_message message;
    enum read_result result;
    while ((result = read_message(file, &message)) == READ_MESSAGE)
        if (file->count++ == 0)
            file->begins_us = message.unix_us;
    if (result != READ_BAD && file->count == 0)
        result = fail(file, "there is no message");
    if (result == READ_CUT)
        (void)fail(file, "the message is cut short: those before it are played");
    if (result != READ_BAD && fseek(file->file, 0, SEEK_SET))
        result = fail(file, strerror(errno));
    file->at = 0;
    return result != READ_BAD;
}

struct sim_capture_file *sim_capture_file_open(const char *path)
{
    ASSERT(path);
    FILE *stream = fopen(path, "rb"); /* lint: the command is the outer world */
    if (!stream) {
        fprintf(stderr, "cairn-sim: %s: %s\n", path, strerror(errno));
        return NULL;
    }
    struct sim_capture_file *file = xcalloc(1, sizeof *file);
    file->file = stream;
    file->path = path;
    if (look_through(file))
        return file;
    sim_capture_file_close(file);
    return NULL;
}

void sim_capture_file_close(struct sim_capture_file *file)
{
    ASSERT(file);
    fclose(file->file);
    xfree(file->payload);
    xfree(file);
}

int64_t sim_capture_file_begins_us(const struct sim_capture_file *file)
{
    return file->begins_us;
}

uint64_t sim_capture_file_count(const struct sim_capture_file *file)
{
    return file->count;
}

static bool next(void *ctx, struct player_message *out)
{
    return read_message(ctx, out) == READ_MESSAGE;
}

struct player_source sim_capture_file_source(struct sim_capture_file *file)
{
    ASSERT(file);
    return (struct player_source){.ctx = file, .next = next};
}
