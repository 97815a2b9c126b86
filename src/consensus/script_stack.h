/* script_stack.h - the stack of the interpreter: borrowed bytes, small results inline, fixed slots.
 *
 * Layer: consensus. Used by the interpreter only.
 *
 * No opcode makes anything longer than a hash of 32 bytes: whatever is longer was pushed, so it
 * lies in a script or a witness that outlives the stack. Hence an item either borrows bytes or
 * holds up to 33 of its own, copying one costs 48 bytes at most, and pushing data copies none
 * of it.
 *
 *     items[0]  items[1] ...  items[n - 1]     hidden elements, if any, lie below items[0]
 *     bottom                  top, k = 1 */
#ifndef CONSENSUS_SCRIPT_STACK_H
#define CONSENSUS_SCRIPT_STACK_H

#include "consensus/script_num.h"
#include "util/assert.h"

#define SCRIPT_STACK_MAX 1000 /* main and alternative stack together, between two opcodes */

/* The limit is checked after an opcode, not before: OP_3DUP can stand on 1000 items. A segwit v0
 * witness can even start with more, if the first opcode takes enough of them away: up to 43 for
 * OP_CHECKMULTISIG, which leaves one. */
#define SCRIPT_STACK_SLOTS 1104

struct script_item {
    /* Truth, numbers and equality are all questions about the same bytes: an element has no
     * type. */
    const uint8_t *p; /* NULL: the bytes are own[] */
    uint32_t len;
    uint8_t own[36];
};

struct script_stack {
    struct script_item *items; /* SCRIPT_STACK_SLOTS of them, or NULL before the first use */
    uint32_t n;
    /* Items below items[0] that were never loaded: a v0 witness of more than SCRIPT_STACK_SLOTS
     * items fails after its first opcode, which cannot look deep enough to need them, unless
     * it asks for their number. So four million items need no memory. */
    uint32_t hidden;
};

/* Make an empty stack; allocates nothing. */
void script_stack_init(struct script_stack *stack);
/* Free the slots; the stack is empty and usable again. */
void script_stack_deinit(struct script_stack *stack);
/* Remove everything and make sure that there are slots. */
void script_stack_reset(struct script_stack *stack);

/* Push an uninitialised item with len 0; asserts that there is a slot left. */
static inline struct script_item *script_stack_grow(struct script_stack *stack)
{
    ASSERT(stack->n < SCRIPT_STACK_SLOTS);
    struct script_item *item = &stack->items[stack->n++];
    item->p = NULL;
    item->len = 0;
    return item;
}

/* Number of items, hidden ones included. */
static inline uint32_t script_stack_depth(const struct script_stack *stack)
{
    return stack->n + stack->hidden;
}

/* The item that lies k-th from the top; k = 1 is the top itself. It must exist and not be hidden.
 * Valid until the stack changes. */
static inline struct script_item *script_stack_top(const struct script_stack *stack, uint32_t k)
{
    ASSERT(k >= 1 && k <= stack->n);
    return &stack->items[stack->n - k];
}

/* The bytes of an item. Valid as long as the item stays where it is. */
static inline struct span script_item_span(const struct script_item *item)
{
    return span_of(item->p ? item->p : item->own, item->len);
}

/* The bytes of the k-th item from the top. */
static inline struct span script_stack_span(const struct script_stack *stack, uint32_t k)
{
    return script_item_span(script_stack_top(stack, k));
}

/* Remove k items from the top. A hidden one may be among them, see above. */
static inline void script_stack_pop(struct script_stack *stack, uint32_t k)
{
    uint32_t loaded = k < stack->n ? k : stack->n;
    stack->n -= loaded;
    ASSERT(k - loaded <= stack->hidden);
    stack->hidden -= k - loaded;
}

/* Push bytes that outlive the stack. */
static inline void script_stack_push_span(struct script_stack *stack, struct span s)
{
    struct script_item *item = script_stack_grow(stack);
    item->p = s.len ? s.p : NULL;
    item->len = (uint32_t)s.len;
}

/* Push a copy of at most 33 bytes. */
static inline void script_stack_push_copy(struct script_stack *stack, const void *p, size_t len)
{
    struct script_item *item = script_stack_grow(stack);
    ASSERT(len <= sizeof item->own);
    if (len)
        memcpy(item->own, p, len);
    item->len = (uint32_t)len;
}

/* Push a copy of an item, which may be one of this stack. */
static inline void script_stack_push_item(struct script_stack *stack,
                                          const struct script_item *from)
{
    struct script_item copy = *from;
    *script_stack_grow(stack) = copy;
}

/* Push a number in its shortest form. */
static inline void script_stack_push_num(struct script_stack *stack, int64_t value)
{
    struct script_item *item = script_stack_grow(stack);
    item->len = (uint32_t)script_num_encode(value, item->own);
}

/* Push a truth value: the number 1, or the empty string. */
static inline void script_stack_push_bool(struct script_stack *stack, bool value)
{
    struct script_item *item = script_stack_grow(stack);
    item->own[0] = 1;
    item->len = value;
}

/* Take the item k-th from the top out, moving those above it down by one. */
void script_stack_remove(struct script_stack *stack, uint32_t k);

/* Put a copy of the top item below the k items at the top (the top included). */
void script_stack_tuck(struct script_stack *stack, uint32_t k);

/* Exchange two items, counted from the top. */
void script_stack_swap(struct script_stack *stack, uint32_t j, uint32_t k);

#endif
