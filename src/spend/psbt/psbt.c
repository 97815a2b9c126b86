/* psbt.c - PSBTs made of transactions, combined, and asked. */
#include "spend/psbt/psbt.h"

#include <string.h>

#include "util/reader.h"

static const struct span no_data = {.p = (const uint8_t *)"", .len = 0};

static void put_u32(struct psbt *psbt, struct psbt_map *map, uint64_t type, uint32_t number)
{
    uint8_t bytes[4];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    write_u32(&w, number);
    psbt_set(psbt, map, type, no_data, span_of(bytes, sizeof bytes));
}

static void put_count(struct psbt *psbt, uint64_t type, size_t n)
{
    uint8_t bytes[9];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    write_compact_size(&w, n);
    psbt_set(psbt, &psbt->global, type, no_data, span_of(bytes, w.len));
}

/* -- Made of a transaction -------------------------------------------------------------------- */

static void put_v2_fields(struct psbt *psbt)
{
    const struct tx *tx = &psbt->tx;
    put_u32(psbt, &psbt->global, PSBT_GLOBAL_TX_VERSION, tx->version);
    put_u32(psbt, &psbt->global, PSBT_GLOBAL_FALLBACK_LOCKTIME, tx->lock_time);
    put_count(psbt, PSBT_GLOBAL_INPUT_COUNT, tx->n_in);
    put_count(psbt, PSBT_GLOBAL_OUTPUT_COUNT, tx->n_out);
    put_u32(psbt, &psbt->global, PSBT_GLOBAL_VERSION, PSBT_VERSION_2);
    for (uint32_t i = 0; i < tx->n_in; i++) {
        struct psbt_map *input = &psbt->inputs[i];
        psbt_set(psbt, input, PSBT_IN_PREVIOUS_TXID, no_data,
                 span_of(tx->in[i].prevout.txid.b, 32));
        put_u32(psbt, input, PSBT_IN_OUTPUT_INDEX, tx->in[i].prevout.vout);
        put_u32(psbt, input, PSBT_IN_SEQUENCE, tx->in[i].sequence);
    }
    for (uint32_t i = 0; i < tx->n_out; i++) {
        uint8_t amount[8];
        struct writer w = writer_to_buffer(amount, sizeof amount);
        write_u64(&w, (uint64_t)tx->out[i].value_sat);
        psbt_set(psbt, &psbt->outputs[i], PSBT_OUT_AMOUNT, no_data, span_of(amount, 8));
        psbt_set(psbt, &psbt->outputs[i], PSBT_OUT_SCRIPT, no_data, tx->out[i].script_pubkey);
    }
}

/* A copy of a transaction without scripts and witnesses of its inputs. */
static void copy_unsigned(const struct tx *tx, struct arena *arena, struct tx *out)
{
    *out = *tx;
    out->in = arena_calloc(arena, tx->n_in + 1, sizeof *out->in);
    for (uint32_t i = 0; i < tx->n_in; i++)
        out->in[i] = (struct tx_in){.prevout = tx->in[i].prevout, .sequence = tx->in[i].sequence};
    tx_finish(out, arena);
}

void psbt_from_tx(const struct tx *tx, uint32_t version, struct arena *arena, struct psbt *out)
{
    ASSERT(tx && arena && out);
    ASSERT(version == PSBT_VERSION_0 || version == PSBT_VERSION_2);
    *out = (struct psbt){
        .arena = arena, .version = version, .n_inputs = tx->n_in, .n_outputs = tx->n_out};
    out->inputs = arena_calloc(arena, tx->n_in + 1, sizeof *out->inputs);
    out->outputs = arena_calloc(arena, tx->n_out + 1, sizeof *out->outputs);
    for (size_t i = 0; i < out->n_inputs; i++)
        out->inputs[i].kind = PSBT_MAP_INPUT;
    for (size_t i = 0; i < out->n_outputs; i++)
        out->outputs[i].kind = PSBT_MAP_OUTPUT;
    copy_unsigned(tx, arena, &out->tx);
    if (version == PSBT_VERSION_2)
        put_v2_fields(out);
    else
        psbt_put(out, &out->global, PSBT_GLOBAL_UNSIGNED_TX, no_data, out->tx.raw);
}

