/* test_blocks.c - the mempool follows the chain, forward and back. */
#include "consensus/opcodes.h"
#include "mempool/block_assembler.h"
#include "mempool/check.h"
#include "mempool/cluster.h"
#include "mempool/mempool_internal.h"
#include "sim/sim_random.h"
#include "support/build.h"
#include "support/chain_inside.h"
#include "support/mempool_rig.h"
#include "support/unit.h"
#include "util/alloc.h"

#define FEE_SAT 10000

static int setup(void **state)
{
    *state = mempool_rig_new(11, 110, NULL);
    return 0;
}

FIXTURE(setup, mempool_rig_teardown)

TEST(what_is_mined_leaves, struct mempool_rig *rig)
{
    struct tx parent = mempool_rig_pay(rig, 1, 2, FEE_SAT);
    struct tx child = mempool_rig_pay_on(rig, &parent, 0, 1, FEE_SAT),
              other = mempool_rig_pay(rig, 2, 1, FEE_SAT);
    assert_reject(mempool_rig_add(rig, &parent), REJECT_NONE);
    assert_reject(mempool_rig_add(rig, &child), REJECT_NONE);
    assert_reject(mempool_rig_add(rig, &other), REJECT_NONE);
    mempool_prioritise(rig->pool, &parent.txid, 77);
    mempool_prioritise(rig->pool, &child.txid, 5);
    mempool_rig_mine(rig, &parent, 1);
    assert_false(mempool_rig_has(rig, &parent));
    assert_true(mempool_rig_has(rig, &child) && mempool_rig_has(rig, &other));
    assert_int_equal(mempool_rig_count(rig, MEMPOOL_REMOVED_BLOCK, &parent), 1);
    assert_int_equal(mempool_find(rig->pool, &child.txid)->n_parents, 0);
    assert_int_equal(mempool_delta_sat(rig->pool, &parent.txid), 0);
    assert_int_equal(mempool_delta_sat(rig->pool, &child.txid), 5);
    /* The child's output can still be spent, and the parent's other one. */
    struct tx next[2] = {mempool_rig_pay_on(rig, &child, 0, 1, FEE_SAT),
                         mempool_rig_pay_on(rig, &parent, 1, 1, FEE_SAT)};
    assert_reject(mempool_rig_add(rig, &next[0]), REJECT_NONE);
    assert_reject(mempool_rig_add(rig, &next[1]), REJECT_NONE);
}

/* Nor are those run again that come back into the mempool, nor when their block comes back. */
TEST(a_block_of_known_transactions_runs_no_script, struct mempool_rig *rig)
{
    const struct flights *flights = flights_of(rig->chain.chain);
    struct tx tx[3] = {mempool_rig_pay(rig, 1, 2, FEE_SAT)};
    tx[1] = mempool_rig_pay_on(rig, &tx[0], 0, 1, FEE_SAT);
    tx[2] = mempool_rig_pay(rig, 2, 1, FEE_SAT);
    uint64_t before = flights->n_scripts;
    for (size_t i = 0; i < 2; i++)
        assert_reject(mempool_rig_add(rig, &tx[i]), REJECT_NONE);
    const struct built_block *block = mempool_rig_mine(rig, tx, 2);
    assert_int_equal(flights->n_scripts, before);
    assert_int_equal(mempool_count(rig->pool), 0);
    assert_int_equal(rig_invalidate(&rig->chain, block).code, REJECT_NONE);
    mempool_rig_settle(rig);
    assert_int_equal(mempool_count(rig->pool), 2);
    assert_int_equal(rig_reconsider(&rig->chain, block).code, REJECT_NONE);
    assert_int_equal(flights->n_scripts, before);
    /* What the mempool has never seen is run, and nothing else is. */
    mempool_rig_mine(rig, &tx[2], 1);
    assert_int_equal(flights->n_scripts, before + 1);
}

