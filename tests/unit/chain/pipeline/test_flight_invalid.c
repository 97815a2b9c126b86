/* test_flight_invalid.c - many invalid blocks, dropped while their jobs run. Hazard 36,
 * CVE-2024-52911: a job must never outlive what it reads. To be run under ASan and TSan.
 *
 * CAIRN_SOAK in the environment gives the number of blocks; 300 without it, 100000 for a soak. */
#include <errno.h>

#include "consensus/opcodes.h"
#include "support/unit.h"
#include "unit/chain/chain_fixture.h"

FIXTURE(fixture_setup, fixture_teardown)

enum { N_COINS = 250, PER_BUILDER = 50 };

static unsigned long number_of_blocks(void)
{
    const char *text = getenv("CAIRN_SOAK");
    return text ? strtoul(text, NULL, 10) : 300;
}

/* The ways in which transaction number k of a block may be wrong. */
enum wrong { BAD_SCRIPT, NO_COIN, TOO_MUCH, TOO_YOUNG, CB_AMOUNT, WRONG_COUNT };

static const enum reject reject_of[WRONG_COUNT] = {REJECT_SCRIPT_FAILED, REJECT_INPUTS_MISSING,
                                                   REJECT_IN_BELOW_OUT, REJECT_PREMATURE_SPEND,
                                                   REJECT_CB_AMOUNT};

/* Coins to make blocks of. */
struct purse {
    const struct built_block *tip; /* the block that made them */
    struct tx good;                /* N_COINS outputs that anyone can spend */
    struct tx bad;                 /* one that nobody can */
};

static void fill_purse(struct fixture *f, struct purse *purse)
{
    purse->good = spend_base(f, 4, N_COINS, 0, BUILDER_WSH_TRUE);
    purse->bad = spend_base(f, 8, 1, 0, BUILDER_FALSE);
    struct tx tx[2] = {purse->good, purse->bad};
    purse->tip = block_with(f, base_tip(f), tx, 2);
    assert_true(rig_accept(&f->rig, purse->tip).is_connected);
}

static struct tx spend_coin(struct fixture *f, const struct purse *purse, uint32_t i)
{
    struct builder_coin coin = builder_coin_of(&purse->good, i, BUILDER_WSH_TRUE);
    return builder_spend(&f->b, &coin, 1, 1, 0, BUILDER_RETURN);
}

static struct tx wrong_tx(struct fixture *f, const struct purse *purse, uint32_t k,
                          enum wrong wrong)
{
    struct builder_coin coin = builder_coin_of(&purse->good, k, BUILDER_WSH_TRUE);
    switch (wrong) {
    case BAD_SCRIPT:
        coin = builder_coin_of(&purse->bad, 0, BUILDER_FALSE);
        break;
    case NO_COIN:
        coin.outpoint.vout += 100000;
        break;
    case TOO_MUCH:
        return builder_spend(&f->b, &coin, 1, 1, -1, BUILDER_TRUE);
    case TOO_YOUNG:
        coin = builder_coinbase_coin(f->base[BASE_HEIGHT - 1]);
        break;
    case CB_AMOUNT:
    case WRONG_COUNT:
        break;
    }
    return builder_spend(&f->b, &coin, 1, 1, 0, BUILDER_TRUE);
}

static const struct built_block *wrong_block(struct fixture *f, const struct purse *purse,
                                             const struct built_block *prev, uint32_t k,
                                             enum wrong wrong)
{
    struct tx *tx = arena_alloc(&f->b.arena, N_COINS * sizeof *tx);
    for (uint32_t i = 0; i < N_COINS; i++)
        tx[i] = i == k ? wrong_tx(f, purse, k, wrong) : spend_coin(f, purse, i);
    struct builder_spec spec = {.tx = tx, .n_tx = N_COINS, .extra_sat = wrong == CB_AMOUNT};
    return builder_block(&f->b, prev, &spec);
}