/* -- The transaction of version 2 ------------------------------------------------------------- */

/* BIP-370, Determining Lock Time */
static bool find_lock_time(const struct psbt *psbt, uint32_t *lock_time)
{
    uint32_t height = 0, time = 0, fallback = 0, own;
    bool any = false, by_height = true, by_time = true;
    for (size_t i = 0; i < psbt->n_inputs; i++) {
        bool has_height = psbt_get_u32(&psbt->inputs[i], PSBT_IN_REQUIRED_HEIGHT_LOCKTIME, &own);
        height = has_height && own > height ? own : height;
        bool has_time = psbt_get_u32(&psbt->inputs[i], PSBT_IN_REQUIRED_TIME_LOCKTIME, &own);
        time = has_time && own > time ? own : time;
        if (!has_height && !has_time)
            continue;
        any = true;
        by_height = by_height && has_height;
        by_time = by_time && has_time;
    }
    (void)psbt_get_u32(&psbt->global, PSBT_GLOBAL_FALLBACK_LOCKTIME, &fallback);
    *lock_time = !any ? fallback : by_height ? height : time;
    return !any || by_height || by_time;
}

bool psbt_update_tx(struct psbt *psbt)
{
    ASSERT(psbt);
    struct tx *tx = &psbt->tx;
    if (psbt->version == PSBT_VERSION_0)
        return true;
    *tx = (struct tx){.n_in = (uint32_t)psbt->n_inputs, .n_out = (uint32_t)psbt->n_outputs};
    tx->in = arena_calloc(psbt->arena, psbt->n_inputs + 1, sizeof *tx->in);
    tx->out = arena_calloc(psbt->arena, psbt->n_outputs + 1, sizeof *tx->out);
    (void)psbt_get_u32(&psbt->global, PSBT_GLOBAL_TX_VERSION, &tx->version);
    if (!find_lock_time(psbt, &tx->lock_time))
        return false;
    for (size_t i = 0; i < psbt->n_inputs; i++) {
        struct tx_in *in = &tx->in[i];
        in->sequence = SEQUENCE_FINAL;
        memcpy(in->prevout.txid.b, psbt_get(&psbt->inputs[i], PSBT_IN_PREVIOUS_TXID).p, 32);
        (void)psbt_get_u32(&psbt->inputs[i], PSBT_IN_OUTPUT_INDEX, &in->prevout.vout);
        (void)psbt_get_u32(&psbt->inputs[i], PSBT_IN_SEQUENCE, &in->sequence);
    }
    for (size_t i = 0; i < psbt->n_outputs; i++) {
        struct reader r = reader_of(psbt_get(&psbt->outputs[i], PSBT_OUT_AMOUNT));
        tx->out[i].value_sat = (int64_t)read_u64(&r);
        tx->out[i].script_pubkey = psbt_get(&psbt->outputs[i], PSBT_OUT_SCRIPT);
    }
    tx_finish(tx, psbt->arena);
    return true;
}

/* -- Asked ------------------------------------------------------------------------------------ */

bool psbt_spent(const struct psbt *psbt, size_t i, struct tx_out *out)
{
    ASSERT(psbt && i < psbt->n_inputs && out);
    struct span previous = psbt_get(&psbt->inputs[i], PSBT_IN_NON_WITNESS_UTXO);
    struct span coin = psbt_get(&psbt->inputs[i], PSBT_IN_WITNESS_UTXO);
    uint32_t vout = psbt->tx.in[i].prevout.vout;
    struct reader r = reader_of(previous);
    struct tx tx;
    if (previous.p) {
        /* Its scripts stay where they are, in the record. */
        struct arena_mark before = arena_mark(psbt->arena);
        bool ok = tx_decode(&r, psbt->arena, true, &tx) && vout < tx.n_out &&
                  txid_equal(&tx.txid, &psbt->tx.in[i].prevout.txid);
        if (ok)
            *out = tx.out[vout];
        arena_rewind(psbt->arena, before);
        return ok;
    }
    if (!coin.p)
        return false;
    r = reader_of(coin);
    out->value_sat = (int64_t)read_u64(&r);
    out->script_pubkey = read_var_span(&r);
    return !r.failed;
}