/* The same txid with another witness: it is checked in full, and is wrong. */
TEST(a_block_with_another_witness_is_checked_in_full, struct mempool_rig *rig)
{
    static const uint8_t other[] = {OP_0};
    struct span item = span_of(other, sizeof other);
    struct arena *arena = &rig->builder.arena;
    struct tx tx = mempool_rig_pay(rig, 1, 1, FEE_SAT), wrong = tx;
    assert_reject(mempool_rig_add(rig, &tx), REJECT_NONE);
    wrong.in = arena_alloc(arena, sizeof *wrong.in);
    wrong.in[0] = tx.in[0];
    wrong.in[0].witness = build_witness(arena, &item, 1);
    tx_finish(&wrong, arena);
    assert_true(txid_equal(&wrong.txid, &tx.txid));
    struct builder_spec spec = {.tx = &wrong, .n_tx = 1};
    const struct built_block *block = builder_block(&rig->builder, rig->tip, &spec);
    assert_reject(rig_accept(&rig->chain, block).verdict.code, REJECT_SCRIPT_FAILED);
    assert_true(mempool_rig_has(rig, &tx));
    mempool_rig_mine(rig, &tx, 1);
    assert_int_equal(mempool_count(rig->pool), 0);
}

TEST(what_a_block_contradicts_leaves_with_all_that_follow, struct mempool_rig *rig)
{
    struct tx parent = mempool_rig_pay(rig, 1, 2, FEE_SAT), mined = mempool_rig_pay(rig, 1, 1, 1);
    struct tx child = mempool_rig_pay_on(rig, &parent, 0, 1, FEE_SAT),
              grandchild = mempool_rig_pay_on(rig, &child, 0, 1, FEE_SAT);
    struct tx other = mempool_rig_pay(rig, 2, 1, FEE_SAT);
    const struct tx *all[] = {&parent, &child, &grandchild, &other};
    for (size_t i = 0; i < COUNT_OF(all); i++)
        assert_reject(mempool_rig_add(rig, all[i]), REJECT_NONE);
    mempool_rig_mine(rig, &mined, 1);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(mempool_rig_count(rig, MEMPOOL_REMOVED_CONFLICT, all[i]), 1);
    assert_int_equal(mempool_count(rig->pool), 1);
    assert_true(mempool_rig_has(rig, &other));
    /* Children are told of before their parents. */
    assert_true(txid_equal(&rig->event[rig->n_events - 1].txid, &parent.txid));
    assert_true(txid_equal(&rig->event[rig->n_events - 3].txid, &grandchild.txid));
}

static int count_put_back(const struct mempool_rig *rig, size_t first, size_t end)
{
    int n = 0;
    for (size_t i = first; i < end; i++)
        n += rig->event[i].reason == MEMPOOL_ADDED && rig->event[i].is_putback;
    return n;
}

TEST(reorganised_transactions_come_back, struct mempool_rig *rig)
{
    const struct built_block *fork = rig->tip;
    struct tx a = mempool_rig_pay(rig, 1, 2, 0), b = mempool_rig_pay_on(rig, &a, 0, 1, FEE_SAT);
    struct tx c = mempool_rig_pay(rig, 2, 1, FEE_SAT),
              waits = mempool_rig_pay_on(rig, &b, 0, 1, FEE_SAT);
    struct tx first[2] = {a, b};
    mempool_rig_mine(rig, first, 2);
    mempool_rig_mine(rig, &c, 1);
    assert_reject(mempool_rig_add(rig, &waits), REJECT_NONE);
    size_t n_events = rig->n_events;
    /* Another branch, longer, that holds c only. */
    const struct built_block *other = builder_block(&rig->builder, fork, NULL);
    struct builder_spec spec = {.tx = &c, .n_tx = 1};
    other = builder_block(&rig->builder, other, &spec);
    other = mempool_rig_mine_on(rig, other, NULL, 0);
    assert_true(rig_is_at(&rig->chain, other));
    /* a and b are back, a without any fee; waits left and came back behind them. */
    assert_int_equal(mempool_count(rig->pool), 3);
    assert_true(mempool_rig_has(rig, &a) && mempool_rig_has(rig, &b));
    assert_true(mempool_rig_has(rig, &waits) && !mempool_rig_has(rig, &c));
    assert_int_equal(mempool_rig_count(rig, MEMPOOL_REMOVED_REORG, &waits), 1);
    /* The events tell so. */
    assert_int_equal(count_put_back(rig, 0, n_events), 0);
    assert_int_equal(count_put_back(rig, n_events, rig->n_events), 3);
    assert_int_equal(mempool_find(rig->pool, &waits.txid)->n_parents, 1);
    assert_int_equal(pool_cluster_of(rig->pool, pool_entry_of(mempool_find(rig->pool, &a.txid)))->n,
                     3);
    /* And they can be mined again. */
    struct tx all[3] = {a, b, waits};
    mempool_rig_mine(rig, all, 3);
    assert_int_equal(mempool_count(rig->pool), 0);
}

