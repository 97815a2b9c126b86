/* hmac.h - keyed message tags, and keys derived with them.
 *
 * Layer: crypto. Thread-safe, no heap. */
#ifndef CRYPTO_HMAC_H
#define CRYPTO_HMAC_H

#include <stdint.h>

#include "util/span.h"

/* HMAC-SHA-256 of a message under a key of any length. Spec: RFC 2104, 4231. */
void hmac_sha256(struct span key, struct span message, uint8_t out[32]);
/* HMAC-SHA-512 of a message under a key of any length. Spec: RFC 2104, 4231. */
void hmac_sha512(struct span key, struct span message, uint8_t out[64]);

/* HKDF-SHA-256, first step: a uniform key from any secret. Spec: RFC 5869, section 2.2 */
void hkdf_sha256_extract(struct span salt, struct span secret, uint8_t key[32]);

enum { HKDF_INFO_MAX = 128 };

/* HKDF-SHA-256, second step: out_len bytes for one purpose; at most 255 * 32, info at most
 * HKDF_INFO_MAX. Spec: RFC 5869, section 2.3 */
void hkdf_sha256_expand(const uint8_t key[32], struct span info, uint8_t *out, size_t out_len);

#endif
