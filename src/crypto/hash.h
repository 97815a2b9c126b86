/* hash.h - the hashes of the protocol: SHA-256 and its double, SHA-1, RIPEMD-160, tagged hashes.
 *
 * Layer: crypto. Thread-safe, no heap. Small inputs are the common case, so no call may pay for
 * OpenSSL's provider fetch (measured: 600 ns instead of 125 ns for 64 bytes). */
#ifndef CRYPTO_HASH_H
#define CRYPTO_HASH_H

#include <stdint.h>

#include "util/span.h"
#include "util/writer.h"

/* Incremental SHA-256; copyable by value, so a midstate can be kept and continued. */
struct sha256 {
    uint32_t state[8];
    uint64_t total_bytes;
    uint8_t block[64];
};

/* Begin a SHA-256 in pieces. */
void sha256_init(struct sha256 *h);
/* Hash more bytes, of any number. */
void sha256_update(struct sha256 *h, const void *p, size_t len);
/* Writes the digest; h must be initialised again before further use. */
void sha256_final(struct sha256 *h, uint8_t out[32]);
/* Finish with a second SHA-256 over the first digest. */
void sha256d_final(struct sha256 *h, uint8_t out[32]);

/* SHA-256 of bytes. */
void sha256(struct span in, uint8_t out[32]);
/* SHA-256 of the SHA-256: what most hashes of the protocol are. */
void sha256d(struct span in, uint8_t out[32]);
/* A message in pieces, the outer two of at most SHA256_EDGE_MAX bytes. */
struct sha256_message {
    struct span head, body, tail;
};
#define SHA256_EDGE_MAX 8
/* Double SHA-256 of two messages side by side, which is faster than one after the other. */
void sha256d_two(const struct sha256_message *a, const struct sha256_message *b, uint8_t out_a[32],
                 uint8_t out_b[32]);
/* Double SHA-256 of n independent 64-byte inputs, each to 32 bytes; out may be in (merkle). */
void sha256d_64(uint8_t *out, const uint8_t *in, size_t n);

/* Search inputs that differ in their last four bytes, a little-endian number, for one whose double
 * SHA-256 is small: what proof of work asks for.
 *
 * In:       h        of all bytes before the number; at most 51 of them in its last block
 *           first,n  the numbers to try; they end before 2^32
 *           top_max  of the digest as a little-endian number the highest 32 bits, at most
 * Returns:  how many numbers failed before the first that did not; n if none is left */
uint32_t sha256d_search(const struct sha256 *h, uint32_t first, uint32_t n, uint32_t top_max);

/* SHA-1, which script knows. */
void sha1(struct span in, uint8_t out[20]);
/* RIPEMD-160, which script knows. */
void ripemd160(struct span in, uint8_t out[20]);
/* RIPEMD160(SHA256(in)): of keys and scripts in addresses. */
void hash160(struct span in, uint8_t out[20]);
/* SHA-512, below the keys of BIP32. */
void sha512(struct span in, uint8_t out[64]);
/* SHA3-256, of onion addresses. Spec: FIPS 202 */
void sha3_256(struct span in, uint8_t out[32]);

/* The tags of BIP340 to BIP342, whose midstates are precomputed. */
enum hash_tag {
    HASH_TAG_BIP340_CHALLENGE,
    HASH_TAG_TAP_LEAF,
    HASH_TAG_TAP_BRANCH,
    HASH_TAG_TAP_TWEAK,
    HASH_TAG_TAP_SIGHASH,
    HASH_TAG_COUNT,
};
/* Start SHA256(SHA256(tag) || SHA256(tag) || ...). Spec: BIP340 */
void tagged_hash_init(struct sha256 *h, enum hash_tag tag);
/* The same with a tag of any other text. */
void tagged_hash_init_string(struct sha256 *h, const char *tag);

/* A writer that feeds h. Borrows h for the writer's life. */
struct writer writer_to_sha256(struct sha256 *h);

#endif
