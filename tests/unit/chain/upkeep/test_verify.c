/* test_verify.c - each level of verification finds what it is there to find. */
#include <errno.h>

#include "support/chain_inside.h"
#include "support/rig_fixture.h"

enum { N_BASE = 110, N_SPENDS = 5 };

static int setup(void **state)
{
    struct fixture *f = fixture_new(state);
    f->base = builder_blocks(&f->b, f->b.genesis, N_BASE, NULL);
    for (int32_t i = 1; i <= N_SPENDS; i++) {
        struct builder_coin coin = builder_coinbase_coin(built_ancestor(f->base, i));
        struct tx tx[2] = {builder_spend(&f->b, &coin, 1, 3, 10, BUILDER_LONG)};
        coin = builder_coin_of(&tx[0], 1, BUILDER_LONG);
        tx[1] = builder_spend(&f->b, &coin, 1, 2, 10, BUILDER_WSH_TRUE);
        struct builder_spec spec = {.tx = tx, .n_tx = 2};
        f->base = builder_block(&f->b, f->base, &spec);
    }
    f->base = builder_block(&f->b, f->base, NULL);
    fixture_start_at_base(f);
    return 0;
}

FIXTURE(setup, rig_teardown)

struct answer {
    bool is_done, ok;
};

static void note_verified(void *arg, bool ok)
{
    struct answer *answer = arg;
    assert_false(answer->is_done);
    *answer = (struct answer){.is_done = true, .ok = ok};
}

static bool verify(struct chain_rig *rig, int level, int n_blocks)
{
    struct answer answer = {0};
    chain_verify(rig->chain, level, n_blocks, note_verified, &answer);
    rig_wait(rig, &answer.is_done);
    return answer.ok;
}

TEST(a_good_chain_passes_at_every_level, struct fixture *f)
{
    for (int level = 0; level <= 4; level++)
        for (int n_blocks = 0; n_blocks <= 200; n_blocks += 50)
            assert_true(verify(&f->rig, level, n_blocks));
    assert_true(verify(&f->rig, 4, 1));
    assert_true(rig_is_at(&f->rig, f->base));
}

TEST(an_empty_chain_passes, struct fixture *f)
{
    struct chain_rig rig;
    rig_start(&rig, 2, &f->b, NULL);
    assert_true(verify(&rig, 4, 0));
    rig_deinit(&rig);
}

TEST(verification_is_repeatable_while_the_tip_moves, struct fixture *f)
{
    const struct built_block *other =
        builder_blocks(&f->b, built_ancestor(f->base, N_BASE), N_SPENDS + 4, NULL);
    struct answer answers[4] = {{0}};
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        chain_verify(f->rig.chain, 4, 0, note_verified, &answers[i]);
        for (int k = 0; k < 25; k++)
            (void)sim_env_step(f->rig.sim);
        rig_announce(&f->rig, other);
        for (int32_t at = N_BASE + 1; at <= other->height; at++)
            rig_submit(&f->rig, built_ancestor(other, at));
    }
    rig_settle(&f->rig);
    assert_true(rig_is_at(&f->rig, other));
    for (size_t i = 0; i < COUNT_OF(answers); i++)
        assert_true(answers[i].is_done && answers[i].ok);
}

/* The lowest level that fails must be `level`, where block `height` is within reach. */
static void assert_found_at_level(struct fixture *f, int level, int32_t height)
{
    int reach = f->base->height - height + 1;
    for (int at = 0; at <= 4; at++) {
        assert_int_equal(verify(&f->rig, at, reach), at < level);
        assert_true(verify(&f->rig, at, reach - 1) || at > 2);
    }
}

TEST(a_damaged_block_is_found_at_level_0, struct fixture *f)
{
    const struct block_node *node = chain_at(f->rig.chain, N_BASE + 2);
    assert_int_equal(rig_flush(&f->rig), 0);
    sim_disk_damage(sim_env_disk(f->rig.sim), "regtest/blocks/blk00000.dat",
                    node->data.offset + node->data.len - 5, 4);
    assert_found_at_level(f, 0, N_BASE + 2);
}

TEST(damaged_undo_data_is_found_at_level_2, struct fixture *f)
{
    const struct block_node *node = chain_at(f->rig.chain, N_BASE + 2);
    assert_int_equal(rig_flush(&f->rig), 0);
    sim_disk_damage(sim_env_disk(f->rig.sim), "regtest/blocks/rev00000.dat",
                    node->undo.offset + node->undo.len - 1, 1);
    assert_found_at_level(f, 2, N_BASE + 2);
}

TEST(a_coin_that_is_missing_is_found_at_level_3, struct fixture *f)
{
    struct builder_coin coin = builder_coinbase_coin(built_ancestor(f->base, N_BASE + 3));
    struct coins *coins = chain_coins(f->rig.chain);
    coins_spend(coins, &coin.outpoint, coins_hash(coins_hash_key(coins), &coin.outpoint));
    assert_found_at_level(f, 3, N_BASE + 3);
}

TEST(a_coin_that_should_be_spent_is_found_at_level_3, struct fixture *f)
{
    /* The first input of the block at N_BASE + 3 is this coinbase. */
    struct builder_coin coin = builder_coinbase_coin(built_ancestor(f->base, 3));
    struct coins *coins = chain_coins(f->rig.chain);
    struct coin revived = {.value_sat = coin.value_sat,
                           .script_pubkey = builder_script_bytes(coin.script),
                           .height = 3,
                           .coinbase = true};
    coins_add(coins, &coin.outpoint, coins_hash(coins_hash_key(coins), &coin.outpoint), &revived,
              true);
    assert_found_at_level(f, 3, N_BASE + 3);
}

