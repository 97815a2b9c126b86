/* test_txindex.c - transactions are found in their blocks, through reorganisations and crashes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "chain/chain_internal.h"
#include "support/chain_rig.h"
#include "util/alloc.h"

enum { N_BASE = 110 };

struct fixture {
    struct chain_builder b;
    struct chain_rig rig;
    const struct built_block *base;
    struct chain_options options;
};

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    chain_builder_init(&f->b);
    f->base = builder_blocks(&f->b, f->b.genesis, N_BASE, NULL);
    f->options.txindex = true;
    f->options.check_invariants = true;
    rig_start(&f->rig, 1, &f->b, &f->options);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    rig_deinit(&f->rig);
    chain_builder_deinit(&f->b);
    xfree(f);
    return 0;
}

struct answer {
    bool is_done;
    int error;
    const struct block_node *node;
};

static void note_found(void *arg, int error, const struct block_node *node)
{
    struct answer *answer = arg;
    assert_false(answer->is_done);
    *answer = (struct answer){.is_done = true, .error = error, .node = node};
}

static const struct block_node *find_in(struct chain_rig *rig, const struct txid *txid)
{
    struct answer answer = {0};
    chain_find_tx(rig->chain, txid, note_found, &answer);
    rig_wait(rig, &answer.is_done);
    assert_int_equal(answer.error, 0);
    return answer.node;
}

static void assert_in_block(struct chain_rig *rig, const struct txid *txid,
                            const struct built_block *block)
{
    const struct block_node *node = find_in(rig, txid);
    assert_non_null(node);
    assert_memory_equal(node->hash.b, block->block.hash.b, 32);
}

/* Every transaction of the branch is found where it is, but that of the first block. */
static void assert_all_found(struct chain_rig *rig, const struct built_block *last)
{
    for (const struct built_block *at = last; at->prev; at = at->prev)
        for (uint32_t i = 0; i < at->block.n_tx; i++)
            assert_in_block(rig, &at->block.txids[i], at);
    bool synced;
    int32_t height;
    assert_true(chain_txindex_status(rig->chain, &synced, &height));
    assert_true(synced);
    assert_int_equal(height, last->height);
}

/* A block with the transaction that spends the first coinbase. */
static const struct built_block *with_tx(struct fixture *f, const struct built_block *prev,
                                         struct tx *tx)
{
    struct builder_coin coin = builder_coinbase_coin(built_ancestor(f->base, 1));
    *tx = builder_spend(&f->b, &coin, 1, 1, 100, BUILDER_TRUE);
    struct builder_spec spec = {.tx = tx, .n_tx = 1};
    return builder_block(&f->b, prev, &spec);
}

static void transactions_of_the_chain_are_found(void **state)
{
    struct fixture *f = *state;
    rig_accept_chain(&f->rig, f->base);
    assert_all_found(&f->rig, f->base);
}

static void what_was_just_mined_is_found_at_once(void **state)
{
    struct fixture *f = *state;
    rig_accept_chain(&f->rig, f->base);
    struct tx tx;
    const struct built_block *block = with_tx(f, f->base, &tx);
    assert_true(rig_accept(&f->rig, block).is_connected);
    assert_in_block(&f->rig, &tx.txid, block);
}

static void unknown_transactions_are_not_found(void **state)
{
    struct fixture *f = *state;
    rig_accept_chain(&f->rig, f->base);
    struct txid txid = {{1, 2, 3}};
    assert_null(find_in(&f->rig, &txid));
    assert_null(find_in(&f->rig, &f->b.genesis->block.txids[0]));
}

static void without_an_index_there_is_no_answer(void **state)
{
    struct fixture *f = *state;
    struct chain_rig other;
    rig_start(&other, 2, &f->b, NULL);
    struct answer answer = {0};
    bool synced;
    int32_t height;
    chain_find_tx(other.chain, &f->base->block.txids[0], note_found, &answer);
    assert_true(answer.is_done);
    assert_int_equal(answer.error, -ENOSYS);
    assert_false(chain_txindex_status(other.chain, &synced, &height));
    rig_deinit(&other);
}

static void a_reorganisation_moves_transactions(void **state)
{
    struct fixture *f = *state;
    rig_accept_chain(&f->rig, f->base);
    struct tx tx;
    const struct built_block *a = with_tx(f, f->base, &tx);
    rig_accept_chain(&f->rig, a);
    assert_in_block(&f->rig, &tx.txid, a);
    /* In the other branch it comes one block later. */
    const struct built_block *b = with_tx(f, builder_block(&f->b, f->base, NULL), &tx);
    rig_accept_chain(&f->rig, b);
    assert_true(rig_is_at(&f->rig, b));
    assert_in_block(&f->rig, &tx.txid, b);
    assert_null(find_in(&f->rig, &a->block.txids[0]));
    assert_all_found(&f->rig, b);
    /* And back. */
    const struct built_block *a3 = builder_blocks(&f->b, a, 2, NULL);
    rig_accept_chain(&f->rig, a3);
    assert_true(rig_is_at(&f->rig, a3));
    assert_all_found(&f->rig, a3);
    assert_null(find_in(&f->rig, &b->block.txids[0]));
}

