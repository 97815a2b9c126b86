/* rpc_spent.c - the outputs that a transaction spends, from the mempool and the chain.
 *
 * A transaction that somebody gives may have half a million inputs, and all may name one output:
 * each output is looked up once, and only so many a turn of the loop, since the store may have to
 * be read for them. */
#include <stdlib.h>

#include "chain/coins/coins.h"
#include "consensus/script_write.h"
#include "mempool/mempool.h"
#include "rpc/rpc_internal.h"

enum { TURN_OUTPUTS = 64 };

/* -- One ------------------------------------------------------------------------------------ */

/* An output of a transaction that waits, in the call's arena. */
static bool find_waiting(struct rpc_call *call, const struct outpoint *prevout, struct tx_out *out)
{
    const struct mempool *mempool = call->rpc->node->mempool;
    const struct mempool_entry *entry = mempool ? mempool_find(mempool, &prevout->txid) : NULL;
    if (!entry || prevout->vout >= entry->tx.n_out)
        return false;
    *out = entry->tx.out[prevout->vout];
    out->script_pubkey = script_join(&call->arena, out->script_pubkey, span_of("", 0));
    return true;
}

/* False, with an error, on a fault. */
static bool find_one(struct rpc_call *call, const struct outpoint *prevout, struct tx_out *out,
                     bool *known)
{
    struct chain *chain = call->rpc->node->chain;
    struct coin coin;
    *known = find_waiting(call, prevout, out);
    if (*known)
        return true;
    int found = coins_get(chain_coins(chain), prevout, &call->arena, &coin);
    if (found < 0) {
        chain_note_coins_error(chain, found);
        return rpc_refuse(call, RPC_DATABASE_ERROR, "Unable to read the set of unspent outputs");
    }
    *known = found > 0;
    if (*known)
        *out = (struct tx_out){.value_sat = coin.value_sat, .script_pubkey = coin.script_pubkey};
    return true;
}

bool rpc_find_spent(struct rpc_call *call, const struct tx *tx, struct tx_out *spent, bool *known)
{
    ASSERT(call && tx);
    for (uint32_t i = 0; i < tx->n_in; i++) {
        if (!find_one(call, &tx->in[i].prevout, &spent[i], &known[i]))
            return false;
    }
    return true;
}

/* -- All of them, a few a turn -------------------------------------------------------------- */

static int compare_outpoints(const struct outpoint *a, const struct outpoint *b)
{
    int order = memcmp(a->txid.b, b->txid.b, sizeof a->txid.b);
    return order ? order : (a->vout > b->vout) - (a->vout < b->vout);
}

static int compare_inputs(const void *a, const void *b)
{
    const struct tx_in *const *x = a, *const *y = b;
    int order = compare_outpoints(&(*x)->prevout, &(*y)->prevout);
    return order ? order : (*x > *y) - (*x < *y);
}

struct spent_search *rpc_spent_new(struct rpc_call *call, const struct tx *tx)
{
    ASSERT(call && tx);
    struct spent_search *search = arena_calloc(&call->arena, 1, sizeof *search);
    search->tx = tx;
    search->spent = arena_calloc(&call->arena, tx->n_in + 1, sizeof *search->spent);
    search->known = arena_calloc(&call->arena, tx->n_in + 1, sizeof *search->known);
    search->order = arena_calloc(&call->arena, tx->n_in + 1, sizeof *search->order);
    for (uint32_t i = 0; i < tx->n_in; i++)
        search->order[i] = &tx->in[i];
    qsort(search->order, tx->n_in, sizeof *search->order, compare_inputs);
    return search;
}

uint32_t rpc_spent_first(const struct spent_search *search, const struct outpoint *outpoint)
{
    ASSERT(search && outpoint);
    uint32_t low = 0, high = search->tx->n_in;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare_outpoints(&search->order[middle]->prevout, outpoint) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_there =
        low < search->tx->n_in && outpoint_equal(&search->order[low]->prevout, outpoint);
    return is_there ? (uint32_t)(search->order[low] - search->tx->in) : search->tx->n_in;
}

/* Look some up. False, with an error, on a fault. */
static bool find_some(struct rpc_call *call, struct spent_search *search)
{
    const struct tx *tx = search->tx;
    for (int n = 0; n < TURN_OUTPUTS && search->at < tx->n_in; n++) {
        const struct outpoint *prevout = &search->order[search->at]->prevout;
        struct tx_out out = {0};
        bool known;
        if (!find_one(call, prevout, &out, &known))
            return false;
        for (; search->at < tx->n_in; search->at++) {
            const struct tx_in *in = search->order[search->at];
            if (!outpoint_equal(&in->prevout, prevout))
                break;
            search->spent[in - tx->in] = out;
            search->known[in - tx->in] = known;
        }
    }
    return true;
}

/* Returns: whether the search is over, be it by an error */
static bool go_on(struct rpc_call *call)
{
    struct spent_search *search = call->spent_search;
    if (call->rpc->is_interrupted || !call->reply)
        rpc_fail(call, RPC_INTERNAL_ERROR, "Shutting down");
    return call->error_code || !find_some(call, search) || search->at == search->tx->n_in;
}

static void on_turn(void *arg)
{
    struct rpc_call *call = arg;
    call->timer = 0;
    if (!go_on(call))
        rpc_call_timer(call, 0, on_turn);
    else if (call->spent_search->next(call) == RPC_DONE)
        rpc_finish(call);
}

enum rpc_progress rpc_spent_find(struct rpc_call *call, struct spent_search *search,
                                 enum rpc_progress (*next)(struct rpc_call *call))
{
    ASSERT(call && search && next && search->at == 0);
    search->next = next;
    call->spent_search = search;
    if (go_on(call))
        return next(call);
    rpc_call_timer(call, 0, on_turn);
    return RPC_PENDING;
}
