/* aead.h - messages encrypted and authenticated by ChaCha20-Poly1305, and the form of it that
 * changes its key as it goes.
 *
 * Layer: crypto. The library's cipher is fetched once, when an object is made, never per
 * message. */
#ifndef CRYPTO_AEAD_H
#define CRYPTO_AEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "util/assert.h"
#include "util/span.h"

enum { AEAD_TAG_BYTES = 16 };

struct aead;

/* Make a cipher. Owns: the caller. */
NODISCARD struct aead *aead_new(const uint8_t key[32]);
/* Wipe and free it; NULL is allowed. */
void aead_free(struct aead *aead);
/* Use another key from now on. */
void aead_set_key(struct aead *aead, const uint8_t key[32]);

/* Encrypt head and body as one message (the split spares the caller a copy).
 *
 * In:       nonce   never used before with this key;  aad   authenticated, not sent
 * Out:      out     head.len + body.len + AEAD_TAG_BYTES bytes; may start at body.p if head is
 *                   empty, else must not overlap them
 * Spec:     RFC 8439, section 2.8 */
void aead_encrypt(struct aead *aead, const uint8_t nonce[12], struct span aad, struct span head,
                  struct span body, uint8_t *out);

/* Decrypt a message that ends with its tag.
 *
 * Out:      head (head_len bytes of the text), body (the others; may be in.p + head_len or apart)
 * Returns:  false if it is shorter than head and tag, or the tag does not fit; then head and body
 *           hold nothing of use and must not be looked at */
NODISCARD bool aead_decrypt(struct aead *aead, const uint8_t nonce[12], struct span aad,
                            struct span in, uint8_t *head, size_t head_len, uint8_t *body);

/* The same with nonces counted and the key replaced after every FS_REKEY_MESSAGES messages. Both
 * sides must process the same messages in the same order.
 * BIP-324, Rekeying wrappers: FSChaCha20Poly1305 and FSChaCha20 */
struct fs_aead;

/* Make one for a direction. Owns: the caller. */
NODISCARD struct fs_aead *fs_aead_new(const uint8_t key[32]);
/* Wipe and free it; NULL is allowed. */
void fs_aead_free(struct fs_aead *fs);
/* As aead_encrypt(). */
void fs_aead_encrypt(struct fs_aead *fs, struct span aad, struct span head, struct span body,
                     uint8_t *out);
/* As aead_decrypt(); a message that was refused counts too. */
NODISCARD bool fs_aead_decrypt(struct fs_aead *fs, struct span aad, struct span in, uint8_t *head,
                               size_t head_len, uint8_t *body);

#endif
