/* u256.c - 256-bit arithmetic on four 64-bit limbs. */
#include "util/u256.h"

#include <string.h>

#include "util/hex.h"
#include "util/span.h"

__extension__ typedef unsigned __int128 u128;

struct u256 u256_from_le(const uint8_t bytes[32])
{
    struct u256 a = {{0}};
    for (unsigned i = 0; i < 32; i++)
        a.limb[i / 8] |= (uint64_t)bytes[i] << (8 * (i % 8));
    return a;
}

void u256_to_le(struct u256 a, uint8_t bytes[32])
{
    for (unsigned i = 0; i < 32; i++)
        bytes[i] = (uint8_t)(a.limb[i / 8] >> (8 * (i % 8)));
}

struct u256 u256_add(struct u256 a, struct u256 b)
{
    u128 carry = 0;
    for (int i = 0; i < 4; i++) {
        carry += (u128)a.limb[i] + b.limb[i];
        a.limb[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return a;
}

struct u256 u256_not(struct u256 a)
{
    for (int i = 0; i < 4; i++)
        a.limb[i] = ~a.limb[i];
    return a;
}

struct u256 u256_sub(struct u256 a, struct u256 b)
{
    /* -b is not(b) + 1 */
    return u256_add(u256_add(a, u256_not(b)), u256_of(1));
}

struct u256 u256_mul(struct u256 a, uint64_t factor)
{
    u128 carry = 0;
    for (int i = 0; i < 4; i++) {
        carry += (u128)a.limb[i] * factor;
        a.limb[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return a;
}

struct u256 u256_shl(struct u256 a, unsigned n)
{
    struct u256 result = {{0}};
    unsigned limbs = n / 64, bits = n % 64;
    for (unsigned i = limbs; i < 4; i++) {
        result.limb[i] = a.limb[i - limbs] << bits;
        if (bits && i > limbs)
            result.limb[i] |= a.limb[i - limbs - 1] >> (64 - bits);
    }
    return result;
}

struct u256 u256_shr(struct u256 a, unsigned n)
{
    struct u256 result = {{0}};
    unsigned limbs = n / 64, bits = n % 64;
    for (unsigned i = limbs; i < 4; i++) {
        result.limb[i - limbs] = a.limb[i] >> bits;
        if (bits && i < 3)
            result.limb[i - limbs] |= a.limb[i + 1] << (64 - bits);
    }
    return result;
}

unsigned u256_bits(struct u256 a)
{
    for (unsigned i = 4; i-- > 0;)
        if (a.limb[i])
            return 64 * i + 64 - (unsigned)__builtin_clzll(a.limb[i]);
    return 0;
}

/* A divisor of one limb: from the top, each remainder goes before the next limb. */
static struct u256 div_by_limb(struct u256 a, uint64_t b)
{
    u128 rest = 0;
    for (int i = 3; i >= 0; i--) {
        rest = rest << 64 | a.limb[i];
        a.limb[i] = (uint64_t)(rest / b);
        rest %= b;
    }
    return a;
}

/* r -= digit * b << 64 * at, where the true digit may be up to two less. Returns the digit that
 * leaves r not negative. r has a fifth limb for the bits that normalising shifted out. */
static uint64_t subtract_multiple(uint64_t r[5], struct u256 b, unsigned n, unsigned at,
                                  uint64_t digit)
{
    u128 carry = 0;
    uint64_t borrow = 0;
    for (unsigned i = 0; i <= n; i++) {
        carry += (u128)digit * (i < n ? b.limb[i] : 0);
        u128 difference = (u128)r[at + i] - (uint64_t)carry - borrow;
        r[at + i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
        carry >>= 64;
    }
    while (borrow) {
        u128 sum = 0;
        for (unsigned i = 0; i <= n; i++) {
            sum += (u128)r[at + i] + (i < n ? b.limb[i] : 0);
            r[at + i] = (uint64_t)sum;
            sum >>= 64;
        }
        borrow -= (uint64_t)sum;
        digit--;
    }
    return digit;
}

/* Schoolbook division in base 2^64 (Knuth, volume 2, 4.3.1 D): each digit of the quotient is
 * guessed from the leading limbs, which after normalising is at most two too large. */
struct u256 u256_div(struct u256 a, struct u256 b)
{
    unsigned bits = u256_bits(b);
    ASSERT(bits > 0);
    if (bits <= 64)
        return div_by_limb(a, b.limb[0]);

    unsigned n = (bits + 63) / 64, shift = 64 * n - bits;
    uint64_t r[5] = {0};
    struct u256 low = u256_shl(a, shift);
    memcpy(r, low.limb, sizeof low.limb);
    r[4] = shift ? a.limb[3] >> (64 - shift) : 0;
    b = u256_shl(b, shift);

    struct u256 quotient = {{0}};
    for (unsigned at = 5 - n; at-- > 0;) {
        u128 leading = (u128)r[at + n] << 64 | r[at + n - 1];
        u128 guess = leading / b.limb[n - 1];
        uint64_t digit = guess > UINT64_MAX ? UINT64_MAX : (uint64_t)guess;
        quotient.limb[at] = subtract_multiple(r, b, n, at, digit);
    }
    VERIFY(r[4] == 0 && u256_compare((struct u256){{r[0], r[1], r[2], r[3]}}, b) < 0);
    return quotient;
}

char *u256_to_hex(struct u256 a, char *out)
{
    uint8_t bytes[32];
    u256_to_le(a, bytes);
    return hex_encode_reversed(out, span_of(bytes, sizeof bytes));
}

double u256_to_double(struct u256 a)
{
    double result = 0;
    for (int i = 3; i >= 0; i--)
        result = result * 18446744073709551616.0 + (double)a.limb[i];
    return result;
}
