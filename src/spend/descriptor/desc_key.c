/* desc_key.c - keys of descriptors, derived. */
#include <string.h>

#include "spend/descriptor/desc_tree_internal.h"
#include "spend/keys/musig_keys.h"

bool desc_key_is_range(const struct desc_key *key)
{
    ASSERT(key);
    bool is_range = key->path.range != DESC_RANGE_NONE;
    for (size_t i = 0; i < key->n_participants; i++)
        is_range = is_range || key->participants[i].path.range != DESC_RANGE_NONE;
    return is_range;
}

size_t desc_key_variants(const struct desc_key *key)
{
    ASSERT(key);
    size_t n = key->path.n_choices > 1 ? key->path.n_choices : 1;
    for (size_t i = 0; i < key->n_participants; i++) {
        size_t own = key->participants[i].path.n_choices;
        n = own > n ? own : n;
    }
    return n;
}

static bool lacks_secret(const struct desc_key *key)
{
    bool is_hardened = key->path.has_hardened || key->path.range == DESC_RANGE_HARDENED;
    return key->kind == DESC_KEY_EXTENDED && is_hardened && !key->has_secret;
}

bool desc_key_needs_secret(const struct desc_key *key)
{
    ASSERT(key);
    bool lacks = lacks_secret(key);
    for (size_t i = 0; i < key->n_participants; i++)
        lacks = lacks || lacks_secret(&key->participants[i]);
    return lacks;
}

/* All steps of a path at an index. */
static uint32_t *path_steps(const struct desc_deriving *how, const struct desc_path *path,
                            size_t *n)
{
    uint32_t *steps = arena_calloc(how->arena, path->n + 1, sizeof *steps);
    for (size_t i = 0; i < path->n; i++)
        steps[i] = path->steps[i];
    if (path->n_choices > 0)
        steps[path->choice_at] = path->choices[how->variant % path->n_choices];
    *n = path->n;
    if (path->range != DESC_RANGE_NONE)
        steps[(*n)++] = how->index | (path->range == DESC_RANGE_HARDENED ? BIP32_HARDENED : 0);
    return steps;
}

/* Go from an extended key along steps. */
static bool walk(const struct desc_deriving *how, const struct bip32_key *root,
                 const uint32_t *steps, size_t n, struct bip32_key *out)
{
    struct bip32_key at = *root;
    for (size_t i = 0; i < n; i++) {
        if (!bip32_derive(how->ec, &at, steps[i], &at))
            return false;
    }
    *out = at;
    return true;
}

/* The origin of what lies n steps behind a key; with the key's own in front if it has one. */
static struct key_origin origin_behind(const struct desc_deriving *how, const struct desc_key *key,
                                       struct span own, const uint32_t *steps, size_t n)
{
    struct key_origin origin = {.n_path = (uint32_t)n, .path = steps};
    bip32_fingerprint(own, origin.fingerprint);
    if (!key->has_origin)
        return origin;
    uint32_t *all = arena_calloc(how->arena, key->origin.n_path + n + 1, sizeof *all);
    for (size_t i = 0; i < key->origin.n_path; i++)
        all[i] = key->origin.path[i];
    for (size_t i = 0; i < n; i++)
        all[key->origin.n_path + i] = steps[i];
    memcpy(origin.fingerprint, key->origin.fingerprint, sizeof origin.fingerprint);
    origin.n_path = key->origin.n_path + (uint32_t)n;
    origin.path = all;
    return origin;
}

/* A key that is no musig(). */
static bool derive_single(const struct desc_deriving *how, const struct desc_key *key,
                          struct desc_derived *out)
{
    *out = (struct desc_derived){.key = key, .has_origin = true};
    if (key->kind == DESC_KEY_PLAIN) {
        memcpy(out->bytes, key->bytes, key->len);
        out->len = key->len;
        out->origin = origin_behind(how, key, span_of(key->bytes, key->len), NULL, 0);
        out->has_secret = how->with_secrets && key->secret;
        if (out->has_secret)
            memcpy(out->secret, key->secret, sizeof out->secret);
        return true;
    }
    struct bip32_key child;
    size_t n;
    uint32_t *steps = path_steps(how, &key->path, &n);
    if (!walk(how, key->root, steps, n, &child))
        return false;
    memcpy(out->bytes, child.pubkey, sizeof child.pubkey);
    out->len = sizeof child.pubkey;
    out->origin = origin_behind(how, key, span_of(key->root->pubkey, 33), steps, n);
    out->has_secret = how->with_secrets && child.has_secret;
    if (out->has_secret)
        memcpy(out->secret, child.secret, sizeof out->secret);
    return true;
}

static bool derive_musig(const struct desc_deriving *how, const struct desc_key *key,
                         struct desc_derived *out)
{
    size_t n = key->n_participants, n_steps;
    uint8_t *keys = arena_alloc(how->arena, n * MUSIG_KEY_BYTES);
    struct desc_derived part;
    struct bip32_key extended;
    uint8_t aggregate[MUSIG_KEY_BYTES];
    for (size_t i = 0; i < n; i++) {
        if (!derive_single(how, &key->participants[i], &part) || part.len != MUSIG_KEY_BYTES)
            return false;
        memcpy(keys + i * MUSIG_KEY_BYTES, part.bytes, MUSIG_KEY_BYTES);
    }
    if (!musig_aggregate(keys, n, aggregate))
        return false;
    musig_extend(aggregate, &extended);
    uint32_t *steps = path_steps(how, &key->path, &n_steps);
    *out = (struct desc_derived){.key = key, .len = MUSIG_KEY_BYTES, .participants = keys};
    out->has_origin = n_steps > 0;
    out->origin = origin_behind(how, key, span_of(aggregate, sizeof aggregate), steps, n_steps);
    if (!walk(how, &extended, steps, n_steps, &extended))
        return false;
    memcpy(out->bytes, extended.pubkey, MUSIG_KEY_BYTES);
    return true;
}

bool desc_key_derive(const struct desc_deriving *how, const struct desc_key *key,
                     struct desc_derived *out)
{
    ASSERT(how && how->ec && how->arena && key && out);
    return key->kind == DESC_KEY_MUSIG ? derive_musig(how, key, out) : derive_single(how, key, out);
}

bool desc_derive(const struct desc_deriving *how, const struct desc_tree *tree,
                 struct desc_derived **keys)
{
    ASSERT(how && tree && keys);
    *keys = arena_calloc(how->arena, tree->n_keys + 1, sizeof **keys);
    for (size_t i = 0; i < tree->n_keys; i++) {
        if (!desc_key_derive(how, &tree->keys[i], &(*keys)[i]))
            return false;
    }
    return true;
}
