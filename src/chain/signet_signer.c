/* signet_signer.c - see signet_signer.h. */
#include "chain/signet_signer.h"

#include "consensus/block_check.h"
#include "consensus/key_io.h"
#include "consensus/merkle.h"
#include "consensus/opcodes.h"
#include "consensus/script_write.h"
#include "consensus/sighash.h"
#include "consensus/signet.h"
#include "crypto/mem.h"
#include "spend/sign/sign_tx.h"
#include "util/alloc.h"
#include "util/hex.h"

#define SIGNER_ARENA_BYTES (4 << 10)

enum {
    SIGNER_KEYS = 2,      /* the key in its compressed form, and in the other */
    SCRIPTS_OF_A_KEY = 3, /* pay-to-key, pay-to-key-hash, multisig: what a hash may stand for */
};

struct signet_signer {
    const struct network *network;
    struct ec_context *ec;
    struct key_book book; /* the compressed key first */
    struct span script;   /* P2WPKH of the compressed key */
    bool needs_none;      /* anybody's block will do: OP_TRUE and the like */
    struct arena arena;   /* of scripts */
};

/* -- Keys and scripts ------------------------------------------------------------------------- */

static enum signet_signer_fault read_key(const struct network *network, const char *text,
                                         uint8_t secret[32])
{
    bool is_compressed; /* either form of the public key may be in the challenge */
    if (wif_decode(network, text, secret, &is_compressed))
        return SIGNET_SIGNER_OK;
    if (wif_decode(network_get(NETWORK_MAIN), text, secret, &is_compressed))
        return SIGNET_SIGNER_OTHER_NETWORK;
    bool is_key = hex_decode(secret, 32, text, strlen(text)) && seckey_is_valid(secret);
    return is_key ? SIGNET_SIGNER_OK : SIGNET_SIGNER_NO_KEY;
}

static struct span add_script(struct signet_signer *signer, struct span bytes)
{
    key_book_add_script(&signer->book, bytes);
    return bytes;
}

static struct span around(struct arena *arena, struct span head, struct span push, struct span tail)
{
    struct span begin = script_join(arena, head, script_push(arena, push));
    return script_join(arena, begin, tail);
}

/* A version 0 program. */
static struct span program_of(struct arena *arena, const uint8_t *hash, size_t len)
{
    static const uint8_t version[] = {OP_0};
    return around(arena, span_of(version, 1), span_of(hash, len), span_of(NULL, 0));
}

/* Challenges name some of these by their hash: those that the key alone satisfies are known. */
static void add_scripts(struct signet_signer *signer, const struct book_key *key)
{
    static const uint8_t hash_head[] = {OP_DUP, OP_HASH160},
                         hash_tail[] = {OP_EQUALVERIFY, OP_CHECKSIG}, one[] = {OP_1},
                         of_one[] = {OP_1, OP_CHECKMULTISIG};
    struct arena *arena = &signer->arena;
    struct span pubkey = span_of(key->pubkey, key->len), none = span_of(NULL, 0);
    size_t first = signer->book.scripts.n;
    add_script(signer, around(arena, none, pubkey, span_of(hash_tail + 1, 1)));
    add_script(signer,
               around(arena, span_of(hash_head, sizeof hash_head),
                      span_of(key->hash, sizeof key->hash), span_of(hash_tail, sizeof hash_tail)));
    add_script(signer,
               around(arena, span_of(one, sizeof one), pubkey, span_of(of_one, sizeof of_one)));
    /* The same once more inside P2SH: what that names is a program. */
    for (size_t i = 0; i < SCRIPTS_OF_A_KEY; i++)
        add_script(signer, program_of(arena, signer->book.scripts.at[first + i].sha256, 32));
}

static void fill_keys(struct signet_signer *signer, const uint8_t secret[32])
{
    for (size_t i = 0; i < SIGNER_KEYS; i++) {
        bool ok = key_book_add_secret(&signer->book, secret, i == 0);
        ASSERT(ok); /* seckey_is_valid(), wif_decode() */
        add_scripts(signer, &signer->book.keys.at[i]);
    }
    /* The key alone, as a taproot output without scripts. */
    bool ok = key_book_add_tap(&signer->book, signer->book.keys.at[0].pubkey + 1, NULL);
    ASSERT(ok);
    signer->script =
        add_script(signer, program_of(&signer->arena, signer->book.keys.at[0].hash, 20));
}

/* -- Signing ---------------------------------------------------------------------------------- */

