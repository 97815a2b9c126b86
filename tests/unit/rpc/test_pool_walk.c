/* test_pool_walk.c - what waited at one moment, whatever happens meanwhile. */
#include "rpc/pool_walk.h"

#include "pool_fixture.h"

static int setup(void **state)
{
    *state = fixture_new(POOL_FIXTURE_COINS_MAX, NULL);
    return 0;
}

FIXTURE(setup, teardown)

/* Turns until the end. Returns: how many were found */
static size_t go_on(struct pool_walk *walk, const struct mempool *mempool, size_t *n_turns)
{
    size_t n = 0;
    while (!pool_walk_is_over(walk)) {
        size_t work = 0;
        while (pool_walk_next(walk, mempool, &work))
            n++;
        ++*n_turns;
    }
    return n;
}

TEST(all_are_found_in_turns_in_their_order, struct fixture *f)
{
    const struct mempool *mempool = f->rig.mempool;
    struct pool_walk walk = {0};
    struct tx wide;
    size_t n_turns = 0, work = 0;
    pool_walk_begin(&walk, mempool);
    assert_true(pool_walk_is_over(&walk)); /* nothing waits */
    for (size_t i = 0; i < 4; i++) {
        wide = spend_coin(f, f->coin[i], 600, 100000);
        add(f, &wide, 0);
    }
    pool_walk_begin(&walk, mempool);
    const struct mempool_entry *first = pool_walk_next(&walk, mempool, &work);
    assert_memory_equal(&first->tx.in[0].prevout, &f->coin[0].outpoint, sizeof(struct outpoint));
    assert_int_equal(go_on(&walk, mempool, &n_turns), 3);
    assert_int_equal(n_turns, 2);
    assert_ptr_equal(pool_walk_known(&walk, first), first);
    pool_walk_deinit(&walk);
}

/* Both spend one coin: told together they would count it twice. */
TEST(what_comes_meanwhile_is_not_told_and_what_goes_is_left_out, struct fixture *f)
{
    struct mempool *mempool = f->rig.mempool;
    struct pool_walk walk = {0};
    struct tx first = spend(f, 0, 1000), second = spend(f, 1, 1000), other = spend(f, 1, 50000);
    bool is_in = false;
    size_t n_turns = 0, work = 0;
    add(f, &first, 0);
    add(f, &second, 0);
    pool_walk_begin(&walk, mempool);
    assert_non_null(pool_walk_next(&walk, mempool, &work));
    mempool_accept(mempool, other.raw, 0, 0, pool_answered, &is_in);
    rig_wait(&f->rig.chain, &is_in);
    assert_null(mempool_find(mempool, &second.txid));
    assert_int_equal(go_on(&walk, mempool, &n_turns), 0);
    assert_null(pool_walk_known(&walk, mempool_find(mempool, &other.txid)));
    assert_null(pool_walk_known(&walk, mempool_spender(mempool, &f->coin[1].outpoint)));
    assert_non_null(pool_walk_known(&walk, mempool_spender(mempool, &f->coin[0].outpoint)));
    pool_walk_deinit(&walk);
}
