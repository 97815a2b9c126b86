/* sha256_compress.c - the compression function of SHA-256.
 *
 * The choice between the ways is made on every call by a bit that libgcc read from the processor
 * before main(), so there is no cached function pointer, which would be a mutable global. */
#include "crypto/sha256_compress.h"

/* The low-level SHA256_* are deprecated in favour of EVP, whose fetch of an algorithm costs five
 * times what hashing 64 bytes does. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <string.h>

#include "util/assert.h"
#include "util/endian.h"

/* clang 14 does not know the name of the feature: its builds (fuzzing) take the portable way. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define HAVE_SHA_EXTENSIONS 1
#include <immintrin.h>
#else
#define HAVE_SHA_EXTENSIONS 0
#endif

const uint32_t sha256_initial_state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                          0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

void sha256_compress_portable(uint32_t state[8], const uint8_t *blocks, size_t n)
{
    SHA256_CTX ctx = {.md_len = SHA256_DIGEST_LENGTH};
    memcpy(ctx.h, state, 32);
    /* With nothing buffered, whole blocks are consumed whole. */
    SHA256_Update(&ctx, blocks, 64 * n);
    memcpy(state, ctx.h, 32);
}

static void hash_digest_portable(uint32_t state[8])
{
    uint8_t block[64] = {[32] = 0x80, [62] = 1}; /* the end mark; 256 bits */
    for (int i = 0; i < 8; i++)
        store_be32(block + 4 * i, state[i]);
    memcpy(state, sha256_initial_state, 32);
    sha256_compress_portable(state, block, 1);
}

#if HAVE_SHA_EXTENSIONS

#define TARGET_SHA __attribute__((target("sha,sse4.1")))
#define INLINE_SHA TARGET_SHA __attribute__((always_inline)) static inline

/* clang-format off */
/* The round constants. Spec: FIPS 180-4, section 4.2.2. */
static const uint32_t round_constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* Round constants plus the message schedule of the block that pads a 64-byte message: that block
 * is always the same, so its schedule need not be worked out. */
static const uint32_t padding_of_64[64] __attribute__((aligned(16))) = {
    0xc28a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf374,
    0x649b69c1, 0xf0fe4786, 0x0fe1edc6, 0x240cf254, 0x4fe9346f, 0x6cc984be, 0x61b9411e, 0x16f988fa,
    0xf2c65152, 0xa88e5a6d, 0xb019fc65, 0xb9d99ec7, 0x9a1231c3, 0xe70eeaa0, 0xfdb1232b, 0xc7353eb0,
    0x3069bad5, 0xcb976d5f, 0x5a0f118f, 0xdc1eeefd, 0x0a35b689, 0xde0b7a04, 0x58f4ca9d, 0xe15d5b16,
    0x007f3e86, 0x37088980, 0xa507ea32, 0x6fab9537, 0x17406110, 0x0d8cd6f1, 0xcdaa3b6d, 0xc0bbbe37,
    0x83613bda, 0xdb48a363, 0x0b02e931, 0x6fd15ca7, 0x521afaca, 0x31338431, 0x6ed41a95, 0x6d437890,
    0xc39c91f2, 0x9eccabbd, 0xb5c9a0e6, 0x532fb63c, 0xd2c741c6, 0x07237ea3, 0xa4954b68, 0x4c191d76,
};
/* clang-format on */

/* The working variables in the order that the instructions want: {a,b,e,f} and {c,d,g,h}. */
struct lanes {
    __m128i abef, cdgh;
};

INLINE_SHA struct lanes lanes_load(const uint32_t state[8])
{
    __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)state), 0xb1);
    __m128i efgh =
        _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)(state + 4)), 0x1b);
    return (struct lanes){.abef = _mm_alignr_epi8(cdab, efgh, 8),
                          .cdgh = _mm_blend_epi16(efgh, cdab, 0xf0)};
}

/* Back to memory order: {a,b,c,d} in words[0], {e,f,g,h} in words[1]. */
INLINE_SHA void lanes_words(struct lanes lanes, __m128i words[2])
{
    __m128i feba = _mm_shuffle_epi32(lanes.abef, 0x1b);
    __m128i dchg = _mm_shuffle_epi32(lanes.cdgh, 0xb1);
    words[0] = _mm_blend_epi16(feba, dchg, 0xf0);
    words[1] = _mm_alignr_epi8(dchg, feba, 8);
}

