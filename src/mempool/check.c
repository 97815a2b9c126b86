/* check.c - the coins of a transaction being checked, and the rules that need chain and
 * entries; in the order of Core's checks, which clients can see. */
#include "mempool/check.h"

#include "consensus/script_iter.h"
#include "consensus/sigops.h"
#include "mempool/graph.h"
#include "mempool/limit.h"
#include "mempool/truc.h"

bool pool_check_has_txid(const void *value, const void *key)
{
    return txid_equal(&((const struct pool_check *)value)->tx.txid, key);
}

struct pool_check *pool_check_find(const struct mempool *mempool, const struct txid *txid)
{
    return hash_map_find(&mempool->checks, pool_hash_id(mempool, txid->b), pool_check_has_txid,
                         txid);
}

bool pool_check_waits_for(const struct pool_check *check, const struct pool_check *other)
{
    ASSERT(check && other);
    while (check && check != other)
        check = check->waits_for;
    return check == other;
}

/* A parent that a second reorganisation takes back comes after its child, and may wait for its turn
 * behind it. Transactions alone make no circle, so somebody in it only waits for its turn: who does
 * is woken, and finds another one to wait for. */
static void break_circle(struct pool_check *check, struct pool_check *parent)
{
    if (!pool_check_waits_for(parent, check))
        return;
    struct pool_check *in_line = parent;
    while (in_line != check && !in_line->is_in_line)
        in_line = in_line->waits_for;
    ASSERT(in_line != check);
    list_remove(&in_line->waits_for->waiters, &in_line->waiting);
    in_line->waits_for = NULL;
    list_add(&check->mempool->woken, &in_line->waiting);
}

