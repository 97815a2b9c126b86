/* script_scratch.c - memory of one thread that checks scripts.
 *
 * Nothing here is remembered for the result's sake: with a fresh one every check gives the same
 * answer, only slower. */
#include "consensus/script_internal.h"

#include "util/alloc.h"

_Static_assert((PUBKEY_CACHE_SLOTS & (PUBKEY_CACHE_SLOTS - 1)) == 0, "a hash is masked by it");

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

/* Keys that share a slot only push each other out, so whoever makes keys collide gains nothing but
 * the ordinary cost of parsing. */
static struct pubkey_slot *slot_of(struct script_scratch *scratch, const uint8_t *key)
{
    if (!scratch->pubkeys)
        scratch->pubkeys = xcalloc(PUBKEY_CACHE_SLOTS, sizeof *scratch->pubkeys);
    uint64_t x;
    memcpy(&x, key + 1, sizeof x);
    x = (x ^ key[0]) * UINT64_C(0x9e3779b97f4a7c15);
    return &scratch->pubkeys[x >> 32 & (PUBKEY_CACHE_SLOTS - 1)];
}

bool script_scratch_pubkey(struct script_scratch *scratch, struct span key,
                           struct ec_pubkey *parsed)
{
    /* The other forms hold both coordinates: nothing to compute, nothing to cache. */
    if (key.len != KEY_COMPRESSED_BYTES)
        return ec_pubkey_parse(parsed, key);
    struct pubkey_slot *slot = slot_of(scratch, key.p);
    if (slot->key[0] != 0 && memcmp(slot->key, key.p, KEY_COMPRESSED_BYTES) == 0) {
        *parsed = slot->parsed;
        return true;
    }
    if (!ec_pubkey_parse(parsed, key))
        return false;
    ASSERT(key.p[0] == 2 || key.p[0] == 3);
    memcpy(slot->key, key.p, KEY_COMPRESSED_BYTES);
    slot->parsed = *parsed;
    return true;
}
