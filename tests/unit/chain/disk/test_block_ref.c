/* test_block_ref.c - the shared block lives until its last holder lets go. */
#include <malloc.h>

#include "chain/disk/block_ref.h"
#include "support/hex_bytes.h"
#include "support/unit.h"
#include "util/alloc.h"

/* Mainnet's first block. */
static const char genesis[] =
    "01000000000000000000000000000000000000000000000000000000000000000000000"
    "03ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c"
    "0101000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d"
    "04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e20"
    "6272696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a0100"
    "00004341"
    "04678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504"
    "e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000";

static uint8_t *genesis_raw(size_t *len)
{
    uint8_t *raw = xmalloc(400);
    *len = hex_bytes(genesis, raw, 400);
    return raw;
}

TEST(a_held_block_stays_readable_until_the_last_drop)
{
    size_t len;
    uint8_t *raw = genesis_raw(&len);
    struct block_ref *ref = block_ref_take(raw, len);
    assert_true(block_ref_decode(ref));
    assert_int_equal(ref->block.n_tx, 1);
    assert_ptr_equal(ref->block.raw.p, raw);
    struct block_ref *second = block_ref_hold(ref);
    assert_ptr_equal(second, ref);
    block_ref_drop(ref);
    /* AddressSanitizer is the judge of this read and, at the end, of leaks. */
    assert_int_equal(second->block.tx[0].out[0].value_sat, 50 * COIN_SAT);
    assert_hex(second->block.hash.b, 32,
               "6fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000");
    block_ref_drop(second);
    block_ref_drop(NULL);
}

TEST(bytes_that_are_not_exactly_one_block_are_refused)
{
    size_t len;
    uint8_t *raw = genesis_raw(&len);
    struct block_ref *ref = block_ref_take(raw, len - 1);
    assert_false(block_ref_decode(ref));
    block_ref_drop(ref);
    ref = block_ref_take(genesis_raw(&len), len + 1);
    ref->raw[len] = 0;
    assert_false(block_ref_decode(ref));
    block_ref_drop(ref);
    ref = block_ref_take(genesis_raw(&len), len + 1);
    assert_true(block_ref_decode_head(ref));
    assert_int_equal(ref->raw_len, len);
    block_ref_drop(ref);
}

/* What n transactions are called, each as the genesis block's one. */
static struct tx_ids *genesis_ids(uint32_t n)
{
    size_t len;
    struct tx_ids *ids = xmalloc(n * sizeof *ids);
    uint8_t *raw = genesis_raw(&len);
    struct block_ref *ref = block_ref_take(raw, len);
    assert_true(block_ref_decode(ref));
    assert_false(ref->block.roots_hold);
    for (uint32_t i = 0; i < n; i++)
        ids[i] = (struct tx_ids){.txid = ref->block.tx[0].txid, .wtxid = ref->block.tx[0].wtxid};
    block_ref_drop(ref);
    return ids;
}

TEST(ids_that_are_known_are_taken_over)
{
    for (int is_head = 0; is_head < 2; is_head++) {
        size_t len;
        uint8_t *raw = genesis_raw(&len);
        struct block_ref *ref = block_ref_take(raw, len);
        block_ref_know_ids(ref, genesis_ids(1), 1);
        assert_true(is_head ? block_ref_decode_head(ref) : block_ref_decode(ref));
        assert_true(ref->block.roots_hold);
        assert_int_equal(ref->block.raw.len, len);
        assert_memory_equal(&ref->block.txids[0], ref->block.header.merkle_root, 32);
        assert_memory_equal(&ref->block.tx[0].wtxid, ref->block.header.merkle_root, 32);
        block_ref_drop(ref);
    }
}

TEST(ids_of_another_number_of_transactions_are_refused)
{
    size_t len;
    uint8_t *raw = genesis_raw(&len);
    struct block_ref *ref = block_ref_take(raw, len);
    block_ref_know_ids(ref, genesis_ids(2), 2);
    assert_false(block_ref_decode(ref));
    assert_false(ref->block.roots_hold);
    block_ref_drop(ref);
    ref = block_ref_take(genesis_raw(&len), len);
    block_ref_know_ids(ref, genesis_ids(1), 1); /* and never decoded: they are freed with it */
    block_ref_drop(ref);
}

/* As AddressSanitizer sees it, too: nothing points to where the bytes were. */
TEST(what_follows_a_block_is_given_back)
{
    size_t len, tail = 4000000;
    uint8_t *bytes = genesis_raw(&len), *raw = xcalloc(len + tail, 1);
    memcpy(raw, bytes, len);
    xfree(bytes);
    struct block_ref *ref = block_ref_take(raw, len + tail);
    assert_true(block_ref_decode_head(ref));
    assert_in_range(malloc_usable_size(ref->raw), len, len + 4096);
    assert_in_range(ref->arena.total_bytes, 1, 4096);
    assert_ptr_equal(ref->block.raw.p, ref->raw);
    assert_int_equal(ref->block.raw.len, len);
    assert_int_equal(ref->block.tx[0].out[0].value_sat, 50 * COIN_SAT);
    assert_int_equal(ref->block.tx[0].out[0].script_pubkey.p[0], 0x41);
    block_ref_drop(ref);
}
