/* test_pipeline.c - blocks on their way into and out of the committed chain: connecting,
 * reorganising, refusing, and what the operator orders. */
#include "unit/chain/chain_fixture.h"

static int setup(void **state)
{
    (void)fixture_setup(state);
    fixture_start(*state);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(f->rig.n_faults, 0);
    return fixture_teardown(state);
}

FIXTURE(setup, teardown)

/* -- Connecting -------------------------------------------------------------------------------- */

TEST(a_block_on_the_tip_is_connected, struct fixture *f)
{
    struct chain_block_result result = rig_accept(&f->rig, f->base[1]);
    assert_int_equal(result.verdict.code, REJECT_NONE);
    assert_true(result.is_new);
    assert_true(result.is_connected);
    assert_true(rig_is_at(&f->rig, f->base[1]));
    assert_int_equal(f->rig.n_connected, 1);
    assert_int_equal(f->rig.n_tip_changed, 1);
}

TEST(a_block_known_already_is_not_new, struct fixture *f)
{
    (void)rig_accept(&f->rig, f->base[1]);
    struct chain_block_result result = rig_accept(&f->rig, f->base[1]);
    assert_int_equal(result.verdict.code, REJECT_NONE);
    assert_false(result.is_new);
    assert_true(result.is_connected);
    assert_int_equal(f->rig.n_connected, 1);
}

TEST(blocks_that_come_in_reverse_are_all_connected, struct fixture *f)
{
    for (int32_t at = 1; at <= 30; at++) {
        struct verdict verdict;
        assert_non_null(chain_accept_header(f->rig.chain, &f->base[at]->block.header, &verdict));
    }
    for (int32_t at = 30; at >= 1; at--)
        rig_submit(&f->rig, f->base[at]);
    rig_settle(&f->rig);
    assert_true(rig_is_at(&f->rig, f->base[30]));
    assert_int_equal(f->rig.n_connected, 30);
    assert_coins_as_if_only(f, f->base[30]);
}

TEST(a_block_without_its_parent_is_refused_as_missing, struct fixture *f)
{
    struct chain_block_result result = rig_accept(&f->rig, f->base[2]);
    assert_int_equal(result.verdict.code, REJECT_PREV_NOT_FOUND);
    assert_null(result.node);
}

TEST(spends_of_all_kinds_of_coins_are_connected, struct fixture *f)
{
    rig_accept_chain(&f->rig, base_tip(f));
    const struct built_block *block = base_tip(f);
    static const enum builder_script to[] = {BUILDER_TRUE, BUILDER_WSH_TRUE, BUILDER_LONG,
                                             BUILDER_RETURN};
    static const int32_t from[] = {4, 1, 3, 5}; /* of kinds TRUE, WSH, LONG, WSH */
    for (size_t i = 0; i < COUNT_OF(to); i++) {
        block = block_spending(f, block, from[i], to[i]);
        struct chain_block_result result = rig_accept(&f->rig, block);
        assert_int_equal(result.verdict.code, REJECT_NONE);
        assert_true(result.is_connected);
    }
    struct coin_stats stats = rig_coin_stats(&f->rig, COIN_STATS_NONE);
    /* Four coinbases were spent, four were made, three transactions made two coins each. */
    assert_int_equal(stats.n_outputs, base_tip(f)->height + 3 * 2);
    assert_ptr_equal(stats.tip, chain_tip(f->rig.chain));
}

TEST(a_chain_of_spends_in_one_block_is_connected, struct fixture *f)
{
    rig_accept_chain(&f->rig, base_tip(f));
    struct tx tx[20];
    struct builder_coin coin = builder_coinbase_coin(f->base[4]);
    for (size_t i = 0; i < COUNT_OF(tx); i++) {
        tx[i] = builder_spend(&f->b, &coin, 1, 1, 10, BUILDER_WSH_TRUE);
        coin = builder_coin_of(&tx[i], 0, BUILDER_WSH_TRUE);
    }
    struct builder_spec spec = {.tx = tx, .n_tx = COUNT_OF(tx), .extra_sat = 200};
    const struct built_block *block = builder_block(&f->b, base_tip(f), &spec);
    assert_true(rig_accept(&f->rig, block).is_connected);
    assert_coins_as_if_only(f, block);
}

/* -- Refusing ---------------------------------------------------------------------------------- */

