/* node_view.c - see node_view.h. */
#include "chain/tree/node_view.h"

static struct header_facts facts(const void *at)
{
    const struct block_node *node = at;
    return (struct header_facts){
        .height = node->height, .version = node->version, .time = node->time, .bits = node->bits};
}

static const void *prev(const void *at)
{
    return ((const struct block_node *)at)->prev;
}

static const void *ancestor(const void *at, int32_t height)
{
    return block_node_ancestor(at, height);
}

static int64_t median_time_past(const void *at)
{
    return block_node_mtp(at);
}

const struct header_view *block_node_view(void)
{
    static const struct header_view view = {
        .facts = facts, .prev = prev, .ancestor = ancestor, .median_time_past = median_time_past};
    return &view;
}
