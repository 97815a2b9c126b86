/* bench_wire_make.c - the load of tests/bench/wire: a chain, what spends its coins, blocks of it.
 *
 * usage: bench_wire_make KIND TXS BLOCKS BLOCK_TXS FOLDER
 *
 * KIND p2wpkh: one signature each, every one by a key of its own; p2wsh: of OP_TRUE, none. Writes
 * into the folder: chain.dat, for -loadblock; load, what wire_load sends; txs.hex, the same for
 * RPC, one a line; blocks.hex, each of the next BLOCK_TXS transactions on the block before. The
 * same arguments give the same bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/sighash.h"
#include "crypto/key.h"
#include "p2p/core/frame.h"
#include "p2p/core/wire.h"
#include "support/build.h"
#include "support/chain_builder.h"
#include "util/alloc.h"
#include "util/hex.h"

enum {
    FAN = 1000, /* outputs of one transaction */
    FANS_A_BLOCK = 20,
    FIRST_BLOCKS = 160, /* the first 60 coinbases are mature after them */
    INVS_A_MESSAGE = 1000,
    P2WPKH_BYTES = 22,
};

struct load {
    struct chain_builder builder;
    const struct built_block *tip;
    struct ec_context *ec;
    bool is_signed;
    size_t n_txs;
    struct tx *txs;
    const char *folder;
};

static FILE *open_file(const struct load *load, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", load->folder, name);
    FILE *file = fopen(path, "wb");
    ASSERT(file);
    return file;
}

static void put(FILE *file, const void *p, size_t n)
{
    ASSERT(fwrite(p, 1, n, file) == n);
}

static void put_u32(FILE *file, uint32_t value)
{
    put(file, &value, sizeof value); /* read on the same machine */
}

static void close_file(FILE *file)
{
    ASSERT(fclose(file) == 0);
}

/* -- Transactions ------------------------------------------------------------------------------ */

static void key_of(size_t i, uint8_t key[32])
{
    memset(key, 0, 32);
    for (int k = 0; k < 8; k++)
        key[31 - k] = (uint8_t)((i + 1) >> (8 * k));
}

static struct span p2wpkh_of(struct load *load, size_t i, uint8_t pubkey33[33])
{
    uint8_t key[32];
    struct ec_pubkey pubkey;
    key_of(i, key);
    ASSERT(seckey_pubkey(load->ec, key, &pubkey));
    uint8_t bytes[65];
    ASSERT(ec_pubkey_serialize(&pubkey, true, bytes) == 33);
    memcpy(pubkey33, bytes, 33);
    uint8_t *script = arena_alloc(&load->builder.arena, P2WPKH_BYTES);
    script[0] = 0;
    script[1] = 20;
    hash160(span_of(pubkey33, 33), script + 2);
    return span_of(script, P2WPKH_BYTES);
}

/* Output k of fan number f is coin f * FAN + k. */
static struct tx make_fan(struct load *load, size_t f)
{
    struct builder_coin coin = builder_coinbase_coin(built_ancestor(load->tip, (int32_t)f + 1));
    struct tx fan = builder_spend(&load->builder, &coin, 1, FAN, 100000, BUILDER_WSH_TRUE);
    uint8_t pubkey[33];
    for (uint32_t k = 0; load->is_signed && k < FAN; k++)
        fan.out[k].script_pubkey = p2wpkh_of(load, f * FAN + k, pubkey);
    tx_finish(&fan, &load->builder.arena);
    return fan;
}

static void sign(struct load *load, struct tx *tx, size_t i, const struct tx_out *spent)
{
    struct arena *arena = &load->builder.arena;
    uint8_t pubkey[33], key[32], digest[32], sig[ECDSA_SIG_MAX + 1];
    uint8_t code[25] = {0x76, 0xa9, 0x14, [23] = 0x88, [24] = 0xac};
    (void)p2wpkh_of(load, i, pubkey);
    hash160(span_of(pubkey, 33), code + 3);
    struct sighash_cache cache;
    sighash_cache_init(&cache);
    struct tx_sighash sighash;
    tx_sighash_init_all(&sighash, tx, spent);
    struct sighash_v0_input in = {
        .tx = tx, .sighash = &sighash, .input = 0, .value_sat = spent->value_sat};
    sighash_v0(&cache, &in, span_of(code, sizeof code), SIGHASH_ALL, digest);
    sighash_cache_deinit(&cache);
    key_of(i, key);
    size_t len = ecdsa_sign(load->ec, key, digest, sig);
    sig[len] = SIGHASH_ALL;
    struct span items[2] = {span_of(sig, len + 1), span_of(pubkey, 33)};
    tx->in[0].witness = build_witness(arena, items, 2);
    tx_finish(tx, arena);
}

static struct tx make_spend(struct load *load, const struct tx *fan, size_t i)
{
    struct builder_coin coin = builder_coin_of(fan, (uint32_t)(i % FAN), BUILDER_WSH_TRUE);
    int64_t fee_sat = 200 + (int64_t)(i * 7919 % 20000);
    struct tx tx = builder_spend(&load->builder, &coin, 1, 1, fee_sat, BUILDER_WSH_TRUE);
    if (load->is_signed)
        sign(load, &tx, i, &fan->out[i % FAN]);
    return tx;
}

