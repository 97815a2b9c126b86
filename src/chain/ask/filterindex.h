/* filterindex.h - the basic filter of each block (-blockfilterindex): optional, follows the
 * committed tip.
 *
 * Layer: chain. Loop thread only, but for what says otherwise. Rows stay when their block leaves
 * the chain: they are found by its hash. Spec: BIP-157, Node Operation */
#ifndef CHAIN_ASK_FILTERINDEX_H
#define CHAIN_ASK_FILTERINDEX_H

#include "chain/ask/index_follower.h"

/* Blocks that one look-up is for, at most: as many as a message asks for. BIP-157, getcfheaders */
#define FILTERINDEX_RANGE_MAX 2001

struct filterindex {
    struct index_follower follower; /* first */
};

/* What tells this index from others. */
extern const struct index_kind filterindex_kind;

/* Visit filters of blocks, oldest first; see chain_visit_filters() for the errors.
 *
 * Out:  visit  on another thread
 *       done   once; within this call if the index cannot answer */
void filterindex_visit(struct filterindex *index, const struct chain_filter_range *range,
                       chain_filter_fn *visit, chain_filters_done_fn *done, void *arg);

#endif
