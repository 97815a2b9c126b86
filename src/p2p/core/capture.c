/* capture.c - see capture.h. One job at a time writes all that has gathered since the last one. */
#include "p2p/core/capture.h"

#include <errno.h>
#include <string.h>

#include "p2p/core/frame.h"
#include "util/alloc.h"
#include "util/buffer.h"
#include "util/list.h"

#define CLOCK_DRIFT_US INT64_C(2000000) /* that far apart, the wall clock was set */

struct record {
    struct list_link link;
    char *dir; /* the peer's */
    bool is_received;
    struct buffer bytes;
};

struct capture {
    struct env_job job; /* first */
    const struct env *env;
    const struct log *log;
    char *dir;
    struct list waiting, writing; /* of struct record; the job has those being written */
    size_t waiting_bytes;         /* of both */
    int64_t offset_us;            /* from the monotonic clock to the wall clock */
    bool is_busy;
    size_t n_left_out;
    int error; /* the job's */
};

struct capture *capture_new(const struct env *env, const struct log *log, const char *dir)
{
    ASSERT(env && dir);
    struct capture *capture = xcalloc(1, sizeof *capture);
    capture->env = env;
    capture->log = log;
    capture->dir = xasprintf("%s/message_capture", dir);
    capture->offset_us = env_unix_s(env) * 1000000 - env_now_us(env);
    return capture;
}

static void record_free(struct record *record)
{
    buffer_deinit(&record->bytes);
    xfree(record->dir);
    xfree(record);
}

void capture_free(struct capture *capture)
{
    if (!capture)
        return;
    ASSERT(!capture->is_busy && capture->waiting.count == 0);
    xfree(capture->dir);
    xfree(capture);
}

size_t capture_pending(const struct capture *capture)
{
    return capture && capture->is_busy ? 1 : 0;
}

/* -- Writing: on another thread ---------------------------------------------------------------- */

static int write_record(const struct env *env, const struct record *record)
{
    enum { FLAGS = ENV_OPEN_WRITE | ENV_OPEN_CREATE };
    struct env_file *file;
    char *path =
        xasprintf("%s/%s", record->dir, record->is_received ? "msgs_recv.dat" : "msgs_sent.dat");
    int error = env_file_open(env, path, FLAGS, &file);
    if (error == -ENOENT) {
        error = env_make_dir(env, record->dir);
        if (!error)
            error = env_file_open(env, path, FLAGS, &file);
    }
    xfree(path);
    if (error)
        return error;
    int64_t size = env_file_size(env, file);
    error = size < 0
                ? (int)size
                : env_file_write_at(env, file, (uint64_t)size, record->bytes.p, record->bytes.len);
    env_file_close(env, file);
    return error;
}

static void run_write(struct env_job *job)
{
    struct capture *capture = (struct capture *)job;
    capture->error = 0;
    LIST_EACH (struct record, record, &capture->writing, link) {
        int error = write_record(capture->env, record);
        capture->error = capture->error ? capture->error : error;
    }
}

static void write_waiting(struct capture *capture);

/* A disk that refuses is no reason to stop: messages are lost, and the log says it. */
static void write_done(struct env_job *job)
{
    struct capture *capture = (struct capture *)job;
    struct record *record;
    while ((record = LIST_POP(struct record, &capture->writing, link))) {
        capture->waiting_bytes -= record->bytes.len;
        record_free(record);
    }
    if (capture->error || capture->n_left_out > 0)
        log_warning(capture->log, "Captured messages are lost: %s",
                    capture->error ? strerror(-capture->error) : "the disk is too slow");
    capture->n_left_out = 0;
    capture->is_busy = false;
    if (capture->waiting.count > 0)
        write_waiting(capture);
}

static void write_waiting(struct capture *capture)
{
    ASSERT(!capture->is_busy && capture->waiting.count > 0 && capture->writing.count == 0);
    list_take_all(&capture->writing, &capture->waiting);
    capture->is_busy = true;
    capture->job = (struct env_job){.run = run_write, .done = write_done};
    env_job_submit(capture->env, ENV_POOL_BLOCKING, ENV_PRIORITY_NORMAL, &capture->job);
}

/* -- What is kept ------------------------------------------------------------------------------ */

/* The wall clock tells seconds only. */
static int64_t unix_us(struct capture *capture)
{
    int64_t wall_us = env_unix_s(capture->env) * 1000000;
    int64_t us = env_now_us(capture->env) + capture->offset_us;
    if (us < wall_us - CLOCK_DRIFT_US || us > wall_us + CLOCK_DRIFT_US) {
        capture->offset_us += wall_us - us;
        us = wall_us;
    }
    return us;
}

static char *dir_of(const struct capture *capture, const char *peer)
{
    char *dir = xasprintf("%s/%s", capture->dir, peer);
    for (char *at = dir + strlen(capture->dir); *at; at++)
        if (*at == ':')
            *at = '_';
    return dir;
}

void capture_message(struct capture *capture, const char *peer, bool is_received, const char *name,
                     struct span payload)
{
    if (!capture)
        return;
    ASSERT(strlen(name) <= FRAME_NAME_BYTES && payload.len <= FRAME_PAYLOAD_MAX);
    if (capture->waiting_bytes + payload.len > CAPTURE_WAITING_MAX) {
        capture->n_left_out++;
        return;
    }
    struct record *record = xcalloc(1, sizeof *record);
    record->dir = dir_of(capture, peer);
    record->is_received = is_received;
    buffer_init(&record->bytes);
    struct writer w = writer_to_growing(&record->bytes);
    uint8_t padded[FRAME_NAME_BYTES] = {0};
    memcpy(padded, name, strlen(name));
    write_u64(&w, (uint64_t)unix_us(capture));
    write_bytes(&w, padded, sizeof padded);
    write_u32(&w, (uint32_t)payload.len);
    write_span(&w, payload);
    capture->waiting_bytes += record->bytes.len;
    list_add(&capture->waiting, &record->link);
    if (!capture->is_busy)
        write_waiting(capture);
}