/* Where a cluster has room for one of two it is the one that stood first in the block, though its
 * scripts take longer: more inputs than one job checks. */
TEST(what_stood_first_comes_back_first)
{
    enum { N_SLOW = 100 };
    struct mempool_options options = mempool_default_options();
    options.cluster_count_max = 2;
    struct mempool_rig *rig = mempool_rig_new(11, 110 + N_SLOW, &options);
    struct builder_coin coins[N_SLOW + 1];
    struct tx tx[3] = {mempool_rig_pay(rig, 1, 2, FEE_SAT)};
    coins[0] = mempool_rig_output(&tx[0], 0);
    for (int32_t i = 1; i <= N_SLOW; i++)
        coins[i] = mempool_rig_coin(rig, i + 1);
    tx[1] = mempool_rig_spend(rig, coins, N_SLOW + 1, 1, 10 * FEE_SAT);
    tx[2] = mempool_rig_pay_on(rig, &tx[0], 1, 1, FEE_SAT);
    const struct built_block *other = rig->tip;
    mempool_rig_mine(rig, tx, 3);
    other = mempool_rig_mine_on(rig, other, NULL, 0);
    mempool_rig_mine_on(rig, other, NULL, 0);
    mempool_rig_settle(rig);
    assert_true(mempool_rig_has(rig, &tx[0]) && mempool_rig_has(rig, &tx[1]));
    assert_false(mempool_rig_has(rig, &tx[2]));
    mempool_rig_free(rig);
}

/* Until that block is the tip, and not a step longer. */
static void hand_in(struct mempool_rig *rig, const struct built_block *block,
                    const struct built_block *tip)
{
    rig_submit(&rig->chain, block);
    while (!rig_is_at(&rig->chain, tip))
        assert_true(sim_env_step(rig->chain.sim));
}

/* All of a branch of n blocks but the first, which keeps them from being connected. */
static const struct built_block *store_branch(struct mempool_rig *rig,
                                              const struct built_block *fork, int32_t n)
{
    const struct built_block *last = builder_blocks(&rig->builder, fork, (size_t)n, NULL);
    rig_announce(&rig->chain, last);
    for (int32_t i = 0; i < n - 1; i++)
        rig_submit(&rig->chain, built_ancestor(last, last->height - i));
    rig_settle(&rig->chain);
    return last;
}

/* Of so many inputs that its scripts are under way for long. */
static struct tx pay_slowly(struct mempool_rig *rig, int32_t height)
{
    enum { N_INPUTS = 1000 };
    struct builder_coin coins[N_INPUTS];
    struct tx fan = mempool_rig_pay(rig, height, N_INPUTS, FEE_SAT);
    for (uint32_t i = 0; i < N_INPUTS; i++)
        coins[i] = mempool_rig_output(&fan, i);
    mempool_rig_mine(rig, &fan, 1);
    return mempool_rig_spend(rig, coins, N_INPUTS, 1, 100 * FEE_SAT);
}

/* A second reorganisation takes back the parent of what the first has put back and what still waits
 * for its turn: the child waits for its parent, which came after it and may not wait in turn for
 * the child, nor for who waits behind it. */
