/* test_rpc_mempool_cluster.c - methods that show in which order the mempool is mined. */
#include "pool_fixture.h"
#include "rpc/methods.h"
#include "util/alloc.h"

#define UNKNOWN "00000000000000000000000000000000000000000000000000000000000000aa"

/* The parent is in the chain, with many outputs. */
static int setup(void **state)
{
    struct fixture *f = fixture_new(1, NULL);
    f->parent = spend_coin(f, f->coin[0], 110, 100000);
    struct builder_spec spec = {.tx = &f->parent, .n_tx = 1};
    f->tip = builder_block(&f->rig.builder, f->tip, &spec);
    rpc_rig_grow(&f->rig, f->tip);
    *state = f;
    return 0;
}

FIXTURE(setup, teardown)

/* A transaction on an output of another, in the mempool. */
static struct tx add_on(struct fixture *f, const struct tx *parent, uint32_t i, uint32_t n_out,
                        int64_t fee_sat)
{
    struct tx tx = spend_output(f, parent, i, n_out, fee_sat);
    add(f, &tx, 0);
    return tx;
}

static void assert_cluster(struct rpc_rig *rig, const char *id, const char *want)
{
    assert_string_equal(rpc_rig_callf(rig, "getmempoolcluster", "[\"%s\"]", id), want);
}

TEST(a_cluster_is_shown_chunk_by_chunk, struct fixture *f)
{
    char want[600], id[3][HEX_ID_BYTES];
    struct tx parent = add_on(f, &f->parent, 0, 2, 1000);
    struct tx cheap = add_on(f, &parent, 0, 1, 200);
    struct tx child = add_on(f, &parent, 1, 1, 50000);
    add_on(f, &f->parent, 1, 1, 300); /* hangs together with none of them */
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
    struct tx poor = add_on(f, &f->parent, 0, 1, 500);
    struct tx rich = add_on(f, &f->parent, 1, 1, 70000);
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
        struct tx fan = add_on(f, &f->parent, i, 50, 200000);
        for (uint32_t k = 0; k < 50; k++)
            add_on(f, &fan, k, 1, 100 + (int64_t)k);
    }
    const char *got = rpc_rig_call(&f->rig, "getmempoolfeeratediagram", "[]");
    size_t n = 0;
    for (const char *at = got; (at = strstr(at, "\"weight\"")); at++)
        n++;
    assert_int_equal(n, 1 + 110 * 51);
    assert_int_equal(got[strlen(got) - 1], ']');
}

/* A parent and its child that pays for both are in one band; each band begins with its floor. */
TEST(bands_count_what_is_mined_together, struct fixture *f)
{
    char want[200];
    const char *got = rpc_rig_call(&f->rig, "getmempoolbands", "[]");
    assert_starts(got, "[{\"from\":0,\"count\":0,\"vbytes\":0,\"fees\":0.00000000},{\"from\":0.1,");
    assert_holds(got, "{\"from\":1000,\"count\":0,\"vbytes\":0,\"fees\":0.00000000}]");
    struct tx parent = add_on(f, &f->parent, 0, 1, 200);
    struct tx child = add_on(f, &parent, 0, 1, 200);
    uint32_t both_wu = tx_weight_wu(&parent) + tx_weight_wu(&child);
    int64_t vbytes = (both_wu + 3) / 4;
    mempool_prioritise(f->rig.mempool, &child.txid, vbytes * 10 - 400);
    snprintf(want, sizeof want, "{\"from\":10,\"count\":2,\"vbytes\":%lld,\"fees\":%.8f}",
             (long long)vbytes, (double)(vbytes * 10) / 1e8);
    assert_holds(rpc_rig_call(&f->rig, "getmempoolbands", "[]"), want);
    mempool_prioritise(f->rig.mempool, &child.txid, -10 - (int64_t)both_wu % 4);
    assert_holds(rpc_rig_call(&f->rig, "getmempoolbands", "[]"), "{\"from\":8,\"count\":2,");
    mempool_prioritise(f->rig.mempool, &child.txid, -vbytes * 20);
    mempool_prioritise(f->rig.mempool, &parent.txid, -vbytes * 20);
    assert_starts(rpc_rig_call(&f->rig, "getmempoolbands", "[]"), "[{\"from\":0,\"count\":2,");
    f->rig.node.mempool = NULL;
    assert_starts(rpc_rig_call(&f->rig, "getmempoolbands", "[]"), "-33:");
}
