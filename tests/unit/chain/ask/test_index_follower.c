/* test_index_follower.c - what holds for every index: it follows the tip, through restarts,
 * crashes, damage and closing. Each test is run with each kind. */
#include <errno.h>

#include "chain/ask/index_store.h"
#include "support/rig_fixture.h"
#include "util/buffer.h"

enum { N_BASE = 110 };

struct answer {
    bool is_done, is_found;
    int error;
    struct block_hash hash; /* of the transaction's block */
};

static void note(struct answer *answer, int error, const struct block_node *node)
{
    assert_false(answer->is_done);
    *answer = (struct answer){.is_done = true, .is_found = node != NULL, .error = error};
    if (node)
        answer->hash = node->hash;
}

static void note_tx(void *arg, int error, const struct chain_tx *found)
{
    note(arg, error, found ? found->node : NULL);
}

static void note_spender(void *arg, int error, const struct chain_spender *spender)
{
    note(arg, error, spender ? spender->node : NULL);
}

static void ask_tx(struct chain *chain, const struct tx *tx, struct answer *answer)
{
    chain_find_tx(chain, &tx->txid, note_tx, answer);
}

static void ask_spender(struct chain *chain, const struct tx *tx, struct answer *answer)
{
    chain_find_spender(chain, &tx->in[0].prevout, note_spender, answer);
}

static const struct kind {
    const char *path, *name;
    bool txindex, spender_index;
    /* In which block is that transaction, by this index? */
    void (*ask)(struct chain *chain, const struct tx *tx, struct answer *answer);
    bool (*status)(const struct chain *chain, bool *synced, int32_t *height);
} kinds[] = {
    {"regtest/indexes/txindex", "transaction index", true, false, ask_tx, chain_txindex_status},
    {"regtest/indexes/txospenderindex/db", "index of spenders", false, true, ask_spender,
     chain_spenderindex_status},
};

static int setup(void **state)
{
    struct fixture *f = fixture_new(state);
    f->base = builder_blocks(&f->b, f->b.genesis, N_BASE, NULL);
    return 0;
}

FIXTURE(setup, rig_teardown)

static void switch_on(struct chain_options *options, const struct kind *kind)
{
    options->txindex = kind->txindex;
    options->spender_index = kind->spender_index;
    options->check_invariants = true;
}

/* A chain with that index, at the base. The one of the kind before is gone. */
static void start(struct fixture *f, const struct kind *kind)
{
    if (f->rig.sim)
        rig_deinit(&f->rig);
    switch_on(&f->options, kind);
    rig_start(&f->rig, 1, &f->b, &f->options);
    rig_accept_chain(&f->rig, f->base);
}

/* A block with a transaction that spends the coinbase of height 1. */
static const struct built_block *with_tx(struct fixture *f, const struct built_block *prev,
                                         uint32_t n_out, struct tx *tx)
{
    struct builder_coin coin = builder_coinbase_coin(built_ancestor(f->base, 1));
    *tx = builder_spend(&f->b, &coin, 1, n_out, 100, BUILDER_TRUE);
    struct builder_spec spec = {.tx = tx, .n_tx = 1};
    return builder_block(&f->b, prev, &spec);
}

static struct answer ask(struct chain_rig *rig, const struct kind *kind, const struct tx *tx)
{
    struct answer answer = {0};
    kind->ask(rig->chain, tx, &answer);
    rig_wait(rig, &answer.is_done);
    return answer;
}

static void assert_in_block(struct chain_rig *rig, const struct kind *kind, const struct tx *tx,
                            const struct built_block *block)
{
    struct answer answer = ask(rig, kind, tx);
    assert_int_equal(answer.error, 0);
    assert_true(answer.is_found);
    assert_memory_equal(answer.hash.b, block->block.hash.b, 32);
}

static void assert_synced(const struct chain_rig *rig, const struct kind *kind, int32_t want)
{
    bool synced = false;
    int32_t height = -1;
    assert_true(kind->status(rig->chain, &synced, &height));
    assert_true(synced);
    assert_int_equal(height, want);
}

TEST(without_an_index_there_is_no_answer, struct fixture *f)
{
    rig_start(&f->rig, 2, &f->b, NULL);
    for (const struct kind *kind = kinds; kind < kinds + COUNT_OF(kinds); kind++) {
        struct answer answer = {0};
        struct tx tx;
        bool synced;
        int32_t height;
        (void)with_tx(f, f->base, 1, &tx);
        kind->ask(f->rig.chain, &tx, &answer);
        assert_true(answer.is_done); /* within the call */
        assert_int_equal(answer.error, -ENOSYS);
        assert_false(kind->status(f->rig.chain, &synced, &height));
    }
}

