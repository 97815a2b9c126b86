/* sighash.c - the digest that a signature signs.
 *
 * What each version hashes, in this order; (A) not with ANYONECANPAY, (O) not with NONE or SINGLE:
 *
 *     legacy  twice SHA-256: version; count and all inputs, scripts of others empty, their
 *             sequences zero unless (O), with A this input alone; all outputs (O), or blank ones
 *             and the own, or none; lock time; type in 4 bytes
 *     v0      twice SHA-256: version; hash of outpoints (A); hash of sequences (A) (O); own
 *             outpoint, script, amount and sequence; hash of outputs (O), or of the own; lock time;
 *             type in 4 bytes
 *     v1      tagged SHA-256: a zero; type; version; lock time; hashes of outpoints, amounts,
 *             scripts and sequences (A); hash of outputs (O); spend type; own number, or else
 *             own outpoint, amount, script and sequence; annex; own output with SINGLE; in a
 *             tapscript its leaf, key version and last separator */
#include "consensus/sighash.h"

#include "consensus/script_iter.h"
#include "util/assert.h"

#define SKELETON_INPUT_BYTES 41 /* outpoint, an empty script, sequence */
#define BLANK_OUTPUT_BYTES   9  /* value -1, an empty script */
#define V0_SMALL_SCRIPT_MAX  80 /* script codes that are hashed in one piece, without the cache */

/* ---- what all inputs of a transaction share ---- */

/* SHA-256 through a buffer, since updates of a few bytes each are slow. */
struct hash_sink {
    struct sha256 h;
    size_t len;
    uint8_t bytes[1024];
};

/* Sink of a writer. A piece that is longer than the buffer passes it by. */
static void hash_sink_write(void *ctx, const void *p, size_t len)
{
    struct hash_sink *sink = ctx;
    if (len > sizeof sink->bytes - sink->len) {
        sha256_update(&sink->h, sink->bytes, sink->len);
        sink->len = 0;
    }
    if (len > sizeof sink->bytes) {
        sha256_update(&sink->h, p, len);
    } else if (len) {
        memcpy(sink->bytes + sink->len, p, len);
        sink->len += len;
    }
}

/* Start hashing. The writer borrows sink; what was written counts after hash_sink_close(). */
static struct writer hash_sink_open(struct hash_sink *sink)
{
    sha256_init(&sink->h);
    sink->len = 0;
    return (struct writer){.sink = hash_sink_write, .sink_ctx = sink};
}

static void hash_sink_close(struct hash_sink *sink, uint8_t out[32])
{
    sha256_update(&sink->h, sink->bytes, sink->len);
    sha256_final(&sink->h, out);
}

static void write_outpoint(struct writer *w, const struct outpoint *outpoint)
{
    write_bytes(w, outpoint->txid.b, 32);
    write_u32(w, outpoint->vout);
}

/* The three that both versions have in common, singly hashed. An order of fields that all versions
 * share: outpoints, sequences, outputs, each list by itself. Older digests hash whole inputs one
 * after the other, which is why they cost anew for each. BIP-143, Specification; BIP-341, Common
 * signature message */
static void hash_common(struct tx_sighash *sighash, const struct tx *tx)
{
    struct hash_sink sink;
    struct writer w = hash_sink_open(&sink);
    for (uint32_t i = 0; i < tx->n_in; i++)
        write_outpoint(&w, &tx->in[i].prevout);
    hash_sink_close(&sink, sighash->prevouts32);

    w = hash_sink_open(&sink);
    for (uint32_t i = 0; i < tx->n_in; i++)
        write_u32(&w, tx->in[i].sequence);
    hash_sink_close(&sink, sighash->sequences32);

    w = hash_sink_open(&sink);
    for (uint32_t i = 0; i < tx->n_out; i++)
        tx_out_encode(&w, &tx->out[i]);
    hash_sink_close(&sink, sighash->outputs32);
}

/* Version 1 signs what all inputs spend, amounts and scripts: a device that signs needs no earlier
 * transactions to know the fee, and cannot be told lies about which inputs are its own.
 * BIP-341, Common signature message */
