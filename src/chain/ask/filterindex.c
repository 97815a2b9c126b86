/* filterindex.c - the basic filter of each block (-blockfilterindex).
 *
 * Store keys: 'f' height 0 hash -> hash of the filter, its header; 'f' height 1 hash -> the filter.
 * Heights are big-endian, so that rows are written in the order of their keys and the store has
 * nothing to sort; headers are rows of their own, so that reading 2,000 of them reads no filter.
 * 'B' -> the mark (index_follower.h). The first block's rows are there from the start: it is no
 * block that is connected. */
#include "chain/ask/filterindex.h"

#include <errno.h>
#include <string.h>

#include "chain/ask/block_filter.h"
#include "chain/disk/block_ref.h"
#include "util/alloc.h"
#include "util/array.h"
#include "util/buffer.h"

#define KEY_BYTES    38
#define HEADER_BYTES 64
#define UNDO_CHUNK   65536

enum part { PART_HEADER, PART_FILTER };

/* Somebody looks at filters. */
struct filter_lookup {
    struct index_lookup base; /* first */
    struct chain_filter_range range;
    struct block_hash *hashes; /* of the blocks, oldest first */
    size_t n, n_visited;
    chain_filter_fn *visit;
    chain_filters_done_fn *done;
    void *arg;
};

/* -- Rows: on another thread ------------------------------------------------------------------- */

static struct span make_key(int32_t height, enum part part, const struct block_hash *hash,
                            uint8_t key[KEY_BYTES])
{
    ASSERT(height >= 0);
    struct writer w = writer_to_buffer(key, KEY_BYTES);
    write_u8(&w, 'f');
    index_key_u32(&w, (uint32_t)height);
    write_u8(&w, (uint8_t)part);
    write_bytes(&w, hash->b, sizeof hash->b);
    return span_of(key, KEY_BYTES);
}

static void put_block(struct index_follower *follower, struct env_batch *batch, int32_t height,
                      const struct block *block, const struct undo *undo, const uint8_t prev[32])
{
    const struct env *env = follower->core->env;
    uint8_t key[KEY_BYTES], header[HEADER_BYTES];
    struct buffer filter;
    buffer_init(&filter);
    block_filter_build(block, undo, &filter);
    block_filter_hash(buffer_span(&filter), header);
    block_filter_header(header, prev, header + 32);
    env_batch_put(env, batch, make_key(height, PART_HEADER, &block->hash, key),
                  span_of(header, sizeof header));
    env_batch_put(env, batch, make_key(height, PART_FILTER, &block->hash, key),
                  buffer_span(&filter));
    buffer_deinit(&filter);
}

static int read_header(const struct index_follower *follower, int32_t height,
                       const struct block_hash *hash, uint8_t header[HEADER_BYTES])
{
    uint8_t key[KEY_BYTES];
    struct buffer value;
    buffer_init(&value);
    int error = env_kv_get(follower->core->env, follower->kv,
                           make_key(height, PART_HEADER, hash, key), &value);
    if (!error && value.len != HEADER_BYTES)
        error = -EUCLEAN;
    if (!error)
        memcpy(header, value.p, HEADER_BYTES);
    buffer_deinit(&value);
    return error;
}

/* The block before has its rows: without them the index is damaged. Without what the block has
 * spent it is not, and making it anew would come to the same end. */
static int put_rows(struct index_follower *follower, struct env_batch *batch)
{
    const struct block_node *node = follower->next;
    const struct block *block = &follower->block->block;
    uint8_t prev[HEADER_BYTES];
    struct undo undo;
    struct arena arena;
    int error = read_header(follower, node->height - 1, &block->header.prev, prev);
    if (error)
        return error == -ENOENT ? -EUCLEAN : error;
    arena_init(&arena, UNDO_CHUNK);
    if (!index_undo(follower, &arena, &undo))
        error = -EBADMSG;
    else
        put_block(follower, batch, node->height, block, &undo, prev + 32);
    arena_deinit(&arena);
    return error;
}

/* A filter is what its header commits to, or the row is damaged. */
static int read_filter(const struct filter_lookup *lookup, size_t i, int32_t height,
                       const uint8_t header[HEADER_BYTES], struct buffer *filter)
{
    const struct index_follower *follower = lookup->base.follower;
    uint8_t key[KEY_BYTES], hash[32];
    int error = env_kv_get(follower->core->env, follower->kv,
                           make_key(height, PART_FILTER, &lookup->hashes[i], key), filter);
    if (error)
        return error == -ENOENT ? -EUCLEAN : error; /* they were written together */
    block_filter_hash(buffer_span(filter), hash);
    return memcmp(hash, header, sizeof hash) == 0 ? 0 : -EUCLEAN;
}

