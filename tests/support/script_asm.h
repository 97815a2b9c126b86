/* script_asm.h - scripts and flags from the text of Core's test vectors, and the pair of
 * transactions that such a script is run in. */
#ifndef TESTS_SUPPORT_SCRIPT_ASM_H
#define TESTS_SUPPORT_SCRIPT_ASM_H

#include "consensus/script_verify.h"
#include "util/buffer.h"

/* Append a script: numbers, 0x-raw bytes, 'text' as a push, opcodes with or without OP_. Aborts
 * the test on anything else. */
void asm_script(struct buffer *out, const char *text);

/* Append the push of data, as CScript << does: never a number opcode. */
void asm_push(struct buffer *out, const void *p, size_t len);

/* Flags from "P2SH,WITNESS"; "" and "NONE" are no flags. */
uint32_t asm_flags(const char *text);

/* All flags there are. */
#define ASM_FLAGS_ALL ((UINT32_C(1) << 21) - 1)

/* Add the flags that those set need, or drop those whose needs are not set: CLEANSTACK needs
 * WITNESS needs P2SH. */
uint32_t asm_flags_fill(uint32_t flags);
uint32_t asm_flags_trim(uint32_t flags);

/* A transaction that creates one output, and one that spends it. */
struct asm_spend {
    struct arena arena;
    struct buffer script_sig, script_pubkey, witness;
    uint64_t n_witness;
    struct buffer witness_encoded;
    struct tx_in credit_in, in;
    struct tx_out credit_out, out;
    struct tx credit, tx;
    struct tx_sighash sighash;
};

/* Start with empty scripts; fill them with asm_script() and asm_witness(). */
void asm_spend_init(struct asm_spend *spend);
void asm_spend_deinit(struct asm_spend *spend);

/* Append an item to the witness. */
void asm_witness(struct asm_spend *spend, const void *p, size_t len);

/* Build both transactions from the scripts: version 1, lock time 0, sequence final, as Core's
 * script tests have it. Fields of spend->tx may then be changed and asm_spend_finish() called. */
void asm_spend_build(struct asm_spend *spend, int64_t value_sat);

/* Hash spend->tx again after a change to it. */
void asm_spend_finish(struct asm_spend *spend);

/* Verify, and check on the way that the fast paths agree with the interpreter. */
enum script_error asm_spend_verify(struct asm_spend *spend, uint32_t flags,
                                   struct script_scratch *scratch);

/* Verify by script_verify() and by the interpreter without fast paths; aborts the test if they
 * differ. */
enum script_error asm_verify_both(const struct script_check *check, struct script_scratch *scratch);

#endif