static void hash_spent(struct tx_sighash *sighash, const struct tx *tx, const struct tx_out *spent)
{
    struct hash_sink sink;
    struct writer w = hash_sink_open(&sink);
    for (uint32_t i = 0; i < tx->n_in; i++)
        write_u64(&w, (uint64_t)spent[i].value_sat);
    hash_sink_close(&sink, sighash->amounts32);

    w = hash_sink_open(&sink);
    for (uint32_t i = 0; i < tx->n_in; i++)
        write_var_span(&w, spent[i].script_pubkey);
    hash_sink_close(&sink, sighash->scripts32);
}

/* Compute the parts that version 0 needs, that version 1 needs, or both. BIP143 hashes twice what
 * BIP341 hashes once, so the second hash is all that is added. has_v0 and has_v1 tell readers what
 * is filled in; the rest stays as it was. */
static void sighash_fill(struct tx_sighash *sighash, const struct tx *tx,
                         const struct tx_out *spent, bool v0, bool v1)
{
    ASSERT(spent || !v1);
    sighash->has_v0 = v0;
    sighash->has_v1 = v1;
    sighash->lacks_spent = false;
    if (v0 || v1)
        hash_common(sighash, tx);
    if (v1)
        hash_spent(sighash, tx, spent);
    if (v0) {
        sha256(span_of(sighash->prevouts32, 32), sighash->prevouts32d);
        sha256(span_of(sighash->sequences32, 32), sighash->sequences32d);
        sha256(span_of(sighash->outputs32, 32), sighash->outputs32d);
    }
}

/* By its bytes, as script_is_witness_program() would find it. */
static bool is_taproot_output(struct span script)
{
    return script.len == 34 && script.p[0] == OP_1 && script.p[1] == 32;
}

/* An input with a witness is of version 0, alone or inside P2SH, unless it spends a taproot output.
 * A witness that nothing asked for costs a few hashes too many; a hash that is missing after all
 * is computed where it is needed. */
void tx_sighash_init(struct tx_sighash *sighash, const struct tx *tx, const struct tx_out *spent)
{
    ASSERT(tx);
    bool v0 = false, v1 = false;
    for (uint32_t i = 0; tx->has_witness && i < tx->n_in && !(v0 && v1); i++) {
        if (tx->in[i].witness.len == 0)
            continue;
        if (spent && is_taproot_output(spent[i].script_pubkey))
            v1 = true;
        else
            v0 = true;
    }
    sighash_fill(sighash, tx, spent, v0, v1);
}

void tx_sighash_init_all(struct tx_sighash *sighash, const struct tx *tx,
                         const struct tx_out *spent)
{
    sighash_fill(sighash, tx, spent, true, spent != NULL);
    sighash->lacks_spent = !spent;
}

/* ---- the cache ---- */

void sighash_cache_init(struct sighash_cache *cache)
{
    memset(cache, 0, sizeof *cache);
    for (int i = 0; i < 2; i++)
        buffer_init(&cache->skeleton[i].bytes);
    for (int i = 0; i < SIGHASH_MIDSTATES; i++)
        buffer_init(&cache->midstate[i].script_code);
}

void sighash_cache_deinit(struct sighash_cache *cache)
{
    for (int i = 0; i < 2; i++)
        buffer_deinit(&cache->skeleton[i].bytes);
    for (int i = 0; i < SIGHASH_MIDSTATES; i++)
        buffer_deinit(&cache->midstate[i].script_code);
    sighash_cache_init(cache);
}

/* A midstate contains the input's outpoint and script, so it is worth nothing to another input.
 * Those that differ in hash type alone lie in different slots. */
void sighash_cache_begin_input(struct sighash_cache *cache)
{
    for (int i = 0; i < SIGHASH_MIDSTATES; i++)
        cache->midstate[i].filled = false;
}

/* Undefined types count too: only five bits are looked at, and what is neither of these is ALL. So
 * 0x43 is SINGLE as 0x03 is, and signs another digest, for all bits of the type are hashed. */
static bool is_single(uint32_t hash_type)
{
    return (hash_type & SIGHASH_OUTPUT_MASK) == SIGHASH_SINGLE;
}

/* Signs no output: whoever gets it may pay himself. It is the signer's choice to make. */
static bool is_none(uint32_t hash_type)
{
    return (hash_type & SIGHASH_OUTPUT_MASK) == SIGHASH_NONE;
}

/* Types that hash the same bytes up to the type itself share a midstate: there are six kinds. */
static struct sighash_midstate *midstate_of(struct sighash_cache *cache, uint32_t hash_type)
{
    int row = is_single(hash_type) ? 2 : is_none(hash_type) ? 1 : 0;
    return &cache->midstate[row + (hash_type & SIGHASH_ANYONECANPAY ? 3 : 0)];
}

