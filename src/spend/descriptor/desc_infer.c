/* desc_infer.c - output descriptors inferred from scripts. */
#include "spend/descriptor/desc_infer.h"

#include <string.h>

#include "consensus/key_io.h"
#include "consensus/script_type.h"
#include "crypto/pubkey.h"
#include "spend/miniscript/miniscript.h"
#include "util/array.h"
#include "util/hex.h"

/* -- Inference ---------------------------------------------------------------------------- */

static void append_hex(struct buffer *buffer, struct span bytes)
{
    uint8_t *to = buffer_reserve(buffer, 2 * bytes.len + 1);
    hex_encode((char *)to, bytes);
    buffer->len += 2 * bytes.len;
}

/* Keys that a descriptor can name: no hybrid forms; segwit knows compressed ones only.
 * BIP-380, Key Expressions; BIP-382, wpkh(); BIP-382, wsh() */
static bool is_nameable_key(struct span key, bool compressed_only)
{
    return pubkey_has_valid_size(key) &&
           (key.p[0] == 2 || key.p[0] == 3 || (key.p[0] == 4 && !compressed_only));
}

/* pk() and multi(): what shows its keys. */
static bool infer_keys(struct buffer *buffer, const struct script_solution *solution,
                       bool compressed_only)
{
    if (solution->type != SCRIPT_TYPE_PUBKEY && solution->type != SCRIPT_TYPE_MULTISIG)
        return false;
    for (uint32_t i = 0; i < solution->n_items; i++) {
        if (!is_nameable_key(solution->item[i], compressed_only))
            return false;
    }
    if (solution->type == SCRIPT_TYPE_PUBKEY)
        buffer_append_string(buffer, "pk(");
    else
        buffer_append_format(buffer, "multi(%d,", solution->required);
    for (uint32_t i = 0; i < solution->n_items; i++) {
        if (i > 0)
            buffer_append(buffer, ",", 1);
        append_hex(buffer, solution->item[i]);
    }
    buffer_append(buffer, ")", 1);
    return true;
}

/* -- Miniscript ------------------------------------------------------------------------------- */

/* Keys as they stand in a script. */
struct script_keys {
    ARRAY(struct span) keys;
};

static bool take_key(void *ctx, struct span bytes, uint32_t *key)
{
    struct script_keys *keys = ctx;
    if (!is_nameable_key(bytes, true))
        return false;
    *key = (uint32_t)keys->keys.n;
    *ARRAY_ADD(&keys->keys) = bytes;
    return true;
}

static bool know_no_hash(void *ctx, struct span hash, uint32_t *key)
{
    (void)ctx, (void)hash, (void)key;
    return false;
}

static struct span key_bytes(void *ctx, uint32_t key)
{
    const struct script_keys *keys = ctx;
    return keys->keys.at[key];
}

static void write_key(void *ctx, uint32_t key, struct buffer *out)
{
    append_hex(out, key_bytes(ctx, key));
}

/* The expression of a script that is paid to by its hash, if it is a sane one. */
static bool infer_miniscript(struct buffer *buffer, struct span script)
{
    struct script_keys keys = {0};
    struct ms_keys access = {.ctx = &keys,
                             .of_bytes = take_key,
                             .of_hash = know_no_hash,
                             .bytes = key_bytes,
                             .write = write_key};
    struct miniscript ms;
    struct arena arena;
    uint32_t node;
    arena_init(&arena, 4096);
    bool ok = ms_infer(&access, MS_P2WSH, script, &arena, &ms);
    if (ok) {
        enum ms_fault fault = ms_check(&ms, &access, &arena, &node);
        /* Core tells of what nobody can satisfy, too. */
        ok = fault == MS_SANE || fault == MS_NOT_SATISFIABLE;
    }
    if (ok)
        ms_write(&ms, &access, ms.n - 1, buffer);
    ARRAY_FREE(&keys.keys);
    arena_deinit(&arena);
    return ok;
}

static bool infer_wsh(struct buffer *buffer, const struct script_solution *solution,
                      const struct span *inside)
{
    if (solution->type != SCRIPT_TYPE_WITNESS_V0_SCRIPTHASH || !inside)
        return false;
    struct script_solution inner = script_solve(*inside);
    size_t start = buffer->len;
    buffer_append_string(buffer, "wsh(");
    if (infer_keys(buffer, &inner, true) || infer_miniscript(buffer, *inside)) {
        buffer_append(buffer, ")", 1);
        return true;
    }
    buffer->len = start;
    return false;
}

static bool infer_rawtr(struct buffer *buffer, const struct script_solution *solution)
{
    if (solution->type != SCRIPT_TYPE_WITNESS_V1_TAPROOT || !xonly_is_valid(solution->item[0].p))
        return false;
    buffer_append_string(buffer, "rawtr(");
    append_hex(buffer, solution->item[0]);
    buffer_append(buffer, ")", 1);
    return true;
}

void desc_infer_append(struct buffer *buffer, const struct script_solution *solution,
                       struct span script_pubkey, const char *address, const struct span *inside)
{
    ASSERT(buffer);
    char checksum[DESC_CHECKSUM_CHARS + 1];
    size_t start = buffer->len;
    if (!infer_keys(buffer, solution, false) && !infer_wsh(buffer, solution, inside) &&
        !infer_rawtr(buffer, solution)) {
        buffer_append_string(buffer, *address ? "addr(" : "raw(");
        if (*address)
            buffer_append_string(buffer, address);
        else
            append_hex(buffer, script_pubkey);
        buffer_append(buffer, ")", 1);
    }
    bool valid = desc_checksum(span_of(buffer->p + start, buffer->len - start), checksum);
    ASSERT(valid);
    buffer_append(buffer, "#", 1);
    buffer_append(buffer, checksum, DESC_CHECKSUM_CHARS);
}

void desc_infer(struct buffer *buffer, const struct network *network, struct span script_pubkey,
                const struct span *inside)
{
    struct script_solution solution = script_solve(script_pubkey);
    char address[ADDRESS_SIZE];
    (void)address_encode(network, script_pubkey, address);
    desc_infer_append(buffer, &solution, script_pubkey, address, inside);
}
