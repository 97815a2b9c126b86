/* miniscript_limits.c - does an expression fit into what scripts may cost, and is it sane? */
#include <stdlib.h>

#include "spend/miniscript/miniscript_internal.h"

/* BIP-379, Resource Limits */
enum {
    OPS_MAX = 201,
    P2WSH_STACK_MAX = 100, /* items of a witness, by policy */
};

/* -- Costs ------------------------------------------------------------------------------------ */

/* What a script does with the stack in one case: by how many items it is lower behind it than
 * before it, and by how many higher on the way than behind it. Both may be below zero. */
struct stack_use {
    bool is_possible;
    int64_t drop, peak;
};

/* A count that may not exist. */
struct ops {
    bool is_possible;
    int64_t n;
};

/* What satisfying and dissatisfying a node costs. */
struct cost {
    int64_t n_ops; /* in any case */
    struct ops sat_ops, dsat_ops;
    struct stack_use sat, dsat;
};

static const struct stack_use nothing = {true, 0, 0}, pushes = {true, -1, 0}, drops = {true, 1, 1},
                              drops_two = {true, 2, 2}, impossible = {false, 0, 0};
static const struct ops no_ops = {true, 0}, never = {false, 0};

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* One script, then another. */
static struct stack_use then(struct stack_use a, struct stack_use b)
{
    if (!a.is_possible || !b.is_possible)
        return impossible;
    return (struct stack_use){true, a.drop + b.drop, larger(b.peak, b.drop + a.peak)};
}

static struct stack_use then_both(struct stack_use a, struct stack_use b, struct stack_use c)
{
    return then(then(a, b), c);
}

/* One or the other: the worse. */
static struct stack_use either(struct stack_use a, struct stack_use b)
{
    if (!a.is_possible || !b.is_possible)
        return a.is_possible ? a : b;
    return (struct stack_use){true, larger(a.drop, b.drop), larger(a.peak, b.peak)};
}

static struct ops ops_both(struct ops a, struct ops b)
{
    return a.is_possible && b.is_possible ? (struct ops){true, a.n + b.n} : never;
}

static struct ops ops_either(struct ops a, struct ops b)
{
    if (!a.is_possible || !b.is_possible)
        return a.is_possible ? a : b;
    return (struct ops){true, larger(a.n, b.n)};
}

static struct cost cost_of_multi(const struct ms_node *node)
{
    int64_t n = node->n_keys, k = node->k;
    /* k signatures, a dummy, and on the way all keys and two numbers. */
    struct stack_use multi = {true, k, k + n + 2}, multi_a = {true, n - 1, n};
    if (node->fragment == MS_MULTI)
        return (struct cost){1, {true, n}, {true, n}, multi, multi};
    return (struct cost){n + 1, no_ops, no_ops, multi_a, multi_a};
}

static struct cost cost_of_leaf(const struct ms_node *node)
{
    const struct stack_use key_hash = then(then_both(pushes, nothing, pushes), drops_two),
                           hash = then(then(then_both(pushes, pushes, drops_two), pushes), drops);
    enum ms_fragment fragment = node->fragment;
    if (fragment == MS_0)
        return (struct cost){0, never, no_ops, impossible, pushes};
    if (fragment == MS_1)
        return (struct cost){0, no_ops, never, pushes, impossible};
    if (fragment == MS_PK_K)
        return (struct cost){0, no_ops, no_ops, pushes, pushes};
    if (fragment == MS_PK_H)
        return (struct cost){3, no_ops, no_ops, key_hash, key_hash};
    if (fragment == MS_OLDER || fragment == MS_AFTER)
        return (struct cost){1, no_ops, never, pushes, impossible};
    if (fragment == MS_MULTI || fragment == MS_MULTI_A)
        return cost_of_multi(node);
    return (struct cost){4, no_ops, never, hash, impossible};
}

