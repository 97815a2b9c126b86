/* test_spenderindex.c - who spent an output, through reorganisations and crashes. */
#include <errno.h>

#include "support/chain_inside.h"
#include "support/rig_fixture.h"

enum { N_BASE = 110 };

static int setup(void **state)
{
    struct fixture *f = fixture_new(state);
    f->options.spender_index = true;
    return fixture_before(f, N_BASE);
}

FIXTURE(setup, rig_teardown)

struct answer {
    bool is_done, is_spent;
    int error;
    struct block_hash hash;
    struct txid txid;
};

static void note_found(void *arg, int error, const struct chain_spender *spender)
{
    struct answer *answer = arg;
    assert_false(answer->is_done);
    *answer = (struct answer){.is_done = true, .error = error, .is_spent = spender != NULL};
    if (spender) {
        answer->hash = spender->node->hash;
        answer->txid = spender->tx->txid;
    }
}

static struct answer find_in(struct chain_rig *rig, const struct outpoint *outpoint)
{
    struct answer answer = {0};
    chain_find_spender(rig->chain, outpoint, note_found, &answer);
    rig_wait(rig, &answer.is_done);
    assert_int_equal(answer.error, 0);
    return answer;
}

static void assert_spent(struct chain_rig *rig, const struct outpoint *outpoint,
                         const struct tx *tx, const struct built_block *block)
{
    struct answer answer = find_in(rig, outpoint);
    assert_true(answer.is_spent);
    assert_memory_equal(answer.txid.b, tx->txid.b, 32);
    assert_memory_equal(answer.hash.b, block->block.hash.b, 32);
}

/* The coinbase of height 1 is spent in that block, by that transaction. */
static void assert_spent_in(struct fixture *f, struct chain_rig *rig, const struct tx *tx,
                            const struct built_block *block)
{
    struct builder_coin coin = builder_coinbase_coin(built_ancestor(f->base, 1));
    assert_spent(rig, &coin.outpoint, tx, block);
}

static void assert_unspent(struct fixture *f, struct chain_rig *rig, int32_t height)
{
    struct builder_coin coin = builder_coinbase_coin(built_ancestor(f->base, height));
    assert_false(find_in(rig, &coin.outpoint).is_spent);
}

