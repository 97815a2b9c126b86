/* check.c - the coins of a transaction being checked, and the rules that need chain and
 * entries; in the order of Core's checks, which clients can see. */
#include "mempool/check.h"

#include <stdarg.h>
#include <stdio.h>

#include "consensus/script_iter.h"
#include "consensus/sigops.h"
#include "mempool/cluster.h"
#include "mempool/graph.h"
#include "mempool/limit.h"
#include "util/hex.h"

bool pool_check_has_txid(const void *value, const void *key)
{
    return txid_equal(&((const struct pool_check *)value)->tx.txid, key);
}

struct pool_check *pool_check_find(const struct mempool *mempool, const struct txid *txid)
{
    return hash_map_find(&mempool->checks, pool_hash_id(mempool, txid->b), pool_check_has_txid,
                         txid);
}

/* -- Coins ------------------------------------------------------------------------------------- */

/* The coin of input i. Its script is copied once: it follows from the outpoint, so a later look
 * finds the same. */
static void note_coin(struct pool_check *check, uint32_t i, const struct tx_out *out,
                      const struct spent_coin *rules)
{
    check->rules[i] = *rules;
    check->spent[i].value_sat = out->value_sat;
    if (check->spent[i].script_pubkey.p || out->script_pubkey.len == 0)
        return; /* known from the time before */
    uint8_t *script = arena_alloc(&check->arena, out->script_pubkey.len);
    memcpy(script, out->script_pubkey.p, out->script_pubkey.len);
    check->spent[i].script_pubkey = span_of(script, out->script_pubkey.len);
}

/* An output of an entry. Returns false if the entry has no such output. */
static bool note_unconfirmed(struct pool_check *check, uint32_t i, const struct pool_entry *parent)
{
    uint32_t vout = check->tx.in[i].prevout.vout;
    if (vout >= parent->pub.tx.n_out ||
        script_is_unspendable(parent->pub.tx.out[vout].script_pubkey))
        return false;
    struct spent_coin rules = {
        .value_sat = parent->pub.tx.out[vout].value_sat,
        .height = (uint32_t)check->tip->height + 1,
    };
    note_coin(check, i, &parent->pub.tx.out[vout], &rules);
    return true;
}

static void note_confirmed(struct pool_check *check, uint32_t i, const struct coin *coin)
{
    struct tx_out out = {.value_sat = coin->value_sat, .script_pubkey = coin->script_pubkey};
    struct spent_coin rules = {
        .value_sat = coin->value_sat, .height = coin->height, .coinbase = coin->coinbase};
    note_coin(check, i, &out, &rules);
    if ((int32_t)coin->height > check->coin_height_max)
        check->coin_height_max = (int32_t)coin->height;
    if (coin->coinbase && (int32_t)coin->height > check->coinbase_height_max)
        check->coinbase_height_max = (int32_t)coin->height;
}

/* A walk over the inputs. */
struct coin_search {
    bool coins_were_read;
    size_t at;     /* how far in what was read, which is in order of the inputs */
    size_t wanted; /* reads needed so far */
};

/* Has a read just found that there is no such coin? */
static bool was_absent(const struct pool_check *check, const struct outpoint *outpoint,
                       struct coin_search *search)
{
    if (!search->coins_were_read)
        return false;
    size_t at = search->at;
    while (at < check->n_missing && !outpoint_equal(&check->missing[at], outpoint))
        at++;
    if (at == check->n_missing)
        return false;
    search->at = at + 1;
    return check->absent[at];
}

/* Some input does not exist. If an own output does, the transaction is in the chain already. */
static bool is_confirmed(const struct pool_check *check)
{
    struct coins *coins = chain_coins(check->mempool->chain);
    struct siphash_key key = coins_hash_key(coins);
    uint8_t script[COIN_SCRIPT_EXPANDED_MAX];
    struct outpoint outpoint = {.txid = check->tx.txid};
    struct coin coin;
    for (; outpoint.vout < check->tx.n_out; outpoint.vout++)
        if (coins_find(coins, &outpoint, coins_hash(key, &outpoint), &coin, script) ==
            COINS_UNSPENT)
            return true;
    return false;
}

