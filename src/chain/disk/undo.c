/* undo.c - the record beside each block that lets it be disconnected. */
#include "chain/disk/undo.h"

void undo_encode(struct writer *w, const struct undo *undo)
{
    write_compact_size(w, undo->n_spent);
    for (size_t i = 0; i < undo->n_spent; i++)
        coin_encode(w, &undo->spent[i]);
}

static size_t count_spent(const struct block *block)
{
    size_t n = 0;
    for (uint32_t i = 1; i < block->n_tx; i++)
        n += block->tx[i].n_in;
    return n;
}

bool undo_decode(struct span raw, const struct block *block, struct arena *arena, struct undo *undo)
{
    struct reader r = reader_of(raw);
    uint64_t n = read_compact_size(&r);
    /* The block bounds the count, so a damaged one allocates nothing. */
    if (r.failed || n != count_spent(block))
        return false;
    struct coin *spent = arena_calloc(arena, (size_t)n, sizeof *spent);
    for (size_t i = 0; i < n; i++)
        if (!coin_decode(&r, arena, &spent[i]))
            return false;
    *undo = (struct undo){.spent = spent, .n_spent = (size_t)n};
    return reader_finish(&r);
}

bool undo_decode_part(struct span raw, size_t first, size_t n_spent, struct arena *arena,
                      struct undo *undo)
{
    struct reader r = reader_of(raw);
    uint64_t n = read_compact_size(&r);
    if (r.failed || first > n || n_spent > n - first)
        return false;
    struct arena_mark mark = arena_mark(arena);
    struct coin passed;
    for (size_t i = 0; i < first; i++) {
        if (!coin_decode(&r, arena, &passed))
            return false;
        arena_rewind(arena, mark);
    }
    /* Every coin takes some bytes: what is left bounds what a damaged count allocates. */
    if (n_spent > reader_left(&r))
        return false;
    struct coin *spent = arena_calloc(arena, n_spent, sizeof *spent);
    for (size_t i = 0; i < n_spent; i++)
        if (!coin_decode(&r, arena, &spent[i]))
            return false;
    *undo = (struct undo){.spent = spent, .n_spent = n_spent};
    return true;
}
