/* test_scratch_pool.c - lending script scratches to jobs. */
#include <pthread.h>

#include "chain/core/scratch_pool.h"
#include "support/unit.h"

TEST(a_scratch_given_back_is_lent_again)
{
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

TEST(more_scratches_than_slots_are_freed_on_return)
{
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

TEST(no_two_threads_hold_the_same_scratch)
{
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
