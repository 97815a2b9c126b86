/* miniscript_satisfy.c - witnesses for expressions that nobody else can change. */
#include "spend/miniscript/miniscript_internal.h"
#include "util/alloc.h"

enum { PREIMAGE_BYTES = 32 };

/* Items one behind the other, without copying: a leaf has an item, others two parts. */
struct rope {
    const struct rope *left, *right;
    struct span item;
};

/* A way to satisfy a node, or not to. BIP-379, Non-malleable Satisfaction Algorithm */
struct way {
    bool is_possible;
    bool has_signature;
    bool is_malleable;
    size_t bytes;             /* of its items with their lengths */
    const struct rope *items; /* NULL: none */
};

struct ways {
    struct way sat, dsat;
};

struct satisfying {
    const struct ms_satisfier *with;
    struct arena *arena;
    struct ways *ways; /* of each node so far */
};

static const struct way impossible = {.is_possible = false}, empty = {.is_possible = true};

/* -- Ways put together ------------------------------------------------------------------------ */

static struct way of_item(struct satisfying *s, struct span item)
{
    struct rope *rope = arena_calloc(s->arena, 1, sizeof *rope);
    rope->item = item;
    return (struct way){.is_possible = true, .bytes = item.len + 1, .items = rope};
}

static struct way zero(struct satisfying *s)
{
    return of_item(s, span_of("", 0));
}

static struct way one(struct satisfying *s)
{
    return of_item(s, span_of("\x01", 1));
}

/* First a's items, then b's: all but the items. */
static struct way add(struct way a, struct way b)
{
    if (!a.is_possible || !b.is_possible)
        return impossible;
    return (struct way){.is_possible = true,
                        .has_signature = a.has_signature || b.has_signature,
                        .is_malleable = a.is_malleable || b.is_malleable,
                        .bytes = a.bytes + b.bytes};
}

static const struct rope *join_items(struct satisfying *s, const struct rope *a,
                                     const struct rope *b)
{
    if (!a || !b)
        return a ? a : b;
    struct rope *rope = arena_calloc(s->arena, 1, sizeof *rope);
    *rope = (struct rope){.left = a, .right = b};
    return rope;
}

/* First a's items, then b's. */
static struct way join(struct satisfying *s, struct way a, struct way b)
{
    struct way out = add(a, b);
    if (out.is_possible)
        out.items = join_items(s, a.items, b.items);
    return out;
}

static bool is_second_better(struct way a, struct way b)
{
    if (!a.is_possible || !b.is_possible)
        return !a.is_possible;
    /* What needs no signature others can make too: it has to be taken, or they would. */
    if (a.has_signature != b.has_signature)
        return a.has_signature;
    if (a.has_signature && a.is_malleable != b.is_malleable)
        return a.is_malleable;
    return a.bytes > b.bytes;
}

/* The one of two that others cannot turn into the other; the shorter if both are so. */
static struct way choose(struct way a, struct way b)
{
    struct way out = is_second_better(a, b) ? b : a;
    if (a.is_possible && b.is_possible && !a.has_signature && !b.has_signature)
        out.is_malleable = true;
    return out;
}

/* One that does more than it has to: others can take the surplus away. */
static struct way overcomplete(struct way way)
{
    way.is_malleable = true;
    return way;
}

/* -- Some of many parts ----------------------------------------------------------------------- */

/* The best ways to satisfy 0, 1, ... of a row of parts and to dissatisfy the others, behind a
 * start. Kept are figures, and for each part and count one byte, whether it is satisfied there:
 * items are laid together only for the counts that are used. */
struct counting {
    struct way start;
    const struct ways *parts; /* in the order of their items */
    size_t n, most;           /* parts; the highest count that is asked for */
    struct way *by_count;
    uint8_t *is_satisfied;
};

static void count_ways(struct counting *c)
{
    c->by_count = xcalloc(c->most + 1, sizeof *c->by_count);
    c->is_satisfied = xcalloc((c->most + 1) * (c->n + 1), 1);
    c->by_count[0] = c->start;
    c->by_count[0].items = NULL;
    for (size_t i = 0; i < c->n; i++) {
        /* From above, so that each is worked out from what was there before. */
        for (size_t j = i + 1 < c->most ? i + 1 : c->most;; j--) {
            struct way without = add(c->by_count[j], c->parts[i].dsat);
            struct way with = j > 0 ? add(c->by_count[j - 1], c->parts[i].sat) : impossible;
            c->is_satisfied[i * (c->most + 1) + j] = is_second_better(without, with);
            c->by_count[j] = choose(without, with);
            if (j == 0)
                break;
        }
    }
}

