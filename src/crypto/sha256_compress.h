/* sha256_compress.h - the compression function of SHA-256, for hash.c and its tests only.
 *
 * Layer: crypto. Three ways to the same result: the SHA extensions of x86 one block at a time, the
 * same with two independent blocks interleaved (each hides the latency of the other), and OpenSSL
 * for every other processor. */
#ifndef CRYPTO_SHA256_COMPRESS_H
#define CRYPTO_SHA256_COMPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The state before the first block. Spec: FIPS 180-4, section 5.3.3. */
extern const uint32_t sha256_initial_state[8];

/* True if this processor has the SHA extensions and this build can use them. */
bool sha256_has_extensions(void);

/* Take n blocks of 64 bytes into state, the fastest way there is. */
void sha256_compress(uint32_t state[8], const uint8_t *blocks, size_t n);

/* Take n blocks of each of two messages into their states. Both together take as long as one where
 * the processor has the extensions: each hides the latency of the other. */
void sha256_compress_two(uint32_t state_a[8], const uint8_t *a, uint32_t state_b[8],
                         const uint8_t *b, size_t n);

/* sha256_compress() through OpenSSL's low-level interface, on every processor. */
void sha256_compress_portable(uint32_t state[8], const uint8_t *blocks, size_t n);

/* Replace a final state by that of the SHA-256 of its digest. */
void sha256_hash_digest(uint32_t state[8]);
/* The same for two states. */
void sha256_hash_digest_two(uint32_t state_a[8], uint32_t state_b[8]);

/* Double SHA-256 of two 64-byte inputs side by side, to two digests side by side. out may be in.
 * Only where sha256_has_extensions(). */
void sha256d_64_pair(uint8_t out[64], const uint8_t in[128]);

#endif
