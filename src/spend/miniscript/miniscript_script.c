/* miniscript_script.c - the script of an expression: BIP379's translation table. */
#include "consensus/opcodes.h"
#include "consensus/script_iter.h"
#include "consensus/script_write.h"
#include "crypto/hash.h"
#include "spend/miniscript/miniscript_internal.h"

/* A script being written. */
struct script_out {
    struct buffer *to;
    struct writer w;
    size_t opcode_end; /* behind the last opcode that is no push; 0: there is none */
};

static void put_op(struct script_out *out, enum opcode opcode)
{
    write_u8(&out->w, (uint8_t)opcode);
    out->opcode_end = out->to->len;
}

static void put_push(struct script_out *out, struct span data)
{
    script_write_push(&out->w, data);
}

static void put_number(struct script_out *out, uint32_t n)
{
    uint8_t push[SCRIPT_NUM_PUSH_MAX];
    write_bytes(&out->w, push, script_push_number(push, n));
}

/* The form of the last opcode that verifies, where there is one. */
static void put_verify(struct script_out *out)
{
    if (out->opcode_end > 0 && out->opcode_end == out->to->len) {
        uint8_t *last = &out->to->p[out->to->len - 1];
        if (*last == OP_EQUAL || *last == OP_NUMEQUAL || *last == OP_CHECKSIG ||
            *last == OP_CHECKMULTISIG) {
            *last = (uint8_t)(*last + 1); /* each stands before its own */
            return;
        }
    }
    put_op(out, OP_VERIFY);
}

_Static_assert(OP_EQUALVERIFY == OP_EQUAL + 1 && OP_NUMEQUALVERIFY == OP_NUMEQUAL + 1 &&
                   OP_CHECKSIGVERIFY == OP_CHECKSIG + 1 &&
                   OP_CHECKMULTISIGVERIFY == OP_CHECKMULTISIG + 1,
               "opcodes stand before those that verify as well");

static void put_hash(struct script_out *out, const struct ms_node *node)
{
    static const enum opcode hash_ops[] = {
        [MS_SHA256] = OP_SHA256,
        [MS_HASH256] = OP_HASH256,
        [MS_RIPEMD160] = OP_RIPEMD160,
        [MS_HASH160] = OP_HASH160,
    };
    put_op(out, OP_SIZE);
    put_number(out, 32);
    put_op(out, OP_EQUALVERIFY);
    put_op(out, hash_ops[node->fragment]);
    put_push(out, node->hash);
    put_op(out, OP_EQUAL);
}

static void put_multi(struct script_out *out, const struct ms_keys *keys,
                      const struct ms_node *node)
{
    put_number(out, node->k);
    for (uint32_t i = 0; i < node->n_keys; i++)
        put_push(out, keys->bytes(keys->ctx, node->keys[i]));
    put_number(out, node->n_keys);
    put_op(out, OP_CHECKMULTISIG);
}

static void put_multi_a(struct script_out *out, const struct ms_keys *keys,
                        const struct ms_node *node)
{
    for (uint32_t i = 0; i < node->n_keys; i++) {
        put_push(out, keys->bytes(keys->ctx, node->keys[i]));
        put_op(out, i == 0 ? OP_CHECKSIG : OP_CHECKSIGADD);
    }
    put_number(out, node->k);
    put_op(out, OP_NUMEQUAL);
}

static void put_key_hash(struct script_out *out, struct span key)
{
    uint8_t hash[20];
    hash160(key, hash);
    put_op(out, OP_DUP);
    put_op(out, OP_HASH160);
    put_push(out, span_of(hash, sizeof hash));
    put_op(out, OP_EQUALVERIFY);
}