/* The way of a count, with its items. */
static struct way way_of_count(struct satisfying *s, const struct counting *c, size_t count)
{
    struct way out = c->by_count[count];
    if (!out.is_possible)
        return impossible;
    for (size_t i = c->n; i > 0; i--) {
        const struct ways *part = &c->parts[i - 1];
        bool is_satisfied = c->is_satisfied[(i - 1) * (c->most + 1) + count];
        out.items = join_items(s, is_satisfied ? part->sat.items : part->dsat.items, out.items);
        count -= is_satisfied;
    }
    out.items = join_items(s, c->start.items, out.items);
    return out;
}

static void counting_deinit(struct counting *c)
{
    xfree(c->by_count);
    xfree(c->is_satisfied);
}

/* -- Leaves ----------------------------------------------------------------------------------- */

static struct way signature(struct satisfying *s, uint32_t key)
{
    struct span sig = s->with->signature(s->with->ctx, key);
    if (!sig.p)
        return impossible;
    struct way way = of_item(s, sig);
    way.has_signature = true;
    return way;
}

static struct way known_key(struct satisfying *s, uint32_t key)
{
    struct span bytes = s->with->key(s->with->ctx, key);
    return bytes.p ? of_item(s, bytes) : impossible;
}

/* Ways to have 0 to k signatures of the keys. In multi_a() each key has an item, the last key's
 * first; in multi() only those that sign have one. */
static struct ways multi_ways(struct satisfying *s, const struct ms_node *node)
{
    bool is_a = node->fragment == MS_MULTI_A;
    size_t n = node->n_keys;
    struct ways *parts = arena_calloc(s->arena, n + 1, sizeof *parts);
    struct counting c = {.start = is_a ? empty : zero(s), .parts = parts, .n = n, .most = node->k};
    for (size_t i = 0; i < n; i++)
        parts[i] = (struct ways){.sat = signature(s, node->keys[is_a ? n - 1 - i : i]),
                                 .dsat = is_a ? zero(s) : empty};
    count_ways(&c);
    struct ways out = {.sat = way_of_count(s, &c, node->k), .dsat = way_of_count(s, &c, 0)};
    counting_deinit(&c);
    for (uint32_t i = 0; !is_a && i < node->k; i++)
        out.dsat = join(s, out.dsat, zero(s));
    return out;
}

static struct ways hash_ways(struct satisfying *s, const struct ms_node *node)
{
    static const uint8_t wrong[PREIMAGE_BYTES];
    struct span preimage = s->with->preimage(s->with->ctx, node->fragment, node->hash);
    /* Any other 32 bytes will do as well. */
    return (struct ways){.sat = preimage.p ? of_item(s, preimage) : impossible,
                         .dsat = overcomplete(of_item(s, span_of(wrong, sizeof wrong)))};
}

static struct ways leaf_ways(struct satisfying *s, const struct ms_node *node)
{
    enum ms_fragment fragment = node->fragment;
    if (fragment == MS_0 || fragment == MS_1)
        return (struct ways){.sat = fragment == MS_1 ? empty : impossible,
                             .dsat = fragment == MS_0 ? empty : impossible};
    if (fragment == MS_PK_K)
        return (struct ways){.sat = signature(s, node->keys[0]), .dsat = zero(s)};
    if (fragment == MS_PK_H) {
        struct way key = known_key(s, node->keys[0]);
        return (struct ways){.sat = join(s, signature(s, node->keys[0]), key),
                             .dsat = join(s, zero(s), key)};
    }
    if (fragment == MS_OLDER)
        return (struct ways){.sat = s->with->is_older(s->with->ctx, node->k) ? empty : impossible};
    if (fragment == MS_AFTER)
        return (struct ways){.sat = s->with->is_after(s->with->ctx, node->k) ? empty : impossible};
    if (fragment == MS_MULTI || fragment == MS_MULTI_A)
        return multi_ways(s, node);
    return hash_ways(s, node);
}

/* -- What is made of others ------------------------------------------------------------------- */

static struct ways wrapper_ways(struct satisfying *s, enum ms_fragment fragment, struct ways x)
{
    if (fragment == MS_WRAP_V)
        return (struct ways){.sat = x.sat};
    if (fragment == MS_WRAP_D)
        return (struct ways){.sat = join(s, x.sat, one(s)), .dsat = zero(s)};
    if (fragment == MS_WRAP_J) {
        struct ways out = {.sat = x.sat, .dsat = zero(s)};
        /* Whether X's own has a first item that is not empty is not known: it may be another. */
        out.dsat.is_malleable = x.dsat.is_possible && !x.dsat.has_signature;
        return out;
    }
    return x;
}

