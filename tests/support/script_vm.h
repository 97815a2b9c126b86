/* script_vm.h - run scripts written as text on stacks written as text. */
#ifndef TESTS_SUPPORT_SCRIPT_VM_H
#define TESTS_SUPPORT_SCRIPT_VM_H

#include "consensus/script_internal.h"
#include "support/script_asm.h"

struct script_vm {
    struct script_scratch *scratch;
    struct asm_spend
        spend; /* the transaction that scripts see; change it, then asm_spend_finish() */
    struct script_check check;
    struct script_run run;
    struct buffer initial, script, expected;
};

void script_vm_init(struct script_vm *vm);
void script_vm_deinit(struct script_vm *vm);

/* Fill the stack by running initial, then run script under the given rules. */
enum script_error script_vm_run(struct script_vm *vm, enum script_version version, uint32_t flags,
                                const char *initial, const char *script);

/* The same with scripts as bytes. */
enum script_error script_vm_run_bytes(struct script_vm *vm, enum script_version version,
                                      uint32_t flags, struct span initial, struct span script);

/* True if the stack now is the one that running expected gives; prints the difference. */
bool script_vm_stack_is(struct script_vm *vm, const char *expected);

/* Rows leave out the fields at their end that are zero. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

/* One script, what it is run on and what it must give. */
struct script_vm_row {
    const char *initial, *script;
    enum script_error error;
    const char *expected; /* the stack afterwards if error is SCRIPT_OK; NULL: whatever */
    enum script_version version;
    uint32_t flags;
};

/* Run rows; fails the test at the first that does not hold. */
void assert_scripts(const struct script_vm_row *rows, size_t n);

#endif
