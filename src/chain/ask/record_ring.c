/* record_ring.c - see record_ring.h. In the file, record n lies in place n % max: its number from 1
 * on, its bytes, their checksum. */
#include "chain/ask/record_ring.h"

#include <errno.h>
#include <string.h>

#include "util/alloc.h"
#include "util/array.h"
#include "util/crc32c.h"
#include "util/read_file.h"
#include "util/reader.h"
#include "util/writer.h"

enum { NUMBER_BYTES = 8, CHECKSUM_BYTES = 4 };

struct record_ring {
    const struct env *env;
    const struct log *log;
    char *dir, *path;
    size_t record_bytes, place_bytes, max;
    uint8_t *places; /* as in the file */
    uint64_t last;   /* number of the newest record; 0: there is none */
    uint64_t stored; /* of the newest on the disk */

    bool is_writing, has_failed; /* after an error nothing is written any more */
    struct env_job job;
    uint64_t job_first; /* the job writes job_count records from this one on */
    size_t job_count;
    uint8_t *job_places; /* their bytes */
    int error;           /* the job's */
};

static uint8_t *place_of(const struct record_ring *ring, uint64_t number)
{
    ASSERT(number > 0);
    return ring->places + (size_t)(number % ring->max) * ring->place_bytes;
}

/* The number that is written in a place, 0 if that is not whole. */
static uint64_t number_at(const struct record_ring *ring, const uint8_t *place)
{
    size_t checked = ring->place_bytes - CHECKSUM_BYTES;
    struct reader r = reader_of(span_of(place, ring->place_bytes));
    uint64_t number = read_u64(&r);
    (void)read_span(&r, ring->record_bytes);
    return read_u32(&r) == crc32c(0, place, checked) ? number : 0;
}

static void load(struct record_ring *ring)
{
    struct buffer bytes;
    buffer_init(&bytes);
    size_t all = ring->max * ring->place_bytes;
    int error = read_file(ring->env, ring->path, (int64_t)all, &bytes);
    if (error && error != -ENOENT)
        log_warning(ring->log, "%s cannot be read and is begun anew: %s", ring->path,
                    strerror(-error));
    if (bytes.len > 0)
        memcpy(ring->places, bytes.p, bytes.len);
    size_t n = (bytes.len + ring->place_bytes - 1) / ring->place_bytes;
    buffer_deinit(&bytes);
    for (size_t i = 0; i < n; i++) {
        uint64_t number = number_at(ring, ring->places + i * ring->place_bytes);
        if (number % ring->max == i && number > ring->last && number <= INT64_MAX)
            ring->last = number;
    }
    ring->stored = ring->last;
}

struct record_ring *record_ring_new(const struct env *env, const struct log *log, const char *dir,
                                    const char *name, size_t record_bytes, size_t max)
{
    ASSERT(env && dir && name);
    ASSERT(record_bytes > 0 && max > 0);
    struct record_ring *ring = xcalloc(1, sizeof *ring);
    *ring = (struct record_ring){.env = env,
                                 .log = log,
                                 .dir = xstrdup(dir),
                                 .path = xasprintf("%s/%s", dir, name),
                                 .record_bytes = record_bytes,
                                 .place_bytes = NUMBER_BYTES + record_bytes + CHECKSUM_BYTES,
                                 .max = max};
    ring->places = xcalloc_sparse(max, ring->place_bytes);
    load(ring);
    return ring;
}

void record_ring_free(struct record_ring *ring)
{
    if (!ring)
        return;
    ASSERT(!ring->is_writing);
    xfree_sparse(ring->places, ring->max, ring->place_bytes);
    xfree(ring->path);
    xfree(ring->dir);
    xfree(ring);
}

bool record_ring_is_at_rest(const struct record_ring *ring)
{
    ASSERT(ring && ring->stored <= ring->last);
    return !ring->is_writing;
}