static struct ways and_ways(struct satisfying *s, enum ms_fragment fragment, struct ways x,
                            struct ways y)
{
    struct way both = join(s, y.sat, x.sat), first = join(s, y.dsat, x.sat);
    if (fragment == MS_AND_V)
        return (struct ways){.sat = both, .dsat = first};
    struct way neither = join(s, y.dsat, x.dsat), second = join(s, y.sat, x.dsat);
    return (struct ways){
        .sat = both, .dsat = choose(choose(neither, overcomplete(second)), overcomplete(first))};
}

static struct ways or_ways(struct satisfying *s, enum ms_fragment fragment, struct ways x,
                           struct ways z)
{
    if (fragment == MS_OR_I)
        return (struct ways){.sat = choose(join(s, x.sat, one(s)), join(s, z.sat, zero(s))),
                             .dsat = choose(join(s, x.dsat, one(s)), join(s, z.dsat, zero(s)))};
    struct way second = join(s, z.sat, x.dsat), neither = join(s, z.dsat, x.dsat);
    if (fragment == MS_OR_B)
        return (struct ways){.sat = choose(choose(join(s, z.dsat, x.sat), second),
                                           overcomplete(join(s, z.sat, x.sat))),
                             .dsat = neither};
    return (struct ways){.sat = choose(x.sat, second),
                         .dsat = fragment == MS_OR_D ? neither : impossible};
}

static struct ways thresh_ways(struct satisfying *s, const struct ms_node *node)
{
    size_t n = node->n_subs, best = 0;
    if (n > MS_STACK_MAX)
        return (struct ways){.sat = impossible, .dsat = impossible};
    struct ways *parts = arena_calloc(s->arena, n + 1, sizeof *parts);
    struct counting c = {.start = empty, .parts = parts, .n = n, .most = n};
    for (size_t i = 0; i < n; i++)
        parts[i] = s->ways[node->subs[n - 1 - i]];
    count_ways(&c);
    struct way dsat = c.by_count[0];
    for (size_t j = 1; j <= n; j++) {
        if (j == node->k)
            continue;
        best = is_second_better(dsat, overcomplete(c.by_count[j])) ? j : best;
        dsat = choose(dsat, overcomplete(c.by_count[j]));
    }
    struct ways out = {.sat = way_of_count(s, &c, node->k), .dsat = dsat};
    out.dsat.items = way_of_count(s, &c, best).items;
    counting_deinit(&c);
    return out;
}

static struct ways node_ways(struct satisfying *s, const struct ms_node *node)
{
    if (node->n_subs == 0)
        return leaf_ways(s, node);
    if (node->fragment == MS_THRESH)
        return thresh_ways(s, node);
    struct ways x = s->ways[node->subs[0]];
    if (node->n_subs == 1)
        return wrapper_ways(s, node->fragment, x);
    struct ways y = s->ways[node->subs[1]];
    if (node->fragment == MS_AND_V || node->fragment == MS_AND_B)
        return and_ways(s, node->fragment, x, y);
    if (node->n_subs == 2)
        return or_ways(s, node->fragment, x, y);
    struct ways z = s->ways[node->subs[2]];
    return (struct ways){.sat = choose(join(s, y.sat, x.sat), join(s, z.sat, x.dsat)),
                         .dsat = choose(join(s, y.dsat, x.sat), join(s, z.dsat, x.dsat))};
}

/* -- Items ------------------------------------------------------------------------------------ */

/* The items of a rope in their order. */
static void lay_out(const struct rope *rope, struct arena *arena, struct span **items, size_t *n)
{
    ARRAY(const struct rope *) stack = {0};
    ARRAY(struct span) found = {0};
    if (rope)
        *ARRAY_ADD(&stack) = rope;
    while (stack.n > 0) {
        const struct rope *top = stack.at[--stack.n];
        if (top->left) {
            *ARRAY_ADD(&stack) = top->right;
            *ARRAY_ADD(&stack) = top->left;
        } else {
            *ARRAY_ADD(&found) = top->item;
        }
    }
    *n = found.n;
    *items = arena_calloc(arena, found.n + 1, sizeof **items);
    if (found.n > 0)
        memcpy(*items, found.at, found.n * sizeof **items);
    ARRAY_FREE(&stack);
    ARRAY_FREE(&found);
}

bool ms_satisfy(const struct miniscript *ms, const struct ms_satisfier *satisfier,
                struct arena *arena, struct span **items, size_t *n_items)
{
    ASSERT(ms && ms->n > 0 && satisfier && items && n_items);
    struct satisfying s = {.with = satisfier, .arena = arena};
    s.ways = arena_calloc(arena, ms->n, sizeof *s.ways);
    for (uint32_t i = 0; i < ms->n; i++)
        s.ways[i] = node_ways(&s, &ms->nodes[i]);
    const struct way *best = &s.ways[ms->n - 1].sat;
    if (!best->is_possible || best->is_malleable || !best->has_signature)
        return false;
    lay_out(best->items, arena, items, n_items);
    return true;
}
