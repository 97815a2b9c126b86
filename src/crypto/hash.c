/* hash.c - the hashes of the protocol. */
#include "crypto/hash.h"

/* Low-level on purpose: see hash.h. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/evp.h>
#include <openssl/ripemd.h>
#include <openssl/sha.h>
#include <string.h>

#include "crypto/sha256_compress.h"
#include "util/assert.h"
#include "util/endian.h"

void sha256_init(struct sha256 *h)
{
    ASSERT(h);
    memcpy(h->state, sha256_initial_state, sizeof h->state);
    h->total_bytes = 0;
}

void sha256_update(struct sha256 *h, const void *data, size_t len)
{
    ASSERT(h);
    const uint8_t *p = data;
    size_t used = h->total_bytes % 64;
    h->total_bytes += len;
    if (used + len < 64) {
        if (len)
            memcpy(h->block + used, p, len);
        return;
    }
    if (used) {
        size_t fill = 64 - used;
        memcpy(h->block + used, p, fill);
        sha256_compress(h->state, h->block, 1);
        p += fill;
        len -= fill;
    }
    size_t n = len / 64;
    if (n) {
        sha256_compress(h->state, p, n);
        p += 64 * n;
        len -= 64 * n;
    }
    if (len)
        memcpy(h->block, p, len);
}

/* Add the end mark, zeros and the length in bits. Spec: FIPS 180-4, section 5.1.1. */
static void pad(struct sha256 *h)
{
    size_t used = h->total_bytes % 64;
    h->block[used++] = 0x80;
    if (used > 56) {
        memset(h->block + used, 0, 64 - used);
        sha256_compress(h->state, h->block, 1);
        used = 0;
    }
    memset(h->block + used, 0, 56 - used);
    store_be64(h->block + 56, h->total_bytes << 3);
    sha256_compress(h->state, h->block, 1);
}

static void store_state(const uint32_t state[8], uint8_t out[32])
{
    for (int i = 0; i < 8; i++)
        store_be32(out + 4 * i, state[i]);
}

void sha256_final(struct sha256 *h, uint8_t out[32])
{
    ASSERT(h);
    pad(h);
    store_state(h->state, out);
}

void sha256d_final(struct sha256 *h, uint8_t out[32])
{
    ASSERT(h);
    pad(h);
    sha256_hash_digest(h->state);
    store_state(h->state, out);
}

void sha256(struct span in, uint8_t out[32])
{
    struct sha256 h;
    sha256_init(&h);
    sha256_update(&h, in.p, in.len);
    sha256_final(&h, out);
}

void sha256d(struct span in, uint8_t out[32])
{
    struct sha256 h;
    sha256_init(&h);
    sha256_update(&h, in.p, in.len);
    sha256d_final(&h, out);
}

/* Each try is two blocks: all that does not change is in its place before. */
uint32_t sha256d_search(const struct sha256 *h, uint32_t first, uint32_t n, uint32_t top_max)
{
    size_t used = h->total_bytes % 64;
    ASSERT(used + 4 < 56 && (uint64_t)first + n <= UINT64_C(1) << 32);
    uint8_t block[64] = {0};
    memcpy(block, h->block, used);
    block[used + 4] = 0x80;
    store_be64(block + 56, (h->total_bytes + 4) << 3);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t state[8];
        memcpy(state, h->state, sizeof state);
        store_le32(block + used, first + i);
        sha256_compress(state, block, 1);
        sha256_hash_digest(state);
        /* The last word of the digest is the highest of the number, its bytes turned around. */
        if (__builtin_bswap32(state[7]) <= top_max)
            return i;
    }
    return n;
}

void sha256d_64(uint8_t *out, const uint8_t *in, size_t n)
{
    if (sha256_has_extensions()) {
        for (; n >= 2; n -= 2, in += 128, out += 64)
            sha256d_64_pair(out, in);
    }
    for (; n > 0; n--, in += 64, out += 32)
        sha256d(span_of(in, 64), out);
}

void sha1(struct span in, uint8_t out[20])
{
    SHA_CTX ctx;
    SHA1_Init(&ctx);
    SHA1_Update(&ctx, in.p, in.len);
    SHA1_Final(out, &ctx);
}

void ripemd160(struct span in, uint8_t out[20])
{
    RIPEMD160_CTX ctx;
    RIPEMD160_Init(&ctx);
    RIPEMD160_Update(&ctx, in.p, in.len);
    RIPEMD160_Final(out, &ctx);
}

void hash160(struct span in, uint8_t out[20])
{
    uint8_t inner[32];
    sha256(in, inner);
    ripemd160(span_of(inner, 32), out);
}

void sha512(struct span in, uint8_t out[64])
{
    SHA512_CTX ctx;
    SHA512_Init(&ctx);
    SHA512_Update(&ctx, in.p, in.len);
    SHA512_Final(out, &ctx);
}

void sha3_256(struct span in, uint8_t out[32])
{
    int ok = EVP_Digest(in.p, in.len, out, NULL, EVP_sha3_256(), NULL);
    ASSERT(ok == 1);
}

/* clang-format off */
/* State after the block SHA256(tag) || SHA256(tag). A test works them out again.
 * BIP-340, Design */
static const uint32_t tag_midstates[HASH_TAG_COUNT][8] = {
    [HASH_TAG_BIP340_CHALLENGE] = {0x9cecba11, 0x23925381, 0x11679112, 0xd1627e0f,
        0x97c87550, 0x003cc765, 0x90f61164, 0x33e9b66a}, /* BIP0340/challenge */
    [HASH_TAG_TAP_LEAF] = {0x9ce0e4e6, 0x7c116c39, 0x38b3caf2, 0xc30f5089,
        0xd3f3936c, 0x47636e60, 0x7db33eea, 0xddc6f0c9}, /* TapLeaf */
    [HASH_TAG_TAP_BRANCH] = {0x23a865a9, 0xb8a40da7, 0x977c1e04, 0xc49e246f,
        0xb5be1376, 0x9d24c9b7, 0xb583b5d4, 0xa8d226d2}, /* TapBranch */
    [HASH_TAG_TAP_TWEAK] = {0xd129a2f3, 0x701c655d, 0x6583b6c3, 0xb9419727,
        0x95f4e232, 0x94fd54f4, 0xa2ae8d85, 0x47ca590b}, /* TapTweak */
    [HASH_TAG_TAP_SIGHASH] = {0xf504a425, 0xd7f8783b, 0x1363868a, 0xe3e55658,
        0x6eee945d, 0xbc7888dd, 0x02a6e2c3, 0x1873fe9f}, /* TapSighash */
};
/* clang-format on */

void tagged_hash_init(struct sha256 *h, enum hash_tag tag)
{
    ASSERT(h);
    ASSERT(tag < HASH_TAG_COUNT);
    memcpy(h->state, tag_midstates[tag], sizeof h->state);
    h->total_bytes = 64;
}

void tagged_hash_init_string(struct sha256 *h, const char *tag)
{
    uint8_t digest[32];
    sha256(span_of_string(tag), digest);
    sha256_init(h);
    sha256_update(h, digest, sizeof digest);
    sha256_update(h, digest, sizeof digest);
}

static void sink_to_sha256(void *ctx, const void *p, size_t len)
{
    sha256_update(ctx, p, len);
}

struct writer writer_to_sha256(struct sha256 *h)
{
    return (struct writer){.sink = sink_to_sha256, .sink_ctx = h};
}