TEST(a_coin_with_another_amount_is_found_at_level_3, struct fixture *f)
{
    struct builder_coin coin = builder_coinbase_coin(f->base);
    struct coins *coins = chain_coins(f->rig.chain);
    struct coin altered = {.value_sat = coin.value_sat + 1,
                           .script_pubkey = builder_script_bytes(coin.script),
                           .height = (uint32_t)f->base->height,
                           .coinbase = true};
    coins_add(coins, &coin.outpoint, coins_hash(coins_hash_key(coins), &coin.outpoint), &altered,
              true);
    assert_found_at_level(f, 3, f->base->height);
}

/* A bad script below the block that was assumed to be valid. */
TEST(a_script_that_was_never_run_is_found_at_level_4, struct fixture *f)
{
    struct builder_spec spec = {.coinbase_script = BUILDER_FALSE};
    const struct built_block *last = builder_block(&f->b, f->b.genesis, &spec);
    struct builder_coin coin = builder_coinbase_coin(last);
    last = builder_blocks(&f->b, last, 100, NULL);
    struct tx tx = builder_spend(&f->b, &coin, 1, 1, 0, BUILDER_TRUE);
    spec = (struct builder_spec){.tx = &tx, .n_tx = 1};
    last = builder_block(&f->b, last, &spec);
    const struct built_block *bad = last;
    /* Two weeks of headers on top. */
    last = builder_blocks(&f->b, last, 2030, NULL);
    struct chain_options options = {.assume_valid = &last->block.hash};
    struct chain_rig rig;
    rig_start(&rig, 3, &f->b, &options);
    rig_announce(&rig, last);
    for (int32_t at = 1; at <= bad->height; at++)
        rig_submit(&rig, built_ancestor(last, at));
    rig_settle(&rig);
    assert_true(rig_is_at(&rig, bad));
    assert_true(verify(&rig, 3, 0));
    assert_false(verify(&rig, 4, 0));
    rig_deinit(&rig);
}

TEST(closing_ends_a_verification, struct fixture *f)
{
    for (int steps = 0; steps < 120; steps += 11) {
        struct answer answer = {0};
        chain_verify(f->rig.chain, 4, 0, note_verified, &answer);
        for (int i = 0; i < steps; i++)
            (void)sim_env_step(f->rig.sim);
        assert_int_equal(rig_close(&f->rig), 0);
        assert_true(answer.is_done);
        rig_open(&f->rig);
    }
}

static void start_verifying(struct fixture *f)
{
    assert_int_equal(rig_close(&f->rig), 0);
    f->rig.options.check_blocks = 6;
    f->rig.options.check_level = 3;
    rig_open(&f->rig);
    rig_settle(&f->rig);
    sim_env_run_for(f->rig.sim, UNDO_REPAIR_DELAY_US);
    rig_settle(&f->rig);
}

TEST(the_start_mends_damaged_undo_data_and_misses_a_damaged_block, struct fixture *f)
{
    struct sim_disk *disk = sim_env_disk(f->rig.sim);
    const struct block_node *node = chain_tip(f->rig.chain)->prev;
    sim_disk_damage(disk, "regtest/blocks/rev00000.dat", node->undo.offset, 1);
    start_verifying(f);
    assert_int_equal(f->rig.n_faults, 0);
    assert_int_equal(f->rig.n_losses, 1);
    assert_string_equal(f->rig.loss, "");
    node = chain_tip(f->rig.chain)->prev;
    sim_disk_damage(disk, "regtest/blocks/blk00000.dat", node->data.offset + 90, 1);
    start_verifying(f);
    assert_int_equal(f->rig.n_faults, 0);
    assert_int_equal(f->rig.n_losses, 2);
    assert_non_null(strstr(f->rig.loss, "1 stored blocks"));
    /* It is known at the next start too, and does not keep others from being looked at. */
    start_verifying(f);
    assert_int_equal(f->rig.n_losses, 3);
    assert_int_equal(lost_of(f->rig.chain)->n_blocks, 1);
    assert_true(rig_is_at(&f->rig, f->base));
}

TEST(the_start_verifies_and_stops_when_the_coins_differ, struct fixture *f)
{
    start_verifying(f);
    assert_int_equal(f->rig.n_faults, 0);
    struct builder_coin coin = builder_coinbase_coin(f->base);
    struct coins *coins = chain_coins(f->rig.chain);
    coins_spend(coins, &coin.outpoint, coins_hash(coins_hash_key(coins), &coin.outpoint));
    start_verifying(f);
    assert_int_equal(f->rig.n_faults, 1);
    assert_non_null(strstr(f->rig.fault, "-reindex"));
}

TEST(a_failing_disk_is_not_taken_for_damage_at_the_start, struct fixture *f)
{
    assert_int_equal(rig_close(&f->rig), 0);
    f->rig.options.check_blocks = 6;
    f->rig.options.check_level = 3;
    rig_open(&f->rig);
    sim_disk_fail(sim_env_disk(f->rig.sim), SIM_OP_READ, 0, -EIO, true);
    rig_settle(&f->rig);
    assert_int_equal(f->rig.n_faults, 1);
    assert_non_null(strstr(f->rig.fault, strerror(EIO)));
    assert_int_equal(lost_of(f->rig.chain)->n_blocks, 0);
    sim_disk_fail(sim_env_disk(f->rig.sim), SIM_OP_READ, 0, 0, false);
    bool is_noted;
    assert_int_equal(index_db_flag(index_db_of(f->rig.chain), INDEX_FLAG_DAMAGED_COINS, &is_noted),
                     0);
    assert_false(is_noted);
}
