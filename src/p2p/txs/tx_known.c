/* tx_known.c - see tx_known.h. */
#include "p2p/txs/tx_known.h"

#include "crypto/hash.h"

void tx_known_init(struct tx_known *known, struct siphash_key key, const struct mempool *mempool,
                   const struct orphans *orphans)
{
    known->mempool = mempool;
    known->orphans = orphans;
    recent_set_init(&known->rejects, key, TX_KNOWN_REJECTS_MAX);
    recent_set_init(&known->reconsiderable, key, TX_KNOWN_REJECTS_MAX);
    recent_set_init(&known->confirmed, key, TX_KNOWN_CONFIRMED_MAX);
}

void tx_known_deinit(struct tx_known *known)
{
    recent_set_deinit(&known->rejects);
    recent_set_deinit(&known->reconsiderable);
    recent_set_deinit(&known->confirmed);
}

/* -- Asking ------------------------------------------------------------------------------------ */

bool tx_known_has(const struct tx_known *known, const uint8_t id[32], bool is_wtxid)
{
    struct wtxid wtxid;
    struct txid txid;
    memcpy(wtxid.b, id, 32);
    memcpy(txid.b, id, 32);
    /* A txid is taken for a wtxid, too: without a witness it is one, and there is no other. */
    if (recent_set_has(&known->rejects, id) || recent_set_has(&known->confirmed, id) ||
        orphans_find(known->orphans, &wtxid))
        return true;
    return is_wtxid ? mempool_find_wtxid(known->mempool, &wtxid) != NULL
                    : mempool_find(known->mempool, &txid) != NULL;
}

bool tx_known_is_no_use(const struct tx_known *known, const uint8_t id[32], bool is_wtxid)
{
    return recent_set_has(&known->reconsiderable, id) || tx_known_has(known, id, is_wtxid);
}

bool tx_known_is_reconsiderable(const struct tx_known *known, const struct wtxid *wtxid)
{
    return recent_set_has(&known->reconsiderable, wtxid->b);
}

/* -- What was refused -------------------------------------------------------------------------- */

/* Does the verdict hold for these very bytes until the next block? */
static bool is_worth_remembering(enum reject code)
{
    enum reject_class class = reject_class(code);
    ASSERT(code != REJECT_NONE);
    return code != REJECT_MEMPOOL_BUSY && code != REJECT_TX_SCRIPT_STRIPPED &&
           class != REJECT_CLASS_MISSING && class != REJECT_CLASS_FAULT;
}

void tx_known_refused(struct tx_known *known, const struct txid *txid, const struct wtxid *wtxid,
                      enum reject code)
{
    if (!is_worth_remembering(code))
        return;
    if (reject_class(code) == REJECT_CLASS_RECONSIDERABLE) {
        (void)recent_set_add(&known->reconsiderable, wtxid->b);
        return;
    }
    (void)recent_set_add(&known->rejects, wtxid->b);
    /* What it spends is named by its txid: no witness helps. */
    if (code == REJECT_NONSTANDARD_INPUTS)
        (void)recent_set_add(&known->rejects, txid->b);
}

/* One name for both. */
static void name_pair(const struct wtxid *parent, const struct wtxid *child, uint8_t out[32])
{
    uint8_t bytes[64];
    memcpy(bytes, parent->b, 32);
    memcpy(bytes + 32, child->b, 32);
    sha256(span_of(bytes, sizeof bytes), out);
}

bool tx_known_has_pair(const struct tx_known *known, const struct wtxid *parent,
                       const struct wtxid *child)
{
    uint8_t pair[32];
    name_pair(parent, child, pair);
    return recent_set_has(&known->reconsiderable, pair);
}

void tx_known_refused_pair(struct tx_known *known, const struct wtxid *parent,
                           const struct wtxid *child)
{
    uint8_t pair[32];
    name_pair(parent, child, pair);
    (void)recent_set_add(&known->reconsiderable, pair);
}

/* -- Blocks ------------------------------------------------------------------------------------ */

void tx_known_confirmed(struct tx_known *known, const struct tx *tx)
{
    struct recent_set *confirmed = &known->confirmed;
    (void)recent_set_add(confirmed, tx->txid.b);
    if (tx->has_witness)
        (void)recent_set_add(confirmed, tx->wtxid.b);
}

void tx_known_prefetch(const struct tx_known *known, const struct tx *tx)
{
    const struct recent_set *confirmed = &known->confirmed;
    recent_set_prefetch(confirmed, tx->txid.b);
    if (tx->has_witness)
        recent_set_prefetch(confirmed, tx->wtxid.b);
}

void tx_known_tip_changed(struct tx_known *known)
{
    recent_set_clear(&known->rejects);
    recent_set_clear(&known->reconsiderable);
}

void tx_known_block_disconnected(struct tx_known *known)
{
    recent_set_clear(&known->confirmed);
}
