/* desc_write.c - descriptors as texts: of one script, and whole with public keys. */
#include "spend/descriptor/desc_internal.h"

#include "consensus/key_io.h"
#include "spend/descriptor/desc_infer.h"
#include "util/assert.h"
#include "util/hex.h"

/* Put the checksum behind what was written from start on. */
static void close_text(struct buffer *out, size_t start)
{
    char checksum[DESC_CHECKSUM_CHARS + 1];
    bool ok = desc_checksum(span_of(out->p + start, out->len - start), checksum);
    ASSERT(ok);
    buffer_append_format(out, "#%s", checksum);
}

static void append_hex(struct buffer *out, struct span bytes)
{
    uint8_t *to = buffer_reserve(out, 2 * bytes.len + 1);
    hex_encode((char *)to, bytes);
    out->len += 2 * bytes.len;
}

static void write_path(struct buffer *out, const uint32_t *path, size_t n, const char *hardened)
{
    for (size_t i = 0; i < n; i++)
        buffer_append_format(out, "/%u%s", path[i] & ~BIP32_HARDENED,
                             path[i] & BIP32_HARDENED ? hardened : "");
}

/* "[d34db33f/44h/0]02..." */
static void write_key(struct buffer *out, const struct desc_derived *derived, uint32_t index,
                      bool x_only)
{
    const struct desc_key *key = derived->key;
    uint8_t own[4], root[4];
    char hex[2 * 65 + 1];
    struct span bytes = span_of(derived->bytes, derived->len);
    bip32_fingerprint(bytes, own);
    bip32_fingerprint(span_of(key->root.pubkey, sizeof key->root.pubkey), root);
    const uint8_t *fingerprint = key->has_origin ? key->fingerprint : key->is_extended ? root : own;
    if (key->has_origin || key->len != 32) {
        buffer_append_format(out, "[%02x%02x%02x%02x", fingerprint[0], fingerprint[1],
                             fingerprint[2], fingerprint[3]);
        write_path(out, key->origin, key->n_origin, "h");
        write_path(out, key->path, key->n_path, "h");
        if (key->range != DESC_RANGE_NONE)
            buffer_append_format(out, "/%u%s", index, key->range == DESC_RANGE_HARDENED ? "h" : "");
        buffer_append_string(out, "]");
    }
    if (x_only && bytes.len == 33)
        bytes = span_of(bytes.p + 1, 32);
    hex_encode(hex, bytes);
    buffer_append_string(out, hex);
}

static void write_keys(struct buffer *out, const struct desc *desc, const struct desc_derived *keys,
                       uint32_t index, size_t at)
{
    ASSERT(at < DESC_SCRIPTS_MAX);
    static const char *const combos[DESC_SCRIPTS_MAX] = {"pk", "pkh", "wpkh", "sh(wpkh"};
    bool is_multi = desc_is_multi(desc);
    bool is_combo = desc->function == DESC_COMBO;
    const char *name = is_multi   ? "multi"
                       : is_combo ? combos[at]
                                  : desc_function_name(desc->function);
    buffer_append_format(out, "%s%s%s(", desc->is_sh ? "sh(" : "", desc->is_wsh ? "wsh(" : "",
                         name);
    if (is_multi)
        buffer_append_format(out, "%u,", desc->required);
    for (size_t i = 0; i < desc->n_keys; i++) {
        if (i > 0)
            buffer_append_string(out, ",");
        write_key(out, &keys[i], index, desc_is_taproot(desc));
    }
    buffer_append_string(out, is_combo && at == DESC_SCRIPTS_MAX - 1 ? "))" : ")");
    buffer_append_format(out, "%s%s", desc->is_wsh ? ")" : "", desc->is_sh ? ")" : "");
}

bool desc_write_script(const struct ec_context *ec, const struct desc *desc, uint32_t index,
                       size_t at, struct buffer *out)
{
    struct desc_derived keys[DESC_KEYS_MAX] = {0};
    if (desc->n_keys == 0) {
        desc_infer(out, desc->network, desc->script, NULL);
        return true;
    }
    if (!desc_derive(ec, desc, index, keys))
        return false;
    size_t start = out->len;
    write_keys(out, desc, keys, index, at);
    close_text(out, start);
    return true;
}

/* -- Whole descriptors ------------------------------------------------------------------------ */

static void write_public_key(struct buffer *out, const struct desc *desc,
                             const struct desc_key *key)
{
    const char *hardened = key->has_apostrophe ? "'" : "h";
    struct span bytes = span_of(key->bytes, key->len);
    if (key->has_origin) {
        buffer_append_format(out, "[%02x%02x%02x%02x", key->fingerprint[0], key->fingerprint[1],
                             key->fingerprint[2], key->fingerprint[3]);
        write_path(out, key->origin, key->n_origin, hardened);
        buffer_append_string(out, "]");
    }
    if (!key->is_extended) {
        bool is_cut = desc_is_taproot(desc) && bytes.len == 33;
        append_hex(out, is_cut ? span_of(bytes.p + 1, 32) : bytes);
        return;
    }
    bip32_write_public(desc->network, &key->root, out);
    write_path(out, key->path, key->n_path, hardened);
    if (key->range != DESC_RANGE_NONE)
        buffer_append_format(out, "/*%s", key->range == DESC_RANGE_HARDENED ? hardened : "");
}

void desc_write(const struct desc *desc, struct buffer *out)
{
    ASSERT(desc && out);
    size_t start = out->len;
    char address[ADDRESS_SIZE];
    buffer_append_format(out, "%s%s%s(", desc->is_sh ? "sh(" : "", desc->is_wsh ? "wsh(" : "",
                         desc_function_name(desc->function));
    if (desc_is_multi(desc))
        buffer_append_format(out, "%u,", desc->required);
    if (desc->function == DESC_RAW)
        append_hex(out, desc->script);
    if (desc->function == DESC_ADDR && address_encode(desc->network, desc->script, address))
        buffer_append_string(out, address);
    for (size_t i = 0; i < desc->n_keys; i++) {
        buffer_append_string(out, i > 0 ? "," : "");
        write_public_key(out, desc, &desc->keys[i]);
    }
    buffer_append_format(out, ")%s%s", desc->is_wsh ? ")" : "", desc->is_sh ? ")" : "");
    close_text(out, start);
}
