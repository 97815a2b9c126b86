/* test_scratch_pool.c - lending script scratches to jobs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "chain/core/scratch_pool.h"

static void a_scratch_given_back_is_lent_again(void **state)
{
    (void)state;
    struct scratch_pool pool;
    scratch_pool_init(&pool);
    struct script_scratch *first = scratch_pool_take(&pool);
    struct script_scratch *second = scratch_pool_take(&pool);
    assert_non_null(first);
    assert_ptr_not_equal(first, second);
    scratch_pool_give(&pool, first);
    assert_ptr_equal(scratch_pool_take(&pool), first);
    scratch_pool_give(&pool, first);
    scratch_pool_give(&pool, second);
    scratch_pool_deinit(&pool);
}

static void more_scratches_than_slots_are_freed_on_return(void **state)
{
    (void)state;
    struct scratch_pool pool;
    scratch_pool_init(&pool);
    struct script_scratch *lent[SCRATCH_POOL_SLOTS + 1];
    for (size_t i = 0; i < COUNT_OF(lent); i++)
        lent[i] = scratch_pool_take(&pool);
    for (size_t i = 0; i < COUNT_OF(lent); i++)
        scratch_pool_give(&pool, lent[i]); /* the last finds no slot; a leak checker sees it */
    for (size_t i = 0; i < SCRATCH_POOL_SLOTS; i++)
        assert_ptr_equal(atomic_load(&pool.slots[i]), lent[i]);
    scratch_pool_deinit(&pool);
}

/* Every thread owns what it has borrowed: nobody else may hold the same one. */
static void *borrow_and_return(void *arg)
{
    struct scratch_pool *pool = arg;
    for (int i = 0; i < 2000; i++) {
        struct script_scratch *scratch = scratch_pool_take(pool);
        for (size_t k = 0; k < SCRATCH_POOL_SLOTS; k++)
            if (atomic_load(&pool->slots[k]) == scratch)
                return arg;
        scratch_pool_give(pool, scratch);
    }
    return NULL;
}

static void no_two_threads_hold_the_same_scratch(void **state)
{
    (void)state;
    struct scratch_pool pool;
    pthread_t threads[4];
    scratch_pool_init(&pool);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, borrow_and_return, &pool), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        void *clash;
        assert_int_equal(pthread_join(threads[i], &clash), 0);
        assert_null(clash);
    }
    scratch_pool_deinit(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scratch_given_back_is_lent_again),
        cmocka_unit_test(more_scratches_than_slots_are_freed_on_return),
        cmocka_unit_test(no_two_threads_hold_the_same_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