static void a_transaction_that_left_the_chain_is_not_found(void **state)
{
    struct fixture *f = *state;
    struct tx tx;
    const struct built_block *block = with_tx(f, f->base, &tx);
    rig_accept_chain(&f->rig, block);
    assert_int_equal(rig_invalidate(&f->rig, block).code, REJECT_NONE);
    rig_settle(&f->rig);
    assert_null(find_in(&f->rig, &tx.txid));
    assert_all_found(&f->rig, f->base);
}

static void an_index_switched_on_later_catches_up(void **state)
{
    struct fixture *f = *state;
    struct chain_rig later;
    rig_start(&later, 3, &f->b, NULL);
    rig_accept_chain(&later, f->base);
    assert_int_equal(rig_close(&later), 0);
    later.options.txindex = true;
    rig_open(&later);
    rig_settle(&later);
    assert_all_found(&later, f->base);
    /* Off, on again with more blocks and another branch. */
    assert_int_equal(rig_close(&later), 0);
    later.options.txindex = false;
    rig_open(&later);
    const struct built_block *other =
        builder_blocks(&f->b, built_ancestor(f->base, N_BASE - 5), 10, NULL);
    rig_accept_chain(&later, other);
    assert_int_equal(rig_close(&later), 0);
    later.options.txindex = true;
    rig_open(&later);
    rig_settle(&later);
    assert_all_found(&later, other);
    rig_deinit(&later);
}

static void a_restart_goes_on_where_the_index_was(void **state)
{
    struct fixture *f = *state;
    rig_accept_chain(&f->rig, f->base);
    assert_int_equal(rig_close(&f->rig), 0);
    rig_open(&f->rig);
    bool synced = false;
    int32_t height;
    assert_true(chain_txindex_status(f->rig.chain, &synced, &height));
    assert_true(synced); /* nothing was left to do */
    assert_all_found(&f->rig, f->base);
}

static void closing_answers_everybody(void **state)
{
    struct fixture *f = *state;
    rig_accept_chain(&f->rig, f->base);
    struct answer answers[3] = {{0}};
    struct tx tx;
    const struct built_block *block = with_tx(f, f->base, &tx);
    assert_true(rig_accept(&f->rig, block).is_connected);
    for (size_t i = 0; i < COUNT_OF(answers); i++)
        chain_find_tx(f->rig.chain, &tx.txid, note_found, &answers[i]);
    assert_int_equal(rig_close(&f->rig), 0);
    for (size_t i = 0; i < COUNT_OF(answers); i++)
        assert_true(answers[i].is_done);
    rig_open(&f->rig);
    rig_settle(&f->rig);
    assert_all_found(&f->rig, block);
}

/* The index never stands for a block that the chain has lost: hazard 76. */
static void after_a_crash_the_index_is_not_ahead_of_the_coins(void **state)
{
    struct fixture *f = *state;
    rig_accept_chain(&f->rig, f->base);
    assert_int_equal(rig_flush(&f->rig), 0);
    struct tx tx;
    const struct built_block *a = with_tx(f, f->base, &tx);
    a = builder_blocks(&f->b, a, 5, NULL);
    const struct built_block *b = builder_block(&f->b, f->base, NULL);
    b = with_tx(f, b, &tx);
    b = builder_blocks(&f->b, b, 6, NULL);
    for (int how = SIM_CRASH_KILLED; how <= SIM_CRASH_LOST; how++)
        for (uint64_t steps = 0; steps < 400; steps += 23) {
            struct chain_rig rig;
            rig_init(&rig, sim_env_crash(f->rig.sim, SIM_CRASH_KILLED, steps), &f->b, &f->options);
            rig_open(&rig);
            rig_accept_chain(&rig, steps % 2 ? a : f->base);
            rig_announce(&rig, b);
            for (int32_t at = N_BASE + 1; at <= b->height; at++)
                rig_submit(&rig, built_ancestor(b, at));
            for (uint64_t i = 0; i < steps; i++)
                (void)sim_env_step(rig.sim);
            rig_crash(&rig, (enum sim_crash)how, steps);
            rig_open(&rig);
            int32_t height = 0;
            bool synced;
            assert_true(chain_txindex_status(rig.chain, &synced, &height));
            assert_true(height <= chain_tip(rig.chain)->height);
            rig_accept_chain(&rig, b);
            assert_all_found(&rig, b);
            rig_deinit(&rig);
        }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(transactions_of_the_chain_are_found),
        TEST(what_was_just_mined_is_found_at_once),
        TEST(unknown_transactions_are_not_found),
        TEST(without_an_index_there_is_no_answer),
        TEST(a_reorganisation_moves_transactions),
        TEST(a_transaction_that_left_the_chain_is_not_found),
        TEST(an_index_switched_on_later_catches_up),
        TEST(a_restart_goes_on_where_the_index_was),
        TEST(closing_answers_everybody),
        TEST(after_a_crash_the_index_is_not_ahead_of_the_coins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
