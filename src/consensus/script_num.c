/* script_num.c - the numbers of script.
 *
 *     value   bytes       value   bytes
 *         0   (none)        127   7f
 *         1   01            128   8000
 *        16   10            255   ff00
 *        -1   81           -255   ff80
 *        -0   80          -128   8080 */
#include "consensus/script_num.h"

/* The last byte holds the sign. It may be without magnitude only if the byte before it needs its
 * own top bit, which would else be taken for the sign. */
static bool is_minimal(struct span in)
{
    if (in.len == 0 || (in.p[in.len - 1] & 0x7f) != 0)
        return true;
    return in.len > 1 && (in.p[in.len - 2] & 0x80) != 0;
}

/* Work on the magnitude as unsigned, and give it its sign last. */
bool script_num_decode(struct span in, size_t bytes_max, bool minimal, int64_t *value)
{
    ASSERT(bytes_max <= 8);
    if (in.len > bytes_max || (minimal && !is_minimal(in)))
        return false;

    uint64_t magnitude = 0;
    for (size_t i = 0; i < in.len; i++)
        magnitude |= (uint64_t)in.p[i] << (8 * i);

    bool negative = in.len > 0 && (in.p[in.len - 1] & 0x80) != 0;
    if (negative)
        magnitude &= ~(UINT64_C(0x80) << (8 * (in.len - 1)));
    ASSERT(magnitude <= INT64_MAX); /* so the negation below cannot overflow */
    *value = negative ? -(int64_t)magnitude : (int64_t)magnitude;
    return true;
}

size_t script_num_encode(int64_t value, uint8_t out[SCRIPT_NUM_ENCODED_MAX])
{
    if (value == 0)
        return 0;

    /* Negate as unsigned: the magnitude of INT64_MIN is no int64_t. */
    uint64_t magnitude = value < 0 ? UINT64_C(0) - (uint64_t)value : (uint64_t)value;
    size_t len = 0;
    for (; magnitude; magnitude >>= 8)
        out[len++] = (uint8_t)magnitude;

    /* The sign takes the top bit; if the magnitude has that, the sign gets a byte of its own. */
    if (out[len - 1] & 0x80)
        out[len++] = 0;
    if (value < 0)
        out[len - 1] |= 0x80;
    ASSERT(len <= SCRIPT_NUM_ENCODED_MAX);
    return len;
}

/* A zero byte that is not the last one says nothing yet: 0x0001 is true. */
bool script_is_true(struct span in)
{
    for (size_t i = 0; i < in.len; i++) {
        if (in.p[i] != 0)
            return i + 1 != in.len || in.p[i] != 0x80;
    }
    return false;
}