static void assert_synced(const struct chain_rig *rig, int32_t want)
{
    bool synced = false;
    int32_t height = -1;
    assert_true(chain_spenderindex_status(rig->chain, &synced, &height));
    assert_true(synced);
    assert_int_equal(height, want);
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

TEST(spenders_are_found_as_soon_as_they_are_mined, struct fixture *f)
{
    rig_accept_chain(&f->rig, f->base);
    assert_unspent(f, &f->rig, 1);
    struct tx tx;
    const struct built_block *block = with_tx(f, f->base, 1, &tx);
    assert_true(rig_accept(&f->rig, block).is_connected);
    assert_spent_in(f, &f->rig, &tx, block);
    assert_unspent(f, &f->rig, 2);
    struct outpoint other = {.txid = built_ancestor(f->base, 1)->block.txids[0], .vout = 1};
    assert_false(find_in(&f->rig, &other).is_spent);
    assert_synced(&f->rig, N_BASE + 1);
}

TEST(every_input_has_its_row, struct fixture *f)
{
    rig_accept_chain(&f->rig, f->base);
    struct builder_coin coins[3];
    for (int32_t i = 0; i < 3; i++)
        coins[i] = builder_coinbase_coin(built_ancestor(f->base, i + 1));
    struct tx txs[2];
    txs[0] = builder_spend(&f->b, coins, 3, 2, 100, BUILDER_TRUE);
    struct builder_coin next = builder_coin_of(&txs[0], 1, BUILDER_TRUE);
    txs[1] = builder_spend(&f->b, &next, 1, 1, 100, BUILDER_TRUE);
    struct builder_spec spec = {.tx = txs, .n_tx = 2};
    const struct built_block *block = builder_block(&f->b, f->base, &spec);
    assert_true(rig_accept(&f->rig, block).is_connected);
    for (size_t i = 0; i < 3; i++)
        assert_spent(&f->rig, &coins[i].outpoint, &txs[0], block);
    assert_spent(&f->rig, &next.outpoint, &txs[1], block);
    struct outpoint unspent = {.txid = txs[0].txid, .vout = 0};
    assert_false(find_in(&f->rig, &unspent).is_spent);
}

TEST(a_reorganisation_changes_the_spender, struct fixture *f)
{
    rig_accept_chain(&f->rig, f->base);
    struct tx tx_a, tx_b;
    const struct built_block *a = with_tx(f, f->base, 1, &tx_a);
    rig_accept_chain(&f->rig, a);
    assert_spent_in(f, &f->rig, &tx_a, a);
    const struct built_block *b = with_tx(f, builder_block(&f->b, f->base, NULL), 2, &tx_b);
    rig_accept_chain(&f->rig, b);
    assert_true(rig_is_at(&f->rig, b));
    assert_spent_in(f, &f->rig, &tx_b, b);
    /* And back. */
    const struct built_block *a3 = builder_blocks(&f->b, a, 2, NULL);
    rig_accept_chain(&f->rig, a3);
    assert_true(rig_is_at(&f->rig, a3));
    assert_spent_in(f, &f->rig, &tx_a, a);
    assert_synced(&f->rig, N_BASE + 3);
}

TEST(a_block_taken_back_counts_until_another_is_connected, struct fixture *f)
{
    struct tx tx;
    const struct built_block *block = with_tx(f, f->base, 1, &tx);
    rig_accept_chain(&f->rig, block);
    assert_int_equal(rig_invalidate(&f->rig, block).code, REJECT_NONE);
    rig_settle(&f->rig);
    assert_spent_in(f, &f->rig, &tx, block);
    assert_synced(&f->rig, N_BASE + 1);
    rig_accept_chain(&f->rig, builder_block(&f->b, f->base, NULL));
    assert_unspent(f, &f->rig, 1);
    assert_synced(&f->rig, N_BASE + 1);
}

TEST(an_index_switched_on_later_catches_up, struct fixture *f)
{
    struct chain_rig later;
    struct tx tx;
    const struct built_block *block = with_tx(f, f->base, 1, &tx);
    rig_start(&later, 3, &f->b, NULL);
    rig_accept_chain(&later, block);
    assert_int_equal(rig_close(&later), 0);
    later.options.spender_index = true;
    rig_open(&later);
    /* Not built: no answer rather than a wrong one. */
    struct answer answer = {0};
    struct builder_coin coin = builder_coinbase_coin(built_ancestor(f->base, 1));
    chain_find_spender(later.chain, &coin.outpoint, note_found, &answer);
    assert_true(answer.is_done);
    assert_int_equal(answer.error, -EAGAIN);
    rig_settle(&later);
    assert_spent_in(f, &later, &tx, block);
    assert_int_equal(rig_close(&later), 0);
    rig_open(&later);
    assert_synced(&later, N_BASE + 1); /* nothing was left to do */
    assert_spent_in(f, &later, &tx, block);
    rig_deinit(&later);
}

TEST(a_store_of_another_make_is_refused, struct fixture *f)
{
    assert_int_equal(rig_close(&f->rig), 0);
    const struct env *env = sim_env_get(f->rig.sim);
    struct env_kv_options options = {0};
    struct env_kv *kv = NULL;
    char *detail = NULL, *error = NULL;
    static const char path[] = "regtest/indexes/txospenderindex/db";
    assert_int_equal(env_kv_destroy(env, path), 0);
    assert_int_equal(env_kv_open(env, path, &options, &kv, &detail), 0);
    struct env_batch *batch = env_batch_new(env);
    env_batch_put(env, batch, span_of("x", 1), span_of("y", 1));
    assert_int_equal(env_kv_write(env, kv, batch, true), 0);
    env_batch_free(env, batch);
    env_kv_close(env, kv);
    struct chain_options chain_options = f->options;
    chain_options.data_dir = "regtest";
    chain_options.cache_bytes = 4 << 20;
    struct chain *chain =
        chain_new(env, NULL, &f->rig.network, &chain_options, &(struct chain_events){0});
    assert_false(chain_open(chain, &error));
    assert_non_null(strstr(error, "Cannot open the index of spenders"));
    xfree(error);
    chain_free(chain);
}

/* Put one row into the closed store. */
static void put_row(struct fixture *f, const char *path, const char *key, struct span value)
{
    const struct env *env = sim_env_get(f->rig.sim);
    struct env_kv_options options = {0};
    struct env_kv *kv;
    assert_int_equal(env_kv_open(env, path, &options, &kv, NULL), 0);
    struct env_batch *batch = env_batch_new(env);
    env_batch_put(env, batch, span_of_string(key), value);
    assert_int_equal(env_kv_write(env, kv, batch, true), 0);
    env_batch_free(env, batch);
    env_kv_close(env, kv);
}

/* Without its own key no row can be found: all is made anew, with one warning. */
TEST(a_damaged_key_of_the_store_makes_it_anew, struct fixture *f)
{
    struct tx tx;
    rig_accept_chain(&f->rig, f->base);
    const struct built_block *block = with_tx(f, f->base, 1, &tx);
    assert_true(rig_accept(&f->rig, block).is_connected);
    assert_int_equal(rig_close(&f->rig), 0);
    put_row(f, "regtest/indexes/txospenderindex/db", "K", span_of("xxx", 3));
    rig_open(&f->rig);
    rig_settle(&f->rig);
    assert_int_equal(f->rig.n_warnings, 1);
    assert_non_null(strstr(f->rig.warning, "built again"));
    assert_spent_in(f, &f->rig, &tx, block);
    assert_unspent(f, &f->rig, 2);
    assert_synced(&f->rig, N_BASE + 1);
    assert_int_equal(f->rig.n_faults, 0);
}
