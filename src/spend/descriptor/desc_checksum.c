/* desc_checksum.c - the eight characters behind a descriptor. */
#include "spend/descriptor/desc_checksum.h"

#include "util/sums_table.h"

enum {
    NONE = 255, /* not a character of descriptors */
    GROUP = 4,  /* symbols that are added at once */
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

/* What the symbols shifted out at the top become by GROUP steps, the last of them first: its five
 * bits stand for the generators themselves, those of each symbol before go through one step more.
 * A getblock shows thousands of descriptors: four symbols at once cost what one did.
 * BIP-380, Checksum */
static const uint64_t group_changes[GROUP][32] = {
    SUMS_32(0xf5dee51989, 0xa9fdca3312, 0x1bab10e32d, 0x3706b1677a, 0x644d626ffd),
    SUMS_32(0x5ac1aae998, 0xb581d1f719, 0x2941334f3b, 0x5280f63f7f, 0xa501ec7bf7),
    SUMS_32(0x3310c37ee1, 0x6621865ce2, 0xc6539c1dc4, 0xcee5bcbb88, 0xdfdbfdf230),
    SUMS_32(0xd04eb50c1f, 0xe89d6a1817, 0x993850b007, 0x7a22a1600e, 0xf41742641c),
};
/* clang-format on */

static const char checksum_charset[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

static inline uint64_t poly_mod(uint64_t c, uint64_t value)
{
    return ((c & 0x7ffffffff) << 5 ^ value) ^ group_changes[0][c >> 35];
}

/* GROUP steps at once; values: their symbols, the first one highest. */
static inline uint64_t poly_mod_group(uint64_t c, uint64_t values)
{
    return ((c & 0xfffff) << 20 ^ values) ^ group_changes[0][c >> 20 & 31] ^
           group_changes[1][c >> 25 & 31] ^ group_changes[2][c >> 30 & 31] ^
           group_changes[3][c >> 35];
}

/* A character's symbol is the lower part of its place; three characters' upper parts make one
 * symbol more behind them. BIP-380, Checksum */
static uint8_t place_of(uint8_t character)
{
    return character < sizeof input_place ? input_place[character] : NONE;
}

bool desc_checksum(struct span text, char out[DESC_CHECKSUM_CHARS + 1])
{
    uint64_t c = 1, class = 0;
    size_t i = 0;
    for (; text.len - i >= 3; i += 3) {
        unsigned x = place_of(text.p[i]), y = place_of(text.p[i + 1]), z = place_of(text.p[i + 2]);
        if (x == NONE || y == NONE || z == NONE)
            return false;
        uint64_t upper = (x >> 5) * 9 + (y >> 5) * 3 + (z >> 5);
        c = poly_mod_group(c, (x & 31) << 15 | (y & 31) << 10 | (z & 31) << 5 | upper);
    }
    for (; i < text.len; i++) {
        unsigned x = place_of(text.p[i]);
        if (x == NONE)
            return false;
        c = poly_mod(c, x & 31);
        class = class * 3 + (x >> 5);
    }
    if (text.len % 3 != 0)
        c = poly_mod(c, class);
    c = poly_mod_group(poly_mod_group(c, 0), 0);
    c ^= 1;
    for (i = 0; i < DESC_CHECKSUM_CHARS; i++)
        out[i] = checksum_charset[c >> (5 * (DESC_CHECKSUM_CHARS - 1 - i)) & 31];
    out[DESC_CHECKSUM_CHARS] = 0;
    return true;
}