/* x_takes: it takes the VERIFY behind it into its last opcode. */
static struct cost cost_of_wrapper(enum ms_fragment fragment, struct cost x, bool x_takes)
{
    struct cost out = x;
    if (fragment == MS_WRAP_A) {
        out.n_ops += 2;
    } else if (fragment == MS_WRAP_S || fragment == MS_WRAP_N) {
        out.n_ops += 1;
    } else if (fragment == MS_WRAP_C) {
        out.n_ops += 1;
        out.sat = then(x.sat, drops);
        out.dsat = then(x.dsat, drops);
    } else if (fragment == MS_WRAP_V) {
        out.n_ops += !x_takes;
        out.dsat_ops = never;
        out.sat = then(x.sat, drops);
        out.dsat = impossible;
    } else { /* DUP IF, or SIZE 0NOTEQUAL IF */
        out.n_ops += fragment == MS_WRAP_D ? 3 : 4;
        out.dsat_ops = no_ops;
        out.sat = then_both(pushes, drops, x.sat);
        out.dsat = then(pushes, drops);
    }
    return out;
}

static struct cost cost_of_and(enum ms_fragment fragment, struct cost x, struct cost y)
{
    if (fragment == MS_AND_V)
        return (struct cost){x.n_ops + y.n_ops, ops_both(x.sat_ops, y.sat_ops), never,
                             then(x.sat, y.sat), impossible};
    return (struct cost){1 + x.n_ops + y.n_ops, ops_both(x.sat_ops, y.sat_ops),
                         ops_both(x.dsat_ops, y.dsat_ops), then_both(x.sat, y.sat, drops),
                         then_both(x.dsat, y.dsat, drops)};
}

static struct cost cost_of_or(enum ms_fragment fragment, struct cost x, struct cost z)
{
    struct ops first = x.sat_ops, second = ops_both(x.dsat_ops, z.sat_ops);
    if (fragment == MS_OR_B)
        return (struct cost){
            1 + x.n_ops + z.n_ops, ops_either(ops_both(x.sat_ops, z.dsat_ops), second),
            ops_both(x.dsat_ops, z.dsat_ops),
            either(then_both(x.sat, z.dsat, drops), then_both(x.dsat, z.sat, drops)),
            then_both(x.dsat, z.dsat, drops)};
    if (fragment == MS_OR_C)
        return (struct cost){2 + x.n_ops + z.n_ops, ops_either(first, second), never,
                             either(then(x.sat, drops), then_both(x.dsat, drops, z.sat)),
                             impossible};
    if (fragment == MS_OR_D)
        return (struct cost){
            3 + x.n_ops + z.n_ops, ops_either(first, second), ops_both(x.dsat_ops, z.dsat_ops),
            either(then_both(x.sat, pushes, drops), then_both(x.dsat, drops, z.sat)),
            then_both(x.dsat, drops, z.dsat)};
    return (struct cost){3 + x.n_ops + z.n_ops, ops_either(x.sat_ops, z.sat_ops),
                         ops_either(x.dsat_ops, z.dsat_ops), then(drops, either(x.sat, z.sat)),
                         then(drops, either(x.dsat, z.dsat))};
}

static struct cost cost_of_andor(struct cost x, struct cost y, struct cost z)
{
    return (struct cost){
        3 + x.n_ops + y.n_ops + z.n_ops,
        ops_either(ops_both(y.sat_ops, x.sat_ops), ops_both(x.dsat_ops, z.sat_ops)),
        ops_both(x.dsat_ops, z.dsat_ops),
        either(then_both(x.sat, drops, y.sat), then_both(x.dsat, drops, z.sat)),
        then_both(x.dsat, drops, z.dsat)};
}

