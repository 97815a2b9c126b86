/* script_stack.c - the stack of the interpreter. */
#include "consensus/script_stack.h"

#include "util/alloc.h"

void script_stack_init(struct script_stack *stack)
{
    *stack = (struct script_stack){.items = NULL};
}

void script_stack_deinit(struct script_stack *stack)
{
    xfree(stack->items);
    script_stack_init(stack);
}

void script_stack_reset(struct script_stack *stack)
{
    if (!stack->items)
        stack->items = xmalloc(SCRIPT_STACK_SLOTS * sizeof *stack->items);
    stack->n = 0;
    stack->hidden = 0;
}

/* Items that hold their own bytes move with them: nothing points into an item. */
void script_stack_remove(struct script_stack *stack, uint32_t k)
{
    struct script_item *item = script_stack_top(stack, k);
    memmove(item, item + 1, (k - 1) * sizeof *item);
    stack->n--;
}

void script_stack_tuck(struct script_stack *stack, uint32_t k)
{
    struct script_item copy = *script_stack_top(stack, 1);
    (void)script_stack_grow(stack);
    struct script_item *slot = script_stack_top(stack, k + 1);
    memmove(slot + 1, slot, k * sizeof *slot);
    *slot = copy;
}

void script_stack_swap(struct script_stack *stack, uint32_t j, uint32_t k)
{
    struct script_item *a = script_stack_top(stack, j), *b = script_stack_top(stack, k);
    struct script_item copy = *a;
    *a = *b;
    *b = copy;
}
