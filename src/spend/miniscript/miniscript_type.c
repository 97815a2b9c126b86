/* miniscript_type.c - what may stand where, and what follows for the whole: BIP379's tables. */
#include "consensus/tx_verify.h"
#include "spend/miniscript/miniscript_internal.h"

static uint32_t when(bool condition, uint32_t bits)
{
    return condition ? bits : 0;
}

static bool has(uint32_t type, uint32_t bits)
{
    return (type & bits) == bits;
}

/* Locks of both, and whether both can hold in one transaction.
 * BIP-379, Timelock Type Mixing */
static uint32_t locks_together(uint32_t x, uint32_t y)
{
    bool mixes = (has(x, MS_g) && has(y, MS_h)) || (has(x, MS_h) && has(y, MS_g)) ||
                 (has(x, MS_i) && has(y, MS_j)) || (has(x, MS_j) && has(y, MS_i));
    return ((x | y) & MS_LOCKS) | when(!mixes && has(x & y, MS_k), MS_k);
}

/* Locks of either: one is enough. */
static uint32_t locks_apart(uint32_t x, uint32_t y)
{
    return ((x | y) & MS_LOCKS) | (x & y & MS_k);
}

static uint32_t one_arg(uint32_t x, uint32_t y)
{
    return when((has(x, MS_o) && has(y, MS_z)) || (has(x, MS_z) && has(y, MS_o)), MS_o);
}

/* -- Leaves ----------------------------------------------------------------------------------- */

static uint32_t type_of_lock(const struct ms_node *node)
{
    uint32_t type = MS_B | MS_z | MS_f | MS_m | MS_x | MS_k;
    if (node->fragment == MS_OLDER)
        /* BIP-68, Specification: this bit says that the rest counts time. */
        return type | (node->k & (UINT32_C(1) << 22) ? MS_g : MS_h);
    return type | (node->k >= LOCK_TIME_THRESHOLD ? MS_i : MS_j);
}

static uint32_t type_of_leaf(const struct ms_node *node)
{
    const uint32_t by_signature = MS_u | MS_d | MS_e | MS_m | MS_s | MS_k;
    enum ms_fragment fragment = node->fragment;
    if (fragment == MS_0)
        return MS_B | MS_z | MS_x | by_signature;
    if (fragment == MS_1)
        return MS_B | MS_z | MS_u | MS_f | MS_m | MS_x | MS_k;
    if (fragment == MS_PK_K)
        return MS_K | MS_o | MS_n | MS_x | by_signature;
    if (fragment == MS_PK_H)
        return MS_K | MS_n | MS_x | by_signature;
    if (fragment == MS_OLDER || fragment == MS_AFTER)
        return type_of_lock(node);
    if (fragment == MS_MULTI)
        return MS_B | MS_n | by_signature;
    if (fragment == MS_MULTI_A)
        return MS_B | by_signature;
    return MS_B | MS_o | MS_n | MS_u | MS_d | MS_m | MS_k; /* hashes */
}

/* -- Wrappers --------------------------------------------------------------------------------- */

/* d:X and j:X have one dissatisfaction of their own. */
static uint32_t type_of_if(enum ms_context context, enum ms_fragment fragment, uint32_t x)
{
    const uint32_t common =
        MS_B | MS_n | MS_d | MS_x | when(has(x, MS_f), MS_e) | (x & (MS_m | MS_s));
    if (fragment == MS_WRAP_J)
        return when(has(x, MS_B | MS_n), common | (x & (MS_o | MS_u)));
    /* In P2WSH whatever is not empty is true to IF but for policy, so what is duplicated need not
     * be the number 1. BIP-342, Script execution */
    return when(has(x, MS_V | MS_z), common | MS_o | when(context == MS_TAPSCRIPT, MS_u));
}

static uint32_t type_of_wrapper(enum ms_context context, enum ms_fragment fragment, uint32_t x)
{
    const uint32_t locks = x & (MS_LOCKS | MS_k), malleability = x & (MS_f | MS_e | MS_m | MS_s),
                   args = x & (MS_z | MS_o | MS_n);
    uint32_t type;
    if (fragment == MS_WRAP_A)
        type = when(has(x, MS_B), MS_W | MS_x | (x & (MS_u | MS_d)) | malleability);
    else if (fragment == MS_WRAP_S)
        type = when(has(x, MS_B | MS_o), MS_W | (x & (MS_u | MS_d | MS_x)) | malleability);
    else if (fragment == MS_WRAP_C)
        type = when(has(x, MS_K),
                    MS_B | MS_u | MS_s | (x & (MS_o | MS_n | MS_d | MS_f | MS_e | MS_m)));
    else if (fragment == MS_WRAP_V)
        type = when(has(x, MS_B), MS_V | MS_f | MS_x | args | (x & (MS_m | MS_s)));
    else if (fragment == MS_WRAP_N)
        type = when(has(x, MS_B), MS_B | MS_u | MS_x | args | (x & MS_d) | malleability);
    else
        type = type_of_if(context, fragment, x);
    return when(type != 0, type | locks);
}

/* -- Connectives ------------------------------------------------------------------------------ */

static uint32_t type_of_and_v(uint32_t x, uint32_t y)
{
    uint32_t basic = y & (MS_K | MS_V | MS_B);
    return when(has(x, MS_V) && basic, basic | one_arg(x, y) | (x & MS_n) |
                                           when(has(x, MS_z), y & MS_n) | (x & y & (MS_m | MS_z)) |
                                           ((x | y) & MS_s) |
                                           when(has(y, MS_f) || has(x, MS_s), MS_f) |
                                           (y & (MS_u | MS_x)) | locks_together(x, y));
}

