/* desc.c - the scripts that descriptors stand for. */
#include "spend/descriptor/desc_internal.h"

#include <string.h>

#include "crypto/hash.h"
#include "crypto/pubkey.h"
#include "util/assert.h"

/* A key's bytes at an index. */
static bool key_at(const struct ec_context *ec, const struct desc_key *key, uint32_t index,
                   uint8_t out[65], size_t *len)
{
    ASSERT(key->len <= sizeof key->bytes);
    struct bip32_key child = key->extended;
    *len = key->len;
    memcpy(out, key->is_extended ? child.pubkey : key->bytes, key->len);
    if (!key->is_extended || key->range == DESC_RANGE_NONE)
        return true;
    uint32_t number = key->range == DESC_RANGE_HARDENED ? index | BIP32_HARDENED : index;
    if (!bip32_derive(ec, &key->extended, number, &child))
        return false;
    memcpy(out, child.pubkey, sizeof child.pubkey);
    return true;
}

static struct span join(struct arena *arena, struct span a, struct span b, struct span c)
{
    uint8_t *p = arena_alloc(arena, a.len + b.len + c.len + 1);
    struct writer w = writer_to_buffer(p, a.len + b.len + c.len);
    write_span(&w, a);
    write_span(&w, b);
    write_span(&w, c);
    return span_of(p, w.len);
}

static struct span of_hash160(struct arena *arena, struct span head, struct span what,
                              struct span tail)
{
    uint8_t hash[20];
    hash160(what, hash);
    return join(arena, head, span_of(hash, sizeof hash), tail);
}

/* BIP-381, pk() */
static struct span script_pk(struct arena *arena, struct span key)
{
    ASSERT(key.len == 33 || key.len == 65);
    uint8_t push = (uint8_t)key.len;
    return join(arena, span_of(&push, 1), key, span_of("\xac", 1));
}

/* BIP-381, pkh() */
static struct span script_pkh(struct arena *arena, struct span key)
{
    return of_hash160(arena, span_of("\x76\xa9\x14", 3), key, span_of("\x88\xac", 2));
}

/* BIP-382, wpkh() */
static struct span script_wpkh(struct arena *arena, struct span key)
{
    ASSERT(key.len == 33); /* BIP-143, Restrictions on public key type */
    return of_hash160(arena, span_of("\x00\x14", 2), key, span_of("", 0));
}

/* BIP-381, sh() */
static struct span script_sh(struct arena *arena, struct span script)
{
    return of_hash160(arena, span_of("\xa9\x14", 2), script, span_of("\x87", 1));
}

/* A key without scripts is tweaked by its own hash. BIP-386, tr();
 * BIP-341, Constructing and spending Taproot outputs */
static struct span script_tr(struct arena *arena, struct span key, bool is_tweaked)
{
    ASSERT(key.len == 32 || key.len == 33);
    uint8_t output[32], tweak[32];
    const uint8_t *x = key.len == 32 ? key.p : key.p + 1;
    memcpy(output, x, sizeof output);
    if (!is_tweaked) {
        struct sha256 h;
        tagged_hash_init(&h, HASH_TAG_TAP_TWEAK);
        sha256_update(&h, x, 32);
        sha256_final(&h, tweak);
        if (!xonly_tweak_add(output, NULL, x, tweak))
            return span_of("", 0);
    }
    return join(arena, span_of("\x51\x20", 2), span_of(output, sizeof output), span_of("", 0));
}

/* BIP67: in the order of their bytes. */
static void sort_keys(struct desc_derived *keys, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct desc_derived moved = keys[i];
        size_t at = i;
        for (; at > 0 && memcmp(keys[at - 1].bytes, moved.bytes, sizeof moved.bytes) > 0; at--)
            keys[at] = keys[at - 1];
        keys[at] = moved;
    }
}

