/* miniscript_infer.c - the expression of a script, found from its end.
 *
 * What a fragment's script ends with tells which it is, and what is expected before it; that goes
 * on a stack. An opcode that verifies as well counts as two. BIP-379, Translation Table */
#include "consensus/script_iter.h"
#include "consensus/script_num.h"
#include "spend/miniscript/miniscript_internal.h"

enum { HASH_TOKENS = 7, KEY_HASH_TOKENS = 5, PREIMAGE_BYTES = 32, MULTI_KEYS_MAX = 20 };

/* An opcode, without what it verifies; or what is pushed. */
struct token {
    uint8_t opcode;
    struct span push;
};

/* What has to be found, or to be made of what was found. */
enum state {
    FIND_SINGLE, /* an expression that is no and_v() */
    FIND_ANY,    /* one that may be */
    FIND_W,      /* a: or s: of one */
    MAYBE_AND_V, /* one was found: does another stand before it? */
    FIND_SWAP,   /* what s: begins with */
    FIND_ALT,    /* what a: begins with */
    FIND_IF,     /* what ENDIF ends, with one part found */
    FIND_ELSE,   /* two parts were found */
    FIND_THRESH, /* n parts of thresh() were found */
    MAKE,        /* a node of the last parts found */
};

struct goal {
    enum state state;
    enum ms_fragment make;
    uint32_t n, k;
};

struct inferring {
    const struct ms_keys *keys;
    struct ms_builder builder;
    const struct token *tokens;
    size_t left; /* tokens not taken; the last is next */
    ARRAY(struct goal) goals;
    ARRAY(uint32_t) found; /* nodes, the last one stands first in the script */
};

/* -- Tokens ----------------------------------------------------------------------------------- */

/* The opcode that one that verifies does first; else 0. */
static uint8_t without_verify(uint8_t opcode)
{
    switch (opcode) {
    case OP_CHECKSIGVERIFY:
    case OP_CHECKMULTISIGVERIFY:
    case OP_EQUALVERIFY:
    case OP_NUMEQUALVERIFY:
        return (uint8_t)(opcode - 1);
    default:
        return 0;
    }
}

/* Could this opcode have taken the VERIFY behind it into itself? */
static bool takes_verify(uint8_t opcode)
{
    return without_verify((uint8_t)(opcode + 1)) == opcode;
}

/* Is data pushed in the only way that scripts of expressions have? */
static bool is_minimal(const struct script_op *op)
{
    uint8_t want = op->push.len <= 75    ? (uint8_t)op->push.len
                   : op->push.len <= 255 ? OP_PUSHDATA1
                                         : OP_PUSHDATA2;
    if (op->push.len == 1 && (op->push.p[0] == 0x81 || (op->push.p[0] >= 1 && op->push.p[0] <= 16)))
        return false;
    return op->opcode == want;
}

static bool split(struct span script, struct arena *arena, struct token **out, size_t *n_out)
{
    struct script_iter it = script_iter_of(script);
    struct script_op op;
    struct token *tokens = arena_calloc(arena, 2 * script.len + 1, sizeof *tokens);
    size_t n = 0;
    while (script_next(&it, &op)) {
        uint8_t verified = without_verify(op.opcode);
        if (op.opcode <= OP_PUSHDATA4 && !is_minimal(&op))
            return false;
        if (op.opcode == OP_VERIFY && n > 0 && takes_verify(tokens[n - 1].opcode))
            return false;
        if (verified) {
            tokens[n++] = (struct token){.opcode = verified};
            tokens[n++] = (struct token){.opcode = OP_VERIFY};
        } else {
            tokens[n++] = (struct token){.opcode = op.opcode, .push = op.push};
        }
    }
    *out = tokens;
    *n_out = n;
    return !it.failed;
}

/* The token `at` places before the next end. NULL before the script. */
static const struct token *peek(const struct inferring *in, size_t at)
{
    return at < in->left ? &in->tokens[in->left - 1 - at] : NULL;
}

static bool is_op(const struct inferring *in, size_t at, uint8_t opcode)
{
    const struct token *token = peek(in, at);
    return token && token->opcode == opcode && (token->push.len == 0 || opcode == OP_0);
}

static bool take_op(struct inferring *in, uint8_t opcode)
{
    if (!is_op(in, 0, opcode))
        return false;
    in->left--;
    return true;
}

/* A push of len bytes there. */
static bool is_push(const struct inferring *in, size_t at, size_t len, struct span *push)
{
    const struct token *token = peek(in, at);
    if (!token || token->opcode == 0 || token->opcode > OP_PUSHDATA4 || token->push.len != len)
        return false;
    *push = token->push;
    return true;
}