/* Is this the midstate of the same script? Compared by its bytes: removing signatures makes new
 * scripts in the same memory. */
static bool midstate_fits(const struct sighash_midstate *m, struct span script_code, bool segwit)
{
    return m->filled && m->segwit == segwit &&
           span_equal(buffer_span(&m->script_code), script_code);
}

/* Keep a midstate for the checks to come. */
static void midstate_fill(struct sighash_midstate *m, struct span script_code, bool segwit,
                          const struct sha256 *state)
{
    m->script_code.len = 0;
    buffer_append(&m->script_code, script_code.p, script_code.len);
    m->segwit = segwit;
    m->state = *state;
    m->filled = true;
}

/* Continue a copy of the midstate with the hash type. The type goes behind everything else: four
 * bytes, the lowest one from the signature. */
static void midstate_finish(const struct sha256 *state, uint32_t hash_type, uint8_t out[32])
{
    struct sha256 h = *state;
    uint8_t type_le[4];
    struct writer w = writer_to_buffer(type_le, sizeof type_le);
    write_u32(&w, hash_type);
    sha256_update(&h, type_le, sizeof type_le);
    sha256d_final(&h, out);
}

/* ---- legacy ---- */

/* Bytes that a CompactSize takes. */
static size_t compact_size_bytes(uint64_t n)
{
    struct writer w = writer_counting();
    write_compact_size(&w, n);
    return w.len;
}

/* The transaction as legacy digests see it, but with every script empty. The digest of an input is
 * this with one script put in, and with parts left out as the type says. Scripts of other inputs
 * are never signed: they hold signatures, which are made one after the other. */
static void skeleton_encode(struct writer *w, const struct tx *tx, bool zero_sequence)
{
    write_u32(w, tx->version);
    write_compact_size(w, tx->n_in);
    for (uint32_t i = 0; i < tx->n_in; i++) {
        write_outpoint(w, &tx->in[i].prevout);
        write_u8(w, 0);
        write_u32(w, zero_sequence ? 0 : tx->in[i].sequence);
    }
    write_compact_size(w, tx->n_out);
    for (uint32_t i = 0; i < tx->n_out; i++)
        tx_out_encode(w, &tx->out[i]);
    write_u32(w, tx->lock_time);
}

/* The skeleton of tx, made if there is none yet. The txid commits to all that is in it (and to the
 * scriptSigs, which are not), so it is the key. */
static struct sighash_skeleton *skeleton_get(struct sighash_cache *cache, const struct tx *tx,
                                             bool zero_sequence)
{
    if (!cache->filled || !txid_equal(&cache->txid, &tx->txid)) {
        cache->txid = tx->txid;
        cache->filled = true;
        cache->skeleton[0].filled = cache->skeleton[1].filled = false;
    }
    struct sighash_skeleton *skeleton = &cache->skeleton[zero_sequence];
    if (skeleton->filled)
        return skeleton;

    struct writer count = writer_counting();
    skeleton_encode(&count, tx, zero_sequence);
    skeleton->bytes.len = 0;
    struct writer w = writer_to_buffer(buffer_reserve(&skeleton->bytes, count.len), count.len);
    skeleton_encode(&w, tx, zero_sequence);
    ASSERT(w.len == count.len);
    skeleton->bytes.len = w.len;

    skeleton->prefix_inputs = 0;
    sha256_init(&skeleton->prefix);
    sha256_update(&skeleton->prefix, skeleton->bytes.p, 4 + compact_size_bytes(tx->n_in));
    skeleton->filled = true;
    return skeleton;
}

/* Where input number i starts in a skeleton; with i = n_in, where the outputs start. */
static size_t skeleton_input_at(const struct tx *tx, uint32_t i)
{
    return 4 + compact_size_bytes(tx->n_in) + (size_t)SKELETON_INPUT_BYTES * i;
}

/* Hash everything before the input that signs. Inputs checked in ascending order continue where the
 * last one stopped, which saves half of what a transaction of many inputs costs. */
