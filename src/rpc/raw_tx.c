/* raw_tx.c - transactions that come as hex. */
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