static enum pool_find no_such_coin(struct pool_check *check, uint32_t i)
{
    check->unknown = check->tx.in[i].prevout;
    check->verdict = (struct verdict){.code = is_confirmed(check) ? REJECT_ALREADY_KNOWN
                                                                  : REJECT_INPUTS_UNKNOWN};
    return POOL_FIND_NONE;
}

/* Entries, then coins; a parent that is being checked is waited for before an output of it is
 * called spent or unknown. */
static enum pool_find find_coin(struct pool_check *check, uint32_t i, struct coin_search *search)
{
    struct mempool *mempool = check->mempool;
    struct coins *coins = chain_coins(mempool->chain);
    const struct outpoint *outpoint = &check->tx.in[i].prevout;
    const struct pool_entry *parent = pool_find(mempool, &outpoint->txid);
    if (parent)
        return note_unconfirmed(check, i, parent) ? POOL_FIND_ALL : no_such_coin(check, i);
    struct coin coin;
    uint8_t script[COIN_SCRIPT_EXPANDED_MAX];
    uint64_t hash = coins_hash(coins_hash_key(coins), outpoint);
    enum coins_found found = coins_find(coins, outpoint, hash, &coin, script);
    if (found == COINS_UNSPENT) {
        note_confirmed(check, i, &coin);
        return POOL_FIND_ALL;
    }
    const struct pool_check *pending = pool_check_find(mempool, &outpoint->txid);
    if (pending && pending != check) {
        check->waits_for = pending;
        return POOL_FIND_WAITS;
    }
    if (found == COINS_SPENT || was_absent(check, outpoint, search))
        return no_such_coin(check, i);
    search->wanted++;
    return POOL_FIND_ALL;
}

/* All of them at once, in the order of the inputs: one read instead of one for each. */
static void collect_missing(struct pool_check *check)
{
    struct mempool *mempool = check->mempool;
    struct coins *coins = chain_coins(mempool->chain);
    struct siphash_key key = coins_hash_key(coins);
    uint8_t script[COIN_SCRIPT_EXPANDED_MAX];
    struct coin coin;
    check->n_missing = 0;
    for (uint32_t i = 0; i < check->tx.n_in; i++) {
        const struct outpoint *outpoint = &check->tx.in[i].prevout;
        if (!pool_find(mempool, &outpoint->txid) &&
            coins_find(coins, outpoint, coins_hash(key, outpoint), &coin, script) == COINS_UNKNOWN)
            check->missing[check->n_missing++] = *outpoint;
    }
}

/* [tx 5] The coins that it spends. */
enum pool_find pool_check_find_coins(struct pool_check *check, bool coins_were_read)
{
    ASSERT(check->is_decoded && check->tip && !check->waits_for);
    struct coin_search search = {.coins_were_read = coins_were_read};
    check->coin_height_max = check->coinbase_height_max = -1;
    for (uint32_t i = 0; i < check->tx.n_in; i++) {
        enum pool_find result = find_coin(check, i, &search);
        if (result != POOL_FIND_ALL)
            return result;
    }
    if (search.wanted == 0)
        return POOL_FIND_ALL;
    collect_missing(check);
    ASSERT(check->n_missing >= search.wanted && check->n_missing <= check->tx.n_in);
    return POOL_FIND_READ;
}

/* -- Rules ------------------------------------------------------------------------------ */

enum reject pool_check_entries(const struct pool_check *check)
{
    const struct mempool *mempool = check->mempool;
    const struct tx *tx = &check->tx;
    if (!tx_is_final(tx, check->tip->height + 1, block_node_mtp(check->tip)))
        return REJECT_NON_FINAL;
    if (mempool_find_wtxid(mempool, &tx->wtxid))
        return REJECT_ALREADY_IN_MEMPOOL;
    if (pool_find(mempool, &tx->txid))
        return REJECT_SAME_NONWITNESS_DATA;
    for (uint32_t i = 0; i < tx->n_in; i++)
        if (pool_spender(mempool, &tx->in[i].prevout))
            return REJECT_MEMPOOL_CONFLICT;
    return REJECT_NONE;
}

static int64_t median_time_at(void *ctx, int32_t height)
{
    return block_node_mtp(block_node_ancestor(ctx, height));
}

