/* bech32.c - Bech32 and Bech32m text.
 *
 * The checksum is linear: a wrong character changes the remainder by something that depends only on
 * its place and on the difference, so two wrong ones are found by looking for two such changes
 * whose sum is the remainder seen. The code's distance makes a find unique. */
#include "crypto/bech32.h"

#include "util/assert.h"
#include "util/endian.h"
#include "util/sums_table.h"

/* clang-format off */
#define PAIRS(c) c"q" c"p" c"z" c"r" c"y" c"9" c"x" c"8" c"g" c"f" c"2" c"t" c"v" c"d" c"w" c"0" \
                 c"s" c"3" c"j" c"n" c"5" c"4" c"k" c"h" c"c" c"e" c"6" c"m" c"u" c"a" c"7" c"l"
/* The characters of two values, from the higher one's ten bits on. BIP-173, Bech32 */
static const char pairs[] =
    PAIRS("q") PAIRS("p") PAIRS("z") PAIRS("r") PAIRS("y") PAIRS("9") PAIRS("x") PAIRS("8")
    PAIRS("g") PAIRS("f") PAIRS("2") PAIRS("t") PAIRS("v") PAIRS("d") PAIRS("w") PAIRS("0")
    PAIRS("s") PAIRS("3") PAIRS("j") PAIRS("n") PAIRS("5") PAIRS("4") PAIRS("k") PAIRS("h")
    PAIRS("c") PAIRS("e") PAIRS("6") PAIRS("m") PAIRS("u") PAIRS("a") PAIRS("7") PAIRS("l");
/* clang-format on */
_Static_assert(sizeof pairs == 2 * 32 * 32 + 1, "two characters for each");

/* BIP-173, Bech32 */
static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/* BIP-173, Bech32; BIP-350, Bech32m */
static uint32_t final_constant(enum bech32_encoding encoding)
{
    return encoding == BECH32_M ? 0x2bc830a3 : 1;
}

enum { GROUP = 6 }; /* symbols that a remainder holds */

/* clang-format off */
/* What the symbol at each place of a remainder, the lowest first, becomes by GROUP steps. That one
 * is at the top by the last step, so its five bits stand for the generators themselves; each place
 * above goes through one step more. A block's answer has thousands of addresses: a group costs what
 * one step did. BIP-173, Checksum design */
static const uint32_t group_changes[GROUP][32] = {
    SUMS_32(0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3),
    SUMS_32(0x1fd7e966, 0x3d3f76cc, 0x2afaccb8, 0x07e1bd59, 0x0d537a9b),
    SUMS_32(0x0424df38, 0x08491f79, 0x1086bbfb, 0x210d72ff, 0x129ec4f7),
    SUMS_32(0x22cb696d, 0x1782f6da, 0x2d954cbd, 0x0bba3d53, 0x15f0fa8f),
    SUMS_32(0x081318a1, 0x10263142, 0x204c6284, 0x128ce428, 0x250dec50),
    SUMS_32(0x1cc20dda, 0x39841b9d, 0x23983233, 0x17b4e16f, 0x2df966de),
};
/* clang-format on */

/* BIP-173, Checksum design */
static uint32_t polymod_step(uint32_t c, uint8_t value)
{
    return ((c & 0x1ffffff) << 5 ^ value) ^ group_changes[0][c >> 25];
}

/* GROUP steps at once; values: the first one highest. Written out: no look-up waits for another,
 * nor for a count. */
static inline uint32_t polymod_group(uint32_t c, uint32_t values)
{
    return values ^ group_changes[0][c & 31] ^ group_changes[1][c >> 5 & 31] ^
           group_changes[2][c >> 10 & 31] ^ group_changes[3][c >> 15 & 31] ^
           group_changes[4][c >> 20 & 31] ^ group_changes[5][c >> 25];
}

/* Values on their way into a remainder: those that are not enough for a group wait. */
struct remainder {
    uint32_t c;
    uint64_t waiting; /* the lowest bits; those above have been added already */
    unsigned n_bits;  /* that wait: less than a group's */
};

/* Add n values of five bits, the first one highest: no more than a group. */
static inline void add_values(struct remainder *r, uint64_t values, unsigned n)
{
    r->waiting = r->waiting << 5 * n | values;
    r->n_bits += 5 * n;
    if (r->n_bits >= 5 * GROUP) {
        r->n_bits -= 5 * GROUP;
        r->c = polymod_group(r->c, r->waiting >> r->n_bits & ((1u << 5 * GROUP) - 1));
    }
}

static uint32_t remainder_end(struct remainder *r)
{
    for (; r->n_bits > 0; r->n_bits -= 5)
        r->c = polymod_step(r->c, r->waiting >> (r->n_bits - 5) & 31);
    return r->c;
}