TEST(a_parent_comes_back_behind_its_child)
{
    enum { N_SLOW = 12 };
    for (uint32_t n_behind = 0; n_behind <= 2; n_behind++) {
        struct mempool_rig *rig = mempool_rig_new(11, 130, NULL);
        struct tx parent = mempool_rig_pay(rig, 1, 1, FEE_SAT), upper[N_SLOW + 3];
        for (int32_t i = 0; i < N_SLOW; i++)
            upper[i] = pay_slowly(rig, i + 2);
        const struct tx *child = &upper[N_SLOW];
        upper[N_SLOW] = mempool_rig_pay_on(rig, &parent, 0, 1, FEE_SAT);
        for (uint32_t i = 0; i < n_behind; i++)
            upper[N_SLOW + 1 + i] = mempool_rig_pay(rig, N_SLOW + 2 + (int32_t)i, 1, FEE_SAT);
        const struct built_block *fork = rig->tip, *first = mempool_rig_mine(rig, &parent, 1);
        mempool_rig_mine(rig, upper, N_SLOW + 1 + n_behind);
        const struct built_block *upper_branch = store_branch(rig, first, 2),
                                 *lower_branch = store_branch(rig, fork, 4);
        hand_in(rig, built_ancestor(upper_branch, first->height + 1), upper_branch);
        hand_in(rig, built_ancestor(lower_branch, fork->height + 1), lower_branch);
        assert_non_null(pool_check_find(rig->pool, &child->txid)); /* or it would show nothing */
        mempool_rig_settle(rig);
        assert_true(mempool_rig_has(rig, &parent));
        for (uint32_t i = 0; i <= N_SLOW + n_behind; i++)
            assert_true(mempool_rig_has(rig, &upper[i]));
        mempool_rig_free(rig);
    }
}

TEST(what_the_new_branch_spends_does_not_come_back, struct mempool_rig *rig)
{
    const struct built_block *fork = rig->tip;
    struct tx a = mempool_rig_pay(rig, 1, 1, FEE_SAT), b = mempool_rig_pay(rig, 1, 2, FEE_SAT);
    struct tx child = mempool_rig_pay_on(rig, &a, 0, 1, FEE_SAT);
    mempool_rig_mine(rig, &a, 1);
    assert_reject(mempool_rig_add(rig, &child), REJECT_NONE);
    const struct built_block *other = builder_block(&rig->builder, fork, NULL);
    other = mempool_rig_mine_on(rig, other, &b, 1);
    assert_true(rig_is_at(&rig->chain, other));
    assert_int_equal(mempool_count(rig->pool), 0);
    assert_int_equal(mempool_pending(rig->pool), 0);
}

/* Coins that are too young on the new tip, and locks that are closed again. */
TEST(what_became_too_early_leaves, struct mempool_rig *rig)
{
    const struct built_block *fork = rig->tip;
    mempool_rig_mine(rig, NULL, 0);
    const struct built_block *last = mempool_rig_mine(rig, NULL, 0); /* 112 */
    struct tx young = mempool_rig_pay(rig, 13, 1, FEE_SAT),
              locked = mempool_rig_pay(rig, 1, 1, FEE_SAT);
    struct tx relative = mempool_rig_pay(rig, 2, 1, FEE_SAT),
              fine = mempool_rig_pay(rig, 3, 1, FEE_SAT);
    locked.lock_time = 112;
    locked.in[0].sequence = 0;
    relative.in[0].sequence = 111; /* blocks after 2: in 113 */
    tx_finish(&locked, &rig->builder.arena);
    tx_finish(&relative, &rig->builder.arena);
    struct tx child = mempool_rig_pay_on(rig, &young, 0, 1, FEE_SAT);
    const struct tx *all[] = {&young, &locked, &relative, &fine, &child};
    for (size_t i = 0; i < COUNT_OF(all); i++)
        assert_reject(mempool_rig_add(rig, all[i]), REJECT_NONE);
    assert_reject(rig_invalidate(&rig->chain, built_ancestor(last, fork->height + 1)).code,
                  REJECT_NONE);
    mempool_rig_settle(rig);
    assert_true(rig_is_at(&rig->chain, fork));
    assert_int_equal(mempool_count(rig->pool), 1);
    assert_true(mempool_rig_has(rig, &fine));
    for (size_t i = 0; i < COUNT_OF(all); i++)
        if (all[i] != &fine)
            assert_true(mempool_rig_count(rig, MEMPOOL_REMOVED_REORG, all[i]) >= 1);
}

