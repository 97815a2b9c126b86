/* fuzz_script.c - any script, witness and flags through the interpreter.
 *
 * What must hold: the fast paths give what the interpreter gives; a result does not change when it
 * is asked for again (caches); fewer flags never fail what passed; and nothing crashes. The bytes
 * are flags, lock time, sequence, then CompactSize-framed scriptSig, scriptPubKey and witness
 * items; one bit wraps the last item as the template that it fits. */
#include "consensus/script_internal.h"
#include "crypto/hash.h"
#include <stdlib.h>

#define ITEMS_MAX 64

static void demand(bool ok)
{
    if (!ok)
        abort();
}

/* Turn the scriptPubKey into an output that commits to the last item, so that mutation finds its
 * way behind hashes: P2WSH, P2WPKH, P2PKH, P2SH. */
static struct span wrap(uint8_t kind, struct span last, uint8_t out[40])
{
    uint8_t hash[32];
    struct writer w = writer_to_buffer(out, 40);
    if (kind == 0) {
        sha256(last, hash);
        write_u8(&w, OP_0);
        write_var_span(&w, span_of(hash, 32));
        return span_of(out, w.len);
    }
    hash160(last, hash);
    if (kind == 1)
        write_u8(&w, OP_0);
    if (kind == 2)
        write_u8(&w, OP_DUP);
    if (kind >= 2)
        write_u8(&w, OP_HASH160);
    write_var_span(&w, span_of(hash, 20));
    if (kind == 2) {
        write_u8(&w, OP_EQUALVERIFY);
        write_u8(&w, OP_CHECKSIG);
    }
    if (kind == 3)
        write_u8(&w, OP_EQUAL);
    return span_of(out, w.len);
}

static uint32_t valid_flags(uint32_t flags)
{
    if (!(flags & SCRIPT_VERIFY_P2SH))
        flags &= ~(uint32_t)SCRIPT_VERIFY_WITNESS;
    if (!(flags & SCRIPT_VERIFY_WITNESS))
        flags &= ~(uint32_t)SCRIPT_VERIFY_CLEANSTACK;
    return flags & ((UINT32_C(1) << 21) - 1);
}

static void check_all(struct script_check *check, uint32_t fewer)
{
    struct script_scratch *scratch = script_scratch_new();
    enum script_error fast = script_verify(check, scratch);
    demand(script_verify_generic(check, scratch) == fast);
    demand(script_verify(check, scratch) == fast);
    if (fast == SCRIPT_OK) {
        check->flags = valid_flags(check->flags & fewer);
        demand(script_verify(check, scratch) == SCRIPT_OK);
        demand(script_verify_generic(check, scratch) == SCRIPT_OK);
    }
    script_scratch_free(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_of(span_of(data, size));
    uint32_t flags = read_u32(&r), fewer = read_u32(&r);
    uint8_t kind = read_u8(&r);
    struct arena arena;
    arena_init(&arena, 4096);
    struct tx_in in[2] = {{.sequence = read_u32(&r)}, {.sequence = 7}};
    struct tx_out out = {.value_sat = 5}, spent[2] = {{.value_sat = 6}, {.value_sat = 7}};
    struct tx tx = {
        .version = 2, .lock_time = read_u32(&r), .in = in, .n_in = 2, .out = &out, .n_out = 1};
    in[0].script_sig = read_var_span(&r);
    spent[0].script_pubkey = read_var_span(&r);

    struct span items[ITEMS_MAX];
    size_t n = 0;
    while (n < ITEMS_MAX && reader_left(&r) > 0)
        items[n++] = read_var_span(&r);
    size_t capacity = 9 + size + 9 * n;
    struct writer w = writer_to_buffer(arena_alloc(&arena, capacity), capacity);
    write_compact_size(&w, n);
    for (size_t i = 0; i < n; i++)
        write_var_span(&w, items[i]);
    if (n > 0)
        in[0].witness = span_of(w.buffer, w.len);
    uint8_t wrapped[40];
    if (kind < 4 && n > 0)
        spent[0].script_pubkey = wrap(kind, items[n - 1], wrapped);
    tx_finish(&tx, &arena);
    struct tx_sighash sighash;
    tx_sighash_init(&sighash, &tx, spent);
    struct script_check check = {
        .tx = &tx, .flags = valid_flags(flags), .spent = spent, .sighash = &sighash};
    check_all(&check, fewer);
    arena_deinit(&arena);
    return 0;
}