/* A block whose transaction number bad spends a coin that cannot be spent. */
static const struct built_block *block_with_bad_script(struct fixture *f, uint32_t n_tx,
                                                       uint32_t bad)
{
    /* First a block that makes enough coins of both kinds. */
    struct builder_coin coin = builder_coinbase_coin(f->base[4]);
    struct tx fan[2] = {builder_spend(&f->b, &coin, 1, n_tx, 0, BUILDER_TRUE)};
    coin = builder_coinbase_coin(f->base[8]);
    fan[1] = builder_spend(&f->b, &coin, 1, 1, 0, BUILDER_FALSE);
    struct builder_spec spec = {.tx = fan, .n_tx = 2};
    const struct built_block *prev = builder_block(&f->b, base_tip(f), &spec);
    assert_true(rig_accept(&f->rig, prev).is_connected);
    struct tx *tx = arena_alloc(&f->b.arena, n_tx * sizeof *tx);
    for (uint32_t i = 0; i < n_tx; i++) {
        coin = i == bad ? builder_coin_of(&fan[1], 0, BUILDER_FALSE)
                        : builder_coin_of(&fan[0], i, BUILDER_TRUE);
        tx[i] = builder_spend(&f->b, &coin, 1, 1, 0, BUILDER_TRUE);
    }
    spec = (struct builder_spec){.tx = tx, .n_tx = n_tx};
    return builder_block(&f->b, prev, &spec);
}

TEST(a_bad_script_anywhere_in_a_block_is_found, struct fixture *f)
{
    rig_accept_chain(&f->rig, base_tip(f));
    /* Several script jobs: the bad one in the first, in the middle, in the last. */
    static const uint32_t bad[] = {0, 95, 96, 150, 299};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        const struct built_block *block = block_with_bad_script(f, 300, bad[i]);
        struct coin_stats before = rig_coin_stats(&f->rig, COIN_STATS_MUHASH);
        struct chain_block_result result = rig_accept(&f->rig, block);
        assert_int_equal(result.verdict.code, REJECT_SCRIPT_FAILED);
        assert_int_not_equal(result.verdict.script_error, 0);
        assert_false(result.is_connected);
        assert_true(rig_is_at(&f->rig, block->prev));
        struct coin_stats after = rig_coin_stats(&f->rig, COIN_STATS_MUHASH);
        assert_memory_equal(before.hash, after.hash, 32);
        /* An honest block on the same parent is connected, and then taken back for the next. */
        const struct built_block *honest = builder_block(&f->b, block->prev, NULL);
        assert_true(rig_accept(&f->rig, honest).is_connected);
        assert_int_equal(rig_invalidate(&f->rig, block->prev).code, REJECT_NONE);
        assert_true(rig_is_at(&f->rig, base_tip(f)));
    }
}

TEST(a_block_on_an_invalid_one_is_refused, struct fixture *f)
{
    rig_accept_chain(&f->rig, base_tip(f));
    const struct built_block *bad = block_spending(f, base_tip(f), 2, BUILDER_TRUE);
    const struct built_block *child = builder_block(&f->b, bad, NULL);
    assert_int_equal(rig_accept(&f->rig, bad).verdict.code, REJECT_SCRIPT_FAILED);
    assert_int_equal(rig_accept(&f->rig, child).verdict.code, REJECT_PREV_INVALID);
    assert_int_equal(rig_accept(&f->rig, bad).verdict.code, REJECT_DUPLICATE_INVALID);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
}

struct bad_spend {
    int32_t spends;    /* coinbase of that base block */
    int32_t on;        /* tip below */
    int64_t extra_sat; /* the coinbase takes more */
    bool twice;        /* spent by two transactions of the block */
    enum reject reject;
};

TEST(blocks_that_break_rules_about_coins_are_refused, struct fixture *f)
{
    rig_accept_chain(&f->rig, base_tip(f));
    int32_t tip = base_tip(f)->height;
    const struct bad_spend rows[] = {
        {4, tip, 0, false, REJECT_NONE},
        {4, tip, 1000, false, REJECT_NONE}, /* all of the fee */
        {4, tip, 1001, false, REJECT_CB_AMOUNT},
        {4, tip, 0, true, REJECT_INPUTS_MISSING},
        {tip + 1 - 100, tip, 0, false, REJECT_NONE},
        {tip + 2 - 100, tip, 0, false, REJECT_PREMATURE_SPEND},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct builder_coin coin = builder_coinbase_coin(f->base[rows[i].spends]);
        if (coin.script == BUILDER_FALSE)
            continue;
        struct tx tx[2] = {builder_spend(&f->b, &coin, 1, 1, 1000, BUILDER_TRUE)};
        tx[1] = builder_spend(&f->b, &coin, 1, 1, 1000, BUILDER_LONG);
        struct builder_spec spec = {
            .tx = tx, .n_tx = rows[i].twice ? 2 : 1, .extra_sat = rows[i].extra_sat};
        const struct built_block *block = builder_block(&f->b, f->base[rows[i].on], &spec);
        struct chain_block_result result = rig_accept(&f->rig, block);
        assert_int_equal(result.verdict.code, rows[i].reject);
        assert_int_equal(result.is_connected, rows[i].reject == REJECT_NONE);
        if (result.is_connected)
            assert_int_equal(rig_invalidate(&f->rig, block).code, REJECT_NONE);
        assert_true(rig_is_at(&f->rig, base_tip(f)));
    }
}

