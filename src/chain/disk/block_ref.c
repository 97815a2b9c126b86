/* block_ref.c - one allocation that owns a block's bytes and arena, with a count of holders. */
#include "chain/disk/block_ref.h"

#include "util/alloc.h"

/* Arrays of a typical full block fit in a few chunks; a tiny block wastes little. */
enum { BLOCK_ARENA_CHUNK_BYTES = 64 << 10, SMALL_BLOCK_ARENA_CHUNK_BYTES = 2 << 10 };

static void start_arena(struct block_ref *ref)
{
    arena_init(&ref->arena, ref->raw_len < BLOCK_ARENA_CHUNK_BYTES ? SMALL_BLOCK_ARENA_CHUNK_BYTES
                                                                   : BLOCK_ARENA_CHUNK_BYTES);
}

struct block_ref *block_ref_take(uint8_t *raw, size_t len)
{
    struct block_ref *ref = xcalloc(1, sizeof *ref);
    atomic_init(&ref->holders, 1);
    ref->raw = raw;
    ref->raw_len = len;
    start_arena(ref);
    return ref;
}

void block_ref_know_ids(struct block_ref *ref, struct tx_ids *ids_take, uint32_t n)
{
    ASSERT(ids_take && n > 0 && !ref->ids && !ref->block.raw.p);
    ref->ids = ids_take;
    ref->n_ids = n;
}

static bool decode_known(struct block_ref *ref)
{
    bool ok = block_decode_known(span_of(ref->raw, ref->raw_len), &ref->arena, ref->ids, ref->n_ids,
                                 &ref->block);
    ref->block.roots_hold = ok;
    xfree(ref->ids);
    ref->ids = NULL;
    return ok;
}

bool block_ref_decode(struct block_ref *ref)
{
    ASSERT(!ref->block.raw.p); /* once only: others may be reading */
    if (ref->ids)
        return decode_known(ref);
    return block_decode(span_of(ref->raw, ref->raw_len), &ref->arena, &ref->block);
}

bool block_ref_decode_head(struct block_ref *ref)
{
    ASSERT(!ref->block.raw.p);
    if (ref->ids)
        return decode_known(ref);
    if (!block_decode_head(span_of(ref->raw, ref->raw_len), &ref->arena, &ref->block))
        return false;
    size_t len = ref->block.raw.len;
    if (len == ref->raw_len)
        return true;
    /* What follows would stay in memory as long as the block does, counted by nobody: 4 MB behind
     * each of a thousand small ones. The bytes may move, and all of the block points into them. */
    arena_deinit(&ref->arena);
    ref->raw = xrealloc(ref->raw, len, 1);
    ref->raw_len = len;
    ref->block = (struct block){0};
    start_arena(ref);
    return block_ref_decode(ref);
}

struct block_ref *block_ref_hold(struct block_ref *ref)
{
    int before = atomic_fetch_add_explicit(&ref->holders, 1, memory_order_relaxed);
    ASSERT(before > 0);
    return ref;
}

void block_ref_drop(struct block_ref *ref)
{
    if (!ref)
        return;
    /* Release what this holder did, and acquire what all others did before the memory goes. */
    int before = atomic_fetch_sub_explicit(&ref->holders, 1, memory_order_acq_rel);
    ASSERT(before > 0);
    if (before > 1)
        return;
    arena_deinit(&ref->arena);
    xfree(ref->ids);
    xfree(ref->raw);
    xfree(ref);
}