/* BIP-173, Bech32 */
static struct remainder remainder_of(const char *prefix, size_t len)
{
    struct remainder r = {.c = 1};
    for (size_t i = 0; i < len; i++)
        add_values(&r, (uint8_t)prefix[i] >> 5, 1);
    add_values(&r, 0, 1);
    for (size_t i = 0; i < len; i++)
        add_values(&r, prefix[i] & 31, 1);
    return r;
}

/* The remainder of prefix and values, before the encoding's constant. BIP-173, Bech32 */
static uint32_t checksum(const char *prefix, size_t prefix_len, const uint8_t *values, size_t n)
{
    struct remainder r = remainder_of(prefix, prefix_len);
    for (size_t i = 0; i < n; i++)
        add_values(&r, values[i], 1);
    return remainder_end(&r);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Note the characters outside of ASCII's printable ones, and those in the other case than the
 * first letter's. BIP-173, Bech32 */
static void find_bad_characters(const char *text, size_t len, struct bech32_errors *errors)
{
    bool seen_lower = false, seen_upper = false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        bool bad = c < 33 || c > 126;
        if (c >= 'a' && c <= 'z') {
            bad = seen_upper;
            seen_lower |= !bad;
        } else if (c >= 'A' && c <= 'Z') {
            bad = seen_lower;
            seen_upper |= !bad;
        }
        if (bad)
            errors->at[errors->n++] = (uint8_t)i;
    }
}

/* A text taken apart, the checksum still among the values. */
struct parts {
    char prefix[BECH32_CHARS_MAX];
    size_t prefix_len;
    uint8_t values[BECH32_CHARS_MAX];
    size_t n;
};

static void fail_at(struct bech32_errors *errors, const char *message, size_t position)
{
    errors->message = message;
    errors->n = 1;
    errors->at[0] = (uint8_t)position;
}

/* Take text apart. False, with errors filled in, if its form alone is wrong. */
static bool take_apart(const char *text, struct parts *parts, struct bech32_errors *errors)
{
    *errors = (struct bech32_errors){.message = ""};
    size_t len = strlen(text);
    if (len > BECH32_CHARS_MAX) {
        errors->message = "Bech32 string too long";
        errors->too_long = true;
        errors->n = len - BECH32_CHARS_MAX;
        return false;
    }
    find_bad_characters(text, len, errors);
    if (errors->n) {
        errors->message = "Invalid character or mixed case";
        return false;
    }
    const char *separator = strrchr(text, '1'); /* the last one. BIP-173, Bech32 */
    if (!separator) {
        errors->message = "Missing separator";
        return false;
    }
    size_t at = (size_t)(separator - text);
    if (at == 0 || at + BECH32_CHECKSUM_CHARS >= len) {
        fail_at(errors, "Invalid separator position", at);
        return false;
    }
    parts->prefix_len = at;
    for (size_t i = 0; i < at; i++)
        parts->prefix[i] = lower(text[i]);
    parts->prefix[at] = '\0';
    parts->n = len - at - 1;
    for (size_t i = 0; i < parts->n; i++) {
        const char *found = strchr(alphabet, lower(separator[1 + i]));
        if (!found) {
            fail_at(errors, "Invalid Base 32 character", at + 1 + i);
            return false;
        }
        parts->values[i] = (uint8_t)(found - alphabet);
    }
    return true;
}

enum bech32_encoding bech32_decode(const char *text, struct bech32 *out)
{
    ASSERT(out);
    struct parts parts;
    struct bech32_errors errors;
    out->encoding = BECH32_INVALID;
    if (!take_apart(text, &parts, &errors))
        return BECH32_INVALID;
    uint32_t c = checksum(parts.prefix, parts.prefix_len, parts.values, parts.n);
    if (c == final_constant(BECH32_V0))
        out->encoding = BECH32_V0;
    else if (c == final_constant(BECH32_M))
        out->encoding = BECH32_M;
    memcpy(out->prefix, parts.prefix, parts.prefix_len + 1);
    out->n_values = parts.n - BECH32_CHECKSUM_CHARS;
    memcpy(out->values, parts.values, out->n_values);
    return out->encoding;
}

/* What each difference at a place does to the remainder; places count from the last character. */
struct changes {
    uint32_t by[BECH32_CHARS_MAX][32];
};

static void work_out_changes(struct changes *changes, size_t n)
{
    for (unsigned difference = 0; difference < 32; difference++) {
        uint32_t c = difference;
        for (size_t place = 0; place < n; place++) {
            changes->by[place][difference] = c;
            c = polymod_step(c, 0);
        }
    }
}

/* True if some difference at this place explains the remainder alone. Without an early exit the
 * compiler compares several at once. */
static bool explains(const uint32_t change[32], uint32_t remainder)
{
    bool found = false;
    for (unsigned difference = 1; difference < 32; difference++)
        found |= change[difference] == remainder;
    return found;
}

/* The second of two places, given what the first leaves of the remainder; n if there is none. */
static size_t find_second(const struct changes *changes, size_t first, size_t n, uint32_t remainder)
{
    for (size_t place = first + 1; place < n; place++) {
        if (explains(changes->by[place], remainder))
            return place;
    }
    return n;
}

