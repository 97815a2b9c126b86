/* test_flight.c - blocks in flight get what they need from memory, files and store, and what is
 * damaged there harms nothing. */
#include <errno.h>

#include "chain/coins/coins_parts.h"
#include "support/chain_inside.h"
#include "support/rig_fixture.h"

enum { N_BASE = 130 };

static int setup(void **state)
{
    struct fixture *f = fixture_new(state);
    static const enum builder_script kinds[] = {BUILDER_TRUE, BUILDER_LONG};
    for (size_t i = 0; i < N_BASE; i++) {
        struct builder_spec spec = {.coinbase_script = kinds[i % COUNT_OF(kinds)]};
        f->base = builder_block(&f->b, f->base, &spec);
    }
    f->options.check_invariants = true;
    fixture_start_at_base(f);
    return 0;
}

FIXTURE(setup, rig_teardown)

/* A block whose only transaction spends n coinbases of the base, from first on. */
static const struct built_block *spend(struct fixture *f, const struct built_block *prev,
                                       int32_t first, uint32_t n)
{
    struct builder_coin coins[20];
    for (uint32_t i = 0; i < n; i++)
        coins[i] = builder_coinbase_coin(built_ancestor(f->base, first + (int32_t)i));
    struct tx tx = builder_spend(&f->b, coins, n, 2, 0, BUILDER_LONG);
    struct builder_spec spec = {.tx = &tx, .n_tx = 1};
    return builder_block(&f->b, prev, &spec);
}

static void restart(struct fixture *f)
{
    assert_int_equal(rig_close(&f->rig), 0);
    rig_open(&f->rig);
}

/* Flip a bit of what is stored of a block. */
static void damage(struct fixture *f, const char *path, const struct file_pos *pos)
{
    sim_disk_damage(sim_env_disk(f->rig.sim), path, pos->offset + pos->len / 2, 0x10);
}

/* -- Coins from the store ---------------------------------------------------------------------- */

TEST(coins_that_are_only_in_the_store_are_found, struct fixture *f)
{
    restart(f); /* memory is empty now */
    const struct built_block *block = spend(f, f->base, 1, 9);
    assert_true(rig_accept(&f->rig, block).is_connected);
    /* Of a coin that is not there the store can tell too. */
    const struct built_block *again = spend(f, block, 3, 1);
    assert_int_equal(rig_accept(&f->rig, again).verdict.code, REJECT_INPUTS_MISSING);
    assert_true(rig_is_at(&f->rig, block));
}

TEST(a_spend_that_was_flushed_is_not_forgotten, struct fixture *f)
{
    const struct built_block *block = spend(f, f->base, 1, 9);
    assert_true(rig_accept(&f->rig, block).is_connected);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(rig_flush(&f->rig), 0);
        if (i == 2)
            restart(f);
        const struct built_block *again = spend(f, block, 1 + i, 1);
        assert_int_equal(rig_accept(&f->rig, again).verdict.code, REJECT_INPUTS_MISSING);
    }
}

static void count_flush(void *arg, int error)
{
    assert_int_equal(error, 0);
    ++*(int *)arg;
}

/* Reads of coins that race with flushes: whatever the moment, a spent coin stays spent. */
TEST(reads_that_race_with_flushes_revive_nothing, struct fixture *f)
{
    for (int delay = 0; delay < 60; delay++) {
        restart(f);
        const struct built_block *block = spend(f, f->base, 1, 10);
        const struct built_block *other = spend(f, block, 11, 8);
        int flushes = 0;
        rig_announce(&f->rig, other);
        chain_flush(f->rig.chain, count_flush, &flushes);
        rig_submit(&f->rig, block);
        rig_submit(&f->rig, other);
        for (int i = 0; i < delay; i++)
            (void)sim_env_step(f->rig.sim);
        chain_flush(f->rig.chain, count_flush, &flushes);
        rig_settle(&f->rig);
        assert_int_equal(flushes, 2);
        assert_true(rig_is_at(&f->rig, other));
        const struct built_block *twice = spend(f, other, 1 + delay % 10, 1);
        assert_int_equal(rig_accept(&f->rig, twice).verdict.code, REJECT_INPUTS_MISSING);
        assert_int_equal(rig_invalidate(&f->rig, block).code, REJECT_NONE);
        assert_true(rig_is_at(&f->rig, f->base));
    }
}

/* Memory that is short forgets coins that were just flushed. A block that found some of its coins
 * in memory, and waits for the others to be read, must ask for the first ones again. */