/* -- Writing ---------------------------------------------------------------------------------- */

static int write_places(const struct record_ring *ring, struct env_file *file)
{
    int error = 0;
    for (size_t i = 0; i < ring->job_count && !error; i++)
        error = env_file_write_at(ring->env, file,
                                  (ring->job_first + i) % ring->max * ring->place_bytes,
                                  ring->job_places + i * ring->place_bytes, ring->place_bytes);
    error = error ? error : env_file_sync(ring->env, file);
    return error ? error : env_sync_dir(ring->env, ring->dir); /* it may have been made just now */
}

static void run_write(struct env_job *job)
{
    struct record_ring *ring = CONTAINER_OF(job, struct record_ring, job);
    ASSERT(ring->is_writing && ring->job_count > 0);
    struct env_file *file;
    ring->error = env_file_open(ring->env, ring->path, ENV_OPEN_WRITE | ENV_OPEN_CREATE, &file);
    if (ring->error)
        return;
    ring->error = write_places(ring, file);
    env_file_close(ring->env, file);
}

static void start_write(struct record_ring *ring);

/* The disk of the chain is not this one's to judge: without these notes the node goes on. */
static void on_written(struct env_job *job)
{
    struct record_ring *ring = CONTAINER_OF(job, struct record_ring, job);
    ring->is_writing = false;
    xfree(ring->job_places);
    ring->job_places = NULL;
    ring->has_failed = job->cancelled || ring->error;
    if (ring->error)
        log_warning(ring->log, "%s cannot be written, and is not any more: %s", ring->path,
                    strerror(-ring->error));
    else if (!job->cancelled)
        ring->stored = ring->job_first + ring->job_count - 1;
    if (ring->stored < ring->last && !ring->has_failed)
        start_write(ring);
}

/* All that is not there yet, or as much of it as is still kept. */
static void start_write(struct record_ring *ring)
{
    ASSERT(!ring->is_writing && ring->stored < ring->last);
    uint64_t n = ring->last - ring->stored;
    ring->job_count = n < ring->max ? (size_t)n : ring->max;
    ring->job_first = ring->last - ring->job_count + 1;
    ring->job_places = xmalloc(ring->job_count * ring->place_bytes);
    for (size_t i = 0; i < ring->job_count; i++)
        memcpy(ring->job_places + i * ring->place_bytes, place_of(ring, ring->job_first + i),
               ring->place_bytes);
    ring->is_writing = true;
    ring->job = (struct env_job){.run = run_write, .done = on_written};
    env_job_submit(ring->env, ENV_POOL_BLOCKING, ENV_PRIORITY_LOW, &ring->job);
}

void record_ring_add(struct record_ring *ring, const void *record)
{
    ASSERT(record);
    ASSERT(ring);
    if (ring->has_failed)
        return;
    uint8_t *place = place_of(ring, ++ring->last);
    struct writer w = writer_to_buffer(place, ring->place_bytes);
    write_u64(&w, ring->last);
    write_bytes(&w, record, ring->record_bytes);
    write_u32(&w, crc32c(0, place, w.len));
    if (!ring->is_writing)
        start_write(ring);
}

/* -- Reading ---------------------------------------------------------------------------------- */

/* A record that is overwritten in memory by one not yet stored is not told any more. */
size_t record_ring_count(const struct record_ring *ring)
{
    ASSERT(ring && ring->stored <= ring->last);
    uint64_t first = ring->last > ring->max ? ring->last - ring->max : 0;
    return ring->stored > first ? (size_t)(ring->stored - first) : 0;
}

const void *record_ring_at(const struct record_ring *ring, size_t age)
{
    ASSERT(ring);
    if (age >= record_ring_count(ring))
        return NULL;
    uint64_t number = ring->stored - age;
    const uint8_t *place = place_of(ring, number);
    return number_at(ring, place) == number ? place + NUMBER_BYTES : NULL;
}
