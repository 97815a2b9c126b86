/* node_view.h - block nodes as the rules of consensus/ see them.
 *
 * Layer: chain. Difficulty and deployments depend on blocks long past: consensus/ asks for those by
 * this view, and so needs neither the tree nor a copy of it. Loop thread only. */
#ifndef CHAIN_TREE_NODE_VIEW_H
#define CHAIN_TREE_NODE_VIEW_H

#include "chain/tree/header_tree.h"
#include "consensus/header_view.h"

/* The view whose nodes are struct block_node. Constant, for any tree. */
const struct header_view *block_node_view(void);

#endif
