/* test_chain_builder.c - what the tests of the chain are made of is itself valid. */
#include "consensus/block_check.h"
#include "support/chain_builder.h"
#include "support/unit.h"

static void assert_valid(const struct chain_builder *b, const struct built_block *made)
{
    struct arena scratch;
    arena_init(&scratch, 4096);
    struct verdict verdict;
    assert_true(block_check(&made->block, &b->network, BLOCK_CHECK_ALL, &scratch, &verdict));
    assert_true(block_check_context(&made->block, &b->network, made->height,
                                    made->block.header.time - 1, &scratch, &verdict));
    arena_deinit(&scratch);
}

TEST(blocks_are_valid_by_themselves)
{
    struct chain_builder b;
    chain_builder_init(&b);
    const struct built_block *blocks[30];
    const struct built_block *last = builder_blocks(&b, b.genesis, 30, blocks);
    assert_int_equal(last->height, 30);
    for (size_t i = 0; i < 30; i++)
        assert_valid(&b, blocks[i]);
    assert_ptr_equal(built_ancestor(last, 7), blocks[6]);
    chain_builder_deinit(&b);
}

TEST(two_blocks_on_one_parent_differ)
{
    struct chain_builder b;
    chain_builder_init(&b);
    const struct built_block *one = builder_block(&b, b.genesis, NULL);
    const struct built_block *other = builder_block(&b, b.genesis, NULL);
    assert_false(block_hash_equal(&one->block.hash, &other->block.hash));
    assert_false(txid_equal(&one->block.tx[0].txid, &other->block.tx[0].txid));
    chain_builder_deinit(&b);
}

TEST(transactions_with_witness_get_a_commitment)
{
    struct chain_builder b;
    chain_builder_init(&b);
    struct builder_spec to_wsh = {.coinbase_script = BUILDER_WSH_TRUE};
    const struct built_block *first = builder_block(&b, b.genesis, &to_wsh);
    struct builder_coin coin = builder_coinbase_coin(first);
    assert_int_equal(coin.script, BUILDER_WSH_TRUE);
    struct tx tx = builder_spend(&b, &coin, 1, 3, 1000, BUILDER_LONG);
    assert_true(tx.has_witness);
    assert_int_equal(tx.out[0].value_sat + 2 * tx.out[1].value_sat, coin.value_sat - 1000);
    struct builder_spec spec = {.tx = &tx, .n_tx = 1, .extra_sat = 1000};
    const struct built_block *second = builder_block(&b, first, &spec);
    assert_int_equal(second->block.n_tx, 2);
    assert_int_not_equal(block_commitment_index(&second->block), BLOCK_COMMITMENT_NONE);
    assert_valid(&b, second);
    chain_builder_deinit(&b);
}
