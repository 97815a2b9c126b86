/* header_tree.h - every block header we know, as a tree with chain work and skip list.
 *
 * Layer: chain. Nodes are never freed before the tree, so pointers to them may be kept. Only the
 * loop thread changes them; jobs get copies of what they need. */
#ifndef CHAIN_TREE_HEADER_TREE_H
#define CHAIN_TREE_HEADER_TREE_H

#include "chain/disk/block_file.h"
#include "consensus/block.h"
#include "crypto/siphash.h"
#include "util/hash_map.h"
#include "util/u256.h"

/* What is known of a block, as bits: rows of the index hold them as they are, so a value is never
 * given another meaning. HAVE and LOST exclude each other; pruning takes both away. VALID stays
 * once it is set. FAILED comes by best_chain_mark_failed(), or with a header on one that has it,
 * and goes by best_chain_clear_failed() alone. */
enum block_status {
    BLOCK_HAVE_DATA = 1 << 0,     /* data is stored (data.file says where) */
    BLOCK_HAVE_UNDO = 1 << 1,     /* undo data is stored */
    BLOCK_VALID_TX = 1 << 2,      /* context-free and contextual rules passed */
    BLOCK_VALID_SCRIPTS = 1 << 3, /* was connected once, everything passed */
    BLOCK_FAILED = 1 << 4,        /* breaks a rule itself, or invalidateblock */
    BLOCK_FAILED_CHILD = 1 << 5,  /* an ancestor is BLOCK_FAILED */
    BLOCK_LOST_DATA = 1 << 6,     /* was stored where data says, is damaged or missing: lost.h */
    BLOCK_LOST_UNDO = 1 << 7,     /* the same of its undo data */
    BLOCK_DROPPED = 1 << 8,       /* and FAILED: to be forgotten, with its row: intake/rewind.h */
};
#define BLOCK_LOST_MASK   (BLOCK_LOST_DATA | BLOCK_LOST_UNDO)
#define BLOCK_FAILED_MASK (BLOCK_FAILED | BLOCK_FAILED_CHILD)

/* One header, and what is known of its block. From hash to nonce all but the links to children is
 * a fact, set when the node is made; the rest changes, and each change of what its row holds is
 * followed by header_tree_mark_dirty(). */
struct block_node {
    struct block_hash hash;
    struct block_node *prev; /* NULL: genesis */
    struct block_node *skip; /* some way back, for ancestor lookups in O(log n) */
    struct block_node *first_child, *next_sibling; /* the newest child comes first */
    struct u256 chain_work;                        /* of all blocks up to here, this one too */
    int32_t height;
    uint32_t time_max; /* largest time up to here */
    uint8_t merkle_root[32];
    int32_t version;
    uint32_t time, bits, nonce;
    uint32_t n_tx;     /* 0: block not seen yet */
    uint32_t status;   /* enum block_status */
    uint64_t chain_tx; /* transactions up to here; 0 while a block up to here is missing */
    int64_t sequence;  /* order in which it could first become the tip; smaller wins ties */
    struct file_pos data, undo; /* in blk and rev files; file -1: nowhere. Kept while it is lost */
    struct block_node *dirty_next; /* list of nodes that the index has to write */
    bool is_dirty;
    bool is_listed_lost; /* in the list of lost.h, be it lost or had again */
    bool is_gone;        /* forgotten: in no tree any more, for who has a pointer to it yet */
};

/* Some nodes. Whoever has it frees the array. */
struct block_nodes {
    struct block_node **at;
    size_t n, capacity;
};

/* Owns all nodes. It has no limit of its own: who takes headers from peers asks for work first. */
struct header_tree {
    struct hash_map by_hash; /* of struct block_node */
    struct siphash_key key;
    struct arena arena; /* of the nodes */
    struct block_node *genesis;
    struct block_node *best_header; /* most work, not failed */
    struct block_node *best_failed; /* of the failed ones the one with most work, or NULL */
    struct block_node *dirty;       /* to be written to the index */
    size_t count;
    /* The block whose coins came from a snapshot, until its ancestors are checked; NULL: none is
     * assumed. doc/decisions/0272-a-second-set-of-coins.md */
    struct block_node *assumed;
    uint64_t assumed_chain_tx; /* transactions up to it, as this release vouches */
    /* With assumed: the last block that the check has passed, and that its store stands for. */
    struct block_node *checked, *checked_stored;
    bool assumed_fails; /* one of those that are assumed turned out to be invalid */
};

