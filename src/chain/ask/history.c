/* history.c - see history.h. */
#include "chain/ask/history.h"

#include "chain/ask/record_ring.h"
#include "util/alloc.h"
#include "util/reader.h"
#include "util/writer.h"

#define REORGS_FILE    "reorgs.dat"
#define SIGHTINGS_FILE "sightings.dat"
#define REORG_BYTES    (8 + 3 * (32 + 4))
#define SIGHTING_BYTES (32 + 4 + 4 + 8)

struct history {
    const struct env *env;
    struct record_ring *reorgs, *sightings;
    const struct block_node *old_tip; /* that was taken back since the chain rested; NULL: none */
};

struct history *history_new(const struct env *env, const struct log *log, const char *data_dir)
{
    ASSERT(data_dir);
    ASSERT(env);
    struct history *history = xcalloc(1, sizeof *history);
    history->env = env;
    history->reorgs =
        record_ring_new(env, log, data_dir, REORGS_FILE, REORG_BYTES, HISTORY_REORGS_MAX);
    history->sightings =
        record_ring_new(env, log, data_dir, SIGHTINGS_FILE, SIGHTING_BYTES, HISTORY_SIGHTINGS_MAX);
    return history;
}

void history_free(struct history *history)
{
    if (!history)
        return;
    ASSERT(history_is_at_rest(history));
    record_ring_free(history->reorgs);
    record_ring_free(history->sightings);
    xfree(history);
}

bool history_is_at_rest(const struct history *history)
{
    ASSERT(!history || (history->reorgs && history->sightings));
    return !history ||
           (record_ring_is_at_rest(history->reorgs) && record_ring_is_at_rest(history->sightings));
}

/* -- Notes ------------------------------------------------------------------------------------ */

static void write_place(struct writer *w, const struct block_node *node)
{
    write_bytes(w, node->hash.b, sizeof node->hash.b);
    write_u32(w, (uint32_t)node->height);
}

void history_header_added(struct history *history, const struct block_node *node)
{
    ASSERT(node);
    if (!history)
        return;
    uint8_t record[SIGHTING_BYTES];
    struct writer w = writer_to_buffer(record, sizeof record);
    write_place(&w, node);
    write_u32(&w, node->time);
    write_u64(&w, (uint64_t)env_unix_s(history->env));
    ASSERT(w.len == sizeof record);
    record_ring_add(history->sightings, record);
}

void history_block_disconnected(struct history *history, const struct block_node *node)
{
    ASSERT(node);
    if (history && !history->old_tip)
        history->old_tip = node;
}

void history_tip_changed(struct history *history, const struct block_node *tip)
{
    ASSERT(tip);
    if (!history || !history->old_tip)
        return;
    const struct block_node *old_tip = history->old_tip;
    history->old_tip = NULL;
    if (tip == old_tip) /* the better branch turned out to be bad */
        return;
    uint8_t record[REORG_BYTES];
    struct writer w = writer_to_buffer(record, sizeof record);
    write_u64(&w, (uint64_t)env_unix_s(history->env));
    write_place(&w, old_tip);
    write_place(&w, tip);
    write_place(&w, block_node_fork(old_tip, tip));
    ASSERT(w.len == sizeof record);
    record_ring_add(history->reorgs, record);
}

/* -- Questions -------------------------------------------------------------------------------- */

size_t history_reorg_count(const struct history *history)
{
    ASSERT(history);
    return record_ring_count(history->reorgs);
}

size_t history_sighting_count(const struct history *history)
{
    ASSERT(history);
    return record_ring_count(history->sightings);
}

static void read_place(struct reader *r, struct block_hash *hash, int32_t *height)
{
    read_bytes(r, hash->b, sizeof hash->b);
    *height = (int32_t)read_u32(r);
}

bool history_reorg(const struct history *history, size_t age, struct reorg *out)
{
    ASSERT(history && out);
    const void *record = record_ring_at(history->reorgs, age);
    if (!record)
        return false;
    struct reader r = reader_of(span_of(record, REORG_BYTES));
    out->time_s = (int64_t)read_u64(&r);
    read_place(&r, &out->old_tip, &out->old_height);
    read_place(&r, &out->new_tip, &out->new_height);
    read_place(&r, &out->fork, &out->fork_height);
    ASSERT(reader_finish(&r));
    return true;
}

bool history_sighting(const struct history *history, size_t age, struct sighting *out)
{
    ASSERT(history && out);
    const void *record = record_ring_at(history->sightings, age);
    if (!record)
        return false;
    struct reader r = reader_of(span_of(record, SIGHTING_BYTES));
    read_place(&r, &out->hash, &out->height);
    out->block_time = read_u32(&r);
    out->seen_s = (int64_t)read_u64(&r);
    ASSERT(reader_finish(&r));
    return true;
}
