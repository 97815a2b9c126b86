/* arena.c - a list of chunks, filled front to back, freed newest first. */
#include "util/arena.h"

#include <stdint.h>
#include <string.h>

#include "util/alloc.h"

/* What malloc guarantees, and what any type needs. */
#define ARENA_ALIGN _Alignof(max_align_t)

struct arena_chunk {
    struct arena_chunk *older;
    size_t size; /* of data */
    size_t used; /* of data; always a multiple of ARENA_ALIGN */
    _Alignas(max_align_t) uint8_t data[];
};

void arena_init(struct arena *arena, size_t chunk_bytes)
{
    ASSERT(chunk_bytes > 0);
    *arena = (struct arena){.chunk_bytes = chunk_bytes};
}

static void drop_newest_chunk(struct arena *arena)
{
    struct arena_chunk *chunk = arena->chunk;
    arena->chunk = chunk->older;
    ASSERT(arena->total_bytes >= sizeof *chunk + chunk->size);
    arena->total_bytes -= sizeof *chunk + chunk->size;
    xfree(chunk);
}

void arena_deinit(struct arena *arena)
{
    while (arena->chunk)
        drop_newest_chunk(arena);
    ASSERT(arena->total_bytes == 0);
}

static void add_chunk(struct arena *arena, size_t size)
{
    ASSERT(size <= SIZE_MAX - sizeof(struct arena_chunk));
    struct arena_chunk *chunk = xmalloc(sizeof *chunk + size);
    chunk->older = arena->chunk;
    chunk->size = size;
    chunk->used = 0;
    arena->chunk = chunk;
    arena->total_bytes += sizeof *chunk + size;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    ASSERT(size <= SIZE_MAX - ARENA_ALIGN);
    size_t rounded = (size + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    struct arena_chunk *chunk = arena->chunk;
    if (!chunk || rounded > chunk->size - chunk->used) {
        /* A large request leaves the rest of the current chunk unused: a mark is a place in the
         * newest chunk, so the order of chunks must be the order of allocation. */
        add_chunk(arena, rounded > arena->chunk_bytes ? rounded : arena->chunk_bytes);
        chunk = arena->chunk;
    }
    void *p = chunk->data + chunk->used;
    chunk->used += rounded;
    ASSERT(chunk->used <= chunk->size);
    return p;
}

void *arena_calloc(struct arena *arena, size_t n, size_t size)
{
    size_t bytes;
    ASSERT(!__builtin_mul_overflow(n, size, &bytes));
    void *p = arena_alloc(arena, bytes);
    memset(p, 0, bytes);
    return p;
}

struct arena_mark arena_mark(const struct arena *arena)
{
    return (struct arena_mark){
        .chunk = arena->chunk,
        .used = arena->chunk ? arena->chunk->used : 0,
    };
}

void arena_rewind(struct arena *arena, struct arena_mark mark)
{
    while (arena->chunk != mark.chunk) {
        ASSERT(arena->chunk); /* else the mark is of another arena, or was rewound past */
        drop_newest_chunk(arena);
    }
    if (!mark.chunk)
        return;
    ASSERT(mark.used <= mark.chunk->used);
#ifdef CAIRN_VERIFY
    /* Whoever still reads what was freed shall notice. */
    memset(mark.chunk->data + mark.used, 0xdb, mark.chunk->used - mark.used);
#endif
    mark.chunk->used = mark.used;
}
