/* test_script_stack.c - the stack against a plain array as model. */
#include "consensus/script_stack.h"
#include "support/unit.h"

TEST(items_are_borrowed_or_copied)
{
    struct script_stack stack;
    script_stack_init(&stack);
    assert_null(stack.items);
    script_stack_reset(&stack);
    char bytes[40] = "borrowed";
    script_stack_push_span(&stack, span_of(bytes, 40));
    script_stack_push_copy(&stack, bytes, 33);
    bytes[0] = 'X';
    assert_int_equal(script_stack_span(&stack, 2).p[0], 'X');
    assert_int_equal(script_stack_span(&stack, 1).p[0], 'b');
    assert_int_equal(script_stack_span(&stack, 1).len, 33);
    script_stack_push_span(&stack, span_of(NULL, 0));
    assert_int_equal(script_stack_span(&stack, 1).len, 0);
    script_stack_deinit(&stack);
}

TEST(results_have_the_shortest_form)
{
    struct script_stack stack;
    script_stack_init(&stack);
    script_stack_reset(&stack);
    script_stack_push_bool(&stack, false);
    script_stack_push_bool(&stack, true);
    script_stack_push_num(&stack, -128);
    assert_true(span_equal(script_stack_span(&stack, 3), span_of(NULL, 0)));
    assert_true(span_equal(script_stack_span(&stack, 2), span_of("\x01", 1)));
    assert_true(span_equal(script_stack_span(&stack, 1), span_of("\x80\x80", 2)));
    script_stack_deinit(&stack);
}

/* Any sequence of operations leaves what the same on an array of numbers leaves. */
TEST(operations_agree_with_an_array)
{
    struct script_stack stack;
    script_stack_init(&stack);
    script_stack_reset(&stack);
    int64_t model[SCRIPT_STACK_SLOTS];
    uint32_t n = 0;
    uint64_t random = 88172645463325252u;
    for (int step = 0; step < 20000; step++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        uint32_t k = n ? (uint32_t)(random / 64 % n) + 1 : 0;
        int op = n == 0 ? 0 : n >= 200 ? 2 : (int)(random % 6);
        if (op == 0) {
            script_stack_push_num(&stack, step);
            model[n++] = step;
        } else if (op == 1) {
            script_stack_push_item(&stack, script_stack_top(&stack, k));
            model[n] = model[n - k];
            n++;
        } else if (op == 2) {
            script_stack_pop(&stack, k);
            n -= k;
        } else if (op == 3) {
            script_stack_remove(&stack, k);
            memmove(&model[n - k], &model[n - k + 1], (k - 1) * sizeof *model);
            n--;
        } else if (op == 4) {
            script_stack_tuck(&stack, k);
            int64_t top = model[n - 1];
            memmove(&model[n - k + 1], &model[n - k], k * sizeof *model);
            model[n++ - k] = top;
        } else {
            script_stack_swap(&stack, 1, k);
            int64_t top = model[n - 1];
            model[n - 1] = model[n - k];
            model[n - k] = top;
        }
        assert_int_equal(script_stack_depth(&stack), n);
        for (uint32_t i = 1; i <= n && i <= 8; i++) {
            int64_t value;
            assert_true(script_num_decode(script_stack_span(&stack, i), 8, true, &value));
            assert_true(value == model[n - i]);
        }
    }
    script_stack_deinit(&stack);
}

TEST(hidden_items_count_and_can_be_removed)
{
    struct script_stack stack;
    script_stack_init(&stack);
    script_stack_reset(&stack);
    stack.hidden = 5;
    script_stack_push_num(&stack, 1);
    assert_int_equal(script_stack_depth(&stack), 6);
    script_stack_pop(&stack, 3);
    assert_int_equal(script_stack_depth(&stack), 3);
    assert_int_equal(stack.n, 0);
    script_stack_reset(&stack);
    assert_int_equal(script_stack_depth(&stack), 0);
    script_stack_deinit(&stack);
}

TEST(an_item_that_does_not_exist_is_our_bug)
{
    struct script_stack stack;
    script_stack_init(&stack);
    script_stack_reset(&stack);
    expect_assert_failure(script_stack_top(&stack, 1));
    expect_assert_failure(script_stack_pop(&stack, 1));
    script_stack_push_num(&stack, 7);
    expect_assert_failure(script_stack_top(&stack, 2));
    expect_assert_failure(script_stack_top(&stack, 0));
    script_stack_deinit(&stack);
}