/* A number there, in its shortest form. */
static bool is_number(const struct inferring *in, size_t at, int64_t *number)
{
    const struct token *token = peek(in, at);
    if (!token)
        return false;
    if (token->opcode == OP_0 || (token->opcode >= OP_1 && token->opcode <= OP_16)) {
        *number = opcode_small_int(token->opcode);
        return true;
    }
    return token->opcode < OP_PUSHDATA1 &&
           script_num_decode(token->push, SCRIPT_NUM_BYTES_MAX, true, number);
}

/* -- Goals ------------------------------------------------------------------------------------ */

static void want(struct inferring *in, enum state state)
{
    *ARRAY_ADD(&in->goals) = (struct goal){.state = state};
}

/* Later, make a node of the n nodes found last. */
static void want_node(struct inferring *in, enum ms_fragment fragment, uint32_t n)
{
    *ARRAY_ADD(&in->goals) = (struct goal){.state = MAKE, .make = fragment, .n = n};
}

static bool find_leaf(struct inferring *in, struct ms_node node, size_t n_tokens)
{
    ASSERT(n_tokens <= in->left);
    in->left -= n_tokens;
    *ARRAY_ADD(&in->found) = ms_builder_add(&in->builder, node, NULL, 0);
    return true;
}

static bool make_node(struct inferring *in, const struct goal *goal)
{
    if (in->found.n < goal->n)
        return false;
    uint32_t *parts = arena_calloc(in->builder.arena, goal->n, sizeof *parts);
    /* What was found last stands first; of andor() the second part of the script is the third. */
    for (uint32_t i = 0; i < goal->n; i++)
        parts[i] = in->found.at[in->found.n - 1 - i];
    if (goal->make == MS_ANDOR) {
        uint32_t third = parts[1];
        parts[1] = parts[2];
        parts[2] = third;
    }
    in->found.n -= goal->n;
    struct ms_node node = {.fragment = goal->make, .k = goal->k};
    *ARRAY_ADD(&in->found) = ms_builder_add(&in->builder, node, parts, goal->n);
    return true;
}

/* -- Leaves ----------------------------------------------------------------------------------- */

static size_t key_len(const struct inferring *in)
{
    return in->builder.context == MS_P2WSH ? 33 : 32;
}

static bool find_key(struct inferring *in, struct span bytes, uint32_t **keys, size_t n)
{
    return in->keys->of_bytes(in->keys->ctx, bytes, &(*keys)[n]);
}

static bool find_key_hash(struct inferring *in)
{
    struct span hash;
    uint32_t *key = arena_calloc(in->builder.arena, 1, sizeof *key);
    if (!is_op(in, 0, OP_VERIFY) || !is_op(in, 1, OP_EQUAL) || !is_push(in, 2, 20, &hash) ||
        !is_op(in, 3, OP_HASH160) || !is_op(in, 4, OP_DUP) ||
        !in->keys->of_hash(in->keys->ctx, hash, key))
        return false;
    return find_leaf(in, (struct ms_node){.fragment = MS_PK_H, .n_keys = 1, .keys = key},
                     KEY_HASH_TOKENS);
}

static bool find_hash(struct inferring *in)
{
    /* clang-format off */
    static const struct { uint8_t opcode, len; enum ms_fragment fragment; } kinds[] = {
        {OP_SHA256, 32, MS_SHA256}, {OP_HASH256, 32, MS_HASH256},
        {OP_RIPEMD160, 20, MS_RIPEMD160}, {OP_HASH160, 20, MS_HASH160},
    };
    /* clang-format on */
    int64_t number;
    struct ms_node node = {0};
    if (!is_op(in, 0, OP_EQUAL) || !is_op(in, 3, OP_VERIFY) || !is_op(in, 4, OP_EQUAL) ||
        !is_number(in, 5, &number) || number != PREIMAGE_BYTES || !is_op(in, 6, OP_SIZE))
        return false;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (!is_op(in, 2, kinds[i].opcode) || !is_push(in, 1, kinds[i].len, &node.hash))
            continue;
        node.fragment = kinds[i].fragment;
        return find_leaf(in, node, HASH_TOKENS);
    }
    return false;
}

