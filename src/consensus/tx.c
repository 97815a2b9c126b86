/* tx.c - transactions: one pass over the bytes, each hashed once.
 *
 * What is refused here has no meaning at all: numbers that are cut off, lengths not in their
 * shortest form, more than one encoding of the same transaction. What has a meaning but is not
 * allowed, such as no outputs or a negative amount, is decoded, so that the verdict can name the
 * rule that it breaks. */
#include "consensus/tx.h"

#include "crypto/hash.h"
#include "util/assert.h"

/* Least bytes that an input, an output and a witness stack take; they bound a claimed count. */
#define TX_IN_MIN_BYTES  41
#define TX_OUT_MIN_BYTES 9

/* No transaction is longer in any message or request. Keeps all size arithmetic far below 32
 * bits, also on 32-bit machines (CVE-2025-46597). Core: MAX_SIZE */
#define TX_MAX_BYTES UINT32_C(0x02000000)

static const uint8_t zero32[32];

bool tx_is_coinbase(const struct tx *tx)
{
    ASSERT(tx);
    return tx->n_in == 1 && tx->in[0].prevout.vout == OUTPOINT_INDEX_NULL &&
           memcmp(tx->in[0].prevout.txid.b, zero32, 32) == 0;
}

/* A claimed count is a stranger's word: it is held against the bytes that are left before memory is
 * taken for it, or five bytes could ask for four billion inputs. */
static bool inputs_decode(struct reader *r, struct arena *arena, uint64_t n_in, struct tx *tx)
{
    if (r->failed || n_in > reader_left(r) / TX_IN_MIN_BYTES) {
        r->failed = true;
        return false;
    }
    tx->n_in = (uint32_t)n_in;
    tx->in = arena_alloc(arena, (size_t)n_in * sizeof *tx->in);
    for (struct tx_in *in = tx->in; in < tx->in + tx->n_in; in++) {
        read_bytes(r, in->prevout.txid.b, 32);
        in->prevout.vout = read_u32(r);
        in->script_sig = read_var_span(r);
        in->sequence = read_u32(r);
        in->witness = span_of(NULL, 0);
        if (r->failed)
            return false;
    }
    return true;
}

/* The same for outputs. What the values are worth is not asked here: a negative amount decodes,
 * since its reason for being refused is a rule and not a broken encoding. */
static bool outputs_decode(struct reader *r, struct arena *arena, struct tx *tx)
{
    uint64_t n_out = read_compact_size(r);
    if (r->failed || n_out > reader_left(r) / TX_OUT_MIN_BYTES) {
        r->failed = true;
        return false;
    }
    tx->n_out = (uint32_t)n_out;
    tx->out = arena_alloc(arena, (size_t)n_out * sizeof *tx->out);
    for (struct tx_out *out = tx->out; out < tx->out + tx->n_out; out++) {
        out->value_sat = (int64_t)read_u64(r);
        out->script_pubkey = read_var_span(r);
        if (r->failed)
            return false;
    }
    return true;
}

/* Step over each input's stack, keeping only where it lies. No cap but the bytes there are:
 * half a million items, or one item of almost 4 MB, are valid (CVE-2022-39389, CVE-2022-44797). */
static bool witnesses_decode(struct reader *r, struct tx *tx)
{
    for (uint32_t i = 0; i < tx->n_in; i++) {
        const uint8_t *start = r->at;
        uint64_t items = read_compact_size(r);
        for (uint64_t k = 0; k < items && !r->failed; k++)
            (void)read_var_span(r);
        if (r->failed)
            return false;
        if (items) {
            tx->in[i].witness = span_of(start, (size_t)(r->at - start));
            tx->has_witness = true;
        }
    }
    /* A record of only empty stacks would be a second encoding of the same transaction.
     * BIP-144, Serialization */
    if (!tx->has_witness)
        r->failed = true;
    return !r->failed;
}

/* Decode what lies between version and lock time. The count of inputs can stand for the marker
 * because no valid transaction has none; nodes from before segwit take such bytes for an invalid
 * transaction, and are never sent them. BIP-144, Serialization */
static bool body_decode(struct reader *r, struct arena *arena, bool allow_witness, struct tx *tx,
                        struct span *body)
{
    const uint8_t *start = r->at;
    uint64_t n_in = read_compact_size(r);
    /* No inputs: the marker of the form with witnesses. BIP-144, Serialization */
    bool marker = n_in == 0 && allow_witness;
    if (marker) {
        uint8_t flag = read_u8(r);
        /* Flag 1 is the only one with a meaning; others are kept for later forms, which a reader of
         * today could not take apart. */
        if (flag > 1)
            r->failed = true;
        if (r->failed)
            return false;
        if (flag == 0) {
            /* marker and flag were the counts of a transaction without inputs and outputs */
            *body = span_of(start, 2);
            return true;
        }
        start = r->at;
        n_in = read_compact_size(r);
    }
    if (!inputs_decode(r, arena, n_in, tx) || !outputs_decode(r, arena, tx))
        return false;
    *body = span_of(start, (size_t)(r->at - start));
    return !marker || witnesses_decode(r, tx);
}

