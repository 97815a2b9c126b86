/* script_vm.c - run scripts written as text on stacks written as text. */
#include "support/script_vm.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/script_names.h"
#include "util/hex.h"

void script_vm_init(struct script_vm *vm)
{
    memset(vm, 0, sizeof *vm);
    vm->scratch = script_scratch_new();
    asm_spend_init(&vm->spend);
    asm_spend_build(&vm->spend, 1000);
    buffer_init(&vm->initial);
    buffer_init(&vm->script);
    buffer_init(&vm->expected);
    script_stack_reset(&vm->scratch->stack);
}

void script_vm_deinit(struct script_vm *vm)
{
    script_scratch_free(vm->scratch);
    asm_spend_deinit(&vm->spend);
    buffer_deinit(&vm->initial);
    buffer_deinit(&vm->script);
    buffer_deinit(&vm->expected);
}

static enum script_error run_one(struct script_vm *vm, enum script_version version, uint32_t flags,
                                 struct span script)
{
    vm->check = (struct script_check){.tx = &vm->spend.tx,
                                      .flags = flags,
                                      .spent = &vm->spend.credit_out,
                                      .sighash = &vm->spend.sighash};
    vm->run.check = &vm->check;
    vm->run.scratch = vm->scratch;
    vm->run.version = version;
    vm->run.budget = 100000;
    return script_run(&vm->run, script);
}

enum script_error script_vm_run_bytes(struct script_vm *vm, enum script_version version,
                                      uint32_t flags, struct span initial, struct span script)
{
    script_stack_reset(&vm->scratch->stack);
    sighash_cache_begin_input(&vm->scratch->sighash);
    /* Under tapscript, which has no limit of its own on the number of opcodes */
    enum script_error error = run_one(vm, SCRIPT_VERSION_TAPSCRIPT, 0, initial);
    if (error) {
        (void)fprintf(stderr, "script_vm: bad initial stack: %s\n", script_error_name(error));
        abort();
    }
    return run_one(vm, version, flags, script);
}

enum script_error script_vm_run(struct script_vm *vm, enum script_version version, uint32_t flags,
                                const char *initial, const char *script)
{
    vm->initial.len = vm->script.len = 0;
    asm_script(&vm->initial, initial);
    asm_script(&vm->script, script);
    return script_vm_run_bytes(vm, version, flags, buffer_span(&vm->initial),
                               buffer_span(&vm->script));
}

static void print_stack(const char *title, const struct script_stack *stack)
{
    char digits[2 * SCRIPT_PUSH_MAX + 1];
    (void)fprintf(stderr, "%s:", title);
    for (uint32_t k = stack->n; k > 0; k--)
        (void)fprintf(stderr, " [%s]", hex_encode(digits, script_stack_span(stack, k)));
    (void)fprintf(stderr, "\n");
}

bool script_vm_stack_is(struct script_vm *vm, const char *expected)
{
    struct script_stack have = vm->scratch->stack;
    script_stack_init(&vm->scratch->stack);
    script_stack_reset(&vm->scratch->stack);
    vm->expected.len = 0;
    asm_script(&vm->expected, expected);
    enum script_error error = run_one(vm, SCRIPT_VERSION_TAPSCRIPT, 0, buffer_span(&vm->expected));
    struct script_stack *want = &vm->scratch->stack;
    bool same = error == SCRIPT_OK && have.n == want->n;
    for (uint32_t k = 1; same && k <= have.n; k++)
        same = span_equal(script_stack_span(&have, k), script_stack_span(want, k));
    if (!same) {
        print_stack("have", &have);
        print_stack("want", want);
    }
    script_stack_deinit(want);
    vm->scratch->stack = have;
    return same;
}

void assert_scripts(const struct script_vm_row *rows, size_t n)
{
    struct script_vm vm;
    script_vm_init(&vm);
    for (size_t i = 0; i < n; i++) {
        const struct script_vm_row *row = &rows[i];
        enum script_error error =
            script_vm_run(&vm, row->version, row->flags, row->initial, row->script);
        if (error != row->error ||
            (!error && row->expected && !script_vm_stack_is(&vm, row->expected))) {
            (void)fprintf(stderr, "row %zu: (%s) %s: %s, wanted %s\n", i, row->initial, row->script,
                          script_error_name(error), script_error_name(row->error));
            abort();
        }
    }
    script_vm_deinit(&vm);
}
