/* muhash.c - a hash of a set. */
#include "crypto/muhash.h"

#include <openssl/bn.h>

#include "crypto/chacha20.h"
#include "crypto/hash.h"
#include "util/assert.h"
#include "util/endian.h"

enum { LIMBS = MUHASH_LIMBS, NUMBER_BYTES = MUHASH_STATE_BYTES };

/* The modulus is 2^3072 minus this. */
static const uint64_t prime_diff = 1103717;

__extension__ typedef unsigned __int128 uint128;

/* a += small at limb 0; returns the carry out of the top. */
static uint64_t add_small(struct num3072 *a, uint64_t small)
{
    for (int i = 0; i < LIMBS && small; i++) {
        a->limb[i] += small;
        small = a->limb[i] < small;
    }
    return small;
}

/* wide = a * b, schoolbook: a row for each limb of a. */
static void multiply_wide(uint64_t wide[2 * LIMBS], const struct num3072 *a,
                          const struct num3072 *b)
{
    memset(wide, 0, LIMBS * sizeof wide[0]);
    for (int i = 0; i < LIMBS; i++) {
        uint64_t factor = a->limb[i], carry = 0;
#pragma GCC unroll 8
        for (int j = 0; j < LIMBS; j++) {
            uint128 sum = (uint128)factor * b->limb[j] + wide[i + j] + carry;
            wide[i + j] = (uint64_t)sum;
            carry = (uint64_t)(sum >> 64);
        }
        wide[i + LIMBS] = carry;
    }
}

/* a = a * b, below 2^3072 but not necessarily below the prime. b may be a. */
static void multiply(struct num3072 *a, const struct num3072 *b)
{
    uint64_t wide[2 * LIMBS], carry = 0;
    multiply_wide(wide, a, b);
    /* The upper half has weight 2^3072, which is the difference modulo the prime. */
    for (int i = 0; i < LIMBS; i++) {
        uint128 sum = (uint128)wide[LIMBS + i] * prime_diff + wide[i] + carry;
        a->limb[i] = (uint64_t)sum;
        carry = (uint64_t)(sum >> 64);
    }
    /* The carry is a little above the difference at most; after a second wrap the number is tiny,
     * so a third cannot happen. */
    if (add_small(a, carry * prime_diff))
        add_small(a, prime_diff);
}

static bool is_at_least_prime(const struct num3072 *a)
{
    for (int i = LIMBS - 1; i > 0; i--) {
        if (a->limb[i] != UINT64_MAX)
            return false;
    }
    return a->limb[0] >= UINT64_MAX - prime_diff + 1;
}

/* Subtract the prime if it fits: adding the difference wraps to the same. */
static void reduce(struct num3072 *a)
{
    if (is_at_least_prime(a))
        add_small(a, prime_diff);
}

static void load_number(struct num3072 *a, const uint8_t in[NUMBER_BYTES])
{
    for (int i = 0; i < LIMBS; i++)
        a->limb[i] = load_le64(in + 8 * i);
}

static void store_number(const struct num3072 *a, uint8_t out[NUMBER_BYTES])
{
    for (int i = 0; i < LIMBS; i++)
        store_le64(out + 8 * i, a->limb[i]);
}

static bool is_one(const struct num3072 *a)
{
    uint64_t rest = a->limb[0] ^ 1;
    for (int i = 1; i < LIMBS; i++)
        rest |= a->limb[i];
    return rest == 0;
}

static BIGNUM *big_number(const struct num3072 *a)
{
    uint8_t bytes[NUMBER_BYTES];
    store_number(a, bytes);
    BIGNUM *number = BN_lebin2bn(bytes, sizeof bytes, NULL);
    ASSERT(number);
    return number;
}

/* a = 1 / a; 0 stays 0. The extended Euclid of OpenSSL: the power a^(p - 2) takes twenty times as
 * long, and one is due for each block of an index. */
static void invert(struct num3072 *a)
{
    struct num3072 prime;
    memset(&prime, 0xff, sizeof prime);
    prime.limb[0] = UINT64_MAX - prime_diff + 1;
    reduce(a);
    if (is_one(a))
        return;
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *number = big_number(a), *modulus = big_number(&prime);
    ASSERT(ctx);
    uint8_t bytes[NUMBER_BYTES];
    bool is_zero = BN_is_zero(number);
    bool ok = is_zero || (BN_mod_inverse(number, number, modulus, ctx) &&
                          BN_bn2lebinpad(number, bytes, sizeof bytes) == sizeof bytes);
    ASSERT(ok); /* every other number has an inverse: what may fail is memory */
    if (!is_zero)
        load_number(a, bytes);
    BN_free(number);
    BN_free(modulus);
    BN_CTX_free(ctx);
}

static void set_one(struct num3072 *a)
{
    memset(a, 0, sizeof *a);
    a->limb[0] = 1;
}

/* The number of an element: the key stream of its hash. */
static void number_of(struct num3072 *a, struct span element)
{
    static const uint8_t nonce[12];
    uint8_t key[32], bytes[NUMBER_BYTES];
    struct chacha20 stream;
    sha256(element, key);
    chacha20_init(&stream, key, nonce, 0);
    chacha20_keystream(&stream, bytes, sizeof bytes);
    load_number(a, bytes);
}

void muhash_init(struct muhash *m)
{
    ASSERT(m);
    set_one(&m->numerator);
    set_one(&m->denominator);
}

void muhash_insert(struct muhash *m, struct span element)
{
    ASSERT(m);
    struct num3072 number;
    number_of(&number, element);
    multiply(&m->numerator, &number);
}

void muhash_remove(struct muhash *m, struct span element)
{
    ASSERT(m);
    struct num3072 number;
    number_of(&number, element);
    multiply(&m->denominator, &number);
}

void muhash_encode(const struct muhash *m, uint8_t out[MUHASH_STATE_BYTES])
{
    ASSERT(m);
    struct num3072 quotient = m->denominator;
    invert(&quotient);
    multiply(&quotient, &m->numerator);
    reduce(&quotient);
    store_number(&quotient, out);
}

void muhash_decode(struct muhash *m, const uint8_t in[MUHASH_STATE_BYTES])
{
    ASSERT(m);
    load_number(&m->numerator, in);
    set_one(&m->denominator);
}

void muhash_digest_encoded(const uint8_t in[MUHASH_STATE_BYTES], uint8_t out[32])
{
    sha256(span_of(in, MUHASH_STATE_BYTES), out);
}

void muhash_digest(const struct muhash *m, uint8_t out[32])
{
    uint8_t bytes[MUHASH_STATE_BYTES];
    muhash_encode(m, bytes);
    muhash_digest_encoded(bytes, out);
}
