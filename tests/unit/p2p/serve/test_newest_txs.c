/* test_newest_txs.c - the newest block's transactions are found, and no others. */
#include "p2p/serve/newest_txs.h"
#include "support/chain_builder.h"
#include "support/unit.h"
#include "util/alloc.h"

struct world {
    struct chain_builder builder;
    struct newest_txs newest;
    const struct built_block *base; /* with a coin to spend at height 1 and 2 */
};

static int setup(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);
    chain_builder_init(&w->builder);
    newest_txs_init(&w->newest, (struct siphash_key){1, 2});
    w->base = builder_blocks(&w->builder, w->builder.genesis, 101, NULL);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    newest_txs_deinit(&w->newest);
    chain_builder_deinit(&w->builder);
    xfree(w);
    return 0;
}

FIXTURE(setup, teardown)

static struct tx spend(struct world *w, int32_t height)
{
    struct builder_coin coin = builder_coinbase_coin(built_ancestor(w->base, height));
    return builder_spend(&w->builder, &coin, 1, 2, 1000, BUILDER_WSH_TRUE);
}

/* A block with that transaction, as the chain hands it on. */
static struct block_ref *block_with(struct world *w, struct tx *tx)
{
    struct builder_spec spec = {.tx = tx, .n_tx = 1};
    struct span raw = builder_block(&w->builder, w->base, &spec)->block.raw;
    struct block_ref *ref = block_ref_take(xmemdup(raw.p, raw.len), raw.len);
    assert_true(block_ref_decode(ref));
    return ref;
}

static bool has(const struct world *w, const struct tx *tx)
{
    const struct tx *by_txid = newest_txs_find(&w->newest, tx->txid.b, false);
    const struct tx *by_wtxid = newest_txs_find(&w->newest, tx->wtxid.b, true);
    assert_ptr_equal(by_txid, by_wtxid);
    assert_true(!by_txid || memcmp(by_txid->wtxid.b, tx->wtxid.b, 32) == 0);
    return by_txid != NULL;
}

TEST(each_block_takes_the_place_of_the_one_before, struct world *w)
{
    struct tx a = spend(w, 1), b = spend(w, 2);
    assert_false(has(w, &a));
    struct block_ref *first = block_with(w, &a), *second = block_with(w, &b);
    newest_txs_connected(&w->newest, first);
    assert_true(has(w, &a) && has(w, &first->block.tx[0]));
    assert_false(has(w, &b));
    newest_txs_connected(&w->newest, second);
    assert_true(has(w, &b));
    assert_false(has(w, &a));
    block_ref_drop(first);
    block_ref_drop(second);
}

TEST(what_was_taken_back_stays_until_the_chain_grows_again, struct world *w)
{
    struct tx a = spend(w, 1), b = spend(w, 2);
    struct block_ref *lost = block_with(w, &a), *won = block_with(w, &b);
    newest_txs_connected(&w->newest, lost);
    newest_txs_disconnected(&w->newest, lost);
    newest_txs_connected(&w->newest, won);
    assert_true(has(w, &a));
    newest_txs_settled(&w->newest);
    assert_true(has(w, &a));
    newest_txs_connected(&w->newest, won);
    assert_true(has(w, &b));
    assert_false(has(w, &a));
    block_ref_drop(lost);
    block_ref_drop(won);
}

TEST(an_id_is_of_its_kind, struct world *w)
{
    struct tx parent = spend(w, 1);
    struct builder_coin coin = builder_coin_of(&parent, 0, BUILDER_WSH_TRUE);
    struct tx a = builder_spend(&w->builder, &coin, 1, 1, 1000, BUILDER_WSH_TRUE);
    struct block_ref *block = block_with(w, &a);
    assert_memory_not_equal(a.txid.b, a.wtxid.b, 32);
    newest_txs_connected(&w->newest, block);
    assert_true(has(w, &a));
    assert_null(newest_txs_find(&w->newest, a.txid.b, true));
    assert_null(newest_txs_find(&w->newest, a.wtxid.b, false));
    block_ref_drop(block);
}
