/* merkle_proof.c - the tree walked from its root, left before right, as the format has it. */
#include "consensus/merkle_proof.h"

#include "crypto/hash.h"
#include "util/assert.h"

enum { LEVELS_MAX = 16 }; /* 2^14 < MERKLE_PROOF_TX_MAX < 2^15: levels 0 to 15 */

/* A node: those below it are the 2^level leaves from at << level on. */
struct place {
    uint32_t level, at;
};

/* Nodes of a level: each stands for 2^level leaves, the last one for what is left of them. */
static uint32_t width_of(uint32_t n_tx, uint32_t level)
{
    return (uint32_t)(((uint64_t)n_tx + (UINT64_C(1) << level) - 1) >> level);
}

/* The level that has one node, the root. */
static uint32_t top_level(uint32_t n_tx)
{
    uint32_t level = 0;
    while (width_of(n_tx, level) > 1)
        level++;
    ASSERT(level < LEVELS_MAX);
    return level;
}

/* The hash of two nodes; right may be left. */
static void hash_pair(const uint8_t left[32], const uint8_t right[32], uint8_t out[32])
{
    uint8_t both[64];
    memcpy(both, left, 32);
    memcpy(both + 32, right, 32);
    sha256d_64(out, both, 1);
}

/* -- Building --------------------------------------------------------------------------------- */

/* All nodes of a tree, level by level. */
struct tree {
    uint8_t (*hash[LEVELS_MAX])[32];
    bool *is_wanted[LEVELS_MAX]; /* some leaf below */
    uint32_t n_tx, top;
};

/* A node is wanted if it lies above a wanted leaf: the walk has to go through it. */
static void build_level(struct tree *tree, uint32_t level, struct arena *scratch)
{
    uint32_t width = width_of(tree->n_tx, level), below = width_of(tree->n_tx, level - 1);
    tree->hash[level] = arena_alloc(scratch, (size_t)width * 32);
    tree->is_wanted[level] = arena_calloc(scratch, width, sizeof(bool));
    for (uint32_t i = 0; i < width; i++) {
        /* A node without a partner is paired with itself. BIP-37, Partial Merkle branch format */
        uint32_t left = 2 * i, right = left + 1 < below ? left + 1 : left;
        hash_pair(tree->hash[level - 1][left], tree->hash[level - 1][right], tree->hash[level][i]);
        tree->is_wanted[level][i] =
            tree->is_wanted[level - 1][left] || tree->is_wanted[level - 1][right];
    }
}

/* From the leaves up. All levels are kept, as the walk starts from the root. */
static void build_tree(struct tree *tree, const struct block *block, const bool *wanted,
                       struct arena *scratch)
{
    tree->n_tx = block->n_tx;
    tree->top = top_level(block->n_tx);
    tree->hash[0] = arena_alloc(scratch, (size_t)block->n_tx * 32);
    tree->is_wanted[0] = arena_calloc(scratch, block->n_tx, sizeof(bool));
    memcpy(tree->hash[0], block->txids, (size_t)block->n_tx * 32);
    memcpy(tree->is_wanted[0], wanted, block->n_tx * sizeof *wanted);
    for (uint32_t level = 1; level <= tree->top; level++)
        build_level(tree, level, scratch);
}

/* What the walk shows: a bit for each node it comes to, a hash where it goes no further.
 * BIP-37, Constructing a partial merkle tree object */
struct shown {
    uint8_t *bits;
    uint32_t n_bits, n_hashes;
    const uint8_t **hashes;
};

/* From the root down, left before right: the reader takes the same way, so the bits need no places.
 * A stack instead of recursion; it holds one waiting right side a level. */
static void walk_tree(const struct tree *tree, struct shown *shown)
{
    struct place stack[2 * LEVELS_MAX] = {{tree->top, 0}};
    for (size_t n = 1; n > 0;) {
        struct place here = stack[--n];
        bool goes_on = tree->is_wanted[here.level][here.at];
        shown->bits[shown->n_bits / 8] |= (uint8_t)(goes_on << shown->n_bits % 8);
        shown->n_bits++;
        if (here.level == 0 || !goes_on) {
            shown->hashes[shown->n_hashes++] = tree->hash[here.level][here.at];
            continue;
        }
        struct place left = {here.level - 1, 2 * here.at}, right = {left.level, left.at + 1};
        if (right.at < width_of(tree->n_tx, right.level))
            stack[n++] = right;
        stack[n++] = left;
        ASSERT(n <= COUNT_OF(stack));
    }
}

void merkle_proof_append(const struct block *block, const bool *wanted, struct arena *scratch,
                         struct buffer *out)
{
    ASSERT(out);
    ASSERT(block->n_tx > 0 && block->n_tx <= MERKLE_PROOF_TX_MAX);
    struct arena_mark mark = arena_mark(scratch);
    struct tree tree;
    /* Each of n leaves has less than one node above it, and an odd one a level. */
    size_t nodes_max = 2 * (size_t)block->n_tx + LEVELS_MAX;
    struct shown shown = {.bits = arena_calloc(scratch, nodes_max / 8 + 1, 1),
                          .hashes = arena_calloc(scratch, nodes_max, sizeof(uint8_t *))};
    build_tree(&tree, block, wanted, scratch);
    walk_tree(&tree, &shown);
    ASSERT(shown.n_bits <= nodes_max);
    size_t room =
        BLOCK_HEADER_BYTES + 4 + 2 * 5 + 32 * (size_t)shown.n_hashes + shown.n_bits / 8 + 1;
    struct writer w = writer_to_buffer(buffer_reserve(out, room), room);
    block_header_encode(&w, &block->header);
    /* BIP-37, Partial Merkle branch format */
    write_u32(&w, block->n_tx);
    write_compact_size(&w, shown.n_hashes);
    for (uint32_t i = 0; i < shown.n_hashes; i++)
        write_bytes(&w, shown.hashes[i], 32);
    write_var_span(&w, span_of(shown.bits, (shown.n_bits + 7) / 8));
    out->len += w.len;
    arena_rewind(scratch, mark);
}

