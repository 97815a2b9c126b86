/* script_iter.h - walk a script, one opcode at a time.
 *
 * Layer: consensus. The one place that knows how pushes are encoded. Shared by the interpreter,
 * the sigop counters and the recognition of output types.
 *
 *     byte       then                  pushes
 *     00                               nothing, the empty string
 *     01 - 4b    the data              so many bytes
 *     4c         length in 1, data     up to 255 bytes
 *     4d         length in 2, data     up to 65,535 bytes
 *     4e         length in 4, data     more than anything allows
 *
 * A longer form may be used for shorter data: it means the same, hence the rule of the shortest. */
#ifndef CONSENSUS_SCRIPT_ITER_H
#define CONSENSUS_SCRIPT_ITER_H

#include <stdbool.h>

#include "consensus/opcodes.h"
#include "util/span.h"

#define SCRIPT_MAX_BYTES   10000 /* longer scripts fail; an output longer than it is unspendable */
#define SCRIPT_PUSH_MAX    520 /* bytes of one stack element, outside of tapscript's first stack */
#define SCRIPT_PUBKEYS_MAX 20  /* of OP_CHECKMULTISIG */

struct script_iter {
    const uint8_t *at;
    const uint8_t *end;
    bool failed; /* a push reaches past the end of the script */
};

struct script_op {
    uint8_t opcode;
    struct span push; /* what opcodes up to OP_PUSHDATA4 push; else empty */
};

/* An empty script may have no memory: then start and end are the same null pointer. */
static inline struct script_iter script_iter_of(struct span script)
{
    return (struct script_iter){.at = script.p, .end = script.p ? script.p + script.len : script.p};
}

/* Take the next opcode and its push data.
 * In:       it      borrows the script
 * Returns:  false at the end, and with it->failed set where a push is cut short; then
 *           op->opcode is OP_INVALIDOPCODE (Core: GetScriptOp()) and it->at does not move */
static inline bool script_next(struct script_iter *it, struct script_op *op)
{
    *op = (struct script_op){.opcode = OP_INVALIDOPCODE};
    size_t left = (size_t)(it->end - it->at);
    if (left == 0 || it->failed)
        return false;

    uint8_t opcode = it->at[0];
    size_t prefix = 1;
    uint32_t len = 0;
    if (opcode < OP_PUSHDATA1) {
        len = opcode;
    } else if (opcode <= OP_PUSHDATA4) {
        /* 1, 2 or 4 bytes of length, in all 32 bits: never truncated to 16 */
        size_t width = (size_t)1 << (opcode - OP_PUSHDATA1);
        prefix += width;
        if (left < prefix) {
            it->failed = true;
            return false;
        }
        for (size_t i = 0; i < width; i++)
            len |= (uint32_t)it->at[1 + i] << (8 * i);
    }
    if (len > left - prefix) {
        it->failed = true;
        return false;
    }
    *op = (struct script_op){.opcode = opcode, .push = span_of(it->at + prefix, len)};
    it->at += prefix + len;
    return true;
}

/* True if script consists of pushes only, none cut short (OP_RESERVED counts as a push, as in
 * Core: IsPushOnly()). The scriptSig of a P2SH input has to be so: BIP-16, Specification */
bool script_is_push_only(struct span script);

/* True if an output with this script can never be spent: it starts with OP_RETURN or is longer than
 * SCRIPT_MAX_BYTES. Such outputs never enter the set of coins. A script of that length would fail
 * when run, so its output may be forgotten at once. */
bool script_is_unspendable(struct span script);

/* True for the P2SH template OP_HASH160 <20 bytes> OP_EQUAL, in exactly this encoding. Anything
 * that looks a little different is an ordinary script, and means just the comparison. BIP-16,
 * Specification */
bool script_is_p2sh(struct span script);

/* True for a witness program: OP_0 or OP_1 to OP_16, then one direct push of 2 to 40 bytes.
 * Out:      version  0 to 16; program  borrows script. BIP-141, Witness program */
bool script_is_witness_program(struct span script, int *version, struct span *program);

/* Room for the longest script number push: the length byte and nine bytes. */
#define SCRIPT_NUM_PUSH_MAX 10

/* Encode the push of a number as the shortest script does (OP_0, OP_1NEGATE, OP_1 to OP_16, or a
 * push of the little-endian number with its sign bit). A block's height in its coinbase is
 * encoded so: BIP-34, Specification.
 * Returns:  bytes written to out */
size_t script_push_number(uint8_t out[SCRIPT_NUM_PUSH_MAX], int64_t n);

#endif
