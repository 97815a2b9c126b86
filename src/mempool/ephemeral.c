/* ephemeral.c - see ephemeral.h. */
#include "mempool/ephemeral.h"

#include "mempool/mempool_internal.h"
#include "util/hex.h"

static bool spends(const struct tx *tx, const struct txid *txid, uint32_t vout)
{
    for (uint32_t i = 0; i < tx->n_in; i++)
        if (tx->in[i].prevout.vout == vout && txid_equal(&tx->in[i].prevout.txid, txid))
            return true;
    return false;
}

static bool spends_dust_of(const struct pool_check *check, const struct tx *parent)
{
    int64_t sat_per_kvb = check->mempool->policy.dust_sat_per_kvb;
    for (uint32_t i = 0; i < parent->n_out; i++)
        if (parent->out[i].value_sat < policy_dust_threshold_sat(&parent->out[i], sat_per_kvb) &&
            !spends(&check->tx, &parent->txid, i))
            return false;
    return true;
}

bool pool_dust_is_spent(struct pool_check *check)
{
    bool is_spent = true;
    for (uint32_t i = 0; i < check->n_parents && is_spent; i++)
        is_spent = spends_dust_of(check, &check->parents[i]->pub.tx);
    for (uint32_t bits = check->parents_before; bits && is_spent; bits &= bits - 1)
        is_spent = spends_dust_of(check, &check->before[__builtin_ctz(bits)]->tx);
    if (is_spent)
        return true;
    char txid[HEX_ID_BYTES], wtxid[HEX_ID_BYTES];
    return verdict_set(&check->verdict, REJECT_EPHEMERAL_SPENDS,
                       "tx %s (wtxid=%s) did not spend parent's ephemeral dust",
                       hex_encode_reversed(txid, span_of(check->tx.txid.b, 32)),
                       hex_encode_reversed(wtxid, span_of(check->tx.wtxid.b, 32)));
}