/* The places of one or two differences that explain the remainder; returns how many (0: more). */
static size_t find_places(uint32_t remainder, size_t n, size_t places[2])
{
    struct changes changes;
    work_out_changes(&changes, n);
    for (size_t a = 0; a < n; a++) {
        if (explains(changes.by[a], remainder)) {
            places[0] = a;
            return 1;
        }
    }
    for (size_t a = 0; a < n; a++) {
        for (unsigned difference = 1; difference < 32; difference++) {
            size_t b = find_second(&changes, a, n, remainder ^ changes.by[a][difference]);
            if (b < n) {
                places[0] = b; /* counted from the end: the further is the earlier */
                places[1] = a;
                return 2;
            }
        }
    }
    return 0;
}

void bech32_locate_errors(const char *text, struct bech32_errors *errors)
{
    struct parts parts;
    if (!take_apart(text, &parts, errors))
        return;
    size_t last = parts.prefix_len + parts.n; /* index of the last character */
    uint32_t c = checksum(parts.prefix, parts.prefix_len, parts.values, parts.n);
    errors->message = "Invalid checksum";
    for (enum bech32_encoding encoding = BECH32_V0; encoding <= BECH32_M; encoding++) {
        uint32_t remainder = c ^ final_constant(encoding);
        if (remainder == 0) {
            *errors = (struct bech32_errors){.message = ""};
            return;
        }
        size_t places[2], n = find_places(remainder, parts.n, places);
        /* The encoding that needs fewer corrections is the likelier one. */
        if (n == 0 || (errors->n != 0 && n >= errors->n))
            continue;
        errors->n = n;
        for (size_t i = 0; i < n; i++)
            errors->at[i] = (uint8_t)(last - places[i]);
        errors->message =
            encoding == BECH32_M ? "Invalid Bech32m checksum" : "Invalid Bech32 checksum";
    }
}

bool bech32_values_to_bytes(const uint8_t *values, size_t n, uint8_t *out, size_t *len)
{
    uint32_t bits = 0;
    int held = 0;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        bits = (bits << 5 | values[i]) & 0xfff;
        held += 5;
        if (held >= 8) {
            held -= 8;
            out[at++] = (uint8_t)(bits >> held);
        }
    }
    *len = at;
    /* BIP-173, Segwit address format */
    return held < 5 && (bits & ((1u << held) - 1)) == 0;
}

/* Add n values to the remainder, and their characters to the text: no more than a group. Returns:
 * what is behind. */
static inline char *put_values(char *at, struct remainder *r, uint64_t values, unsigned n)
{
    add_values(r, values, n);
    for (; n >= 2; n -= 2, at += 2)
        memcpy(at, pairs + 2 * (values >> 5 * (n - 2) & 1023), 2);
    if (n)
        *at++ = alphabet[values & 31];
    return at;
}

/* A program, the last value filled with zero bits. BIP-173, Segwit address format */
static char *put_program(char *at, struct remainder *r, struct span program)
{
    size_t i = 0;
    for (; program.len - i >= 5; i += 5) { /* five bytes are eight values */
        const uint8_t *p = program.p + i;
        at = put_values(at, r, load_be32(p) >> 12, 4);
        at = put_values(at, r, load_be32(p + 1) & 0xfffff, 4);
    }
    unsigned n_bits = 0;
    uint64_t bits = 0; /* of the bytes that are left: fewer than five */
    for (; i < program.len; i++, n_bits += 8)
        bits = bits << 8 | program.p[i];
    for (; n_bits > 0; n_bits -= MIN_OF(n_bits, 5))
        at = put_values(at, r, bits << 4 >> (n_bits - 1) & 31, 1);
    return at;
}

size_t bech32_segwit_encode(const char *prefix, int version, struct span program,
                            char text[BECH32_CHARS_MAX + 1])
{
    ASSERT(version >= 0 && version <= 16 && program.len >= 2 && program.len <= 40);
    size_t prefix_len = strlen(prefix), n_values = 1 + (8 * program.len + 4) / 5;
    text[0] = '\0';
    if (prefix_len + 1 + n_values + BECH32_CHECKSUM_CHARS > BECH32_CHARS_MAX)
        return 0;
    struct remainder r = remainder_of(prefix, prefix_len);
    memcpy(text, prefix, prefix_len);
    char *at = text + prefix_len;
    *at++ = '1';
    at = put_values(at, &r, (unsigned)version, 1);
    at = put_program(at, &r, program);
    add_values(&r, 0, BECH32_CHECKSUM_CHARS);
    /* BIP-350, Addresses for segregated witness outputs */
    uint32_t c = remainder_end(&r) ^ final_constant(version == 0 ? BECH32_V0 : BECH32_M);
    at = put_values(at, &r, c, BECH32_CHECKSUM_CHARS);
    *at = '\0';
    return (size_t)(at - text);
}