void pool_check_wait(struct pool_check *check, struct pool_check *other, bool is_in_line)
{
    ASSERT(other != check && !check->waits_for);
    break_circle(check, other);
    check->is_in_line = is_in_line;
    check->waits_for = other;
    list_add(&other->waiters, &check->waiting);
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

/* An output of a transaction that waits. Returns false if it has no such output. */
static bool note_unconfirmed(struct pool_check *check, uint32_t i, const struct tx *parent)
{
    uint32_t vout = check->tx.in[i].prevout.vout;
    if (vout >= parent->n_out || script_is_unspendable(parent->out[vout].script_pubkey))
        return false;
    struct spent_coin rules = {
        .value_sat = parent->out[vout].value_sat,
        .height = (uint32_t)check->tip->height + 1,
    };
    note_coin(check, i, &parent->out[vout], &rules);
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

/* Entries and those before it in its package. Returns: NULL if it is neither */
static const struct tx *find_waiting(const struct pool_check *check, const struct txid *txid)
{
    const struct pool_entry *entry = pool_find(check->mempool, txid);
    if (entry)
        return &entry->pub.tx;
    for (uint32_t k = 0; k < check->n_before; k++)
        if (txid_equal(&check->before[k]->tx.txid, txid))
            return &check->before[k]->tx;
    return NULL;
}

/* What waits, then coins; a parent that is being checked is waited for before an output of it is
 * called spent or unknown. */
static enum pool_find find_coin(struct pool_check *check, uint32_t i, struct coin_search *search)
{
    struct mempool *mempool = check->mempool;
    struct coins *coins = chain_coins(mempool->chain);
    const struct outpoint *outpoint = &check->tx.in[i].prevout;
    const struct tx *parent = find_waiting(check, &outpoint->txid);
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
    struct pool_check *pending = pool_check_find(mempool, &outpoint->txid);
    if (pending && pending != check && !check->package) {
        pool_check_wait(check, pending, false);
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
        if (!find_waiting(check, &outpoint->txid) &&
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

static void note_conflict(struct pool_check *check, struct pool_entry *entry)
{
    if (!check->conflicts)
        check->conflicts = arena_alloc(&check->arena, (check->tx.n_in + 1) * sizeof(void *));
    for (uint32_t i = 0; i < check->n_conflicts; i++)
        if (check->conflicts[i] == entry)
            return;
    check->conflicts[check->n_conflicts++] = entry;
}

enum reject pool_check_entries(struct pool_check *check)
{
    const struct mempool *mempool = check->mempool;
    const struct tx *tx = &check->tx;
    check->n_conflicts = 0;
    if (!tx_is_final(tx, check->tip->height + 1, block_node_mtp(check->tip)))
        return REJECT_NON_FINAL;
    if (mempool_find_wtxid(mempool, &tx->wtxid))
        return REJECT_ALREADY_IN_MEMPOOL;
    if (pool_find(mempool, &tx->txid))
        return REJECT_SAME_NONWITNESS_DATA;
    for (uint32_t i = 0; i < tx->n_in; i++) {
        struct pool_entry *spender = pool_spender(mempool, &tx->in[i].prevout);
        if (spender && (check->flags & POOL_CHECK_NO_REPLACEMENT))
            return REJECT_REPLACEMENT_DISALLOWED;
        if (spender)
            note_conflict(check, spender);
    }
    return REJECT_NONE;
}

/* The distinct transactions here that it spends from: entries, at most as many as fit into a
 * cluster, and those before it in its package. */
static void find_parents(struct pool_check *check)
{
    check->n_parents = check->parents_before = 0;
    for (uint32_t i = 0; i < check->tx.n_in; i++) {
        const struct txid *txid = &check->tx.in[i].prevout.txid;
        for (uint32_t k = 0; k < check->n_before; k++)
            if (txid_equal(&check->before[k]->tx.txid, txid))
                check->parents_before |= UINT32_C(1) << k;
        struct pool_entry *parent = pool_find(check->mempool, txid);
        if (!parent || check->n_parents == MEMPOOL_CLUSTER_COUNT_MAX)
            continue;
        if (!check->parents)
            check->parents =
                arena_alloc(&check->arena, MEMPOOL_CLUSTER_COUNT_MAX * sizeof(struct pool_entry *));
        uint32_t k = 0;
        while (k < check->n_parents && check->parents[k] != parent)
            k++;
        if (k == check->n_parents)
            check->parents[check->n_parents++] = parent;
    }
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
    const struct network *network = chain_network(check->mempool->chain);
    enum reject code = tx_verify_inputs(&check->tx, network, check->rules, height, &check->fee_sat);
    char detail[TX_VERIFY_DETAIL_BYTES];
    return verdict_set(&check->verdict, reject_for_tx(code), "%s",
                       tx_verify_detail(code, &check->tx, network, check->rules, height, detail));
}

bool pool_pays(struct mempool *mempool, int64_t fee_sat, uint32_t vbytes, struct verdict *verdict)
{
    int64_t least_sat = feerate_fee_sat(mempool->options.min_relay_sat_per_kvb, vbytes);
    int64_t floor_sat = feerate_fee_sat(pool_rolling_feerate(mempool), vbytes);
    /* One that a delta has made negative is below the relay fee, where there is no floor. */
    if (floor_sat > 0 && fee_sat < floor_sat)
        return verdict_set(verdict, REJECT_MEMPOOL_MIN_FEE, "%lld < %lld", (long long)fee_sat,
                           (long long)floor_sat);
    if (fee_sat < least_sat)
        return verdict_set(verdict, REJECT_MIN_RELAY_FEE, "%lld < %lld", (long long)fee_sat,
                           (long long)least_sat);
    return true;
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

/* A sibling of version 3 may have to make room; but not for what comes with others, since who pays
 * for whom would be too hard to tell. */
static bool check_truc(struct pool_check *check)
{
    struct pool_entry *sibling;
    check->is_sibling_eviction = false;
    if ((check->flags & MEMPOOL_BYPASS_FEE) || pool_truc_check(check, &sibling))
        return true;
    if (!sibling || (check->flags & (POOL_CHECK_NO_REPLACEMENT | POOL_CHECK_PACKAGE_FEES)))
        return false;
    note_conflict(check, sibling);
    check->is_sibling_eviction = true;
    check->verdict = (struct verdict){0};
    return true;
}

/* What need not hold in a block: dust, signature operations, fees, version 3; in Core's order. On
 * the way sigops_cost and vbytes are found out. */
static bool check_policy(struct pool_check *check)
{
    struct mempool *mempool = check->mempool;
    struct verdict *verdict = &check->verdict;
    uint32_t weight_wu = tx_weight_wu(&check->tx);
    check->sigops_cost = tx_sigops_cost(&check->tx, check->spent, SCRIPT_VERIFY_STANDARD);
    check->vbytes = policy_vbytes(&mempool->policy, weight_wu, check->sigops_cost);
    check->modified_fee_sat = check->fee_sat + mempool_delta_sat(mempool, &check->tx.txid);
    if (mempool->options.require_standard &&
        (check->fee_sat != 0 || check->modified_fee_sat != 0) &&
        policy_count_dust(&check->tx, mempool->policy.dust_sat_per_kvb) > 0)
        return verdict_set(verdict, REJECT_DUST, "tx with dust output must be 0-fee");
    if (check->sigops_cost > POLICY_TX_SIGOPS_COST_MAX)
        return verdict_set(verdict, REJECT_TX_SIGOPS, "%llu",
                           (unsigned long long)check->sigops_cost);
    if (!(check->flags & (MEMPOOL_BYPASS_FEE | POOL_CHECK_PACKAGE_FEES)) &&
        !pool_pays(mempool, check->modified_fee_sat, check->vbytes, verdict))
        return false;
    find_parents(check);
    return check_truc(check);
}

bool pool_check_max_rate(struct pool_check *check)
{
    struct feerate rate = {check->modified_fee_sat, check->vbytes};
    ASSERT(check->vbytes > 0); /* its rules hold */
    if (check->max_rate.size == 0 || feerate_compare(rate, check->max_rate) <= 0)
        return true;
    return verdict_set(&check->verdict, REJECT_MAX_FEERATE_EXCEEDED, NULL);
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
