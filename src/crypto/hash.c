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

/* A message as runs of whole blocks: what only its pieces together fill is put together here. */
struct runs {
    struct {
        const uint8_t *p;
        size_t n; /* blocks */
    } run[3];
    uint8_t first[64], last[128];
    uint32_t state[8];
};

static size_t append(uint8_t *to, size_t at, struct span s)
{
    if (s.len)
        memcpy(to + at, s.p, s.len);
    return at + s.len;
}

/* Spec: FIPS 180-4, section 5.1.1. */
static void runs_make(struct runs *runs, const struct sha256_message *message)
{
    struct span head = message->head, body = message->body;
    uint64_t total_bytes = (uint64_t)head.len + body.len + message->tail.len;
    ASSERT(head.len <= SHA256_EDGE_MAX && message->tail.len <= SHA256_EDGE_MAX);
    memcpy(runs->state, sha256_initial_state, sizeof runs->state);
    runs->run[0].n = 0;
    if (head.len > 0 && body.len >= 64 - head.len) {
        size_t fill = 64 - head.len;
        (void)append(runs->first, append(runs->first, 0, head), span_of(body.p, fill));
        runs->run[0].p = runs->first;
        runs->run[0].n = 1;
        head.len = 0;
        body = span_of(body.p + fill, body.len - fill);
    }
    size_t n = head.len > 0 ? 0 : body.len / 64;
    runs->run[1].p = body.p;
    runs->run[1].n = n;
    if (n > 0)
        body = span_of(body.p + 64 * n, body.len - 64 * n);
    size_t used = append(runs->last, append(runs->last, 0, head), body);
    used = append(runs->last, used, message->tail);
    runs->run[2].p = runs->last;
    runs->run[2].n = used + 9 <= 64 ? 1 : 2;
    size_t end = 64 * runs->run[2].n;
    ASSERT(used + 9 <= end);
    memset(runs->last + used, 0, end - 8 - used);
    runs->last[used] = 0x80;
    store_be64(runs->last + end - 8, total_bytes << 3);
}

/* Move *at to the first run that is not used up. False if there is none. */
static bool runs_left(const struct runs *runs, int *at)
{
    while (*at < 3 && runs->run[*at].n == 0)
        (*at)++;
    return *at < 3;
}

static const uint8_t *runs_take(struct runs *runs, int at, size_t n)
{
    const uint8_t *p = runs->run[at].p;
    runs->run[at].p += 64 * n;
    runs->run[at].n -= n;
    return p;
}

static void runs_finish(struct runs *runs, int at)
{
    for (; at < 3; at++)
        sha256_compress(runs->state, runs->run[at].p, runs->run[at].n);
}

void sha256d_two(const struct sha256_message *a, const struct sha256_message *b, uint8_t out_a[32],
                 uint8_t out_b[32])
{
    ASSERT(a && b && out_a && out_b);
    struct runs x, y;
    int at_x = 0, at_y = 0;
    runs_make(&x, a);
    runs_make(&y, b);
    while (runs_left(&x, &at_x) && runs_left(&y, &at_y)) {
        size_t n = MIN_OF(x.run[at_x].n, y.run[at_y].n);
        const uint8_t *p = runs_take(&x, at_x, n);
        sha256_compress_two(x.state, p, y.state, runs_take(&y, at_y, n), n);
    }
    runs_finish(&x, at_x);
    runs_finish(&y, at_y);
    sha256_hash_digest_two(x.state, y.state);
    store_state(x.state, out_a);
    store_state(y.state, out_b);
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