TEST(what_memory_forgot_during_a_read_is_read_and_not_taken_for_spent, struct fixture *f)
{
    restart(f);
    const struct built_block *made = spend(f, f->base, 1, 4);
    struct builder_coin coins[2] = {
        builder_coin_of(&made->block.tx[1], 0, BUILDER_LONG),
        builder_coinbase_coin(built_ancestor(f->base, 9)),
    };
    struct tx tx = builder_spend(&f->b, coins, COUNT_OF(coins), 1, 0, BUILDER_TRUE);
    struct builder_spec spec = {.tx = &tx, .n_tx = 1};
    const struct built_block *block = builder_block(&f->b, made, &spec);
    assert_true(rig_accept(&f->rig, made).is_connected);
    struct chain *chain = f->rig.chain;
    int flushes = 0;
    chain_flush(chain, count_flush, &flushes);
    while (flushes == 0)
        assert_true(sim_env_step(f->rig.sim));
    /* One of its two coins is in the generation that was flushed, the other in the store alone. */
    rig_submit(&f->rig, block);
    while (!flights_of(chain)->oldest || !flights_of(chain)->oldest->reading_coins)
        assert_true(sim_env_step(f->rig.sim));
    assert_int_equal(flights_of(chain)->oldest->n_missing, 1);
    /* The next flush and what coins_turn() does when memory is short, at this very moment. */
    struct coins *memory = chain_coins(chain);
    coins_drop_frozen(memory);
    memory->frozen = memory->active;
    memory->frozen_state = COINS_FROZEN_KEPT;
    coins_table_init(&memory->active, memory->key);
    coins_drop_frozen(memory);
    rig_settle(&f->rig);
    assert_true(rig_is_at(&f->rig, block));
}

/* -- Blocks and undo data from files ------------------------------------------------------------
 */

/* Blocks that are stored before their parent comes: only the files have them after the restart.
 *
 * Returns:  the parent; *child on it and *last on that one */
static const struct built_block *store_without_parent(struct fixture *f,
                                                      const struct built_block **child,
                                                      const struct built_block **last)
{
    const struct built_block *parent = spend(f, f->base, 1, 3);
    *child = spend(f, parent, 4, 3);
    *last = spend(f, *child, 7, 3);
    rig_announce(&f->rig, *last);
    rig_submit(&f->rig, *child);
    rig_submit(&f->rig, *last);
    rig_settle(&f->rig);
    assert_true(rig_is_at(&f->rig, f->base));
    restart(f);
    return parent;
}

TEST(a_stored_block_is_read_back_when_its_parent_comes, struct fixture *f)
{
    const struct built_block *child, *last;
    const struct built_block *parent = store_without_parent(f, &child, &last);
    assert_true(rig_accept(&f->rig, parent).is_connected);
    rig_settle(&f->rig);
    assert_true(rig_is_at(&f->rig, last));
}

TEST(a_damaged_block_holds_the_tip_until_it_comes_again, struct fixture *f)
{
    const struct built_block *child, *last;
    const struct built_block *parent = store_without_parent(f, &child, &last);
    damage(f, "regtest/blocks/blk00000.dat", &chain_find(f->rig.chain, &child->block.hash)->data);
    assert_true(rig_accept(&f->rig, parent).is_connected);
    rig_settle(&f->rig);
    assert_true(rig_is_at(&f->rig, parent));
    assert_int_equal(f->rig.n_warnings, 1);
    assert_non_null(strstr(f->rig.warning, "blk00000.dat"));
    assert_int_equal(f->rig.n_faults, 0);
    assert_int_equal(f->rig.n_invalid, 0); /* the block is not to blame */
    assert_true(rig_accept(&f->rig, child).is_connected);
    rig_settle(&f->rig);
    assert_true(rig_is_at(&f->rig, last));
}

TEST(damaged_undo_data_is_made_anew_on_the_way_back, struct fixture *f)
{
    const struct built_block *a = spend(f, f->base, 1, 10);
    assert_true(rig_accept(&f->rig, a).is_connected);
    restart(f);
    damage(f, "regtest/blocks/rev00000.dat", &chain_tip(f->rig.chain)->undo);
    const struct built_block *b = builder_blocks(&f->b, f->base, 2, NULL);
    rig_accept_chain(&f->rig, b);
    sim_env_run_for(f->rig.sim, UNDO_REPAIR_DELAY_US);
    rig_settle(&f->rig);
    assert_int_equal(f->rig.n_faults, 0);
    assert_true(rig_is_at(&f->rig, b));
    assert_int_equal(f->rig.n_invalid, 0);
}

TEST(undo_data_that_the_index_does_not_have_stops_the_node_too, struct fixture *f)
{
    const struct built_block *a = spend(f, f->base, 1, 10);
    assert_true(rig_accept(&f->rig, a).is_connected);
    restart(f);
    struct block_node *tip = active_chain_tip(active_of(f->rig.chain));
    tip->status &= ~(uint32_t)BLOCK_HAVE_UNDO;
    tip->undo.file = -1;
    rig_accept_chain(&f->rig, builder_blocks(&f->b, f->base, 2, NULL));
    assert_int_equal(f->rig.n_faults, 1);
    assert_non_null(strstr(f->rig.fault, "-reindex-chainstate"));
    assert_true(rig_is_at(&f->rig, a));
}