static struct sha256 hash_inputs_before(struct sighash_skeleton *skeleton, const struct tx *tx,
                                        uint32_t input)
{
    ASSERT(input < tx->n_in);
    if (skeleton->prefix_inputs > input) {
        skeleton->prefix_inputs = 0;
        sha256_init(&skeleton->prefix);
        sha256_update(&skeleton->prefix, skeleton->bytes.p, skeleton_input_at(tx, 0));
    }
    size_t from = skeleton_input_at(tx, skeleton->prefix_inputs);
    sha256_update(&skeleton->prefix, skeleton->bytes.p + from, skeleton_input_at(tx, input) - from);
    skeleton->prefix_inputs = input;
    return skeleton->prefix;
}

/* Hash script_code as a length and bytes, leaving out each OP_CODESEPARATOR. What follows a push
 * that is cut short cannot be parsed and is hashed as it is. A signer who removes nothing would get
 * another digest: the separators that are left are those not executed yet, as all before the last
 * executed one were cut off. */
static void hash_script_code(struct sha256 *h, struct span script_code)
{
    struct script_iter it = script_iter_of(script_code);
    struct script_op op;
    size_t separators = 0;
    while (script_next(&it, &op))
        separators += op.opcode == OP_CODESEPARATOR;

    uint8_t size[9];
    struct writer w = writer_to_buffer(size, sizeof size);
    write_compact_size(&w, script_code.len - separators);
    sha256_update(h, size, w.len);

    const uint8_t *from = script_code.p;
    it = script_iter_of(script_code);
    while (separators > 0 && script_next(&it, &op)) {
        if (op.opcode != OP_CODESEPARATOR)
            continue;
        sha256_update(h, from, (size_t)(it.at - 1 - from));
        from = it.at;
        separators--;
    }
    if (script_code.len)
        sha256_update(h, from, (size_t)(script_code.p + script_code.len - from));
}

/* The outputs of SINGLE: as many as the input's number, all blank but the last. Blank is an amount
 * of -1 with an empty script, what a fresh output was in the first implementation. */
static void hash_single_output(struct sha256 *h, const struct tx *tx, uint32_t input)
{
    ASSERT(input < tx->n_out);
    struct hash_sink sink;
    struct writer w = {.sink = hash_sink_write, .sink_ctx = &sink};
    sink.h = *h;
    sink.len = 0;
    write_compact_size(&w, (uint64_t)input + 1);
    static const uint8_t blank[BLANK_OUTPUT_BYTES] = {0xff, 0xff, 0xff, 0xff, 0xff,
                                                      0xff, 0xff, 0xff, 0x00};
    for (uint32_t i = 0; i < input; i++)
        write_bytes(&w, blank, sizeof blank);
    tx_out_encode(&w, &tx->out[input]);
    write_u32(&w, tx->lock_time);
    sha256_update(&sink.h, sink.bytes, sink.len);
    *h = sink.h;
}

/* Hash the outputs that hash_type covers, and the lock time. With NONE no outputs are there at all,
 * not even blank ones. */
static void hash_outputs(struct sha256 *h, const struct sighash_skeleton *skeleton,
                         const struct tx *tx, uint32_t input, uint32_t hash_type)
{
    if (is_single(hash_type)) {
        hash_single_output(h, tx, input);
    } else if (is_none(hash_type)) {
        uint8_t end[5];
        struct writer w = writer_to_buffer(end, sizeof end);
        write_compact_size(&w, 0);
        write_u32(&w, tx->lock_time);
        sha256_update(h, end, w.len);
    } else {
        size_t at = skeleton_input_at(tx, tx->n_in);
        sha256_update(h, skeleton->bytes.p + at, skeleton->bytes.len - at);
    }
}

/* All of a legacy digest but its last four bytes. With ANYONECANPAY the transaction looks as if
 * this input were its only one. The other inputs' sequences are zero unless all outputs are
 * signed. */
static struct sha256 hash_legacy(struct sighash_cache *cache, const struct tx *tx, uint32_t input,
                                 struct span script_code, uint32_t hash_type)
{
    bool anyone = (hash_type & SIGHASH_ANYONECANPAY) != 0;
    struct sighash_skeleton *skeleton =
        skeleton_get(cache, tx, is_single(hash_type) || is_none(hash_type));
    const uint8_t *bytes = skeleton->bytes.p;
    struct sha256 h;
    if (anyone) {
        uint8_t one = 1;
        sha256_init(&h);
        sha256_update(&h, bytes, 4);
        sha256_update(&h, &one, 1);
    } else {
        h = hash_inputs_before(skeleton, tx, input);
    }