/* Is it final by its inputs, in the next block? BIP-68, Specification */
static bool check_locks(struct pool_check *check)
{
    struct median_time_source times = {.ctx = (void *)(uintptr_t)check->tip, .at = median_time_at};
    check->locks = sequence_locks_of(&check->tx, check->rules, &times);
    return sequence_locks_open(check->locks, check->tip->height + 1, block_node_mtp(check->tip));
}

static bool check_values(struct pool_check *check)
{
    int32_t height = check->tip->height + 1;
    enum reject code = tx_verify_inputs(&check->tx, check->rules, height, &check->fee_sat);
    char detail[TX_VERIFY_DETAIL_BYTES];
    return verdict_set(&check->verdict, reject_for_tx(code), "%s",
                       tx_verify_detail(code, &check->tx, check->rules, height, detail));
}

static bool check_standard(struct pool_check *check)
{
    struct verdict *verdict = &check->verdict;
    if (!policy_check_inputs(&check->tx, check->spent, verdict))
        return false;
    if (check->tx.has_witness && !policy_witness_is_standard(&check->tx, check->spent))
        return verdict_set(verdict, REJECT_WITNESS_NONSTANDARD, NULL);
    return true;
}

/* Of two fees that are not reached version 3 names the floor of a full mempool, all others the
 * relay fee: Core's order, which clients see. */
static bool check_fees(struct pool_check *check, int64_t modified_fee_sat)
{
    struct mempool *mempool = check->mempool;
    struct verdict *verdict = &check->verdict;
    int64_t least_sat = feerate_fee_sat(mempool->options.min_relay_sat_per_kvb, check->vbytes);
    int64_t floor_sat = feerate_fee_sat(pool_rolling_feerate(mempool), check->vbytes);
    if (check->flags & MEMPOOL_BYPASS_FEE)
        return true;
    if (check->tx.version != POLICY_TRUC_VERSION && modified_fee_sat < least_sat)
        return verdict_set(verdict, REJECT_MIN_RELAY_FEE, "%lld < %lld",
                           (long long)modified_fee_sat, (long long)least_sat);
    if (modified_fee_sat < floor_sat)
        return verdict_set(verdict, REJECT_MEMPOOL_MIN_FEE, "%lld < %lld",
                           (long long)modified_fee_sat, (long long)floor_sat);
    if (modified_fee_sat < least_sat)
        return verdict_set(verdict, REJECT_MIN_RELAY_FEE, "%lld < %lld",
                           (long long)modified_fee_sat, (long long)least_sat);
    return true;
}

/* The distinct entries that it spends from, at most as many as fit into a cluster. */
static uint32_t find_parents(const struct pool_check *check,
                             struct pool_entry *parents[MEMPOOL_CLUSTER_COUNT_MAX])
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < check->tx.n_in && n < MEMPOOL_CLUSTER_COUNT_MAX; i++) {
        struct pool_entry *parent = pool_find(check->mempool, &check->tx.in[i].prevout.txid);
        uint32_t k = 0;
        while (parent && k < n && parents[k] != parent)
            k++;
        if (parent && k == n)
            parents[n++] = parent;
    }
    return n;
}

static bool refuse_truc(struct pool_check *check, const struct tx *tx, const char *kind,
                        const char *format, ...) PRINTF(4, 5);

/* "kind ID (wtxid=ID) " and what is wrong with it, in Core's words. */
static bool refuse_truc(struct pool_check *check, const struct tx *tx, const char *kind,
                        const char *format, ...)
{
    char txid[HEX_ID_BYTES], wtxid[HEX_ID_BYTES], what[200];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return verdict_set(&check->verdict, REJECT_TRUC_VIOLATION, "%s %s (wtxid=%s) %s", kind,
                       hex_encode_reversed(txid, span_of(tx->txid.b, 32)),
                       hex_encode_reversed(wtxid, span_of(tx->wtxid.b, 32)), what);
}

