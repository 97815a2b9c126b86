/* snapshot_part.c - see snapshot_part.h */
#include "chain/coins/snapshot_part.h"

#include <errno.h>
#include <string.h>

#include "util/alloc.h"
#include "util/read_file.h"
#include "util/replace_file.h"

static size_t bitmap_bytes(const struct snapshot_offer *offer)
{
    return (snapshot_chunk_count(offer->n_bytes) + 7) / 8;
}

void snapshot_part_init(struct snapshot_part *part, const struct env *env, const char *path)
{
    ASSERT(env && path);
    *part = (struct snapshot_part){.env = env,
                                   .path = xasprintf("%s", path),
                                   .state_path = xasprintf("%s" SNAPSHOT_PART_SUFFIX, path)};
}

void snapshot_part_close(struct snapshot_part *part)
{
    ASSERT(part->path);
    if (part->file)
        env_file_close(part->env, part->file);
    part->file = NULL;
}

void snapshot_part_deinit(struct snapshot_part *part)
{
    snapshot_part_close(part);
    xfree(part->have);
    xfree(part->path);
    xfree(part->state_path);
    *part = (struct snapshot_part){0};
}

/* -- What counts ------------------------------------------------------------------------------- */

bool snapshot_part_has(const struct snapshot_part *part, uint32_t index)
{
    ASSERT(part->have && index < snapshot_chunk_count(part->offer.n_bytes));
    return part->have[index / 8] >> index % 8 & 1;
}

void snapshot_part_add(struct snapshot_part *part, uint32_t index)
{
    ASSERT(!snapshot_part_has(part, index));
    part->have[index / 8] |= (uint8_t)(1 << index % 8);
    part->n_have++;
}

bool snapshot_part_is_whole(const struct snapshot_part *part)
{
    ASSERT(part->have);
    return part->n_have == snapshot_chunk_count(part->offer.n_bytes);
}

/* Bits behind the last chunk mean nothing: a state that has some is not ours. */
static bool take_state(struct snapshot_part *part, struct span raw)
{
    struct reader r = reader_of(raw);
    if (!snapshot_offer_decode(&r, &part->offer) || reader_left(&r) != bitmap_bytes(&part->offer))
        return false;
    struct span bits = read_span(&r, reader_left(&r));
    xfree(part->have);
    part->have = xmalloc(bits.len);
    memcpy(part->have, bits.p, bits.len);
    part->n_have = 0;
    uint32_t n = snapshot_chunk_count(part->offer.n_bytes);
    for (uint32_t i = 0; i < n; i++)
        part->n_have += snapshot_part_has(part, i);
    return n % 8 == 0 || part->have[n / 8] >> n % 8 == 0;
}

/* -- Files ------------------------------------------------------------------------------------- */

int snapshot_part_recall(struct snapshot_part *part)
{
    struct buffer raw;
    ASSERT(!part->file);
    buffer_init(&raw);
    int error = read_file(part->env, part->state_path,
                          SNAPSHOT_OFFER_BYTES + SNAPSHOT_CHUNKS_MAX / 8, &raw);
    bool is_good = !error && take_state(part, buffer_span(&raw));
    buffer_deinit(&raw);
    if (error == -EFBIG || (!error && !is_good))
        return -ENOENT;
    return error
               ? error
               : env_file_open(part->env, part->path, ENV_OPEN_READ | ENV_OPEN_WRITE, &part->file);
}

static int remove_if_there(const struct env *env, const char *path)
{
    int error = env_remove(env, path);
    return error == -ENOENT ? 0 : error;
}

/* The state goes first: a file without one is nothing. */
int snapshot_part_remove(struct snapshot_part *part)
{
    snapshot_part_close(part);
    int error = remove_if_there(part->env, part->state_path);
    return error ? error : remove_if_there(part->env, part->path);
}

static int write_state(const struct snapshot_part *part)
{
    struct buffer raw;
    buffer_init(&raw);
    struct writer w = writer_to_growing(&raw);
    snapshot_offer_encode(&w, &part->offer);
    write_bytes(&w, part->have, bitmap_bytes(&part->offer));
    int error = replace_file(part->env, part->state_path, buffer_span(&raw));
    buffer_deinit(&raw);
    return error;
}

static int make_file(struct snapshot_part *part)
{
    enum { FLAGS = ENV_OPEN_READ | ENV_OPEN_WRITE | ENV_OPEN_CREATE | ENV_OPEN_TRUNCATE };
    int error = env_file_open(part->env, part->path, FLAGS, &part->file);
    if (error)
        return error;
    int64_t room = env_free_bytes(part->env, part->path);
    bool is_full = room >= 0 && room < (int64_t)part->offer.n_bytes + SNAPSHOT_PART_FREE_MIN;
    return is_full ? -ENOSPC : 0;
}

/* The new state is durable before the old file goes, and the new file's name before anything in it
 * counts. */
int snapshot_part_begin(struct snapshot_part *part, const struct snapshot_offer *offer)
{
    int error = snapshot_part_remove(part);
    if (error)
        return error;
    part->offer = *offer;
    part->n_have = 0;
    xfree(part->have);
    part->have = xcalloc(1, bitmap_bytes(offer));
    error = write_state(part);
    if (!error)
        error = make_file(part);
    if (!error)
        error = write_state(part);
    int worse = error ? snapshot_part_remove(part) : 0;
    return worse ? worse : error;
}

int snapshot_part_write(const struct snapshot_part *part, uint32_t index, struct span chunk)
{
    ASSERT(part->file && chunk.len == snapshot_chunk_len(part->offer.n_bytes, index));
    return env_file_write_at(part->env, part->file, (uint64_t)index * SNAPSHOT_CHUNK_BYTES, chunk.p,
                             chunk.len);
}

int snapshot_part_save(const struct snapshot_part *part)
{
    ASSERT(part->file && part->have);
    int error = env_file_sync(part->env, part->file);
    return error ? error : write_state(part);
}