/* The coinbase of a block that is gone, and what spends from it. */
TEST(spends_of_a_lost_coinbase_leave, struct mempool_rig *rig)
{
    const struct built_block *at = built_ancestor(rig->tip, 5);
    struct tx tx = mempool_rig_pay(rig, 6, 1, FEE_SAT),
              child = mempool_rig_pay_on(rig, &tx, 0, 1, FEE_SAT);
    struct tx fine = mempool_rig_pay(rig, 5, 1, FEE_SAT);
    assert_reject(mempool_rig_add(rig, &tx), REJECT_NONE);
    assert_reject(mempool_rig_add(rig, &child), REJECT_NONE);
    assert_reject(mempool_rig_add(rig, &fine), REJECT_NONE);
    const struct built_block *other = builder_blocks(&rig->builder, at, 110, NULL);
    rig_accept_chain(&rig->chain, other);
    mempool_rig_settle(rig);
    assert_true(rig_is_at(&rig->chain, other));
    assert_false(mempool_rig_has(rig, &tx) || mempool_rig_has(rig, &child));
    assert_true(mempool_rig_has(rig, &fine));
    rig->tip = other;
}

/* Entries keep their time and their mark when they leave for a moment. */
TEST(entries_put_back_are_what_they_were, struct mempool_rig *rig)
{
    const struct built_block *fork = rig->tip;
    struct tx parent = mempool_rig_pay(rig, 1, 1, FEE_SAT),
              child = mempool_rig_pay_on(rig, &parent, 0, 1, FEE_SAT);
    mempool_rig_mine(rig, &parent, 1);
    struct mempool_rig_answer answer = mempool_rig_answer(rig, &child, MEMPOOL_LOCAL, 0);
    assert_reject(answer.verdict.code, REJECT_NONE);
    mempool_prioritise(rig->pool, &child.txid, -3000);
    int64_t time_s = mempool_find(rig->pool, &child.txid)->time_s;
    mempool_rig_advance_s(rig, 600);
    const struct built_block *other = builder_block(&rig->builder, fork, NULL);
    mempool_rig_mine_on(rig, other, NULL, 0);
    const struct mempool_entry *entry = mempool_find(rig->pool, &child.txid);
    assert_non_null(entry);
    assert_int_equal(entry->time_s, time_s);
    assert_true(entry->is_unbroadcast && !entry->was_in_block);
    assert_true(mempool_find(rig->pool, &parent.txid)->was_in_block);
    assert_int_equal(entry->modified_fee_sat, FEE_SAT - 3000);
    assert_int_equal(entry->n_parents, 1);
}

/* Whatever order the two branches' transactions are in, the same ones are here at the end. */
TEST(long_reorganisations_end_well, struct mempool_rig *rig)
{
    const struct built_block *fork = rig->tip;
    struct tx chain[30];
    chain[0] = mempool_rig_pay(rig, 1, 1, FEE_SAT);
    for (size_t i = 1; i < COUNT_OF(chain); i++)
        chain[i] = mempool_rig_pay_on(rig, &chain[i - 1], 0, 1, FEE_SAT);
    for (size_t i = 0; i < 20; i++)
        mempool_rig_mine(rig, &chain[i], 1);
    for (size_t i = 20; i < COUNT_OF(chain); i++)
        assert_reject(mempool_rig_add(rig, &chain[i]), REJECT_NONE);
    const struct built_block *other = builder_blocks(&rig->builder, fork, 21, NULL);
    rig_accept_chain(&rig->chain, other);
    mempool_rig_settle(rig);
    assert_true(rig_is_at(&rig->chain, other));
    for (size_t i = 0; i < COUNT_OF(chain); i++)
        assert_true(mempool_rig_has(rig, &chain[i]));
    const struct mempool_entry *last = mempool_find(rig->pool, &chain[29].txid);
    size_t n;
    const struct mempool_entry **ancestors = mempool_ancestors(rig->pool, last, &n);
    assert_int_equal(n, 29);
    xfree(ancestors);
    rig->tip = other;
}

/* Blocks that are taken back may be large; what is kept of them is bounded at any time (hazards
 * row 64). */
