/* test_coins_digest.c - hash and number of all coins. */
#include "chain/coins/coins_digest.h"

#include <errno.h>

#include "support/chain_inside.h"
#include "support/rig_fixture.h"

static int setup(void **state)
{
    (void)fixture_at(state, 20, NULL);
    return 0;
}

FIXTURE(setup, sound_teardown)

TEST(it_is_that_of_the_statistics, struct fixture *f)
{
    atomic_bool stops = false;
    struct coins_digest digest;
    struct coin_stats stats = rig_coin_stats(&f->rig, COIN_STATS_SERIALIZED_3);
    struct coins *coins = core_of(f->rig.chain)->coins;
    assert_int_equal(coins_digest(coins, coins_snapshot(coins), &stops, &digest), 0);
    assert_memory_equal(digest.hash, stats.hash, 32);
    assert_int_equal(digest.n_coins, 20);
}

TEST(it_can_be_stopped, struct fixture *f)
{
    atomic_bool stops = true;
    struct coins_digest digest;
    assert_int_equal(rig_flush(&f->rig), 0);
    struct coins *coins = core_of(f->rig.chain)->coins;
    assert_int_equal(coins_digest(coins, coins_snapshot(coins), &stops, &digest), -ECANCELED);
}