TEST(what_stands_on_an_invalid_block_in_flight_is_dropped, struct fixture *f)
{
    rig_accept_chain(&f->rig, base_tip(f));
    /* A bad block and five good ones on it, all at once, so that they fly together. */
    const struct built_block *bad = block_spending(f, base_tip(f), 2, BUILDER_TRUE);
    const struct built_block *worse = builder_blocks(&f->b, bad, 5, NULL);
    rig_accept_chain(&f->rig, worse);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
    const struct built_block *honest = builder_block(&f->b, base_tip(f), NULL);
    assert_true(rig_accept(&f->rig, honest).is_connected);
    assert_coins_as_if_only(f, honest);
}

/* -- Reorganising ------------------------------------------------------------------------------ */

TEST(the_branch_with_more_work_wins, struct fixture *f)
{
    rig_accept_chain(&f->rig, base_tip(f));
    const struct built_block *a = block_spending(f, base_tip(f), 4, BUILDER_TRUE);
    const struct built_block *b1 = block_spending(f, base_tip(f), 4, BUILDER_LONG);
    const struct built_block *b2 = block_spending(f, b1, 8, BUILDER_WSH_TRUE);
    assert_true(rig_accept(&f->rig, a).is_connected);
    struct chain_block_result side = rig_accept(&f->rig, b1);
    assert_int_equal(side.verdict.code, REJECT_NONE);
    assert_false(side.is_connected);
    assert_true(rig_is_at(&f->rig, a)); /* the first seen of equals stays */
    size_t changes = f->rig.n_tip_changed;
    assert_true(rig_accept(&f->rig, b2).is_connected);
    assert_true(rig_is_at(&f->rig, b2));
    assert_int_equal(f->rig.n_disconnected, 1);
    assert_int_equal(f->rig.n_tip_changed, changes + 1); /* nobody sees the way down */
    assert_coins_as_if_only(f, b2);
}

/* Two branches of n and n + 1 blocks with spends that contradict each other. */
static void reorganise_by(struct fixture *f, int32_t n)
{
    rig_accept_chain(&f->rig, base_tip(f));
    const struct built_block *a = block_spending(f, base_tip(f), 4, BUILDER_TRUE);
    a = builder_blocks(&f->b, a, (size_t)n - 1, NULL);
    const struct built_block *b = block_spending(f, base_tip(f), 4, BUILDER_LONG);
    b = builder_blocks(&f->b, b, (size_t)n, NULL);
    rig_accept_chain(&f->rig, a);
    assert_true(rig_is_at(&f->rig, a));
    rig_accept_chain(&f->rig, b);
    assert_true(rig_is_at(&f->rig, b));
    assert_int_equal(f->rig.n_disconnected, n);
    assert_coins_as_if_only(f, b);
    /* And back again. */
    const struct built_block *a2 = builder_blocks(&f->b, a, 3, NULL);
    rig_accept_chain(&f->rig, a2);
    assert_true(rig_is_at(&f->rig, a2));
    assert_coins_as_if_only(f, a2);
}

TEST(a_reorganisation_of_fifteen_blocks_is_done, struct fixture *f)
{
    reorganise_by(f, 15);
}

TEST(a_reorganisation_deeper_than_is_done_in_one_go_is_done, struct fixture *f)
{
    reorganise_by(f, 40);
}

TEST(a_reorganisation_to_an_invalid_branch_ends_where_it_began, struct fixture *f)
{
    rig_accept_chain(&f->rig, base_tip(f));
    const struct built_block *a = block_spending(f, base_tip(f), 4, BUILDER_TRUE);
    a = builder_blocks(&f->b, a, 3, NULL);
    rig_accept_chain(&f->rig, a);
    /* Invalid in its third block, with more work than a only by its fifth. */
    const struct built_block *fork = block_spending(f, base_tip(f), 4, BUILDER_LONG);
    const struct built_block *bad = builder_blocks(&f->b, fork, 1, NULL);
    bad = block_spending(f, bad, 2, BUILDER_TRUE);
    bad = builder_blocks(&f->b, bad, 4, NULL);
    rig_accept_chain(&f->rig, bad);
    assert_true(rig_is_at(&f->rig, a));
    assert_int_equal(f->rig.last_invalid.code, REJECT_SCRIPT_FAILED);
    assert_int_equal(f->rig.n_disconnected, 0);
    assert_coins_as_if_only(f, a);
}

