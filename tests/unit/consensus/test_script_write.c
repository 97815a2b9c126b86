/* test_script_write.c - pushes and pieces of scripts. */
#include "consensus/script_write.h"

#include "consensus/script_iter.h"
#include "support/unit.h"

TEST(pushes_are_as_short_as_can_be)
{
    /* clang-format off */
    static const struct { size_t len; uint8_t head[5]; size_t head_len; } cases[] = {
        {0,     {0},                          1},
        {1,     {1},                          1},
        {75,    {75},                         1},
        {76,    {0x4c, 76},                   2},
        {255,   {0x4c, 255},                  2},
        {256,   {0x4d, 0, 1},                 3},
        {65535, {0x4d, 255, 255},             3},
        {65536, {0x4e, 0, 0, 1, 0},           5},
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena arena;
        arena_init(&arena, 1024);
        uint8_t *data = arena_calloc(&arena, cases[i].len + 1, 1);
        struct span push = script_push(&arena, span_of(data, cases[i].len));
        assert_int_equal(push.len, cases[i].head_len + cases[i].len);
        assert_memory_equal(push.p, cases[i].head, cases[i].head_len);
        struct script_iter it = script_iter_of(push);
        struct script_op op;
        assert_true(script_next(&it, &op));
        assert_int_equal(op.push.len, cases[i].len);
        arena_deinit(&arena);
    }
}

TEST(joined_bytes_keep_their_order)
{
    struct arena arena;
    arena_init(&arena, 1024);
    struct span none = span_of(NULL, 0);
    assert_true(
        span_equal(script_join(&arena, span_of("ab", 2), span_of("c", 1)), span_of("abc", 3)));
    assert_true(span_equal(script_join(&arena, none, span_of("c", 1)), span_of("c", 1)));
    assert_true(span_equal(script_join(&arena, span_of("c", 1), none), span_of("c", 1)));
    assert_int_equal(script_join(&arena, none, none).len, 0);
    arena_deinit(&arena);
}