/* -- Reading ---------------------------------------------------------------------------------- */

/* The walk done again from its bits and hashes. BIP-37, Parsing a partial merkle tree object */
struct walk {
    struct span hashes, bits;
    size_t hashes_used, bits_used;
    struct merkle_proof *proof;
    bool is_bad;
};

/* A node that waits for its right side. */
struct half {
    struct place place;
    uint8_t left[32];
};

/* Come to a node: true if its hash stands here, false if it follows from those below. Running out
 * of bits or hashes is no fault of ours: the proof is bad, and the walk ends. */
static bool take_node(struct walk *walk, struct place here, uint8_t hash[32])
{
    if (walk->bits_used >= 8 * walk->bits.len) {
        walk->is_bad = true;
        return true;
    }
    bool goes_on = walk->bits.p[walk->bits_used / 8] >> walk->bits_used % 8 & 1;
    walk->bits_used++;
    if (goes_on && here.level > 0)
        return false;
    if (walk->hashes_used >= walk->hashes.len / 32) {
        walk->is_bad = true;
        return true;
    }
    memcpy(hash, walk->hashes.p + 32 * walk->hashes_used++, 32);
    if (goes_on)
        memcpy(walk->proof->ids[walk->proof->n_ids++].b, hash, 32);
    return true;
}

/* Hash upwards as far as both sides are known. Returns: false at the top, else *next is where to go
 * on. The stack's nodes from *n on are done. A side that has no sibling is hashed with itself, as
 * when the tree was built. */
static bool go_up(struct walk *walk, struct half *stack, size_t *n, uint8_t hash[32],
                  struct place *next)
{
    while (*n > 0) {
        struct half *half = &stack[*n - 1];
        struct place right = {half->place.level - 1, 2 * half->place.at + 1};
        bool is_left = next->level == right.level && next->at + 1 == right.at;
        bool has_right = right.at < width_of(walk->proof->n_tx, right.level);
        if (is_left && has_right) {
            memcpy(half->left, hash, 32);
            *next = right;
            return true;
        }
        /* Equal sides that are not one node: two lists of transactions with one root.
         * CVE-2012-2459 */
        if (!is_left && memcmp(half->left, hash, 32) == 0)
            walk->is_bad = true;
        hash_pair(is_left ? hash : half->left, hash, hash);
        *next = half->place;
        (*n)--;
    }
    return false;
}

/* The root comes out in root if the walk ends well. Everything that a stranger can get wrong sets
 * is_bad: bits or hashes that end too early, and sides that may not be equal. */
static void walk_proof(struct walk *walk, uint8_t root[32])
{
    struct half stack[LEVELS_MAX];
    size_t n = 0;
    struct place here = {top_level(walk->proof->n_tx), 0};
    bool is_done = false;
    while (!is_done && !walk->is_bad) {
        if (take_node(walk, here, root)) {
            is_done = walk->is_bad || !go_up(walk, stack, &n, root, &here);
        } else {
            ASSERT(n < LEVELS_MAX);
            stack[n++].place = here;
            here = (struct place){here.level - 1, 2 * here.at};
        }
    }
}

bool merkle_proof_read(struct span raw, struct arena *arena, struct merkle_proof *out)
{
    ASSERT(out);
    struct reader r = reader_of(raw);
    struct walk walk = {.proof = out};
    uint8_t root[32];
    *out = (struct merkle_proof){0};
    if (!block_header_decode(&r, &out->header))
        return false;
    out->n_tx = read_u32(&r);
    uint64_t n_hashes = read_compact_size(&r);
    if (n_hashes > reader_left(&r) / 32)
        return false;
    walk.hashes = read_span(&r, 32 * (size_t)n_hashes);
    walk.bits = read_var_span(&r);
    if (r.failed)
        return false;
    /* BIP-37, Parsing a partial merkle tree object */
    if (out->n_tx == 0 || out->n_tx > MERKLE_PROOF_TX_MAX || n_hashes > out->n_tx ||
        8 * walk.bits.len < n_hashes)
        return true;
    out->ids = arena_calloc(arena, (size_t)n_hashes + 1, sizeof *out->ids);
    walk_proof(&walk, root);
    /* All of it was needed, but for the bits that fill the last byte.
     * BIP-37, Parsing a partial merkle tree object */
    out->is_whole = !walk.is_bad && walk.hashes_used == n_hashes &&
                    (walk.bits_used + 7) / 8 == walk.bits.len &&
                    memcmp(root, out->header.merkle_root, 32) == 0;
    if (!out->is_whole)
        out->n_ids = 0;
    return true;
}
