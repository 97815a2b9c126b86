/* block_shelf.h - the newest blocks that an attacker has heard of, as a tree of headers.
 *
 * Layer: sim. In the order in which they were heard of; those far below the best known height are
 * forgotten. */
#ifndef SIM_ACTORS_BLOCK_SHELF_H
#define SIM_ACTORS_BLOCK_SHELF_H

#include "consensus/block.h"
#include "util/array.h"

#define BLOCK_SHELF_DEPTH 200 /* blocks so far below the height that is told are forgotten */

struct shelf_block {
    struct block_hash hash, prev;
    int32_t height;
    uint8_t header[BLOCK_HEADER_BYTES];
    uint8_t *bytes; /* of the whole block, owned; NULL: they are not here */
    size_t len;
    bool is_own, is_out; /* mined by the attacker; out: told to others */
    bool is_wanted;      /* somebody has asked for its bytes in vain */
};

/* Blocks stay where they are until they are forgotten. */
struct block_shelf {
    ARRAY(struct shelf_block *) blocks;
};

/* Begin with one block, of which no more than hash and height is known. */
void block_shelf_init(struct block_shelf *shelf, const struct block_hash *hash, int32_t height);
/* Free all. */
void block_shelf_deinit(struct block_shelf *shelf);
/* NULL: never heard of, or forgotten. */
struct shelf_block *block_shelf_find(const struct block_shelf *shelf,
                                     const struct block_hash *hash);
/* Put a new block there.
 *
 * Returns: NULL, if it is there already or its parent is not */
struct shelf_block *block_shelf_add(struct block_shelf *shelf, struct span header);
/* The hash of a header's bytes. */
struct block_hash block_shelf_hash(struct span header);
/* Keep a copy of a block's bytes. */
void block_shelf_keep(struct shelf_block *block, struct span bytes);
/* Forget what lies more than BLOCK_SHELF_DEPTH below that height. */
void block_shelf_trim(struct block_shelf *shelf, int32_t height);

#endif
