/* hmac.c - keyed message tags, and keys derived with them. */
#include "crypto/hmac.h"

#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "crypto/hash.h"
#include "crypto/mem.h"
#include "util/assert.h"

/* Put a pad on the key's block; 0x36 ^ 0x5c takes the inner one off and the outer one on at once.
 */
static void xor_pad(uint8_t *block, size_t len, uint8_t with)
{
    for (size_t i = 0; i < len; i++)
        block[i] ^= with;
}

void hmac_sha256(struct span key, struct span message, uint8_t out[32])
{
    uint8_t block[64] = {0};
    struct sha256 h;
    if (key.len > sizeof block)
        sha256(key, block);
    else if (key.len)
        memcpy(block, key.p, key.len);

    xor_pad(block, sizeof block, 0x36);
    sha256_init(&h);
    sha256_update(&h, block, sizeof block);
    sha256_update(&h, message.p, message.len);
    uint8_t inner[32];
    sha256_final(&h, inner);

    xor_pad(block, sizeof block, 0x36 ^ 0x5c);
    sha256_init(&h);
    sha256_update(&h, block, sizeof block);
    sha256_update(&h, inner, sizeof inner);
    sha256_final(&h, out);
    mem_wipe(block, sizeof block);
    mem_wipe(&h, sizeof h);
}

void hmac_sha512(struct span key, struct span message, uint8_t out[64])
{
    uint8_t block[128] = {0};
    SHA512_CTX h;
    if (key.len > sizeof block)
        sha512(key, block);
    else if (key.len)
        memcpy(block, key.p, key.len);

    xor_pad(block, sizeof block, 0x36);
    SHA512_Init(&h);
    SHA512_Update(&h, block, sizeof block);
    SHA512_Update(&h, message.p, message.len);
    uint8_t inner[64];
    SHA512_Final(inner, &h);

    xor_pad(block, sizeof block, 0x36 ^ 0x5c);
    SHA512_Init(&h);
    SHA512_Update(&h, block, sizeof block);
    SHA512_Update(&h, inner, sizeof inner);
    SHA512_Final(out, &h);
    mem_wipe(block, sizeof block);
    mem_wipe(&h, sizeof h);
}

void hkdf_sha256_extract(struct span salt, struct span secret, uint8_t key[32])
{
    hmac_sha256(salt, secret, key);
}

void hkdf_sha256_expand(const uint8_t key[32], struct span info, uint8_t *out, size_t out_len)
{
    ASSERT(out_len <= 255 * 32 && info.len <= HKDF_INFO_MAX);
    uint8_t message[32 + HKDF_INFO_MAX + 1], block[32];
    size_t previous = 0; /* the first block has no block before it */
    for (uint8_t count = 1; out_len > 0; count++) {
        memcpy(message, block, previous);
        if (info.len)
            memcpy(message + previous, info.p, info.len);
        message[previous + info.len] = count;
        hmac_sha256(span_of(key, 32), span_of(message, previous + info.len + 1), block);
        previous = sizeof block;

        size_t n = out_len < sizeof block ? out_len : sizeof block;
        memcpy(out, block, n);
        out += n;
        out_len -= n;
    }
    mem_wipe(message, sizeof message);
    mem_wipe(block, sizeof block);
}
