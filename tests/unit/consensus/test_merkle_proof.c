/* test_merkle_proof.c - proofs of every set of transactions, and every way to spoil one.
 *
 * hazards: rows 5 (CVE-2012-2459), 6 (inner nodes as transactions). */
#include "consensus/merkle_proof.h"
#include "crypto/hash.h"
#include "support/build.h"
#include "support/hex_bytes.h"
#include "support/unit.h"

/* The example of a merkleblock message in the developer reference: 7 transactions, one proved. */
#define EXAMPLE                                                                                    \
    "0100000082bb869cf3a793432a66e826e05a6fc37469f8efb7421dc88067010000000000"                     \
    "7f16c5962e8bd963659c793ce370d95f093bc7e367117b3c30c1f8fdd0d97287"                             \
    "76381b4d4c86041b554b8529"                                                                     \
    "0700000004"                                                                                   \
    "3612262624047ee87660be1a707519a443b1c1ce3d248cbfc6c15870f6c5daa2"                             \
    "019f5b01d4195ecbc9398fbf3c3b1fa9bb3183301d7a1fb3bd174fcfa40a2b65"                             \
    "41ed70551dd7e841883ab8f0b16bf04176b7d1480e4f0af9f3d4c3595768d068"                             \
    "20d2a7bc994987302e5b1ac80fc425fe25f8b63169ea78e68fbaaefa59379bbf"                             \
    "011d"

enum { EXAMPLE_BYTES = 80 + 4 + 1 + 4 * 32 + 2, TX_MAX = 9 };

TEST(the_known_example_is_read)
{
    uint8_t raw[EXAMPLE_BYTES];
    struct arena arena;
    struct merkle_proof proof;
    arena_init(&arena, 1024);
    hex_bytes_exactly(EXAMPLE, raw, sizeof raw);
    assert_true(merkle_proof_read(span_of(raw, sizeof raw), &arena, &proof));
    assert_true(proof.is_whole);
    assert_int_equal(proof.n_tx, 7);
    assert_int_equal(proof.n_ids, 1);
    assert_hex(proof.ids[0].b, 32,
               "019f5b01d4195ecbc9398fbf3c3b1fa9bb3183301d7a1fb3bd174fcfa40a2b65");
    for (size_t len = 0; len < sizeof raw; len++)
        assert_false(merkle_proof_read(span_of(raw, len), &arena, &proof));
    arena_deinit(&arena);
}

static struct block block_of(struct arena *arena, uint32_t n_tx)
{
    struct tx txs[TX_MAX];
    for (uint32_t i = 0; i < n_tx; i++) {
        txs[i] = i == 0 ? build_coinbase(arena, 5, 1000) : build_tx(arena, i, 1, 1);
        tx_finish(&txs[i], arena);
    }
    return build_block(arena, txs, n_tx);
}

/* set: a bit for each transaction that the proof is to show. */
static void prove_set(struct arena *arena, const struct block *block, uint32_t set)
{
    bool wanted[TX_MAX];
    struct merkle_proof proof;
    struct buffer raw;
    buffer_init(&raw);
    for (uint32_t i = 0; i < block->n_tx; i++)
        wanted[i] = set >> i & 1;
    merkle_proof_append(block, wanted, arena, &raw);
    assert_true(merkle_proof_read(buffer_span(&raw), arena, &proof));
    assert_true(proof.is_whole);
    assert_int_equal(proof.n_tx, block->n_tx);
    size_t at = 0;
    for (uint32_t i = 0; i < block->n_tx; i++) {
        if (wanted[i])
            assert_true(txid_equal(&proof.ids[at++], &block->txids[i]));
    }
    assert_int_equal(proof.n_ids, at);
    buffer_deinit(&raw);
}

TEST(every_set_of_transactions_is_proved)
{
    struct arena arena;
    arena_init(&arena, 1 << 16);
    for (uint32_t n_tx = 1; n_tx <= TX_MAX; n_tx++) {
        struct block block = block_of(&arena, n_tx);
        for (uint32_t set = 0; set < 1u << n_tx; set++)
            prove_set(&arena, &block, set);
    }
    arena_deinit(&arena);
}

/* No bit of a proof behind its header can be changed, but for the flags of leaves that are shown
 * (the last bits but one: then more or less is proved, and rightly) and those that fill a byte. */
TEST(a_changed_proof_proves_nothing_else)
{
    static const size_t n_ids[8] = {[4] = 0, [5] = 2, [7] = 1};
    struct arena arena;
    uint8_t raw[EXAMPLE_BYTES];
    arena_init(&arena, 1024);
    hex_bytes_exactly(EXAMPLE, raw, sizeof raw);
    for (size_t bit = 36 * 8; bit < 8 * sizeof raw; bit++) {
        struct merkle_proof proof;
        bool is_other_header = bit >= 68 * 8 && bit < 80 * 8;
        raw[bit / 8] ^= (uint8_t)(1u << bit % 8);
        bool is_read = merkle_proof_read(span_of(raw, sizeof raw), &arena, &proof);
        raw[bit / 8] ^= (uint8_t)(1u << bit % 8);
        /* Seven or eight transactions: the number itself is no part of the root. */
        if (!is_read || !proof.is_whole || is_other_header || proof.n_tx != 7)
            continue;
        assert_int_equal(bit / 8, sizeof raw - 1);
        assert_true(bit % 8 == 4 || bit % 8 == 5 || bit % 8 == 7);
        assert_int_equal(proof.n_ids, n_ids[bit % 8]);
    }
    arena_deinit(&arena);
}

static bool is_whole(uint32_t n_tx, const uint8_t *hashes, size_t n_hashes, uint8_t bits,
                     const uint8_t root[32])
{
    uint8_t raw[300] = {0};
    struct arena arena;
    struct merkle_proof proof;
    struct writer w = writer_to_buffer(raw, sizeof raw);
    struct block_header header = {0};
    memcpy(header.merkle_root, root, 32);
    arena_init(&arena, 1024);
    block_header_encode(&w, &header);
    write_u32(&w, n_tx);
    write_compact_size(&w, n_hashes);
    write_bytes(&w, hashes, 32 * n_hashes);
    write_var_span(&w, span_of(&bits, 1));
    bool is_read = merkle_proof_read(span_of(raw, w.len), &arena, &proof);
    assert_true(is_read);
    arena_deinit(&arena);
    return proof.is_whole;
}

TEST(equal_sides_and_too_many_transactions_are_no_proof)
{
    uint8_t hashes[64] = {0}, root[32];
    sha256d_64(root, hashes, 1);
    /* Two equal hashes below the root, where there can be two nodes: CVE-2012-2459. */
    assert_false(is_whole(2, hashes, 2, 7, root));
    hashes[0] = 1;
    sha256d_64(root, hashes, 1);
    assert_true(is_whole(2, hashes, 2, 7, root));
    assert_false(is_whole(2, hashes, 1, 7, root));   /* a hash too few */
    assert_false(is_whole(2, hashes, 2, 0, hashes)); /* one too many */
    assert_false(is_whole(0, hashes, 0, 0, root));
    /* Just the root: with as many transactions as a block can have, and with one more. */
    assert_true(is_whole(MERKLE_PROOF_TX_MAX, root, 1, 0, root));
    assert_false(is_whole(MERKLE_PROOF_TX_MAX + 1, root, 1, 0, root));
}
