/* desc_tree_internal.h - what a descriptor is made of, between its reader, its scripts and its
 * texts.
 *
 * Layer: spend, for desc*.c only. From below: desc_key.c derives keys, desc_key_read.c reads them,
 * desc.c makes scripts of them, desc_read.c reads functions, desc_write.c writes all. */
#ifndef SPEND_DESCRIPTOR_DESC_TREE_INTERNAL_H
#define SPEND_DESCRIPTOR_DESC_TREE_INTERNAL_H

#include "spend/descriptor/desc.h"
#include "spend/keys/bip32.h"
#include "spend/miniscript/miniscript.h"

enum {
    DESC_MULTI_KEYS_MAX = 20, /* of multi */
    DESC_PATH_MAX = 255,      /* steps of a key's path */
};

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
    DESC_MULTI_A,
    DESC_SORTEDMULTI_A,
    DESC_MINISCRIPT,
    DESC_FUNCTION_COUNT,
};

enum desc_range { DESC_RANGE_NONE, DESC_RANGE_PLAIN, DESC_RANGE_HARDENED };

enum desc_key_kind { DESC_KEY_PLAIN, DESC_KEY_EXTENDED, DESC_KEY_MUSIG };

/* Steps from an extended key; one of them may be <a;b;...>. */
struct desc_path {
    uint32_t *steps;
    size_t n;
    uint32_t *choices; /* for steps[choice_at] */
    size_t n_choices;  /* 0: no such step */
    size_t choice_at;
    bool has_hardened;
    enum desc_range range;
};

struct desc_key {
    enum desc_key_kind kind;
    bool has_origin, has_secret;
    bool is_x_only;                /* written so, or of a secret key where only that counts */
    bool has_apostrophe;           /* hardened steps were written so, not with h */
    uint8_t len;                   /* of the key: 33 or 65 */
    uint8_t bytes[65];             /* plain */
    const uint8_t *secret;         /* plain */
    struct key_origin origin;      /* if it has one */
    const struct bip32_key *root;  /* extended: as it was given */
    struct desc_path path;         /* extended, musig */
    struct desc_key *participants; /* musig */
    size_t n_participants;
};

/* A function with its keys, which stand in a row among all of the descriptor. */
struct desc_script {
    enum desc_function function;
    uint8_t depth;     /* below the root of a tree */
    uint32_t required; /* multi */
    size_t first_key, n_keys;
    struct miniscript ms; /* whose keys count from first_key on */
    struct span script;   /* addr, raw */
};

struct desc_tree {
    const struct network *network;
    bool is_sh, is_wsh;
    struct desc_script top;
    struct desc_script *leaves; /* of tr */
    size_t n_leaves;
    struct desc_key *keys;
    size_t n_keys;
};

/* One variant of it. */
struct desc {
    const struct desc_tree *tree;
    size_t variant;
};

/* A key at an index, with where it comes from. */
struct desc_derived {
    uint8_t bytes[65];
    uint8_t len;
    bool has_origin, has_secret;
    struct key_origin origin;
    uint8_t secret[32]; /* only if it was asked for */
    const struct desc_key *key;
    const uint8_t *participants; /* musig: 33 bytes each, sorted */
};

/* How keys are to be derived. */
struct desc_deriving {
    const struct ec_context *ec;
    struct arena *arena;
    size_t variant;
    uint32_t index;
    bool with_secrets;
};

/* Derive a key. False if a secret is missing. */
NODISCARD bool desc_key_derive(const struct desc_deriving *how, const struct desc_key *key,
                               struct desc_derived *out);
/* All keys of a descriptor, in the order in which they are written. False as above. */
NODISCARD bool desc_derive(const struct desc_deriving *how, const struct desc_tree *tree,
                           struct desc_derived **keys);
/* Does it change with the index? */
bool desc_key_is_range(const struct desc_key *key);
/* How many variants it has: 1 without <a;b>. */
size_t desc_key_variants(const struct desc_key *key);
/* Is there a hardened step without a secret? */
bool desc_key_needs_secret(const struct desc_key *key);

/* Where a function stands, and so which keys it may have. */
enum desc_place {
    DESC_PLACE_TOP = 1 << 0,
    DESC_PLACE_SH = 1 << 1,
    DESC_PLACE_WSH = 1 << 2,
    DESC_PLACE_TR = 1 << 3,
    DESC_PLACE_MUSIG = 1 << 4,
};

/* One reading. */
struct desc_parse {
    const struct ec_context *ec;
    const struct network *network;
    struct arena *arena;
    const char *error;
    ARRAY(struct desc_key) keys;
};

/* Say what is wrong. Returns: false */
bool desc_refuse(struct desc_parse *parse, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Take what stands before the next comma, or a closing bracket or brace, that is not inside other
 * brackets. */
struct span desc_take_argument(struct span *s);
/* Take c, if it is next. */
bool desc_take_char(struct span *s, char c);
/* Read a key of any kind, for a place, behind parse->keys. */
NODISCARD bool desc_key_read(struct desc_parse *parse, enum desc_place place, struct span text);

/* The keys of sortedmulti in the script's order; of others as they are. */
const struct desc_derived *desc_sorted(const struct desc_script *script,
                                       const struct desc_derived *keys, struct arena *arena);

/* Append a key as it was given, but for secrets. */
void desc_write_key(const struct network *network, const struct desc_key *key, struct buffer *out);

/* A function's name as it is written. */
const char *desc_function_name(enum desc_function function);

static inline bool desc_is_multi(const struct desc_script *script)
{
    return script->function >= DESC_MULTI && script->function <= DESC_SORTEDMULTI_A;
}

#endif
