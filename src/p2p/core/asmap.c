/* asmap.c - see asmap.h. */
#include "p2p/core/asmap.h"

#include <stddef.h>

#include "crypto/hash.h"

enum { END = UINT32_MAX }; /* of the bits, in the middle of a number */

enum opcode { RETURN, JUMP, MATCH, DEFAULT };

/* Bits of a map: the lowest of each byte comes first. */
struct bits {
    struct span map;
    size_t at;
};

/* How a kind of number is written: classes of so many bits each, from `least` on. Ones before the
 * number choose the class, a zero ends them; the last class has none. */
struct coding {
    uint32_t least;
    uint8_t first_bits, n_classes;
};

static const struct coding asns = {1, 15, 10}, matches = {2, 1, 8}, jumps = {17, 5, 26};

static size_t left(const struct bits *bits)
{
    return 8 * bits->map.len - bits->at;
}

static bool take_bit(struct bits *bits)
{
    ASSERT(left(bits) > 0);
    bool bit = bits->map.p[bits->at / 8] >> bits->at % 8 & 1;
    bits->at++;
    return bit;
}

/* A number of n bits, the highest first; END if there are fewer. */
static uint32_t take_number(struct bits *bits, unsigned n)
{
    uint32_t value = 0;
    if (left(bits) < n) {
        bits->at = 8 * bits->map.len;
        return END;
    }
    for (unsigned i = 0; i < n; i++)
        value = value << 1 | take_bit(bits);
    return value;
}

static uint32_t take_coded(struct bits *bits, const struct coding *coding)
{
    uint32_t base = coding->least;
    unsigned class = 0;
    while (class + 1 < coding->n_classes) {
        if (left(bits) == 0)
            return END;
        if (!take_bit(bits))
            break;
        base += UINT32_C(1) << (coding->first_bits + class ++);
    }
    uint32_t value = take_number(bits, coding->first_bits + class);
    return value == END ? END : base + value;
}

/* 0: return, 10: jump, 110: match, 111: default. */
static uint32_t take_opcode(struct bits *bits)
{
    for (uint32_t n = RETURN; n < DEFAULT; n++) {
        if (left(bits) == 0)
            return END;
        if (!take_bit(bits))
            return n;
    }
    return DEFAULT;
}

/* A match is its bits behind a one. */
static unsigned match_bits(uint32_t match)
{
    unsigned n = 0;
    while (match >> (n + 1))
        n++;
    return n;
}

/* -- Looking up -------------------------------------------------------------------------------- */

static bool address_bit(const uint8_t *address, unsigned at)
{
    ASSERT(at < ASMAP_ADDRESS_BITS);
    return address[at / 8] >> (7 - at % 8) & 1;
}

static bool matches_here(const uint8_t *address, unsigned *at, uint32_t match)
{
    for (unsigned n = match_bits(match); n-- > 0;)
        if (address_bit(address, (*at)++) != (match >> n & 1))
            return false;
    return true;
}

uint32_t asmap_lookup(struct span map, const uint8_t address[ASMAP_ADDRESS_BITS / 8])
{
    struct bits bits = {.map = map};
    uint32_t fallback = 0, value;
    unsigned at = 0;
    /* It ends: each step goes forward in the map, and a sane one returns. */
    for (;;) {
        switch (take_opcode(&bits)) {
        case RETURN:
            return take_coded(&bits, &asns);
        case JUMP:
            value = take_coded(&bits, &jumps);
            ASSERT(value <= left(&bits));
            if (address_bit(address, at++))
                bits.at += value;
            break;
        case MATCH:
            if (!matches_here(address, &at, take_coded(&bits, &matches)))
                return fallback;
            break;
        case DEFAULT:
            fallback = take_coded(&bits, &asns);
            break;
        case END:
            ASSERT(!"a map that asmap_is_sane() let through");
        }
    }
}

/* -- Checking ---------------------------------------------------------------------------------- */

/* The state of a walk over the whole map, which takes every branch: what comes first is the branch
 * of a zero, and jumps are what it comes back to. */
struct walk {
    struct bits bits;
    struct {
        size_t at;          /* in the map */
        unsigned bits_left; /* of the address */
    } pending[ASMAP_ADDRESS_BITS];
    size_t n_pending;
    unsigned bits_left;
    uint32_t before; /* the last opcode; JUMP at the beginning of a branch */
    bool had_short_match;
};

static bool walk_jump(struct walk *walk)
{
    uint32_t jump = take_coded(&walk->bits, &jumps);
    if (jump == END || jump > left(&walk->bits) || walk->bits_left == 0)
        return false;
    size_t to = walk->bits.at + jump;
    /* Branches lie within each other: none may end behind the one around it. */
    if (walk->n_pending > 0 && to >= walk->pending[walk->n_pending - 1].at)
        return false;
    ASSERT(walk->n_pending < ASMAP_ADDRESS_BITS);
    walk->bits_left--;
    walk->pending[walk->n_pending].at = to;
    walk->pending[walk->n_pending++].bits_left = walk->bits_left;
    return true;
}

static bool walk_match(struct walk *walk)
{
    uint32_t match = take_coded(&walk->bits, &matches);
    unsigned n = match == END ? UINT32_MAX : match_bits(match);
    if (walk->bits_left < n)
        return false;
    if (walk->before != MATCH)
        walk->had_short_match = false;
    if (n < 8 && walk->had_short_match)
        return false; /* two of these could be one */
    walk->had_short_match = n < 8;
    walk->bits_left -= n;
    return true;
}

/* Zeros to the next whole byte are all that may follow. */
static bool is_padding(struct bits *bits)
{
    if (left(bits) > 7)
        return false;
    while (left(bits) > 0)
        if (take_bit(bits))
            return false;
    return true;
}

/* A return ends a branch; the next one begins there, or the map ends. Out: is_over */
static bool walk_return(struct walk *walk, bool *is_over)
{
    if (walk->before == DEFAULT || take_coded(&walk->bits, &asns) == END)
        return false;
    *is_over = walk->n_pending == 0;
    if (*is_over)
        return is_padding(&walk->bits);
    walk->n_pending--;
    walk->bits_left = walk->pending[walk->n_pending].bits_left;
    return walk->bits.at == walk->pending[walk->n_pending].at;
}

static bool walk_step(struct walk *walk, bool *is_over)
{
    uint32_t opcode = take_opcode(&walk->bits);
    bool is_sane = false;
    switch (opcode) {
    case RETURN:
        is_sane = walk_return(walk, is_over);
        opcode = JUMP; /* as if we had jumped there */
        break;
    case JUMP:
        is_sane = walk_jump(walk);
        break;
    case MATCH:
        is_sane = walk_match(walk);
        break;
    case DEFAULT:
        is_sane = walk->before != DEFAULT && take_coded(&walk->bits, &asns) != END;
        break;
    case END:
        break;
    }
    walk->before = opcode;
    return is_sane;
}

bool asmap_is_sane(struct span map)
{
    if (map.len > ASMAP_FILE_MAX_BYTES)
        return false;
    struct walk walk = {.bits.map = map, .bits_left = ASMAP_ADDRESS_BITS, .before = JUMP};
    bool is_over = false;
    while (!is_over) {
        if (left(&walk.bits) == 0 ||
            (walk.n_pending > 0 && walk.bits.at >= walk.pending[walk.n_pending - 1].at) ||
            !walk_step(&walk, &is_over))
            return false;
    }
    return true;
}

void asmap_version(struct span map, uint8_t out[32])
{
    sha256d(map, out);
}
