/* bloom.c - see bloom.h. */
#include "p2p/core/bloom.h"

#include "consensus/script_type.h"
#include "util/alloc.h"

/* -- The filter -------------------------------------------------------------------------------- */

static uint32_t rotate(uint32_t x, unsigned n)
{
    return x << n | x >> (32 - n);
}

/* Version 3 of Murmur, of 32 bits. BIP-37, Bloom filter format */
static uint32_t murmur3(uint32_t seed, struct span in)
{
    const uint32_t c1 = 0xcc9e2d51, c2 = 0x1b873593;
    uint32_t h = seed, k;
    size_t at = 0;
    for (; in.len - at >= 4; at += 4) {
        k = in.p[at] | (uint32_t)in.p[at + 1] << 8 | (uint32_t)in.p[at + 2] << 16 |
            (uint32_t)in.p[at + 3] << 24;
        h ^= rotate(k * c1, 15) * c2;
        h = rotate(h, 13) * 5 + 0xe6546b64;
    }
    k = 0;
    for (size_t i = in.len; i > at; i--)
        k = k << 8 | in.p[i - 1];
    h ^= rotate(k * c1, 15) * c2;
    h ^= (uint32_t)in.len;
    h = (h ^ h >> 16) * 0x85ebca6b;
    h = (h ^ h >> 13) * 0xc2b2ae35;
    return h ^ h >> 16;
}

static uint32_t bit_of(const struct bloom *bloom, uint32_t function, struct span element)
{
    ASSERT(bloom->len > 0 && bloom->len <= BLOOM_BYTES_MAX);
    return murmur3(function * 0xfba4c795u + bloom->tweak, element) % (uint32_t)(bloom->len * 8);
}

struct bloom *bloom_read(struct reader *r, bool *is_too_large)
{
    uint64_t len = read_compact_size(r);
    *is_too_large = !r->failed && len > BLOOM_BYTES_MAX;
    if (r->failed || *is_too_large)
        return NULL;
    struct span bits = read_span(r, (size_t)len);
    struct bloom bloom = {.len = bits.len};
    bloom.n_functions = read_u32(r);
    bloom.tweak = read_u32(r);
    bloom.flags = read_u8(r);
    *is_too_large = !r->failed && bloom.n_functions > BLOOM_FUNCTIONS_MAX;
    if (r->failed || *is_too_large)
        return NULL;
    struct bloom *made = xmalloc(sizeof *made);
    *made = bloom;
    made->bits = xmemdup(bits.p, bits.len);
    return made;
}

struct bloom *bloom_copy(const struct bloom *bloom)
{
    ASSERT(bloom->len <= BLOOM_BYTES_MAX);
    struct bloom *copy = xmalloc(sizeof *copy);
    *copy = *bloom;
    copy->bits = xmemdup(bloom->bits, bloom->len);
    return copy;
}

void bloom_merge(struct bloom *bloom, const struct bloom *copy)
{
    ASSERT(bloom->len == copy->len && bloom->n_functions == copy->n_functions &&
           bloom->tweak == copy->tweak);
    for (size_t i = 0; i < bloom->len; i++)
        bloom->bits[i] |= copy->bits[i];
}

void bloom_free(struct bloom *bloom)
{
    if (!bloom)
        return;
    xfree(bloom->bits);
    xfree(bloom);
}

void bloom_insert(struct bloom *bloom, struct span element)
{
    if (bloom->len == 0)
        return;
    for (uint32_t i = 0; i < bloom->n_functions; i++) {
        uint32_t bit = bit_of(bloom, i, element);
        bloom->bits[bit / 8] |= (uint8_t)(1u << bit % 8);
    }
}

bool bloom_has(const struct bloom *bloom, struct span element)
{
    if (bloom->len == 0)
        return true;
    for (uint32_t i = 0; i < bloom->n_functions; i++) {
        uint32_t bit = bit_of(bloom, i, element);
        if (!(bloom->bits[bit / 8] >> bit % 8 & 1))
            return false;
    }
    return true;
}

/* -- Transactions ------------------------------------------------------------------------------ */

struct outpoint_bytes {
    uint8_t b[36];
};

static struct outpoint_bytes encode_outpoint(const struct txid *txid, uint32_t vout)
{
    struct outpoint_bytes bytes;
    struct writer w = writer_to_buffer(bytes.b, sizeof bytes.b);
    write_bytes(&w, txid->b, 32);
    write_u32(&w, vout);
    return bytes;
}

/* An empty push is no element. What is behind a push that is cut short is none either. */
static bool has_element_of(const struct bloom *bloom, struct span script)
{
    struct script_iter it = script_iter_of(script);
    struct script_op op;
    while (script_next(&it, &op))
        if (op.push.len > 0 && bloom_has(bloom, op.push))
            return true;
    return false;
}

static bool adds_output(const struct bloom *bloom, struct span script)
{
    if ((bloom->flags & BLOOM_UPDATE_MASK) == BLOOM_UPDATE_ALL)
        return true;
    if ((bloom->flags & BLOOM_UPDATE_MASK) != BLOOM_UPDATE_PUBKEY_ONLY)
        return false;
    enum script_type type = script_solve(script).type;
    return type == SCRIPT_TYPE_PUBKEY || type == SCRIPT_TYPE_MULTISIG;
}

/* All outputs are looked at, whatever matches before: each may have to be added.
 * BIP-37, Filter matching algorithm */
bool bloom_matches_tx(struct bloom *bloom, const struct tx *tx)
{
    bool found = bloom_has(bloom, span_of(tx->txid.b, 32));
    for (uint32_t i = 0; i < tx->n_out; i++) {
        struct span script = tx->out[i].script_pubkey;
        if (!has_element_of(bloom, script))
            continue;
        found = true;
        if (adds_output(bloom, script)) {
            struct outpoint_bytes output = encode_outpoint(&tx->txid, i);
            bloom_insert(bloom, span_of(output.b, sizeof output.b));
        }
    }
    for (uint32_t i = 0; i < tx->n_in && !found; i++) {
        const struct tx_in *in = &tx->in[i];
        struct outpoint_bytes spent = encode_outpoint(&in->prevout.txid, in->prevout.vout);
        found = bloom_has(bloom, span_of(spent.b, sizeof spent.b)) ||
                has_element_of(bloom, in->script_sig);
    }
    return found;
}
