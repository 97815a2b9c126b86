/* test_hash.c - published examples, every length around the block size, and both ways agree. */
#include "crypto/hash.h"
#include "support/unit.h"
#include "util/assert.h"

static const char *hex(const uint8_t *p, size_t len, char *out)
{
    for (size_t i = 0; i < len; i++)
        snprintf(out + 2 * i, 3, "%02x", p[i]);
    return out;
}

enum which { SHA1, SHA256, SHA256D, SHA512, RIPEMD160, HASH160, SHA3_256 };

/* clang-format off */
static const struct { enum which which; const char *in; const char *want; } cases[] = {
    /* FIPS 180 examples */
    {SHA1, "", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
    {SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {SHA1, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
    {SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {SHA256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {SHA512, "abc",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
    /* FIPS 202 examples */
    {SHA3_256, "", "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a"},
    {SHA3_256, "abc", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"},
    /* the RIPEMD-160 page of its authors */
    {RIPEMD160, "", "9c1185a5c5e9fc54612808977ee8f548b2258d31"},
    {RIPEMD160, "abc", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"},
    {RIPEMD160, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "12a053384a9c0c88e405a06c27dcf49ada62eb2b"},
    /* composed of the above, worked out with another implementation */
    {SHA256D, "", "5df6e0e2761359d30a8275058e299fcc0381534545f55cf43e41983f5d4c9456"},
    {SHA256D, "hello", "9595c9df90075148eb06860365df33584b75bff782a510c6cd4883a419833d50"},
    {HASH160, "hello", "b6a9c8c230722b7c748331a8b450f05566dc7d0f"},
};
/* clang-format on */

static size_t run(enum which which, struct span in, uint8_t out[64])
{
    switch (which) {
    case SHA1:
        sha1(in, out);
        return 20;
    case SHA256:
        sha256(in, out);
        return 32;
    case SHA256D:
        sha256d(in, out);
        return 32;
    case SHA512:
        sha512(in, out);
        return 64;
    case RIPEMD160:
        ripemd160(in, out);
        return 20;
    case HASH160:
        hash160(in, out);
        return 20;
    case SHA3_256:
        sha3_256(in, out);
        return 32;
    }
    return 0;
}

TEST(published_examples_hold)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t out[64];
        char text[129];
        size_t len = run(cases[i].which, span_of_string(cases[i].in), out);
        assert_string_equal(hex(out, len, text), cases[i].want);
    }
}

/* FIPS 180: a million times 'a', here in pieces that never fit the block. */
TEST(a_million_letters_in_odd_pieces)
{
    char piece[97], text[65];
    uint8_t out[32];
    struct sha256 h;
    memset(piece, 'a', sizeof piece);
    sha256_init(&h);
    size_t left = 1000000;
    while (left) {
        size_t n = left < sizeof piece ? left : sizeof piece;
        sha256_update(&h, piece, n);
        left -= n;
    }
    sha256_final(&h, out);
    assert_string_equal(hex(out, 32, text),
                        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void fill(uint8_t *p, size_t len, uint32_t seed)
{
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1664525 + 1013904223;
        p[i] = (uint8_t)(seed >> 24);
    }
}

TEST(every_split_gives_the_same_digest)
{
    uint8_t data[200], whole[32], split[32];
    fill(data, sizeof data, 1);
    for (size_t len = 0; len <= sizeof data; len++) {
        sha256(span_of(data, len), whole);
        for (size_t cut = 0; cut <= len; cut++) {
            struct sha256 h;
            sha256_init(&h);
            sha256_update(&h, data, cut);
            struct sha256 copy = h; /* a midstate continues on its own */
            sha256_update(&h, "other", 5);
            sha256_update(&copy, data + cut, len - cut);
            sha256_final(&copy, split);
            assert_memory_equal(whole, split, 32);
        }
    }
}

TEST(double_hash_is_the_hash_of_the_hash)
{
    uint8_t data[200], once[32], twice[32], want[32];
    fill(data, sizeof data, 2);
    for (size_t len = 0; len <= sizeof data; len++) {
        sha256(span_of(data, len), once);
        sha256(span_of(once, 32), want);
        sha256d(span_of(data, len), twice);
        assert_memory_equal(twice, want, 32);
    }
}

TEST(pairs_of_64_bytes_hash_in_place)
{
    uint8_t in[64 * 9], out[32 * 9], want[32 * 9];
    for (size_t n = 0; n <= 9; n++) {
        fill(in, sizeof in, (uint32_t)n);
        for (size_t i = 0; i < n; i++)
            sha256d(span_of(in + 64 * i, 64), want + 32 * i);
        sha256d_64(out, in, n);
        sha256d_64(in, in, n);
        if (n) {
            assert_memory_equal(out, want, 32 * n);
            assert_memory_equal(in, want, 32 * n);
        }
    }
}

static void assert_two(const struct sha256_message *a, const struct sha256_message *b)
{
    const struct sha256_message *messages[2] = {a, b};
    uint8_t got[2][32], want[32];
    sha256d_two(a, b, got[0], got[1]);
    for (int i = 0; i < 2; i++) {
        struct sha256 h;
        sha256_init(&h);
        sha256_update(&h, messages[i]->head.p, messages[i]->head.len);
        sha256_update(&h, messages[i]->body.p, messages[i]->body.len);
        sha256_update(&h, messages[i]->tail.p, messages[i]->tail.len);
        sha256d_final(&h, want);
        assert_memory_equal(got[i], want, 32);
    }
}

/* Each length up to some blocks beside each of some others, with and without edges. */
TEST(two_messages_hash_as_each_alone)
{
    static const size_t others[] = {0, 1, 55, 56, 64, 119, 120, 500};
    uint8_t bytes[600];
    uint32_t random = 3;
    for (size_t i = 0; i < sizeof bytes; i++) {
        random = random * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(random >> 24);
    }
    for (size_t len = 0; len <= 300; len++) {
        for (size_t edge = 0; edge <= SHA256_EDGE_MAX; edge += 4) {
            struct sha256_message a = {.head = span_of(bytes, edge),
                                       .body = span_of(bytes + edge, len),
                                       .tail = span_of(bytes + edge + len, edge)};
            struct sha256_message b = {.body = span_of(bytes + 7, others[len % COUNT_OF(others)])};
            assert_two(&a, &b);
            assert_two(&b, &a);
        }
    }
}

TEST(tag_midstates_follow_from_the_tags)
{
    static const char *const tags[HASH_TAG_COUNT] = {
        [HASH_TAG_BIP340_CHALLENGE] = "BIP0340/challenge",
        [HASH_TAG_TAP_LEAF] = "TapLeaf",
        [HASH_TAG_TAP_BRANCH] = "TapBranch",
        [HASH_TAG_TAP_TWEAK] = "TapTweak",
        [HASH_TAG_TAP_SIGHASH] = "TapSighash",
    };
    for (enum hash_tag tag = 0; tag < HASH_TAG_COUNT; tag++) {
        struct sha256 from_table, from_string;
        tagged_hash_init(&from_table, tag);
        tagged_hash_init_string(&from_string, tags[tag]);
        assert_memory_equal(from_table.state, from_string.state, sizeof from_table.state);
        assert_int_equal(from_table.total_bytes, from_string.total_bytes);

        uint8_t a[32], b[32], twice_tag[64 + 3];
        sha256(span_of_string(tags[tag]), twice_tag);
        memcpy(twice_tag + 32, twice_tag, 32);
        memcpy(twice_tag + 64, "xyz", 3);
        sha256(span_of(twice_tag, sizeof twice_tag), a);
        sha256_update(&from_table, "xyz", 3);
        sha256_final(&from_table, b);
        assert_memory_equal(a, b, 32);
    }
}

TEST(a_writer_feeds_the_hash)
{
    struct sha256 h;
    uint8_t got[32], want[32];
    sha256_init(&h);
    struct writer w = writer_to_sha256(&h);
    write_u32(&w, 0x03020100);
    write_compact_size(&w, 4);
    assert_int_equal(w.len, 5);
    sha256_final(&h, got);
    sha256(span_of("\0\1\2\3\4", 5), want);
    assert_memory_equal(got, want, 32);
}

/* The same numbers as one after the other, hashed as everything is. */
TEST(a_search_finds_the_first_small_digest)
{
    static const size_t lengths[] = {0, 12, 51, 64, 76, 115};
    uint8_t input[128];
    for (size_t i = 0; i < sizeof input; i++)
        input[i] = (uint8_t)(7 * i);
    for (size_t k = 0; k < COUNT_OF(lengths); k++) {
        const uint32_t top_max = UINT32_C(0x01ffffff); /* one in 128 */
        struct sha256 h;
        sha256_init(&h);
        sha256_update(&h, input, lengths[k]);
        uint32_t first = 250, n = 0;
        uint8_t digest[32];
        do {
            struct writer w = writer_to_buffer(input + lengths[k], 4);
            write_u32(&w, first + n);
            sha256d(span_of(input, lengths[k] + 4), digest);
        } while (digest[31] > 1 && ++n);
        assert_int_equal(sha256d_search(&h, first, 100000, top_max), n);
        assert_int_equal(sha256d_search(&h, first, n, top_max), n);
        assert_int_equal(sha256d_search(&h, first, 0, top_max), 0);
    }
}