TEST(a_block_to_be_left_that_is_damaged_stops_the_node, struct fixture *f)
{
    const struct built_block *a = spend(f, f->base, 1, 10);
    assert_true(rig_accept(&f->rig, a).is_connected);
    restart(f);
    damage(f, "regtest/blocks/blk00000.dat", &chain_tip(f->rig.chain)->data);
    const struct built_block *b = builder_blocks(&f->b, f->base, 2, NULL);
    rig_accept_chain(&f->rig, b);
    assert_int_equal(f->rig.n_faults, 1);
    assert_true(rig_is_at(&f->rig, a));
}

/* -- Dropping ---------------------------------------------------------------------------------- */

TEST(flights_can_be_dropped_at_any_moment, struct fixture *f)
{
    const struct built_block *last = f->base;
    for (int32_t i = 0; i < 8; i++)
        last = spend(f, last, 1 + i, 1);
    const struct built_block *first = built_ancestor(last, N_BASE + 1);
    for (int delay = 0; delay < 150; delay += 3) {
        if (delay % 2)
            restart(f);
        for (int32_t at = N_BASE + 1; at <= last->height; at++)
            rig_submit(&f->rig, built_ancestor(last, at));
        for (int i = 0; i < delay; i++)
            (void)sim_env_step(f->rig.sim);
        if (chain_find(f->rig.chain, &first->block.hash))
            assert_int_equal(rig_invalidate(&f->rig, first).code, REJECT_NONE);
        rig_settle(&f->rig);
        if (chain_find(f->rig.chain, &first->block.hash))
            assert_true(rig_reconsider(&f->rig, first).code == REJECT_NONE);
        rig_accept_chain(&f->rig, last);
        assert_true(rig_is_at(&f->rig, last));
        assert_int_equal(flights_of(f->rig.chain)->n_dropped, 0);
        assert_int_equal(flights_of(f->rig.chain)->pending_inputs, 0);
        assert_int_equal(flights_of(f->rig.chain)->bytes, 0);
        assert_int_equal(rig_invalidate(&f->rig, first).code, REJECT_NONE);
        assert_int_equal(rig_reconsider(&f->rig, first).code, REJECT_NONE);
        assert_true(rig_is_at(&f->rig, last));
        /* Down again for the next round. */
        assert_int_equal(rig_invalidate(&f->rig, first).code, REJECT_NONE);
        assert_true(rig_is_at(&f->rig, f->base));
    }
}

/* More transactions than one script job takes, one of them with more inputs than that. */
TEST(a_large_block_is_cut_into_jobs_and_checked_whole, struct fixture *f)
{
    struct builder_coin coin = builder_coinbase_coin(built_ancestor(f->base, 1));
    struct tx fan = builder_spend(&f->b, &coin, 1, 2 * FLIGHT_JOB_INPUTS + 60, 0, BUILDER_WSH_TRUE);
    struct builder_spec spec = {.tx = &fan, .n_tx = 1};
    const struct built_block *first = builder_block(&f->b, f->base, &spec);
    assert_true(rig_accept(&f->rig, first).is_connected);
    struct builder_coin coins[2 * FLIGHT_JOB_INPUTS + 60];
    for (uint32_t i = 0; i < COUNT_OF(coins); i++)
        coins[i] = builder_coin_of(&fan, i, BUILDER_WSH_TRUE);
    struct tx tx[41];
    for (uint32_t i = 0; i < 20; i++)
        tx[i] = builder_spend(&f->b, &coins[i], 1, 1, 0, BUILDER_TRUE);
    tx[20] = builder_spend(&f->b, coins + 20, 2 * FLIGHT_JOB_INPUTS + 20, 1, 0, BUILDER_TRUE);
    for (uint32_t i = 21; i < 41; i++)
        tx[i] = builder_spend(&f->b, &coins[2 * FLIGHT_JOB_INPUTS + 19 + i], 1, 1, 0, BUILDER_TRUE);
    spec = (struct builder_spec){.tx = tx, .n_tx = COUNT_OF(tx)};
    const struct built_block *good = builder_block(&f->b, first, &spec);
    assert_true(rig_accept(&f->rig, good).is_connected);
    assert_int_equal(rig_invalidate(&f->rig, good).code, REJECT_NONE);
    /* One of the large transaction's inputs loses its witness: always found, and named. */
    static const uint32_t bad[] = {0, 95, 96, 191, 192, 2 * FLIGHT_JOB_INPUTS + 19};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        tx[20] = builder_spend(&f->b, coins + 20, 2 * FLIGHT_JOB_INPUTS + 20, 1, 0, BUILDER_TRUE);
        tx[20].in[bad[i]].witness = span_of(NULL, 0);
        tx_finish(&tx[20], &f->b.arena);
        struct chain_block_result result = rig_accept(&f->rig, builder_block(&f->b, first, &spec));
        assert_int_equal(result.verdict.code, REJECT_SCRIPT_FAILED);
        char want[32];
        snprintf(want, sizeof want, "input %u of ", bad[i]);
        assert_non_null(strstr(result.verdict.detail, want));
    }
}