TEST(a_deep_reorganisation_to_an_invalid_branch_comes_back, struct fixture *f)
{
    rig_accept_chain(&f->rig, base_tip(f));
    const struct built_block *a = builder_blocks(&f->b, base_tip(f), 30, NULL);
    rig_accept_chain(&f->rig, a);
    const struct built_block *bad = builder_blocks(&f->b, base_tip(f), 29, NULL);
    bad = block_spending(f, bad, 2, BUILDER_TRUE);
    bad = builder_blocks(&f->b, bad, 5, NULL);
    rig_accept_chain(&f->rig, bad);
    assert_true(rig_is_at(&f->rig, a));
    assert_coins_as_if_only(f, a);
}

static void note_flush(void *arg, int error)
{
    assert_int_equal(error, 0);
    ++*(int *)arg;
}

TEST(a_flush_amid_a_reorganisation_harms_nothing, struct fixture *f)
{
    int flushes = 0;
    rig_accept_chain(&f->rig, base_tip(f));
    const struct built_block *a = block_spending(f, base_tip(f), 4, BUILDER_TRUE);
    a = builder_blocks(&f->b, a, 5, NULL);
    rig_accept_chain(&f->rig, a);
    const struct built_block *b = block_spending(f, base_tip(f), 4, BUILDER_LONG);
    b = builder_blocks(&f->b, b, 7, NULL);
    for (int32_t at = base_tip(f)->height + 1; at <= b->height; at++) {
        rig_submit(&f->rig, built_ancestor(b, at));
        chain_flush(f->rig.chain, note_flush, &flushes);
        for (int i = 0; i < 7; i++)
            (void)sim_env_step(f->rig.sim);
    }
    rig_settle(&f->rig);
    assert_int_equal(flushes, b->height - base_tip(f)->height);
    assert_true(rig_is_at(&f->rig, b));
    assert_coins_as_if_only(f, b);
}

/* -- Orders ------------------------------------------------------------------------------------ */

TEST(an_invalidated_block_is_left_and_reconsidered_again, struct fixture *f)
{
    rig_accept_chain(&f->rig, base_tip(f));
    int32_t tip = base_tip(f)->height;
    assert_int_equal(rig_invalidate(&f->rig, f->base[tip - 30]).code, REJECT_NONE);
    assert_true(rig_is_at(&f->rig, f->base[tip - 31]));
    assert_coins_as_if_only(f, f->base[tip - 31]);
    /* Another branch takes over, with less work than what was invalidated. */
    const struct built_block *other = builder_blocks(&f->b, f->base[tip - 31], 3, NULL);
    rig_accept_chain(&f->rig, other);
    assert_true(rig_is_at(&f->rig, other));
    assert_int_equal(rig_reconsider(&f->rig, f->base[tip - 30]).code, REJECT_NONE);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
    assert_coins_as_if_only(f, base_tip(f));
}

TEST(an_order_about_an_unknown_block_is_refused, struct fixture *f)
{
    assert_int_equal(rig_invalidate(&f->rig, f->base[1]).code, REJECT_PREV_NOT_FOUND);
    assert_int_equal(rig_reconsider(&f->rig, f->base[1]).code, REJECT_PREV_NOT_FOUND);
    assert_int_equal(rig_precious(&f->rig, f->base[1]).code, REJECT_PREV_NOT_FOUND);
}

TEST(the_first_block_cannot_be_invalidated, struct fixture *f)
{
    rig_accept_chain(&f->rig, f->base[5]);
    assert_int_equal(rig_invalidate(&f->rig, f->b.genesis).code, REJECT_NONE);
    assert_true(rig_is_at(&f->rig, f->base[5]));
}