static bool find_lock(struct inferring *in)
{
    int64_t number;
    bool is_older = is_op(in, 0, OP_CHECKSEQUENCEVERIFY);
    if ((!is_older && !is_op(in, 0, OP_CHECKLOCKTIMEVERIFY)) || !is_number(in, 1, &number) ||
        number < 1 || number > INT32_MAX)
        return false;
    struct ms_node node = {.fragment = is_older ? MS_OLDER : MS_AFTER, .k = (uint32_t)number};
    return find_leaf(in, node, 2);
}

static bool find_multi(struct inferring *in)
{
    int64_t n, k;
    struct span key;
    if (in->builder.context != MS_P2WSH || !is_op(in, 0, OP_CHECKMULTISIG) ||
        !is_number(in, 1, &n) || n < 1 || n > MULTI_KEYS_MAX || !is_number(in, (size_t)n + 2, &k) ||
        k < 1 || k > n)
        return false;
    uint32_t *keys = arena_calloc(in->builder.arena, (size_t)n, sizeof *keys);
    for (size_t i = 0; i < (size_t)n; i++) {
        if (!is_push(in, (size_t)n + 1 - i, key_len(in), &key) || !find_key(in, key, &keys, i))
            return false;
    }
    struct ms_node node = {
        .fragment = MS_MULTI, .k = (uint32_t)k, .n_keys = (uint32_t)n, .keys = keys};
    return find_leaf(in, node, (size_t)n + 3);
}

static bool find_multi_a(struct inferring *in)
{
    int64_t k;
    struct span key;
    size_t n = 0;
    if (in->builder.context != MS_TAPSCRIPT || !is_op(in, 0, OP_NUMEQUAL) ||
        !is_number(in, 1, &k) || k < 1)
        return false;
    while (n < MS_KEYS_MAX && is_op(in, 2 + 2 * n, OP_CHECKSIGADD))
        n++;
    if (!is_op(in, 2 + 2 * n, OP_CHECKSIG) || ++n > MS_KEYS_MAX || k > (int64_t)n)
        return false;
    uint32_t *keys = arena_calloc(in->builder.arena, n, sizeof *keys);
    for (size_t i = 0; i < n; i++) {
        if (!is_push(in, 2 * n + 1 - 2 * i, key_len(in), &key) || !find_key(in, key, &keys, i))
            return false;
    }
    struct ms_node node = {
        .fragment = MS_MULTI_A, .k = (uint32_t)k, .n_keys = (uint32_t)n, .keys = keys};
    return find_leaf(in, node, 2 + 2 * n);
}

static bool find_any_leaf(struct inferring *in)
{
    struct span key;
    if (is_op(in, 0, OP_0) || is_op(in, 0, OP_1))
        return find_leaf(in, (struct ms_node){.fragment = is_op(in, 0, OP_1) ? MS_1 : MS_0}, 1);
    if (is_push(in, 0, key_len(in), &key)) {
        uint32_t *number = arena_calloc(in->builder.arena, 1, sizeof *number);
        return find_key(in, key, &number, 0) &&
               find_leaf(in, (struct ms_node){.fragment = MS_PK_K, .n_keys = 1, .keys = number}, 1);
    }
    return find_key_hash(in) || find_lock(in) || find_hash(in) || find_multi(in) ||
           find_multi_a(in);
}

/* -- Steps ------------------------------------------------------------------------------------ */

/* What the next opcode closes, if it is no leaf's. */
static bool find_composed(struct inferring *in)
{
    /* clang-format off */
    static const struct { uint8_t opcode; enum ms_fragment fragment; uint32_t n; } ends[] = {
        {OP_CHECKSIG,  MS_WRAP_C, 1}, {OP_VERIFY,  MS_WRAP_V, 1}, {OP_0NOTEQUAL, MS_WRAP_N, 1},
        {OP_BOOLAND,   MS_AND_B,  2}, {OP_BOOLOR,  MS_OR_B,   2},
    };
    /* clang-format on */
    int64_t k;
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        if (!take_op(in, ends[i].opcode))
            continue;
        want_node(in, ends[i].fragment, ends[i].n);
        want(in, FIND_SINGLE);
        if (ends[i].n == 2)
            want(in, FIND_W);
        return true;
    }
    if (is_op(in, 0, OP_EQUAL) && is_number(in, 1, &k) && k >= 1 && k <= MS_THRESH_MAX) {
        in->left -= 2;
        *ARRAY_ADD(&in->goals) = (struct goal){.state = FIND_THRESH, .k = (uint32_t)k};
        return true;
    }
    if (!take_op(in, OP_ENDIF))
        return false;
    want(in, FIND_IF);
    want(in, FIND_ANY);
    return true;
}