bool desc_derive(const struct ec_context *ec, const struct desc *desc, uint32_t index,
                 struct desc_derived keys[DESC_KEYS_MAX])
{
    ASSERT(desc);
    for (size_t i = 0; i < desc->n_keys; i++) {
        keys[i] = (struct desc_derived){.key = &desc->keys[i]};
        if (desc->keys[i].needs_secret ||
            !key_at(ec, &desc->keys[i], index, keys[i].bytes, &keys[i].len))
            return false;
    }
    if (desc->function == DESC_SORTEDMULTI)
        /* BIP-383, sortedmulti() */
        sort_keys(keys, desc->n_keys);
    return true;
}

/* BIP-383, Specification */
static struct span script_multi(struct arena *arena, const struct desc *desc,
                                const struct desc_derived *keys)
{
    ASSERT(desc->n_keys <= DESC_KEYS_MAX);
    ASSERT(desc->required >= 1 && desc->required <= desc->n_keys);
    uint8_t script[3 + DESC_KEYS_MAX * 66 + 2];
    struct writer w = writer_to_buffer(script, sizeof script);
    uint32_t numbers[2] = {desc->required, (uint32_t)desc->n_keys};
    for (int k = 0; k < 2; k++) {
        /* OP_1 to OP_16; above, a push of the number. */
        if (numbers[k] > 16)
            write_u8(&w, 1);
        write_u8(&w, (uint8_t)(numbers[k] > 16 ? numbers[k] : 0x50 + numbers[k]));
        for (size_t i = 0; k == 0 && i < desc->n_keys; i++) {
            write_u8(&w, (uint8_t)keys[i].len);
            write_bytes(&w, keys[i].bytes, keys[i].len);
        }
    }
    write_u8(&w, 0xae);
    return join(arena, span_of(script, w.len), span_of("", 0), span_of("", 0));
}

/* Two scripts, and two more for a compressed key. BIP-384, Specification */
static size_t combo(struct arena *arena, struct span key, struct span scripts[DESC_SCRIPTS_MAX])
{
    scripts[0] = script_pk(arena, key);
    scripts[1] = script_pkh(arena, key);
    if (key.len != 33)
        return 2;
    scripts[2] = script_wpkh(arena, key);
    scripts[3] = script_sh(arena, scripts[2]);
    return 4;
}

static struct span inner_script(struct arena *arena, const struct desc *desc,
                                const struct desc_derived *keys)
{
    struct span key = span_of(keys[0].bytes, keys[0].len);
    switch (desc->function) {
    case DESC_ADDR:
    case DESC_RAW:
        return desc->script;
    case DESC_PK:
        return script_pk(arena, key);
    case DESC_PKH:
        return script_pkh(arena, key);
    case DESC_WPKH:
        return script_wpkh(arena, key);
    case DESC_TR:
    case DESC_RAWTR:
        return script_tr(arena, key, desc->function == DESC_RAWTR);
    case DESC_MULTI:
    case DESC_SORTEDMULTI:
        return script_multi(arena, desc, keys);
    case DESC_COMBO:
    case DESC_FUNCTION_COUNT:
        break;
    }
    ASSERT(false);
    return span_of("", 0);
}

size_t desc_scripts(const struct ec_context *ec, const struct desc *desc, uint32_t index,
                    struct arena *arena, struct span scripts[DESC_SCRIPTS_MAX])
{
    struct desc_derived keys[DESC_KEYS_MAX] = {0};
    if (!desc_derive(ec, desc, index, keys))
        return 0;
    if (desc->function == DESC_COMBO)
        return combo(arena, span_of(keys[0].bytes, keys[0].len), scripts);
    struct span script = inner_script(arena, desc, keys);
    /* BIP-382, wsh() */
    if (desc->is_wsh) {
        uint8_t hash[32];
        sha256(script, hash);
        script = join(arena, span_of("\x00\x20", 2), span_of(hash, sizeof hash), span_of("", 0));
    }
    scripts[0] = desc->is_sh ? script_sh(arena, script) : script;
    return 1;
}

bool desc_mining_script(const struct ec_context *ec, const struct desc *desc, struct arena *arena,
                        struct span *script)
{
    struct span scripts[DESC_SCRIPTS_MAX];
    size_t n = desc_scripts(ec, desc, 0, arena, scripts);
    if (n > 0)
        *script = scripts[n == DESC_SCRIPTS_MAX ? 2 : n - 1];
    return n > 0;
}