/* Fill in what to_sign spends the challenge with, as far as the key goes. */
static void solve(const struct signet_signer *signer, struct signet_txs *txs, struct arena *arena)
{
    const struct sign_tx_request request = {
        .mode = SOLVE_SIGN, .book = &signer->book, .arena = arena};
    struct tx_sighash sighash;
    tx_sighash_init_all(&sighash, &txs->to_sign, txs->to_spend.out);
    (void)sign_tx_input(&request, &txs->to_sign, txs->to_spend.out, &sighash, 0);
    tx_finish(&txs->to_sign, arena);
}

static void set_script(struct block *block, uint32_t index, struct span script, struct arena *arena)
{
    struct tx *coinbase = &block->tx[0];
    coinbase->out[index].script_pubkey = script;
    tx_finish(coinbase, arena);
    block->txids[0] = coinbase->txid;
}

void signet_signer_sign(const struct signet_signer *signer, struct block *block,
                        struct arena *arena)
{
    ASSERT(signer && block->n_tx > 0);
    uint32_t index = block_commitment_index(block);
    ASSERT(index != BLOCK_COMMITMENT_NONE);
    if (signer->needs_none)
        return;
    struct span commitment = block->tx[0].out[index].script_pubkey;
    struct signet_txs txs;
    /* What is signed has the mark already, without the solution behind it. */
    set_script(block, index, signet_script_with(commitment, span_of(NULL, 0), arena), arena);
    bool ok = signet_txs_make(block, signer->network->signet_challenge, arena, &txs);
    ASSERT(ok);
    solve(signer, &txs, arena);
    struct span solution = signet_solution_encode(&txs.to_sign.in[0], arena);
    ASSERT(solution.len <= SIGNET_SOLUTION_BYTES_MAX);
    set_script(block, index, signet_script_with(commitment, solution, arena), arena);
    bool is_ambiguous = block_merkle_root(block, arena, block->header.merkle_root);
    ASSERT(!is_ambiguous);
}

/* -- Making a signer -------------------------------------------------------------------------- */

/* Does the challenge hold with what the key makes, and does it hold with nothing? Tried with a
 * transaction like those of blocks. */
static bool fits(struct signet_signer *signer)
{
    struct arena arena;
    struct script_scratch *scratch = script_scratch_new();
    arena_init(&arena, SIGNER_ARENA_BYTES);
    struct tx_in in[2] = {{.sequence = 0}, {.sequence = 0}};
    struct tx_out out[2] = {{.script_pubkey = signer->network->signet_challenge}, {.value_sat = 0}};
    struct signet_txs txs = {.to_spend = {.n_in = 1, .n_out = 1, .in = &in[0], .out = &out[0]},
                             .to_sign = {.n_in = 1, .n_out = 1, .in = &in[1], .out = &out[1]}};
    tx_finish(&txs.to_spend, &arena);
    in[1].prevout.txid = txs.to_spend.txid;
    tx_finish(&txs.to_sign, &arena);
    signer->needs_none = signet_txs_check(&txs, scratch);
    solve(signer, &txs, &arena);
    bool ok = signer->needs_none || signet_txs_check(&txs, scratch);
    script_scratch_free(scratch);
    arena_deinit(&arena);
    return ok;
}

struct signet_signer *signet_signer_new(const struct network *network, const char *key,
                                        const uint8_t seed[32], enum signet_signer_fault *fault)
{
    ASSERT(network->signet_blocks && key && fault);
    uint8_t secret[32];
    struct signet_signer *signer = NULL;
    *fault = read_key(network, key, secret);
    if (*fault == SIGNET_SIGNER_OK) {
        signer = xcalloc(1, sizeof *signer);
        signer->network = network;
        signer->ec = ec_context_new(seed);
        arena_init(&signer->arena, SIGNER_ARENA_BYTES);
        key_book_init(&signer->book, signer->ec, &signer->arena);
        fill_keys(signer, secret);
        if (!fits(signer)) {
            *fault = SIGNET_SIGNER_NO_FIT;
            signet_signer_free(signer);
            signer = NULL;
        }
    }
    mem_wipe(secret, sizeof secret);
    return signer;
}

void signet_signer_free(struct signet_signer *signer)
{
    if (!signer)
        return;
    ec_context_free(signer->ec);
    arena_deinit(&signer->arena);
    key_book_deinit(&signer->book);
    xfree(signer);
}

struct span signet_signer_script(const struct signet_signer *signer)
{
    return signer->script;
}
