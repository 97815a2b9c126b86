/* chain_builder.c - see chain_builder.h. */
#include "support/chain_builder.h"

#include "consensus/opcodes.h"
#include "consensus/pow.h"
#include "consensus/script_iter.h"
#include "support/build.h"
#include "util/alloc.h"

#define BUILDER_FIRST_TIME UINT32_C(1690000000) /* before the clock of sim_env begins */

static const uint8_t script_true[] = {OP_1};
static const uint8_t script_false[] = {OP_0};
static const uint8_t script_return[] = {OP_RETURN};
/* OP_0 and SHA-256 of script_true */
static const uint8_t script_wsh_true[] = {0x00, 0x20, 0x4a, 0xe8, 0x15, 0x72, 0xf0, 0x6e, 0x1b,
                                          0x88, 0xfd, 0x5c, 0xed, 0x7a, 0x1a, 0x00, 0x09, 0x45,
                                          0x43, 0x2e, 0x83, 0xe1, 0x55, 0x1e, 0x6f, 0x72, 0x1e,
                                          0xe9, 0xc0, 0x0b, 0x8c, 0xc3, 0x32, 0x60};
/* clang-format off */
/* OP_1 and 59 times OP_NOP */
static const uint8_t script_long[] = {
    OP_1, OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, 
    OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, 
    OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, 
    OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, 
    OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, 
    OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP, OP_NOP};
/* clang-format on */

struct span builder_script_bytes(enum builder_script script)
{
    switch (script) {
    case BUILDER_TRUE:
        return span_of(script_true, sizeof script_true);
    case BUILDER_WSH_TRUE:
        return span_of(script_wsh_true, sizeof script_wsh_true);
    case BUILDER_FALSE:
        return span_of(script_false, sizeof script_false);
    case BUILDER_LONG:
        return span_of(script_long, sizeof script_long);
    case BUILDER_RETURN:
        break;
    }
    return span_of(script_return, sizeof script_return);
}

void chain_builder_init(struct chain_builder *builder)
{
    *builder = (struct chain_builder){.network = *network_get(NETWORK_REGTEST)};
    arena_init(&builder->arena, 1 << 20);
    struct built_block *genesis = arena_calloc(&builder->arena, 1, sizeof *genesis);
    ASSERT(block_decode(builder->network.genesis_raw, &builder->arena, &genesis->block));
    builder->genesis = genesis;
}

void chain_builder_deinit(struct chain_builder *builder)
{
    arena_deinit(&builder->arena);
}

/* A coinbase that no other block has. */
static struct tx make_coinbase(struct chain_builder *builder, int32_t height,
                               const struct builder_spec *spec)
{
    int64_t value_sat = pow_subsidy_sat(&builder->network, height) + spec->extra_sat;
    struct tx tx = build_coinbase(&builder->arena, height, value_sat);
    uint8_t *script = arena_alloc(&builder->arena, SCRIPT_NUM_PUSH_MAX + 5);
    size_t len = script_push_number(script, height);
    script[len++] = sizeof builder->salt;
    memcpy(script + len, &builder->salt, sizeof builder->salt);
    builder->salt++;
    tx.in[0].script_sig = span_of(script, len + sizeof builder->salt);
    tx.out[0].script_pubkey = builder_script_bytes(spec->coinbase_script);
    tx_finish(&tx, &builder->arena);
    return tx;
}

static bool has_witness(const struct tx *tx, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (tx[i].has_witness)
            return true;
    return false;
}

const struct built_block *builder_block_of(struct chain_builder *builder,
                                           const struct built_block *prev, const struct tx *tx,
                                           uint32_t n_tx, uint32_t time)
{
    struct arena *arena = &builder->arena;
    struct built_block *made = arena_calloc(arena, 1, sizeof *made);
    made->prev = prev;
    made->height = prev->height + 1;
    made->block =
        has_witness(tx, n_tx) ? build_segwit_block(arena, tx, n_tx) : build_block(arena, tx, n_tx);
    struct block_header *header = &made->block.header;
    uint32_t after = prev->prev ? prev->block.header.time + 60 : BUILDER_FIRST_TIME;
    header->prev = prev->block.hash;
    header->time = time ? time : after;
    build_block_again(arena, &made->block);
    build_grind(arena, &made->block, &builder->network);
    return made;
}

const struct built_block *builder_block(struct chain_builder *builder,
                                        const struct built_block *prev,
                                        const struct builder_spec *spec)
{
    static const struct builder_spec plain = {0};
    if (!spec)
        spec = &plain;
    struct tx *tx = arena_alloc(&builder->arena, (spec->n_tx + 1) * sizeof *tx);
    tx[0] = make_coinbase(builder, prev->height + 1, spec);
    for (uint32_t i = 0; i < spec->n_tx; i++)
        tx[i + 1] = spec->tx[i];
    return builder_block_of(builder, prev, tx, spec->n_tx + 1, spec->time);
}

const struct built_block *builder_blocks(struct chain_builder *builder,
                                         const struct built_block *prev, size_t n,
                                         const struct built_block **blocks)
{
    for (size_t i = 0; i < n; i++) {
        prev = builder_block(builder, prev, NULL);
        if (blocks)
            blocks[i] = prev;
    }
    return prev;
}

const struct built_block *built_ancestor(const struct built_block *block, int32_t height)
{
    while (block && block->height > height)
        block = block->prev;
    return block;
}

uint8_t *built_bytes(const struct built_block *block)
{
    return xmemdup(block->block.raw.p, block->block.raw.len);
}

struct builder_coin builder_coin_of(const struct tx *tx, uint32_t i, enum builder_script script)
{
    ASSERT(i < tx->n_out);
    return (struct builder_coin){.outpoint = {.txid = tx->txid, .vout = i},
                                 .value_sat = tx->out[i].value_sat,
                                 .script = script};
}

struct builder_coin builder_coinbase_coin(const struct built_block *block)
{
    const struct tx *tx = &block->block.tx[0];
    enum builder_script script = BUILDER_TRUE;
    while (script < BUILDER_RETURN &&
           !span_equal(builder_script_bytes(script), tx->out[0].script_pubkey))
        script++;
    return builder_coin_of(tx, 0, script);
}

struct tx builder_spend(struct chain_builder *builder, const struct builder_coin *coins, uint32_t n,
                        uint32_t n_out, int64_t fee_sat, enum builder_script script)
{
    struct arena *arena = &builder->arena;
    struct tx tx = build_tx(arena, 0, n, n_out);
    int64_t total_sat = -fee_sat;
    struct span witness = span_of(script_true, sizeof script_true);
    for (uint32_t i = 0; i < n; i++) {
        tx.in[i].prevout = coins[i].outpoint;
        if (coins[i].script == BUILDER_WSH_TRUE)
            tx.in[i].witness = build_witness(arena, &witness, 1);
        total_sat += coins[i].value_sat;
    }
    for (uint32_t i = 0; i < n_out; i++) {
        tx.out[i].value_sat = total_sat / n_out + (i == 0 ? total_sat % n_out : 0);
        tx.out[i].script_pubkey = builder_script_bytes(script);
    }
    tx_finish(&tx, arena);
    return tx;
}