    uint8_t sequence[4];
    struct writer w = writer_to_buffer(sequence, sizeof sequence);
    write_u32(&w, tx->in[input].sequence);
    sha256_update(&h, bytes + skeleton_input_at(tx, input), 36);
    hash_script_code(&h, script_code);
    sha256_update(&h, sequence, sizeof sequence);
    if (!anyone) {
        size_t next = skeleton_input_at(tx, input + 1);
        sha256_update(&h, bytes + next, skeleton_input_at(tx, tx->n_in) - next);
    }
    hash_outputs(&h, skeleton, tx, input, hash_type);
    return h;
}

void sighash_legacy(struct sighash_cache *cache, const struct tx *tx, uint32_t input,
                    struct span script_code, uint32_t hash_type, uint8_t out[32])
{
    ASSERT(input < tx->n_in);
    /* A bug of the first implementation that became a rule: signing the number 1 signs nothing. */
    if (is_single(hash_type) && input >= tx->n_out) {
        memset(out, 0, 32);
        out[0] = 1;
        return;
    }
    struct sighash_midstate *midstate = midstate_of(cache, hash_type);
    if (!midstate_fits(midstate, script_code, false)) {
        struct sha256 h = hash_legacy(cache, tx, input, script_code, hash_type);
        midstate_fill(midstate, script_code, false, &h);
    }
    midstate_finish(&midstate->state, hash_type, out);
}

/* ---- segwit v0 ---- */

/* SHA-256 of one output: what SINGLE signs. */
static void hash_one_output(const struct tx_out *out, uint8_t hash[32])
{
    struct hash_sink sink;
    struct writer w = hash_sink_open(&sink);
    tx_out_encode(&w, out);
    hash_sink_close(&sink, hash);
}

/* All of a version 0 message but its last four bytes. A fixed order with hashes in place of lists;
 * what the type leaves out is a hash of zeros and not missing, so that the message has one length
 * but for the script. BIP-143, Specification */
static void v0_encode(struct writer *w, const struct sighash_v0_input *in,
                      const struct tx_sighash *sighash, struct span script_code, uint32_t hash_type)
{
    static const uint8_t zero[32] = {0};
    bool anyone = (hash_type & SIGHASH_ANYONECANPAY) != 0;
    bool all = !is_single(hash_type) && !is_none(hash_type);
    const struct tx_in *txin = &in->tx->in[in->input];
    uint8_t single[32];
    /* Zero where the type signs none. BIP-143, Specification */
    const uint8_t *outputs = all ? sighash->outputs32d : zero;
    if (is_single(hash_type) && in->input < in->tx->n_out) {
        hash_one_output(&in->tx->out[in->input], single);
        sha256(span_of(single, 32), single);
        outputs = single;
    }
    write_u32(w, in->tx->version);
    /* What the type leaves out is zero. BIP-143, Specification */
    write_bytes(w, anyone ? zero : sighash->prevouts32d, 32);
    write_bytes(w, anyone || !all ? zero : sighash->sequences32d, 32);
    write_outpoint(w, &txin->prevout);
    write_var_span(w, script_code);
    /* The amount too, so that nobody signs a fee he has not seen. BIP-143, Motivation */
    write_u64(w, (uint64_t)in->value_sat);
    write_u32(w, txin->sequence);
    write_bytes(w, outputs, 32);
    write_u32(w, in->tx->lock_time);
}

void sighash_v0(struct sighash_cache *cache, const struct sighash_v0_input *in,
                struct span script_code, uint32_t hash_type, uint8_t out[32])
{
    ASSERT(in->input < in->tx->n_in);
    struct tx_sighash local;
    const struct tx_sighash *sighash = in->sighash;
    if (!sighash || !sighash->has_v0) {
        sighash_fill(&local, in->tx, NULL, true, false);
        sighash = &local;
    }
    /* A key's hash is checked once: one call, no midstate to keep. */
    if (script_code.len <= V0_SMALL_SCRIPT_MAX) {
        uint8_t message[160 + V0_SMALL_SCRIPT_MAX];
        struct writer w = writer_to_buffer(message, sizeof message);
        v0_encode(&w, in, sighash, script_code, hash_type);
        write_u32(&w, hash_type);
        sha256d(span_of(message, w.len), out);
        return;
    }
    struct sighash_midstate *midstate = midstate_of(cache, hash_type);
    if (!midstate_fits(midstate, script_code, true)) {
        struct sha256 h;
        sha256_init(&h);
        struct writer w = writer_to_sha256(&h);
        v0_encode(&w, in, sighash, script_code, hash_type);
        midstate_fill(midstate, script_code, true, &h);
    }
    midstate_finish(&midstate->state, hash_type, out);
}