INLINE_SHA struct lanes lanes_add(struct lanes a, struct lanes b)
{
    return (struct lanes){.abef = _mm_add_epi32(a.abef, b.abef),
                          .cdgh = _mm_add_epi32(a.cdgh, b.cdgh)};
}

/* Message bytes are big-endian words. */
INLINE_SHA __m128i swap_words(__m128i v)
{
    return _mm_shuffle_epi8(v, _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
}

INLINE_SHA __m128i load_message(const uint8_t *p)
{
    return swap_words(_mm_loadu_si128((const __m128i *)(const void *)p));
}

INLINE_SHA void load_block(__m128i w[4], const uint8_t *p)
{
    for (int i = 0; i < 4; i++)
        w[i] = load_message(p + 16 * i);
}

INLINE_SHA __m128i load_table(const uint32_t *table, int quad)
{
    return _mm_load_si128((const __m128i *)(const void *)(table + 4 * quad));
}

/* Four rounds; words = message schedule plus constants. */
INLINE_SHA void four_rounds(struct lanes *s, __m128i words)
{
    s->cdgh = _mm_sha256rnds2_epu32(s->cdgh, s->abef, words);
    s->abef = _mm_sha256rnds2_epu32(s->abef, s->cdgh, _mm_shuffle_epi32(words, 0x0e));
}

/* The next four words of the schedule replace the oldest four in w, a ring of sixteen. */
INLINE_SHA void schedule(__m128i w[4], int quad)
{
    __m128i newest = w[(quad + 3) & 3];
    __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w[quad & 3], w[(quad + 1) & 3]),
                                _mm_alignr_epi8(newest, w[(quad + 2) & 3], 4));
    w[quad & 3] = _mm_sha256msg2_epu32(sum, newest);
}

/* All 64 rounds over the message words in w, which are used up, for a and b interleaved. */
INLINE_SHA void compress_pair(struct lanes *a, __m128i wa[4], struct lanes *b, __m128i wb[4])
{
    struct lanes start_a = *a, start_b = *b;
#pragma GCC unroll 16
    for (int quad = 0; quad < 16; quad++) {
        __m128i k = load_table(round_constants, quad);
        if (quad >= 4) {
            schedule(wa, quad);
            schedule(wb, quad);
        }
        four_rounds(a, _mm_add_epi32(wa[quad & 3], k));
        four_rounds(b, _mm_add_epi32(wb[quad & 3], k));
    }
    *a = lanes_add(*a, start_a);
    *b = lanes_add(*b, start_b);
}

/* All 64 rounds over the block that pads a 64-byte message. */
INLINE_SHA void compress_padding_pair(struct lanes *a, struct lanes *b)
{
    struct lanes start_a = *a, start_b = *b;
#pragma GCC unroll 16
    for (int quad = 0; quad < 16; quad++) {
        __m128i words = load_table(padding_of_64, quad);
        four_rounds(a, words);
        four_rounds(b, words);
    }
    *a = lanes_add(*a, start_a);
    *b = lanes_add(*b, start_b);
}

/* All 64 rounds over the message words in w, which are used up. */
INLINE_SHA void compress_one(struct lanes *s, __m128i w[4])
{
    struct lanes start = *s;
#pragma GCC unroll 16
    for (int quad = 0; quad < 16; quad++) {
        if (quad >= 4)
            schedule(w, quad);
        four_rounds(s, _mm_add_epi32(w[quad & 3], load_table(round_constants, quad)));
    }
    *s = lanes_add(*s, start);
}

INLINE_SHA void lanes_store(struct lanes s, uint32_t state[8])
{
    __m128i words[2];
    lanes_words(s, words);
    _mm_storeu_si128((__m128i *)(void *)state, words[0]);
    _mm_storeu_si128((__m128i *)(void *)(state + 4), words[1]);
}

TARGET_SHA static void compress_extensions(uint32_t state[8], const uint8_t *blocks, size_t n)
{
    struct lanes s = lanes_load(state);
    for (; n > 0; n--, blocks += 64) {
        __m128i w[4];
        load_block(w, blocks);
        compress_one(&s, w);
    }
    lanes_store(s, state);
}

/* The one block of the second hash: a 32-byte digest, the end mark, its length of 256 bits. */
INLINE_SHA void digest_block(struct lanes s, __m128i w[4])
{
    lanes_words(s, w);
    w[2] = _mm_set_epi32(0, 0, 0, (int)0x80000000);
    w[3] = _mm_set_epi32(256, 0, 0, 0);
}