static uint32_t type_of_and_b(uint32_t x, uint32_t y)
{
    bool is_forced = has(x & y, MS_f) || has(x, MS_s | MS_f) || has(y, MS_s | MS_f);
    return when(has(x, MS_B) && has(y, MS_W),
                MS_B | MS_u | MS_x | one_arg(x, y) | (x & MS_n) | when(has(x, MS_z), y & MS_n) |
                    when(has(x & y, MS_e | MS_s), MS_e) | (x & y & (MS_d | MS_z | MS_m)) |
                    when(is_forced, MS_f) | ((x | y) & MS_s) | locks_together(x, y));
}

static uint32_t type_of_or_b(uint32_t x, uint32_t z)
{
    return when(has(x, MS_B | MS_d) && has(z, MS_W | MS_d),
                MS_B | MS_d | MS_u | MS_x | one_arg(x, z) | (x & z & (MS_z | MS_s | MS_e)) |
                    when(has(x & z, MS_m | MS_e) && has(x | z, MS_s), MS_m) | locks_apart(x, z));
}

/* or_c and or_d: z is tried where x was not satisfied. */
static uint32_t or_else(uint32_t x, uint32_t z)
{
    return when(has(x, MS_o) && has(z, MS_z), MS_o) | (x & z & (MS_z | MS_s)) |
           when(has(x & z, MS_m) && has(x, MS_e) && has(x | z, MS_s), MS_m) | MS_x |
           locks_apart(x, z);
}

static uint32_t type_of_or_i(uint32_t x, uint32_t z)
{
    uint32_t basic = x & z & (MS_V | MS_B | MS_K);
    bool is_expressive = (has(x, MS_e) && has(z, MS_f)) || (has(x, MS_f) && has(z, MS_e));
    return when(basic, basic | (x & z & (MS_u | MS_f | MS_s)) | when(has(x & z, MS_z), MS_o) |
                           ((x | z) & MS_d) | when(is_expressive, MS_e) | MS_x |
                           when(has(x & z, MS_m) && has(x | z, MS_s), MS_m) | locks_apart(x, z));
}

static uint32_t type_of_andor(uint32_t x, uint32_t y, uint32_t z)
{
    uint32_t basic = y & z & (MS_B | MS_K | MS_V);
    bool is_one = (has(x, MS_o) && has(y & z, MS_z)) || (has(x, MS_z) && has(y & z, MS_o));
    bool is_held = has(x, MS_s) || has(y, MS_f); /* x holds and y does not: nobody else can do it */
    bool is_fixed = has(x & y & z, MS_m) && has(x, MS_e) && has(x | y | z, MS_s);
    uint32_t locks = locks_together(x, y);
    return when(has(x, MS_B | MS_d | MS_u) && basic,
                basic | (x & y & z & MS_z) | when(is_one, MS_o) | (y & z & MS_u) | (z & MS_d) |
                    when(is_held, z & (MS_f | MS_e)) |
                    when(has(z, MS_s) && has(x | y, MS_s), MS_s) | when(is_fixed, MS_m) | MS_x |
                    locks_apart(locks, z));
}

static uint32_t type_of_thresh(const struct ms_node *nodes, const struct ms_node *node)
{
    uint32_t all = UINT32_MAX, locks = MS_k, n_signed = 0, n_one = 0, n_zero = 0;
    for (uint32_t i = 0; i < node->n_subs; i++) {
        uint32_t type = nodes[node->subs[i]].type;
        if (!has(type, (i > 0 ? MS_W : MS_B) | MS_d | MS_u))
            return 0;
        all &= type;
        n_signed += has(type, MS_s);
        n_one += has(type, MS_o);
        n_zero += has(type, MS_z);
        locks = node->k > 1 ? locks_together(locks, type) : locks_apart(locks, type);
    }
    uint32_t n = node->n_subs;
    return MS_B | MS_d | MS_u | locks | when(n_zero == n, MS_z) |
           when(n_one == 1 && n_zero == n - 1, MS_o) | when(n_signed == n && has(all, MS_e), MS_e) |
           when(has(all, MS_e | MS_m) && n_signed + node->k >= n, MS_m) |
           when(n_signed + node->k >= n + 1, MS_s);
}

static uint32_t type_of_two(enum ms_fragment fragment, uint32_t x, uint32_t y)
{
    if (fragment == MS_AND_V)
        return type_of_and_v(x, y);
    if (fragment == MS_AND_B)
        return type_of_and_b(x, y);
    if (fragment == MS_OR_B)
        return type_of_or_b(x, y);
    if (fragment == MS_OR_I)
        return type_of_or_i(x, y);
    bool is_tried = has(x, MS_B | MS_d | MS_u);
    if (fragment == MS_OR_C)
        return when(is_tried && has(y, MS_V), MS_V | MS_f | or_else(x, y));
    return when(is_tried && has(y, MS_B),
                MS_B | (y & (MS_u | MS_f | MS_d | MS_e)) | or_else(x, y)); /* or_d */
}

uint32_t ms_type_of(enum ms_context context, const struct ms_node *nodes,
                    const struct ms_node *node)
{
    ASSERT(node && (nodes || node->n_subs == 0));
    for (uint32_t i = 0; i < node->n_subs; i++) {
        if (nodes[node->subs[i]].type == 0)
            return 0;
    }
    if (node->n_subs == 0)
        return type_of_leaf(node);
    if (node->fragment == MS_THRESH)
        return type_of_thresh(nodes, node);
    uint32_t x = nodes[node->subs[0]].type;
    if (node->n_subs == 1)
        return type_of_wrapper(context, node->fragment, x);
    uint32_t y = nodes[node->subs[1]].type;
    if (node->n_subs == 2)
        return type_of_two(node->fragment, x, y);
    return type_of_andor(x, y, nodes[node->subs[2]].type);
}