/* Hash from the spans of the raw bytes: nothing is encoded again. */
static void hash_set(struct tx *tx, struct span body)
{
    ASSERT(tx->raw.len >= body.len + 8); /* version and lock time around it */
    if (!tx->has_witness) {
        sha256d(tx->raw, tx->txid.b);
        /* BIP-141, Transaction ID */
        memcpy(tx->wtxid.b, tx->txid.b, 32);
        return;
    }
    /* The txid has no witness in it. BIP-141, Transaction ID */
    struct sha256_message base = {.head = span_of(tx->raw.p, 4),
                                  .body = body,
                                  .tail = span_of(tx->raw.p + tx->raw.len - 4, 4)};
    struct sha256_message whole = {.body = tx->raw};
    sha256d_two(&base, &whole, tx->txid.b, tx->wtxid.b);
}

/* All but the ids. */
static bool decode(struct reader *r, struct arena *arena, bool allow_witness, struct tx *tx,
                   struct span *body)
{
    const uint8_t *start = r->at;
    memset(tx, 0, sizeof *tx);
    tx->version = read_u32(r);
    if (!body_decode(r, arena, allow_witness, tx, body))
        return false;
    tx->lock_time = read_u32(r);
    if (r->failed || (size_t)(r->at - start) > TX_MAX_BYTES) {
        r->failed = true;
        return false;
    }
    tx->raw = span_of(start, (size_t)(r->at - start));
    /* Version, body and lock time: what remains when marker, flag and witnesses are left out. */
    tx->base_bytes = (uint32_t)(4 + body->len + 4);
    ASSERT(tx->has_witness ? tx->base_bytes < tx->raw.len : tx->base_bytes == tx->raw.len);
    return true;
}

bool tx_decode(struct reader *r, struct arena *arena, bool allow_witness, struct tx *tx)
{
    ASSERT(r);
    struct span body;
    if (!decode(r, arena, allow_witness, tx, &body))
        return false;
    hash_set(tx, body);
    return true;
}

bool tx_decode_known(struct reader *r, struct arena *arena, const struct tx_ids *ids, struct tx *tx)
{
    ASSERT(r && ids);
    struct span body;
    if (!decode(r, arena, true, tx, &body))
        return false;
#ifdef CAIRN_VERIFY
    hash_set(tx, body);
    ASSERT(memcmp(&tx->txid, &ids->txid, 32) == 0 && memcmp(&tx->wtxid, &ids->wtxid, 32) == 0);
#endif
    tx->txid = ids->txid;
    tx->wtxid = ids->wtxid;
    return true;
}

static void encode_input(struct writer *w, const struct tx_in *in)
{
    ASSERT(in);
    write_bytes(w, in->prevout.txid.b, 32);
    write_u32(w, in->prevout.vout);
    write_var_span(w, in->script_sig);
    write_u32(w, in->sequence);
}

void tx_out_encode(struct writer *w, const struct tx_out *out)
{
    ASSERT(out);
    write_u64(w, (uint64_t)out->value_sat);
    write_var_span(w, out->script_pubkey);
}

void tx_encode(struct writer *w, const struct tx *tx, bool with_witness)
{
    ASSERT(tx);
    bool witness = with_witness && tx->has_witness;
    write_u32(w, tx->version);
    /* BIP-144, Serialization */
    if (witness) {
        write_u8(w, 0);
        write_u8(w, 1);
    }
    ASSERT((tx->in || tx->n_in == 0) && (tx->out || tx->n_out == 0));
    write_compact_size(w, tx->n_in);
    for (uint32_t i = 0; i < tx->n_in; i++)
        encode_input(w, &tx->in[i]);
    write_compact_size(w, tx->n_out);
    for (uint32_t i = 0; i < tx->n_out; i++)
        tx_out_encode(w, &tx->out[i]);
    for (uint32_t i = 0; witness && i < tx->n_in; i++) {
        if (tx->in[i].witness.len)
            write_span(w, tx->in[i].witness);
        else
            write_compact_size(w, 0);
    }
    write_u32(w, tx->lock_time);
}

void tx_finish(struct tx *tx, struct arena *arena)
{
    ASSERT(tx);
    tx->has_witness = false;
    for (uint32_t i = 0; i < tx->n_in; i++)
        tx->has_witness |= tx->in[i].witness.len > 0;

    struct writer base = writer_counting(), full = writer_counting();
    tx_encode(&base, tx, false);
    tx_encode(&full, tx, true);
    uint8_t *raw = arena_alloc(arena, full.len);
    struct writer w = writer_to_buffer(raw, full.len);
    tx_encode(&w, tx, true);
    ASSERT(base.len >= 10 && (tx->has_witness ? base.len < full.len : base.len == full.len));
    tx->raw = span_of(raw, full.len);
    tx->base_bytes = (uint32_t)base.len;
    /* with a witness, the body starts behind version, marker and flag */
    hash_set(tx, tx->has_witness ? span_of(raw + 6, base.len - 8) : span_of(raw + 4, base.len - 8));
}

/* A count without elements is a witness too, and holds none. */
struct witness_iter witness_iter_of(struct span witness)
{
    struct witness_iter it = {.r = reader_of(witness)};
    if (witness.len)
        it.left = read_compact_size(&it.r);
    return it;
}

bool witness_next(struct witness_iter *it, struct span *item)
{
    ASSERT(it);
    if (it->left == 0 || it->r.failed)
        return false;
    it->left--;
    *item = read_var_span(&it->r);
    return !it->r.failed;
}
