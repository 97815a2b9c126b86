/* chacha20.h - the stream cipher ChaCha20, and its form that changes its key as it goes.
 *
 * Layer: crypto. No heap. For messages with an authentication tag see aead.h. */
#ifndef CRYPTO_CHACHA20_H
#define CRYPTO_CHACHA20_H

#include <stdint.h>

#include "util/span.h"

/* A position in a key stream. Holds secrets: wipe with mem_wipe(). */
struct chacha20 {
    uint32_t state[16];
    uint8_t buffer[64]; /* the last block made */
    size_t left;        /* bytes at its end not used yet */
};

/* Start at block counter of the stream for key and nonce. The stream is 2^32 blocks long.
 * Spec: RFC 8439, section 2.4 */
void chacha20_init(struct chacha20 *c, const uint8_t key[32], const uint8_t nonce[12],
                   uint32_t counter);

/* The next len bytes of key stream. */
void chacha20_keystream(struct chacha20 *c, uint8_t *out, size_t len);
/* Combine len bytes of in with the next of the key stream: encrypts, and done twice from the same
 * position decrypts. out may be in, but not overlap it otherwise. */
void chacha20_crypt(struct chacha20 *c, uint8_t *out, const uint8_t *in, size_t len);

/* ChaCha20 whose key is replaced, by its own output, after every FS_REKEY_MESSAGES messages: who
 * steals the key later cannot read what was sent before.
 * BIP-324, Rekeying wrappers: FSChaCha20Poly1305 and FSChaCha20 */
enum { FS_REKEY_MESSAGES = 224 };

struct fs_chacha20 {
    struct chacha20 stream;
    uint32_t messages; /* with this key */
    uint64_t rekeyings;
};

/* Start with a key. */
void fs_chacha20_init(struct fs_chacha20 *c, const uint8_t key[32]);

/* Encrypt or decrypt one message; out may be in. */
void fs_chacha20_crypt(struct fs_chacha20 *c, uint8_t *out, const uint8_t *in, size_t len);

#endif
