/* test_merkle.c - merkle roots against a plain model, and the trees that are ambiguous.
 *
 * hazards: rows 5 (CVE-2012-2459), 6 (inner nodes as transactions). */
#include "consensus/merkle.h"
#include "crypto/hash.h"
#include "support/arena_fixture.h"
#include "support/build.h"

#define LEAVES_MAX 70

FIXTURE(arena_setup, arena_teardown)

static void leaf(uint8_t out[32], uint32_t n)
{
    sha256(span_of(&n, sizeof n), out);
}

/* The definition, one pair at a time. */
static void model_root(const uint8_t *ids, size_t n, uint8_t root[32])
{
    uint8_t level[LEAVES_MAX * 2][32];
    memcpy(level, ids, n * 32);
    while (n > 1) {
        for (size_t i = 0; i < n; i += 2) {
            uint8_t pair[64];
            memcpy(pair, level[i], 32);
            memcpy(pair + 32, level[i + 1 < n ? i + 1 : i], 32);
            sha256d(span_of(pair, 64), level[i / 2]);
        }
        n = (n + 1) / 2;
    }
    memcpy(root, level[0], 32);
}

TEST(roots_of_all_small_trees_agree_with_the_model, struct arena *arena)
{
    uint8_t ids[LEAVES_MAX][32], root[32], expect[32];
    for (uint32_t i = 0; i < LEAVES_MAX; i++)
        leaf(ids[i], i);
    for (size_t n = 1; n <= LEAVES_MAX; n++) {
        assert_false(merkle_root(&ids[0][0], n, arena, root));
        model_root(&ids[0][0], n, expect);
        assert_memory_equal(root, expect, 32);
    }
}

TEST(root_of_nothing_is_zero_and_of_one_itself, struct arena *arena)
{
    uint8_t id[32], root[32], zero[32] = {0};
    leaf(id, 1);
    assert_false(merkle_root(id, 0, arena, root));
    assert_memory_equal(root, zero, 32);
    assert_false(merkle_root(id, 1, arena, root));
    assert_memory_equal(root, id, 32);
}

/* Row 5: repeat the last 2^k leaves of a tree whose row k has an odd length. The root stays. */
TEST(repeating_the_last_leaves_keeps_the_root_and_is_seen, struct arena *arena)
{
    uint8_t ids[LEAVES_MAX * 2][32], root[32], mutated_root[32];
    for (uint32_t i = 0; i < LEAVES_MAX; i++)
        leaf(ids[i], i);
    int cases = 0;
    for (size_t n = 1; n <= LEAVES_MAX; n++) {
        for (size_t tail = 1; tail < n; tail *= 2) {
            if (n % tail != 0 || (n / tail) % 2 == 0)
                continue;
            uint8_t copy[LEAVES_MAX * 2][32];
            memcpy(copy, ids, sizeof copy);
            memcpy(copy[n], copy[n - tail], tail * 32);
            assert_false(merkle_root(&copy[0][0], n, arena, root));
            assert_true(merkle_root(&copy[0][0], n + tail, arena, mutated_root));
            assert_memory_equal(root, mutated_root, 32);
            cases++;
        }
    }
    assert_true(cases > LEAVES_MAX / 2);
}

TEST(equal_leaves_that_are_no_siblings_are_fine, struct arena *arena)
{
    uint8_t ids[4][32], root[32];
    for (uint32_t i = 0; i < 4; i++)
        leaf(ids[i], i);
    memcpy(ids[2], ids[1], 32); /* 1 and 2 hang below different parents */
    assert_false(merkle_root(&ids[0][0], 4, arena, root));
    memcpy(ids[3], ids[2], 32);
    assert_true(merkle_root(&ids[0][0], 4, arena, root));
}

/* Row 6: the same root, from four leaves or from the two 64-byte nodes above them. */
TEST(inner_nodes_give_the_root_of_their_leaves, struct arena *arena)
{
    uint8_t ids[4][32], nodes[2][32], root[32], upper_root[32];
    for (uint32_t i = 0; i < 4; i++)
        leaf(ids[i], i);
    sha256d(span_of(ids[0], 64), nodes[0]);
    sha256d(span_of(ids[2], 64), nodes[1]);
    assert_false(merkle_root(&ids[0][0], 4, arena, root));
    assert_false(merkle_root(&nodes[0][0], 2, arena, upper_root));
    assert_memory_equal(root, upper_root, 32);
}

TEST(witness_root_takes_the_coinbase_for_zero, struct arena *arena)
{
    struct tx txs[3] = {build_coinbase(arena, 1, 0), build_tx(arena, 1, 1, 1),
                        build_tx(arena, 2, 1, 1)};
    uint8_t one = 1;
    struct span item = span_of(&one, 1);
    txs[1].in[0].witness = build_witness(arena, &item, 1);
    tx_finish(&txs[1], arena);
    tx_finish(&txs[2], arena);
    struct block block = build_block(arena, txs, 3);

    uint8_t ids[3][32] = {{0}}, expect[32], root[32], txid_root[32];
    memcpy(ids[1], txs[1].wtxid.b, 32);
    memcpy(ids[2], txs[2].wtxid.b, 32);
    model_root(&ids[0][0], 3, expect);
    block_witness_merkle_root(&block, arena, root);
    assert_memory_equal(root, expect, 32);
    assert_false(block_merkle_root(&block, arena, txid_root));
    assert_memory_not_equal(root, txid_root, 32);
}
