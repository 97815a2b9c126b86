/* test_dev_purse.c - coins of the keys of -dev: found, lent, forgotten. */
#include "rpc/dev_purse.h"

#include "dev_fixture.h"

FIXTURE(set_up, tear_down)

TEST(a_script_is_of_one_key_or_of_nobody, struct fixture *f)
{
    static const uint8_t other[DEV_KEY_SCRIPT] = {0, 20};
    assert_int_equal(dev_purse_key_of(f->keys, span_of(f->keys->at[7].script, DEV_KEY_SCRIPT)), 7);
    assert_int_equal(dev_purse_key_of(f->keys, span_of(other, sizeof other)), DEV_KEYS);
    assert_int_equal(dev_purse_key_of(f->keys, span_of(f->keys->at[7].script, 21)), DEV_KEYS);
}

TEST(coins_that_are_nowhere_are_forgotten, struct fixture *f)
{
    struct dev_purse purse = {
        .keys = f->keys, .chain = f->rig.chain.chain, .mempool = f->rig.mempool};
    struct purse_coins found = {0}, chosen;
    int64_t worth_sat;
    const struct purse_coin waits = {.value_sat = 5000, .key = 1, .is_unconfirmed = true};
    dev_purse_add(&purse, &waits);
    assert_false(dev_purse_take(&purse, 1000, 10, &chosen, &worth_sat));
    assert_int_equal(purse.coins.n, 0); /* neither in the chain nor in the mempool */
    *ARRAY_ADD(&found) = waits;
    dev_purse_set(&purse, &found);
    assert_int_equal(purse.coins.n, 1);
    dev_purse_give_back(&purse, &found); /* none of it is lent */
    ARRAY_FREE(&found);
    dev_purse_deinit(&purse);
}