/* The case in which j of the parts so far are satisfied, from those of one part less. */
static struct cost with_part(const struct cost *before, size_t j, size_t n, const struct cost *part)
{
    struct stack_use add = n > 0 ? drops : nothing;
    struct cost out = {.sat_ops = never, .sat = impossible};
    if (j <= n) {
        out.sat_ops = ops_both(before[j].sat_ops, part->dsat_ops);
        out.sat = then_both(before[j].sat, part->dsat, add);
    }
    if (j > 0) {
        out.sat_ops = ops_either(out.sat_ops, ops_both(before[j - 1].sat_ops, part->sat_ops));
        out.sat = either(out.sat, then_both(before[j - 1].sat, part->sat, add));
    }
    return out;
}

static struct cost cost_of_thresh(const struct ms_node *node, const struct cost *costs,
                                  struct arena *arena)
{
    int64_t n_ops = 0;
    /* Each part that can be both satisfied and not takes an item at least: what has more cannot be
     * spent, whatever they cost. */
    if (node->n_subs > MS_STACK_MAX)
        return (struct cost){.n_ops = node->n_subs,
                             .sat_ops = no_ops,
                             .dsat_ops = no_ops,
                             .sat = {true, node->n_subs, node->n_subs},
                             .dsat = {true, node->n_subs, node->n_subs}};
    struct arena_mark mark = arena_mark(arena);
    struct cost *by_count = arena_calloc(arena, node->k + 1, sizeof *by_count);
    by_count[0] = (struct cost){.sat_ops = no_ops, .sat = nothing};
    for (size_t n = 0; n < node->n_subs; n++) {
        const struct cost *part = &costs[node->subs[n]];
        n_ops += part->n_ops + 1;
        /* From above, so that each is worked out from what was there before. */
        for (size_t j = n + 1 < node->k ? n + 1 : node->k;; j--) {
            by_count[j] = with_part(by_count, j, n, part);
            if (j == 0)
                break;
        }
    }
    struct cost none = by_count[0], enough = by_count[node->k];
    struct cost out = {n_ops, enough.sat_ops, none.sat_ops, then_both(enough.sat, pushes, drops),
                       then_both(none.sat, pushes, drops)};
    arena_rewind(arena, mark);
    return out;
}

static struct cost cost_of(const struct miniscript *ms, const struct ms_node *node,
                           const struct cost *costs, struct arena *arena)
{
    if (node->n_subs == 0)
        return cost_of_leaf(node);
    if (node->fragment == MS_THRESH)
        return cost_of_thresh(node, costs, arena);
    const struct cost *x = &costs[node->subs[0]];
    if (node->n_subs == 1)
        return cost_of_wrapper(node->fragment, *x, !(ms->nodes[node->subs[0]].type & MS_x));
    const struct cost *y = &costs[node->subs[1]];
    if (node->n_subs == 3)
        return cost_of_andor(*x, *y, costs[node->subs[2]]);
    bool is_and = node->fragment == MS_AND_V || node->fragment == MS_AND_B;
    return is_and ? cost_of_and(node->fragment, *x, *y) : cost_of_or(node->fragment, *x, *y);
}

/* -- Sanity ----------------------------------------------------------------------------------- */

/* A key where it stands. */
struct key_place {
    struct span bytes;
    uint32_t node;
};

static int compare_places(const void *a, const void *b)
{
    const struct key_place *x = a, *y = b;
    if (x->bytes.len != y->bytes.len)
        return x->bytes.len < y->bytes.len ? -1 : 1;
    int order = x->bytes.len ? memcmp(x->bytes.p, y->bytes.p, x->bytes.len) : 0;
    return order ? order : (x->node > y->node) - (x->node < y->node);
}

/* For each node the last one before or at it that has a key which it or a part of it has too, plus
 * one; 0: none. */
