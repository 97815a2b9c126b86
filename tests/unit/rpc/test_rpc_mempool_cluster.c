/* test_rpc_mempool_cluster.c - methods that show in which order the mempool is mined. */
#include "rpc/methods.h"
#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/hex.h"

#define UNKNOWN "00000000000000000000000000000000000000000000000000000000000000aa"

struct fixture {
    struct rpc_rig rig;
    const struct built_block *tip;
    struct tx root; /* in the chain, with 4 outputs */
};

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof *f);
    struct rpc_rig *rig = &f->rig;
    rpc_rig_init(rig, NULL, NULL);
    rpc_rig_add_mempool(rig, NULL);
    struct builder_spec spec = {.coinbase_script = BUILDER_WSH_TRUE};
    const struct built_block *first = builder_block(&rig->builder, rig->builder.genesis, &spec);
    f->tip = builder_blocks(&rig->builder, first, 100, NULL);
    struct builder_coin coin = builder_coinbase_coin(first);
    f->root = builder_spend(&rig->builder, &coin, 1, 110, 100000, BUILDER_WSH_TRUE);
    spec = (struct builder_spec){.tx = &f->root, .n_tx = 1};
    f->tip = builder_block(&rig->builder, f->tip, &spec);
    rpc_rig_grow(rig, f->tip);
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

static void accepted(void *arg, const struct mempool_result *result)
{
    assert_int_equal(result->verdict.code, REJECT_NONE);
    *(bool *)arg = true;
}

/* A transaction on an output of another, in the mempool. */
static struct tx add_on(struct rpc_rig *rig, const struct tx *parent, uint32_t i, uint32_t n_out,
                        int64_t fee_sat)
{
    bool is_done = false;
    struct builder_coin coin = builder_coin_of(parent, i, BUILDER_WSH_TRUE);
    struct tx tx = builder_spend(&rig->builder, &coin, 1, n_out, fee_sat, BUILDER_WSH_TRUE);
    mempool_accept(rig->mempool, tx.raw, 0, 0, accepted, &is_done);
    rig_wait(&rig->chain, &is_done);
    return tx;
}

static void assert_cluster(struct rpc_rig *rig, const char *id, const char *want)
{
    assert_string_equal(rpc_rig_callf(rig, "getmempoolcluster", "[\"%s\"]", id), want);
}

TEST(a_cluster_is_shown_chunk_by_chunk, struct fixture *f)
{
    char want[600], id[3][HEX_ID_BYTES];
    struct tx parent = add_on(&f->rig, &f->root, 0, 2, 1000);
    struct tx cheap = add_on(&f->rig, &parent, 0, 1, 200);
    struct tx child = add_on(&f->rig, &parent, 1, 1, 50000);
    add_on(&f->rig, &f->root, 1, 1, 300); /* hangs together with none of them */
    hex_encode_reversed(id[0], span_of(parent.txid.b, 32));
    hex_encode_reversed(id[1], span_of(child.txid.b, 32));
    hex_encode_reversed(id[2], span_of(cheap.txid.b, 32));
    uint32_t both_wu = tx_weight_wu(&parent) + tx_weight_wu(&child), wu = tx_weight_wu(&cheap);
    snprintf(want, sizeof want,
             "{\"clusterweight\":%u,\"txcount\":3,\"chunks\":["
             "{\"chunkfee\":0.00051000,\"chunkweight\":%u,\"txs\":[\"%s\",\"%s\"]},"
             "{\"chunkfee\":0.00000200,\"chunkweight\":%u,\"txs\":[\"%s\"]}]}",
             both_wu + wu, both_wu, id[0], id[1], wu, id[2]);
    for (int i = 0; i < 3; i++)
        assert_cluster(&f->rig, id[i], want);
    /* A delta counts. */
    mempool_prioritise(f->rig.mempool, &cheap.txid, 1000000);
    snprintf(want, sizeof want,
             "{\"clusterweight\":%u,\"txcount\":3,\"chunks\":["
             "{\"chunkfee\":0.01001200,\"chunkweight\":%u,\"txs\":[\"%s\",\"%s\"]},"
             "{\"chunkfee\":0.00050000,\"chunkweight\":%u,\"txs\":[\"%s\"]}]}",
             both_wu + wu, tx_weight_wu(&parent) + wu, id[0], id[2], tx_weight_wu(&child), id[1]);
    assert_cluster(&f->rig, id[0], want);
    assert_holds(rpc_rig_call(&f->rig, "getmempoolinfo", "[]"), "\"optimal\":true");
}

TEST(a_cluster_needs_an_entry, struct fixture *f)
{
    assert_call(&f->rig, "getmempoolcluster", "[\"" UNKNOWN "\"]",
                "-5: Transaction not in mempool");
    assert_starts(rpc_rig_call(&f->rig, "getmempoolcluster", "[\"aa\"]"), "-8: txid must be");
    f->rig.node.mempool = NULL;
    assert_starts(rpc_rig_call(&f->rig, "getmempoolcluster", "[\"" UNKNOWN "\"]"), "-33:");
    assert_starts(rpc_rig_call(&f->rig, "getmempoolfeeratediagram", "[]"), "-33:");
}

TEST(a_diagram_begins_with_nothing, struct fixture *f)
{
    char want[300];
    assert_call(&f->rig, "getmempoolfeeratediagram", "[]", "[{\"weight\":0,\"fee\":0.00000000}]");
    struct tx poor = add_on(&f->rig, &f->root, 0, 1, 500);
    struct tx rich = add_on(&f->rig, &f->root, 1, 1, 70000);
    snprintf(want, sizeof want,
             "[{\"weight\":0,\"fee\":0.00000000},{\"weight\":%u,\"fee\":0.00070000},"
             "{\"weight\":%u,\"fee\":0.00070500}]",
             tx_weight_wu(&rich), tx_weight_wu(&rich) + tx_weight_wu(&poor));
    assert_call(&f->rig, "getmempoolfeeratediagram", "[]", want);
}

/* More than a turn writes; what is mined meanwhile is still in it. */
TEST(long_diagrams_are_written_slice_by_slice, struct fixture *f)
{
    for (uint32_t i = 0; i < 110; i++) {
        struct tx fan = add_on(&f->rig, &f->root, i, 50, 200000);
        for (uint32_t k = 0; k < 50; k++)
            add_on(&f->rig, &fan, k, 1, 100 + (int64_t)k);
    }
    const char *got = rpc_rig_call(&f->rig, "getmempoolfeeratediagram", "[]");
    size_t n = 0;
    for (const char *at = got; (at = strstr(at, "\"weight\"")); at++)
        n++;
    assert_int_equal(n, 1 + 110 * 51);
    assert_int_equal(got[strlen(got) - 1], ']');
}
