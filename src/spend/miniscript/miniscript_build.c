/* miniscript_build.c - nodes put together, and walked. */
#include <string.h>

#include "spend/miniscript/miniscript_internal.h"

void ms_builder_init(struct ms_builder *builder, enum ms_context context, struct arena *arena)
{
    ASSERT(builder && arena);
    /* A byte of script holds two nodes at most: v: takes none where an opcode takes it in. */
    *builder = (struct ms_builder){
        .context = context, .arena = arena, .n_max = 2 * ms_script_max(context)};
}

void ms_builder_deinit(struct ms_builder *builder)
{
    ASSERT(builder);
    ARRAY_FREE(&builder->nodes);
}

uint32_t ms_builder_add(struct ms_builder *builder, struct ms_node node, const uint32_t *subs,
                        size_t n_subs)
{
    ASSERT(builder && builder->nodes.n < UINT32_MAX);
    ASSERT(n_subs == 0 || subs);
    uint32_t number = (uint32_t)builder->nodes.n;
    node.first = number;
    node.n_subs = (uint32_t)n_subs;
    if (n_subs > 0) {
        uint32_t *copy = arena_calloc(builder->arena, n_subs, sizeof *copy);
        memcpy(copy, subs, n_subs * sizeof *copy);
        node.subs = copy;
    }
    for (size_t i = 0; i < n_subs; i++) {
        ASSERT(subs[i] < number);
        uint32_t first = builder->nodes.at[subs[i]].first;
        node.first = first < node.first ? first : node.first;
    }
    node.type = ms_type_of(builder->context, builder->nodes.at, &node);
    *ARRAY_ADD(&builder->nodes) = node;
    return number;
}

bool ms_builder_is_full(const struct ms_builder *builder)
{
    ASSERT(builder);
    return builder->nodes.n > builder->n_max;
}

void ms_builder_finish(struct ms_builder *builder, struct miniscript *out)
{
    ASSERT(builder->nodes.n > 0);
    size_t n = builder->nodes.n;
    out->context = builder->context;
    out->n = (uint32_t)n;
    out->nodes = arena_calloc(builder->arena, n, sizeof *out->nodes);
    memcpy(out->nodes, builder->nodes.at, n * sizeof *out->nodes);
    ms_builder_deinit(builder);
}

static uint32_t part_as_written(const struct ms_node *node, uint32_t step)
{
    return node->subs[step];
}

void ms_walk_init(struct ms_walk *walk, const struct miniscript *ms, uint32_t node,
                  uint32_t (*part_at)(const struct ms_node *node, uint32_t step))
{
    ASSERT(ms && node < ms->n);
    *walk = (struct ms_walk){.ms = ms, .part_at = part_at ? part_at : part_as_written};
    *ARRAY_ADD(&walk->stack) = (struct ms_step){.node = node, .step = 0};
}

void ms_walk_deinit(struct ms_walk *walk)
{
    ASSERT(walk);
    ARRAY_FREE(&walk->stack);
}

bool ms_walk_next(struct ms_walk *walk, struct ms_step *out)
{
    ASSERT(walk && out);
    if (walk->stack.n == 0)
        return false;
    struct ms_step *top = &walk->stack.at[walk->stack.n - 1];
    const struct ms_node *node = &walk->ms->nodes[top->node];
    *out = *top;
    if (top->step++ >= node->n_subs) {
        walk->stack.n--;
        return true;
    }
    struct ms_step below = {.node = walk->part_at(node, out->step), .step = 0};
    *ARRAY_ADD(&walk->stack) = below;
    return true;
}
