/* descriptor.c - output descriptors: their checksum, and the ones inferred from scripts. */
#include "rpc/descriptor.h"

#include <string.h>

#include "consensus/key_io.h"
#include "consensus/script_type.h"
#include "crypto/pubkey.h"
#include "util/assert.h"
#include "util/hex.h"

/* -- Checksum ----------------------------------------------------------------------------- */

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

bool descriptor_checksum(struct span text, char out[DESCRIPTOR_CHECKSUM_CHARS + 1])
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
    for (int i = 0; i < DESCRIPTOR_CHECKSUM_CHARS; i++)
        c = poly_mod(c, 0);
    c ^= 1;
    for (int i = 0; i < DESCRIPTOR_CHECKSUM_CHARS; i++)
        out[i] = checksum_charset[c >> (5 * (DESCRIPTOR_CHECKSUM_CHARS - 1 - i)) & 31];
    out[DESCRIPTOR_CHECKSUM_CHARS] = 0;
    return true;
}

/* -- Inference ---------------------------------------------------------------------------- */

static void append_hex(struct buffer *buffer, struct span bytes)
{
    uint8_t *to = buffer_reserve(buffer, 2 * bytes.len + 1);
    hex_encode((char *)to, bytes);
    buffer->len += 2 * bytes.len;
}

/* Keys that a descriptor can name: no hybrid forms; segwit knows compressed ones only.
 * BIP-380, Key Expressions; BIP-382, wpkh(); BIP-382, wsh() */
static bool is_nameable_key(struct span key, bool compressed_only)
{
    return pubkey_has_valid_size(key) &&
           (key.p[0] == 2 || key.p[0] == 3 || (key.p[0] == 4 && !compressed_only));
}

/* pk() and multi(): what shows its keys. */
static bool infer_keys(struct buffer *buffer, const struct script_solution *solution,
                       bool compressed_only)
{
    if (solution->type != SCRIPT_TYPE_PUBKEY && solution->type != SCRIPT_TYPE_MULTISIG)
        return false;
    for (uint32_t i = 0; i < solution->n_items; i++) {
        if (!is_nameable_key(solution->item[i], compressed_only))
            return false;
    }
    if (solution->type == SCRIPT_TYPE_PUBKEY)
        buffer_append_string(buffer, "pk(");
    else
        buffer_append_format(buffer, "multi(%d,", solution->required);
    for (uint32_t i = 0; i < solution->n_items; i++) {
        if (i > 0)
            buffer_append(buffer, ",", 1);
        append_hex(buffer, solution->item[i]);
    }
    buffer_append(buffer, ")", 1);
    return true;
}

static bool infer_wsh(struct buffer *buffer, const struct script_solution *solution,
                      const struct span *inside)
{
    if (solution->type != SCRIPT_TYPE_WITNESS_V0_SCRIPTHASH || !inside)
        return false;
    struct script_solution inner = script_solve(*inside);
    size_t start = buffer->len;
    buffer_append_string(buffer, "wsh(");
    if (infer_keys(buffer, &inner, true)) {
        buffer_append(buffer, ")", 1);
        return true;
    }
    buffer->len = start;
    return false;
}

static bool infer_rawtr(struct buffer *buffer, const struct script_solution *solution)
{
    if (solution->type != SCRIPT_TYPE_WITNESS_V1_TAPROOT || !xonly_is_valid(solution->item[0].p))
        return false;
    buffer_append_string(buffer, "rawtr(");
    append_hex(buffer, solution->item[0]);
    buffer_append(buffer, ")", 1);
    return true;
}

void descriptor_append(struct buffer *buffer, const struct script_solution *solution,
                       struct span script_pubkey, const char *address, const struct span *inside)
{
    ASSERT(buffer);
    char checksum[DESCRIPTOR_CHECKSUM_CHARS + 1];
    size_t start = buffer->len;
    if (!infer_keys(buffer, solution, false) && !infer_wsh(buffer, solution, inside) &&
        !infer_rawtr(buffer, solution)) {
        buffer_append_string(buffer, *address ? "addr(" : "raw(");
        if (*address)
            buffer_append_string(buffer, address);
        else
            append_hex(buffer, script_pubkey);
        buffer_append(buffer, ")", 1);
    }
    bool valid = descriptor_checksum(span_of(buffer->p + start, buffer->len - start), checksum);
    ASSERT(valid);
    buffer_append(buffer, "#", 1);
    buffer_append(buffer, checksum, DESCRIPTOR_CHECKSUM_CHARS);
}

void descriptor_infer(struct buffer *buffer, const struct network *network,
                      struct span script_pubkey, const struct span *inside)
{
    struct script_solution solution = script_solve(script_pubkey);
    char address[ADDRESS_SIZE];
    (void)address_encode(network, script_pubkey, address);
    descriptor_append(buffer, &solution, script_pubkey, address, inside);
}
