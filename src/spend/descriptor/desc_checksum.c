/* desc_checksum.c - the eight characters behind a descriptor. */
#include "spend/descriptor/desc_checksum.h"

#include "util/sums_table.h"

enum {
    GROUP = 8,     /* symbols that are added at once: as many as the remainder holds */
    CHARACTERS = 6 /* that make so many */
};

/* A character's symbol is the lower part of its place in the set; three characters' upper parts
 * make one symbol more behind them. So each of three is a summand, by its position among them, of
 * the four symbols. Its mark tells that it is in the set: only three of those make ALL_THREE.
 * BIP-380, Checksum */
#define MARK          (UINT32_C(1) << 28)
#define ALL_THREE     (3 * MARK)
#define FIRST(place)  MARK + ((place & 31) << 15) + (place >> 5) * 9
#define SECOND(place) MARK + ((place & 31) << 10) + (place >> 5) * 3
#define THIRD(place)  MARK + ((place & 31) << 5) + (place >> 5)

/* clang-format off */
/* The places of the characters from the space to the tilde in the set. BIP-380, Character Set */
#define PLACES(P)                                                                                  \
    P(94), P(59), P(92), P(91), P(28), P(29), P(50), P(15), P(10), P(11), P(17), P(51), P(14),     \
    P(52), P(53), P(16),  P(0),  P(1),  P(2),  P(3),  P(4),  P(5),  P(6),  P(7),  P(8),  P(9),     \
    P(27), P(54), P(55), P(56), P(57), P(58), P(26), P(82), P(83), P(84), P(85), P(86), P(87),     \
    P(88), P(89), P(32), P(33), P(34), P(35), P(36), P(37), P(38), P(39), P(40), P(41), P(42),     \
    P(43), P(44), P(45), P(46), P(47), P(48), P(49), P(12), P(93), P(13), P(60), P(61), P(90),     \
    P(18), P(19), P(20), P(21), P(22), P(23), P(24), P(25), P(64), P(65), P(66), P(67), P(68),     \
    P(69), P(70), P(71), P(72), P(73), P(74), P(75), P(76), P(77), P(78), P(79), P(80), P(81),     \
    P(30), P(62), P(31), P(63)
static const uint32_t summands[3][256] = {
    {[' '] = PLACES(FIRST)}, {[' '] = PLACES(SECOND)}, {[' '] = PLACES(THIRD)},
};

/* What each symbol of a remainder, the lowest first, becomes by GROUP steps. That one is at the top
 * by the last step, so its five bits stand for the generators themselves; each above goes through
 * one step more. A getblock shows thousands of descriptors: a group costs what one step would.
 * BIP-380, Checksum */
static const uint64_t group_changes[GROUP][32] = {
    SUMS_32(0xf5dee51989, 0xa9fdca3312, 0x1bab10e32d, 0x3706b1677a, 0x644d626ffd),
    SUMS_32(0x5ac1aae998, 0xb581d1f719, 0x2941334f3b, 0x5280f63f7f, 0xa501ec7bf7),
    SUMS_32(0x3310c37ee1, 0x6621865ce2, 0xc6539c1dc4, 0xcee5bcbb88, 0xdfdbfdf230),
    SUMS_32(0xd04eb50c1f, 0xe89d6a1817, 0x993850b007, 0x7a22a1600e, 0xf41742641c),
    SUMS_32(0xf360b8b875, 0xae9365f0c3, 0x1f645b4586, 0x34daa2af0c, 0x63f5455b38),
    SUMS_32(0x8d0a1ed618, 0x5854298d39, 0xb0a8479a5b, 0x29028f31bf, 0x52050ae357),
    SUMS_32(0x30d05db574, 0x61a0afeac1, 0xc3134bf4a2, 0xce2413cd44, 0xde5a273e88),
    SUMS_32(0xa85d6c7ebf, 0x18b85cdc77, 0x3122ad9cc7, 0x62174fb98e, 0xc42c1bf31c),
};
/* clang-format on */

static const char checksum_charset[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/* GROUP steps at once; symbols: the first one highest. Written out: no look-up waits for another,
 * nor for a count. */
static inline uint64_t add_group(uint64_t c, uint64_t symbols)
{
    return symbols ^ group_changes[0][c & 31] ^ group_changes[1][c >> 5 & 31] ^
           group_changes[2][c >> 10 & 31] ^ group_changes[3][c >> 15 & 31] ^
           group_changes[4][c >> 20 & 31] ^ group_changes[5][c >> 25 & 31] ^
           group_changes[6][c >> 30 & 31] ^ group_changes[7][c >> 35];
}

/* n steps, fewer than GROUP. */
static uint64_t add_some(uint64_t c, uint64_t symbols, unsigned n)
{
    uint64_t out = c >> 5 * (GROUP - n), kept = c & ((UINT64_C(1) << 5 * (GROUP - n)) - 1);
    uint64_t sum = kept << 5 * n ^ symbols;
    for (unsigned i = 0; i < n; i++)
        sum ^= group_changes[i][out >> 5 * i & 31];
    return sum;
}

/* The symbols of three characters; *all keeps ALL_THREE only if they are in the set. */
static inline uint64_t symbols_of(const uint8_t *p, uint32_t *all)
{
    uint32_t sum = summands[0][p[0]] + summands[1][p[1]] + summands[2][p[2]];
    *all &= sum;
    return sum & (MARK - 1);
}

/* What is left behind the last three, one or two characters: their symbols, and one of what three
 * would share. */
static uint64_t add_rest(uint64_t c, struct span rest, uint32_t *all)
{
    uint64_t symbols = 0, class = 0;
    for (size_t i = 0; i < rest.len; i++) {
        uint32_t summand = summands[2][rest.p[i]];
        *all &= summand & MARK ? ALL_THREE : 0;
        symbols = symbols << 5 | (summand >> 5 & 31);
        class = class * 3 + (summand & 31);
    }
    return rest.len ? add_some(c, symbols << 5 | class, (unsigned)rest.len + 1) : c;
}

bool desc_checksum(struct span text, char out[DESC_CHECKSUM_CHARS + 1])
{
    uint64_t c = 1;
    uint32_t all = ALL_THREE;
    size_t i = 0;
    for (; text.len - i >= CHARACTERS; i += CHARACTERS)
        c = add_group(c, symbols_of(text.p + i, &all) << 20 | symbols_of(text.p + i + 3, &all));
    if (text.len - i >= 3) {
        c = add_some(c, symbols_of(text.p + i, &all), 4);
        i += 3;
    }
    c = add_rest(c, span_of(text.p + i, text.len - i), &all);
    if (all != ALL_THREE)
        return false;
    c = add_group(c, 0) ^ 1;
    for (i = 0; i < DESC_CHECKSUM_CHARS; i++)
        out[i] = checksum_charset[c >> (5 * (DESC_CHECKSUM_CHARS - 1 - i)) & 31];
    out[DESC_CHECKSUM_CHARS] = 0;
    return true;
}
