/* test_arena.c - allocation in an arena, its marks and its accounting. */
#include "support/unit.h"
#include "util/arena.h"

TEST(an_empty_arena_takes_nothing)
{
    struct arena arena;
    arena_init(&arena, 1024);
    assert_int_equal(arena.total_bytes, 0);
    arena_deinit(&arena);
    arena_deinit(&arena);
    assert_int_equal(arena.total_bytes, 0);
}

TEST(every_allocation_is_aligned_and_separate)
{
    struct arena arena;
    arena_init(&arena, 256);
    unsigned char *p[200];
    for (size_t i = 0; i < 200; i++) {
        p[i] = arena_alloc(&arena, i % 40);
        assert_int_equal((uintptr_t)p[i] % _Alignof(max_align_t), 0);
        memset(p[i], (int)i, i % 40);
    }
    for (size_t i = 0; i < 200; i++)
        for (size_t j = 0; j < i % 40; j++)
            assert_int_equal(p[i][j], (unsigned char)i);
    arena_deinit(&arena);
}

TEST(a_request_beyond_a_chunk_gets_its_own)
{
    struct arena arena;
    arena_init(&arena, 64);
    unsigned char *small = arena_alloc(&arena, 16);
    unsigned char *large = arena_alloc(&arena, 100000);
    memset(small, 1, 16);
    memset(large, 2, 100000);
    assert_int_equal(small[15], 1);
    assert_true(arena.total_bytes >= 100000 + 64);
    arena_deinit(&arena);
}

TEST(calloc_zeroes_reused_memory)
{
    struct arena arena;
    arena_init(&arena, 256);
    struct arena_mark mark = arena_mark(&arena);
    memset(arena_alloc(&arena, 200), 0xff, 200);
    arena_rewind(&arena, mark);
    unsigned char *p = arena_calloc(&arena, 20, 10);
    for (size_t i = 0; i < 200; i++)
        assert_int_equal(p[i], 0);
    arena_deinit(&arena);
}

TEST(rewinding_frees_what_came_after_the_mark)
{
    struct arena arena;
    arena_init(&arena, 128);
    char *kept = arena_alloc(&arena, 8);
    memcpy(kept, "kept", 5);
    size_t before = arena.total_bytes;
    struct arena_mark outer = arena_mark(&arena);
    void *first = arena_alloc(&arena, 16);
    struct arena_mark inner = arena_mark(&arena);
    for (int i = 0; i < 100; i++)
        (void)!arena_alloc(&arena, 100);
    assert_true(arena.total_bytes > before);
    arena_rewind(&arena, inner);
    arena_rewind(&arena, outer);
    assert_int_equal(arena.total_bytes, before);
    assert_ptr_equal(arena_alloc(&arena, 16), first);
    assert_string_equal(kept, "kept");
    arena_deinit(&arena);
}

TEST(a_mark_of_the_empty_arena_frees_all)
{
    struct arena arena;
    arena_init(&arena, 128);
    struct arena_mark mark = arena_mark(&arena);
    (void)!arena_alloc(&arena, 1000);
    arena_rewind(&arena, mark);
    assert_int_equal(arena.total_bytes, 0);
    arena_deinit(&arena);
}

TEST(a_mark_of_another_arena_is_refused)
{
    struct arena a, b;
    arena_init(&a, 64);
    arena_init(&b, 64);
    (void)!arena_alloc(&a, 1);
    struct arena_mark mark = arena_mark(&a);
    expect_assert_failure(arena_rewind(&b, mark));
    arena_deinit(&a);
    arena_deinit(&b);
}

static void *calloc_wrapping(struct arena *arena)
{
    return arena_calloc(arena, SIZE_MAX / 2, 3);
}

TEST(a_size_that_wraps_is_refused)
{
    struct arena arena;
    arena_init(&arena, 64);
    expect_assert_failure((void)!calloc_wrapping(&arena));
    expect_assert_failure((void)!arena_alloc(&arena, SIZE_MAX));
    arena_deinit(&arena);
}
