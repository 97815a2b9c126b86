/* miniscript_internal.h - types of nodes, and how nodes are put together.
 *
 * Layer: spend, for miniscript*.c only. */
#ifndef SPEND_MINISCRIPT_MINISCRIPT_INTERNAL_H
#define SPEND_MINISCRIPT_MINISCRIPT_INTERNAL_H

#include "spend/miniscript/miniscript.h"
#include "util/array.h"

/* One of four basic types, and properties. BIP-379, Type System */
enum ms_type {
    MS_B = 1 << 0,
    MS_V = 1 << 1,
    MS_K = 1 << 2,
    MS_W = 1 << 3,
    MS_z = 1 << 4,
    MS_o = 1 << 5,
    MS_n = 1 << 6,
    MS_d = 1 << 7,
    MS_u = 1 << 8,
    MS_e = 1 << 9,
    MS_f = 1 << 10,
    MS_s = 1 << 11,
    MS_m = 1 << 12, /* a witness that nobody else can change exists in each case */
    MS_x = 1 << 13, /* its last opcode takes no VERIFY into itself */
    MS_g = 1 << 14, /* holds a relative lock by time */
    MS_h = 1 << 15, /* a relative one by height */
    MS_i = 1 << 16, /* an absolute one by time */
    MS_j = 1 << 17, /* an absolute one by height */
    MS_k = 1 << 18, /* no two of these that exclude each other have to hold together */
};

/* The bits of locks. */
#define MS_LOCKS (MS_g | MS_h | MS_i | MS_j)

/* Nodes being put together, from the parts to the whole. */
struct ms_builder {
    enum ms_context context;
    struct arena *arena;
    ARRAY(struct ms_node) nodes;
    size_t n_max;
};

/* Begin with nothing. */
void ms_builder_init(struct ms_builder *builder, enum ms_context context, struct arena *arena);
/* Free what ms_builder_finish() has not taken. */
void ms_builder_deinit(struct ms_builder *builder);
/* Append a node that is made of n_subs others, and find its type; its number. What it refers to is
 * in the arena, and *subs is copied there. */
uint32_t ms_builder_add(struct ms_builder *builder, struct ms_node node, const uint32_t *subs,
                        size_t n_subs);
/* Have so many nodes been added that no script of the context holds them? */
bool ms_builder_is_full(const struct ms_builder *builder);
/* The nodes, in the arena. */
void ms_builder_finish(struct ms_builder *builder, struct miniscript *out);

/* The type of a node, whose parts have theirs. Spec: BIP-379, Correctness and Malleability */
uint32_t ms_type_of(enum ms_context context, const struct ms_node *nodes,
                    const struct ms_node *node);

enum {
    MS_STACK_MAX = 1000, /* items on a stack while a script runs. BIP-379, Resource Limits */
};

/* A place of a walk. */
struct ms_step {
    uint32_t node, step;
};

/* Walks nodes without recursion: each is seen before each of its parts and behind the last. */
struct ms_walk {
    const struct miniscript *ms;
    uint32_t (*part_at)(const struct ms_node *node, uint32_t step);
    ARRAY(struct ms_step) stack;
};

/* Start at a node. part_at: which part comes at a step, NULL for their order in the text. */
void ms_walk_init(struct ms_walk *walk, const struct miniscript *ms, uint32_t node,
                  uint32_t (*part_at)(const struct ms_node *node, uint32_t step));
/* Free its memory. */
void ms_walk_deinit(struct ms_walk *walk);
/* The next place: before part number `step` of node, or behind its last part. False at the end. */
NODISCARD bool ms_walk_next(struct ms_walk *walk, struct ms_step *out);

/* The longest script of a context. */
static inline size_t ms_script_max(enum ms_context context)
{
    return context == MS_P2WSH ? MS_P2WSH_SCRIPT_MAX : MS_TAPSCRIPT_MAX;
}

#endif