TEST(many_invalid_blocks_leave_nothing_behind, struct fixture *f)
{
    struct sim_random random = sim_random_of(36, 0);
    struct purse purse;
    fixture_start_at_base(f);
    fill_purse(f, &purse);
    struct coin_stats before = rig_coin_stats(&f->rig, COIN_STATS_MUHASH);
    unsigned long n = number_of_blocks();
    for (unsigned long i = 0; i < n; i++) {
        /* The builder keeps all that it made: a soak gives it back now and then. */
        struct arena_mark mark = arena_mark(&f->b.arena);
        struct answer bad_answer = {0}, child_answer = {0};
        enum wrong wrong = (enum wrong)(i % WRONG_COUNT);
        uint32_t k = (uint32_t)sim_random_below(&random, N_COINS);
        const struct built_block *bad = wrong_block(f, &purse, purse.tip, k, wrong);
        const struct built_block *child = builder_block(&f->b, bad, NULL);
        rig_announce(&f->rig, child);
        submit_block(f, bad, CHAIN_ACCEPT_FORCE, &bad_answer);
        submit_block(f, child, CHAIN_ACCEPT_FORCE, &child_answer);
        step_times(f, (int)sim_random_below(&random, 30));
        if (i % 7 == 0) { /* dropped from outside, with jobs under way */
            struct answer order = {0};
            chain_invalidate(f->rig.chain, &bad->block.hash, note_verdict, &order);
            rig_wait(&f->rig, &order.is_done);
        }
        rig_wait(&f->rig, &bad_answer.is_done);
        rig_wait(&f->rig, &child_answer.is_done);
        if (i % 7 != 0)
            assert_int_equal(bad_answer.verdict.code, reject_of[wrong]);
        assert_false(bad_answer.result.is_connected);
        assert_true(rig_is_at(&f->rig, purse.tip));
        arena_rewind(&f->b.arena, mark);
    }
    rig_settle(&f->rig);
    assert_int_equal(flights_of(f->rig.chain)->n_dropped, 0);
    assert_int_equal(flights_of(f->rig.chain)->pending_inputs, 0);
    assert_int_equal(overlay_of(f->rig.chain)->count, 0);
    struct coin_stats after = rig_coin_stats(&f->rig, COIN_STATS_MUHASH);
    assert_memory_equal(before.hash, after.hash, 32);
    chain_check(f->rig.chain);
}

/* The verdict names the first failing input in the order of the block, whichever job ends first. */
TEST(of_several_bad_scripts_the_first_is_named, struct fixture *f)
{
    static const uint32_t n_in[] = {95, 96, 97, 192, 193, 300};
    fixture_start_at_base(f);
    struct tx fan[2] = {spend_base(f, 4, 300, 0, BUILDER_TRUE),
                        spend_base(f, 8, 300, 0, BUILDER_FALSE)};
    const struct built_block *prev = block_with(f, base_tip(f), fan, 2);
    assert_true(rig_accept(&f->rig, prev).is_connected);
    for (size_t i = 0; i < COUNT_OF(n_in); i++)
        for (uint32_t bad = 0; bad < n_in[i]; bad += 1 + n_in[i] / 5) {
            struct builder_coin coins[300];
            for (uint32_t k = 0; k < n_in[i]; k++)
                coins[k] =
                    builder_coin_of(&fan[k >= bad], k, k >= bad ? BUILDER_FALSE : BUILDER_TRUE);
            struct tx tx = builder_spend(&f->b, coins, n_in[i], 1, 0, BUILDER_TRUE);
            const struct built_block *block = block_with(f, prev, &tx, 1);
            struct chain_block_result result = rig_accept(&f->rig, block);
            assert_int_equal(result.verdict.code, REJECT_SCRIPT_FAILED);
            unsigned named = UINT32_MAX;
            assert_int_equal(sscanf(result.verdict.detail, "input %u of", &named), 1);
            assert_int_equal(named, bad);
        }
    assert_true(rig_is_at(&f->rig, prev));
}
