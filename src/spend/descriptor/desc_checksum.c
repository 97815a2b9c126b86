/* desc_checksum.c - the eight characters behind a descriptor. */
#include "spend/descriptor/desc_checksum.h"

enum {
    NONE = 255, /* not a character of descriptors */
};

/* clang-format off */
/* The set of characters the other way round: the place of each ASCII character in it.
 * BIP-380, Character Set */
static const uint8_t input_place[128] = {
    NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE,
    NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE,
      94,   59,   92,   91,   28,   29,   50,   15,   10,   11,   17,   51,   14,   52,   53,   16,
       0,    1,    2,    3,    4,    5,    6,    7,    8,    9,   27,   54,   55,   56,   57,   58,
      26,   82,   83,   84,   85,   86,   87,   88,   89,   32,   33,   34,   35,   36,   37,   38,
      39,   40,   41,   42,   43,   44,   45,   46,   47,   48,   49,   12,   93,   13,   60,   61,
      90,   18,   19,   20,   21,   22,   23,   24,   25,   64,   65,   66,   67,   68,   69,   70,
      71,   72,   73,   74,   75,   76,   77,   78,   79,   80,   81,   30,   62,   31,   63, NONE
};

/* The generators, combined: what the five bits shifted out at the top add. A getblock shows
 * thousands of descriptors of a hundred characters, so this is done by table.
 * BIP-380, Checksum */
static const uint64_t generators[32] = {
    0x0000000000, 0xf5dee51989, 0xa9fdca3312, 0x5c232f2a9b,
    0x1bab10e32d, 0xee75f5faa4, 0xb256dad03f, 0x47883fc9b6,
    0x3706b1677a, 0xc2d8547ef3, 0x9efb7b5468, 0x6b259e4de1,
    0x2cada18457, 0xd973449dde, 0x85506bb745, 0x708e8eaecc,
    0x644d626ffd, 0x9193877674, 0xcdb0a85cef, 0x386e4d4566,
    0x7fe6728cd0, 0x8a38979559, 0xd61bb8bfc2, 0x23c55da64b,
    0x534bd30887, 0xa69536110e, 0xfab6193b95, 0x0f68fc221c,
    0x48e0c3ebaa, 0xbd3e26f223, 0xe11d09d8b8, 0x14c3ecc131
};
/* clang-format on */

static const char checksum_charset[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

static inline uint64_t poly_mod(uint64_t c, uint64_t value)
{
    return ((c & 0x7ffffffff) << 5 ^ value) ^ generators[c >> 35];
}

bool desc_checksum(struct span text, char out[DESC_CHECKSUM_CHARS + 1])
{
    uint64_t c = 1, class = 0;
    unsigned n_classes = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t at = text.p[i] < sizeof input_place ? input_place[text.p[i]] : NONE;
        if (at == NONE)
            return false;
        c = poly_mod(c, at & 31);
        /* Three characters' upper parts make one symbol more. BIP-380, Checksum */
        class = class * 3 + (at >> 5);
        if (++n_classes == 3) {
            c = poly_mod(c, class);
            class = 0;
            n_classes = 0;
        }
    }
    if (n_classes > 0)
        c = poly_mod(c, class);
    for (int i = 0; i < DESC_CHECKSUM_CHARS; i++)
        c = poly_mod(c, 0);
    c ^= 1;
    for (int i = 0; i < DESC_CHECKSUM_CHARS; i++)
        out[i] = checksum_charset[c >> (5 * (DESC_CHECKSUM_CHARS - 1 - i)) & 31];
    out[DESC_CHECKSUM_CHARS] = 0;
    return true;
}
