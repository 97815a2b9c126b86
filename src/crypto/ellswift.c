/* ellswift.c - public keys as 64 bytes that look random. */
#include "crypto/ellswift.h"

#include <secp256k1.h>
#include <secp256k1_ecdh.h>
#include <string.h>

#include "crypto/chacha20.h"
#include "crypto/field.h"
#include "crypto/hash.h"
#include "crypto/mem.h"

/* sqrt(-3), the root that is a square. Spec: BIP324, MINUS_3_SQRT */
static const struct field minus_3_sqrt = {
    {0x7d8d27ae1cd5f852, 0xc61f6d15da14ecd4, 0x233770c2a797962c, 0x0a2d2ba93507f1df}};

/* The right side of the curve's equation y^2 = x^3 + 7. */
static struct field curve(struct field x)
{
    return field_add(field_mul(field_square(x), x), field_of(7));
}

static bool is_on_curve(struct field x)
{
    struct field y;
    return field_sqrt(&y, curve(x));
}

static struct field half(struct field a)
{
    /* 1/2 is (modulus + 1) / 2. */
    static const struct field inverse_of_2 = {
        {0xffffffff7ffffe18, UINT64_MAX, UINT64_MAX, 0x7fffffffffffffff}};
    return field_mul(a, inverse_of_2);
}

/* XSwiftEC(): of three candidates at least one is on the curve.
 * BIP-324, ElligatorSwift encoding of curve X coordinates */
static struct field decode(struct field u, struct field t)
{
    if (field_is_zero(u))
        u = field_of(1);
    if (field_is_zero(t))
        t = field_of(1);
    struct field gu = curve(u);
    if (field_is_zero(field_add(gu, field_square(t))))
        t = field_add(t, t);

    struct field x = field_mul(field_sub(gu, field_square(t)), field_inverse(field_add(t, t)));
    struct field y = field_mul(field_add(x, t), field_inverse(field_mul(minus_3_sqrt, u)));
    struct field twice_y = field_add(y, y);
    struct field candidate = field_add(u, field_square(twice_y));
    if (is_on_curve(candidate))
        return candidate;
    struct field quotient = field_mul(x, field_inverse(y));
    candidate = half(field_negate(field_add(quotient, u)));
    if (is_on_curve(candidate))
        return candidate;
    return half(field_sub(quotient, u));
}

void ellswift_decode(const uint8_t encoding[64], uint8_t x[32])
{
    field_store(decode(field_load(encoding), field_load(encoding + 32)), x);
}

/* The branches for x as the second or third candidate: v and s with w = sqrt(s) below. */
static bool invert_low(struct field x, struct field u, struct field *v, struct field *s)
{
    if (is_on_curve(field_negate(field_add(x, u))))
        return false;
    struct field sum = field_add(field_add(field_square(u), field_mul(u, x)), field_square(x));
    if (field_is_zero(sum))
        return false;
    *v = x;
    *s = field_negate(field_mul(curve(u), field_inverse(sum)));
    return true;
}

/* The branches for x as the first candidate. */
static bool invert_high(struct field x, struct field u, bool other_root, struct field *v,
                        struct field *s)
{
    *s = field_sub(x, u);
    if (field_is_zero(*s))
        return false;
    struct field gu = curve(u), root;
    struct field four_gu = field_add(field_add(gu, gu), field_add(gu, gu));
    struct field three_u2_s = field_mul(field_mul(field_square(u), field_of(3)), *s);
    struct field square = field_negate(field_mul(*s, field_add(four_gu, three_u2_s)));
    if (!field_sqrt(&root, square) || (other_root && field_is_zero(root)))
        return false;
    *v = half(field_sub(field_mul(root, field_inverse(*s)), u));
    return true;
}

/* XSwiftECInv(). Bit 1 of which chooses between first and other candidates, bits 0 and 2 the signs
 * of the two square roots. BIP-324, ElligatorSwift encoding of curve X coordinates */
static bool invert(struct field x, struct field u, int which, struct field *t)
{
    struct field v, s, w;
    bool bit0 = which & 1;
    if (which & 2) {
        if (!invert_high(x, u, bit0, &v, &s))
            return false;
    } else if (!invert_low(x, u, &v, &s)) {
        return false;
    }
    if (!field_sqrt(&w, s))
        return false;
    struct field factor =
        bit0 ? field_add(field_of(1), minus_3_sqrt) : field_sub(field_of(1), minus_3_sqrt);
    *t = field_mul(w, field_add(half(field_mul(factor, u)), v));
    if ((which & 5) == 0 || (which & 5) == 5)
        *t = field_negate(*t);
    return true;
}

bool ellswift_invert(const uint8_t x[32], const uint8_t u[32], int which, uint8_t t[32])
{
    struct field result;
    if (!invert(field_load(x), field_load(u), which, &result))
        return false;
    field_store(result, t);
    return true;
}

bool ellswift_create(const struct ec_context *context, const uint8_t key[32],
                     const uint8_t random[32], uint8_t encoding[64])
{
    struct ec_pubkey pubkey;
    uint8_t x[32], tries[33], stream_key[32];
    static const uint8_t nonce[12];
    if (!seckey_pubkey(context, key, &pubkey))
        return false;
    xonly_from_pubkey(x, NULL, &pubkey);

    /* The secret key goes in too, against a weak source of randomness. */
    struct sha256 h;
    struct chacha20 stream;
    tagged_hash_init_string(&h, "cairn/ellswift_create");
    sha256_update(&h, random, 32);
    sha256_update(&h, key, 32);
    sha256_final(&h, stream_key);
    chacha20_init(&stream, stream_key, nonce, 0);
    struct field u, t;
    do { /* a quarter of all u and branches succeed, on average */
        chacha20_keystream(&stream, tries, sizeof tries);
        u = field_load(tries);
    } while (field_is_zero(u) || !invert(field_load(x), u, tries[32] & 7, &t));
    field_store(u, encoding);
    field_store(t, encoding + 32);
    mem_wipe(&h, sizeof h);
    mem_wipe(&stream, sizeof stream);
    mem_wipe(stream_key, sizeof stream_key);
    return true;
}

/* Called by the library with the coordinates of the shared point: x alone is wanted. */
static int keep_x(unsigned char *out, const unsigned char *x32, const unsigned char *y32,
                  void *data)
{
    (void)y32;
    (void)data;
    memcpy(out, x32, 32);
    return 1;
}

bool ellswift_agree(const uint8_t key[32], const uint8_t ours[64], const uint8_t theirs[64],
                    bool initiating, uint8_t secret[32])
{
    uint8_t compressed[33] = {2}, x[32];
    secp256k1_pubkey point;
    ellswift_decode(theirs, compressed + 1);
    int ok = secp256k1_ec_pubkey_parse(secp256k1_context_static, &point, compressed, 33);
    ASSERT(ok); /* every encoding stands for a point */
    if (!secp256k1_ecdh(secp256k1_context_static, x, &point, key, keep_x, NULL))
        return false;
    struct sha256 h;
    /* BIP-324, Shared secret computation */
    tagged_hash_init_string(&h, "bip324_ellswift_xonly_ecdh");
    sha256_update(&h, initiating ? ours : theirs, 64);
    sha256_update(&h, initiating ? theirs : ours, 64);
    sha256_update(&h, x, 32);
    sha256_final(&h, secret);
    mem_wipe(x, sizeof x);
    mem_wipe(&h, sizeof h);
    return true;
}
