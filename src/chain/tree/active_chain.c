/* active_chain.c - see active_chain.h. */
#include "chain/tree/active_chain.h"

#include "util/array.h"

void active_chain_deinit(struct active_chain *active)
{
    xfree(active->at);
    *active = (struct active_chain){0};
}

void active_chain_set_tip(struct active_chain *active, struct block_node *tip)
{
    size_t n = (size_t)tip->height + 1;
    ASSERT(tip && tip->height >= 0);
    if (n > active->n)
        ARRAY_RESERVE(active, n - active->n);
    /* Down to the fork, below which all is as it was: a block is one step. */
    for (struct block_node *node = tip; node; node = node->prev) {
        size_t height = (size_t)node->height;
        if (height < active->n && active->at[height] == node)
            break;
        active->at[height] = node;
    }
    active->n = n;
    ASSERT(active_chain_tip(active) == tip);
}

struct block_node *active_chain_tip(const struct active_chain *active)
{
    return active->n ? active->at[active->n - 1] : NULL;
}

struct block_node *active_chain_at(const struct active_chain *active, int32_t height)
{
    return height >= 0 && (size_t)height < active->n ? active->at[height] : NULL;
}

bool active_chain_contains(const struct active_chain *active, const struct block_node *node)
{
    ASSERT(node);
    return active_chain_at(active, node->height) == node;
}

void active_chain_check(const struct active_chain *active, const struct header_tree *tree)
{
    ASSERT(active->n > 0 && active->at[0] == tree->genesis);
    for (size_t i = 1; i < active->n; i++) {
        const struct block_node *node = active->at[i];
        ASSERT(node->prev == active->at[i - 1] && node->height == (int32_t)i);
        bool is_assumed = tree->assumed && node->height <= tree->assumed->height;
        ASSERT(is_assumed || (node->n_tx > 0 && block_node_was_connected(node)));
    }
}
