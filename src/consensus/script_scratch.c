/* script_scratch.c - memory of one thread that checks scripts.
 *
 * Nothing here is remembered for the result's sake: with a fresh one every check gives the same
 * answer, only slower. */
#include "consensus/script_internal.h"

#include "util/alloc.h"

_Static_assert((PUBKEY_CACHE_SLOTS & (PUBKEY_CACHE_SLOTS - 1)) == 0 &&
                   PUBKEY_CACHE_SLOTS % PUBKEY_CACHE_FIRST == 0,
               "a hash is masked by it, and by each half of it");

#define KEY_COMPRESSED_BYTES 33

/* Stacks, digests and keys take memory when they are first used: a thread that checks no script
 * costs a few hundred bytes. */
struct script_scratch *script_scratch_new(void)
{
    struct script_scratch *scratch = xcalloc(1, sizeof *scratch);
    script_stack_init(&scratch->stack);
    script_stack_init(&scratch->alt_stack);
    sighash_cache_init(&scratch->sighash);
    buffer_init(&scratch->script_code);
    return scratch;
}

/* Nothing secret was in it: public keys and scripts are in the chain. */
void script_scratch_free(struct script_scratch *scratch)
{
    if (!scratch)
        return;
    script_stack_deinit(&scratch->stack);
    script_stack_deinit(&scratch->alt_stack);
    sighash_cache_deinit(&scratch->sighash);
    buffer_deinit(&scratch->script_code);
    xfree(scratch->pubkeys);
    xfree(scratch);
}

static size_t index_of(const uint8_t *key, size_t n_slots)
{
    uint64_t x;
    memcpy(&x, key + 1, sizeof x);
    x = (x ^ key[0]) * UINT64_C(0x9e3779b97f4a7c15);
    return x >> 32 & (n_slots - 1);
}

/* Twice the slots, up to the largest cache: a node that sees few keys, as on a test chain, takes
 * memory for few. */
static void grow(struct script_scratch *scratch)
{
    size_t n = scratch->n_pubkeys ? 2 * scratch->n_pubkeys : PUBKEY_CACHE_FIRST;
    struct pubkey_slot *slots = xcalloc(n, sizeof *slots);
    for (size_t i = 0; i < scratch->n_pubkeys; i++)
        if (scratch->pubkeys[i].key[0] != 0)
            slots[index_of(scratch->pubkeys[i].key, n)] = scratch->pubkeys[i];
    xfree(scratch->pubkeys);
    scratch->pubkeys = slots;
    scratch->n_pubkeys = n;
}

/* Keys that share a slot only push each other out, so whoever makes keys collide gains nothing but
 * the ordinary cost of parsing. */
static void remember(struct script_scratch *scratch, const uint8_t *key,
                     const struct ec_pubkey *parsed)
{
    ASSERT(key[0] == 2 || key[0] == 3);
    if (scratch->n_pubkeys < PUBKEY_CACHE_SLOTS && 2 * scratch->n_parsed >= scratch->n_pubkeys)
        grow(scratch);
    struct pubkey_slot *slot = &scratch->pubkeys[index_of(key, scratch->n_pubkeys)];
    memcpy(slot->key, key, KEY_COMPRESSED_BYTES);
    slot->parsed = *parsed;
    scratch->n_parsed++;
}

bool script_scratch_pubkey(struct script_scratch *scratch, struct span key,
                           struct ec_pubkey *parsed)
{
    /* The other forms hold both coordinates: nothing to compute, nothing to cache. */
    if (key.len != KEY_COMPRESSED_BYTES)
        return ec_pubkey_parse(parsed, key);
    const struct pubkey_slot *slot =
        scratch->pubkeys ? &scratch->pubkeys[index_of(key.p, scratch->n_pubkeys)] : NULL;
    if (slot && slot->key[0] != 0 && memcmp(slot->key, key.p, KEY_COMPRESSED_BYTES) == 0) {
        *parsed = slot->parsed;
        return true;
    }
    if (!ec_pubkey_parse(parsed, key))
        return false;
    remember(scratch, key.p, parsed);
    return true;
}