/* -- Combined --------------------------------------------------------------------------------- */

/* The id of a transaction as it is worked out for comparing: sequences may still change in version
 * 2. BIP-370, Unique Identification */
static struct txid unique_id(const struct psbt *psbt)
{
    struct tx tx;
    copy_unsigned(&psbt->tx, psbt->arena, &tx);
    for (uint32_t i = 0; psbt->version == PSBT_VERSION_2 && i < tx.n_in; i++)
        tx.in[i].sequence = 0;
    tx_finish(&tx, psbt->arena);
    return tx.txid;
}

/* What one of them forbids to change stays forbidden. Core: Merge() */
static void merge_modifiable(struct psbt *psbt, const struct psbt *other)
{
    const uint8_t all = PSBT_MODIFIABLE_INPUTS | PSBT_MODIFIABLE_OUTPUTS;
    struct span own = psbt_get(&psbt->global, PSBT_GLOBAL_TX_MODIFIABLE);
    struct span others = psbt_get(&other->global, PSBT_GLOBAL_TX_MODIFIABLE);
    if (!own.p && !others.p)
        return;
    uint8_t a = own.p ? own.p[0] : 0, b = others.p ? others.p[0] : 0;
    uint8_t both = (uint8_t)((a & b & all) | ((a | b) & (uint8_t)~all));
    psbt_set(psbt, &psbt->global, PSBT_GLOBAL_TX_MODIFIABLE, no_data, span_of(&both, 1));
}

/* The maps of a PSBT by their number: the global one first, then inputs, then outputs. */
static struct psbt_map *map_at(struct psbt *psbt, size_t number)
{
    if (number == 0)
        return &psbt->global;
    return number <= psbt->n_inputs ? &psbt->inputs[number - 1]
                                    : &psbt->outputs[number - 1 - psbt->n_inputs];
}

/* Put the records of map `number` of all into that of the first: at once, since each time the map
 * is copied. */
static void merge_maps(struct psbt *psbts, size_t n, size_t number)
{
    size_t n_records = 0;
    for (size_t i = 1; i < n; i++)
        n_records += map_at(&psbts[i], number)->n;
    struct psbt_record *records = arena_calloc(psbts->arena, n_records + 1, sizeof *records);
    n_records = 0;
    for (size_t i = 1; i < n; i++) {
        const struct psbt_map *from = map_at(&psbts[i], number);
        for (size_t k = 0; k < from->n; k++)
            records[n_records++] = from->at[k];
    }
    psbt_put_all(psbts, map_at(psbts, number), records, n_records);
}

bool psbt_combine(struct psbt *psbts, size_t n)
{
    ASSERT(psbts && n > 0);
    struct txid own = unique_id(psbts);
    for (size_t i = 1; i < n; i++) {
        struct txid others = unique_id(&psbts[i]);
        if (psbts->version != psbts[i].version || !txid_equal(&own, &others))
            return false;
        ASSERT(psbts->n_inputs == psbts[i].n_inputs && psbts->n_outputs == psbts[i].n_outputs);
    }
    for (size_t i = 1; i < n; i++)
        merge_modifiable(psbts, &psbts[i]);
    for (size_t number = 0; number <= psbts->n_inputs + psbts->n_outputs; number++)
        merge_maps(psbts, n, number);
    return psbt_update_tx(psbts);
}

void psbt_extract(const struct psbt *psbt, struct tx *out)
{
    ASSERT(psbt && out);
    copy_unsigned(&psbt->tx, psbt->arena, out);
    for (uint32_t i = 0; i < out->n_in; i++) {
        out->in[i].script_sig = psbt_get(&psbt->inputs[i], PSBT_IN_FINAL_SCRIPTSIG);
        out->in[i].witness = psbt_get(&psbt->inputs[i], PSBT_IN_FINAL_SCRIPTWITNESS);
    }
    tx_finish(out, psbt->arena);
}
