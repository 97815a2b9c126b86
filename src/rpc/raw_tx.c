/* raw_tx.c - transactions that come as hex, and the pieces to make one from. */
#include "rpc/raw_tx.h"

#include "consensus/script_iter.h"
#include "util/hex.h"

bool raw_tx_has_valid_ops(struct span script)
{
    struct script_iter it = script_iter_of(script);
    struct script_op op;
    while (script_next(&it, &op)) {
        if (op.opcode > OP_NOP10 || op.push.len > SCRIPT_PUSH_MAX)
            return false;
    }
    return !it.failed;
}

/* Do the scripts look like scripts? Nonsense here means that the bytes were read the wrong way. */
static bool is_sane(const struct tx *tx)
{
    for (uint32_t i = 0; i < tx->n_in && !tx_is_coinbase(tx); i++) {
        struct span script = tx->in[i].script_sig;
        if (script.len > SCRIPT_MAX_BYTES || !raw_tx_has_valid_ops(script))
            return false;
    }
    for (uint32_t i = 0; i < tx->n_out; i++) {
        struct span script = tx->out[i].script_pubkey;
        if (script.len > SCRIPT_MAX_BYTES || !raw_tx_has_valid_ops(script))
            return false;
    }
    return true;
}

static bool decode_all(struct span raw, bool allow_witness, struct arena *arena, struct tx *tx)
{
    struct reader r = reader_of(raw);
    return tx_decode(&r, arena, allow_witness, tx) && reader_finish(&r);
}

bool raw_tx_decode(struct span hex, int forms, struct arena *arena, struct tx *tx)
{
    ASSERT(forms != 0 && tx);
    size_t len = hex.len / 2;
    uint8_t *bytes = arena_alloc(arena, len + 1);
    struct tx legacy;
    if (!hex_decode(bytes, len, (const char *)hex.p, hex.len))
        return false;
    struct span raw = span_of(bytes, len);
    /* Bytes that can be read both ways: a transaction without inputs looks like the mark of one
     * with witnesses. The one that makes sense wins, then the one with. Spec: Core DecodeTx() */
    bool has_witness = (forms & RAW_TX_WITNESS) && decode_all(raw, true, arena, tx);
    if (has_witness && is_sane(tx))
        return true;
    bool has_legacy = (forms & RAW_TX_LEGACY) && decode_all(raw, false, arena, &legacy);
    if (has_legacy && (!has_witness || is_sane(&legacy))) {
        *tx = legacy;
        return true;
    }
    return has_witness;
}

struct span raw_tx_push(struct arena *arena, struct span data)
{
    uint8_t *script = arena_alloc(arena, data.len + 5);
    struct writer w = writer_to_buffer(script, data.len + 5);
    if (data.len < OP_PUSHDATA1) {
        write_u8(&w, (uint8_t)data.len);
    } else if (data.len <= UINT8_MAX) {
        write_u8(&w, OP_PUSHDATA1);
        write_u8(&w, (uint8_t)data.len);
    } else if (data.len <= UINT16_MAX) {
        write_u8(&w, OP_PUSHDATA2);
        write_u16(&w, (uint16_t)data.len);
    } else {
        write_u8(&w, OP_PUSHDATA4);
        write_u32(&w, (uint32_t)data.len);
    }
    write_span(&w, data);
    return span_of(script, w.len);
}

struct span raw_tx_join(struct arena *arena, struct span a, struct span b)
{
    uint8_t *p = arena_alloc(arena, a.len + b.len + 1);
    if (a.len)
        memcpy(p, a.p, a.len);
    if (b.len)
        memcpy(p + a.len, b.p, b.len);
    return span_of(p, a.len + b.len);
}