static void make_chain(struct load *load)
{
    struct chain_builder *builder = &load->builder;
    struct builder_spec spec = {.coinbase_script = BUILDER_WSH_TRUE};
    for (int i = 0; i < FIRST_BLOCKS; i++)
        load->tip = builder_block(builder, load->tip, &spec);
    struct tx fans[FANS_A_BLOCK];
    size_t n_fans = (load->n_txs + FAN - 1) / FAN;
    load->txs = xcalloc(n_fans * FAN, sizeof *load->txs);
    ASSERT(n_fans <= FIRST_BLOCKS - 100);
    for (size_t f = 0; f < n_fans;) {
        for (spec.n_tx = 0; spec.n_tx < FANS_A_BLOCK && f < n_fans; spec.n_tx++, f++) {
            fans[spec.n_tx] = make_fan(load, f);
            for (size_t k = 0; k < FAN; k++)
                load->txs[f * FAN + k] = make_spend(load, &fans[spec.n_tx], f * FAN + k);
        }
        spec.tx = fans;
        load->tip = builder_block(builder, load->tip, &spec);
    }
}

/* -- Files ------------------------------------------------------------------------------------- */

static void write_chain(const struct load *load)
{
    FILE *file = open_file(load, "chain.dat");
    for (int32_t height = 1; height <= load->tip->height; height++) {
        struct span raw = built_ancestor(load->tip, height)->block.raw;
        put(file, load->builder.network.magic, 4);
        put_u32(file, (uint32_t)raw.len);
        put(file, raw.p, raw.len);
    }
    close_file(file);
}

static void write_hex(FILE *file, struct span raw)
{
    char *text = xmalloc(2 * raw.len + 1);
    hex_encode(text, raw);
    fprintf(file, "%s\n", text);
    xfree(text);
}

static void put_message(FILE *file, const struct load *load, const char *name, struct span payload)
{
    uint8_t checksum[4], header[FRAME_HEADER_BYTES];
    frame_checksum(payload, checksum);
    frame_header_encode(header, load->builder.network.magic, name, payload.len, checksum);
    put(file, header, sizeof header);
    put(file, payload.p, payload.len);
}

static uint32_t bytes_since(FILE *file, long begin)
{
    return (uint32_t)(ftell(file) - begin);
}

/* A part: its length, then its bytes. */
static long begin_part(FILE *file)
{
    put_u32(file, 0);
    return ftell(file);
}

static void end_part(FILE *file, long begin)
{
    uint32_t len = bytes_since(file, begin);
    fseek(file, begin - (long)sizeof len, SEEK_SET);
    put_u32(file, len);
    fseek(file, 0, SEEK_END);
}

static void write_hello(FILE *file, const struct load *load)
{
    long begin = begin_part(file);
    struct wire_version version = {.version = 70016, .services = 9, .nonce = 1, .relay = true};
    uint8_t bytes[400];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    wire_version_encode(&w, &version);
    put_message(file, load, "version", span_of(bytes, w.len));
    put_message(file, load, "wtxidrelay", span_of(NULL, 0));
    put_message(file, load, "verack", span_of(NULL, 0));
    end_part(file, begin);
}

static void write_invs(FILE *file, const struct load *load)
{
    long begin = begin_part(file);
    uint8_t bytes[9 + INVS_A_MESSAGE * WIRE_INV_BYTES];
    for (size_t at = 0; at < load->n_txs; at += INVS_A_MESSAGE) {
        size_t n = MIN_OF(load->n_txs - at, (size_t)INVS_A_MESSAGE);
        struct writer w = writer_to_buffer(bytes, sizeof bytes);
        write_compact_size(&w, n);
        for (size_t i = 0; i < n; i++) {
            struct wire_inv inv = {.type = INV_WTX};
            memcpy(inv.hash, load->txs[at + i].wtxid.b, 32);
            wire_inv_encode(&w, &inv);
        }
        put_message(file, load, "inv", span_of(bytes, w.len));
    }
    end_part(file, begin);
}

/* Hello, announcements, then each transaction: its wtxid and its message. */
static void write_load(const struct load *load)
{
    FILE *file = open_file(load, "load"), *hex = open_file(load, "txs.hex");
    write_hello(file, load);
    write_invs(file, load);
    put_u32(file, (uint32_t)load->n_txs);
    for (size_t i = 0; i < load->n_txs; i++) {
        long begin = begin_part(file);
        put(file, load->txs[i].wtxid.b, 32);
        put_message(file, load, "tx", load->txs[i].raw);
        end_part(file, begin);
        write_hex(hex, load->txs[i].raw);
    }
    close_file(file);
    close_file(hex);
}

static void write_blocks(struct load *load, size_t n_blocks, size_t n_txs)
{
    ASSERT(n_blocks * n_txs <= load->n_txs);
    FILE *file = open_file(load, "blocks.hex");
    for (size_t i = 0; i < n_blocks; i++) {
        struct builder_spec spec = {.tx = load->txs + i * n_txs,
                                    .n_tx = (uint32_t)n_txs,
                                    .coinbase_script = BUILDER_WSH_TRUE};
        load->tip = builder_block(&load->builder, load->tip, &spec);
        write_hex(file, load->tip->block.raw);
    }
    close_file(file);
}

int main(int argc, char **argv)
{
    static const uint8_t seed[32] = {1};
    if (argc != 6)
        return 2;
    struct load load = {.is_signed = strcmp(argv[1], "p2wpkh") == 0,
                        .n_txs = (size_t)atol(argv[2]),
                        .folder = argv[5],
                        .ec = ec_context_new(seed)};
    chain_builder_init(&load.builder);
    load.tip = load.builder.genesis;
    make_chain(&load);
    write_chain(&load);
    write_load(&load);
    printf("tip ");
    char hash[HEX_ID_BYTES];
    printf("%s\n", hex_encode_reversed(hash, span_of(load.tip->block.hash.b, 32)));
    write_blocks(&load, (size_t)atol(argv[3]), (size_t)atol(argv[4]));
    xfree(load.txs);
    chain_builder_deinit(&load.builder);
    ec_context_free(load.ec);
    return 0;
}