TEST(what_was_just_mined_is_found_at_once, struct fixture *f)
{
    for (const struct kind *kind = kinds; kind < kinds + COUNT_OF(kinds); kind++) {
        struct tx tx;
        const struct built_block *block = with_tx(f, f->base, 1, &tx);
        start(f, kind);
        assert_false(ask(&f->rig, kind, &tx).is_found);
        assert_true(rig_accept(&f->rig, block).is_connected);
        assert_in_block(&f->rig, kind, &tx, block);
        assert_synced(&f->rig, kind, N_BASE + 1);
    }
}

/* As in Core: getindexinfo goes on showing the height of the block that was taken back. */
TEST(a_block_taken_back_stays_until_another_is_connected, struct fixture *f)
{
    for (const struct kind *kind = kinds; kind < kinds + COUNT_OF(kinds); kind++) {
        struct tx tx;
        const struct built_block *block = with_tx(f, f->base, 1, &tx);
        start(f, kind);
        rig_accept_chain(&f->rig, block);
        assert_int_equal(rig_invalidate(&f->rig, block).code, REJECT_NONE);
        rig_settle(&f->rig);
        assert_synced(&f->rig, kind, N_BASE + 1);
        rig_accept_chain(&f->rig, builder_blocks(&f->b, f->base, 2, NULL));
        assert_false(ask(&f->rig, kind, &tx).is_found);
        assert_synced(&f->rig, kind, N_BASE + 2);
    }
}

TEST(an_index_switched_on_later_catches_up, struct fixture *f)
{
    for (const struct kind *kind = kinds; kind < kinds + COUNT_OF(kinds); kind++) {
        struct chain_rig later;
        struct tx tx;
        rig_start(&later, 3, &f->b, NULL);
        rig_accept_chain(&later, f->base);
        assert_int_equal(rig_close(&later), 0);
        switch_on(&later.options, kind);
        rig_open(&later);
        rig_settle(&later);
        assert_synced(&later, kind, N_BASE);
        /* Off, on again with more blocks and another branch. */
        assert_int_equal(rig_close(&later), 0);
        later.options.txindex = later.options.spender_index = false;
        rig_open(&later);
        const struct built_block *other =
            with_tx(f, builder_blocks(&f->b, built_ancestor(f->base, N_BASE - 5), 9, NULL), 1, &tx);
        rig_accept_chain(&later, other);
        assert_int_equal(rig_close(&later), 0);
        switch_on(&later.options, kind);
        rig_open(&later);
        rig_settle(&later);
        assert_synced(&later, kind, other->height);
        assert_in_block(&later, kind, &tx, other);
        rig_deinit(&later);
    }
}

TEST(a_restart_goes_on_where_the_index_was, struct fixture *f)
{
    for (const struct kind *kind = kinds; kind < kinds + COUNT_OF(kinds); kind++) {
        start(f, kind);
        assert_int_equal(rig_close(&f->rig), 0);
        rig_open(&f->rig);
        assert_synced(&f->rig, kind, N_BASE); /* nothing was left to do */
    }
}

/* Put one row into the closed store. */
static void put_row(struct fixture *f, const struct kind *kind, const char *key, struct span value)
{
    const struct env *env = sim_env_get(f->rig.sim);
    struct env_kv_options options = {0};
    struct env_kv *kv;
    assert_int_equal(env_kv_open(env, kind->path, &options, &kv, NULL), 0);
    struct env_batch *batch = env_batch_new(env);
    env_batch_put(env, batch, span_of_string(key), value);
    assert_int_equal(env_kv_write(env, kv, batch, true), 0);
    env_batch_free(env, batch);
    env_kv_close(env, kv);
}

/* Damage met at the start: the index is made anew by itself, with one warning. */
TEST(a_damaged_index_is_made_anew, struct fixture *f)
{
    static const char *const keys[] = {"v", "B"};
    for (const struct kind *kind = kinds; kind < kinds + COUNT_OF(kinds); kind++) {
        struct tx tx;
        const struct built_block *block = with_tx(f, f->base, 1, &tx);
        start(f, kind);
        assert_true(rig_accept(&f->rig, block).is_connected);
        for (size_t i = 0; i < COUNT_OF(keys); i++) {
            assert_int_equal(rig_close(&f->rig), 0);
            put_row(f, kind, keys[i], span_of("xxx", 3));
            size_t n = f->rig.n_warnings;
            rig_open(&f->rig);
            rig_settle(&f->rig);
            assert_int_equal(f->rig.n_warnings, n + 1);
            assert_non_null(strstr(f->rig.warning, "built again"));
            assert_non_null(strstr(f->rig.warning, kind->name));
            assert_in_block(&f->rig, kind, &tx, block);
            assert_synced(&f->rig, kind, N_BASE + 1);
        }
        assert_int_equal(f->rig.n_faults, 0);
    }
}

