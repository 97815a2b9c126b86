/* test_coin_scan.c - every coin of one tip is shown, until somebody has seen enough. */
#include <errno.h>

#include "support/chain_inside.h"
#include "support/chain_rig.h"
#include "support/unit.h"

struct seen {
    int64_t total_sat;
    uint32_t n, stop_after;
    bool is_done;
    int error;
    const struct block_node *tip;
};

static bool count(void *arg, const struct outpoint *outpoint, const struct coin *coin)
{
    struct seen *seen = arg;
    (void)outpoint;
    seen->n++;
    seen->total_sat += coin->value_sat;
    return seen->n != seen->stop_after;
}

static void note_end(void *arg, int error, const struct block_node *tip)
{
    struct seen *seen = arg;
    assert_false(seen->is_done);
    seen->is_done = true;
    seen->error = error;
    seen->tip = tip;
}

TEST(all_coins_are_shown_once)
{
    struct chain_builder b;
    struct chain_rig rig;
    chain_builder_init(&b);
    rig_start(&rig, 1, &b, NULL);
    rig_accept_chain(&rig, builder_blocks(&b, b.genesis, 7, NULL));
    struct seen seen = {0}, few = {.stop_after = 3};
    chain_scan_coins(rig.chain, count, note_end, &seen);
    rig_wait(&rig, &seen.is_done);
    assert_int_equal(seen.error, 0);
    assert_int_equal(seen.n, 7);
    assert_int_equal(seen.total_sat, 7 * 50 * COIN_SAT);
    assert_ptr_equal(seen.tip, chain_tip(rig.chain));
    chain_scan_coins(rig.chain, count, note_end, &few);
    rig_wait(&rig, &few.is_done);
    assert_int_equal(few.error, 0);
    assert_int_equal(few.n, 3);
    rig_deinit(&rig);
    chain_builder_deinit(&b);
}

TEST(closing_ends_a_scan)
{
    struct chain_builder b;
    struct chain_rig rig;
    chain_builder_init(&b);
    rig_start(&rig, 1, &b, NULL);
    rig_accept_chain(&rig, builder_blocks(&b, b.genesis, 7, NULL));
    struct seen seen = {0};
    chain_scan_coins(rig.chain, count, note_end, &seen);
    assert_int_equal(rig_close(&rig), 0);
    assert_true(seen.is_done);
    assert_int_equal(seen.error, -ECANCELED);
    rig_deinit(&rig);
    chain_builder_deinit(&b);
}
