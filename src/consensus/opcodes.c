/* opcodes.c - names of opcodes. */
#include "consensus/opcodes.h"

/* clang-format off */
static const char *const names[256] = {
#define X(name, value, string) [value] = string,
#include "consensus/opcodes.def"
#undef X
};
/* clang-format on */

const char *opcode_name(uint8_t opcode)
{
    return names[opcode] ? names[opcode] : "OP_UNKNOWN";
}