/* A disk that damages it again and again is not written to for ever. */
TEST(an_index_that_is_damaged_again_and_again_stops_the_node, struct fixture *f)
{
    struct tx tx;
    const struct built_block *block = with_tx(f, f->base, 1, &tx);
    start(f, &kinds[0]);
    assert_true(rig_accept(&f->rig, block).is_connected);
    for (int i = 0; i <= INDEX_REBUILDS_MAX; i++) {
        assert_int_equal(f->rig.n_faults, 0);
        sim_disk_fail(sim_env_disk(f->rig.sim), SIM_OP_READ, 0, -EUCLEAN, false);
        assert_int_equal(ask(&f->rig, &kinds[0], &tx).error, -EUCLEAN);
        rig_settle(&f->rig);
    }
    assert_int_equal(f->rig.n_faults, 1);
    assert_non_null(strstr(f->rig.fault, "again and again"));
    assert_int_equal(rig_close(&f->rig), -EIO);
}

TEST(closing_answers_everybody, struct fixture *f)
{
    for (const struct kind *kind = kinds; kind < kinds + COUNT_OF(kinds); kind++) {
        struct answer answers[3] = {{0}};
        struct tx tx;
        const struct built_block *block = with_tx(f, f->base, 1, &tx);
        start(f, kind);
        assert_true(rig_accept(&f->rig, block).is_connected);
        for (size_t i = 0; i < COUNT_OF(answers); i++)
            kind->ask(f->rig.chain, &tx, &answers[i]);
        assert_int_equal(rig_close(&f->rig), 0);
        for (size_t i = 0; i < COUNT_OF(answers); i++)
            assert_true(answers[i].is_done);
        rig_open(&f->rig);
        rig_settle(&f->rig);
        assert_in_block(&f->rig, kind, &tx, block);
    }
}

/* One crash after so many steps amid a reorganisation from a to b. */
static void crash_once(struct fixture *f, const struct kind *kind, enum sim_crash how,
                       uint64_t steps, const struct built_block *a, const struct built_block *b)
{
    struct chain_rig rig;
    rig_init(&rig, sim_env_crash(f->rig.sim, SIM_CRASH_KILLED, steps), &f->b, &f->options);
    rig_open(&rig);
    rig_accept_chain(&rig, steps % 2 ? a : f->base);
    rig_announce(&rig, b);
    for (int32_t at = N_BASE + 1; at <= b->height; at++)
        rig_submit(&rig, built_ancestor(b, at));
    for (uint64_t i = 0; i < steps; i++)
        (void)sim_env_step(rig.sim);
    rig_crash(&rig, how, steps);
    rig_open(&rig);
    int32_t height = 0;
    bool synced;
    assert_true(kind->status(rig.chain, &synced, &height));
    assert_true(height <= chain_tip(rig.chain)->height);
    rig_accept_chain(&rig, b);
    struct tx *tx = (struct tx *)&built_ancestor(b, N_BASE + 2)->block.tx[1];
    assert_in_block(&rig, kind, tx, built_ancestor(b, N_BASE + 2));
    assert_synced(&rig, kind, b->height);
    rig_deinit(&rig);
}

/* The index never stands for a block that the chain has lost: hazard 76. */
TEST(after_a_crash_the_index_is_not_ahead_of_the_coins, struct fixture *f)
{
    struct tx tx_a, tx_b;
    const struct built_block *a = builder_blocks(&f->b, with_tx(f, f->base, 1, &tx_a), 5, NULL);
    const struct built_block *b = builder_block(&f->b, f->base, NULL);
    b = builder_blocks(&f->b, with_tx(f, b, 2, &tx_b), 6, NULL);
    for (const struct kind *kind = kinds; kind < kinds + COUNT_OF(kinds); kind++) {
        start(f, kind);
        assert_int_equal(rig_flush(&f->rig), 0);
        for (int how = SIM_CRASH_KILLED; how <= SIM_CRASH_LOST; how++)
            for (uint64_t steps = 0; steps < 400; steps += 23)
                crash_once(f, kind, (enum sim_crash)how, steps, a, b);
    }
}
