/* script_iter.c - questions about a script that need no execution.
 *
 * All of them are exact: a script that means the same but is written in another way is another
 * script. So old nodes and new ones, which treat these forms apart, always agree on which ones they
 * are. */
#include "consensus/script_iter.h"

#include "util/assert.h"

/* The numbers -1 to 16 have opcodes of their own and count as pushes, with OP_RESERVED among
 * them. */
bool script_is_push_only(struct span script)
{
    struct script_iter it = script_iter_of(script);
    struct script_op op;
    while (script_next(&it, &op)) {
        if (op.opcode > OP_16)
            return false;
    }
    return !it.failed;
}

bool script_is_unspendable(struct span script)
{
    return script.len > SCRIPT_MAX_BYTES || (script.len > 0 && script.p[0] == OP_RETURN);
}

bool script_is_p2sh(struct span script)
{
    return script.len == 23 && script.p[0] == OP_HASH160 && script.p[1] == 20 &&
           script.p[22] == OP_EQUAL;
}

/* A version and one direct push, with room for a hash of 256 bits and some more; in any other
 * encoding it is an ordinary script. BIP-141, Witness program */
bool script_is_witness_program(struct span script, int *version, struct span *program)
{
    if (script.len < 4 || script.len > 42)
        return false;
    uint8_t first = script.p[0];
    if (first != OP_0 && (first < OP_1 || first > OP_16))
        return false;
    if ((size_t)script.p[1] + 2 != script.len)
        return false;
    *version = opcode_small_int(first);
    *program = span_of(script.p + 2, script.len - 2);
    return true;
}

/* The heights 1 to 16 are single opcodes: regtest chains begin with them. */
size_t script_push_number(uint8_t out[SCRIPT_NUM_PUSH_MAX], int64_t n)
{
    if (n == 0 || (n >= 1 && n <= 16)) {
        out[0] = opcode_of_small_int((int)n);
        return 1;
    }
    if (n == -1) {
        out[0] = OP_1NEGATE;
        return 1;
    }
    uint64_t magnitude = n < 0 ? (uint64_t)0 - (uint64_t)n : (uint64_t)n;
    size_t len = 0;
    for (; magnitude; magnitude >>= 8)
        out[1 + len++] = (uint8_t)magnitude;
    /* the sign lives in the top bit of the last byte: add a byte where that bit is taken */
    if (out[len] & 0x80)
        out[1 + len++] = 0;
    if (n < 0)
        out[len] |= 0x80;
    ASSERT(len <= 9);
    out[0] = (uint8_t)len;
    return 1 + len;
}