TEST(a_precious_block_is_preferred_among_equals, struct fixture *f)
{
    rig_accept_chain(&f->rig, base_tip(f));
    const struct built_block *a = builder_block(&f->b, base_tip(f), NULL);
    const struct built_block *b = builder_block(&f->b, base_tip(f), NULL);
    const struct built_block *c = builder_block(&f->b, base_tip(f), NULL);
    assert_true(rig_accept(&f->rig, a).is_connected);
    assert_false(rig_accept(&f->rig, b).is_connected);
    assert_false(rig_accept(&f->rig, c).is_connected);
    static const int order[] = {1, 2, 0, 2, 1};
    const struct built_block *of[] = {a, b, c};
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        assert_int_equal(rig_precious(&f->rig, of[order[i]]).code, REJECT_NONE);
        assert_true(rig_is_at(&f->rig, of[order[i]]));
    }
    /* One with less work is not. */
    assert_int_equal(rig_precious(&f->rig, f->base[5]).code, REJECT_NONE);
    assert_true(rig_is_at(&f->rig, b));
    const struct built_block *longer = builder_block(&f->b, a, NULL);
    assert_true(rig_accept(&f->rig, longer).is_connected);
}

/* -- Testing a block --------------------------------------------------------------------------- */

struct trial {
    bool is_done;
    struct verdict verdict;
};

static void note_trial(void *arg, const struct verdict *verdict)
{
    struct trial *trial = arg;
    trial->is_done = true;
    trial->verdict = *verdict;
}

static enum reject try_block(struct fixture *f, const struct built_block *block)
{
    struct trial trial = {0};
    struct block_ref *ref = block_ref_take(built_bytes(block), block->block.raw.len);
    assert_true(block_ref_decode(ref));
    chain_test_block(f->rig.chain, ref, note_trial, &trial);
    block_ref_drop(ref);
    rig_wait(&f->rig, &trial.is_done);
    return trial.verdict.code;
}

TEST(a_block_that_is_only_tried_leaves_no_trace, struct fixture *f)
{
    rig_accept_chain(&f->rig, base_tip(f));
    struct coin_stats before = rig_coin_stats(&f->rig, COIN_STATS_MUHASH);
    const struct built_block *good = block_spending(f, base_tip(f), 4, BUILDER_TRUE);
    const struct built_block *bad = block_spending(f, base_tip(f), 2, BUILDER_TRUE);
    const struct built_block *stale = builder_block(&f->b, f->base[3], NULL);
    assert_int_equal(try_block(f, good), REJECT_NONE);
    assert_int_equal(try_block(f, bad), REJECT_SCRIPT_FAILED);
    assert_int_equal(try_block(f, stale), REJECT_PREVBLK_NOT_BEST);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
    assert_null(chain_find(f->rig.chain, &good->block.hash));
    struct coin_stats after = rig_coin_stats(&f->rig, COIN_STATS_MUHASH);
    assert_memory_equal(before.hash, after.hash, 32);
    assert_true(rig_accept(&f->rig, good).is_connected);
}

/* -- Stopping ---------------------------------------------------------------------------------- */

TEST(a_restart_finds_what_was_there, struct fixture *f)
{
    rig_accept_chain(&f->rig, base_tip(f));
    const struct built_block *side = builder_blocks(&f->b, f->base[50], 3, NULL);
    rig_accept_chain(&f->rig, side);
    struct coin_stats before = rig_coin_stats(&f->rig, COIN_STATS_SERIALIZED_3);
    assert_int_equal(rig_close(&f->rig), 0);
    rig_open(&f->rig);
    rig_settle(&f->rig);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
    assert_non_null(chain_find(f->rig.chain, &side->block.hash));
    struct coin_stats after = rig_coin_stats(&f->rig, COIN_STATS_SERIALIZED_3);
    assert_memory_equal(before.hash, after.hash, 32);
    /* The side branch is complete: more work on it wins. */
    const struct built_block *longer = builder_blocks(&f->b, side, 101, NULL);
    rig_accept_chain(&f->rig, longer);
    assert_true(rig_is_at(&f->rig, longer));
    assert_coins_as_if_only(f, longer);
}

TEST(closing_amid_work_loses_nothing_that_was_promised, struct fixture *f)
{
    for (int steps = 0; steps < 400; steps += 37) {
        for (size_t i = 1; i < COUNT_OF(f->base); i++)
            rig_submit(&f->rig, f->base[i]);
        for (int i = 0; i < steps; i++)
            (void)sim_env_step(f->rig.sim);
        int32_t height = chain_tip(f->rig.chain)->height;
        assert_int_equal(rig_close(&f->rig), 0);
        rig_open(&f->rig);
        rig_settle(&f->rig);
        assert_true(chain_tip(f->rig.chain)->height >= height);
    }
    rig_accept_chain(&f->rig, base_tip(f));
    assert_true(rig_is_at(&f->rig, base_tip(f)));
    assert_coins_as_if_only(f, base_tip(f));
}
