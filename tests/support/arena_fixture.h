/* arena_fixture.h - an arena for each test: FIXTURE(arena_setup, arena_teardown). */
#ifndef TESTS_SUPPORT_ARENA_FIXTURE_H
#define TESTS_SUPPORT_ARENA_FIXTURE_H

#include "support/unit.h"
#include "util/alloc.h"
#include "util/arena.h"

static inline int arena_setup(void **state)
{
    struct arena *arena = xmalloc(sizeof *arena);
    arena_init(arena, 4096);
    *state = arena;
    return 0;
}

static inline int arena_teardown(void **state)
{
    arena_deinit(*state);
    xfree(*state);
    return 0;
}

#endif
