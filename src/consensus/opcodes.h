/* opcodes.h - the opcodes of scripts and their names.
 *
 * Layer: consensus. One list, opcodes.def, in order of the value.
 *
 *     00              pushes the empty string       4f, 51 - 60     push -1, 1 to 16
 *     01 - 4b         push as many bytes            61 - b9         do something, or did
 *     4c, 4d, 4e      push what a length says       ba              only in tapscript */
#ifndef CONSENSUS_OPCODES_H
#define CONSENSUS_OPCODES_H

#include <stdint.h>

enum opcode {
#define X(name, value, string) OP_##name = value,
#include "consensus/opcodes.def"
#undef X
    OP_NOP2 = OP_CHECKLOCKTIMEVERIFY, /* before BIP65 */
    OP_NOP3 = OP_CHECKSEQUENCEVERIFY, /* before BIP112 */
};

/* The number n that OP_n pushes, for OP_0 and OP_1 to OP_16 (callers check the range). */
static inline int opcode_small_int(uint8_t opcode)
{
    return opcode == OP_0 ? 0 : opcode - (OP_1 - 1);
}

/* The opcode that pushes the number n, 0 to 16. */
static inline uint8_t opcode_of_small_int(int n)
{
    return (uint8_t)(n == 0 ? OP_0 : OP_1 - 1 + n);
}

/* Name of an opcode as decoded scripts show it ("OP_DUP", "-1", "16"); "OP_UNKNOWN" if it has
 * none (Core: GetOpName()). */
const char *opcode_name(uint8_t opcode);

#endif