static uint32_t *find_twins(const struct miniscript *ms, const struct ms_keys *keys,
                            struct arena *arena)
{
    size_t n = 0, at = 0;
    uint32_t *twin = arena_calloc(arena, ms->n, sizeof *twin);
    for (uint32_t i = 0; i < ms->n; i++)
        n += ms->nodes[i].n_keys;
    struct key_place *places = arena_calloc(arena, n + 1, sizeof *places);
    for (uint32_t i = 0; i < ms->n; i++) {
        for (uint32_t k = 0; k < ms->nodes[i].n_keys; k++)
            places[at++] = (struct key_place){keys->bytes(keys->ctx, ms->nodes[i].keys[k]), i};
    }
    qsort(places, n, sizeof *places, compare_places);
    for (size_t i = 1; i < n; i++) {
        uint32_t *slot = &twin[places[i].node];
        if (span_equal(places[i - 1].bytes, places[i].bytes) && places[i - 1].node + 1 > *slot)
            *slot = places[i - 1].node + 1;
    }
    for (uint32_t i = 0; i < ms->n; i++) {
        for (uint32_t k = 0; k < ms->nodes[i].n_subs; k++) {
            uint32_t below = twin[ms->nodes[i].subs[k]];
            twin[i] = below > twin[i] ? below : twin[i];
        }
    }
    return twin;
}

static bool fits(const struct miniscript *ms, const struct ms_node *node, const struct cost *cost)
{
    int64_t own = (node->type & (MS_B | MS_K | MS_W)) != 0; /* what it leaves on the stack */
    if (!cost->sat.is_possible)
        return true;
    if (ms->context == MS_TAPSCRIPT)
        return cost->sat.peak + own <= MS_STACK_MAX;
    return cost->n_ops + cost->sat_ops.n <= OPS_MAX && cost->sat.drop + own <= P2WSH_STACK_MAX;
}

/* What is wrong with a node whoever uses it. */
static enum ms_fault fault_of_part(const struct miniscript *ms, uint32_t number,
                                   const struct cost *cost, const uint32_t *twins)
{
    const struct ms_node *node = &ms->nodes[number];
    if (node->type == 0)
        return MS_INVALID;
    if (!(node->type & MS_m))
        return MS_MALLEABLE;
    if (!(node->type & MS_k))
        return MS_MIXED_TIMELOCKS;
    if (twins[number] > node->first)
        return MS_DUPLICATE_KEYS;
    return fits(ms, node, cost) ? MS_SANE : MS_EXCEEDS_LIMITS;
}

static bool is_too_long(const struct miniscript *ms, const struct ms_keys *keys)
{
    struct buffer script;
    buffer_init(&script);
    ms_script(ms, keys, &script);
    bool is_long = script.len > ms_script_max(ms->context);
    buffer_deinit(&script);
    return is_long;
}

enum ms_fault ms_check(const struct miniscript *ms, const struct ms_keys *keys, struct arena *arena,
                       uint32_t *node)
{
    ASSERT(ms && ms->n > 0 && keys && keys->bytes && node);
    const struct ms_node *whole = &ms->nodes[ms->n - 1];
    struct arena_mark mark = arena_mark(arena);
    struct cost *costs = arena_calloc(arena, ms->n, sizeof *costs);
    uint32_t *twins = find_twins(ms, keys, arena);
    enum ms_fault fault = MS_SANE;
    uint32_t at = 0;
    for (; at < ms->n; at++) {
        if (ms->nodes[at].type != 0)
            costs[at] = cost_of(ms, &ms->nodes[at], costs, arena);
        fault = fault_of_part(ms, at, &costs[at], twins);
        if (fault != MS_SANE)
            break;
    }
    bool can_satisfy = fault != MS_SANE || costs[ms->n - 1].sat.is_possible;
    arena_rewind(arena, mark);
    *node = fault == MS_SANE ? ms->n - 1 : at;
    if (fault != MS_SANE)
        return fault;
    if (is_too_long(ms, keys))
        return MS_INVALID;
    if (!(whole->type & MS_B))
        return MS_NOT_SANE;
    if (!(whole->type & MS_s))
        return MS_NO_SIGNATURE;
    return can_satisfy ? MS_SANE : MS_NOT_SATISFIABLE;
}
