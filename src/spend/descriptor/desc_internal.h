/* desc_internal.h - what a descriptor is made of, between its reader, its scripts and its texts.
 *
 * Layer: spend, for desc*.c only. */
#ifndef SPEND_DESCRIPTOR_DESC_INTERNAL_H
#define SPEND_DESCRIPTOR_DESC_INTERNAL_H

#include "spend/descriptor/desc.h"

enum desc_function {
    DESC_ADDR,
    DESC_RAW,
    DESC_PK,
    DESC_PKH,
    DESC_WPKH,
    DESC_COMBO,
    DESC_TR,
    DESC_RAWTR,
    DESC_MULTI,
    DESC_SORTEDMULTI,
    DESC_FUNCTION_COUNT,
};

enum desc_range { DESC_RANGE_NONE, DESC_RANGE_PLAIN, DESC_RANGE_HARDENED };

struct desc_key {
    bool has_origin, is_extended, has_secret;
    bool needs_secret;   /* a hardened step that there is no secret for */
    bool has_apostrophe; /* hardened steps were written so, not with h */
    uint8_t fingerprint[4];
    uint32_t origin[DESC_PATH_MAX];
    size_t n_origin;
    uint8_t bytes[65]; /* a plain key: 32 (x only), 33 or 65 */
    size_t len;
    struct bip32_key root;     /* as it was given */
    struct bip32_key extended; /* at the end of the path */
    uint32_t path[DESC_PATH_MAX];
    size_t n_path;
    enum desc_range range;
};

struct desc {
    const struct network *network;
    enum desc_function function;
    bool is_sh, is_wsh;
    struct span script; /* addr, raw */
    uint32_t required;  /* multi */
    struct desc_key *keys;
    size_t n_keys;
};

/* A key at an index, with where it comes from. */
struct desc_derived {
    uint8_t bytes[65];
    size_t len;
    const struct desc_key *key;
};

/* A function's name as it is written. */
const char *desc_function_name(enum desc_function function);

static inline bool desc_is_multi(const struct desc *desc)
{
    return desc->function == DESC_MULTI || desc->function == DESC_SORTEDMULTI;
}

/* Keys in these are known by their x alone. */
static inline bool desc_is_taproot(const struct desc *desc)
{
    return desc->function == DESC_TR || desc->function == DESC_RAWTR;
}

/* All keys at an index, in the order in which the script has them. False if a secret is missing. */
NODISCARD bool desc_derive(const struct ec_context *ec, const struct desc *desc, uint32_t index,
                           struct desc_derived keys[DESC_KEYS_MAX]);

#endif
