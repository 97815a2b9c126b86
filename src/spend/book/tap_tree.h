/* tap_tree.h - the tree of scripts behind a taproot output, and what shows a script to be in it.
 *
 * Layer: spend. Pure; memory from an arena handed in. Spec: BIP341 */
#ifndef SPEND_BOOK_TAP_TREE_H
#define SPEND_BOOK_TAP_TREE_H

#include <stdint.h>

#include "util/arena.h"
#include "util/span.h"

enum {
    TAP_DEPTH_MAX = 128, /* BIP-341, Script validation rules */
    TAP_LEAF_TAPSCRIPT = 0xc0,
    TAP_CONTROL_BASE = 33, /* bytes of a control block without its path */
};

/* A script where it stands: leaves come from left to right, each with how far below the root. */
struct tap_leaf {
    struct span script;
    uint8_t depth;
    uint8_t version;
};

struct tap_tree {
    const struct tap_leaf *leaves;
    size_t n;
};

/* Do the depths make a whole tree? An empty one is none. */
bool tap_tree_is_whole(const struct tap_tree *tree);

/* The root of a whole tree.
 *
 * In:   paths  NULL, or n arrays of its depth times 32 bytes each, filled with what hashes each
 *              leaf together with the root, from below */
void tap_tree_root(const struct tap_tree *tree, struct arena *arena, uint8_t root[32],
                   uint8_t **paths);

/* hashTapLeaf of a script. BIP-341, Script validation rules */
void tap_leaf_hash(struct span script, uint8_t version, uint8_t out[32]);

/* The output key. In: root  NULL where there are no scripts.
 * Returns:  false if internal is no x of a point
 * Spec:     BIP-341, Constructing and spending Taproot outputs */
NODISCARD bool tap_output(const uint8_t internal[32], const uint8_t *root, uint8_t out[32],
                          int *parity);

/* hashTapTweak of an internal key and the root, or NULL. */
void tap_tweak(const uint8_t internal[32], const uint8_t *root, uint8_t out[32]);

/* The control block of a leaf, in arena. In: path  as tap_tree_root() gives it, len bytes. */
struct span tap_control(struct arena *arena, const uint8_t internal[32], int parity,
                        uint8_t version, struct span path);

#endif
