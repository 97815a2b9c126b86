/* send_fixture.h - a chain with coins that need no signature, a mempool, and transactions as hex.
 */
#ifndef UNIT_RPC_SEND_FIXTURE_H
#define UNIT_RPC_SEND_FIXTURE_H

#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/hex.h"

struct fixture {
    struct rpc_rig rig;
    struct builder_coin coin[10];
    char hex[4000], id[65], wid[65];
};

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof *f);
    struct rpc_rig *rig = &f->rig;
    rpc_rig_init(rig, NULL, NULL);
    rpc_rig_add_mempool(rig, NULL);
    struct builder_spec spec = {.coinbase_script = BUILDER_WSH_TRUE};
    const struct built_block *block = rig->builder.genesis;
    for (size_t i = 0; i < COUNT_OF(f->coin); i++) {
        block = builder_block(&rig->builder, block, &spec);
        f->coin[i] = builder_coinbase_coin(block);
    }
    rpc_rig_grow(rig, builder_blocks(&rig->builder, block, 100, NULL));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    rpc_rig_deinit(&f->rig);
    test_free(f);
    return 0;
}

FIXTURE(setup, teardown)

static struct tx spend(struct fixture *f, size_t i, int64_t fee_sat)
{
    return builder_spend(&f->rig.builder, &f->coin[i], 1, 1, fee_sat, BUILDER_WSH_TRUE);
}

static const char *hex_of(struct fixture *f, const struct tx *tx)
{
    assert_true(2 * tx->raw.len < sizeof f->hex);
    hex_encode(f->hex, tx->raw);
    hex_encode_reversed(f->id, span_of(tx->txid.b, 32));
    hex_encode_reversed(f->wid, span_of(tx->wtxid.b, 32));
    return f->hex;
}

#endif
