/* scratch_pool.c - see scratch_pool.h. */
#include "chain/core/scratch_pool.h"

void scratch_pool_init(struct scratch_pool *pool)
{
    for (size_t i = 0; i < SCRATCH_POOL_SLOTS; i++)
        atomic_init(&pool->slots[i], NULL);
}

void scratch_pool_deinit(struct scratch_pool *pool)
{
    for (size_t i = 0; i < SCRATCH_POOL_SLOTS; i++)
        script_scratch_free(atomic_exchange(&pool->slots[i], NULL));
}

struct script_scratch *scratch_pool_take(struct scratch_pool *pool)
{
    for (size_t i = 0; i < SCRATCH_POOL_SLOTS; i++) {
        struct script_scratch *scratch = atomic_exchange(&pool->slots[i], NULL);
        if (scratch)
            return scratch;
    }
    return script_scratch_new();
}

void scratch_pool_give(struct scratch_pool *pool, struct script_scratch *scratch)
{
    for (size_t i = 0; i < SCRATCH_POOL_SLOTS; i++) {
        struct script_scratch *free_slot = NULL;
        if (atomic_compare_exchange_strong(&pool->slots[i], &free_slot, scratch))
            return;
    }
    script_scratch_free(scratch);
}