/* Version 3 spends version 3 alone, and the other way round. */
static bool check_truc_parents(struct pool_check *check, struct pool_entry *const *parents,
                               uint32_t n_parents)
{
    static const char *const kinds[] = {"non-version=3 tx", "version=3 tx"};
    bool is_truc = check->tx.version == POLICY_TRUC_VERSION;
    for (uint32_t i = 0; i < n_parents; i++) {
        const struct tx *parent = &parents[i]->pub.tx;
        char txid[HEX_ID_BYTES], wtxid[HEX_ID_BYTES];
        if ((parent->version == POLICY_TRUC_VERSION) == is_truc)
            continue;
        char what[200];
        snprintf(what, sizeof what, "cannot spend from %s %s (wtxid=%s)", kinds[!is_truc],
                 hex_encode_reversed(txid, span_of(parent->txid.b, 32)),
                 hex_encode_reversed(wtxid, span_of(parent->wtxid.b, 32)));
        return refuse_truc(check, &check->tx, kinds[is_truc], "%s", what);
    }
    return true;
}

/* Version 3 transactions form pairs of a parent and a small child, so that nobody can hinder
 * their replacement. BIP-431, Specification; messages of Core SingleTRUCChecks() */
static bool check_truc(struct pool_check *check, struct pool_entry *const *parents,
                       uint32_t n_parents)
{
    const struct tx *tx = &check->tx;
    if (!check_truc_parents(check, parents, n_parents))
        return false;
    if (tx->version != POLICY_TRUC_VERSION)
        return true;
    if (check->vbytes > POLICY_TRUC_VBYTES_MAX)
        return refuse_truc(check, tx, "version=3 tx", "is too big: %u > %d virtual bytes",
                           check->vbytes, POLICY_TRUC_VBYTES_MAX);
    if (n_parents == 0)
        return true;
    if (n_parents > 1 || parents[0]->pub.n_parents > 0)
        return refuse_truc(check, tx, "tx", "would have too many ancestors");
    if (check->vbytes > POLICY_TRUC_CHILD_VBYTES_MAX)
        return refuse_truc(check, tx, "version=3 child tx", "is too big: %u > %d virtual bytes",
                           check->vbytes, POLICY_TRUC_CHILD_VBYTES_MAX);
    if (parents[0]->pub.n_children > 0)
        return refuse_truc(check, &parents[0]->pub.tx, "tx", "would exceed descendant count limit");
    return true;
}

/* What need not hold in a block: dust, signature operations, fees, version 3, clusters; in Core's
 * order. On the way sigops_cost and vbytes are found out. */
static bool check_policy(struct pool_check *check)
{
    struct mempool *mempool = check->mempool;
    struct verdict *verdict = &check->verdict;
    uint32_t weight_wu = tx_weight_wu(&check->tx);
    check->sigops_cost = tx_sigops_cost(&check->tx, check->spent, SCRIPT_VERIFY_STANDARD);
    check->vbytes = policy_vbytes(&mempool->policy, weight_wu, check->sigops_cost);
    int64_t modified_fee_sat = check->fee_sat + mempool_delta_sat(mempool, &check->tx.txid);
    if (mempool->options.require_standard && (check->fee_sat != 0 || modified_fee_sat != 0) &&
        policy_count_dust(&check->tx, mempool->policy.dust_sat_per_kvb) > 0)
        return verdict_set(verdict, REJECT_DUST, "tx with dust output must be 0-fee");
    if (check->sigops_cost > POLICY_TX_SIGOPS_COST_MAX)
        return verdict_set(verdict, REJECT_TX_SIGOPS, "%llu",
                           (unsigned long long)check->sigops_cost);
    if (!check_fees(check, modified_fee_sat))
        return false;
    struct pool_entry *parents[MEMPOOL_CLUSTER_COUNT_MAX];
    uint32_t n_parents = find_parents(check, parents);
    if (!check_truc(check, parents, n_parents))
        return false;
    if (!pool_cluster_has_room(mempool, parents, n_parents,
                               policy_adjusted_wu(&mempool->policy, weight_wu, check->sigops_cost)))
        return verdict_set(verdict, REJECT_CLUSTER_TOO_LARGE, NULL);
    return true;
}

/* [tx 6] The rules that need them: fees, lock times, clusters. */
bool pool_check_rules(struct pool_check *check)
{
    ASSERT(check->tip && check->spent && check->rules);
    check->verdict = (struct verdict){0};
    if (!check_locks(check))
        return verdict_set(&check->verdict, REJECT_NON_BIP68_FINAL, NULL);
    if (!check_values(check))
        return false;
    if (check->mempool->options.require_standard && !check_standard(check))
        return false;
    return check_policy(check);
}
