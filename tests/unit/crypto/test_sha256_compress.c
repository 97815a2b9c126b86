/* test_sha256_compress.c - the processor's way and the portable way are the same function. */
#include "crypto/sha256_compress.h"
#include "support/unit.h"

static void fill(uint8_t *p, size_t len, uint32_t seed)
{
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1664525 + 1013904223;
        p[i] = (uint8_t)(seed >> 24);
    }
}

TEST(both_compression_functions_agree)
{
    uint8_t blocks[64 * 5];
    for (uint32_t seed = 0; seed < 100; seed++) {
        uint32_t a[8], b[8];
        size_t n = 1 + seed % 5;
        fill(blocks, sizeof blocks, seed);
        fill((uint8_t *)a, sizeof a, ~seed);
        memcpy(b, a, sizeof a);
        sha256_compress(a, blocks, n);
        sha256_compress_portable(b, blocks, n);
        assert_memory_equal(a, b, sizeof a);
    }
}

/* FIPS 180-4 example: the one padded block of "abc". */
TEST(a_padded_block_gives_the_published_digest)
{
    static const uint32_t want[8] = {0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223,
                                     0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad};
    uint8_t block[64] = {'a', 'b', 'c', 0x80, [63] = 24};
    uint32_t s[8];
    memcpy(s, sha256_initial_state, sizeof s);
    sha256_compress(s, block, 1);
    assert_memory_equal(s, want, sizeof s);
    memcpy(s, sha256_initial_state, sizeof s);
    sha256_compress_portable(s, block, 1);
    assert_memory_equal(s, want, sizeof s);
}

TEST(no_blocks_change_nothing)
{
    uint32_t s[8];
    memcpy(s, sha256_initial_state, sizeof s);
    sha256_compress(s, (const uint8_t *)"", 0);
    sha256_compress_portable(s, (const uint8_t *)"", 0);
    assert_memory_equal(s, sha256_initial_state, sizeof s);
}

TEST(the_two_inputs_of_a_pair_do_not_mix)
{
    if (!sha256_has_extensions())
        skip();
    uint8_t in[128], first[64], second[64];
    fill(in, sizeof in, 7);
    sha256d_64_pair(first, in);
    for (int i = 0; i < 64; i++)
        in[64 + i] ^= 0xff;
    sha256d_64_pair(second, in);
    assert_memory_equal(first, second, 32);
    assert_memory_not_equal(first + 32, second + 32, 32);
}

TEST(two_states_at_once_are_each_what_it_is_alone)
{
    uint8_t blocks[2][64 * 5];
    for (uint32_t seed = 0; seed < 100; seed++) {
        uint32_t got[2][8], want[2][8];
        size_t n = seed % 6 % 5;
        fill((uint8_t *)blocks, sizeof blocks, seed);
        fill((uint8_t *)got, sizeof got, ~seed);
        memcpy(want, got, sizeof got);
        sha256_compress_two(got[0], blocks[0], got[1], blocks[1], n);
        sha256_hash_digest_two(got[0], got[1]);
        for (int i = 0; i < 2; i++) {
            sha256_compress_portable(want[i], blocks[i], n);
            sha256_hash_digest(want[i]);
        }
        assert_memory_equal(got, want, sizeof got);
    }
}
