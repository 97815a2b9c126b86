/* miniscript.h - scripts as expressions that can be composed, analysed and satisfied.
 *
 * Layer: spend. Pure; memory from an arena handed in. An expression is a row of nodes in which each
 * stands behind those that it is made of, so nothing here recurses: the last is the whole.
 *
 *     miniscript_read.c     text -> nodes        miniscript_type.c     what may stand where
 *     miniscript_write.c    nodes -> text        miniscript_limits.c   what fits, what is sane
 *     miniscript_script.c   nodes -> script      miniscript_satisfy.c  nodes -> witness
 *     miniscript_infer.c    script -> nodes
 *
 * Keys are numbers of the caller's. Spec: BIP379 */
#ifndef SPEND_MINISCRIPT_MINISCRIPT_H
#define SPEND_MINISCRIPT_MINISCRIPT_H

#include <stdint.h>

#include "util/arena.h"
#include "util/buffer.h"

/* BIP-379, Resource Limits */
enum {
    MS_P2WSH_SCRIPT_MAX = 3600,
    /* What a standard transaction has room for beside the largest witness and one output. */
    MS_TAPSCRIPT_MAX = 329482,
    MS_THRESH_MAX = 10000, /* parts of thresh(): counting its costs takes their square */
    MS_KEYS_MAX = 999,     /* of multi_a(). Core: MAX_PUBKEYS_PER_MULTI_A */
};

/* What kind of script it is to become. */
enum ms_context { MS_P2WSH, MS_TAPSCRIPT };

/* BIP-379, Translation Table */
enum ms_fragment {
    MS_0,
    MS_1,
    MS_PK_K,
    MS_PK_H,
    MS_OLDER,
    MS_AFTER,
    MS_SHA256,
    MS_HASH256,
    MS_RIPEMD160,
    MS_HASH160,
    MS_MULTI,
    MS_MULTI_A,
    MS_WRAP_A,
    MS_WRAP_S,
    MS_WRAP_C,
    MS_WRAP_D,
    MS_WRAP_V,
    MS_WRAP_J,
    MS_WRAP_N,
    MS_AND_V,
    MS_AND_B,
    MS_OR_B,
    MS_OR_C,
    MS_OR_D,
    MS_OR_I,
    MS_ANDOR,
    MS_THRESH,
};

struct ms_node {
    enum ms_fragment fragment;
    uint32_t type;  /* enum ms_type; 0: it may not stand as it does */
    uint32_t k;     /* of older, after, thresh, multi */
    uint32_t first; /* where the nodes begin that it is made of; its own number if of none */
    uint32_t n_subs, n_keys;
    const uint32_t *subs; /* numbers of nodes, all below its own */
    const uint32_t *keys;
    struct span hash;
};

struct miniscript {
    enum ms_context context;
    struct ms_node *nodes; /* at least one */
    uint32_t n;
};

/* What the keys are: all functions get ctx first. Who needs which is said below. */
struct ms_keys {
    void *ctx;
    /* A key from its text. False: it is none, and the caller knows why. */
    bool (*read)(void *ctx, struct span text, uint32_t *key);
    /* A key from how it stands in a script: 33 bytes, in tapscript 32. False: it is none. */
    bool (*of_bytes)(void *ctx, struct span bytes, uint32_t *key);
    /* A key from its hash of 20 bytes. False: unknown. */
    bool (*of_hash)(void *ctx, struct span hash, uint32_t *key);
    /* How a key stands in a script. */
    struct span (*bytes)(void *ctx, uint32_t key);
    /* Append a key's text. */
    void (*write)(void *ctx, uint32_t key, struct buffer *out);
};

/* Read an expression, all of text. Needs read.
 *
 * Out:      out  in arena; not checked further than for its form: see ms_check()
 * Returns:  false if it is none, or a key is none */
NODISCARD bool ms_read(const struct ms_keys *keys, enum ms_context context, struct span text,
                       struct arena *arena, struct miniscript *out);

/* Append the expression of a node, the shortest of those that mean the same. Needs write. */
void ms_write(const struct miniscript *ms, const struct ms_keys *keys, uint32_t node,
              struct buffer *out);

/* Append the script. Needs bytes. */
void ms_script(const struct miniscript *ms, const struct ms_keys *keys, struct buffer *out);

/* Find the expression of a script. Needs of_bytes and of_hash.
 *
 * Returns:  false if it has none whose type is right */
NODISCARD bool ms_infer(const struct ms_keys *keys, enum ms_context context, struct span script,
                        struct arena *arena, struct miniscript *out);

/* What is wrong with an expression, in the order in which it is told. */
enum ms_fault {
    MS_SANE,
    MS_INVALID,         /* types, size */
    MS_MALLEABLE,       /* others can change the witness */
    MS_NO_SIGNATURE,    /* anybody can spend */
    MS_MIXED_TIMELOCKS, /* heights and times that can never hold together */
    MS_DUPLICATE_KEYS,  /* nothing is known of such a script's malleability */
    MS_EXCEEDS_LIMITS,  /* of operations or of the stack */
    MS_NOT_SANE,        /* sane parts make a whole that is not */
    MS_NOT_SATISFIABLE,
};

/* Is it fit for use? Needs bytes.
 *
 * Out:      node  the first part that is at fault, else the whole
 * Spec:     BIP-379, Malleability; Core IsSane(), FindInsaneSub() */
NODISCARD enum ms_fault ms_check(const struct miniscript *ms, const struct ms_keys *keys,
                                 struct arena *arena, uint32_t *node);

/* What a witness is made of. Spans are borrowed; one without memory stands for "not there". */
struct ms_satisfier {
    void *ctx;
    struct span (*signature)(void *ctx, uint32_t key);
    struct span (*key)(void *ctx, uint32_t key); /* for pk_h */
    struct span (*preimage)(void *ctx, enum ms_fragment kind, struct span hash);
    bool (*is_older)(void *ctx, uint32_t n);
    bool (*is_after)(void *ctx, uint32_t n);
};

/* The items that satisfy the script, the first pushed first, without the script: nobody else can
 * change them.
 *
 * Returns:  false if there are none with what is at hand
 * Spec:     BIP-379, Non-malleable Satisfaction Algorithm */
NODISCARD bool ms_satisfy(const struct miniscript *ms, const struct ms_satisfier *satisfier,
                          struct arena *arena, struct span **items, size_t *n_items);

#endif
