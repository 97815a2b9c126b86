/* desc_infer.c - output descriptors inferred from scripts. */
#include "spend/descriptor/desc_infer.h"

#include <string.h>

#include "consensus/key_io.h"
#include "consensus/script_type.h"
#include "crypto/pubkey.h"
#include "util/assert.h"
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

static bool infer_wsh(struct buffer *buffer, const struct script_solution *solution,
                      const struct span *inside)
{
    if (solution->type != SCRIPT_TYPE_WITNESS_V0_SCRIPTHASH || !inside)
        return false;
    struct script_solution inner = script_solve(*inside);
    size_t start = buffer->len;
    buffer_append_string(buffer, "wsh(");
    if (infer_keys(buffer, &inner, true)) {
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
