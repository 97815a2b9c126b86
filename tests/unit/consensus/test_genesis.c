/* test_genesis.c - first blocks of one's own. */
#include "consensus/genesis.h"
#include "consensus/merkle.h"
#include "consensus/pow.h"
#include "support/arena_fixture.h"

FIXTURE(arena_setup, arena_teardown)

TEST(the_block_says_what_it_is_told, struct arena *arena)
{
    const struct genesis genesis = {.message = "hello", .time = 5, .bits = 0x207fffff, .nonce = 9};
    struct block block;
    struct block_hash hash;
    uint8_t root[32];
    struct span raw = genesis_encode(&genesis, arena, &hash);
    assert_true(block_decode(raw, arena, &block));
    assert_memory_equal(&hash, &block.hash, sizeof hash);
    assert_int_equal(block.header.version, 1);
    assert_int_equal(block.header.time, 5);
    assert_int_equal(block.header.bits, 0x207fffff);
    assert_int_equal(block.header.nonce, 9);
    assert_int_equal(block.n_tx, 1);
    assert_true(tx_is_coinbase(&block.tx[0]));
    assert_int_equal(block.tx[0].out[0].value_sat, 0);
    struct span script = block.tx[0].in[0].script_sig;
    assert_int_equal(script.len, 7 + 1 + 5);
    assert_memory_equal(script.p + 8, "hello", 5);
    assert_false(block_merkle_root(&block, arena, root));
    assert_memory_equal(root, block.header.merkle_root, 32);
}

TEST(the_longest_message_fits_into_a_coinbase, struct arena *arena)
{
    char message[GENESIS_MESSAGE_BYTES_MAX + 1];
    memset(message, 'x', GENESIS_MESSAGE_BYTES_MAX);
    message[GENESIS_MESSAGE_BYTES_MAX] = '\0';
    const struct genesis genesis = {.message = message, .bits = 0x207fffff};
    struct block block;
    struct block_hash hash;
    assert_true(block_decode(genesis_encode(&genesis, arena, &hash), arena, &block));
    assert_true(block.tx[0].in[0].script_sig.len <= 100);
}

TEST(mining_finds_the_first_nonce, struct arena *arena)
{
    const struct network *network = network_get(NETWORK_REGTEST);
    struct genesis genesis = {.message = "m", .time = 1, .bits = 0x2000ffff};
    struct block_hash hash;
    assert_true(genesis_mine(network, &genesis, arena));
    uint32_t found = genesis.nonce;
    for (genesis.nonce = 0; genesis.nonce <= found; genesis.nonce++) {
        (void)genesis_encode(&genesis, arena, &hash);
        assert_int_equal(pow_check(network, &hash, genesis.bits), genesis.nonce == found);
    }
}

TEST(mining_ends_after_the_last_nonce, struct arena *arena)
{
    struct genesis genesis = {
        .message = "m", .time = 1, .bits = 0x03000001, .nonce = UINT32_MAX - 2};
    assert_false(genesis_mine(network_get(NETWORK_REGTEST), &genesis, arena));
}
