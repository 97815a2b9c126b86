/* rpc_faucet.c - faucet: a payment from the keys of -dev to whoever asks.
 *
 * Life: the coins that are listed are looked at; where they are not enough, all of the chain is
 * gone through, once; then a transaction is made, signed and handed to the mempool. */
#include "consensus/key_io.h"
#include "consensus/sighash.h"
#include "mempool/policy.h"
#include "rpc/chain_json.h"
#include "rpc/dev_purse.h"
#include "rpc/methods.h"
#include "spend/sign/sign_tx.h"
#include "util/parse.h"

#define FEE_SAT_PER_KVB  INT64_C(2000)
#define INPUT_VBYTES     68 /* P2WPKH */
#define BASE_VBYTES      90 /* all but inputs, with change */
#define CHANGE_LEAST_SAT 1000
#define SEQUENCE_RBF     UINT32_C(0xfffffffd)

struct faucet {
    struct rpc_call *call;
    struct tx_out pays;
    int64_t sat_per_kvb;
    bool has_scanned;
    struct purse_coins found;  /* by the scan, on another thread */
    struct purse_coins chosen; /* lent */
    struct tx tx;
    bool has_change;
};

static struct dev_purse *purse_of(struct rpc_call *call)
{
    struct dev_purse *purse = &call->rpc->purse;
    purse->keys = call->rpc->node->dev->keys;
    purse->chain = call->rpc->node->chain;
    purse->mempool = call->rpc->node->mempool;
    return purse;
}

/* -- The transaction -------------------------------------------------------------------------- */

/* One input for each coin, one output for who asked, and change to the key of the first. */
static void build(struct faucet *faucet, int64_t worth_sat)
{
    struct arena *arena = &faucet->call->arena;
    const struct dev_keys *keys = faucet->call->rpc->node->dev->keys;
    size_t n = faucet->chosen.n;
    int64_t base_sat = feerate_fee_sat(faucet->sat_per_kvb, BASE_VBYTES);
    int64_t change_sat = worth_sat - faucet->pays.value_sat - base_sat;
    faucet->has_change = change_sat >= CHANGE_LEAST_SAT;
    faucet->tx = (struct tx){.version = 2, .n_in = (uint32_t)n, .n_out = 1};
    faucet->tx.in = arena_calloc(arena, n, sizeof *faucet->tx.in);
    faucet->tx.out = arena_calloc(arena, 2, sizeof *faucet->tx.out);
    for (size_t i = 0; i < n; i++)
        faucet->tx.in[i] =
            (struct tx_in){.prevout = faucet->chosen.at[i].outpoint, .sequence = SEQUENCE_RBF};
    faucet->tx.out[0] = faucet->pays;
    if (faucet->has_change)
        faucet->tx.out[faucet->tx.n_out++] = (struct tx_out){
            .value_sat = change_sat,
            .script_pubkey =
                span_of(keys->at[faucet->chosen.at[0].key].script, DEV_KEY_SCRIPT)};
    tx_finish(&faucet->tx, arena);
}

static void sign(struct faucet *faucet)
{
    struct rpc_call *call = faucet->call;
    const struct dev_keys *keys = call->rpc->node->dev->keys;
    struct key_book book;
    struct tx_sighash sighash;
    key_book_init(&book, rpc_ec_context(call->rpc), &call->arena);
    for (size_t i = 0; i < DEV_KEYS; i++) {
        bool ok = key_book_add_secret(&book, keys->at[i].secret, true);
        ASSERT(ok);
    }
    struct tx_out *spent = arena_calloc(&call->arena, faucet->tx.n_in, sizeof *spent);
    for (uint32_t i = 0; i < faucet->tx.n_in; i++) {
        const struct purse_coin *coin = &faucet->chosen.at[i];
        spent[i] = (struct tx_out){coin->value_sat,
                                   span_of(keys->at[coin->key].script, DEV_KEY_SCRIPT)};
    }
    const struct sign_tx_request request = {
        .mode = SOLVE_SIGN, .book = &book, .arena = &call->arena};
    tx_sighash_init_all(&sighash, &faucet->tx, spent);
    for (uint32_t i = 0; i < faucet->tx.n_in; i++) {
        bool ok = sign_tx_input(&request, &faucet->tx, spent, &sighash, i);
        ASSERT(ok);
    }
    tx_finish(&faucet->tx, &call->arena);
    key_book_deinit(&book);
}

/* -- The payment ------------------------------------------------------------------------------ */

static void keep_change(struct faucet *faucet)
{
    const struct purse_coin change = {.outpoint = {.txid = faucet->tx.txid, .vout = 1},
                                      .value_sat = faucet->tx.out[1].value_sat,
                                      .key = faucet->chosen.at[0].key,
                                      .is_unconfirmed = true};
    dev_purse_add(purse_of(faucet->call), &change);
}