/* Until one is missing, or the visitor has had enough. */
static void find(struct index_lookup *base)
{
    struct filter_lookup *lookup = CONTAINER_OF(base, struct filter_lookup, base);
    const struct chain_filter_range *range = &lookup->range;
    struct buffer filter;
    bool goes_on = true;
    buffer_init(&filter);
    for (size_t i = 0; i < lookup->n && goes_on; i++) {
        uint8_t header[HEADER_BYTES];
        int32_t height = range->first + (int32_t)i * range->step;
        filter.len = 0;
        base->error = read_header(base->follower, height, &lookup->hashes[i], header);
        if (!base->error && range->wants_filters)
            base->error = read_filter(lookup, i, height, header, &filter);
        if (base->error)
            break;
        struct chain_filter found = {.height = height,
                                     .block = &lookup->hashes[i],
                                     .hash = header,
                                     .header = header + 32,
                                     .filter = buffer_span(&filter)};
        goes_on = lookup->visit(lookup->arg, &found);
        lookup->n_visited++;
    }
    buffer_deinit(&filter);
}

/* -- Answers ----------------------------------------------------------------------------------- */

static void end(struct index_lookup *base, int error)
{
    struct filter_lookup *lookup = CONTAINER_OF(base, struct filter_lookup, base);
    struct index_follower *follower = base->follower;
    lookup->done(lookup->arg, error, lookup->n_visited);
    xfree(lookup->hashes);
    xfree(lookup);
    index_lookup_end(follower);
}

static void answer(struct index_lookup *base)
{
    end(base, base->error == -ENOENT && base->is_partial ? -EAGAIN : base->error);
}

/* Which blocks they are is asked here, where the tree of headers may be looked at. */
static void list_blocks(struct filter_lookup *lookup)
{
    const struct chain_filter_range *range = &lookup->range;
    lookup->n = (size_t)((range->last->height - range->first) / range->step) + 1;
    ASSERT(lookup->n <= FILTERINDEX_RANGE_MAX);
    lookup->hashes = xmalloc(lookup->n * sizeof *lookup->hashes);
    const struct block_node *node = range->last;
    for (size_t i = lookup->n; i > 0; i--) {
        node = block_node_ancestor(node, range->first + (int32_t)(i - 1) * range->step);
        lookup->hashes[i - 1] = node->hash;
    }
}

void filterindex_visit(struct filterindex *index, const struct chain_filter_range *range,
                       chain_filter_fn *visit, chain_filters_done_fn *done, void *arg)
{
    struct index_follower *follower = &index->follower;
    ASSERT(range->first >= 0 && range->step > 0 && range->first <= range->last->height);
    if (!follower->is_on || follower->core->closing) {
        done(arg, follower->is_on ? -ECANCELED : -ENOSYS, 0);
        return;
    }
    struct filter_lookup *lookup = xcalloc(1, sizeof *lookup);
    *lookup = (struct filter_lookup){.range = *range, .visit = visit, .done = done, .arg = arg};
    list_blocks(lookup);
    index_lookup_start(follower, &lookup->base, range->last);
}

/* -- The first block --------------------------------------------------------------------------- */

static void put_first(struct index_follower *follower, struct env_batch *batch,
                      const struct block *first)
{
    static const uint8_t none[32] = {0};
    put_block(follower, batch, 0, first, &(struct undo){0}, none);
}

static int load(struct index_follower *follower)
{
    uint8_t header[HEADER_BYTES];
    int error = read_header(follower, 0, &follower->tree->genesis->hash, header);
    return error == -ENOENT ? index_load_first(follower, put_first) : error;
}

const struct index_kind filterindex_kind = {
    .core_thread = "blkfltbscidx",
    .store = {.dir = "blockfilter/basic/db",
              .old_dir = "blockfilterindex",
              .format = {.name = "index of block filters", .version = 1, .kind = 'F'},
              .bloom_bits = 10},
    .wants_undo = true,
    .put_rows = put_rows,
    .find = find,
    .answer = answer,
    .end = end,
    .load = load,
};