/* The digest goes from registers to registers: through memory, its 4-byte stores would stall the
 * 16-byte loads that follow. */
TARGET_SHA static void hash_digest_extensions(uint32_t state[8])
{
    __m128i w[4];
    digest_block(lanes_load(state), w);
    struct lanes s = lanes_load(sha256_initial_state);
    compress_one(&s, w);
    lanes_store(s, state);
}

TARGET_SHA static void compress_two_extensions(uint32_t state_a[8], const uint8_t *a,
                                               uint32_t state_b[8], const uint8_t *b, size_t n)
{
    struct lanes s = lanes_load(state_a), t = lanes_load(state_b);
    for (; n > 0; n--, a += 64, b += 64) {
        __m128i ws[4], wt[4];
        load_block(ws, a);
        load_block(wt, b);
        compress_pair(&s, ws, &t, wt);
    }
    lanes_store(s, state_a);
    lanes_store(t, state_b);
}

TARGET_SHA static void hash_digest_two_extensions(uint32_t state_a[8], uint32_t state_b[8])
{
    __m128i wa[4], wb[4];
    digest_block(lanes_load(state_a), wa);
    digest_block(lanes_load(state_b), wb);
    struct lanes a = lanes_load(sha256_initial_state), b = a;
    compress_pair(&a, wa, &b, wb);
    lanes_store(a, state_a);
    lanes_store(b, state_b);
}

TARGET_SHA void sha256d_64_pair(uint8_t out[64], const uint8_t in[128])
{
    struct lanes a = lanes_load(sha256_initial_state), b = a;
    __m128i wa[4], wb[4];
    load_block(wa, in);
    load_block(wb, in + 64);
    compress_pair(&a, wa, &b, wb);
    compress_padding_pair(&a, &b);

    digest_block(a, wa);
    digest_block(b, wb);
    a = b = lanes_load(sha256_initial_state);
    compress_pair(&a, wa, &b, wb);

    __m128i words[4];
    lanes_words(a, words);
    lanes_words(b, words + 2);
    for (int i = 0; i < 4; i++)
        _mm_storeu_si128((__m128i *)(void *)(out + 16 * i), swap_words(words[i]));
}

bool sha256_has_extensions(void)
{
    return __builtin_cpu_supports("sha") && __builtin_cpu_supports("sse4.1");
}

void sha256_compress(uint32_t state[8], const uint8_t *blocks, size_t n)
{
    if (LIKELY(sha256_has_extensions()))
        compress_extensions(state, blocks, n);
    else
        sha256_compress_portable(state, blocks, n);
}

void sha256_hash_digest(uint32_t state[8])
{
    if (LIKELY(sha256_has_extensions()))
        hash_digest_extensions(state);
    else
        hash_digest_portable(state);
}

void sha256_compress_two(uint32_t state_a[8], const uint8_t *a, uint32_t state_b[8],
                         const uint8_t *b, size_t n)
{
    if (LIKELY(sha256_has_extensions())) {
        compress_two_extensions(state_a, a, state_b, b, n);
        return;
    }
    sha256_compress_portable(state_a, a, n);
    sha256_compress_portable(state_b, b, n);
}

void sha256_hash_digest_two(uint32_t state_a[8], uint32_t state_b[8])
{
    if (LIKELY(sha256_has_extensions())) {
        hash_digest_two_extensions(state_a, state_b);
        return;
    }
    hash_digest_portable(state_a);
    hash_digest_portable(state_b);
}

#else

bool sha256_has_extensions(void)
{
    return false;
}

void sha256_compress(uint32_t state[8], const uint8_t *blocks, size_t n)
{
    sha256_compress_portable(state, blocks, n);
}

void sha256_hash_digest(uint32_t state[8])
{
    hash_digest_portable(state);
}

void sha256_compress_two(uint32_t state_a[8], const uint8_t *a, uint32_t state_b[8],
                         const uint8_t *b, size_t n)
{
    sha256_compress_portable(state_a, a, n);
    sha256_compress_portable(state_b, b, n);
}

void sha256_hash_digest_two(uint32_t state_a[8], uint32_t state_b[8])
{
    hash_digest_portable(state_a);
    hash_digest_portable(state_b);
}

void sha256d_64_pair(uint8_t out[64], const uint8_t in[128])
{
    (void)out;
    (void)in;
    ASSERT(sha256_has_extensions());
}

#endif