/* ---- taproot ---- */

/* The part of the message about this input. Its number stands for the outpoint where all outpoints
 * are signed already. With ANYONECANPAY it must not be there, as the signer cannot know it: hence
 * the outpoint, amount and script themselves. */
static void v1_encode_input(struct writer *w, const struct sighash_v1_input *in, bool anyone)
{
    /* The spend type. BIP-341, Common signature message */
    write_u8(w, (uint8_t)(in->is_script_path * 2 + in->has_annex));
    if (anyone) {
        const struct tx_in *txin = &in->tx->in[in->input];
        write_outpoint(w, &txin->prevout);
        tx_out_encode(w, &in->spent[in->input]);
        write_u32(w, txin->sequence);
    } else {
        write_u32(w, in->input);
    }
    /* BIP-341, Common signature message */
    if (in->has_annex)
        write_bytes(w, in->annex_hash, 32);
}

/* The message of version 1, after its tag. Unlike the older ones it has one form for each set of
 * things signed, so that no two types can share a digest. DEFAULT and ALL sign the same things and
 * are still two digests, as the type is in front. BIP-341, Common signature message */
static void v1_encode(struct writer *w, const struct sighash_v1_input *in,
                      const struct tx_sighash *sighash, uint8_t hash_type)
{
    bool anyone = (hash_type & SIGHASH_ANYONECANPAY) != 0;
    uint8_t output_type = hash_type & 3;
    write_u8(w, 0); /* epoch. BIP-341, Taproot key path spending signature validation */
    write_u8(w, hash_type);
    write_u32(w, in->tx->version);
    write_u32(w, in->tx->lock_time);
    if (!anyone) {
        write_bytes(w, sighash->prevouts32, 32);
        write_bytes(w, sighash->amounts32, 32);
        write_bytes(w, sighash->scripts32, 32);
        write_bytes(w, sighash->sequences32, 32);
    }
    if (output_type == SIGHASH_ALL || output_type == SIGHASH_DEFAULT)
        write_bytes(w, sighash->outputs32, 32);
    v1_encode_input(w, in, anyone);
    /* BIP-341, Common signature message */
    if (output_type == SIGHASH_SINGLE) {
        uint8_t single[32];
        hash_one_output(&in->tx->out[in->input], single);
        write_bytes(w, single, 32);
    }
    /* BIP-342, Common Signature Message Extension */
    if (in->is_script_path) {
        write_bytes(w, in->leaf_hash, 32);
        write_u8(w, 0); /* key version */
        write_u32(w, in->codesep_pos);
    }
}

bool sighash_v1(const struct sighash_v1_input *in, uint8_t hash_type, uint8_t out[32])
{
    ASSERT(in->input < in->tx->n_in && in->spent);
    /* Nothing is left undefined: 0 to 3, and 0x81 to 0x83. BIP-341, Common signature message */
    uint8_t plain = hash_type & (uint8_t)~SIGHASH_ANYONECANPAY;
    if (plain > SIGHASH_SINGLE || hash_type == SIGHASH_ANYONECANPAY)
        return false;
    /* No output to sign: an error, no digest as before. BIP-341, Common signature message */
    if (plain == SIGHASH_SINGLE && in->input >= in->tx->n_out)
        return false;

    struct tx_sighash local;
    const struct tx_sighash *sighash = in->sighash;
    /* A digest of outputs that are not there would be another transaction's. Core:
     * MissingDataBehavior::FAIL */
    if (sighash && sighash->lacks_spent)
        return false;
    if (!sighash || !sighash->has_v1) {
        sighash_fill(&local, in->tx, in->spent, false, true);
        sighash = &local;
    }
    struct hash_sink sink;
    struct writer w = hash_sink_open(&sink);
    tagged_hash_init(&sink.h, HASH_TAG_TAP_SIGHASH);
    v1_encode(&w, in, sighash, hash_type);
    hash_sink_close(&sink, out);
    return true;
}