TEST(blocks_taken_back_are_kept_up_to_a_limit, struct mempool_rig *rig)
{
    const struct pool_putbacks *putbacks = &rig->pool->putbacks;
    const struct block_node *tip = chain_tip(rig->chain.chain);
    struct tx tx = mempool_rig_pay(rig, 1, 2, FEE_SAT);
    uint8_t *script = arena_calloc(&rig->builder.arena, 1, 900000);
    script[0] = OP_RETURN;
    tx.out[1] = (struct tx_out){.script_pubkey = span_of(script, 900000)};
    tx_finish(&tx, &rig->builder.arena);
    struct builder_spec spec = {.tx = &tx, .n_tx = 1};
    const struct built_block *block = builder_block(&rig->builder, rig->tip, &spec);
    struct block_ref *ref = block_ref_take(built_bytes(block), block->block.raw.len);
    assert_true(block_ref_decode(ref));
    for (int i = 0; i < 60; i++) {
        mempool_block_disconnected(rig->pool, tip, ref);
        assert_in_range(putbacks->block_bytes, tx.raw.len, 2 * MEMPOOL_REORG_BYTES_MAX);
    }
    assert_true(putbacks->block_bytes > MEMPOOL_REORG_BYTES_MAX);
    mempool_tip_changed(rig->pool, tip);
    assert_true(putbacks->block_bytes <= MEMPOOL_REORG_BYTES_MAX);
    assert_in_range(mempool_pending(rig->pool), 20, MEMPOOL_REORG_BYTES_MAX / tx.raw.len);
    mempool_rig_settle(rig);
    assert_int_equal(mempool_count(rig->pool), 0); /* none of them is standard */
    block_ref_drop(ref);
}

static int64_t now_us(const struct mempool_rig *rig)
{
    const struct env *env = rig->pool->env;
    return env_now_us(env);
}

static void mark(void *arg)
{
    ++*(int *)arg;
}

/* After invalidateblock the tip has less work than before: nobody waits for it to be quiet. */
TEST(who_asks_for_it_waits_for_all_to_be_back, struct mempool_rig *rig)
{
    int before = 0, first = 0, second = 0;
    mempool_settle(rig->pool, mark, &before);
    assert_int_equal(before, 1); /* nothing waits: at once */
    struct tx parent = mempool_rig_pay(rig, 1, 2, FEE_SAT),
              child = mempool_rig_pay_on(rig, &parent, 0, 1, FEE_SAT);
    const struct built_block *mined = mempool_rig_mine(rig, &parent, 1);
    mempool_rig_mine(rig, &child, 1);
    assert_reject(rig_invalidate(&rig->chain, mined).code, REJECT_NONE);
    assert_false(mempool_rig_has(rig, &parent));
    int64_t start_us = now_us(rig);
    mempool_settle(rig->pool, mark, &first);
    mempool_settle(rig->pool, mark, &second);
    assert_int_equal(first + second, 0);
    while (first == 0)
        assert_true(sim_env_step(rig->chain.sim));
    assert_int_equal(second, 1);
    assert_true(mempool_rig_has(rig, &parent) && mempool_rig_has(rig, &child));
    assert_true(now_us(rig) - start_us < 500000);
    mempool_rig_settle(rig);
    assert_int_equal(first + second, 2);
}

TEST_WITH(setup, NULL, a_mempool_that_closes_keeps_nobody_waiting, struct mempool_rig *rig)
{
    int n_waiting = 0, n_closed = 0;
    struct tx tx = mempool_rig_pay(rig, 1, 1, FEE_SAT);
    const struct built_block *mined = mempool_rig_mine(rig, &tx, 1);
    assert_reject(rig_invalidate(&rig->chain, mined).code, REJECT_NONE);
    mempool_settle(rig->pool, mark, &n_waiting);
    mempool_close(rig->pool, mark, &n_closed);
    mempool_settle(rig->pool, mark, &n_waiting);
    mempool_rig_settle(rig);
    assert_int_equal(n_waiting, 2);
    assert_int_equal(n_closed, 1);
    assert_int_equal(mempool_count(rig->pool), 0);
    mempool_rig_free_closed(rig);
}

