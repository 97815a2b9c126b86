/* solve_signatures_internal.h - signatures, for those who put witnesses together.
 *
 * Layer: spend, for solve*.c only. */
#ifndef SPEND_SIGN_SOLVE_SIGNATURES_INTERNAL_H
#define SPEND_SIGN_SOLVE_SIGNATURES_INTERNAL_H

#include "spend/miniscript/miniscript.h"
#include "spend/sign/solve.h"

/* A key of the map, by its hash. */
struct solve_known_key {
    uint8_t hash[20];
    struct span key;
};

/* A key whose origin is known stands in a leaf. */
struct solve_leaf_use {
    uint8_t x[32], leaf[32];
};

/* One input being solved. */
struct solving {
    const struct solve_request *request;
    struct psbt *psbt;
    struct psbt_map *map;
    struct solve_result *out;
    struct arena *arena;
    bool is_segwit;          /* version 0 digests */
    struct span script_code; /* of them */
    uint8_t leaf_hash[32];   /* of the leaf that is being satisfied */
    /* Keys that records of the map name, in order: NULL until the first is asked for. What is put
     * into the map meanwhile is of these keys, or of those that the book has. [1]: keys by their x,
     * for leaves. */
    struct solve_known_key *known[2];
    size_t n_known[2];
    ARRAY(struct solve_leaf_use) uses; /* not in the map yet: see solve_note_uses() */
};

/* What an ECDSA signature of that type signs. */
void solve_digest(const struct solving *s, uint8_t hash_type, uint8_t out[32]);
/* A signature for a key: from the map, or made and put there. Without memory: there is none. */
struct span solve_sig(struct solving *s, struct span pubkey);
/* The same by the key of a taproot output, through its internal key or by itself. */
struct span solve_tap_key_sig(struct solving *s, const uint8_t output[32]);
/* The same by a key in the leaf s->leaf_hash. */
struct span solve_tap_script_sig(struct solving *s, const uint8_t x[32]);
/* Say of the keys of all leaves where they come from and in which leaves they are: once for each
 * key, which may be in each of a hundred thousand. */
void solve_note_uses(struct solving *s);
/* The key of a hash. Without memory: unknown. */
struct span solve_key_of_hash(struct solving *s, struct span hash);
/* The same of a key known by its x, as they stand in leaves. */
struct span solve_x_of_hash(struct solving *s, struct span hash);
/* Has a lock passed, as the interpreter will ask? BIP-65, Summary; BIP-112, Summary */
bool solve_is_after(const struct solving *s, uint32_t n);
bool solve_is_older(const struct solving *s, uint32_t n);

#endif
