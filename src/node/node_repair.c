/* node_repair.c - see node_repair.h */
#include "node/node_repair.h"

#include <string.h>

#include "util/alloc.h"

char *node_repair_order(struct chain_options *options, enum chain_damage damage, const char *why)
{
    ASSERT(damage != CHAIN_DAMAGE_NONE && why);
    bool is_index = damage == CHAIN_DAMAGE_INDEX;
    options->reindex |= is_index;
    options->reindex_chainstate = !options->reindex;
    options->is_repair = true;
    return xasprintf("The %s is damaged or missing and is made anew from the block files, "
                     "as %s does; with -norepair the node would have said: %.*s",
                     is_index ? "block index" : "coins database",
                     is_index ? "-reindex" : "-reindex-chainstate", (int)strcspn(why, "\n"), why);
}

char *node_repair_refuse(char *why_take)
{
    ASSERT(why_take);
    char *message = xasprintf("%s (a pruned node cannot make its block index anew by itself: "
                              "-reindex downloads the chain again)",
                              why_take);
    xfree(why_take);
    return message;
}