static void on_sent(void *arg, const struct mempool_result *result)
{
    struct faucet *faucet = arg;
    struct rpc_call *call = faucet->call;
    char text[CHAIN_JSON_VERDICT_BYTES];
    bool is_in = result->verdict.code == REJECT_NONE || result->was_known;
    dev_purse_give_back(purse_of(call), &faucet->chosen);
    if (is_in && faucet->has_change)
        keep_change(faucet);
    if (is_in)
        json_put_id(&call->out, faucet->tx.txid.b);
    else
        rpc_fail(call, RPC_TRANSACTION_REJECTED, "%s",
                 chain_json_verdict(&result->verdict, text, sizeof text));
    ARRAY_FREE(&faucet->chosen);
    rpc_finish(call);
}

static void fail_of_coins(struct faucet *faucet)
{
    char text[AMOUNT_STRING_BYTES];
    rpc_fail(faucet->call, RPC_WALLET_INSUFFICIENT_FUNDS,
             "The keys of -dev have no %s in up to %d coins that can be spent now: mine blocks "
             "that pay them (getdevkeys), and 100 more, or ask for less",
             format_money(faucet->pays.value_sat, text), DEV_PURSE_INPUTS_MAX);
    rpc_finish(faucet->call);
}

/* On another thread. */
static bool look_at_coin(void *arg, const struct outpoint *outpoint, const struct coin *coin)
{
    struct faucet *faucet = arg;
    uint32_t key = dev_purse_key_of(faucet->call->rpc->node->dev->keys, coin->script_pubkey);
    if (key < DEV_KEYS)
        *ARRAY_ADD(&faucet->found) = (struct purse_coin){.outpoint = *outpoint,
                                                         .value_sat = coin->value_sat,
                                                         .height = coin->height,
                                                         .key = key,
                                                         .is_coinbase = coin->coinbase};
    return true;
}

static void pay(struct faucet *faucet);

static void on_scanned(void *arg, int error, const struct block_node *tip)
{
    struct faucet *faucet = arg;
    (void)tip;
    faucet->has_scanned = true;
    if (!error)
        dev_purse_set(purse_of(faucet->call), &faucet->found);
    ARRAY_FREE(&faucet->found);
    if (error) {
        rpc_fail(faucet->call, RPC_DATABASE_ERROR, "Unable to read UTXO set");
        rpc_finish(faucet->call);
        return;
    }
    pay(faucet);
}

static void pay(struct faucet *faucet)
{
    struct rpc_call *call = faucet->call;
    const struct rpc_node *node = call->rpc->node;
    int64_t rate = faucet->sat_per_kvb, worth_sat;
    int64_t least_sat = faucet->pays.value_sat + feerate_fee_sat(rate, BASE_VBYTES);
    bool is_enough = dev_purse_take(purse_of(call), least_sat, feerate_fee_sat(rate, INPUT_VBYTES),
                                    &faucet->chosen, &worth_sat);
    if (is_enough) {
        build(faucet, worth_sat);
        sign(faucet);
        mempool_accept(node->mempool, faucet->tx.raw, MEMPOOL_LOCAL, 0, on_sent, faucet);
    } else if (!faucet->has_scanned) {
        chain_scan_coins(node->chain, look_at_coin, on_scanned, faucet);
    } else {
        fail_of_coins(faucet);
    }
}

static bool read_payment(struct rpc_call *call, struct faucet *faucet)
{
    const struct rpc_node *node = call->rpc->node;
    const struct json_value *amount = rpc_arg(call, 1);
    uint8_t *script = arena_alloc(&call->arena, ADDRESS_SCRIPT_MAX);
    size_t len;
    struct address_error error;
    if (!address_decode(node->network, rpc_arg_string(call, 0, ""), script, &len, &error))
        return rpc_refuse(call, RPC_INVALID_ADDRESS_OR_KEY, "Invalid address: %s", error.message);
    faucet->pays = (struct tx_out){COIN_SAT, span_of(script, len)};
    if (amount && !rpc_read_amount(call, amount, &faucet->pays.value_sat))
        return false;
    int64_t dust_sat = policy_dust_threshold_sat(
        &faucet->pays, mempool_options_of(node->mempool)->dust_sat_per_kvb);
    return faucet->pays.value_sat >= MAX_OF(dust_sat, 1) ||
           rpc_refuse(call, RPC_INVALID_PARAMETER,
                      "The amount is too small: that address takes no less than %lld satoshi",
                      (long long)MAX_OF(dust_sat, 1));
}

enum rpc_progress rpc_faucet(struct rpc_call *call)
{
    struct faucet *faucet = arena_calloc(&call->arena, 1, sizeof *faucet);
    if (!rpc_need_dev(call) || !rpc_need_mempool(call) || !read_payment(call, faucet))
        return RPC_DONE;
    faucet->call = call;
    faucet->sat_per_kvb = MAX_OF(mempool_min_feerate_sat_per_kvb(call->rpc->node->mempool),
                                 FEE_SAT_PER_KVB);
    pay(faucet);
    return RPC_PENDING;
}
