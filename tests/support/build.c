/* build.c - transactions and blocks made for tests. */
#include "support/build.h"

#include "consensus/block_check.h"
#include "consensus/merkle.h"
#include "consensus/pow.h"
#include "consensus/script_iter.h"

static const uint8_t op_true[1] = {OP_1};

struct tx build_tx(struct arena *arena, uint32_t salt, uint32_t n_in, uint32_t n_out)
{
    struct tx tx = {.version = 2, .n_in = n_in, .n_out = n_out};
    tx.in = arena_calloc(arena, n_in ? n_in : 1, sizeof *tx.in);
    tx.out = arena_calloc(arena, n_out ? n_out : 1, sizeof *tx.out);
    for (uint32_t i = 0; i < n_in; i++) {
        memcpy(tx.in[i].prevout.txid.b, &salt, 4);
        memcpy(tx.in[i].prevout.txid.b + 4, &i, 4);
        tx.in[i].prevout.txid.b[31] = 1;
        tx.in[i].prevout.vout = i % 3;
        tx.in[i].sequence = SEQUENCE_FINAL;
    }
    for (uint32_t i = 0; i < n_out; i++)
        tx.out[i] =
            (struct tx_out){.value_sat = 1000, .script_pubkey = span_of(op_true, sizeof op_true)};
    return tx;
}

struct tx build_coinbase(struct arena *arena, int32_t height, int64_t value_sat)
{
    struct tx tx = build_tx(arena, 0, 1, 1);
    memset(tx.in[0].prevout.txid.b, 0, 32);
    tx.in[0].prevout.vout = OUTPOINT_INDEX_NULL;
    uint8_t *script = arena_alloc(arena, SCRIPT_NUM_PUSH_MAX + 1);
    size_t len = script_push_number(script, height);
    script[len++] = OP_0; /* two bytes are the least */
    tx.in[0].script_sig = span_of(script, len);
    tx.out[0].value_sat = value_sat;
    tx_finish(&tx, arena);
    return tx;
}

struct span build_witness(struct arena *arena, const struct span *items, size_t n)
{
    size_t size = 9;
    for (size_t i = 0; i < n; i++)
        size += 9 + items[i].len;
    uint8_t *bytes = arena_alloc(arena, size);
    struct writer w = writer_to_buffer(bytes, size);
    write_compact_size(&w, n);
    for (size_t i = 0; i < n; i++)
        write_var_span(&w, items[i]);
    return span_of(bytes, w.len);
}

void build_block_again(struct arena *arena, struct block *block)
{
    for (uint32_t i = 0; i < block->n_tx; i++)
        tx_finish(&block->tx[i], arena);
    struct writer count = writer_counting();
    block_encode(&count, block, true);
    uint8_t *raw = arena_alloc(arena, count.len);
    struct writer w = writer_to_buffer(raw, count.len);
    block_encode(&w, block, true);
    ASSERT(block_decode(span_of(raw, count.len), arena, block));
}

void build_set_merkle_root(struct arena *arena, struct block *block)
{
    (void)!block_merkle_root(block, arena, block->header.merkle_root);
    build_block_again(arena, block);
}

struct block build_block(struct arena *arena, const struct tx *tx, uint32_t n_tx)
{
    struct block block = {.n_tx = n_tx};
    block.header.version = 0x20000000;
    block.header.time = 1700000000;
    block.header.bits = 0x207fffff;
    block.tx = arena_alloc(arena, n_tx * sizeof *tx);
    if (n_tx)
        memcpy(block.tx, tx, n_tx * sizeof *tx);
    build_block_again(arena, &block);
    build_set_merkle_root(arena, &block);
    return block;
}

struct block build_segwit_block(struct arena *arena, const struct tx *tx, uint32_t n_tx)
{
    static const uint8_t nonce[32] = {7};
    struct span nonce_item = span_of(nonce, sizeof nonce);
    struct block block = build_block(arena, tx, n_tx);

    uint8_t *script = arena_calloc(arena, 1, BLOCK_COMMITMENT_BYTES);
    memcpy(script, "\x6a\x24\xaa\x21\xa9\xed", 6);
    uint8_t root[32];
    block_witness_merkle_root(&block, arena, root);
    block_commitment_compute(root, nonce, script + 6);

    struct tx *coinbase = &block.tx[0];
    struct tx_out *out = arena_alloc(arena, (coinbase->n_out + 1) * sizeof *out);
    memcpy(out, coinbase->out, coinbase->n_out * sizeof *out);
    out[coinbase->n_out++] =
        (struct tx_out){.script_pubkey = span_of(script, BLOCK_COMMITMENT_BYTES)};
    coinbase->out = out;
    coinbase->in[0].witness = build_witness(arena, &nonce_item, 1);
    tx_finish(coinbase, arena);
    build_block_again(arena, &block);
    build_set_merkle_root(arena, &block);
    return block;
}

void build_grind(struct arena *arena, struct block *block, const struct network *network)
{
    struct block_hash hash = block_header_hash(&block->header);
    while (!pow_check(network, &hash, block->header.bits)) {
        block->header.nonce++;
        hash = block_header_hash(&block->header);
    }
    build_block_again(arena, block);
}