static void put_leaf(struct script_out *out, const struct ms_keys *keys, const struct ms_node *node)
{
    enum ms_fragment fragment = node->fragment;
    if (fragment == MS_0 || fragment == MS_1) {
        put_number(out, fragment == MS_1);
    } else if (fragment == MS_PK_K) {
        put_push(out, keys->bytes(keys->ctx, node->keys[0]));
    } else if (fragment == MS_PK_H) {
        put_key_hash(out, keys->bytes(keys->ctx, node->keys[0]));
    } else if (fragment == MS_OLDER || fragment == MS_AFTER) {
        put_number(out, node->k);
        put_op(out, fragment == MS_OLDER ? OP_CHECKSEQUENCEVERIFY : OP_CHECKLOCKTIMEVERIFY);
    } else if (fragment == MS_MULTI) {
        put_multi(out, keys, node);
    } else if (fragment == MS_MULTI_A) {
        put_multi_a(out, keys, node);
    } else {
        put_hash(out, node);
    }
}

enum { OPS_MAX = 3 };

/* What stands before each part of a node and behind the last one; 0 ends a list. thresh() is told
 * apart. */
static const uint8_t frames[][4][OPS_MAX] = {
    /* clang-format off */
    [MS_WRAP_A] = {{OP_TOALTSTACK}, {OP_FROMALTSTACK}},
    [MS_WRAP_S] = {{OP_SWAP}, {0}},
    [MS_WRAP_C] = {{0}, {OP_CHECKSIG}},
    [MS_WRAP_D] = {{OP_DUP, OP_IF}, {OP_ENDIF}},
    [MS_WRAP_V] = {{0}, {OP_VERIFY}},
    [MS_WRAP_J] = {{OP_SIZE, OP_0NOTEQUAL, OP_IF}, {OP_ENDIF}},
    [MS_WRAP_N] = {{0}, {OP_0NOTEQUAL}},
    [MS_AND_V]  = {{0}, {0}, {0}},
    [MS_AND_B]  = {{0}, {0}, {OP_BOOLAND}},
    [MS_OR_B]   = {{0}, {0}, {OP_BOOLOR}},
    [MS_OR_C]   = {{0}, {OP_NOTIF}, {OP_ENDIF}},
    [MS_OR_D]   = {{0}, {OP_IFDUP, OP_NOTIF}, {OP_ENDIF}},
    [MS_OR_I]   = {{OP_IF}, {OP_ELSE}, {OP_ENDIF}},
    [MS_ANDOR]  = {{0}, {OP_NOTIF}, {OP_ELSE}, {OP_ENDIF}},
    /* clang-format on */
};

static void put_frame(struct script_out *out, const struct ms_node *node, uint32_t step)
{
    if (node->fragment == MS_WRAP_V && step == 1) {
        put_verify(out);
        return;
    }
    ASSERT(step < COUNT_OF(frames[0]));
    const uint8_t *ops = frames[node->fragment][step];
    for (int i = 0; i < OPS_MAX && ops[i] != 0; i++)
        put_op(out, ops[i]);
}

static void put_thresh(struct script_out *out, const struct ms_node *node, uint32_t step)
{
    if (step > 1)
        put_op(out, OP_ADD);
    if (step < node->n_subs)
        return;
    put_number(out, node->k);
    put_op(out, OP_EQUAL);
}

/* The order of andor()'s parts in the script is another than in the text: what holds if the first
 * does not stands first. */
static uint32_t part_at(const struct ms_node *node, uint32_t step)
{
    if (node->fragment == MS_ANDOR && step > 0)
        return node->subs[3 - step];
    return node->subs[step];
}

void ms_script(const struct miniscript *ms, const struct ms_keys *keys, struct buffer *buffer)
{
    ASSERT(ms && keys && keys->bytes && buffer);
    struct script_out out = {.to = buffer, .w = writer_to_growing(buffer)};
    struct ms_walk walk;
    struct ms_step at;
    ms_walk_init(&walk, ms, ms->n - 1, part_at);
    while (ms_walk_next(&walk, &at)) {
        const struct ms_node *node = &ms->nodes[at.node];
        if (node->n_subs == 0)
            put_leaf(&out, keys, node);
        else if (node->fragment == MS_THRESH)
            put_thresh(&out, node, at.step);
        else
            put_frame(&out, node, at.step);
    }
    ms_walk_deinit(&walk);
}