static bool find_w(struct inferring *in)
{
    bool is_alt = take_op(in, OP_FROMALTSTACK);
    want(in, is_alt ? FIND_ALT : FIND_SWAP);
    want(in, FIND_ANY);
    return true;
}

static bool maybe_and_v(struct inferring *in)
{
    static const uint8_t ends[] = {OP_IF, OP_ELSE, OP_NOTIF, OP_TOALTSTACK, OP_SWAP};
    for (size_t i = 0; i < sizeof ends; i++) {
        if (is_op(in, 0, ends[i]))
            return true;
    }
    if (in->left == 0)
        return true;
    want_node(in, MS_AND_V, 2);
    want(in, FIND_ANY);
    return true;
}

/* Before the only part of what ENDIF ends so far. */
static bool find_if(struct inferring *in)
{
    if (take_op(in, OP_ELSE)) {
        want(in, FIND_ELSE);
        want(in, FIND_ANY);
        return true;
    }
    if (take_op(in, OP_NOTIF)) {
        bool is_or_d = take_op(in, OP_IFDUP);
        want_node(in, is_or_d ? MS_OR_D : MS_OR_C, 2);
        want(in, FIND_SINGLE);
        return true;
    }
    if (!take_op(in, OP_IF))
        return false;
    if (take_op(in, OP_DUP))
        want_node(in, MS_WRAP_D, 1);
    else if (take_op(in, OP_0NOTEQUAL) && take_op(in, OP_SIZE))
        want_node(in, MS_WRAP_J, 1);
    else
        return false;
    return true;
}

static bool find_else(struct inferring *in)
{
    if (take_op(in, OP_IF)) {
        want_node(in, MS_OR_I, 2);
        return true;
    }
    if (!take_op(in, OP_NOTIF))
        return false;
    want_node(in, MS_ANDOR, 3);
    want(in, FIND_SINGLE);
    return true;
}

/* Parts of thresh() but for the first have an ADD behind them. */
static bool find_thresh(struct inferring *in, struct goal goal)
{
    bool is_first = !take_op(in, OP_ADD);
    goal.n++;
    if (goal.n > MS_THRESH_MAX || (is_first && goal.k > goal.n))
        return false;
    if (is_first) {
        goal.state = MAKE;
        goal.make = MS_THRESH;
    }
    *ARRAY_ADD(&in->goals) = goal;
    want(in, is_first ? FIND_SINGLE : FIND_W);
    return true;
}

static bool reach(struct inferring *in, const struct goal *goal)
{
    switch (goal->state) {
    case FIND_SINGLE:
        return find_any_leaf(in) || find_composed(in);
    case FIND_ANY:
        want(in, MAYBE_AND_V);
        want(in, FIND_SINGLE);
        return true;
    case FIND_W:
        return find_w(in);
    case MAYBE_AND_V:
        return maybe_and_v(in);
    case FIND_SWAP:
    case FIND_ALT:
        want_node(in, goal->state == FIND_SWAP ? MS_WRAP_S : MS_WRAP_A, 1);
        return take_op(in, goal->state == FIND_SWAP ? OP_SWAP : OP_TOALTSTACK);
    case FIND_IF:
        return find_if(in);
    case FIND_ELSE:
        return find_else(in);
    case FIND_THRESH:
        return find_thresh(in, *goal);
    case MAKE:
        return make_node(in, goal);
    }
    return false;
}

static bool find_all(struct inferring *in)
{
    want(in, FIND_ANY);
    while (in->goals.n > 0) {
        struct goal goal = in->goals.at[--in->goals.n];
        if (!reach(in, &goal) || ms_builder_is_full(&in->builder))
            return false;
    }
    return in->left == 0 && in->found.n == 1;
}

bool ms_infer(const struct ms_keys *keys, enum ms_context context, struct span script,
              struct arena *arena, struct miniscript *out)
{
    ASSERT(keys && keys->of_bytes && keys->of_hash && out);
    struct inferring in = {.keys = keys};
    struct token *tokens;
    if (script.len == 0 || script.len > ms_script_max(context) ||
        !split(script, arena, &tokens, &in.left))
        return false;
    in.tokens = tokens;
    ms_builder_init(&in.builder, context, arena);
    bool ok = find_all(&in) && in.builder.nodes.at[in.found.at[0]].type & MS_B;
    if (ok)
        ms_builder_finish(&in.builder, out);
    ms_builder_deinit(&in.builder);
    ARRAY_FREE(&in.goals);
    ARRAY_FREE(&in.found);
    return ok;
}