/* An order that was given before the stop ends amid it, when the mempool is closed already. */
TEST_WITH(setup, NULL, a_block_taken_back_after_the_close_keeps_nobody_waiting,
          struct mempool_rig *rig)
{
    int n_waiting = 0, n_closed = 0;
    struct tx tx = mempool_rig_pay(rig, 1, 1, FEE_SAT),
              child = mempool_rig_pay_on(rig, &tx, 0, 1, FEE_SAT);
    const struct built_block *mined = mempool_rig_mine(rig, &tx, 1);
    assert_reject(mempool_rig_add(rig, &child), REJECT_NONE);
    mempool_close(rig->pool, mark, &n_closed);
    assert_reject(rig_invalidate(&rig->chain, mined).code, REJECT_NONE);
    mempool_settle(rig->pool, mark, &n_waiting);
    mempool_rig_settle(rig);
    assert_int_equal(n_waiting, 1);
    assert_int_equal(n_closed, 1);
    mempool_rig_free_closed(rig);
}

/* -- Random histories -------------------------------------------------------------------------- */

enum {
    COINS_MAX = 600,
    TXS_MAX = 160, /* steps of a history */
};

struct history {
    struct mempool_rig *rig;
    struct sim_random random;
    struct builder_coin coin[COINS_MAX]; /* most of them unspent */
    size_t n_coins;
    struct tx tx[TXS_MAX];
    struct mempool_rig_answer answer[TXS_MAX];
    size_t n_txs, n_harvested;
};

static uint64_t choose(struct history *h, uint64_t n)
{
    return sim_random_below(&h->random, n);
}

/* The outputs of what got in can be spent; now and then those of others are as well. */
static void harvest(struct history *h)
{
    for (; h->n_harvested < h->n_txs && h->answer[h->n_harvested].is_done; h->n_harvested++) {
        const struct tx *tx = &h->tx[h->n_harvested];
        bool is_in = h->answer[h->n_harvested].verdict.code == REJECT_NONE;
        for (uint32_t i = 0; i < tx->n_out && h->n_coins < COINS_MAX; i++)
            if (is_in || choose(h, 10) == 0)
                h->coin[h->n_coins++] = mempool_rig_output(tx, i);
    }
}

/* A coin, mostly for the last time. */
static struct builder_coin take_coin(struct history *h)
{
    size_t at = choose(h, h->n_coins);
    struct builder_coin coin = h->coin[at];
    if (choose(h, 8) > 0 && h->n_coins > 8)
        h->coin[at] = h->coin[--h->n_coins];
    return coin;
}

static void hand_in_random(struct history *h)
{
    struct builder_coin coins[3];
    uint32_t n = 1 + (uint32_t)choose(h, 3), n_out = 1 + (uint32_t)choose(h, 4);
    harvest(h);
    for (uint32_t i = 0; i < n; i++)
        coins[i] = take_coin(h);
    struct tx tx = mempool_rig_spend(h->rig, coins, n, n_out, 200 + (int64_t)choose(h, 30000));
    if (choose(h, 6) == 0) {
        tx.in[0].sequence = (uint32_t)choose(h, 110);
        tx.lock_time = (uint32_t)(chain_tip(h->rig->chain.chain)->height - 2 + (int)choose(h, 4));
        tx_finish(&tx, &h->rig->builder.arena);
    }
    ASSERT(h->n_txs < TXS_MAX);
    h->tx[h->n_txs] = tx;
    mempool_rig_submit(h->rig, &tx, 0, &h->answer[h->n_txs++]);
}

/* Copies of what a block would take. */
static struct tx *select_some(struct history *h, uint32_t *n)
{
    struct arena *arena = &h->rig->builder.arena;
    struct mempool_selection selection = {.max_weight_wu = 3000 + (uint32_t)choose(h, 100000),
                                          .max_sigops_cost = 80000};
    size_t count;
    int64_t fees_sat;
    const struct mempool_entry **list =
        mempool_select_for_block(h->rig->pool, &selection, &count, &fees_sat);
    struct tx *tx = arena_alloc(arena, (count + 1) * sizeof *tx);
    for (size_t i = 0; i < count; i++) {
        uint8_t *raw = arena_alloc(arena, list[i]->tx.raw.len);
        memcpy(raw, list[i]->tx.raw.p, list[i]->tx.raw.len);
        struct reader r = reader_of(span_of(raw, list[i]->tx.raw.len));
        assert_true(tx_decode(&r, arena, true, &tx[i]));
    }
    xfree(list);
    *n = (uint32_t)count;
    return tx;
}

