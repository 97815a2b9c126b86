/* study_load.c - see study_load.h */
#include "sim/study/study_load.h"

#include <string.h>

#include "consensus/opcodes.h"
#include "consensus/sighash.h"
#include "consensus/tx.h"
#include "crypto/key.h"
#include "util/arena.h"
#include "util/array.h"
#include "util/hex.h"

#define FEE_LEAST_SAT 200 /* above the least that is relayed, for what is made here */
#define FEE_SPAN_SAT  4000
#define LEAST_SAT     20000 /* smaller coins are spent no more */
#define SCRIPT_BYTES  22    /* OP_0 and a push of 20 bytes */
#define CODE_BYTES    25
#define WITNESS_BYTES (1 + 1 + ECDSA_SIG_MAX + 1 + 1 + 33)

struct study_load {
    struct sim_random random;
    struct ec_context *context;
    uint8_t key[32], pubkey[33];
    uint8_t script[SCRIPT_BYTES], code[CODE_BYTES];
    struct sighash_cache cache;
    ARRAY(struct sim_coin) coins; /* from first on, the oldest first */
    size_t first;
};

/* OP_DUP OP_HASH160 <hash of the key> OP_EQUALVERIFY OP_CHECKSIG. BIP-143, Native P2WPKH */
static void write_scripts(struct study_load *load)
{
    uint8_t hash[20];
    hash160(span_of(load->pubkey, sizeof load->pubkey), hash);
    load->script[0] = 0;
    load->script[1] = sizeof hash;
    memcpy(load->script + 2, hash, sizeof hash);
    const uint8_t head[] = {OP_DUP, OP_HASH160, sizeof hash},
                  tail[] = {OP_EQUALVERIFY, OP_CHECKSIG};
    memcpy(load->code, head, sizeof head);
    memcpy(load->code + sizeof head, hash, sizeof hash);
    memcpy(load->code + sizeof head + sizeof hash, tail, sizeof tail);
}

struct study_load *study_load_new(struct sim_random random)
{
    static const uint8_t seed[32] = {1};
    struct study_load *load = xcalloc(1, sizeof *load);
    load->random = random;
    memset(load->key, 0x5d, sizeof load->key);
    load->context = ec_context_new(seed);
    struct ec_pubkey pubkey;
    bool is_good = seckey_pubkey(load->context, load->key, &pubkey);
    ASSERT(is_good);
    uint8_t out[65];
    size_t n = ec_pubkey_serialize(&pubkey, true, out);
    ASSERT(n == sizeof load->pubkey);
    memcpy(load->pubkey, out, n);
    write_scripts(load);
    sighash_cache_init(&load->cache);
    return load;
}

void study_load_free(struct study_load *load)
{
    if (!load)
        return;
    ec_context_free(load->context);
    sighash_cache_deinit(&load->cache);
    ARRAY_FREE(&load->coins);
    xfree(load);
}

struct span study_load_script(const struct study_load *load)
{
    ASSERT(load);
    return span_of(load->script, sizeof load->script);
}

void study_load_add(struct study_load *load, const struct sim_coin *coin)
{
    ASSERT(load && coin);
    if (coin->value_sat < LEAST_SAT)
        return;
    if (load->first > 0 && load->first == load->coins.n)
        load->first = load->coins.n = 0;
    *ARRAY_ADD(&load->coins) = *coin;
}

/* -- Making ----------------------------------------------------------------------------------- */

/* What is behind may be moved to the front once it is most of the array. */
static struct sim_coin take(struct study_load *load)
{
    struct sim_coin coin = load->coins.at[load->first++];
    if (load->first > load->coins.n / 2) {
        load->coins.n -= load->first;
        memmove(load->coins.at, load->coins.at + load->first,
                load->coins.n * sizeof *load->coins.at);
        load->first = 0;
    }
    return coin;
}

/* A witness of two items: the signature with its hash type, the key. */
static void sign(struct study_load *load, struct tx *tx, uint32_t input, int64_t value_sat,
                 uint8_t witness[WITNESS_BYTES])
{
    uint8_t digest[32], sig[ECDSA_SIG_MAX];
    const struct sighash_v0_input in = {.tx = tx, .input = input, .value_sat = value_sat};
    sighash_cache_begin_input(&load->cache);
    sighash_v0(&load->cache, &in, span_of(load->code, sizeof load->code), SIGHASH_ALL, digest);
    size_t n = ecdsa_sign(load->context, load->key, digest, sig);
    ASSERT(n > 0);
    struct writer w = writer_to_buffer(witness, WITNESS_BYTES);
    write_u8(&w, 2);
    write_u8(&w, (uint8_t)(n + 1));
    write_span(&w, span_of(sig, n));
    write_u8(&w, SIGHASH_ALL);
    write_u8(&w, sizeof load->pubkey);
    write_span(&w, span_of(load->pubkey, sizeof load->pubkey));
    tx->in[input].witness = span_of(witness, w.len);
}

/* Take the coins; returns what they are worth. */
static int64_t spend(struct study_load *load, struct tx *tx, int64_t value_sat[STUDY_LOAD_INPUTS])
{
    size_t wanted = 1 + sim_random_below(&load->random, STUDY_LOAD_INPUTS);
    int64_t total_sat = 0;
    while (tx->n_in < wanted && load->first < load->coins.n) {
        struct sim_coin coin = take(load);
        value_sat[tx->n_in] = coin.value_sat;
        tx->in[tx->n_in++] = (struct tx_in){.prevout = coin.outpoint, .sequence = UINT32_MAX};
        total_sat += coin.value_sat;
    }
    return total_sat;
}

static void tell(const struct tx *tx, struct study_tx *made)
{
    made->bytes = tx->raw.len;
    made->n_coins = tx->n_out;
    for (uint32_t i = 0; i < tx->n_out; i++)
        made->coin[i] = (struct sim_coin){.outpoint = {.txid = tx->txid, .vout = i},
                                          .value_sat = tx->out[i].value_sat};
    hex_encode_reversed(made->id, span_of(tx->txid.b, sizeof tx->txid.b));
    made->hex = xmalloc(2 * tx->raw.len + 1);
    hex_encode(made->hex, tx->raw);
}

bool study_load_make(struct study_load *load, struct study_tx *made)
{
    ASSERT(load && made);
    struct tx_in in[STUDY_LOAD_INPUTS];
    struct tx_out out[STUDY_LOAD_OUTPUTS];
    int64_t value_sat[STUDY_LOAD_INPUTS];
    uint8_t witness[STUDY_LOAD_INPUTS][WITNESS_BYTES];
    struct tx tx = {.version = 2, .in = in, .out = out};
    int64_t left_sat = spend(load, &tx, value_sat);
    if (tx.n_in == 0)
        return false;
    left_sat -= FEE_LEAST_SAT + (int64_t)sim_random_below(&load->random, FEE_SPAN_SAT);
    tx.n_out = STUDY_LOAD_OUTPUTS;
    int64_t part = left_sat / 4 + (int64_t)sim_random_below(&load->random, (uint64_t)left_sat / 2);
    out[0] = (struct tx_out){.value_sat = part, .script_pubkey = study_load_script(load)};
    out[1] = (struct tx_out){.value_sat = left_sat - part, .script_pubkey = out[0].script_pubkey};
    struct arena arena;
    arena_init(&arena, 4096);
    tx_finish(&tx, &arena);
    for (uint32_t i = 0; i < tx.n_in; i++)
        sign(load, &tx, i, value_sat[i], witness[i]);
    tx_finish(&tx, &arena);
    tell(&tx, made);
    arena_deinit(&arena);
    return true;
}
