/* aead.c - ChaCha20-Poly1305. */
#include "crypto/aead.h"

#include <limits.h>
#include <openssl/evp.h>

#include "crypto/chacha20.h"
#include "crypto/mem.h"
#include "util/alloc.h"
#include "util/endian.h"

struct aead {
    EVP_CIPHER_CTX *ctx;
};

struct fs_aead {
    struct aead *aead;
    uint32_t messages; /* with this key */
    uint64_t rekeyings;
};

struct aead *aead_new(const uint8_t key[32])
{
    struct aead *aead = xmalloc(sizeof *aead);
    aead->ctx = EVP_CIPHER_CTX_new();
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
    int ok = aead->ctx && cipher && EVP_CipherInit_ex(aead->ctx, cipher, NULL, NULL, NULL, 1);
    ASSERT(ok); /* memory, or a library built without the cipher */
    EVP_CIPHER_free(cipher);
    aead_set_key(aead, key);
    return aead;
}

void aead_free(struct aead *aead)
{
    if (!aead)
        return;
    EVP_CIPHER_CTX_free(aead->ctx); /* wipes the key */
    xfree(aead);
}

void aead_set_key(struct aead *aead, const uint8_t key[32])
{
    ASSERT(aead);
    int ok = EVP_CipherInit_ex(aead->ctx, NULL, NULL, key, NULL, -1);
    ASSERT(ok);
}

/* Feed bytes through; out NULL means authenticate only. Empty pieces are not passed on: some
 * versions of the library take a NULL input for the end of the message. */
static void feed(EVP_CIPHER_CTX *ctx, uint8_t *out, struct span in)
{
    if (in.len == 0)
        return;
    int written = 0;
    ASSERT(in.len <= INT_MAX);
    int ok = EVP_CipherUpdate(ctx, out, &written, in.p, (int)in.len);
    ASSERT(ok && (size_t)written == in.len);
}

void aead_encrypt(struct aead *aead, const uint8_t nonce[12], struct span aad, struct span head,
                  struct span body, uint8_t *out)
{
    ASSERT(aead);
    int none = 0, ok = EVP_CipherInit_ex(aead->ctx, NULL, NULL, NULL, nonce, 1);
    ASSERT(ok);
    feed(aead->ctx, NULL, aad);
    feed(aead->ctx, out, head);
    feed(aead->ctx, out + head.len, body);
    uint8_t *tag = out + head.len + body.len;
    ok = EVP_CipherFinal_ex(aead->ctx, tag, &none) && none == 0 &&
         EVP_CIPHER_CTX_ctrl(aead->ctx, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_BYTES, tag);
    ASSERT(ok);
}

bool aead_decrypt(struct aead *aead, const uint8_t nonce[12], struct span aad, struct span in,
                  uint8_t *head, size_t head_len, uint8_t *body)
{
    if (in.len < head_len + AEAD_TAG_BYTES)
        return false;
    size_t body_len = in.len - head_len - AEAD_TAG_BYTES;
    uint8_t tag[AEAD_TAG_BYTES], unused[1];
    memcpy(tag, in.p + head_len + body_len, sizeof tag);
    int none = 0, ok = EVP_CipherInit_ex(aead->ctx, NULL, NULL, NULL, nonce, 0) &&
                       EVP_CIPHER_CTX_ctrl(aead->ctx, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag);
    ASSERT(ok);
    /* Written before the tag is known to be right: what it says decides, not what is there. */
    feed(aead->ctx, NULL, aad);
    feed(aead->ctx, head, span_of(in.p, head_len));
    feed(aead->ctx, body, span_of(in.p + head_len, body_len));
    return EVP_CipherFinal_ex(aead->ctx, unused, &none) == 1;
}

struct fs_aead *fs_aead_new(const uint8_t key[32])
{
    struct fs_aead *fs = xcalloc(1, sizeof *fs);
    fs->aead = aead_new(key);
    return fs;
}

void fs_aead_free(struct fs_aead *fs)
{
    if (!fs)
        return;
    aead_free(fs->aead);
    xfree(fs);
}

static void make_nonce(const struct fs_aead *fs, uint32_t message, uint8_t nonce[12])
{
    store_le32(nonce, message);
    store_le64(nonce + 4, fs->rekeyings);
}

/* Count a message; after the last for a key, encrypt zeros under a nonce no message has for the
 * next one. */
static void advance(struct fs_aead *fs)
{
    if (++fs->messages < FS_REKEY_MESSAGES)
        return;
    static const uint8_t zeros[32];
    uint8_t nonce[12], next[32 + AEAD_TAG_BYTES];
    /* BIP-324, Rekeying wrappers: FSChaCha20Poly1305 and FSChaCha20 */
    make_nonce(fs, 0xffffffff, nonce);
    aead_encrypt(fs->aead, nonce, span_of(NULL, 0), span_of(NULL, 0), span_of(zeros, 32), next);
    aead_set_key(fs->aead, next);
    mem_wipe(next, sizeof next);
    fs->messages = 0;
    fs->rekeyings++;
}

void fs_aead_encrypt(struct fs_aead *fs, struct span aad, struct span head, struct span body,
                     uint8_t *out)
{
    ASSERT(fs);
    uint8_t nonce[12];
    make_nonce(fs, fs->messages, nonce);
    aead_encrypt(fs->aead, nonce, aad, head, body, out);
    advance(fs);
}

bool fs_aead_decrypt(struct fs_aead *fs, struct span aad, struct span in, uint8_t *head,
                     size_t head_len, uint8_t *body)
{
    ASSERT(fs);
    uint8_t nonce[12];
    make_nonce(fs, fs->messages, nonce);
    bool ok = aead_decrypt(fs->aead, nonce, aad, in, head, head_len, body);
    advance(fs);
    return ok;
}