/* Make an empty tree. key salts the hash map: hashes are chosen by strangers. */
void header_tree_init(struct header_tree *tree, struct siphash_key key);
/* Free it with all its nodes. */
void header_tree_deinit(struct header_tree *tree);

/* The node of a header by its hash, or NULL. */
struct block_node *header_tree_find(const struct header_tree *tree, const struct block_hash *hash);

/* Add a header whose prev is known (or genesis, while the tree is empty) and that is not in the
 * tree. Computes height, work, skip; links it to its parent; marks it dirty. hash is the header's.
 * No rules are checked here. */
struct block_node *header_tree_add(struct header_tree *tree, const struct block_header *header,
                                   const struct block_hash *hash);

/* Take nodes that are BLOCK_DROPPED out of the tree, with all that are on them: nobody finds them
 * any more, and their headers can be added anew. Their memory stays as it is, so pointers to them
 * may be kept.
 *
 * In:   roots  each on a node that is not dropped
 * Out:  out    all of them come behind what it has */
void header_tree_forget(struct header_tree *tree, const struct block_nodes *roots,
                        struct block_nodes *out);

/* Note that the node has failed: it may be the best that has. */
void header_tree_note_failed(struct header_tree *tree, struct block_node *node);

/* Note that the node differs from its row in the index, so that it is written next time. */
void header_tree_mark_dirty(struct header_tree *tree, struct block_node *node);

/* Is the block one of those that only a snapshot vouches for, its base included? */
static inline bool header_tree_assumes(const struct header_tree *tree,
                                       const struct block_node *node);
/* What the node's chain_tx must be: 0 while a block up to there is missing. */
uint64_t header_tree_chain_tx(const struct header_tree *tree, const struct block_node *node);

/* Assert every invariant of the tree: places, work, marks, what is said to be stored. Costly. */
void header_tree_check(const struct header_tree *tree);

/* The ancestor at height, node itself at its own; NULL if height is negative or above node. O(log
 * n). */
struct block_node *block_node_ancestor(const struct block_node *node, int32_t height);
/* The status in words. Its block is stored, and can be read. */
static inline bool block_node_has_data(const struct block_node *node)
{
    return node->status & BLOCK_HAVE_DATA;
}

/* What it spent is. */
static inline bool block_node_has_undo(const struct block_node *node)
{
    return node->status & BLOCK_HAVE_UNDO;
}

/* It, or a block below it, is known to be invalid. */
static inline bool block_node_has_failed(const struct block_node *node)
{
    return node->status & BLOCK_FAILED_MASK;
}

/* Its block was stored, and is damaged or missing now; its undo data; one of the two. */
static inline bool block_node_lost_data(const struct block_node *node)
{
    return node->status & BLOCK_LOST_DATA;
}

static inline bool block_node_lost_undo(const struct block_node *node)
{
    return node->status & BLOCK_LOST_UNDO;
}

static inline bool block_node_lost_any(const struct block_node *node)
{
    return node->status & BLOCK_LOST_MASK;
}

/* Its block is stored, or would be but for damage: it was not pruned. */
static inline bool block_node_was_stored(const struct block_node *node)
{
    return node->status & (BLOCK_HAVE_DATA | BLOCK_LOST_DATA);
}

/* It was connected once: it obeys every rule. */
static inline bool block_node_was_connected(const struct block_node *node)
{
    return node->status & BLOCK_VALID_SCRIPTS;
}

static inline bool header_tree_assumes(const struct header_tree *tree,
                                       const struct block_node *node)
{
    return tree->assumed && node->height <= tree->assumed->height &&
           block_node_ancestor(tree->assumed, node->height) == node &&
           block_node_ancestor(tree->checked, node->height) != node;
}

/* The last common block of two nodes of one tree. */
struct block_node *block_node_fork(const struct block_node *a, const struct block_node *b);
/* Median of the times of node and the ten before it. BIP-113, Specification */
int64_t block_node_mtp(const struct block_node *node);
/* The header that the node was made of. */
struct block_header block_node_header(const struct block_node *node);
/* True if a is ahead of b: more work, then smaller sequence, then smaller hash. */
bool block_node_is_better(const struct block_node *a, const struct block_node *b);
/* Visit node and all its descendants, parents first, without recursion: start with *at = node,
 * ends with NULL. */
struct block_node *block_node_next_descendant(const struct block_node *root, struct block_node *at);
/* The same walk, but past all descendants of at. */
struct block_node *block_node_after_subtree(const struct block_node *root, struct block_node *at);

#endif
