/* lost.h - which stored blocks and undo data are damaged or missing, until they are had again.
 *
 * Layer: chain. A read that meets damage, or a start that misses a file, marks the node; the mark
 * is in its row, so it outlives a restart, and the row keeps the place. Blocks come from any peer
 * (events.block_lost wakes who asks), undo data is made anew by undo_repair.c. Loop thread only.
 * doc/decisions/0140-what-is-lost-is-had-again.md */
#ifndef CHAIN_TREE_LOST_H
#define CHAIN_TREE_LOST_H

#include "chain/core/chain_core.h"
#include "chain/tree/best_chain.h"
#include "chain/tree/kept_blocks.h"

#define LOST_TEXT_BYTES 300

struct lost {
    struct chain_core *core;
    struct header_tree *tree;
    const struct active_chain *active;
    const struct kept_blocks *kept;
    struct best_chain *best;
    struct block_node **at; /* marked when they were added; some may have been had again */
    size_t n, capacity;
    size_t n_blocks, n_undo; /* of the tree: marked now */
    uint64_t n_returned;     /* blocks that were lost and are on disk again */
    uint64_t n_changes;      /* what makes a new attempt worth while: lost undo data, and those */
    char text[LOST_TEXT_BYTES];
};

/* Nothing is lost. Borrows the rest. */
void lost_init(struct lost *lost, struct chain_core *core, struct header_tree *tree,
               const struct active_chain *active, const struct kept_blocks *kept,
               struct best_chain *best);
/* Release what the set holds. */
void lost_deinit(struct lost *lost);

/* The stored block is damaged or missing. One that the committed chain does not contain is as if it
 * had never been stored. Again, or with nothing stored: nothing happens. Not for the first block,
 * which is a constant. */
void lost_block(struct lost *lost, struct block_node *node);
/* The undo data of a stored block is. Of one beside the committed chain it is forgotten. */
void lost_undo(struct lost *lost, struct block_node *node);
/* What is not in the committed chain has lost its block: it is as if it had never been stored. */
void lost_side_block(struct lost *lost, struct block_node *node);
/* The coins cannot be read: a fault of our disk that ends the work. Damage is noted durably, and
 * the next start makes the coins anew.
 *
 * In:  error  a negative errno; -EUCLEAN: damage
 *      what   was being done, for the log */
void lost_coins(struct chain_core *core, int error, const char *what);

/* The block is stored again: the mark goes. Without a mark nothing happens. */
void lost_block_found(struct lost *lost, struct block_node *node);
/* The same for its undo data. */
void lost_undo_found(struct lost *lost, struct block_node *node);
/* A block that was lost is on disk again: whoever waited for it goes on. */
void lost_block_written(struct lost *lost);

/* At a start, when the tip is known: take up the marks of the index, and mark what lies in files
 * that are missing or too short.
 *
 * In:       dir    of the block files, for messages
 * Returns:  true, or false with *error (xfree it): the disk fails, or no file at all is there, so
 *           that a disk that is not mounted is likelier than damage */
NODISCARD bool lost_open(struct lost *lost, const char *dir, char **error);

/* Marked nodes of the committed chain from the newest addition down, at most max of them whose undo
 * data (else whose block) is lost.
 *
 * Returns:  how many */
size_t lost_list(struct lost *lost, bool undo, struct block_node **out, size_t max);
/* What is lost, for the operator.
 *
 * Returns:  text, borrowed until the next call; NULL: nothing is */
const char *lost_text(struct lost *lost);

#endif
