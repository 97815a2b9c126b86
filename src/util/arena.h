/* arena.h - many small allocations that are freed together.
 *
 * Layer: util. Not for data whose lifetimes differ; not thread-safe. */
#ifndef UTIL_ARENA_H
#define UTIL_ARENA_H

#include <stddef.h>

#include "util/assert.h"

struct arena_chunk;

/* Owns its chunks. A copy of the struct takes the arena over: the old one must not be used. */
struct arena {
    struct arena_chunk *chunk; /* newest first */
    size_t chunk_bytes;        /* size of an ordinary chunk */
    size_t total_bytes;        /* what all chunks take from the heap */
};

/* A point in the life of an arena: void once it has been rewound to an earlier one. */
struct arena_mark {
    struct arena_chunk *chunk; /* the newest then; NULL: nothing had been allocated */
    size_t used;               /* of it */
};

/* Make an empty arena; nothing is allocated until the first arena_alloc(). */
void arena_init(struct arena *arena, size_t chunk_bytes);

/* Free every chunk; the arena is empty and usable again. */
void arena_deinit(struct arena *arena);

/* Allocate size bytes aligned for any type. Never NULL. Larger requests than chunk_bytes get a
 * chunk of their own. Owns: the arena. */
NODISCARD void *arena_alloc(struct arena *arena, size_t size);
/* The same for n elements of size bytes, zeroed; aborts if the product overflows. */
NODISCARD void *arena_calloc(struct arena *arena, size_t n, size_t size);

/* Remember a point. Marks nest. */
struct arena_mark arena_mark(const struct arena *arena);
/* Free everything allocated after a point. */
void arena_rewind(struct arena *arena, struct arena_mark mark);

#endif
