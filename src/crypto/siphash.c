/* siphash.c - SipHash-2-4 over any bytes. */
#include "crypto/siphash.h"

static uint64_t load_word(const uint8_t *p, size_t len)
{
    uint64_t v = 0;
    for (size_t i = 0; i < len; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

static void compress(uint64_t v[4], uint64_t m)
{
    v[3] ^= m;
    siphash_round(v);
    siphash_round(v);
    v[0] ^= m;
}

uint64_t siphash24(struct siphash_key key, struct span in)
{
    uint64_t v[4] = {key.k0 ^ 0x736f6d6570736575, key.k1 ^ 0x646f72616e646f6d,
                     key.k0 ^ 0x6c7967656e657261, key.k1 ^ 0x7465646279746573};
    size_t at = 0;
    for (; in.len - at >= 8; at += 8)
        compress(v, load_word(in.p + at, 8));

    /* The last word: what is left, and the length's low byte on top. */
    uint64_t last = (uint64_t)in.len << 56;
    if (at < in.len)
        last |= load_word(in.p + at, in.len - at);
    compress(v, last);
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        siphash_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