/* A branch of empty blocks that wins. */
static void reorganise(struct history *h, int32_t depth)
{
    struct mempool_rig *rig = h->rig;
    const struct built_block *fork = built_ancestor(rig->tip, rig->tip->height - depth);
    rig->tip = builder_blocks(&rig->builder, fork, (size_t)depth + 1, NULL);
    for (int32_t height = fork->height + 1; height <= rig->tip->height; height++) {
        struct verdict verdict;
        const struct built_block *block = built_ancestor(rig->tip, height);
        (void)chain_accept_header(rig->chain.chain, &block->block.header, &verdict);
    }
    for (int32_t height = fork->height + 1; height <= rig->tip->height; height++)
        rig_submit(&rig->chain, built_ancestor(rig->tip, height));
    sim_env_run_for(rig->chain.sim, (int64_t)choose(h, 20000));
}

struct judgement {
    bool is_done;
    struct verdict verdict;
};

static void judged(void *arg, const struct verdict *verdict)
{
    *(struct judgement *)arg = (struct judgement){.is_done = true, .verdict = *verdict};
}

/* The invariant that counts: whatever happened, all that is here can be mined on the tip. */
static void assert_all_can_be_mined(struct history *h)
{
    struct mempool_rig *rig = h->rig;
    struct block_assembler_options options = block_assembler_default_options();
    struct block_template template;
    struct judgement answer = {0};
    rig_settle(&rig->chain); /* not until all is put back: the middle counts as well */
    mempool_verify(rig->pool);
    block_assemble(rig->chain.chain, rig->pool, &options, 0, &template);
    assert_int_equal(template.n_tx, mempool_count(rig->pool));
    struct block_ref *ref =
        block_template_build(rig->chain.chain, &template, builder_script_bytes(BUILDER_WSH_TRUE));
    block_template_deinit(&template);
    chain_test_block(rig->chain.chain, ref, judged, &answer);
    rig_wait(&rig->chain, &answer.is_done);
    if (answer.verdict.code != REJECT_PREVBLK_NOT_BEST)
        assert_reject(answer.verdict.code, REJECT_NONE);
    block_ref_drop(ref);
}

static void step(struct history *h)
{
    uint32_t n = 0;
    switch (choose(h, 12)) {
    case 0: {
        rig_settle(&h->rig->chain);
        const struct tx *tx = select_some(h, &n);
        mempool_rig_mine(h->rig, tx, n);
        break;
    }
    case 1:
        reorganise(h, 1 + (int32_t)choose(h, 4));
        break;
    case 2:
        assert_all_can_be_mined(h);
        break;
    case 3:
        sim_env_run_for(h->rig->chain.sim, (int64_t)choose(h, 2000));
        break;
    default:
        hand_in_random(h);
        break;
    }
}

TEST(whatever_happens_all_that_waits_can_be_mined)
{
    size_t n_in = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct mempool_options options = mempool_default_options();
        options.max_bytes = seed % 3 == 0 ? 40000 : 1000000;
        struct history *h = test_calloc(1, sizeof *h);
        h->rig = mempool_rig_new(seed, 112, &options);
        h->random = sim_random_of(seed, 7);
        for (int32_t height = 1; height <= 14; height++)
            h->coin[h->n_coins++] = mempool_rig_coin(h->rig, height);
        for (int i = 0; i < TXS_MAX; i++)
            step(h);
        mempool_rig_settle(h->rig);
        assert_all_can_be_mined(h);
        for (size_t i = 0; i < h->n_txs; i++) {
            assert_true(h->answer[i].is_done);
            n_in += h->answer[i].verdict.code == REJECT_NONE;
        }
        mempool_rig_free(h->rig);
        test_free(h);
    }
    assert_true(n_in > 400);
}
