/* pool_fixture.h - a node with a mempool, coins that need no signature, and transactions of them.
 */
#ifndef UNIT_RPC_POOL_FIXTURE_H
#define UNIT_RPC_POOL_FIXTURE_H

#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/hex.h"

#define POOL_FIXTURE_COINS_MAX 10

struct fixture {
    struct rpc_rig rig;
    struct builder_coin coin[POOL_FIXTURE_COINS_MAX]; /* of the first coinbases, mature */
    const struct built_block *tip;
    struct tx parent, child; /* make_family(): in the mempool only when add() was called */
    char parent_id[65], child_id[65];
    char hex[4000], id[65], wid[65]; /* hex_of() */
};

/* A chain of n coinbases to be spent and 100 blocks above them. options may be NULL. */
static inline struct fixture *fixture_new(size_t n_coins, const struct chain_options *options)
{
    struct fixture *f = test_calloc(1, sizeof *f);
    struct rpc_rig *rig = &f->rig;
    assert_true(n_coins <= POOL_FIXTURE_COINS_MAX);
    rpc_rig_init(rig, options, NULL);
    rpc_rig_add_mempool(rig, NULL);
    struct builder_spec spec = {.coinbase_script = BUILDER_WSH_TRUE};
    f->tip = rig->builder.genesis;
    for (size_t i = 0; i < n_coins; i++) {
        f->tip = builder_block(&rig->builder, f->tip, &spec);
        f->coin[i] = builder_coinbase_coin(f->tip);
    }
    f->tip = builder_blocks(&rig->builder, f->tip, 100, NULL);
    rpc_rig_grow(rig, f->tip);
    return f;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    rpc_rig_deinit(&f->rig);
    test_free(f);
    return 0;
}

/* -- Transactions ------------------------------------------------------------------------------ */

/* A coin to as many outputs. */
static inline struct tx spend_coin(struct fixture *f, struct builder_coin coin, uint32_t n_out,
                                   int64_t fee_sat)
{
    return builder_spend(&f->rig.builder, &coin, 1, n_out, fee_sat, BUILDER_WSH_TRUE);
}

static inline struct tx spend(struct fixture *f, size_t i, int64_t fee_sat)
{
    return spend_coin(f, f->coin[i], 1, fee_sat);
}

static inline struct tx spend_output(struct fixture *f, const struct tx *parent, uint32_t i,
                                     uint32_t n_out, int64_t fee_sat)
{
    return spend_coin(f, builder_coin_of(parent, i, BUILDER_WSH_TRUE), n_out, fee_sat);
}

/* A parent with two outputs and a child that pays for it. */
static inline void make_family(struct fixture *f)
{
    f->parent = spend_coin(f, f->coin[0], 2, 1000);
    f->child = spend_output(f, &f->parent, 0, 1, 50000);
    hex_encode_reversed(f->parent_id, span_of(f->parent.txid.b, 32));
    hex_encode_reversed(f->child_id, span_of(f->child.txid.b, 32));
}

static inline const char *hex_of(struct fixture *f, const struct tx *tx)
{
    assert_true(2 * tx->raw.len < sizeof f->hex);
    hex_encode(f->hex, tx->raw);
    hex_encode_reversed(f->id, span_of(tx->txid.b, 32));
    hex_encode_reversed(f->wid, span_of(tx->wtxid.b, 32));
    return f->hex;
}

/* -- Into the mempool -------------------------------------------------------------------------- */

static inline void pool_answered(void *arg, const struct mempool_result *result)
{
    assert_true(result->verdict.code == REJECT_NONE || result->was_known);
    *(bool *)arg = true;
}

/* It comes in, or is in. flags: enum mempool_accept_flags */
static inline void add(struct fixture *f, const struct tx *tx, int flags)
{
    bool is_done = false;
    size_t n = mempool_count(f->rig.mempool);
    bool was_in = mempool_find(f->rig.mempool, &tx->txid) != NULL;
    mempool_accept(f->rig.mempool, tx->raw, flags, 0, pool_answered, &is_done);
    rig_wait(&f->rig.chain, &is_done);
    assert_int_equal(mempool_count(f->rig.mempool), n + !was_in);
}

#endif
